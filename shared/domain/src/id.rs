//! Ids: `UUIDv7`, one newtype a kind, so that a user's id cannot be passed for an address's.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use crate::error::{Error, FieldError};
use crate::field::{Field, Pointer};

/// Returns each id that stands in a text, in the form in which ids are shown.
#[must_use]
pub fn ids_in(text: &str) -> BTreeSet<Uuid> {
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b'-';
    let runs = text.as_bytes().split(|byte| !is_part(byte)).filter(|run| run.len() >= 36);
    runs.flat_map(|run| run.windows(36)).filter_map(|window| Uuid::try_parse_ascii(window).ok()).collect()
}

/// A fresh `UUIDv7`: sorts by the time it was made.
#[expect(clippy::disallowed_methods, reason = "the one place that makes ids")]
#[must_use]
pub fn fresh() -> Uuid {
    Uuid::now_v7()
}

macro_rules! id {
    ($(#[doc = $doc:literal])* $name:ident) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Uuid);

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(text: String) -> Result<Self, Error> {
                text.parse()
            }
        }

        impl $name {
            /// An id that nothing has yet.
            #[must_use]
            pub fn fresh() -> Self {
                Self(fresh())
            }

            /// The id's bits.
            #[must_use]
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(out)
            }
        }

        /// Only the hyphenated form is an id; anything else cannot name a thing that exists.
        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                match Uuid::try_parse(text) {
                    Ok(uuid) if text.len() == 36 => Ok(Self(uuid)),
                    Ok(_) | Err(_) => Err(Error::NotFound),
                }
            }
        }

        impl Field for $name {
            fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
                let id = value.as_str().and_then(|text| text.parse().ok());
                if id.is_none() {
                    errors.push(at.error("invalid_id", "must be an id, as it was given"));
                }
                id
            }

            fn show(&self) -> Value {
                self.to_string().into()
            }

            fn schema() -> RefOr<Schema> {
                <Self as PartialSchema>::schema()
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .format(Some(SchemaFormat::Custom("uuid".to_owned())))
                    .into()
            }
        }

        impl ToSchema for $name {}
    };
}

id!(
    /// A user, master or of a segment.
    UserId
);
id!(
    /// One address of a user.
    AddressId
);
id!(
    /// A logical database of users.
    SegmentId
);
id!(
    /// One row of a user's history.
    EntryId
);
id!(
    /// A membership configuration of a segment.
    MembershipId
);
id!(
    /// A level of a membership.
    LevelId
);
id!(
    /// A custom field of a membership.
    FieldId
);
id!(
    /// A list of choices that custom fields share.
    CatalogId
);
id!(
    /// A member of a membership.
    MemberId
);
id!(
    /// A private file.
    UploadId
);
id!(
    /// A status that a segment has made up for its users.
    StatusId
);
id!(
    /// A business that users of a segment belong to.
    PartnerId
);
id!(
    /// What a segment offers to subscribe to.
    ProductId
);
id!(
    /// A key of a segment or an account.
    KeyId
);
id!(
    /// The author of programs that call `/platform`.
    DeveloperId
);
id!(
    /// An import of users.
    ImportId
);
id!(
    /// A device that push notifications reach a user on.
    DeviceId
);
id!(
    /// A push notification.
    NotificationId
);
id!(
    /// An export of users.
    ExportId
);
id!(
    /// A change that is told.
    EventId
);
id!(
    /// A row of the audit.
    AuditId
);
id!(
    /// A session of a user.
    SessionId
);
id!(
    /// Where a segment's events are sent.
    WebhookId
);
