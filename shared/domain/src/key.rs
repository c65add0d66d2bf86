//! API keys: how a program reaches one segment, or all segments of an account.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::body;
use crate::clock::Time;
use crate::error::Error;
use crate::error::FieldError;
use crate::field::{Body as _, Field, Object, Pointer, bookkeeping, shown_schema, string_schema};
use crate::history::Actor;
use crate::id::{KeyId, SegmentId, UserId};
use crate::text::Name;
use crate::value::words_schema;

/// A key, without its secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Key {
    /// Its id.
    pub id: KeyId,
    /// The master user whose segments it reaches.
    pub account_id: UserId,
    /// The one segment that it reaches; all of the account's without one.
    pub segment_id: Option<SegmentId>,
    /// What its maker says of it.
    #[serde(flatten)]
    pub fields: KeyFields,
    /// The beginning of its secret, by which people tell keys apart.
    pub prefix: String,
    /// When it was used, as far back as five minutes from the last time.
    pub last_used_at: Option<Time>,
    /// When it was made.
    pub created_at: Time,
    /// Whether it is older than the password of its account's owner, who may want to end it; only lists say so.
    #[serde(skip)]
    pub review: bool,
    /// The user or key that created it.
    pub created_by: Option<Actor>,
    /// The keys that it ends with: the one that created it, last, and each that created that one.
    #[serde(default)]
    pub ancestors: Vec<KeyId>,
}

/// The most keys that may stand between a key and the user who created the first of them.
const ANCESTORS: usize = 8;

/// The user or key that creates a key.
#[derive(Debug, Clone)]
pub struct KeyCreator {
    actor: Actor,
    ancestors: Vec<KeyId>,
}

impl KeyCreator {
    /// A user as creator.
    #[must_use]
    pub fn user(user: UserId) -> Self {
        Self { actor: Actor::User(user), ancestors: Vec::new() }
    }

    /// A key as creator, with which the new key ends.
    ///
    /// # Errors
    /// [`Error::Conflict`] where too many keys created each other.
    pub fn key(parent: &Key) -> Result<Self, Error> {
        if parent.ancestors.len() >= ANCESTORS {
            let message =
                format!("must have at most {ANCESTORS} keys between it and the user who created the first one");
            return Err(Error::conflict("", "too_many", &message));
        }
        let ancestors = parent.ancestors.iter().copied().chain([parent.id]).collect();
        Ok(Self { actor: Actor::Key(parent.id), ancestors })
    }
}

body! {
    /// A key to be made.
    #[derive(Serialize, Deserialize)]
    pub struct KeyFields {
        /// What it is for.
        pub name: Name,
        /// What it may do: `read`, `write` (users, members, answers, files), `admin` (segments, memberships, keys).
        pub scopes: Scopes,
        /// When it ends by itself.
        pub expires_at: Option<Time>,
    }
    example { "name": "Onboarding site", "scopes": ["read", "write"], "expires_at": "2027-01-01T00:00:00.000Z" }
}

/// What a key may do; none of them implies another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyScope {
    /// Read whatever the key reaches.
    Read,
    /// Make, change and delete users, members, answers and files.
    Write,
    /// Make, change and delete segments, memberships, catalogs and keys.
    Admin,
}

impl KeyScope {
    /// Each scope.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// The scope as clients see it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// The scopes of a key: one at least.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(BTreeSet<KeyScope>);

impl Scopes {
    /// Whether it is among them.
    #[must_use]
    pub fn contains(&self, scope: KeyScope) -> bool {
        self.0.contains(&scope)
    }
}

impl Scopes {
    /// Reads names of scopes; `None` where one is unknown, or none is given.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let scope = |name: &str| KeyScope::ALL.into_iter().find(|scope| scope.as_str() == name);
        let scopes: Option<BTreeSet<_>> = names.into_iter().map(scope).collect();
        scopes.filter(|scopes| !scopes.is_empty()).map(Self)
    }

    /// The scopes that both have; there may be none.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).copied().collect())
    }

    /// Whether `other` has all of them.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }
}

/// The names, separated by spaces.
impl std::fmt::Display for Scopes {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.0.iter().map(|scope| scope.as_str()).collect();
        out.write_str(&names.join(" "))
    }
}

impl Field for Scopes {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        let scopes = serde_json::from_value(value).ok().filter(|Self(scopes)| !scopes.is_empty());
        if scopes.is_none() {
            errors.push(at.error("invalid_choice", "must be a list of one or more of read, write, admin"));
        }
        scopes
    }

    fn show(&self) -> Value {
        self.0.iter().map(|scope| scope.as_str()).collect()
    }

    fn schema() -> RefOr<Schema> {
        let words = [
            ("read", "Read whatever the key reaches."),
            ("write", "Create, change and delete users, members, answers and files."),
            ("admin", "Create, change and delete segments, memberships, catalogs and keys."),
        ];
        let scope = words_schema("KeyScope", "A right of a key.", &words);
        ArrayBuilder::new().items(scope).min_items(Some(1)).into()
    }
}

impl Key {
    /// A new key; `prefix` begins its secret.
    #[must_use]
    pub fn new(
        id: KeyId,
        of: (UserId, Option<SegmentId>),
        fields: KeyFields,
        prefix: String,
        (creator, now): (KeyCreator, Time),
    ) -> Self {
        let (account_id, segment_id) = of;
        let KeyCreator { actor, ancestors } = creator;
        let created_by = Some(actor);
        let last_used_at = None;
        Self {
            id,
            account_id,
            segment_id,
            fields,
            prefix,
            last_used_at,
            created_at: now,
            created_by,
            ancestors,
            review: false,
        }
    }

    /// Returns the key that created this one, if a key did.
    #[must_use]
    pub fn parent(&self) -> Option<KeyId> {
        self.ancestors.last().copied()
    }

    /// Whether it still opens anything at `now`.
    #[must_use]
    pub fn is_good(&self, now: Time) -> bool {
        self.fields.expires_at.is_none_or(|end| now < end)
    }
}

impl Key {
    /// The version of every key: a key is never changed.
    pub const VERSION: u64 = 1;
}

impl Object for Key {
    fn version(&self) -> u64 {
        Self::VERSION
    }

    fn show(&self) -> Value {
        let mut shown = Map::from_iter([
            ("id".to_owned(), self.id.show()),
            ("segment_id".to_owned(), self.segment_id.show()),
            ("prefix".to_owned(), self.prefix.as_str().into()),
            ("last_used_at".to_owned(), self.last_used_at.show()),
            ("review".to_owned(), self.review.into()),
            ("created_by".to_owned(), self.created_by.show()),
        ]);
        shown.extend(self.fields.show());
        shown.extend(bookkeeping(self.version(), self.created_at, self.created_at));
        Value::Object(shown)
    }
}

impl PartialSchema for Key {
    fn schema() -> RefOr<Schema> {
        let review: RefOr<Schema> = ObjectBuilder::new().schema_type(Type::Boolean).into();
        let before = vec![
            ("id", "The key's id.", KeyId::response_schema()),
            (
                "segment_id",
                "The segment of the key; null for a key of the account.",
                <Option<SegmentId>>::response_schema(),
            ),
            ("prefix", "The beginning of the secret, by which people recognise the key.", string_schema()),
            ("last_used_at", "Time of the last use, to the hour.", <Option<Time>>::response_schema()),
            ("review", "Whether the creator has lost rights since; the key works until it is revoked.", review),
            ("created_by", "The user or key that created it.", <Option<Actor>>::response_schema()),
        ];
        shown_schema::<KeyFields>("A key, by which a program reaches an account or a segment.", example(), before)
    }
}

impl ToSchema for Key {}

/// A key for the examples of the OpenAPI document.
#[must_use]
pub fn example() -> Value {
    let mut example = serde_json::json!({
        "id": "0199d2a4-5c00-7000-8000-00000000ce11", "segment_id": "0199d2a4-5c00-7000-8000-0000000005e6",
        "prefix": "sk_AZnSpFwA", "last_used_at": null, "review": false,
        "created_by": { "type": "user", "id": "0199d2a4-5c00-7000-8000-000000000001" },
        "version": 1, "created_at": "2026-11-21T10:00:00.000Z", "updated_at": "2026-11-21T10:00:00.000Z"
    });
    if let (Some(object), Value::Object(fields)) = (example.as_object_mut(), KeyFields::example()) {
        object.extend(fields);
    }
    example
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_known_and_at_least_one() {
        let read = |scopes: Value| {
            let mut errors = Vec::new();
            Scopes::read(scopes, &Pointer::root(), &mut errors)
        };
        assert!(read(serde_json::json!(["read", "read"])).is_some_and(|scopes| !scopes.contains(KeyScope::Write)));
        for wrong in [serde_json::json!([]), serde_json::json!(["all"]), serde_json::json!("read"), Value::Null] {
            assert_eq!(read(wrong), None);
        }
        assert!(KeyFields::parse(KeyFields::example()).is_ok());
    }
}
