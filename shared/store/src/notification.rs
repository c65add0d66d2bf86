//! Push notifications. They live in their segment's partition, and stand in the index `pending` until their end, at the
//! time from which on whoever sends may take them: when they are due or, once somebody has one, when that one must be dead.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Act, Error, Notification, NotificationId, NotificationStatus, SegmentId, Time, UserId};
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::keys::{self, NOTIFICATIONS, PENDING_INDEX, PK, SK};
use crate::search::{Index, Indexed, Kind, Schema, Searched, Value, ValueType};
use crate::table::{Changes, Item, Query, Write, from_item, number, string, to_item};

impl Indexed for Notification {
    fn index(&self) -> Index {
        Index::new(self.id.uuid()).found("status", &Value::word(self.status.as_str()))
    }
}

impl Searched for Notification {
    fn schema() -> Schema {
        Schema::default().with("status", Kind::Found, ValueType::Word)
    }
}

/// How notifications are told in the index `pending`.
const NOTIFICATION: &str = "notification";

/// Whom a notification is for.
#[derive(Debug, Serialize, Deserialize)]
struct Recipients {
    user_ids: Vec<UserId>,
}

impl Store {
    /// How long whoever sends a notification has it, from each page on: longer than a page takes where each call waits as
    /// long as it may.
    pub const SENDING_LEASE: Duration = Duration::from_secs(120);

    /// A notification: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn notification(&self, segment: SegmentId, id: NotificationId) -> Result<Notification, Error> {
        self.table.get(&keys::notification(segment, id)).await?.ok_or(Error::NotFound).and_then(from_item)
    }

    /// The notifications of a segment, oldest first: 1 `Query` for each megabyte.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn notifications(&self, segment: SegmentId) -> Result<Vec<Notification>, Error> {
        self.table.all(&Query::under(keys::segment(segment).pk, NOTIFICATIONS)).await
    }

    /// Whom a notification is for, where it is not for all: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn recipients(&self, notification: &Notification) -> Result<Vec<UserId>, Error> {
        let key = keys::recipients(notification.segment_id, notification.id);
        let found = self.table.get(&key).await?.map(from_item::<Recipients>).transpose()?;
        Ok(found.map(|found| found.user_ids).unwrap_or_default())
    }

    /// Takes a user out of those whom the notifications of a segment are for: 1 `Query` for each megabyte, 1 `UpdateItem` for
    /// each that names it.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn forget_recipient(&self, segment: SegmentId, user: UserId) -> Result<(), Error> {
        let query = Query::under(keys::segment(segment).pk, keys::RECIPIENTS);
        for item in self.table.all_items(&query).await? {
            let Some(id) = item.get(SK).and_then(|sk| sk.as_s().ok()?.strip_prefix(keys::RECIPIENTS)?.parse().ok())
            else {
                continue;
            };
            let Recipients { user_ids } = from_item(item)?;
            if !user_ids.contains(&user) {
                continue;
            }
            let others = user_ids.iter().filter(|other| **other != user).map(string).collect();
            let changes = Changes::default().set("user_ids", AttributeValue::L(others));
            self.table.update(&keys::recipients(segment, id), "attribute_exists(PK)", changes).await?;
        }
        Ok(())
    }

    /// Writes a new notification, if its segment is there; without `users` it is for all of them. 1 transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the id is there already; [`Error::NotFound`] where the segment is gone.
    pub async fn create_notification(&self, new: &Notification, users: Vec<UserId>, act: Act<'_>) -> Result<(), Error> {
        let mut item = to_item(new)?;
        item.insert("pending".to_owned(), string(NOTIFICATION));
        item.insert("pending_at".to_owned(), string(new.due()));
        let exists = Error::conflict("/id", "exists", "is the id of one that is there already");
        let mut writes = vec![
            Write::create(&self.table, &keys::notification(new.segment_id, new.id), item).on_condition_failed(exists),
            self.in_segment(new.segment_id),
        ];
        writes.extend(self.tells(None, Some(new), act)?);
        if !users.is_empty() {
            let item = to_item(&Recipients { user_ids: users })?;
            writes.push(Write::create(&self.table, &keys::recipients(new.segment_id, new.id), item));
        }
        self.table.transact(writes).await
    }

    /// Writes `new` over `old`; somebody else may take it from `free` on, if it is not over. An event tells of another
    /// status, not of each page. 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read.
    pub async fn change_notification(
        &self,
        old: &Notification,
        new: &Notification,
        free: Time,
        act: Act<'_>,
    ) -> Result<(), Error> {
        let changes = Changes::between(&to_item(old)?, &to_item(new)?).value(":version", number(old.version));
        let open = new.status.is_open();
        // Nobody needs to find what is over, nor whom it was for.
        let changes = match open {
            true => changes.set("pending_at", string(free)),
            false => changes.remove("pending").remove("pending_at"),
        };
        let key = keys::notification(new.segment_id, new.id);
        let write = Write::update(&self.table, &key, "version = :version", changes);
        let mut writes = vec![write.on_condition_failed(Error::Stale)];
        if !open && new.user_count.is_some() {
            writes.push(Write::delete_item(&self.table, keys::recipients(new.segment_id, new.id).attributes()));
        }
        if old.status != new.status {
            writes.extend(self.tells(Some(old), Some(new), act)?);
        }
        self.table.transact(writes).await
    }

    /// Takes a notification that is due and that nobody is sending, for [`Store::SENDING_LEASE`]. 1 `GetItem`, 1 transaction.
    ///
    /// # Errors
    /// [`Error::NotFound`] where it is gone; [`Error::Stale`] where somebody else has just taken it.
    pub async fn take_notification(
        &self,
        segment: SegmentId,
        id: NotificationId,
        act: Act<'_>,
    ) -> Result<Taken, Error> {
        let item = self.table.get(&keys::notification(segment, id)).await?.ok_or(Error::NotFound)?;
        let free: Option<Free> = item.contains_key("pending_at").then(|| from_item(item.clone())).transpose()?;
        let found: Notification = from_item(item)?;
        let now = Time::now();
        match free {
            Some(free) if found.status.is_open() && free.pending_at <= now => {
                let taken = found.taken(now);
                self.change_notification(&found, &taken, now.plus(Self::SENDING_LEASE), act).await?;
                Ok(Taken::Mine(Box::new(taken)))
            }
            Some(free) if found.status == NotificationStatus::Scheduled => Ok(Taken::Later(free.pending_at)),
            Some(_) if found.status == NotificationStatus::Sending => Ok(Taken::Others),
            Some(_) | None => Ok(Taken::Over),
        }
    }

    /// Forgets a notification that is over: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read.
    pub async fn delete_notification(&self, notification: &Notification, act: Act<'_>) -> Result<(), Error> {
        let key = keys::notification(notification.segment_id, notification.id);
        let mut writes = vec![self.removed(&key, notification.version)];
        writes.extend(self.tells(Some(notification), None, act)?);
        self.table.transact(writes).await
    }

    /// Notifications that are due and that nobody is sending, those that have waited longest first: 1 `Query`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn due_notifications(&self) -> Result<Vec<(SegmentId, NotificationId)>, Error> {
        let values = [(":kind", string(NOTIFICATION)), (":now", string(Time::now()))];
        let query = Query {
            index: Some(PENDING_INDEX),
            condition: "pending = :kind AND pending_at <= :now",
            values: values.map(|(name, value)| (name.to_owned(), value)).into(),
            ..Query::default()
        };
        let read = self.table.query(&query, Some(100), None).await?;
        let keys = |item: &Item| notification_of(item.get(PK)?.as_s().ok()?, item.get(SK)?.as_s().ok()?);
        Ok(read.items.iter().filter_map(keys).collect())
    }
}

/// What came of taking a notification.
#[derive(Debug, Clone)]
pub enum Taken {
    /// It is whoever took it who sends it.
    Mine(Box<Notification>),
    /// Its time has not come.
    Later(Time),
    /// Somebody else is sending it.
    Others,
    /// Nothing is to be sent any more.
    Over,
}

/// From when on a notification may be taken.
#[derive(Deserialize)]
struct Free {
    pending_at: Time,
}

/// The segment and the id of a notification, by the key of its item.
#[must_use]
pub fn notification_of(pk: &str, sk: &str) -> Option<(SegmentId, NotificationId)> {
    Some((pk.strip_prefix("S#")?.parse().ok()?, sk.strip_prefix(NOTIFICATIONS)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use domain::NotificationFields;
    use domain::field::{Body as _, Object as _};
    use domain::notification::Delivered;

    use super::*;

    #[test]
    fn a_notification_is_read_back_as_it_was_written() -> Result<(), Error> {
        let fields = NotificationFields::parse(NotificationFields::example())?;
        let (new, _) = Notification::new(NotificationId::fresh(), SegmentId::fresh(), fields, Time::now());
        let got_on =
            new.taken(Time::now()).got_on("7".to_owned(), Delivered { devices: 3, sent: 2, failed: 1 }, Time::now());
        for notification in [new, got_on.ended(NotificationStatus::Failed, Some("No."), Time::now()), got_on] {
            let read: Notification = from_item(to_item(&notification)?)?;
            assert_eq!((read.show(), &read.reached), (notification.show(), &notification.reached));
        }
        Ok(())
    }
}
