//! Deliveries that are to be tried again.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{Error, EventId, Time, WebhookId};
use futures_util::stream::{self, StreamExt as _};

use crate::Events;

/// So many webhooks are sent to at once.
const AT_ONCE: usize = 64;

impl Events {
    /// Tries what is due, until `end`, for each webhook in a lane of its own. Of a webhook that fails, the rest is left for
    /// the next time.
    ///
    /// # Errors
    /// The last of those that came up; the others are tried all the same.
    pub async fn due(&self, end: Time) -> Result<(), Error> {
        let mut lanes: BTreeMap<WebhookId, Vec<EventId>> = BTreeMap::new();
        for (event, webhook) in self.store.due_deliveries(Time::now()).await? {
            lanes.entry(webhook).or_default().push(event);
        }
        let tries = stream::iter(lanes).map(|(webhook, events)| async move {
            for event in events {
                if Time::now() > end || !self.again(event, webhook).await? {
                    break;
                }
            }
            Ok(())
        });
        let outcomes: Vec<Result<(), Error>> = tries.buffer_unordered(AT_ONCE).collect().await;
        outcomes.into_iter().rfind(Result::is_err).unwrap_or(Ok(()))
    }

    /// Tries a delivery once more, if it is still due: whether its webhook can be tried with others.
    async fn again(&self, event: EventId, webhook: WebhookId) -> Result<bool, Error> {
        let Some(delivery) = self.store.take_delivery(event, webhook).await? else { return Ok(true) };
        let segment = delivery.segment_id;
        let (told, record) = tokio::join!(self.store.event(segment, event), self.store.webhook(segment, webhook));
        let (told, record) = match (told, record) {
            // The event is over, or the webhook is deleted.
            (Err(Error::NotFound), _) | (_, Err(Error::NotFound)) => {
                return self.store.forget_delivery(event, webhook).await.map(|()| true);
            }
            (told, record) => (told?, record?),
        };
        if !record.webhook.is_active() {
            return self.note(&delivery.given_up("disabled", Time::now())).await.map(|()| true);
        }
        self.attempt(&told, &record, (&delivery, Duration::MAX)).await
    }
}
