//! Events on their way to webhooks.
//!
//! Each webhook has a lane of its own, so that a receiver which fails or hangs delays its own events alone.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::webhook::{Delivery, DeliveryStatus};
use domain::{Error, Event, SegmentId, Time, Webhook, WebhookId};
use edge::HookSecret;
use futures_util::future::join_all;
use store::WebhookRecord;
use tokio::time::Instant;

use crate::Events;
use crate::send::Result as Sent;

/// The time that a receiver has for all events of one stretch of the stream: what comes next in the stream waits for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// The time for which a webhook counts as failing after a failure.
const FAILING: Duration = Duration::from_secs(30);

/// The webhooks that have failed a moment ago, known to each call of this process. The stream tries nothing for them: their
/// deliveries wait for the schedule.
#[derive(Debug, Clone, Default)]
pub(crate) struct Failing(Arc<Mutex<HashMap<WebhookId, Time>>>);

impl Failing {
    fn has(&self, id: WebhookId) -> bool {
        let now = Time::now();
        let mut until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.retain(|_, until| *until > now);
        until.contains_key(&id)
    }

    fn record(&self, id: WebhookId, has_failed: bool) {
        let mut until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if has_failed {
            until.insert(id, Time::now().plus(FAILING));
        } else {
            until.remove(&id);
        }
    }
}

/// The events for one webhook, each with its place in the stretch.
type Lane<'a> = (WebhookRecord, Vec<(usize, &'a Event)>);

impl Events {
    /// Sends events to all webhooks that want them, and notes what came of it: the place of the first event of which this
    /// could not be noted.
    pub(crate) async fn deliver(&self, events: &[Event]) -> Result<(), (usize, Error)> {
        let lanes = self.list_lanes(events).await?;
        let deadline = Instant::now() + PATIENCE;
        let failed = join_all(lanes.values().map(|lane| self.deliver_lane(lane, deadline))).await;
        let first = failed.into_iter().filter_map(Result::err).min_by_key(|(place, _)| *place);
        first.map_or(Ok(()), Err)
    }

    async fn list_lanes<'a>(&self, events: &'a [Event]) -> Result<BTreeMap<WebhookId, Lane<'a>>, (usize, Error)> {
        let mut segments: HashMap<SegmentId, Vec<WebhookRecord>> = HashMap::new();
        let mut lanes: BTreeMap<WebhookId, Lane<'_>> = BTreeMap::new();
        for (place, event) in events.iter().enumerate() {
            let segment = event.segment_id;
            let webhooks = match segments.entry(segment) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(self.store.webhooks(segment).await.map_err(|error| (place, error))?),
            };
            for record in webhooks.iter().filter(|record| record.webhook.wants(event)) {
                let lane = lanes.entry(record.webhook.id).or_insert_with(|| (record.clone(), Vec::new()));
                lane.1.push((place, event));
            }
        }
        Ok(lanes)
    }

    /// Sends a webhook its events in their order, until one fails or the time is over. The others are put off.
    async fn deliver_lane(&self, (record, events): &Lane<'_>, deadline: Instant) -> Result<(), (usize, Error)> {
        let id = record.webhook.id;
        for (place, event) in events {
            let new = Delivery::new(event, id, Time::now());
            let left = deadline.saturating_duration_since(Instant::now());
            let noted = if left.is_zero() || self.failing.has(id) {
                self.store.note_delivery(&new.put_off(Time::now())).await
            } else {
                self.attempt(event, record, (&new, left)).await.map(drop)
            };
            noted.map_err(|error| (*place, error))?;
        }
        Ok(())
    }

    /// Tries a delivery once, for as long as `patience` says at the most, and notes what came of it: whether it was taken.
    /// The note comes after the try, so that a crash in between makes it be tried again.
    pub(crate) async fn attempt(
        &self,
        event: &Event,
        record: &WebhookRecord,
        (delivery, patience): (&Delivery, Duration),
    ) -> Result<bool, Error> {
        let now = Time::now();
        let secrets = self.open_secrets(record, now).await?;
        let sent = self.sender.send(&record.webhook, event, (&secrets, now), patience).await;
        let taken = matches!(sent, Sent::Status(200..=299));
        self.failing.record(record.webhook.id, !taken);
        let after = delivery.tried(taken, sent.to_string(), (Time::now(), chance()));
        tracing::info!(
            event = %event.id, webhook = %record.webhook.id, result = %sent, attempts = after.attempts, "sent an event"
        );
        self.note(&after).await?;
        if matches!(sent, Sent::Status(410)) {
            self.disable(&record.webhook).await?;
        }
        Ok(taken)
    }

    /// Opens the secrets of a webhook that are in use.
    async fn open_secrets(&self, record: &WebhookRecord, now: Time) -> Result<Vec<HookSecret>, Error> {
        let mut secrets = Vec::new();
        for sealed in record.secrets.iter().filter(|secret| secret.until.is_none_or(|until| until > now)) {
            secrets.extend(HookSecret::open(&self.keyring, record.webhook.id, &sealed.sealed).await?);
        }
        Ok(secrets)
    }

    /// Notes how far a delivery is, and with the event if it is dead.
    pub(crate) async fn note(&self, delivery: &Delivery) -> Result<(), Error> {
        self.store.note_delivery(delivery).await?;
        match delivery.status {
            DeliveryStatus::Dead => self.store.mark_event(delivery.segment_id, delivery.event_id, true).await,
            DeliveryStatus::Pending | DeliveryStatus::Delivered => Ok(()),
        }
    }

    /// Sends a webhook nothing more, since its receiver has said that it is gone.
    async fn disable(&self, webhook: &Webhook) -> Result<(), Error> {
        let record = match self.store.webhook(webhook.segment_id, webhook.id).await {
            Err(Error::NotFound) => return Ok(()),
            found => found?,
        };
        // Whoever has changed it meanwhile may have given it another receiver.
        if record.webhook.version != webhook.version {
            return Ok(());
        }
        let disabled = WebhookRecord { webhook: webhook.disabled(Time::now()), ..record.clone() };
        match self.store.change_webhook(&record, &disabled, None).await {
            Err(Error::Stale) => Ok(()),
            done => done,
        }
    }
}

/// A number from 0 to 1 that nobody can tell before.
fn chance() -> f64 {
    let mut bytes = [0; 4];
    if aws_lc_rs::rand::fill(&mut bytes).is_err() {
        // Then all come at the same time, which is no reason not to come.
        return 0.5;
    }
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}
