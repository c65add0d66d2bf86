//! Users: what they are, how they begin, change, end and come back.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::clock::{Date, Time};
use crate::document::Document;
use crate::error::{Error, FieldError};
use crate::field::{Body, Field, Fields, MergePatch, Object, Pointer, bookkeeping, shown_schema};
use crate::id::{SegmentId, UserId};
use crate::place::{LegalAddress, Place};
use crate::text::{Code, Country, Email, Language, Name, Password, Phone, ReferenceId, Username};
use crate::{body, words};

/// A person, master or of a segment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct User {
    /// The id; Cognito's username too.
    pub id: UserId,
    /// The segment that the user belongs to; a master user has none.
    pub segment_id: Option<SegmentId>,
    /// Where in its life the user stands.
    pub status: Status,
    /// Why it stands there.
    pub status_reason: Option<Code>,
    /// What the user, or who keeps it, writes.
    #[serde(flatten)]
    pub fields: UserFields,
    /// Counts the changes; it is the `ETag`.
    pub version: u64,
    /// When the user came to be.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

/// The stations of a user's life: `UNVERIFIED → ACTIVE ⇄ BLOCKED → DELETED` (restorable) `→` purged, which leaves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Signed up; the e-mail is not verified yet.
    Unverified,
    /// In use.
    Active,
    /// Shut out until made active again.
    Blocked,
    /// Out of use; its unique values are free again.
    Deleted,
}

impl Status {
    /// The status as clients see it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unverified => "UNVERIFIED",
            Self::Active => "ACTIVE",
            Self::Blocked => "BLOCKED",
            Self::Deleted => "DELETED",
        }
    }
}

body! {
    /// What is written about a user.
    #[derive(Serialize, Deserialize, Default)]
    pub struct UserFields {
        /// E-mail, unique without case.
        pub email: Option<Email>,
        /// Name to log in with, unique without case.
        pub username: Option<Username>,
        /// The user's id in another system, unique.
        pub reference_id: Option<ReferenceId>,
        /// First name.
        pub name: Option<Name>,
        /// Last name.
        pub last_name: Option<Name>,
        /// Second last name.
        pub second_last_name: Option<Name>,
        /// Phone number, E.164.
        pub phone: Option<Phone>,
        /// Gender.
        pub gender: Option<Gender>,
        /// Day of birth.
        pub birthdate: Option<Date>,
        /// ISO 3166-1 alpha-3.
        pub nationality: Option<Country>,
        /// The country that the user does business in, ISO 3166-1 alpha-3.
        pub operation_country: Option<Country>,
        /// Language, BCP 47.
        pub language: Option<Language>,
        /// Identity document, unique.
        pub identification: Option<Document>,
        /// Tax document.
        pub tax_identification: Option<Document>,
        /// Tax condition, as the country names it.
        pub tax_condition: Option<Code>,
        /// Where the user is reached by law.
        pub legal_address: Option<LegalAddress>,
        /// Country.
        pub country: Option<Place>,
        /// State.
        pub state: Option<Place>,
        /// City.
        pub city: Option<Place>,
        /// Until when the user is meant to be in use.
        pub valid_until: Option<Time>,
        /// Anything else, up to 8 KiB of JSON.
        pub metadata: Option<Metadata>,
    }
    example {
        "email": "ana@example.com", "name": "Ana", "last_name": "López", "phone": "+5215512345678",
        "gender": "FEMALE", "birthdate": "1990-02-28", "language": "es-MX"
    }
    patch { "last_name": "López García", "phone": null, "metadata": { "plan": "gold" } }
}

words! {
    /// A user's gender.
    pub enum Gender {
        /// Male.
        Male = "MALE",
        /// Female.
        Female = "FEMALE",
        /// Neither, or not told.
        Other = "OTHER",
    }
}

/// A JSON object of the client's own, at most 8 KiB; its numbers keep their digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub struct Metadata(String);

impl Field for Metadata {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        if !value.is_object() {
            errors.push(at.error("invalid_type", "must be a JSON object"));
            return None;
        }
        let object = value.to_string();
        if object.len() > 8 * 1024 {
            errors.push(at.error("too_long", "must be at most 8 KiB of JSON"));
            return None;
        }
        Some(Self(object))
    }

    fn show(&self) -> Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    fn schema() -> RefOr<Schema> {
        utoipa::openapi::ObjectBuilder::new().into()
    }
}

/// What a new master user sends: [`UserFields`] with e-mail and name, and a password.
#[derive(Debug, Clone)]
pub struct SignUp {
    /// Goes to Cognito and nowhere else.
    pub password: Password,
    /// Everything else; `email` is there.
    pub fields: UserFields,
    /// The e-mail among the fields.
    pub email: Email,
}

/// What a master user must always have.
const MASTER_REQUIRES: [&str; 2] = ["email", "name"];

impl Body for SignUp {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let password = fields.take("password");
        for required in MASTER_REQUIRES {
            fields.require(required);
        }
        let fields = UserFields::read(fields)?;
        Some(Self { password: password?, email: fields.email.clone()?, fields })
    }

    fn show(&self) -> Map<String, Value> {
        self.fields.show()
    }

    fn example() -> Value {
        let mut example = UserFields::example();
        if let Some(object) = example.as_object_mut() {
            object.insert("password".to_owned(), json!("correct horse battery"));
        }
        example
    }

    fn schema() -> RefOr<Schema> {
        let mut schema = <UserFields as Body>::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.properties.insert("password".to_owned(), <Password as Field>::schema());
            object.required.extend(["password", "email", "name"].map(str::to_owned));
            object.examples = vec![Self::example()];
        }
        schema
    }
}

impl PartialSchema for SignUp {
    fn schema() -> RefOr<Schema> {
        <Self as Body>::schema()
    }
}

impl ToSchema for SignUp {}

impl User {
    /// A master user who has just signed up.
    #[must_use]
    pub fn master(id: UserId, fields: UserFields, now: Time) -> Self {
        Self {
            id,
            segment_id: None,
            status: Status::Unverified,
            status_reason: None,
            fields,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The user after `patch`, one version on.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the patch breaks a rule or takes away what such a user must have.
    pub fn patched(&self, patch: MergePatch<UserFields>, now: Time) -> Result<Self, Error> {
        let fields = patch.apply(&self.fields)?;
        let missing = [("email", fields.email.is_none()), ("name", fields.name.is_none())];
        let errors: Vec<_> = missing
            .into_iter()
            .filter(|(name, missing)| *missing && self.segment_id.is_none() && MASTER_REQUIRES.contains(name))
            .map(|(name, _)| Pointer::root().child(name).error("required", "cannot be cleared"))
            .collect();
        if errors.is_empty() { Ok(Self { fields, ..self.next(now) }) } else { Err(Error::Invalid(errors)) }
    }

    /// The user in another station of its life, one version on.
    #[must_use]
    pub fn moved(&self, status: Status, reason: Option<Code>, now: Time) -> Self {
        Self { status, status_reason: reason, ..self.next(now) }
    }

    /// The user unchanged, one version on.
    #[must_use]
    pub fn next(&self, now: Time) -> Self {
        Self { version: self.version + 1, updated_at: now, ..self.clone() }
    }

    /// Each value of this user that nobody else in its scope may have; none once it is deleted.
    #[must_use]
    pub fn unique_values(&self) -> Vec<Unique> {
        if self.status == Status::Deleted { Vec::new() } else { self.fields.unique_values() }
    }
}

impl UserFields {
    /// Each value that nobody else in the scope may have.
    #[must_use]
    pub fn unique_values(&self) -> Vec<Unique> {
        let values = [
            self.email.as_ref().map(Unique::email),
            self.username.as_ref().map(Unique::username),
            self.reference_id.as_ref().map(Unique::reference),
            self.identification.as_ref().map(Unique::identification),
        ];
        values.into_iter().flatten().collect()
    }
}

impl PartialSchema for User {
    fn schema() -> RefOr<Schema> {
        shown_schema::<UserFields>(vec![
            ("id", <UserId as PartialSchema>::schema()),
            ("segment_id", <Option<SegmentId> as Field>::schema()),
            ("status", <Status as PartialSchema>::schema()),
            ("status_reason", <Option<Code> as Field>::schema()),
        ])
    }
}

impl ToSchema for User {}

impl Object for User {
    fn version(&self) -> u64 {
        self.version
    }

    fn show(&self) -> Value {
        let mut shown = Map::from_iter([
            ("id".to_owned(), self.id.show()),
            ("segment_id".to_owned(), self.segment_id.show()),
            ("status".to_owned(), self.status.as_str().into()),
            ("status_reason".to_owned(), self.status_reason.show()),
        ]);
        shown.extend(self.fields.show());
        shown.extend(bookkeeping(self.version, self.created_at, self.updated_at));
        Value::Object(shown)
    }
}

/// A value that one user alone may have, in the form in which two are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unique {
    /// The field that holds it.
    pub field: &'static str,
    /// Its canonical form.
    pub value: String,
}

impl Unique {
    /// An e-mail, without case.
    #[must_use]
    pub fn email(email: &Email) -> Self {
        Self { field: "email", value: email.canonical() }
    }

    /// A username, without case.
    #[must_use]
    pub fn username(username: &Username) -> Self {
        Self { field: "username", value: username.canonical() }
    }

    /// A reference id, to the letter.
    #[must_use]
    pub fn reference(reference: &ReferenceId) -> Self {
        Self { field: "reference_id", value: reference.as_str().to_owned() }
    }

    /// A document: its type and its canonical number.
    #[must_use]
    pub fn identification(document: &Document) -> Self {
        // No type has a colon in its name.
        let value = format!("{}:{}", document.kind.as_str(), document.value.as_str());
        Self { field: "identification", value }
    }

    /// What to say when somebody else has it.
    #[must_use]
    pub fn taken(&self) -> FieldError {
        Pointer::root().child(self.field).error("taken", "is taken by another user; choose another one")
    }
}

/// A user for the examples of the OpenAPI document.
#[must_use]
pub fn example() -> Value {
    let mut example = json!({
        "id": "0199d2a4-5c00-7000-8000-000000000001", "segment_id": null, "status": "ACTIVE", "status_reason": null,
        "version": 2, "created_at": "2026-11-21T10:00:00.000Z", "updated_at": "2026-11-21T10:05:00.000Z"
    });
    if let (Some(object), Value::Object(fields)) = (example.as_object_mut(), UserFields::example()) {
        object.extend(fields);
    }
    example
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_accepted() {
        assert!(SignUp::parse(SignUp::example()).is_ok());
        assert!(MergePatch::<UserFields>::parse(UserFields::patch_example()).is_ok());
    }

    #[test]
    fn a_master_keeps_its_email_and_name() -> Result<(), Error> {
        let user = User::master(UserId::fresh(), SignUp::parse(SignUp::example())?.fields, Time::now());
        let patch = MergePatch::parse(json!({ "email": null, "name": null }))?;
        let Err(Error::Invalid(errors)) = user.patched(patch, Time::now()) else { panic!("accepted") };
        assert_eq!(errors.iter().map(|error| error.pointer.as_str()).collect::<Vec<_>>(), ["/email", "/name"]);
        Ok(())
    }

    #[test]
    fn metadata_merges_like_the_rest_and_keeps_its_digits() -> Result<(), Error> {
        let mut user = User::master(UserId::fresh(), UserFields::default(), Time::now());
        let value = |text| serde_json::from_str::<Value>(text).map_err(Error::internal);
        for (patch, expected) in [
            (r#"{"email":"a@b.example","name":"A","metadata":{"a":1.50,"b":{"c":1}}}"#, r#"{"a":1.50,"b":{"c":1}}"#),
            (r#"{"metadata":{"b":{"d":2}}}"#, r#"{"a":1.50,"b":{"c":1,"d":2}}"#),
            (r#"{"metadata":{"b":null}}"#, r#"{"a":1.50}"#),
        ] {
            user = user.patched(MergePatch::parse(value(patch)?)?, Time::now())?;
            let shown = user.show();
            assert_eq!(shown.get("metadata").map(ToString::to_string).as_deref(), Some(expected));
        }
        Ok(())
    }
}
