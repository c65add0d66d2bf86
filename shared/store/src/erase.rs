//! Erasing all that is a user's own.

use aws_sdk_dynamodb::types::{DeleteRequest, ReturnConsumedCapacity, WriteRequest};
use domain::{Error, UserId};

use crate::Store;
use crate::keys;
use crate::pending::PendingKind;
use crate::table::{Item, Query, Write, backoff, string, unavailable};

impl Store {
    /// Erases everything in the user's partition, the user last, so that a crash leaves what says to go on.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn erase(&self, id: UserId) -> Result<(), Error> {
        self.erase_rest(id).await?;
        let values = Item::from([(":pending".to_owned(), string(PendingKind::Purge.as_str()))]);
        let gone =
            Write::delete(&self.table, &keys::user(id), "attribute_not_exists(PK) OR pending = :pending", values);
        let mut writes = vec![gone.on_condition_failed(Error::Stale)];
        writes.extend(self.first_undone(id).await?);
        self.table.transact(writes).await
    }

    /// Erases all in a user's partition but the user itself.
    pub(crate) async fn erase_rest(&self, id: UserId) -> Result<(), Error> {
        let query = Query { keys_only: true, ..Query::before(&keys::user(id)) };
        let mut start = None;
        loop {
            let read = self.table.query(&query, Some(BATCH), start).await?;
            self.erase_all(read.items).await?;
            start = read.next;
            if start.is_none() {
                return Ok(());
            }
        }
    }

    /// Erases items, and those again that DynamoDB has left unprocessed.
    async fn erase_all(&self, keys: Vec<Item>) -> Result<(), Error> {
        let delete = |key| DeleteRequest::builder().set_key(Some(key)).build().map_err(Error::internal);
        let requests = keys.into_iter().map(|key| Ok(WriteRequest::builder().delete_request(delete(key)?).build()));
        let mut left = requests.collect::<Result<Vec<_>, Error>>()?;
        let mut tries = 0;
        while !left.is_empty() {
            if tries > 0 {
                tokio::time::sleep(backoff(tries)).await;
            }
            tries += 1;
            let sent = self.table.client.batch_write_item().request_items(&*self.table.name, left);
            let sent =
                sent.return_consumed_capacity(ReturnConsumedCapacity::Total).send().await.map_err(unavailable)?;
            left = sent.unprocessed_items.unwrap_or_default().remove(&*self.table.name).unwrap_or_default();
            if tries > ERASE_TRIES {
                return Err(Error::Unavailable("items stay unprocessed".into()));
            }
        }
        Ok(())
    }
}

/// What `BatchWriteItem` takes at once.
const BATCH: u32 = 25;

/// How often a batch that DynamoDB does not finish is sent again.
const ERASE_TRIES: u32 = 8;
