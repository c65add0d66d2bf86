//! Endpoints of Amazon SNS whose devices are gone. Each is noted in the transaction that its device goes with, and stands in
//! the index `pending` until whoever sends has deleted it there too.

use domain::{Error, Time};

use crate::Store;
use crate::keys::{self, PENDING_INDEX, PK};
use crate::table::{Item, Query, Write, keyed, string};

/// How they are told in the index `pending`.
const ENDPOINT: &str = "endpoint";

impl Store {
    /// Endpoints that no device has any more, those that were left first first: 1 `Query`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn left_endpoints(&self) -> Result<Vec<String>, Error> {
        let query = Query {
            index: Some(PENDING_INDEX),
            condition: "pending = :kind",
            values: Item::from([(":kind".to_owned(), string(ENDPOINT))]),
            ..Query::default()
        };
        let read = self.table.query(&query, Some(100), None).await?;
        let endpoint = |item: &Item| keys::endpoint_at(item.get(PK)?.as_s().ok()?);
        Ok(read.items.iter().filter_map(endpoint).collect())
    }

    /// Forgets an endpoint that is there no more: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn endpoint_gone(&self, endpoint: &str) -> Result<(), Error> {
        self.table.transact(vec![Write::delete_item(&self.table, keys::endpoint(endpoint).attributes())]).await
    }

    /// The write that leaves an endpoint to be deleted.
    pub(crate) fn endpoint_left(&self, endpoint: &str) -> Write {
        let item =
            Item::from([("pending".to_owned(), string(ENDPOINT)), ("pending_at".to_owned(), string(Time::now()))]);
        Write::put(&self.table, keyed(&keys::endpoint(endpoint), item))
    }
}
