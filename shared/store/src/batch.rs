//! Reading many items by their keys, and writing many outside a transaction.

use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnConsumedCapacity, WriteRequest};
use domain::Error;
use futures_util::future::try_join_all;

use crate::backoff::backoff;
use crate::table::{Item, Table, unavailable};

/// What `BatchGetItem` takes at once.
const BATCH: usize = 100;

/// How often keys of which DynamoDB reads none are sent again.
const TRIES: u32 = 8;

impl Table {
    /// Reads items as they are now, in no order, without those that are not there: 1 `BatchGetItem` for each 100.
    pub(crate) async fn get_all(&self, keys: Vec<Item>) -> Result<Vec<Item>, Error> {
        let batches = keys.chunks(BATCH).map(|batch| self.get_batch(batch.to_vec()));
        Ok(try_join_all(batches).await?.concat())
    }

    async fn get_batch(&self, mut left: Vec<Item>) -> Result<Vec<Item>, Error> {
        let (mut items, mut attempt) = (Vec::new(), 0);
        while !left.is_empty() {
            if attempt > TRIES {
                return Err(Error::Unavailable("keys stay unprocessed".into()));
            }
            if attempt > 0 {
                tokio::time::sleep(backoff(attempt)).await;
            }
            attempt += 1;
            let keys = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(true).build();
            let sent = self
                .client
                .batch_get_item()
                .request_items(&*self.name, keys.map_err(Error::internal)?)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send();
            let read = sent.await.map_err(unavailable)?;
            let found = read.responses.unwrap_or_default().remove(&*self.name).unwrap_or_default();
            // Answers are cut at 16 MB: where something came, nobody was overrun.
            attempt = if found.is_empty() { attempt } else { 0 };
            items.extend(found);
            left =
                read.unprocessed_keys.unwrap_or_default().remove(&*self.name).map_or_else(Vec::new, |left| left.keys);
        }
        Ok(items)
    }

    /// Writes or deletes items, at most 25, each for itself: 1 `BatchWriteItem`, more only for what DynamoDB leaves
    /// unprocessed.
    pub(crate) async fn write_batch(&self, mut left: Vec<WriteRequest>) -> Result<(), Error> {
        let mut attempt = 0;
        while !left.is_empty() {
            if attempt > TRIES {
                return Err(Error::Unavailable("items stay unprocessed".into()));
            }
            if attempt > 0 {
                tokio::time::sleep(backoff(attempt)).await;
            }
            attempt += 1;
            let sent = self.client.batch_write_item().request_items(&*self.name, left);
            let sent = sent.return_consumed_capacity(ReturnConsumedCapacity::Total).send();
            let written = Box::pin(sent).await.map_err(unavailable)?;
            left = written.unprocessed_items.unwrap_or_default().remove(&*self.name).unwrap_or_default();
        }
        Ok(())
    }
}
