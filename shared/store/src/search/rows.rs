//! The rows of a page, as they are found: read by their ids, tested again, skipped, collected.

use std::collections::{HashMap, HashSet};

use domain::Error;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::search::order::{self, Order, Tuple};
use crate::search::range::Criterion;
use crate::search::{Directory, From, Indexed, Search};
use crate::table::from_item;

/// An id that was found, and the values by which it was: the first of its row's [`Tuple`].
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) id: Uuid,
    pub(super) claim: Vec<Option<String>>,
}

/// A row and its values.
pub(super) struct Row<T> {
    pub(super) tuple: Tuple,
    pub(super) row: T,
}

/// Collects a page.
pub(super) struct Rows<'a, T> {
    pub(super) directory: &'a Directory<'a>,
    pub(super) order: &'a Order,
    pub(super) backward: bool,
    /// All filters.
    criteria: &'a [Criterion],
    /// Only rows beyond this one.
    pub(super) start: Option<Tuple>,
    /// How many rows are left out still.
    pub(super) skip: u64,
    /// How many rows are collected at most.
    pub(super) most: usize,
    pub(super) rows: Vec<Row<T>>,
    seen: HashSet<Uuid>,
}

impl<'a, T: Indexed + DeserializeOwned> Rows<'a, T> {
    pub(super) fn new(
        directory: &'a Directory<'a>,
        order: &'a Order,
        criteria: &'a [Criterion],
        search: &Search,
        start: Option<Tuple>,
    ) -> Self {
        let skip = if let From::Offset(skip) = search.from { skip } else { 0 };
        let backward = matches!(search.from, From::Before(_));
        // One more tells whether more follow.
        let most = search.size as usize + 1;
        Self { directory, order, backward, criteria, start, skip, most, rows: Vec::new(), seen: HashSet::new() }
    }

    /// How many more rows are wanted, with those to be skipped.
    pub(super) fn wanted(&self) -> usize {
        usize::try_from(self.skip).unwrap_or(usize::MAX).saturating_add(self.most - self.rows.len())
    }

    /// Whether no more rows are wanted.
    pub(super) fn is_full(&self) -> bool {
        self.rows.len() >= self.most
    }

    /// Reads rows and takes them in their order; how many were found.
    pub(super) async fn take(&mut self, candidates: Vec<Candidate>) -> Result<usize, Error> {
        let mut rows = self.read(candidates).await?;
        rows.sort_by(|one, other| self.compare(&one.tuple, &other.tuple));
        let found = rows.len();
        self.accept(rows);
        Ok(found)
    }

    /// The rows that are there, meet the filters, and are as they were found to be. Another may have changed them
    /// since, so that a row is found twice, or no more.
    async fn read(&mut self, candidates: Vec<Candidate>) -> Result<Vec<Row<T>>, Error> {
        let ids: HashSet<_> = candidates.iter().map(|candidate| candidate.id).collect();
        let keys = ids.into_iter().map(|id| (self.directory.key_of)(id).attributes()).collect();
        let mut found = HashMap::new();
        for item in self.directory.table.get_all(keys).await? {
            let row: T = from_item(item)?;
            let index = row.index();
            if self.criteria.iter().all(|criterion| criterion.met_by(&index)) {
                found.insert(index.id, Row { tuple: self.order.tuple(&index), row });
            }
        }
        let as_found = |Candidate { id, claim }: Candidate| {
            let is_so = found.get(&id).is_some_and(|row| row.tuple.starts_with(&claim));
            if is_so { found.remove(&id) } else { None }
        };
        Ok(candidates.into_iter().filter_map(as_found).collect())
    }

    fn accept(&mut self, rows: Vec<Row<T>>) {
        for row in rows {
            if self.is_full() {
                return;
            }
            let beyond = self.start.as_ref().is_none_or(|start| self.compare(&row.tuple, start).is_gt());
            if !beyond || !self.seen.insert(order::id(&row.tuple).unwrap_or_default()) {
                continue;
            }
            if self.skip > 0 {
                self.skip -= 1;
            } else {
                self.rows.push(row);
            }
        }
    }

    fn compare(&self, one: &Tuple, other: &Tuple) -> std::cmp::Ordering {
        let forward = self.order.compare(one, other);
        if self.backward { forward.reverse() } else { forward }
    }
}
