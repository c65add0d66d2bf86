//! Events: each change that a segment's clients may want to know of writes one, in its own transaction. The table's
//! stream takes it from there.

use std::time::Duration;

use domain::event::{About, Change, DeliveryOutcome, Told, What};
use domain::{Act, Error, Event, EventId, Object, SegmentId};

use crate::Store;
use crate::keys::{self, EVENTS};
use crate::page::{self, Page, Window};
use crate::table::{Changes, Write, from_item, number, string, to_item};

/// How long an event is kept.
pub(crate) const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How far the events of a list are counted: each that is counted is read.
pub const COUNTED: u64 = 1_000;

impl Store {
    /// An event: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn event(&self, segment: SegmentId, id: EventId) -> Result<Event, Error> {
        self.table.get(&keys::event(segment, id)).await?.ok_or(Error::NotFound).and_then(from_item)
    }

    /// A window of a segment's events: 1 `Query`, more only for far offsets or filters.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn events(&self, segment: SegmentId, window: &Window) -> Result<Page<Event>, Error> {
        page::read(&self.table, &keys::events(segment), EVENTS, window).await
    }

    /// How many of a segment's events a window is of, as far as [`COUNTED`]: 1 `Query`, more where filters leave much out.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn count_events(&self, segment: SegmentId, window: &Window) -> Result<u64, Error> {
        page::count(&self.table, &keys::events(segment), EVENTS, window, COUNTED).await
    }

    /// Notes of an event whether a webhook has not taken it, as long as it is there: 1 `UpdateItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn mark_event(&self, segment: SegmentId, id: EventId, failed: bool) -> Result<(), Error> {
        let changes = match failed {
            true => Changes::default().set("delivery", string(DeliveryOutcome::Failed.as_str())),
            false => Changes::default().remove("delivery"),
        };
        self.table.update(&keys::event(segment, id), "attribute_exists(PK)", changes).await.map(drop)
    }

    /// The write that tells an event, if there is one to tell.
    pub(crate) fn outbox(&self, event: Option<Event>) -> Result<Option<Write>, Error> {
        let Some(event) = event else { return Ok(None) };
        let mut item = to_item(&event)?;
        item.insert("expires_at".to_owned(), number(event.created_at.plus(KEPT).seconds()));
        Ok(Some(Write::create(&self.table, &keys::event(event.segment_id, event.id), item)))
    }

    /// The write that tells that `old` became `new`.
    pub(crate) fn tells<T: Told>(
        &self,
        old: Option<&T>,
        new: Option<&T>,
        act: Act<'_>,
    ) -> Result<Option<Write>, Error> {
        let Some(about) = new.or(old).map(Told::about) else { return Ok(None) };
        self.tells_of(about, (old.map(as_object), new.map(as_object)), act)
    }

    /// The write that tells of a thing that was made, changed or deleted.
    pub(crate) fn tells_of(&self, about: About, change: Change<'_>, act: Act<'_>) -> Result<Option<Write>, Error> {
        let what = match change {
            (None, _) => What::Created,
            (Some(_), Some(_)) => What::Updated,
            (Some(_), None) => What::Deleted,
        };
        self.outbox(Event::of(about, what, change, act))
    }
}

fn as_object<T: Object>(object: &T) -> &dyn Object {
    object
}
