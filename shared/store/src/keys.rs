//! The keys of the one table. Nothing else spells a key.
//!
//! | item | `PK` | `SK` | beside it |
//! |---|---|---|---|
//! | user | `U#{user}` | `U` | index `pending`: `pending` (kind) / `pending_at` while a change spans Cognito |
//! | address | `U#{user}` | `A#{address}` | |
//! | history entry | `U#{user}` | `H#{entry}` | |
//! | claim of a unique value | `C#{scope}#{field}#{sha256}` | `C` | `user_id` |
//! | first sign-up of the deployment | `D` | `FIRST` | |
//! | deployment secret | `D` | `SECRET` | |
//! | one-time secret | `O#{sha256}` | `O` | `user_id`, TTL |
//! | kept answer of an `Idempotency-Key` | `I#{sha256}` | `I` | TTL |
//! | rate limit window | `R#{sha256}` | `{window}` | TTL |
//!
//! Values that clients choose are hashed: they cannot forge a key, grow one past DynamoDB's limit, or stand as
//! personal data in a key.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::user::Unique;
use domain::{AddressId, EntryId, SegmentId, UserId};

/// The partition key's attribute.
pub(crate) const PK: &str = "PK";
/// The sort key's attribute.
pub(crate) const SK: &str = "SK";
/// Prefix of the sort keys of a user's addresses.
pub(crate) const ADDRESSES: &str = "A#";
/// Prefix of the sort keys of a user's history.
pub(crate) const ENTRIES: &str = "H#";
/// The sparse index of users with an unfinished change.
pub(crate) const PENDING_INDEX: &str = "pending";

/// The primary key of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

impl Key {
    fn new(pk: String, sk: impl Into<String>) -> Self {
        Self { pk, sk: sk.into() }
    }

    /// The key as DynamoDB takes it.
    pub(crate) fn attributes(&self) -> HashMap<String, AttributeValue> {
        HashMap::from([
            (PK.to_owned(), AttributeValue::S(self.pk.clone())),
            (SK.to_owned(), AttributeValue::S(self.sk.clone())),
        ])
    }
}

/// Within what a value is unique: a segment, or the deployment's master users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All master users.
    Masters,
    /// The users of one segment.
    Segment(SegmentId),
}

impl From<Option<SegmentId>> for Scope {
    fn from(segment: Option<SegmentId>) -> Self {
        segment.map_or(Self::Masters, Self::Segment)
    }
}

pub(crate) fn user(user: UserId) -> Key {
    Key::new(partition(user), "U")
}

/// The partition that holds a user and all that is its own.
pub(crate) fn partition(user: UserId) -> String {
    format!("U#{user}")
}

pub(crate) fn address(user: UserId, address: AddressId) -> Key {
    Key::new(partition(user), format!("{ADDRESSES}{address}"))
}

pub(crate) fn entry(user: UserId, entry: EntryId) -> Key {
    Key::new(partition(user), format!("{ENTRIES}{entry}"))
}

pub(crate) fn claim(scope: Scope, unique: &Unique) -> Key {
    let scope = match scope {
        Scope::Masters => "M".to_owned(),
        Scope::Segment(segment) => format!("S#{segment}"),
    };
    Key::new(format!("C#{scope}#{}#{}", unique.field, hash(&unique.value)), "C")
}

pub(crate) fn first() -> Key {
    Key::new("D".to_owned(), "FIRST")
}

pub(crate) fn secret() -> Key {
    Key::new("D".to_owned(), "SECRET")
}

pub(crate) fn one_time(secret: &str) -> Key {
    Key::new(format!("O#{}", hash(secret)), "O")
}

pub(crate) fn answer(name: &str) -> Key {
    Key::new(format!("I#{}", hash(name)), "I")
}

pub(crate) fn limit(subject: &str, window: u64) -> Key {
    Key::new(format!("R#{}", hash(subject)), window.to_string())
}

pub(crate) fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key that changes loses what was written under it: this test is the table's contract with itself.
    #[test]
    fn the_keys_are_these_to_the_letter() -> Result<(), domain::Error> {
        let id = "0199d2a4-5c00-7000-8000-000000000001";
        let spelled = |key: Key| format!("{} {}", key.pk, key.sk);
        let unique = Unique { field: "email", value: "ana@example.com".to_owned() };
        let hashed = "jkPKN3ASKOdJg-_b0M_1wWs7Hl1OKafAVibU0loBjhE";
        assert_eq!(hash(&unique.value), hashed);
        for (key, expected) in [
            (user(id.parse()?), format!("U#{id} U")),
            (address(id.parse()?, id.parse()?), format!("U#{id} A#{id}")),
            (entry(id.parse()?, id.parse()?), format!("U#{id} H#{id}")),
            (claim(Scope::Masters, &unique), format!("C#M#email#{hashed} C")),
            (claim(Scope::Segment(id.parse()?), &unique), format!("C#S#{id}#email#{hashed} C")),
            (first(), "D FIRST".to_owned()),
            (secret(), "D SECRET".to_owned()),
            (one_time("ana@example.com"), format!("O#{hashed} O")),
            (answer("ana@example.com"), format!("I#{hashed} I")),
            (limit("ana@example.com", 29_395_320), format!("R#{hashed} 29395320")),
        ] {
            assert_eq!(spelled(key), expected);
        }
        Ok(())
    }
}
