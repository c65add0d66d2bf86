//! Deliveries: what has come of sending an event to a webhook. They are found by their event, and, while they are to be
//! tried again, by the index `pending`.

use std::time::Duration;

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::{Delivery, Error, EventId, Time, WebhookId};
use futures_util::future::try_join_all;

use crate::Store;
use crate::event::KEPT;
use crate::keys::{self, PENDING_INDEX, PK, SK};
use crate::table::{Changes, Item, Query, from_item, keyed, number, string, to_item, unavailable};

/// The kind of a pending delivery in the index.
const KIND: &str = "delivery";

/// How long whoever tries a delivery has it for itself: beyond what a try may take.
const LEASE: Duration = Duration::from_secs(60);

impl Store {
    /// The deliveries of an event: 1 `Query`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn deliveries(&self, event: EventId) -> Result<Vec<Delivery>, Error> {
        self.table.all(&Query::all(keys::deliveries(event))).await
    }

    /// Notes how far a delivery is, whatever was noted before: 1 `PutItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn note_delivery(&self, delivery: &Delivery) -> Result<(), Error> {
        let key = keys::delivery(delivery.event_id, delivery.webhook_id);
        let mut item = to_item(delivery)?;
        let end = Time::of(delivery.event_id.uuid()).plus(KEPT);
        item.insert("expires_at".to_owned(), number(end.seconds()));
        if let Some(next) = delivery.next_at {
            item.insert("pending".to_owned(), string(KIND));
            item.insert("pending_at".to_owned(), string(next));
        }
        let sent = self
            .table
            .client
            .put_item()
            .table_name(&*self.table.name)
            .set_item(Some(keyed(&key, item)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send();
        sent.await.map(drop).map_err(unavailable)
    }

    /// Notes several, as [`Store::note_delivery`] does each: 16 `PutItem` at once.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; some may be noted then.
    pub async fn note_deliveries(&self, deliveries: &[Delivery]) -> Result<(), Error> {
        for some in deliveries.chunks(16) {
            try_join_all(some.iter().map(|delivery| self.note_delivery(delivery))).await?;
        }
        Ok(())
    }

    /// The deliveries that are due, those that have been for the longest first: 1 `Query` of the index for each MB.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn due_deliveries(&self, now: Time) -> Result<Vec<(EventId, WebhookId)>, Error> {
        let query = Query {
            index: Some(PENDING_INDEX),
            condition: "pending = :kind AND pending_at <= :now",
            values: Item::from([(":kind".to_owned(), string(KIND)), (":now".to_owned(), string(now))]),
            ..Query::default()
        };
        let ids = |item: &Item| keys::delivery_of(item.get(PK)?.as_s().ok()?, item.get(SK)?.as_s().ok()?);
        let (mut due, mut start) = (Vec::new(), None);
        // All of them: those of one webhook that fails must not hide those of others.
        loop {
            let found = self.table.query(&query, None, start).await?;
            due.extend(found.items.iter().filter_map(ids));
            start = found.next;
            if start.is_none() {
                return Ok(due);
            }
        }
    }

    /// Takes a delivery that is due for a while: nothing where it is not any more, or somebody else has it. 1 `GetItem`,
    /// 1 `UpdateItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn take_delivery(&self, event: EventId, webhook: WebhookId) -> Result<Option<Delivery>, Error> {
        let key = keys::delivery(event, webhook);
        let now = Time::now();
        let Some(item) = self.table.get(&key).await? else { return Ok(None) };
        let Some(since) = item.get("pending_at").cloned() else { return Ok(None) };
        let delivery: Delivery = from_item(item)?;
        if since.as_s().is_ok_and(|since| *since > now.to_string()) {
            return Ok(None);
        }
        let changes = Changes::default().set("pending_at", string(now.plus(LEASE))).value(":since", since);
        let mine = self.table.update(&key, "pending_at = :since", changes).await?;
        Ok(mine.then_some(delivery))
    }

    /// Forgets a delivery whose event or webhook is gone: 1 `DeleteItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn forget_delivery(&self, event: EventId, webhook: WebhookId) -> Result<(), Error> {
        let sent = self
            .table
            .client
            .delete_item()
            .table_name(&*self.table.name)
            .set_key(Some(keys::delivery(event, webhook).attributes()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send();
        sent.await.map(drop).map_err(unavailable)
    }
}
