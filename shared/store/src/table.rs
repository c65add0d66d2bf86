//! The one place that speaks to DynamoDB: requests, retries, and what a failed condition means.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, ReturnConsumedCapacity, TransactWriteItem, Update,
};
use domain::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::backoff::backoff;
use crate::keys::{Key, PK, SK};

/// An item as DynamoDB keeps it.
pub type Item = HashMap<String, AttributeValue>;

/// A DynamoDB table and the client that reaches it.
#[derive(Debug, Clone)]
pub struct Table {
    pub(crate) client: Client,
    pub(crate) name: Arc<str>,
}

impl Table {
    /// The table `name`.
    #[must_use]
    pub fn new(client: Client, name: &str) -> Self {
        Self { client, name: name.into() }
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
        Ok(read.await.map_err(unavailable)?.item)
    }

    /// An update outside a transaction: whether its condition held.
    pub(crate) async fn update(&self, key: &Key, condition: &str, changes: Changes) -> Result<bool, Error> {
        let (expression, names, values) = changes.into_expression();
        let sent = self
            .client
            .update_item()
            .table_name(&*self.name)
            .set_key(Some(key.attributes()))
            .update_expression(expression)
            .condition_expression(condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send();
        match sent.await {
            Ok(_) => Ok(true),
            Err(failure) if is_condition_failed(&failure) => Ok(false),
            Err(failure) => Err(unavailable(failure)),
        }
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
            let Err(failure) = sent.await else {
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
        let read = request.send().await.map_err(unavailable)?;
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

/// What a query asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    pub(crate) index: Option<&'static str>,
    pub(crate) condition: &'static str,
    pub(crate) filter: Option<String>,
    pub(crate) values: Item,
    pub(crate) names: HashMap<String, String>,
    pub(crate) descending: bool,
    pub(crate) keys_only: bool,
}

impl Query {
    /// The items of a partition whose sort key begins with `prefix`.
    pub(crate) fn under(pk: String, prefix: &str) -> Self {
        Self {
            condition: "PK = :pk AND begins_with(SK, :prefix)",
            values: HashMap::from([
                (":pk".to_owned(), AttributeValue::S(pk)),
                (":prefix".to_owned(), AttributeValue::S(prefix.to_owned())),
            ]),
            ..Self::default()
        }
    }

    /// The items of a partition between two sort keys, both included.
    pub(crate) fn between(pk: &str, low: &str, high: &str) -> Self {
        let values = [(":pk", pk), (":low", low), (":high", high)];
        Self {
            condition: "PK = :pk AND SK BETWEEN :low AND :high",
            values: values.map(|(name, value)| (name.to_owned(), string(value))).into(),
            ..Self::default()
        }
    }

    /// The items of a whole partition.
    pub(crate) fn all(pk: String) -> Self {
        Self { condition: "PK = :pk", values: Item::from([(":pk".to_owned(), string(pk))]), ..Self::default() }
    }

    /// The items of a key's partition that stand before it.
    pub(crate) fn before(key: &Key) -> Self {
        Self {
            condition: "PK = :pk AND SK < :sk",
            values: HashMap::from([(":pk".to_owned(), string(&key.pk)), (":sk".to_owned(), string(&key.sk))]),
            ..Self::default()
        }
    }
}

/// One answer to a query.
pub(crate) struct Read {
    pub(crate) items: Vec<Item>,
    /// Where to go on; absent at the end.
    pub(crate) next: Option<Item>,
}

/// One write of a transaction, and what it means if its condition fails.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) item: TransactWriteItem,
    pub(crate) meaning: Option<Error>,
}

impl Write {
    /// Puts an item where there is none.
    pub(crate) fn create(table: &Table, key: &Key, item: Item) -> Self {
        let put = Put::builder()
            .table_name(&*table.name)
            .set_item(Some(keyed(key, item)))
            .condition_expression("attribute_not_exists(PK)")
            .build();
        Self::built(put.map(|put| TransactWriteItem::builder().put(put).build()))
    }

    /// Puts an item, whatever is there.
    pub(crate) fn put(table: &Table, item: Item) -> Self {
        let put = Put::builder().table_name(&*table.name).set_item(Some(item)).build();
        Self::built(put.map(|put| TransactWriteItem::builder().put(put).build()))
    }

    /// Demands a condition of an item that stays as it is.
    pub(crate) fn check(table: &Table, key: &Key, condition: &str, values: Item) -> Self {
        let check = ConditionCheck::builder()
            .table_name(&*table.name)
            .set_key(Some(key.attributes()))
            .condition_expression(condition)
            .set_expression_attribute_names(condition.contains("#status").then(status))
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .build();
        Self::built(check.map(|check| TransactWriteItem::builder().condition_check(check).build()))
    }

    /// Puts an item that is nothing but its key, or leaves it there.
    pub(crate) fn mark(table: &Table, key: &Key) -> Self {
        Self::put(table, key.attributes())
    }

    /// Adds to an item's numbers, which are 0 where they are not there.
    pub(crate) fn add<'a>(table: &Table, key: &Key, numbers: impl IntoIterator<Item = (&'a str, i64)>) -> Self {
        let changes = numbers.into_iter().fold(Changes::default(), |changes, (name, more)| changes.add(name, more));
        let (expression, names, values) = changes.into_expression();
        let update = Update::builder()
            .table_name(&*table.name)
            .set_key(Some(key.attributes()))
            .update_expression(expression)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .build();
        Self::built(update.map(|update| TransactWriteItem::builder().update(update).build()))
    }

    /// Deletes an item under a condition.
    pub(crate) fn delete(table: &Table, key: &Key, condition: &str, values: Item) -> Self {
        let delete = Delete::builder()
            .table_name(&*table.name)
            .set_key(Some(key.attributes()))
            .condition_expression(condition)
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .build();
        Self::built(delete.map(|delete| TransactWriteItem::builder().delete(delete).build()))
    }

    /// Deletes an item, or nothing.
    pub(crate) fn delete_item(table: &Table, key: Item) -> Self {
        let delete = Delete::builder().table_name(&*table.name).set_key(Some(key)).build();
        Self::built(delete.map(|delete| TransactWriteItem::builder().delete(delete).build()))
    }

    /// Changes an item under a condition.
    pub(crate) fn update(table: &Table, key: &Key, condition: &str, update: Changes) -> Self {
        let (expression, names, values) = update.into_expression();
        let update = Update::builder()
            .table_name(&*table.name)
            .set_key(Some(key.attributes()))
            .update_expression(expression)
            .condition_expression(condition)
            .set_expression_attribute_names((!names.is_empty()).then_some(names))
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .build();
        Self::built(update.map(|update| TransactWriteItem::builder().update(update).build()))
    }

    /// What a failed condition of this write means to the client.
    pub(crate) fn on_condition_failed(mut self, meaning: Error) -> Self {
        self.meaning = Some(meaning);
        self
    }

    fn built(item: Result<TransactWriteItem, aws_sdk_dynamodb::error::BuildError>) -> Self {
        match item {
            Ok(item) => Self { item, meaning: None },
            // The builders fail only where a field that each caller above sets is missing; an empty write is
            // refused by DynamoDB, so that even then nothing is half written.
            Err(missing) => {
                Self { item: TransactWriteItem::builder().build(), meaning: Some(Error::internal(missing)) }
            }
        }
    }
}

/// The alias of the one reserved word that conditions name.
fn status() -> HashMap<String, String> {
    HashMap::from([("#status".to_owned(), "status".to_owned())])
}

/// The parts of an update expression.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    set: Vec<String>,
    remove: Vec<String>,
    add: Vec<String>,
    names: HashMap<String, String>,
    values: Item,
}

impl Changes {
    /// What turns the item `old` into `new`, attribute by attribute, leaving all others alone.
    pub(crate) fn between(old: &Item, new: &Item) -> Self {
        let mut changes = Self::default();
        for (name, value) in new.iter().filter(|(name, value)| old.get(*name) != Some(value)) {
            changes = changes.set(name, value.clone());
        }
        for name in old.keys().filter(|name| !new.contains_key(*name)) {
            changes = changes.remove(name);
        }
        changes
    }

    pub(crate) fn set(mut self, name: &str, value: AttributeValue) -> Self {
        let at = self.name(name);
        self.set.push(format!("#{at} = :{at}"));
        self.values.insert(format!(":{at}"), value);
        self
    }

    pub(crate) fn remove(mut self, name: &str) -> Self {
        let at = self.name(name);
        self.remove.push(format!("#{at}"));
        self
    }

    /// Sets an entry of a map.
    pub(crate) fn set_in(mut self, map: &str, entry: &str, value: AttributeValue) -> Self {
        let (map, at) = (self.name(map), self.name(entry));
        self.set.push(format!("#{map}.#{at} = :{at}"));
        self.values.insert(format!(":{at}"), value);
        self
    }

    /// Removes an entry of a map.
    pub(crate) fn remove_in(mut self, map: &str, entry: &str) -> Self {
        let (map, at) = (self.name(map), self.name(entry));
        self.remove.push(format!("#{map}.#{at}"));
        self
    }

    pub(crate) fn add(mut self, name: &str, more: i64) -> Self {
        let at = self.name(name);
        self.add.push(format!("#{at} :{at}"));
        self.values.insert(format!(":{at}"), number(more));
        self
    }

    /// A value that the condition names.
    pub(crate) fn value(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    /// A name that the condition uses.
    pub(crate) fn named(mut self, alias: &str, name: &str) -> Self {
        self.names.insert(alias.to_owned(), name.to_owned());
        self
    }

    /// Attributes are named by alias, since several of them are reserved words.
    fn name(&mut self, name: &str) -> String {
        let at = format!("n{}", self.names.len());
        self.names.insert(format!("#{at}"), name.to_owned());
        at
    }

    /// The expression, its names and its values.
    pub(crate) fn into_expression(self) -> (String, HashMap<String, String>, Item) {
        let parts = [("SET", self.set), ("REMOVE", self.remove), ("ADD", self.add)];
        let parts = parts.iter().filter(|(_, part)| !part.is_empty());
        let expression = parts.map(|(verb, part)| format!("{verb} {}", part.join(", "))).collect::<Vec<_>>().join(" ");
        (expression, self.names, self.values)
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
