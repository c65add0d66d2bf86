//! The changes of a segment's users, told in the order of their times, each user once, none left out.
//!
//! Each user has one entry, at the time of its last change; the transaction that changes the user moves it. Times are
//! taken before they are written, so that a later one may be seen first. Whoever reads up to a time therefore says so
//! first, in an item of each shard that every such transaction checks: one that comes afterwards with a time up to that
//! fails, and takes a later time. One that came before it is there to be read. So nothing can appear any more before
//! the place that a reader has reached, whatever clocks say and however long a transaction takes.

use std::collections::HashMap;
use std::time::Duration;

use domain::{Error, FieldError, SegmentId, Time, User, UserId};
use futures_util::future::try_join_all;
use serde::Deserialize;

use crate::Store;
use crate::keys::{self, SK, TOLD};
use crate::table::{Changes, Item, Query, Write, from_item, string};

/// So many items say up to when changes are told, against contention: a user's changes always check the same one.
const SHARDS: u8 = 16;

/// From where on changes are told: all beyond this place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Since(String);

impl Since {
    /// From a time on, that time included.
    #[must_use]
    pub fn time(time: Time) -> Self {
        Self(time.to_string())
    }

    /// The place that a cursor names, if it is one.
    #[must_use]
    pub fn cursor(text: &str) -> Option<Self> {
        let time = text.split(['\u{1}', '\u{2}']).next()?;
        let is_time = serde_json::from_value::<Time>(time.into()).is_ok();
        (is_time && (keys::changed(text).is_some() || text == told_up_to(time))).then(|| Self(text.to_owned()))
    }

    /// The place, for a cursor.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Beyond all that happened at a time or before.
fn told_up_to(time: impl std::fmt::Display) -> String {
    format!("{time}\u{2}")
}

/// The last change of a user.
#[derive(Debug, Clone)]
pub struct Changed {
    /// Whose.
    pub id: UserId,
    /// When.
    pub at: Time,
    /// The user as it is since then; nothing once it is purged.
    pub user: Option<User>,
}

/// Some changes, oldest first.
#[derive(Debug, Clone)]
pub struct UserChanges {
    /// The changes.
    pub rows: Vec<Changed>,
    /// From where on to ask next.
    pub next: Since,
    /// Whether there are more by now.
    pub more: bool,
}

impl Store {
    /// The changes of a segment's users from a place on: 1 `Query` to see what has been told before, 16 `UpdateItem` at
    /// once unless that will do, 1 `Query` and a read of each user.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn user_changes(&self, segment: SegmentId, since: &Since, size: u32) -> Result<UserChanges, Error> {
        let told = self.told_until(segment).await?;
        if let Some(told) = told.filter(|told| told_up_to(told) > since.0) {
            let found = self.changes_between(segment, since, told, size).await?;
            if found.more {
                return Ok(found);
            }
        }
        let now = Time::now();
        let tell = (0..SHARDS).map(|shard| self.tell(segment, shard, now));
        try_join_all(tell).await?;
        self.changes_between(segment, since, now, size).await
    }

    /// Up to when the changes of all shards have been told.
    async fn told_until(&self, segment: SegmentId) -> Result<Option<Time>, Error> {
        let told: Vec<Told> = self.table.all(&Query::under(keys::changes(segment), TOLD)).await?;
        let all = told.len() == usize::from(SHARDS);
        Ok(told.into_iter().map(|told| told.told_until).min().filter(|_| all))
    }

    /// From here on no change of the shard is written with a time up to `until`.
    async fn tell(&self, segment: SegmentId, shard: u8, until: Time) -> Result<(), Error> {
        let changes = Changes::default().set("told_until", string(until)).value(":until", string(until));
        let condition = "attribute_not_exists(told_until) OR told_until < :until";
        self.table.update(&keys::told(segment, shard), condition, changes).await.map(drop)
    }

    async fn changes_between(
        &self,
        segment: SegmentId,
        since: &Since,
        until: Time,
        size: u32,
    ) -> Result<UserChanges, Error> {
        let end = Since(told_up_to(until));
        if since.0 >= end.0 {
            return Ok(UserChanges { rows: Vec::new(), next: since.clone(), more: false });
        }
        let query = Query { keys_only: true, ..Query::between(&keys::changes(segment), &since.0, &end.0) };
        let mut items = self.table.query(&query, Some(size.saturating_add(2)), None).await?.items;
        // The place itself has been told.
        items.retain(|item| item.get(SK).and_then(|sk| sk.as_s().ok()) != Some(&since.0));
        let more = items.len() > size as usize;
        items.truncate(size as usize);
        let place = |item: &Item| Some(item.get(SK)?.as_s().ok()?.clone());
        let places: Vec<_> = items.iter().filter_map(place).collect();
        let next = places.last().filter(|_| more).map_or(end, |last| Since(last.clone()));
        let places: Vec<_> = places.iter().filter_map(|place| keys::changed(place)).collect();
        Ok(UserChanges { rows: self.changed(places).await?, next, more })
    }

    /// The users who changed, without those who have changed again since: they come later.
    async fn changed(&self, places: Vec<(Time, UserId)>) -> Result<Vec<Changed>, Error> {
        let keys = places.iter().map(|(_, id)| keys::user(*id).attributes()).collect();
        let users = self.table.get_all(keys).await?.into_iter().map(from_item::<User>);
        let mut users = users.map(|user| user.map(|user| (user.id, user))).collect::<Result<HashMap<_, _>, _>>()?;
        users.retain(|_, user| !user.is_tombstone());
        let rows = places.into_iter().map(|(at, id)| Changed { id, at, user: users.get(&id).cloned() });
        Ok(rows.filter(|row| row.user.as_ref().is_none_or(|user| user.updated_at == row.at)).collect())
    }

    /// What moves a user's entry, if its time has not been told.
    pub(super) fn change_told(&self, old: Option<&User>, new: Option<&User>) -> Vec<Write> {
        let Some((new, segment)) = new.and_then(|user| Some((user, user.segment_id?))) else { return Vec::new() };
        let place = |user: &User| keys::change(segment, user.updated_at, user.id);
        let is = place(new);
        let was = old.map(place).filter(|was| *was != is);
        let gone = was.map(|was| Write::delete_item(&self.table, was.attributes()));
        let condition = "attribute_not_exists(PK) OR told_until < :at";
        let at = Item::from([(":at".to_owned(), string(new.updated_at))]);
        let told = keys::told(segment, shard(new.id));
        let untold = Write::check(&self.table, &told, condition, at).on_condition_failed(late());
        gone.into_iter().chain([Write::mark(&self.table, &is), untold]).collect()
    }

    /// A time that has not been told, `ahead` of what has: where readers ask all the time, the present would have been told
    /// again before the change is written. It is told once the readers' clocks get there.
    pub(super) async fn untold(&self, segment: SegmentId, user: UserId, ahead: Duration) -> Result<Time, Error> {
        let told = self.table.get(&keys::told(segment, shard(user))).await?.map(from_item::<Told>).transpose()?;
        let now = Time::now();
        Ok(told.map_or(now, |told| now.max(told.told_until).plus(ahead)))
    }
}

/// Up to when changes are told.
#[derive(Debug, Deserialize)]
struct Told {
    told_until: Time,
}

fn shard(user: UserId) -> u8 {
    keys::shard(user.uuid(), SHARDS)
}

/// Where the error of a time stands that has been told: clients never see it.
const LATE: &str = "/updated_at";

fn late() -> Error {
    Error::conflict(LATE, "late", "is a time whose changes have been told")
}

/// What else is in conflict; nothing where it is the time alone.
pub(super) fn without_late(mut taken: Vec<FieldError>) -> Option<Vec<FieldError>> {
    taken.retain(|error| error.pointer != LATE);
    (!taken.is_empty()).then_some(taken)
}
