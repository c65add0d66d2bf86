//! Segments: logical databases of users.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::document::Checks;
use crate::error::{Error, FieldError};
use crate::field::{Body as _, Field, Flag, Pointer, named};
use crate::id::{AddressId, SegmentId, UserId};
use crate::mapping::FieldMappings;
use crate::password::PasswordLength;
use crate::text::{Code, Country, Name};
use crate::user::UserFields;
use crate::value::{Integer, List, OrDefault};
use crate::web::PageUrl;
use crate::{body, nested, object, words};

/// The number of a segment among those of its owner.
pub type SegmentNumber = Integer<1, 2_147_483_647>;

/// The name of a field of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserField(String);

impl UserField {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Field for UserField {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        let name = value.as_str().filter(|name| UserFields::NAMES.contains(name)).map(|name| Self(name.to_owned()));
        if name.is_none() {
            let message = format!("must be one of {}", UserFields::NAMES.join(", "));
            errors.push(at.error("invalid_choice", &message));
        }
        name
    }

    fn show(&self) -> Value {
        self.0.as_str().into()
    }

    fn schema() -> RefOr<Schema> {
        let field = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(UserFields::NAMES.iter().copied()));
        named(field.description(Some("The name of a field that clients write of a user.")).into(), "UserField")
    }
}

/// The fields that a user of the segment must have; `["email"]` unless it is told otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequiredUserFields(List<UserField, 32>);

impl RequiredUserFields {
    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.0.iter().map(UserField::as_str)
    }
}

impl Default for RequiredUserFields {
    fn default() -> Self {
        Self(List(vec![UserField("email".to_owned())]))
    }
}

impl Field for RequiredUserFields {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        List::read(value, at, errors).map(Self)
    }

    fn show(&self) -> Value {
        self.0.show()
    }

    fn schema() -> RefOr<Schema> {
        List::<UserField, 32>::schema()
    }

    fn response_schema() -> RefOr<Schema> {
        List::<UserField, 32>::response_schema()
    }
}

words! {
    /// Where an identification is unique.
    #[derive(Default)]
    pub enum IdentificationScope {
        /// In the whole segment.
        #[default]
        Segment = "segment",
        /// Among the users of one `operation_country`.
        Country = "country",
    }
}

impl IdentificationScope {
    /// Returns whether it is the whole segment.
    #[must_use]
    pub fn is_segment(&self) -> bool {
        *self == Self::Segment
    }
}

nested! {
    /// What a segment asks of its users.
    #[derive(Default)]
    pub struct Settings as "SegmentSettings" {
        /// The fields that a user must have; a user with a parent needs none.
        pub required_user_fields: OrDefault<RequiredUserFields>,
        /// How strictly document numbers are read.
        pub document_checks: OrDefault<Checks>,
        /// Whether a member's `card_number` is refused that has the prefix and check digit of a payment card, in all
        /// memberships. Off by default: a loyalty number may look like one.
        pub refuse_payment_cards: Flag<false>,
        /// The page that magic links lead to; without one they lead to this deployment's own.
        pub magic_link_url: Option<PageUrl>,
        /// The fields of the segment's own that programs show of its users.
        pub field_mappings: Option<FieldMappings>,
        /// Whether a user may purge itself. Otherwise it may only delete itself, and the owner purges it.
        #[serde(default)]
        pub self_purge: Flag<false>,
        /// The fewest characters of its users' passwords, 6 to 64; 8 unless set.
        pub password_min_length: Option<PasswordLength>,
        /// The country of phone numbers that are written without a calling code, ISO 3166-1 alpha-3.
        #[serde(default)]
        pub country: Option<Country>,
        /// Where an identification is unique. It changes only while the segment has no users.
        #[serde(default)]
        pub identification_scope: OrDefault<IdentificationScope>,
    }
}

body! {
    /// What is written about a segment.
    #[derive(Serialize, Deserialize)]
    pub struct SegmentFields {
        /// What it is called.
        pub name: Name,
        /// What its users are to its owner, such as supervisor, operator, consumer.
        pub role: Option<Code>,
        /// Who looks after it.
        pub managed_by: Option<Name>,
        /// The address of its owner that parcels go to.
        pub shipping_address_id: Option<AddressId>,
        /// Whether it is in use: `false` ends logins, tokens and keys of the segment with 401 `segment_inactive`.
        pub status: Flag<true>,
        /// What it asks of its users.
        pub settings: OrDefault<Settings>,
    }
    example {
        "name": "Card users", "role": "consumer", "managed_by": "Ana López", "shipping_address_id": null, "status": true,
        "settings": { "required_user_fields": ["email"], "document_checks": "format" }
    }
    patch { "managed_by": null, "settings": { "document_checks": "checksum" } }
}

object! {
    /// A logical database of users; it belongs to a master user.
    pub struct Segment of SegmentFields {
        /// Its id.
        pub id: SegmentId = "0199d2a4-5c00-7000-8000-0000000005e6",
        /// The master user that it belongs to.
        pub owner_id: UserId = "0199d2a4-5c00-7000-8000-000000000001",
        /// A small number; no other segment of the owner has it.
        pub number: SegmentNumber = 1,
    }
}

impl Segment {
    /// Checks that the segment is in use.
    ///
    /// # Errors
    /// [`Error::SegmentInactive`].
    pub fn check_active(&self) -> Result<(), Error> {
        if self.fields.status.0 { Ok(()) } else { Err(Error::SegmentInactive) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Time;
    use crate::field::{MergePatch, Object as _};
    use serde_json::json;

    #[test]
    fn settings_have_defaults_and_merge() -> Result<(), Error> {
        let fields = SegmentFields::parse(json!({ "name": "S" }))?;
        let segment = Segment::new(SegmentId::fresh(), UserId::fresh(), SegmentNumber::default(), fields, Time::now());
        let shown = segment.show();
        let defaults = json!({ "required_user_fields": ["email"], "document_checks": "format",
            "refuse_payment_cards": false, "magic_link_url": null, "field_mappings": null, "self_purge": false, "password_min_length": null,
            "country": null, "identification_scope": "segment" });
        assert_eq!(shown["settings"], defaults);
        assert_eq!(shown["status"], true);

        let patch = MergePatch::parse(json!({ "settings": { "document_checks": "checksum" } }))?;
        let patched = segment.patched(patch, Time::now())?;
        let settings = &patched.fields.settings.0;
        assert_eq!(settings.document_checks.0, Checks::Checksum);
        assert_eq!(settings.required_user_fields.0.names().collect::<Vec<_>>(), ["email"]);
        assert_eq!(patched.version, 2);

        let patch = MergePatch::parse(json!({ "settings": { "required_user_fields": [], "document_checks": null } }))?;
        let patched = patch.apply(&patched.fields)?;
        assert_eq!(patched.settings.0.required_user_fields.0.names().count(), 0, "an empty list asks for nothing");
        assert_eq!(patched.settings.0.document_checks.0, Checks::Format);
        Ok(())
    }

    #[test]
    fn only_fields_of_users_can_be_required() {
        let required = json!(["email", "identification", "points", "email"]);
        let Err(Error::Invalid(errors)) =
            SegmentFields::parse(json!({ "name": "S", "settings": { "required_user_fields": required } }))
        else {
            panic!("accepted");
        };
        let found: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), error.code)).collect();
        assert_eq!(found, [("/settings/required_user_fields/2", "invalid_choice")]);
        assert!(errors[0].message.contains("tax_identification"));
    }

    #[test]
    fn every_example_is_accepted() {
        assert!(SegmentFields::parse(SegmentFields::example()).is_ok());
        assert!(MergePatch::<SegmentFields>::parse(SegmentFields::patch_example()).is_ok());
    }
}
