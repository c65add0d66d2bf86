//! What a person who joins a membership shares with the owner of its segment.

use serde_json::{Map, Value};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::field::{Body as _, Field as _, Object, bookkeeping, shown_schema};
use crate::id::UserId;
use crate::user::{User, UserFields};

/// The fields of a profile.
const FIELDS: [&str; 13] = [
    "email",
    "name",
    "last_name",
    "second_last_name",
    "phone",
    "phone_display",
    "gender",
    "birthdate",
    "language",
    "country",
    "state",
    "city",
    "nationality",
];

/// The profile of a user: how it is called and reached, and where it lives. No documents, no metadata.
#[derive(Debug, Clone)]
pub struct UserProfile(User);

impl User {
    /// Returns the user with the fields of its profile only.
    #[must_use]
    pub fn shared(self) -> Self {
        let UserFields {
            email,
            name,
            last_name,
            second_last_name,
            phone,
            phone_display,
            gender,
            birthdate,
            language,
            country,
            state,
            city,
            nationality,
            ..
        } = self.fields;
        let fields = UserFields {
            email,
            name,
            last_name,
            second_last_name,
            phone,
            phone_display,
            gender,
            birthdate,
            language,
            country,
            state,
            city,
            nationality,
            ..UserFields::default()
        };
        Self { status_reason: None, person: None, pending_email: None, fields, ..self }
    }
}

impl User {
    /// Returns the user as [`User::shared`] does, with this member of its metadata.
    #[must_use]
    pub fn shared_with(self, member: &str) -> Self {
        let metadata = self.fields.metadata.as_ref().and_then(|metadata| metadata.only(member));
        let mut shared = self.shared();
        shared.fields.metadata = metadata;
        shared
    }
}

impl From<User> for UserProfile {
    fn from(user: User) -> Self {
        Self(user.shared())
    }
}

impl Object for UserProfile {
    fn version(&self) -> u64 {
        self.0.version
    }

    fn show(&self) -> Value {
        let mut shown = Map::from_iter([("user_id".to_owned(), self.0.id.show())]);
        shown.extend(self.0.fields.show().into_iter().filter(|(name, _)| FIELDS.contains(&name.as_str())));
        shown.extend(bookkeeping(self.0.version, self.0.created_at, self.0.updated_at));
        Value::Object(shown)
    }
}

impl PartialSchema for UserProfile {
    fn schema() -> RefOr<Schema> {
        let about = "The profile of a user: how it is called and reached, and where it lives.";
        let before = vec![("user_id", "The user's id.", UserId::response_schema())];
        let mut schema = shown_schema::<UserFields>(about, example(), before);
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            let is_shown = |name: &str| FIELDS.contains(&name) || BOOKKEEPING.contains(&name);
            object.properties.retain(|name, _| is_shown(name));
            object.required.retain(|name| is_shown(name));
        }
        schema
    }
}

const BOOKKEEPING: [&str; 4] = ["user_id", "version", "created_at", "updated_at"];

fn example() -> Value {
    let mut shown = Map::from_iter([("user_id".to_owned(), "0199d2a4-5c00-7000-8000-000000000002".into())]);
    if let Value::Object(fields) = super::example() {
        let is_shown = |name: &str| FIELDS.contains(&name) || BOOKKEEPING.contains(&name);
        shown.extend(fields.into_iter().filter(|(name, _)| is_shown(name)));
    }
    Value::Object(shown)
}

impl ToSchema for UserProfile {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{SegmentId, Time};

    #[test]
    fn a_profile_has_its_fields_and_no_others() {
        let fields = UserFields::parse(json!({
            "email": "ana@example.com", "name": "Ana", "phone": "+525512345678", "metadata": { "a": 1 },
            "identification": { "type": "DOCUMENT", "value": "1" }, "username": "ana", "reference_id": "crm-1"
        }));
        let user = User::of_segment(UserId::fresh(), SegmentId::fresh(), fields.unwrap_or_default(), Time::now());
        let shown = UserProfile::from(user).show();
        let names: Vec<_> = shown.as_object().into_iter().flat_map(|shown| shown.keys()).map(String::as_str).collect();
        assert!(["email", "name", "phone", "user_id"].iter().all(|name| names.contains(name)));
        assert!(["metadata", "identification", "username", "reference_id"].iter().all(|name| !names.contains(name)));
        let RefOr::T(Schema::Object(schema)) = UserProfile::schema() else { panic!("no object") };
        assert!(names.iter().all(|name| schema.properties.contains_key(*name)));
        assert_eq!(names.len(), schema.properties.len());
    }
}
