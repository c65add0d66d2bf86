//! Push notifications: what is sent to the devices of a segment's users, now or at a time to come.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::clock::Time;
use crate::error::{Error, FieldError};
use crate::field::{Body, Field, Object, Pointer, bookkeeping, count_schema, nullable, shown_schema, string_schema};
use crate::id::{NotificationId, SegmentId, UserId};
use crate::text::{Name, Text};
use crate::value::{List, OrDefault};
use crate::{body, words};

words! {
    /// How far a notification is.
    pub enum NotificationStatus {
        /// It waits for its time.
        Scheduled = "SCHEDULED",
        /// It is being sent, or soon will be.
        Sending = "SENDING",
        /// Each device has been tried.
        Sent = "SENT",
        /// It was cancelled before its time.
        Cancelled = "CANCELLED",
        /// It could not be sent to all, for the reason that it has.
        Failed = "FAILED",
    }
}

impl NotificationStatus {
    /// Whether anything is still to come.
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::Scheduled | Self::Sending => true,
            Self::Sent | Self::Cancelled | Self::Failed => false,
        }
    }
}

/// What an app gets beside the text that its user reads: strings by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PushData(BTreeMap<String, String>);

impl PushData {
    /// In bytes of JSON: with title and body, less than the 4 KiB that Apple and Google take.
    const MOST: usize = 1024;

    /// The strings by their names.
    #[must_use]
    pub fn entries(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

impl Field for PushData {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        let Value::Object(entries) = value else {
            errors.push(at.error("invalid_type", "must be a JSON object"));
            return None;
        };
        if Value::from(entries.clone()).to_string().len() > Self::MOST {
            errors.push(at.error("too_long", "must be at most 1024 bytes of JSON"));
            return None;
        }
        let mut read = BTreeMap::new();
        let before = errors.len();
        for (name, value) in entries {
            if name.is_empty() {
                errors.push(at.child(&name).error("invalid_key", "must have a name of at least 1 character"));
                continue;
            }
            // What would take the place of what Apple and Google write there themselves.
            if name == "aps" || name == "from" || name.starts_with("google") || name.starts_with("gcm") {
                errors.push(at.child(&name).error("invalid_key", "is a name that Apple or Google keeps for itself"));
            } else if let Value::String(text) = value {
                read.insert(name, text);
            } else {
                errors.push(at.child(&name).error("invalid_type", "must be a string"));
            }
        }
        (errors.len() == before).then_some(Self(read))
    }

    fn show(&self) -> Value {
        json!(self.0)
    }

    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String).into();
        ObjectBuilder::new()
            .additional_properties(Some(AdditionalProperties::RefOr(text)))
            .examples([json!({ "screen": "card" })])
            .into()
    }
}

body! {
    /// What is sent.
    #[derive(PartialEq, Eq, Serialize, Deserialize)]
    pub struct Message {
        /// The first line.
        pub title: Name,
        /// The text below it.
        pub body: Text,
        /// What the app gets beside it: strings by name, at most 1024 bytes of JSON.
        pub data: OrDefault<PushData>,
    }
    example { "title": "Hello", "body": "Your card is ready.", "data": { "screen": "card" } }
}

body! {
    /// A notification to be sent.
    pub struct NotificationFields {
        /// The first line.
        pub title: Name,
        /// The text below it.
        pub body: Text,
        /// What the app gets beside it: strings by name, at most 1024 bytes of JSON.
        pub data: OrDefault<PushData>,
        /// The users of the segment whose devices get it, at most 1000; all users where none is named.
        pub user_ids: OrDefault<List<UserId, 1000>>,
        /// When it is sent, at most a year from now; at once without it.
        pub schedule: Option<Time>,
    }
    example {
        "title": "Hello", "body": "Your card is ready.", "data": { "screen": "card" },
        "user_ids": ["0199d2a4-5c00-7000-8000-000000000002"], "schedule": null
    }
}

/// How far ahead a notification may be scheduled.
const FARTHEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

impl NotificationFields {
    /// Refuses a time that is past, or too far.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn check(&self, now: Time) -> Result<(), Error> {
        match self.schedule {
            Some(at) if at <= now => Err(Error::invalid("/schedule", "out_of_range", "must be in the future")),
            Some(at) if at > now.plus(FARTHEST) => {
                Err(Error::invalid("/schedule", "out_of_range", "must be within a year"))
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// What has come of a notification by now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivered {
    /// Devices that were tried.
    pub devices: u64,
    /// Of these, those that it was handed over for.
    pub sent: u64,
    /// Of these, those that it could not be handed over for.
    pub failed: u64,
}

/// A push notification.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Notification {
    /// Its id.
    pub id: NotificationId,
    /// The segment whose users get it.
    pub segment_id: SegmentId,
    /// What is sent.
    #[serde(flatten)]
    pub message: Message,
    /// How many users are named; nothing where it is for all.
    pub user_count: Option<u64>,
    /// When it is to be sent, if not at once.
    pub schedule: Option<Time>,
    /// How far it is.
    pub status: NotificationStatus,
    /// Why it failed: a sentence.
    pub reason: Option<String>,
    /// What has come of it.
    #[serde(flatten)]
    pub delivered: Delivered,
    /// When it was begun to be sent.
    pub started_at: Option<Time>,
    /// When it came to its end, whichever.
    pub finished_at: Option<Time>,
    /// How far it is, in the words of whoever sends; not shown.
    pub reached: Option<String>,
    /// Counts the changes; it is the `ETag`.
    pub version: u64,
    /// When it was made.
    pub created_at: Time,
    /// When it last got on.
    pub updated_at: Time,
}

impl Notification {
    /// A notification of which nothing has been sent, and the users that it is for.
    #[must_use]
    pub fn new(
        id: NotificationId,
        segment_id: SegmentId,
        fields: NotificationFields,
        now: Time,
    ) -> (Self, Vec<UserId>) {
        let users = fields.user_ids.0.0;
        let new = Self {
            id,
            segment_id,
            message: Message { title: fields.title, body: fields.body, data: fields.data },
            user_count: (!users.is_empty()).then_some(users.len() as u64),
            schedule: fields.schedule,
            status: if fields.schedule.is_some() { NotificationStatus::Scheduled } else { NotificationStatus::Sending },
            reason: None,
            delivered: Delivered::default(),
            started_at: None,
            finished_at: None,
            reached: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        (new, users)
    }

    /// From when on it is to be sent.
    #[must_use]
    pub fn due(&self) -> Time {
        self.schedule.unwrap_or(self.created_at)
    }

    /// The notification once whoever sends has it.
    #[must_use]
    pub fn taken(&self, now: Time) -> Self {
        let started_at = self.started_at.or(Some(now));
        Self { status: NotificationStatus::Sending, started_at, ..self.next(now) }
    }

    /// The notification once some more devices have been tried; `more` is what came of these.
    #[must_use]
    pub fn got_on(&self, reached: String, more: Delivered, now: Time) -> Self {
        let had = self.delivered;
        let delivered = Delivered {
            devices: had.devices + more.devices,
            sent: had.sent + more.sent,
            failed: had.failed + more.failed,
        };
        Self { reached: Some(reached), delivered, ..self.next(now) }
    }

    /// The notification at its end; `reason` is a sentence.
    #[must_use]
    pub fn ended(&self, status: NotificationStatus, reason: Option<&str>, now: Time) -> Self {
        let reason = reason.map(str::to_owned);
        Self { status, reason, finished_at: Some(now), reached: None, ..self.next(now) }
    }

    fn next(&self, now: Time) -> Self {
        Self { version: self.version + 1, updated_at: now, ..self.clone() }
    }
}

impl Object for Notification {
    fn version(&self) -> u64 {
        self.version
    }

    fn show(&self) -> Value {
        let mut shown = Map::from_iter([
            ("id".to_owned(), self.id.show()),
            ("segment_id".to_owned(), self.segment_id.show()),
            ("status".to_owned(), self.status.show()),
            ("reason".to_owned(), self.reason.clone().into()),
            ("user_count".to_owned(), self.user_count.into()),
            ("schedule".to_owned(), self.schedule.show()),
            ("started_at".to_owned(), self.started_at.show()),
            ("finished_at".to_owned(), self.finished_at.show()),
            ("devices".to_owned(), self.delivered.devices.into()),
            ("sent".to_owned(), self.delivered.sent.into()),
            ("failed".to_owned(), self.delivered.failed.into()),
        ]);
        shown.extend(self.message.show());
        shown.extend(bookkeeping(self.version, self.created_at, self.updated_at));
        Value::Object(shown)
    }
}

impl PartialSchema for Notification {
    fn schema() -> RefOr<Schema> {
        let time = <Option<Time>>::response_schema;
        let before = vec![
            ("id", "The notification's id.", NotificationId::response_schema()),
            ("segment_id", "The segment whose users get it.", SegmentId::response_schema()),
            ("status", "Progress of the notification.", NotificationStatus::response_schema()),
            ("reason", "Reason of a failure: a sentence.", nullable(string_schema())),
            ("user_count", "Number of named users; null if it is for all users.", nullable(count_schema())),
            ("schedule", "Time at which it is sent; null if it is sent immediately.", time()),
            ("started_at", "Time at which sending began.", time()),
            ("finished_at", "Time of the end, of whatever kind.", time()),
            ("devices", "Number of devices tried.", count_schema()),
            ("sent", "Number of devices that it was handed over for.", count_schema()),
            ("failed", "Number of devices that it could not be handed over for.", count_schema()),
        ];
        shown_schema::<Message>("A push notification.", example(), before)
    }
}

impl ToSchema for Notification {}

/// A notification for the examples of the OpenAPI document.
#[must_use]
pub fn example() -> Value {
    let mut example = json!({
        "id": "0199d2a4-5c00-7000-8000-00000000b001", "segment_id": "0199d2a4-5c00-7000-8000-0000000005e6",
        "status": "SENT", "reason": null, "user_count": 1, "schedule": null, "started_at": "2026-11-21T10:00:01.000Z",
        "finished_at": "2026-11-21T10:00:02.000Z", "devices": 2, "sent": 2, "failed": 0,
        "version": 3, "created_at": "2026-11-21T10:00:00.000Z", "updated_at": "2026-11-21T10:00:02.000Z"
    });
    if let (Some(object), Value::Object(fields)) = (example.as_object_mut(), Message::example()) {
        object.extend(fields);
    }
    example
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(fields: Value) -> Result<(Notification, Vec<UserId>), Error> {
        let fields = NotificationFields::parse(fields)?;
        Ok(Notification::new(NotificationId::fresh(), SegmentId::fresh(), fields, Time::now()))
    }

    #[test]
    fn a_notification_shows_what_its_example_has() -> Result<(), Error> {
        let (new, users) = new(NotificationFields::example())?;
        assert_eq!((users.len(), new.user_count, new.status), (1, Some(1), NotificationStatus::Sending));
        let names = |value: &Value| {
            value.as_object().into_iter().flat_map(Map::keys).cloned().collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(names(&new.show()), names(&example()));
        let RefOr::T(Schema::Object(schema)) = Notification::schema() else { panic!("no object") };
        assert_eq!(names(&new.show()), schema.properties.keys().cloned().collect());
        Ok(())
    }

    #[test]
    fn a_schedule_is_in_the_future_and_within_a_year() -> Result<(), Error> {
        let now = Time::now();
        let day = Duration::from_secs(24 * 60 * 60);
        for (at, good) in
            [(now, false), (now.plus(day), true), (now.plus(day * 366), true), (now.plus(day * 367), false)]
        {
            let fields = json!({ "title": "a", "body": "b", "schedule": at });
            assert_eq!(NotificationFields::parse(fields)?.check(now).is_ok(), good, "{at}");
        }
        Ok(())
    }

    #[test]
    fn data_are_strings_under_names_of_ones_own() {
        let read = |data: Value| {
            let body = json!({ "title": "a", "body": "b", "data": data });
            match NotificationFields::parse(body) {
                Ok(_) => None,
                Err(Error::Invalid(errors)) => Some((errors[0].pointer.clone(), errors[0].code)),
                Err(_) => None,
            }
        };
        assert_eq!(read(json!({ "a": "b", "c": "" })), None);
        assert_eq!(read(json!({ "": "b" })), Some(("/data/".to_owned(), "invalid_key")));
        assert_eq!(read(Value::Null), None);
        assert_eq!(read(json!({ "a": 1 })), Some(("/data/a".to_owned(), "invalid_type")));
        assert_eq!(read(json!({ "aps": "x" })), Some(("/data/aps".to_owned(), "invalid_key")));
        assert_eq!(read(json!({ "a": "x".repeat(1024) })), Some(("/data".to_owned(), "too_long")));
    }
}
