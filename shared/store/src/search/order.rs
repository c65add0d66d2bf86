//! The order of a list, and positions in it.

use std::cmp::Ordering;

use domain::Error;
use uuid::Uuid;

use crate::search::Sort;
use crate::search::index::Index;
use crate::search::range::Criterion;
use crate::search::schema::{ID, Kind, Schema};

/// A row's values of all fields of an order, the last of which is its id.
pub(super) type Tuple = Vec<Option<String>>;

/// One field of an order.
#[derive(Debug, Clone)]
pub(super) struct By {
    pub(super) field: String,
    pub(super) kind: Kind,
    pub(super) descending: bool,
    /// The one value that is asked for, of those that a row may have.
    pub(super) only: Option<String>,
}

/// The fields that rows are ordered by; the last one is the id.
#[derive(Debug, Clone)]
pub(super) struct Order(Vec<By>);

impl Order {
    pub(super) fn new(sorts: &[Sort], schema: &Schema) -> Result<Self, Error> {
        let by_id = Sort { field: ID.to_owned(), descending: false };
        let mut order: Vec<By> = Vec::new();
        for sort in sorts.iter().chain([&by_id]) {
            // What comes after the id, or a second time, decides nothing.
            let decided = order.iter().any(|by| by.field == ID || by.field == sort.field);
            let kind = schema.kind(&sort.field)?;
            if kind == Kind::Found {
                return Err(Error::internal("a field of several values has no order"));
            }
            if !decided {
                order.push(By { field: sort.field.clone(), kind, descending: sort.descending, only: None });
            }
        }
        Ok(Self(order))
    }

    /// The same order for the rows of one value, if that is what is asked for: where ids alone decide, the entries of a
    /// value are in the list's order, so that they are walked rather than all of them read.
    pub(super) fn among(mut self, criterion: &Criterion) -> Self {
        let by_id = matches!(self.0.as_slice(), [_]) && criterion.field != ID;
        if let Some(value) = criterion.value.as_ref().filter(|_| by_id) {
            let (field, only) = (criterion.field.clone(), Some(value.clone()));
            self.0.insert(0, By { field, kind: criterion.kind, descending: self.ids_descend(), only });
        }
        self
    }

    pub(super) fn at(&self, depth: usize) -> Option<&By> {
        self.0.get(depth)
    }

    /// The first field that is no facet, whose entries are walked.
    pub(super) fn walked(&self) -> Option<&String> {
        self.0.iter().find(|by| by.kind != Kind::Facet).map(|by| &by.field)
    }

    /// Whether ids decide between rows that are equal up to `depth`, and there.
    pub(super) fn has_no_ties(&self, depth: usize) -> bool {
        self.0.len() <= depth + 2
    }

    pub(super) fn ids_descend(&self) -> bool {
        self.0.last().is_some_and(|by| by.descending)
    }

    /// Whether buckets, or how many rows they have, matter for walking in this order.
    pub(super) fn needs_counts(&self) -> bool {
        self.0.iter().any(|by| by.kind == Kind::Facet) || !self.has_no_ties(0)
    }

    /// A row's values; it meets all filters.
    pub(super) fn tuple(&self, index: &Index) -> Tuple {
        let first = |by: &By| index.values(&by.field).next().flatten().map(str::to_owned);
        self.0.iter().map(|by| by.only.clone().or_else(|| first(by))).collect()
    }

    pub(super) fn compare(&self, one: &[Option<String>], other: &[Option<String>]) -> Ordering {
        let pairs = self.0.iter().zip(one.iter().zip(other));
        pairs
            .map(|(by, (one, other))| compare(by.descending, one.as_deref(), other.as_deref()))
            .find(|one| one.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

/// Two values in a list's order: none is last in both directions.
pub(super) fn compare(descending: bool, one: Option<&str>, other: Option<&str>) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) if descending => other.cmp(one),
        (Some(one), Some(other)) => one.cmp(other),
        (one, other) => one.is_none().cmp(&other.is_none()),
    }
}

/// The row's place in the list, for a cursor.
pub(super) fn position(tuple: &Tuple) -> Result<String, Error> {
    serde_json::to_string(tuple).map_err(Error::internal)
}

/// Where a cursor stands.
pub(super) fn parse(position: &str, order: &Order) -> Result<Tuple, Error> {
    let tuple: Tuple = serde_json::from_str(position).map_err(Error::internal)?;
    if tuple.len() != order.0.len() || id(&tuple).is_none() {
        return Err(Error::internal("the position is of another order"));
    }
    Ok(tuple)
}

/// The id, with which each tuple ends.
pub(super) fn id(tuple: &Tuple) -> Option<Uuid> {
    Uuid::try_parse(tuple.last()?.as_deref()?).ok()
}
