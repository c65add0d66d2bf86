//! Deliveries that are to be tried again.

use std::sync::{Mutex, PoisonError};

use domain::{Error, EventId, Time, WebhookId};
use futures_util::stream::{self, StreamExt as _};

use crate::Events;
use crate::deliver::Failing;

/// So many are tried at once.
const AT_ONCE: usize = 8;

impl Events {
    /// Tries what is due, until `end`. Of a webhook that fails, the rest is left for the next time.
    ///
    /// # Errors
    /// The last of those that came up; the others are tried all the same.
    pub async fn due(&self, end: Time) -> Result<(), Error> {
        let failing = Mutex::new(Failing::default());
        let due = self.store.due_deliveries(Time::now()).await?;
        let tries = stream::iter(due).map(|(event, webhook)| {
            let failing = &failing;
            async move {
                let failed = || failing.lock().unwrap_or_else(PoisonError::into_inner);
                if Time::now() > end || failed().has(webhook) {
                    return Ok(());
                }
                if !self.again(event, webhook).await? {
                    failed().add(webhook);
                }
                Ok(())
            }
        });
        let outcomes: Vec<Result<(), Error>> = tries.buffered(AT_ONCE).collect().await;
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
        self.attempt(&told, &record, &delivery).await
    }
}
