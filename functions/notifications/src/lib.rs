//! Sends push notifications, a page of devices at a time.
//!
//! The table says what is to be sent, how far it is, and since when whoever sends has it. Each page is noted with its
//! counts in one transaction: who was cut off is followed, once it must be dead, by somebody who goes on after the last page
//! that was noted. So no page is left out, and only the page that was in flight may be sent twice.

mod alarm;
mod event;
mod payload;
mod sender;

use domain::notification::Delivered;
use domain::{Act, Error, Notification, NotificationId, NotificationStatus, SegmentId, Time, UserId};
use futures_util::future::join_all;
use store::{DeviceRecord, Store, Taken};

pub use alarm::Alarm;
pub use event::Event;
pub use payload::payload;
pub use sender::{Deliver, Outcome, Sender, Sns};

/// What sends notifications.
#[derive(Debug, Clone)]
pub struct Notifications {
    /// All data.
    pub store: Store,
    /// What hands them over.
    pub sender: Sender,
}

/// What is left of a notification after a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Its time has not come.
    Later(Time),
    /// Somebody goes on with it: the next run, or who has it now.
    Some,
    /// Nothing is to be sent any more.
    Nothing,
}

/// So many devices are sent to at once.
const AT_ONCE: usize = 25;

/// So many of the users that a notification names are looked at together; each has up to 20 devices.
const USERS: usize = 5;

/// How long a notification may take before it is given up.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);

/// What whoever looks is told of a notification that was given up.
const GIVEN_UP: &str = "It could not be handed over to all devices within a day.";

/// On whose account it is sent.
fn itself() -> Act<'static> {
    Act::by_itself("notifications")
}

/// Devices that are tried together, and how far the notification is then; nothing at its end.
struct Page {
    devices: Vec<DeviceRecord>,
    reached: Option<String>,
}

impl Notifications {
    /// Sends all notifications that are due and that nobody is sending, until `end`; then deletes the endpoints of devices that
    /// are gone.
    ///
    /// # Errors
    /// The last of those that failed; the others are sent, and the next run goes on with it.
    pub async fn run(&self, end: Time) -> Result<(), Error> {
        let mut outcome = Ok(());
        for (segment, id) in self.store.due_notifications().await? {
            if Time::now() > end {
                return outcome;
            }
            outcome = self.send(segment, id, end).await.map(drop).and(outcome);
        }
        self.clear(end).await.and(outcome)
    }

    /// Deletes endpoints whose devices are gone. A token that has come back since is registered anew.
    async fn clear(&self, end: Time) -> Result<(), Error> {
        let forget = async |endpoint: &String| {
            self.sender.forget(endpoint).await?;
            self.store.endpoint_gone(endpoint).await
        };
        loop {
            let left = self.store.left_endpoints().await?;
            for some in left.chunks(AT_ONCE) {
                join_all(some.iter().map(forget)).await.into_iter().collect::<Result<(), _>>()?;
            }
            if left.is_empty() || Time::now() > end {
                return Ok(());
            }
        }
    }

    /// Sends a notification, if it is due and nobody is sending it, as far as it comes until `end`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where it is to be gone on with later.
    pub async fn send(&self, segment: SegmentId, id: NotificationId, end: Time) -> Result<Left, Error> {
        let mut notification = match self.store.take_notification(segment, id, itself()).await {
            Ok(Taken::Mine(notification)) => *notification,
            Ok(Taken::Later(at)) => return Ok(Left::Later(at)),
            Ok(Taken::Others) | Err(Error::Stale) => return Ok(Left::Some),
            Ok(Taken::Over) | Err(Error::NotFound) => return Ok(Left::Nothing),
            Err(error) => return Err(error),
        };
        // It goes with its segment, which is being erased.
        match self.store.segment(segment).await {
            Err(Error::NotFound) => return Ok(Left::Nothing),
            found => drop(found?),
        }
        let users = match notification.user_count {
            Some(_) => Some(self.store.recipients(&notification).await?),
            None => None,
        };
        loop {
            match self.page(&notification, users.as_deref(), end).await {
                Ok(next) if !next.status.is_open() => return Ok(Left::Nothing),
                Ok(next) if Time::now() < end => notification = next,
                // Somebody else has it: this page has taken too long.
                Ok(_) | Err(Error::Stale) => return Ok(Left::Some),
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends a page and notes it; then drops the devices that there are no more.
    async fn page(&self, had: &Notification, users: Option<&[UserId]>, end: Time) -> Result<Notification, Error> {
        if had.started_at.is_some_and(|started| started.plus(LONGEST) < Time::now()) {
            let now = Time::now();
            let failed = had.ended(NotificationStatus::Failed, Some(GIVEN_UP), now);
            return self.store.change_notification(had, &failed, now, itself()).await.map(|()| failed);
        }
        let page = self.devices(had, users).await?;
        let outcomes = self.handed_over(had, &page.devices).await?;
        let count = |wanted: fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| wanted(outcome)).count() as u64;
        let sent = count(|outcome| matches!(outcome, Outcome::Sent));
        let devices = outcomes.len() as u64;
        let (more, now) = (Delivered { devices, sent, failed: devices - sent }, Time::now());
        let next = match page.reached {
            Some(reached) => had.got_on(reached, more, now),
            None => had.got_on(String::new(), more, now).ended(NotificationStatus::Sent, None, now),
        };
        // At the end of a run the next one need not wait.
        let free = if now < end { now.plus(Store::SENDING_LEASE) } else { now };
        self.store.change_notification(had, &next, free, itself()).await?;
        for (found, _) in page.devices.iter().zip(&outcomes).filter(|(_, outcome)| matches!(outcome, Outcome::Gone)) {
            match self.store.delete_device(Some(had.segment_id), found, itself()).await {
                // Its app has registered it again, or somebody has deleted it.
                Ok(()) | Err(Error::Stale) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(next)
    }

    /// The devices whose turn it is.
    async fn devices(&self, notification: &Notification, users: Option<&[UserId]>) -> Result<Page, Error> {
        let (segment, reached) = (notification.segment_id, notification.reached.as_deref());
        let Some(users) = users else {
            let (devices, reached) = self.store.devices_of_segment(segment, reached).await?;
            return Ok(Page { devices, reached });
        };
        let first: usize = reached.and_then(|reached| reached.parse().ok()).unwrap_or(0);
        let some: Vec<_> = users.iter().skip(first).take(USERS).copied().collect();
        let devices = self.store.devices_of_users(segment, &some).await?;
        let after = first + some.len();
        Ok(Page { devices, reached: (after < users.len()).then(|| after.to_string()) })
    }

    /// Hands a notification over for each of these devices. Where that could be done for some, those that could not be
    /// reached for a passing reason have failed; where it could be done for none, the page is to be tried again.
    async fn handed_over(&self, notification: &Notification, devices: &[DeviceRecord]) -> Result<Vec<Outcome>, Error> {
        let payload = payload(&notification.message);
        let mut outcomes = Vec::new();
        for some in devices.chunks(AT_ONCE) {
            let sent = some.iter().map(|to| self.sender.send(&self.store, to, &notification.message, &payload));
            outcomes.extend(join_all(sent).await);
        }
        if outcomes.iter().any(|outcome| matches!(outcome, Outcome::Sent)) {
            return Ok(outcomes);
        }
        match outcomes.iter().position(|outcome| matches!(outcome, Outcome::Unavailable(_))) {
            Some(at) => match outcomes.swap_remove(at) {
                Outcome::Unavailable(error) => Err(error),
                Outcome::Sent | Outcome::Refused | Outcome::Gone => Ok(outcomes),
            },
            None => Ok(outcomes),
        }
    }
}
