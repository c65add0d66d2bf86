//! What is told when something of a segment has changed: that it has, which fields, and by whom. Never the values, so
//! that an event holds nothing of a person, and a purge stays complete.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use crate::clock::Time;
use crate::field::Object;
use crate::history::{Act, Action, Actor, Entry};
use crate::id::{EventId, MembershipId, SegmentId, UserId};
use crate::words;
use crate::{
    Address, Catalog, CustomField, CustomStatus, Device, Level, Member, Membership, Notification, Partner, Product,
    Segment, Subscription, Upload, User,
};

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
        ObjectBuilder::new().schema_type(Type::String).examples([json!("muster.user.created")]).into()
    }
}

impl ToSchema for EventType {}

/// The thing that an event is about, by its ids.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// What it is.
    pub thing: Thing,
    /// The segment that it is in.
    pub segment_id: SegmentId,
    /// Its id.
    pub id: Uuid,
    /// The membership that it is of.
    pub membership_id: Option<MembershipId>,
    /// The user that it is of.
    pub user_id: Option<UserId>,
}

impl About {
    /// A thing of a segment.
    #[must_use]
    pub fn new(thing: Thing, segment_id: SegmentId, id: Uuid) -> Self {
        Self { thing, segment_id, id, membership_id: None, user_id: None }
    }

    /// The same, of a membership.
    #[must_use]
    pub fn of_membership(self, id: MembershipId) -> Self {
        Self { membership_id: Some(id), ..self }
    }

    /// The same, of a user if there is one.
    #[must_use]
    pub fn of_user(self, id: Option<UserId>) -> Self {
        Self { user_id: id, ..self }
    }
}

/// A change, told to those who want to know.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Its id; ids sort by time. It is the same each time that the event is delivered.
    pub id: EventId,
    /// Its type: what has happened to what.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// The segment.
    pub segment_id: SegmentId,
    /// The id of what has changed.
    #[schema(value_type = String)]
    pub subject_id: Uuid,
    /// The membership that it is of, if it is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub membership_id: Option<MembershipId>,
    /// The user that it is of, if it is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The version that it has since the change. What is gone counts one more, so that its end is the last.
    pub version: u64,
    /// The names of the fields that changed; never what they are.
    pub changed: Vec<String>,
    /// Who did it.
    pub actor: Actor,
    /// The request that did it, as in `X-Request-Id`.
    pub request_id: String,
    /// When.
    pub created_at: Time,
    /// Whether a webhook has not taken it, however often it was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryOutcome>,
}

words! {
    /// What came of sending an event.
    pub enum DeliveryOutcome {
        /// A webhook has not taken it.
        Failed = "failed",
    }
}

impl Event {
    /// What turned `old` into `new`; nothing where nobody is to be told.
    #[must_use]
    pub fn of(about: About, what: What, change: Change<'_>, act: Act<'_>) -> Option<Self> {
        if act.silent {
            return None;
        }
        let (old, new) = change;
        let version = new.map(Object::version).or(old.map(|old| old.version() + 1)).unwrap_or_default();
        Some(Self::new(about, what, (version, changed(old, new)), (act.actor, act.request_id, Time::now())))
    }

    /// What a history entry of a user tells; nothing of a master user, and where nobody is to be told.
    #[must_use]
    pub fn of_user(user: &User, entry: &Entry) -> Option<Self> {
        let segment = user.segment_id.filter(|_| !entry.silent)?;
        let mut changed: Vec<_> = entry.changes.iter().map(|change| change.field.clone()).collect();
        let what = match entry.action {
            Action::Created => What::Created,
            Action::Blocked => What::Blocked,
            Action::Unblocked => What::Unblocked,
            Action::Deleted => What::Deleted,
            Action::Restored => What::Restored,
            Action::PasswordChanged | Action::PasswordChangeInterrupted => {
                changed.push("password".to_owned());
                What::Updated
            }
            Action::Verified | Action::Updated | Action::EmailsRecorded => What::Updated,
        };
        let about = About::new(Thing::User, segment, user.id.uuid());
        Some(Self::new(about, what, (user.version, changed), (entry.actor, &entry.request_id, entry.at)))
    }

    /// A change of a member that gives it points or takes some: told as that, unless more has changed.
    #[must_use]
    pub fn of_points(old: &Member, new: &Member, act: Act<'_>) -> Option<Self> {
        let told = Self::of(new.about(), What::PointsChanged, (Some(old), Some(new)), act)?;
        let alone = told.changed.iter().all(|field| matches!(field.as_str(), "points" | "level_id"));
        let kind = if alone { told.kind } else { EventType { what: What::Updated, ..told.kind } };
        Some(Self { kind, ..told })
    }

    /// The end of a user who is erased; nothing of a master user, and where nobody is to be told.
    #[must_use]
    pub fn purge_of(user: &User, act: Act<'_>) -> Option<Self> {
        let segment = user.segment_id?;
        Self::of(About::new(Thing::User, segment, user.id.uuid()), What::Purged, (Some(user), None), act)
    }

    fn new(
        about: About,
        what: What,
        (version, changed): (u64, Vec<String>),
        (actor, request_id, created_at): (Actor, &str, Time),
    ) -> Self {
        Self {
            id: EventId::fresh(),
            kind: EventType { thing: about.thing, what },
            segment_id: about.segment_id,
            subject_id: about.id,
            membership_id: about.membership_id,
            user_id: about.user_id,
            version,
            changed,
            actor,
            request_id: request_id.to_owned(),
            created_at,
            delivery: None,
        }
    }

    /// The path of what the event is about, under its segment: `users/0199…`.
    #[must_use]
    pub fn subject(&self) -> String {
        let things = match self.kind.thing {
            Thing::User => "users",
            Thing::Address => "addresses",
            Thing::Segment => "segments",
            Thing::Catalog => "catalogs",
            Thing::Status => "statuses",
            Thing::Partner => "partners",
            Thing::Product => "products",
            Thing::Membership => "memberships",
            Thing::Level => "levels",
            Thing::Field => "fields",
            Thing::Member => "members",
            Thing::Subscription => "subscriptions",
            Thing::Upload => "uploads",
            Thing::Device => "devices",
            Thing::Notification => "notifications",
        };
        format!("{things}/{}", self.subject_id)
    }
}

impl Object for Event {
    /// An event never changes.
    fn version(&self) -> u64 {
        1
    }

    fn show(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// A thing as it was, and as it is.
pub type Change<'a> = (Option<&'a dyn Object>, Option<&'a dyn Object>);

/// The names of the fields that differ, of answers with their keys; nothing where the thing is gone.
fn changed(old: Option<&dyn Object>, new: Option<&dyn Object>) -> Vec<String> {
    let fields = |object: Option<&dyn Object>| match object.map(Object::show) {
        Some(Value::Object(shown)) => flat(shown),
        Some(_) | None => Map::new(),
    };
    let Some(new) = new else { return Vec::new() };
    let (old, new) = (fields(old), fields(Some(new)));
    let gone = old.keys().filter(|field| !new.contains_key(*field));
    let differ = new.iter().filter(|(field, value)| old.get(*field).unwrap_or(&Value::Null) != *value);
    let bookkeeping = ["id", "version", "created_at", "updated_at"];
    let named = differ.map(|(field, _)| field).chain(gone).filter(|field| !bookkeeping.contains(&field.as_str()));
    named.cloned().collect()
}

/// The fields of an object, each answer a field of its own.
fn flat(mut shown: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::Object(answers)) = shown.remove("answers") {
        shown.extend(answers.into_iter().map(|(key, answer)| (format!("answers.{key}"), answer)));
    }
    shown
}

impl Address {
    /// The address as an event tells of it, as one of a user of a segment.
    #[must_use]
    pub fn about_in(&self, segment: SegmentId) -> About {
        About::new(Thing::Address, segment, self.id.uuid()).of_user(Some(self.user_id))
    }
}

impl Device {
    /// The device as an event tells of it, as one of a user of a segment.
    #[must_use]
    pub fn about_in(&self, segment: SegmentId) -> About {
        About::new(Thing::Device, segment, self.id.uuid()).of_user(Some(self.user_id))
    }
}

impl Level {
    /// The level as an event tells of it, as one of a membership of a segment.
    #[must_use]
    pub fn about_in(&self, segment: SegmentId) -> About {
        About::new(Thing::Level, segment, self.id.uuid()).of_membership(self.membership_id)
    }
}

impl CustomField {
    /// The field as an event tells of it, as one of a membership of a segment.
    #[must_use]
    pub fn about_in(&self, segment: SegmentId) -> About {
        About::new(Thing::Field, segment, self.id.uuid()).of_membership(self.membership_id)
    }
}

/// What is in a segment, and knows in which.
pub trait Told: Object {
    /// It, as an event tells of it.
    fn about(&self) -> About;
}

macro_rules! told {
    ($($name:ident as $thing:ident),*) => { $(
        impl Told for $name {
            fn about(&self) -> About {
                About::new(Thing::$thing, self.segment_id, self.id.uuid())
            }
        }
    )* };
}

told!(
    Catalog as Catalog,
    CustomStatus as Status,
    Partner as Partner,
    Product as Product,
    Membership as Membership,
    Notification as Notification
);

impl Told for Segment {
    fn about(&self) -> About {
        About::new(Thing::Segment, self.id, self.id.uuid())
    }
}

impl Told for Member {
    fn about(&self) -> About {
        let about = About::new(Thing::Member, self.segment_id, self.id.uuid());
        about.of_membership(self.membership_id).of_user(self.fields.user_id)
    }
}

impl Told for Subscription {
    fn about(&self) -> About {
        let about = About::new(Thing::Subscription, self.segment_id, self.id.uuid());
        about.of_membership(self.membership_id).of_user(Some(self.fields.user_id))
    }
}

impl Told for Upload {
    fn about(&self) -> About {
        About::new(Thing::Upload, self.fields.segment_id, self.id.uuid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Body as _;
    use crate::id::{AddressId, CatalogId};
    use crate::{Act, AddressFields, CatalogFields};

    fn act() -> Act<'static> {
        Act::of(Actor::System, "test")
    }

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

    #[test]
    fn an_event_names_what_changed_and_never_what_it_is() {
        let fields = |body| CatalogFields::parse(body).unwrap();
        let (id, segment) = (CatalogId::fresh(), SegmentId::fresh());
        let old = Catalog::new(id, segment, fields(json!({ "name": "Ana", "options": [] })), Time::now());
        let new = old.replaced(fields(json!({ "name": "Berta", "options": [] })), Time::now());
        let event = Event::of(new.about(), What::Updated, (Some(&old), Some(&new)), act()).unwrap();
        assert_eq!((event.version, event.changed.as_slice()), (2, ["name".to_owned()].as_slice()));
        let shown = event.show().to_string();
        assert!(!shown.contains("Ana") && !shown.contains("Berta"), "{shown}");
        let gone = Event::of(old.about(), What::Deleted, (Some(&new), None), act()).unwrap();
        assert_eq!((gone.version, gone.changed.len()), (3, 0));
        assert!(Event::of(old.about(), What::Deleted, (Some(&new), None), Act { silent: true, ..act() }).is_none());
        let kept: Event = serde_json::from_value(event.show()).unwrap();
        assert_eq!(kept.show(), event.show());
    }

    #[test]
    fn an_address_is_told_with_its_user() {
        let fields = AddressFields::parse(json!({ "street": "Reforma" })).unwrap();
        let (user, segment) = (UserId::fresh(), SegmentId::fresh());
        let address = Address::new(AddressId::fresh(), user, fields, Time::now());
        let event = Event::of(address.about_in(segment), What::Created, (None, Some(&address)), act()).unwrap();
        assert_eq!((event.user_id, event.segment_id), (Some(user), segment));
        assert!(event.changed.contains(&"street".to_owned()), "{:?}", event.changed);
        assert_eq!(event.subject(), format!("addresses/{}", address.id));
    }
}
