//! What an event is about, what has happened to it, and the type that says both.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

macro_rules! named {
    ($(#[doc = $doc:literal])* pub enum $name:ident { $( $(#[doc = $of:literal])* $one:ident = $text:literal, )* }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $( $(#[doc = $of])* $one, )* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$( Self::$one ),*];

            fn as_str(self) -> &'static str {
                match self { $( Self::$one => $text, )* }
            }

            fn parse(text: &str) -> Option<Self> {
                match text { $( $text => Some(Self::$one), )* _ => None }
            }
        }
    };
}

named! {
    /// What an event is about.
    pub enum Thing {
        /// A user of the segment.
        User = "user",
        /// An address of one of its users.
        Address = "address",
        /// The segment itself.
        Segment = "segment",
        /// A list of choices.
        Catalog = "catalog",
        /// A status of its users.
        Status = "status",
        /// A partner.
        Partner = "partner",
        /// A product.
        Product = "product",
        /// A membership.
        Membership = "membership",
        /// A level of a membership.
        Level = "level",
        /// A custom field of a membership.
        Field = "field",
        /// A member of a membership.
        Member = "member",
        /// A member who came from a product, as a subscription.
        Subscription = "subscription",
        /// A file.
        Upload = "upload",
        /// A device of one of its users.
        Device = "device",
        /// A push notification.
        Notification = "notification",
    }
}

named! {
    /// What has happened to it.
    pub enum What {
        /// It came to be.
        Created = "created",
        /// Fields of it changed.
        Updated = "updated",
        /// It is gone; a user can be restored.
        Deleted = "deleted",
        /// The user was shut out.
        Blocked = "blocked",
        /// The user was let in again.
        Unblocked = "unblocked",
        /// The user was restored.
        Restored = "restored",
        /// The user was erased.
        Purged = "purged",
        /// The member got points, or lost some.
        PointsChanged = "points_changed",
        /// The file has arrived, and is what it was said to be.
        Available = "available",
        /// The file has arrived, and is not.
        Rejected = "rejected",
    }
}

/// The type of an event, `muster.user.created`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventType {
    /// What it is about.
    pub thing: Thing,
    /// What has happened.
    pub what: What,
}

impl EventType {
    /// How each type begins.
    pub const PREFIX: &str = "muster.";

    /// The type of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (thing, what) = text.strip_prefix(Self::PREFIX)?.split_once('.')?;
        let kind = Self { thing: Thing::parse(thing)?, what: What::parse(what)? };
        kind.thing.may().contains(&kind.what).then_some(kind)
    }

    /// All types.
    pub fn all() -> impl Iterator<Item = Self> {
        Thing::ALL.iter().flat_map(|thing| thing.may().iter().map(|what| Self { thing: *thing, what: *what }))
    }
}

impl Thing {
    /// What can happen to it.
    fn may(self) -> &'static [What] {
        use What::{
            Available, Blocked, Created, Deleted, PointsChanged, Purged, Rejected, Restored, Unblocked, Updated,
        };
        match self {
            Self::User => &[Created, Updated, Blocked, Unblocked, Deleted, Restored, Purged],
            Self::Member => &[Created, Updated, PointsChanged, Deleted],
            Self::Segment => &[Updated, Deleted],
            Self::Upload => &[Available, Rejected],
            Self::Address
            | Self::Catalog
            | Self::Status
            | Self::Partner
            | Self::Product
            | Self::Membership
            | Self::Level
            | Self::Field
            | Self::Subscription
            | Self::Device
            | Self::Notification => &[Created, Updated, Deleted],
        }
    }
}

impl std::fmt::Display for EventType {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}{}.{}", Self::PREFIX, self.thing.as_str(), self.what.as_str())
    }
}

impl From<EventType> for String {
    fn from(kind: EventType) -> Self {
        kind.to_string()
    }
}

impl TryFrom<String> for EventType {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not a type of events")
    }
}

impl PartialSchema for EventType {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("The type of an event: `muster.`, the thing, `.` and what happened to it."))
            .examples([json!("muster.user.created")])
            .into()
    }
}

impl ToSchema for EventType {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_read_as_it_is_written_and_no_other() {
        for text in ["muster.user.created", "muster.member.points_changed", "muster.upload.rejected"] {
            assert_eq!(EventType::parse(text).map(|kind| kind.to_string()).as_deref(), Some(text));
        }
        for text in [
            "user.created",
            "muster.user",
            "muster.user.eaten",
            "muster.catalog.blocked",
            "muster.person.created",
            "muster.user.created.",
        ] {
            assert!(EventType::parse(text).is_none(), "{text}");
        }
    }
}
