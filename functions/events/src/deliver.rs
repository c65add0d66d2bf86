//! An event on its way to webhooks.

use std::collections::HashSet;

use domain::webhook::{Delivery, DeliveryStatus};
use domain::{Error, Event, Time, Webhook, WebhookId};
use edge::HookSecret;
use futures_util::future::join_all;
use store::WebhookRecord;

use crate::Events;
use crate::send::Result as Sent;

/// The webhooks that have just failed: what else is for them is put off, so that each costs one wait at most.
#[derive(Debug, Default)]
pub(crate) struct Failing(HashSet<WebhookId>);

impl Failing {
    pub(crate) fn has(&self, id: WebhookId) -> bool {
        self.0.contains(&id)
    }

    pub(crate) fn add(&mut self, id: WebhookId) {
        self.0.insert(id);
    }
}

impl Events {
    /// Sends an event to all webhooks that want it, and notes what came of it.
    pub(crate) async fn deliver(&self, event: &Event, failing: &mut Failing) -> Result<(), Error> {
        let webhooks = self.store.webhooks(event.segment_id).await?;
        let wanting: Vec<_> = webhooks.into_iter().filter(|record| record.webhook.wants(event)).collect();
        let tries = wanting.iter().map(|record| {
            let new = Delivery::new(event, record.webhook.id, Time::now());
            let failed = failing.has(record.webhook.id);
            async move {
                if failed {
                    return self.store.note_delivery(&new.put_off(Time::now())).await.map(|()| true);
                }
                self.attempt(event, record, &new).await
            }
        });
        let mut outcome = Ok(());
        for (record, taken) in wanting.iter().zip(join_all(tries).await) {
            match taken {
                Ok(true) => {}
                Ok(false) => failing.add(record.webhook.id),
                Err(error) => outcome = Err(error),
            }
        }
        outcome
    }

    /// Tries a delivery once, and notes what came of it: whether it was taken. The note comes after the try, so that a
    /// crash in between makes it be tried again.
    pub(crate) async fn attempt(
        &self,
        event: &Event,
        record: &WebhookRecord,
        delivery: &Delivery,
    ) -> Result<bool, Error> {
        let now = Time::now();
        let secrets = self.open_secrets(record, now).await?;
        let sent = self.sender.send(&record.webhook, event, &secrets, now).await;
        let taken = matches!(sent, Sent::Status(200..=299));
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
