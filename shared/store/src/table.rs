//! The one place that speaks to DynamoDB: requests, retries, and what a failed condition means.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, ReturnValue};
use domain::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::backoff::backoff;
use crate::capacity::CapacityCounter;
use crate::keys::{Key, PK, SK};

mod query;
mod write;

pub(crate) use query::{Query, Read};
pub(crate) use write::{Changes, Write};

/// An item as DynamoDB keeps it.
pub type Item = HashMap<String, AttributeValue>;

/// A DynamoDB table and the client that reaches it.
#[derive(Debug, Clone)]
pub struct Table {
    pub(crate) client: Client,
    pub(crate) name: Arc<str>,
}

impl Table {
    /// The table `name`, reached by a client of this configuration.
    #[must_use]
    pub fn new(config: Builder, name: &str) -> Self {
        Self { client: Client::from_conf(config.interceptor(CapacityCounter).build()), name: name.into() }
    }

    /// Reads one item as it is now.
    pub(crate) async fn get(&self, key: &Key) -> Result<Option<Item>, Error> {
        let read = self
            .client
            .get_item()
            .table_name(&*self.name)
            .set_key(Some(key.attributes()))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send();
        Ok(Box::pin(read).await.map_err(unavailable)?.item)
    }

    /// An update outside a transaction: whether its condition held.
    pub(crate) async fn update(&self, key: &Key, condition: &str, changes: Changes) -> Result<bool, Error> {
        held(Box::pin(self.update_request(key, condition, changes).send()).await)
    }

    /// Updates an item outside a transaction and returns it as it is then; `None` where its condition failed.
    pub(crate) async fn update_and_read(
        &self,
        key: &Key,
        condition: &str,
        changes: Changes,
    ) -> Result<Option<Item>, Error> {
        let request = self.update_request(key, condition, changes).return_values(ReturnValue::AllNew);
        match Box::pin(request.send()).await {
            Ok(done) => Ok(done.attributes),
            Err(failure) if is_condition_failed(&failure) => Ok(None),
            Err(failure) => Err(unavailable(failure)),
        }
    }

    fn update_request(&self, key: &Key, condition: &str, changes: Changes) -> UpdateItemFluentBuilder {
        let (expression, names, values) = changes.into_expression();
        self.client
            .update_item()
            .table_name(&*self.name)
            .set_key(Some(key.attributes()))
            .update_expression(expression)
            .condition_expression(condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }

    /// Writes all of `writes` or none.
    pub(crate) async fn transact(&self, writes: Vec<Write>) -> Result<(), Error> {
        if writes.len() > TRANSACTION {
            return Err(Error::internal(format!("{} writes do not fit in a transaction", writes.len())));
        }
        let (items, mut meanings): (Vec<_>, Vec<_>) =
            writes.into_iter().map(|write| (write.item, write.meaning)).unzip();
        let mut attempt = 0;
        loop {
            let sent = self
                .client
                .transact_write_items()
                .set_transact_items(Some(items.clone()))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send();
            let Err(failure) = Box::pin(sent).await else {
                return Ok(());
            };
            match why_canceled(failure)? {
                Canceled::Conditions(failed) => {
                    let broken = failed.into_iter().filter_map(|at| meanings.get_mut(at).map(std::mem::take));
                    return Err(merged(broken.flatten()));
                }
                // Another transaction held one of the items: nothing was written, so the same may be tried again.
                Canceled::Contended if attempt < CONTENTION_TRIES => {
                    attempt += 1;
                    tokio::time::sleep(backoff(attempt)).await;
                }
                Canceled::Contended => {
                    return Err(Error::Unavailable("the items stay contended".into()));
                }
            }
        }
    }

    /// Reads up to `limit` items of a query, from `start` on.
    pub(crate) async fn query(&self, query: &Query, limit: Option<u32>, start: Option<Item>) -> Result<Read, Error> {
        let mut request = self
            .client
            .query()
            .table_name(&*self.name)
            .set_index_name(query.index.map(str::to_owned))
            .key_condition_expression(query.condition)
            .set_filter_expression(query.filter.clone())
            .set_expression_attribute_values(Some(query.values.clone()))
            .set_expression_attribute_names((!query.names.is_empty()).then(|| query.names.clone()))
            .scan_index_forward(!query.descending)
            .consistent_read(query.index.is_none())
            .set_limit(limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX)))
            .set_exclusive_start_key(start)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        if query.keys_only {
            request = request.projection_expression(format!("{PK}, {SK}"));
        }
        let read = Box::pin(request.send()).await.map_err(unavailable)?;
        Ok(Read { items: read.items.unwrap_or_default(), next: read.last_evaluated_key.filter(|key| !key.is_empty()) })
    }
}

impl Table {
    /// Everything that a query finds, for what is few by its nature.
    pub(crate) async fn all<T: DeserializeOwned>(&self, query: &Query) -> Result<Vec<T>, Error> {
        self.all_items(query).await?.into_iter().map(from_item).collect()
    }

    /// Every item that a query finds, for what is few by its nature.
    pub(crate) async fn all_items(&self, query: &Query) -> Result<Vec<Item>, Error> {
        let (mut found, mut start) = (Vec::new(), None);
        loop {
            let read = self.query(query, None, start).await?;
            found.extend(read.items);
            start = read.next;
            if start.is_none() {
                return Ok(found);
            }
        }
    }
}

/// What one transaction takes.
pub(crate) const TRANSACTION: usize = 100;

/// Why DynamoDB canceled a transaction.
enum Canceled {
    /// The conditions at these positions failed.
    Conditions(Vec<usize>),
    /// Somebody else was writing the same items.
    Contended,
}

/// Tries beyond the first when items are contended: under 200 simultaneous writers the last one still gets its turn.
const CONTENTION_TRIES: u32 = 8;

fn why_canceled(failure: SdkError<TransactWriteItemsError>) -> Result<Canceled, Error> {
    let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = failure.as_service_error() else {
        let contended =
            matches!(failure.code(), Some("TransactionInProgressException" | "TransactionConflictException"));
        return if contended { Ok(Canceled::Contended) } else { Err(unavailable(failure)) };
    };
    let reasons = || canceled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or("None"));
    let failed: Vec<_> =
        reasons().enumerate().filter(|(_, code)| *code == "ConditionalCheckFailed").map(|(at, _)| at).collect();
    if !failed.is_empty() {
        return Ok(Canceled::Conditions(failed));
    }
    let transient = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
    if reasons().any(|code| transient.contains(&code)) {
        return Ok(Canceled::Contended);
    }
    Err(unavailable(failure))
}

/// One error out of those of each failed condition: all taken fields together, or else the first.
fn merged(errors: impl Iterator<Item = Error>) -> Error {
    let (mut taken, mut first) = (Vec::new(), None);
    for error in errors {
        if let Error::Conflict(fields) = error {
            taken.extend(fields);
        } else if first.is_none() {
            first = Some(error);
        }
    }
    match first {
        Some(error) => error,
        None if taken.is_empty() => Error::internal("a condition failed that was never given a meaning"),
        None => Error::Conflict(taken),
    }
}

/// A failed call as the domain tells it: the cause is for the log.
pub(crate) fn unavailable<E>(failure: SdkError<E>) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let ours =
        matches!(failure.code(), Some("ValidationException" | "AccessDeniedException" | "ResourceNotFoundException"));
    let cause = failure.into_source().unwrap_or_else(|whole| Box::new(whole));
    if ours { Error::Internal(cause) } else { Error::Unavailable(cause) }
}

/// Whether the condition of a call held.
pub(crate) fn held<T, E>(sent: Result<T, SdkError<E>>) -> Result<bool, Error>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    match sent {
        Ok(_) => Ok(true),
        Err(failure) if is_condition_failed(&failure) => Ok(false),
        Err(failure) => Err(unavailable(failure)),
    }
}

/// Whether a call failed because its condition did.
pub(crate) fn is_condition_failed<E: ProvideErrorMetadata>(failure: &SdkError<E>) -> bool {
    failure.code() == Some("ConditionalCheckFailedException")
}

/// A value as an item, without the attributes that it has no value for.
pub(crate) fn to_item(value: &impl Serialize) -> Result<Item, Error> {
    let mut item: Item = serde_dynamo::to_item(value).map_err(Error::internal)?;
    item.retain(|_, value| !value.is_null());
    Ok(item)
}

/// An item as the value that was written, parsed again.
pub(crate) fn from_item<T: DeserializeOwned>(item: Item) -> Result<T, Error> {
    serde_dynamo::from_item(item).map_err(Error::internal)
}

/// The item with its key.
pub(crate) fn keyed(key: &Key, mut item: Item) -> Item {
    item.extend(key.attributes());
    item
}

/// A DynamoDB number.
pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A DynamoDB string.
pub(crate) fn string(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}
