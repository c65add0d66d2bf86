//! What is told when something of a segment has changed: that it has, which fields, and by whom. Never the values, so
//! that an event holds nothing of a person, and a purge stays complete.

mod kind;
mod told;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

pub use self::kind::{EventType, Thing, What};
pub use self::told::Told;
use crate::clock::Time;
use crate::field::Object;
use crate::history::{Act, Action, Actor, Entry};
use crate::id::{EventId, MembershipId, SegmentId, UserId};
use crate::{Member, User, words};

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
            Action::Verified | Action::Updated | Action::LoginCreated | Action::EmailsRecorded => What::Updated,
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

impl Event {
    /// The event as `CloudEvents` 1.0 has it, in its structured mode: the body of what is sent.
    #[must_use]
    pub fn cloud_event(&self) -> Value {
        json!({
            "specversion": "1.0",
            "id": self.id,
            "source": format!("/v1/segments/{}", self.segment_id),
            "type": self.kind,
            "subject": self.subject(),
            "time": self.created_at,
            "datacontenttype": "application/json",
            "data": {
                "segment_id": self.segment_id,
                "subject_id": self.subject_id,
                "membership_id": self.membership_id,
                "user_id": self.user_id,
                "version": self.version,
                "changed": self.changed,
                "actor": self.actor,
                "request_id": self.request_id,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Body as _;
    use crate::id::CatalogId;
    use crate::{Catalog, CatalogFields};

    fn act() -> Act<'static> {
        Act::of(Actor::System, "test")
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
    fn a_cloud_event_has_what_the_specification_asks_for() {
        let about = About::new(Thing::User, SegmentId::fresh(), Uuid::nil());
        let event = Event::of(about, What::Created, (None, None), act()).unwrap();
        let shown = event.cloud_event();
        for (attribute, value) in [
            ("specversion", "1.0".to_owned()),
            ("id", event.id.to_string()),
            ("source", format!("/v1/segments/{}", event.segment_id)),
            ("type", "muster.user.created".to_owned()),
            ("subject", format!("users/{}", event.subject_id)),
            ("datacontenttype", "application/json".to_owned()),
        ] {
            assert_eq!(shown[attribute], value, "{attribute}");
        }
    }
}
