//! Counters: the buckets that have rows, how many, and the tallies.

use std::collections::BTreeMap;

use domain::Error;

use crate::keys;
use crate::search::Directory;
use crate::search::range::Criterion;
use crate::table::{Query, Table};

/// The rows that have the same values of all facets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bucket {
    pub(super) name: String,
    facets: BTreeMap<String, Option<String>>,
    rows: u64,
}

/// The buckets that a walk goes through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) buckets: Vec<Bucket>,
    /// Whether these are all that have rows.
    pub(super) whole: bool,
}

impl Scope {
    /// The whole directory, whose buckets do not matter.
    pub(super) fn unknown() -> Self {
        Self { buckets: Vec::new(), whole: true }
    }

    /// The buckets of a directory: 1 `Query`.
    pub(super) async fn read(directory: &Directory<'_>) -> Result<Self, Error> {
        let bucket = |(name, rows): (String, u64)| {
            let facets = directory.schema.facets().cloned().zip(keys::bucket_facets(&name)).collect();
            Bucket { facets, name, rows }
        };
        let counts = counters(directory.table, keys::counts(directory.name)).await?;
        Ok(Self { buckets: counts.into_iter().map(bucket).collect(), whole: true })
    }

    /// The buckets that meet filters on facets.
    pub(super) fn selected(&self, criteria: &[Criterion]) -> Self {
        self.only(|bucket| {
            criteria.iter().all(|criterion| criterion.accepts(bucket.value(&criterion.field).as_deref()))
        })
    }

    /// The buckets in groups of the same value of a facet.
    pub(super) fn groups(&self, facet: &str) -> Vec<(Option<String>, Self)> {
        let mut values: Vec<_> = self.buckets.iter().map(|bucket| bucket.value(facet)).collect();
        values.sort();
        values.dedup();
        values.into_iter().map(|value| (value.clone(), self.only(|bucket| bucket.value(facet) == value))).collect()
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> u64 {
        self.buckets.iter().map(|bucket| bucket.rows).sum()
    }

    /// The partitions of a field's entries that hold these rows and no others.
    pub(super) fn partitions(&self, directory: &str, field: &str) -> Vec<String> {
        if self.whole {
            return vec![keys::index(directory, field, None)];
        }
        self.buckets.iter().map(|bucket| keys::index(directory, field, Some(&bucket.name))).collect()
    }

    fn only(&self, keep: impl Fn(&Bucket) -> bool) -> Self {
        let buckets: Vec<_> = self.buckets.iter().filter(|bucket| keep(bucket)).cloned().collect();
        Self { whole: self.whole && buckets.len() == self.buckets.len(), buckets }
    }
}

impl Bucket {
    fn value(&self, facet: &str) -> Option<String> {
        self.facets.get(facet).cloned().flatten()
    }
}

/// How many rows have each tally of the directory: 1 `Query`.
///
/// # Errors
/// [`Error::Unavailable`].
pub(crate) async fn tallies(table: &Table, directory: &str) -> Result<BTreeMap<String, u64>, Error> {
    counters(table, keys::tallies(directory)).await
}

/// The sums of a partition's counters, without those that are zero.
pub(super) async fn counters(table: &Table, pk: String) -> Result<BTreeMap<String, u64>, Error> {
    let query = Query::all(pk);
    let (mut sums, mut start): (BTreeMap<String, i64>, _) = (BTreeMap::new(), None);
    loop {
        let read = table.query(&query, None, start).await?;
        for (attribute, value) in read.items.iter().flatten() {
            let count = value.as_n().ok().and_then(|count| count.parse::<i64>().ok());
            if let (Some(name), Some(count)) = (keys::counted_name(attribute), count) {
                *sums.entry(name.to_owned()).or_default() += count;
            }
        }
        start = read.next;
        if start.is_none() {
            let sums = sums.into_iter().filter_map(|(name, sum)| Some((name, u64::try_from(sum).ok()?)));
            return Ok(sums.filter(|(_, sum)| *sum > 0).collect());
        }
    }
}
