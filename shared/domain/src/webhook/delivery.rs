//! An event on its way to a webhook, and what to send again.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::clock::Time;
use crate::event::Event;
use crate::field::Object;
use crate::id::{EventId, SegmentId, WebhookId};
use crate::{body, words};

body! {
    /// What to send an event again to.
    pub struct ReplayFields {
        /// The webhook that it is sent to; without one, all that want it.
        pub webhook_id: Option<WebhookId>,
    }
    example { "webhook_id": null }
}

body! {
    /// The events to send again.
    pub struct RangeFields {
        /// From when on, itself included.
        pub since: Time,
        /// Before when; now, if it is not said.
        pub until: Option<Time>,
        /// The webhook that they are sent to; without one, all that want each.
        pub webhook_id: Option<WebhookId>,
    }
    example { "since": "2026-11-21T10:00:00.000Z", "until": null, "webhook_id": null }
}

words! {
    /// How far a delivery is.
    pub enum DeliveryStatus {
        /// It is going to be tried, once more if it has been.
        Pending = "PENDING",
        /// The receiver has taken it.
        Delivered = "DELIVERED",
        /// It was tried as often as it is; a replay sends it again.
        Dead = "DEAD",
    }
}

/// An event on its way to a webhook.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Delivery {
    /// The event.
    pub event_id: EventId,
    /// Where it is sent.
    pub webhook_id: WebhookId,
    /// The segment of both.
    pub segment_id: SegmentId,
    /// How far it is.
    pub status: DeliveryStatus,
    /// How often it was tried.
    pub attempts: u32,
    /// What the last try came to: the status of the answer, or why there was none.
    #[schema(required = true)]
    pub last_result: Option<String>,
    /// When it is tried next.
    #[schema(required = true)]
    pub next_at: Option<Time>,
    /// When it last changed.
    pub updated_at: Time,
}

/// How long after each try that failed the next one is due, give or take a fifth; after the last there is none.
pub const PAUSES: [Duration; 8] = [
    Duration::from_secs(5),
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 60 * 60),
    Duration::from_secs(5 * 60 * 60),
    Duration::from_secs(10 * 60 * 60),
    Duration::from_secs(24 * 60 * 60),
];

/// So long after it was first due a delivery that fails is not tried again, however often it was: one that waited for
/// others to the same webhook.
const LONGEST: Duration = Duration::from_secs(3 * 24 * 60 * 60);

impl Delivery {
    /// One that has not been tried and is due now.
    #[must_use]
    pub fn new(event: &Event, webhook: WebhookId, now: Time) -> Self {
        Self {
            event_id: event.id,
            webhook_id: webhook,
            segment_id: event.segment_id,
            status: DeliveryStatus::Pending,
            attempts: 0,
            last_result: None,
            next_at: Some(now),
            updated_at: now,
        }
    }

    /// It after a try that came to `result`; `chance`, from 0 to 1, is the jitter.
    #[must_use]
    pub fn tried(&self, taken: bool, result: String, (now, chance): (Time, f64)) -> Self {
        let attempts = self.attempts + 1;
        let late = now > Time::of(self.event_id.uuid()).plus(LONGEST) && self.attempts > 0;
        let pause = PAUSES.get(self.attempts as usize).filter(|_| !taken && !late);
        let next_at = pause.map(|pause| now.plus(pause.mul_f64(0.8 + 0.4 * chance.clamp(0.0, 1.0))));
        let status = match (taken, next_at) {
            (true, _) => DeliveryStatus::Delivered,
            (false, Some(_)) => DeliveryStatus::Pending,
            (false, None) => DeliveryStatus::Dead,
        };
        Self { status, attempts, last_result: Some(result), next_at, updated_at: now, ..self.clone() }
    }

    /// It once it is tried no more, for a reason that is not the receiver's answer.
    #[must_use]
    pub fn given_up(&self, why: &str, now: Time) -> Self {
        let (status, last_result) = (DeliveryStatus::Dead, Some(why.to_owned()));
        Self { status, last_result, next_at: None, updated_at: now, ..self.clone() }
    }

    /// It once it was put off, since its webhook has just failed: it has not been tried.
    #[must_use]
    pub fn put_off(&self, now: Time) -> Self {
        Self { next_at: Some(now.plus(PAUSES[0])), updated_at: now, ..self.clone() }
    }
}

impl Object for Delivery {
    fn version(&self) -> u64 {
        u64::from(self.attempts)
    }

    fn show(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use utoipa::PartialSchema;

    use super::*;

    #[test]
    fn a_status_is_documented_as_it_is_answered() {
        let documented = serde_json::to_value(<DeliveryStatus as PartialSchema>::schema()).unwrap();
        assert_eq!(documented["enum"], json!(["PENDING", "DELIVERED", "DEAD"]));
    }

    #[test]
    fn a_delivery_is_tried_ever_later_and_is_dead_at_the_end() {
        let mut delivery = Delivery::new(&crate::webhook::tests::event(), WebhookId::fresh(), Time::now());
        for pause in PAUSES {
            let now = Time::of(delivery.event_id.uuid());
            for chance in [0.0, 0.5, 1.0] {
                let next = delivery.tried(false, "500".to_owned(), (now, chance)).next_at.unwrap();
                let waited = (next.millis() - now.millis()) as f64 / pause.as_millis() as f64;
                assert!((0.79..=1.21).contains(&waited), "{waited} of {pause:?}");
            }
            delivery = delivery.tried(false, "500".to_owned(), (now, 0.5));
            assert_eq!(delivery.status, DeliveryStatus::Pending);
        }
        let now = delivery.updated_at;
        let dead = delivery.tried(false, "500".to_owned(), (now, 0.5));
        assert_eq!((dead.status, dead.attempts, dead.next_at), (DeliveryStatus::Dead, 9, None));
        let taken = delivery.tried(true, "204".to_owned(), (now, 0.5));
        assert_eq!((taken.status, taken.next_at), (DeliveryStatus::Delivered, None));
        let early = Delivery { attempts: 1, ..delivery };
        let late = early.tried(false, "500".to_owned(), (now.plus(LONGEST * 2), 0.5));
        assert_eq!(late.status, DeliveryStatus::Dead);
    }
}
