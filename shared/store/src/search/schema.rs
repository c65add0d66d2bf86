//! What fields a directory is searched by.

use std::collections::BTreeMap;

use domain::Error;

use crate::search::value::ValueType;

/// The field that each row has.
pub(super) const ID: &str = "id";

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
#[derive(Debug, Clone)]
pub struct Schema {
    fields: BTreeMap<String, (Kind, ValueType)>,
}

impl Default for Schema {
    fn default() -> Self {
        Self { fields: BTreeMap::from([(ID.to_owned(), (Kind::Sorted, ValueType::Word))]) }
    }
}

impl Schema {
    /// This schema and a field.
    #[must_use]
    pub fn with(mut self, field: &str, kind: Kind, values: ValueType) -> Self {
        self.fields.insert(field.to_owned(), (kind, values));
        self
    }

    pub(super) fn kind(&self, field: &str) -> Result<Kind, Error> {
        self.field(field).map(|(kind, _)| kind)
    }

    pub(super) fn field(&self, field: &str) -> Result<(Kind, ValueType), Error> {
        self.fields
            .get(field)
            .copied()
            .ok_or_else(|| Error::internal(format!("there is no field {field} to search by")))
    }

    /// The facets, in the order in which buckets have their values.
    pub(super) fn facets(&self) -> impl Iterator<Item = &String> {
        self.fields.iter().filter(|(_, (kind, _))| *kind == Kind::Facet).map(|(field, _)| field)
    }
}
