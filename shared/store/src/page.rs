//! Windows on a sorted list: by number, after a row or before one; at the cost of what is shown.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Error;
use serde::de::DeserializeOwned;

use crate::keys::{PK, SK};
use crate::search::From;
use crate::table::{Item, Query, Table, from_item, string};

/// What part of a list is wanted.
#[derive(Debug, Clone)]
pub struct Window {
    /// How many rows at most.
    pub size: u32,
    /// Where the window begins.
    pub from: From,
    /// Newest first.
    pub descending: bool,
    /// Only rows that meet all of these.
    pub filters: Vec<Filter>,
    /// Only rows from this id on, and before that one, where they are named.
    pub ids: (Option<String>, Option<String>),
}

/// One field, and the values of which it must have one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The attribute.
    pub field: &'static str,
    /// Any of these.
    pub any_of: Vec<Wanted>,
}

/// A value that a row may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// `true` or `false`.
    Switch(bool),
    /// This word.
    Word(String),
    /// A word that begins so.
    Prefix(String),
}

/// The rows in a window.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows, in the list's order.
    pub rows: Vec<T>,
    /// Whether a row follows.
    pub more_after: bool,
    /// Whether a row comes before.
    pub more_before: bool,
}

/// Reads a window of the rows of `pk` whose sort keys are `prefix` and an id.
pub(crate) async fn read<T: DeserializeOwned>(
    table: &Table,
    pk: &str,
    prefix: &str,
    window: &Window,
) -> Result<Page<T>, Error> {
    let backwards = matches!(window.from, From::Before(_));
    let mut query = within(pk, prefix, &window.ids);
    filter(&mut query, &window.filters);
    query.descending = window.descending != backwards;
    let size = window.size as usize;
    let (mut items, seen_before) = match &window.from {
        From::Offset(offset) => (from_offset(table, query, *offset, size + 1).await?, *offset > 0),
        From::After(id) | From::Before(id) => {
            let start = Item::from([(PK.to_owned(), string(pk)), (SK.to_owned(), string(format!("{prefix}{id}")))]);
            (collect(table, &query, size + 1, Some(start)).await?, true)
        }
    };
    let more = items.len() > size;
    items.truncate(size);
    if backwards {
        items.reverse();
    }
    let (more_after, more_before) = if backwards { (true, more) } else { (more, seen_before) };
    let rows = items.into_iter().map(from_item).collect::<Result<_, _>>()?;
    Ok(Page { rows, more_after, more_before })
}

/// The rows between two ids, where there are such.
fn within(pk: &str, prefix: &str, (from, before): &(Option<String>, Option<String>)) -> Query {
    if from.is_none() && before.is_none() {
        return Query::under(pk.to_owned(), prefix);
    }
    let end = |id: &Option<String>, otherwise| format!("{prefix}{}", id.as_deref().unwrap_or(otherwise));
    let (low, high) = (end(from, ""), end(before, "~"));
    // No row has an id that a range ends before: it has no random bits. So there is none either in a range that ends
    // before it begins, which DynamoDB refuses.
    Query::between(pk, low.as_str().min(&high), &high)
}

/// Counts the rows of a window's list, as far as `cap`.
pub(crate) async fn count(table: &Table, pk: &str, prefix: &str, window: &Window, cap: u64) -> Result<u64, Error> {
    let mut query = within(pk, prefix, &window.ids);
    filter(&mut query, &window.filters);
    query.keys_only = true;
    // What is left out by a filter is read all the same.
    let limit = if query.filter.is_some() { None } else { u32::try_from(cap).ok() };
    let (mut counted, mut start) = (0, None);
    loop {
        let read = table.query(&query, limit, start).await?;
        counted += read.items.len() as u64;
        start = read.next;
        if start.is_none() || counted >= cap {
            return Ok(counted.min(cap));
        }
    }
}

fn filter(query: &mut Query, filters: &[Filter]) {
    let mut conditions = Vec::new();
    for (at, filter) in filters.iter().enumerate() {
        query.names.insert(format!("#f{at}"), filter.field.to_owned());
        let any_of = filter.any_of.iter().enumerate().map(|(nth, wanted)| {
            let name = format!(":f{at}_{nth}");
            let (value, condition) = match wanted {
                Wanted::Switch(value) => (AttributeValue::Bool(*value), format!("#f{at} = {name}")),
                Wanted::Word(word) => (string(word), format!("#f{at} = {name}")),
                Wanted::Prefix(prefix) => (string(prefix), format!("begins_with(#f{at}, {name})")),
            };
            query.values.insert(name, value);
            condition
        });
        conditions.push(format!("({})", any_of.collect::<Vec<_>>().join(" OR ")));
    }
    query.filter = (!conditions.is_empty()).then(|| conditions.join(" AND "));
}

/// Skips `offset` rows, reading only their keys, and collects the next ones.
async fn from_offset(table: &Table, query: Query, offset: u64, wanted: usize) -> Result<Vec<Item>, Error> {
    let keys = Query { keys_only: true, ..query.clone() };
    let (mut left, mut start) = (offset, None);
    while left > 0 {
        // A filter is applied after the limit: then each page's rows are counted one by one.
        let limit = u32::try_from(left).unwrap_or(u32::MAX);
        let read = table.query(&keys, Some(limit), start).await?;
        left = left.saturating_sub(read.items.len() as u64);
        start = read.next;
        if start.is_none() {
            return Ok(Vec::new());
        }
    }
    collect(table, &query, wanted, start).await
}

async fn collect(table: &Table, query: &Query, wanted: usize, mut start: Option<Item>) -> Result<Vec<Item>, Error> {
    let mut items = Vec::new();
    // With a filter, a small limit would mean many round trips for few rows.
    let limit = if query.filter.is_some() { None } else { u32::try_from(wanted).ok() };
    loop {
        let read = table.query(query, limit, start).await?;
        items.extend(read.items);
        start = read.next;
        if start.is_none() || items.len() >= wanted {
            items.truncate(wanted);
            return Ok(items);
        }
    }
}
