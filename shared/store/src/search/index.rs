//! What a row is found by, and the writes that keep its entries and counters.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::keys::{self, Key};
use crate::search::schema::{ID, Kind, Schema};
use crate::search::value::Value;
use crate::table::{Table, Write};

/// Counters are so many items each, against contention: a row always writes the same one.
const SHARDS: u8 = 16;

/// A row that says what it is found by.
pub trait Indexed {
    /// What it is found by. It has a value or none for each facet, sorted and ordered field of its directory.
    fn index(&self) -> Index;
}

/// A kind of row whose directories all have the same fields.
pub trait Searched: Indexed {
    /// What its directories are searched by.
    fn schema() -> Schema;
}

/// What a row is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    pub(super) id: Uuid,
    facets: BTreeMap<String, Option<String>>,
    /// The encoded value or none, and how it is found.
    terms: BTreeMap<(String, Option<String>), Kind>,
    tallies: BTreeSet<String>,
}

impl Index {
    /// A row that is found by its id alone.
    #[must_use]
    pub fn new(id: Uuid) -> Self {
        let empty = Self { id, facets: BTreeMap::new(), terms: BTreeMap::new(), tallies: BTreeSet::new() };
        empty.sorted(ID, Some(&Value::word(id)))
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

    /// The encoded values of a field: none, one `None` where it is missing, or those it has.
    pub(super) fn values(&self, field: &str) -> impl Iterator<Item = Option<&str>> {
        let facet = self.facets.get(field).map(Option::as_deref);
        let from = (field.to_owned(), None);
        let terms = self.terms.range(from..).map(|((name, value), _)| (name, value.as_deref()));
        facet.into_iter().chain(terms.take_while(move |(name, _)| *name == field).map(|(_, value)| value))
    }

    pub(super) fn bucket(&self) -> String {
        keys::bucket(self.facets.values().map(Option::as_deref))
    }

    /// Where its entries stand in a directory.
    pub(crate) fn entries(&self, directory: &str) -> BTreeSet<Key> {
        let bucket = self.bucket();
        let mut entries = BTreeSet::new();
        for ((field, value), kind) in &self.terms {
            let place = keys::place(value.as_deref(), self.id);
            // Without facets there is but one bucket: the directory.
            if *kind == Kind::Sorted && !self.facets.is_empty() {
                entries.insert(Key { pk: keys::index(directory, field, Some(&bucket)), sk: place.clone() });
            }
            entries.insert(Key { pk: keys::index(directory, field, None), sk: place });
        }
        entries
    }
}

/// What turns the entries and counters of `old` into those of `new`, to be written in the row's own transaction, whose
/// condition on the row guards them too. Only what differs; `len()` tells how many of a transaction's
/// [`TRANSACTION`](crate::table::TRANSACTION) they are.
pub(crate) fn writes(table: &Table, directory: &str, old: Option<&Index>, new: Option<&Index>) -> Vec<Write> {
    let entries = |index: Option<&Index>| index.map(|index| index.entries(directory)).unwrap_or_default();
    let (had, has) = (entries(old), entries(new));
    let gone = had.difference(&has).map(|key| Write::delete_item(table, key.attributes()));
    let mut writes: Vec<_> = gone.chain(has.difference(&had).map(|key| Write::mark(table, key))).collect();
    let Some(shard) = old.or(new).map(|index| shard(index.id)) else { return writes };
    let bucket = |index: Option<&Index>| index.map(|index| BTreeSet::from([index.bucket()])).unwrap_or_default();
    let tallies = |index: Option<&Index>| index.map(|index| index.tallies.clone()).unwrap_or_default();
    let counters =
        [(keys::counts(directory), bucket(old), bucket(new)), (keys::tallies(directory), tallies(old), tallies(new))];
    for (pk, had, has) in counters.into_iter().filter(|(_, had, has)| had != has) {
        let changed = had.symmetric_difference(&has);
        let changed: Vec<_> =
            changed.map(|name| (keys::counted(name), if has.contains(name) { 1 } else { -1 })).collect();
        let numbers = changed.iter().map(|(name, more)| (name.as_str(), *more));
        writes.push(Write::add(table, &keys::counter(pk, shard), numbers));
    }
    writes
}

fn shard(id: Uuid) -> u8 {
    keys::shard(id, SHARDS)
}
