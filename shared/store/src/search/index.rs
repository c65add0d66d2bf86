//! What a row is found by, and the writes that keep its entries and counters.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::search::schema::Kind;
use crate::search::value::Value;
use crate::table::{Table, Write};

/// A row that says what it is found by.
pub trait Indexed {
    /// What it is found by. It has a value or none for each facet, sorted and ordered field of its directory.
    fn index(&self) -> Index;
}

/// What a row is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    pub(super) id: Uuid,
    pub(super) facets: BTreeMap<String, Option<String>>,
    pub(super) terms: BTreeMap<(String, Option<String>), Kind>,
    pub(super) tallies: BTreeSet<String>,
}

impl Index {
    /// A row that is found by its id alone.
    #[must_use]
    pub fn new(id: Uuid) -> Self {
        let text = id.to_string();
        Self {
            id,
            facets: BTreeMap::new(),
            terms: BTreeMap::from([(("id".to_owned(), Some(text)), Kind::Sorted)]),
            tallies: BTreeSet::new(),
        }
    }

    /// Of a [`Kind::Facet`], the value or none.
    #[must_use]
    pub fn facet(mut self, field: &str, value: Option<&str>) -> Self {
        self.facets.insert(field.to_owned(), value.map(str::to_owned));
        self
    }

    /// Of a [`Kind::Sorted`] field, the value or none.
    #[must_use]
    pub fn sorted(self, field: &str, value: Option<&Value>) -> Self {
        self.term(field, Kind::Sorted, value)
    }

    /// Of a [`Kind::Ordered`] field, the value or none.
    #[must_use]
    pub fn ordered(self, field: &str, value: Option<&Value>) -> Self {
        self.term(field, Kind::Ordered, value)
    }

    /// Of a [`Kind::Found`] field, one value of those it has.
    #[must_use]
    pub fn found(self, field: &str, value: &Value) -> Self {
        self.term(field, Kind::Found, Some(value))
    }

    /// The name of a thing that is counted besides.
    #[must_use]
    pub fn tally(mut self, name: &str) -> Self {
        self.tallies.insert(name.to_owned());
        self
    }

    fn term(mut self, field: &str, kind: Kind, value: Option<&Value>) -> Self {
        self.terms.insert((field.to_owned(), value.map(Value::encoded)), kind);
        self
    }
}

/// What turns the entries and counters of `old` into those of `new`, to be written in the row's own transaction: its
/// condition guards them too. `len()` tells how many of a transaction's 100 they are.
pub(crate) fn writes(table: &Table, directory: &str, old: Option<&Index>, new: Option<&Index>) -> Vec<Write> {
    let _ = (table, directory, old, new);
    Vec::new()
}
