//! What fields a directory is searched by.

use std::collections::BTreeMap;

use crate::search::value::ValueType;

/// How a field is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One of few values, or none. The rows with the same values of all facets are a bucket, which has a counter.
    Facet,
    /// One value or none; sorts and filters at flat cost within any buckets.
    Sorted,
    /// One value or none; sorts and filters at flat cost over the whole directory.
    Ordered,
    /// Any number of values; filters.
    Found,
}

/// The fields of a directory. `id` is a [`Kind::Sorted`] field of each.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    pub(super) fields: BTreeMap<String, (Kind, ValueType)>,
}

impl Schema {
    /// This schema and a field.
    #[must_use]
    pub fn with(mut self, field: &str, kind: Kind, values: ValueType) -> Self {
        self.fields.insert(field.to_owned(), (kind, values));
        self
    }
}
