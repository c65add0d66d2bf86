//! Walking a directory in a list's order. Facets that lead the order part the buckets into groups; the first field that
//! is no facet is streamed; what is equal in it is ordered in memory, or, where it is much, walked by the fields that follow.

use std::collections::HashSet;
use std::ops::ControlFlow;

use domain::Error;
use futures_util::future::{BoxFuture, FutureExt as _};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::keys;
use crate::search::Indexed;
use crate::search::count::Scope;
use crate::search::merge::Merge;
use crate::search::order::{self, By};
use crate::search::partition::{Direction, Entry, Partition, Start};
use crate::search::range::Criterion;
use crate::search::rows::{Candidate, Rows};
use crate::search::schema::{ID, Kind};

/// A read unit reads so many entries.
pub(super) const ENTRIES_A_UNIT: usize = 30;

/// Rows that are cheap to collect however many they are among.
const FEW: u64 = 25;

/// What is read at once where it is not known how much of it is wanted, at most.
const MOST: usize = 400;

/// A walk that fills a page.
pub(super) struct Walk<'a, T> {
    pub(super) rows: Rows<'a, T>,
    /// The filters that are not on facets, and all that meet each, where it was possible to read them.
    sets: Vec<(&'a Criterion, Option<HashSet<Uuid>>)>,
    /// How many rows the directory has.
    population: u64,
    /// Found, and not read yet.
    pending: Vec<Candidate>,
    /// How many are read together where not all will do.
    batch: usize,
}

/// A part of a walk: the rows of some buckets whose values begin so.
#[derive(Debug, Clone)]
struct Branch {
    scope: Scope,
    /// The values of the order's first fields.
    claim: Vec<Option<String>>,
    /// Whether these are not all facets, so that entries alone do not tell which rows have them.
    pinned: bool,
    /// Whether the page begins in here.
    starts: bool,
}

impl Branch {
    fn into(&self, scope: Scope, value: &Option<String>, pinned: bool, starts: bool) -> Self {
        let claim = self.claim.iter().chain([value]).cloned().collect();
        Self { scope, claim, pinned: self.pinned || pinned, starts }
    }
}

impl<'a, T: Indexed + DeserializeOwned + Send> Walk<'a, T> {
    pub(super) fn new(rows: Rows<'a, T>, sets: Vec<(&'a Criterion, Option<HashSet<Uuid>>)>, population: u64) -> Self {
        let batch = rows.most.max(ENTRIES_A_UNIT);
        Self { rows, sets, population, pending: Vec::new(), batch }
    }

    /// Walks the rows of `scope`, until the page is full or the list at its end.
    pub(super) async fn all(&mut self, scope: Scope) -> Result<(), Error> {
        let starts = self.rows.start.is_some();
        let filled = self.walk(Branch { scope, claim: Vec::new(), pinned: false, starts }).await?;
        if filled.is_continue() { self.flush().await.map(drop) } else { Ok(()) }
    }

    /// Walks a branch, until the page is full or the branch at its end.
    fn walk(&mut self, branch: Branch) -> BoxFuture<'_, Result<ControlFlow<()>, Error>> {
        async move {
            let depth = branch.claim.len();
            let Some(by) = self.rows.order.at(depth).cloned() else { return Ok(ControlFlow::Continue(())) };
            if by.kind == Kind::Facet {
                return self.walk_groups(&branch, &by).await;
            }
            // Other fields have no entries by bucket: where few rows of all are wanted, they are collected instead.
            let sorted = by.kind == Kind::Sorted || branch.scope.whole;
            if !sorted && branch.scope.rows() <= self.balance(self.population) {
                return self.collect(&branch).await;
            }
            let decided = sorted && !branch.pinned && self.unknown(&by.field) == 0;
            if self.rows.order.has_no_ties(depth) {
                self.stream(&branch, &by, decided).await
            } else {
                self.stream_runs(&branch, &by, decided).await
            }
        }
        .boxed()
    }

    async fn walk_groups(&mut self, branch: &Branch, by: &By) -> Result<ControlFlow<()>, Error> {
        let direction = self.direction(by);
        let mut groups = branch.scope.groups(&by.field);
        groups.sort_by(|(one, _), (other, _)| direction.compare_values(one.as_deref(), other.as_deref()));
        let start = self.start(branch);
        let decided = !branch.pinned && self.sets.is_empty();
        for (value, scope) in groups {
            let starts = start.as_ref().map(|start| direction.compare_values(value.as_deref(), start.as_deref()));
            if starts.is_some_and(std::cmp::Ordering::is_lt) {
                continue;
            }
            if decided && scope.rows() <= self.rows.skip {
                self.rows.skip -= scope.rows();
                continue;
            }
            let starts = starts.is_some_and(std::cmp::Ordering::is_eq);
            if self.walk(branch.into(scope, &value, false, starts)).await?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Walks the entries of the last field that decides, which are in the list's order.
    async fn stream(&mut self, branch: &Branch, by: &By, decided: bool) -> Result<ControlFlow<()>, Error> {
        let after = self.start(branch).zip(self.rows.start.as_ref().and_then(order::id));
        let start = after.map_or(Start::First, |(value, id)| Start::After(Entry { value, id }));
        let mut merge = self.merge(branch, by, &start, decided);
        while let Some(entry) = merge.next().await? {
            if !self.is_possible(entry.id) {
                continue;
            }
            if decided && self.rows.skip > 0 {
                self.rows.skip -= 1;
                continue;
            }
            self.pending.push(candidate(branch, entry));
            let enough = if decided { self.rows.wanted() } else { self.batch };
            if self.pending.len() >= enough && self.flush().await?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        // Rows that are skipped unread must not meet others that wait.
        if decided { Ok(ControlFlow::Continue(())) } else { self.flush().await }
    }

    /// Walks the entries of a field that others follow: the rows of each value are ordered by these.
    async fn stream_runs(&mut self, branch: &Branch, by: &By, decided: bool) -> Result<ControlFlow<()>, Error> {
        if self.flush().await?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let first = self.start(branch);
        let start = first.clone().map_or(Start::First, Start::At);
        let mut merge = self.merge(branch, by, &start, decided);
        let longest = usize::try_from(self.balance(branch.scope.rows())).unwrap_or(usize::MAX);
        let (mut whole, mut run, mut value, mut read) = (Vec::new(), Vec::new(), None, 0);
        loop {
            let next = merge.next().await?;
            if next.as_ref().map(|entry| &entry.value) != value.as_ref() {
                if decided && whole.is_empty() && run.len() as u64 <= self.rows.skip {
                    self.rows.skip -= run.len() as u64;
                    run.clear();
                }
                whole.append(&mut run);
                read = 0;
                if (next.is_none() || whole.len() >= self.rows.wanted())
                    && self.rows.take(std::mem::take(&mut whole), false).await?.is_break()
                {
                    return Ok(ControlFlow::Break(()));
                }
            }
            let Some(entry) = next else { return Ok(ControlFlow::Continue(())) };
            read += 1;
            value = Some(entry.value.clone());
            let at = entry.value.clone();
            if self.is_possible(entry.id) {
                run.push(candidate(branch, entry));
            }
            if run.len() + read / ENTRIES_A_UNIT > longest && run.len() as u64 > self.rows.skip {
                run.clear();
                if self.rows.take(std::mem::take(&mut whole), false).await?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                let starts = first.as_ref().is_some_and(|first| *first == at);
                if self.walk(branch.into(branch.scope.clone(), &at, true, starts)).await?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                merge.pass(at.as_deref());
                (value, read) = (None, 0);
            }
        }
    }

    /// Reads all of a branch, to order it in memory.
    async fn collect(&mut self, branch: &Branch) -> Result<ControlFlow<()>, Error> {
        if self.flush().await?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let by_id = By { field: ID.to_owned(), kind: Kind::Sorted, descending: false };
        let mut merge = self.merge(branch, &by_id, &Start::First, false);
        let mut candidates = Vec::new();
        while let Some(Entry { id, .. }) = merge.next().await? {
            if self.is_possible(id) {
                candidates.push(Candidate { id, claim: branch.claim.clone() });
            }
        }
        self.rows.take(candidates, false).await
    }

    /// Reads the rows that wait.
    async fn flush(&mut self) -> Result<ControlFlow<()>, Error> {
        if self.pending.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        self.batch = (self.batch * 2).min(MOST);
        let pending = std::mem::take(&mut self.pending);
        self.rows.take(pending, true).await
    }

    fn merge(&self, branch: &Branch, by: &By, start: &Start, decided: bool) -> Merge<'a> {
        let directory = self.rows.directory;
        let partitions = match by.kind {
            Kind::Sorted => branch.scope.partitions(directory.name, &by.field),
            Kind::Facet | Kind::Ordered | Kind::Found => vec![keys::index(directory.name, &by.field, None)],
        };
        let ranges = self.sets.iter().map(|(criterion, _)| criterion).find(|criterion| criterion.field == by.field);
        let ranges = ranges.map(|criterion| criterion.ranges.as_slice());
        let wanted = if decided { self.rows.wanted() } else { self.rows.wanted().max(self.batch) };
        // Of many partitions, each is likely to have few of what is wanted; what a unit reads is read anyway.
        let share = if partitions.len() > 1 { wanted.saturating_mul(2) / partitions.len() } else { wanted };
        let chunk = share.max(ENTRIES_A_UNIT).saturating_add(2);
        let direction = self.direction(by);
        let partition = |pk| Partition::new(pk, ranges, direction, start, chunk);
        Merge { table: directory.table, partitions: partitions.into_iter().map(partition).collect(), direction }
    }

    /// Of how many rows collecting all costs as much as walking all of `population` for a page's worth of them.
    fn balance(&self, population: u64) -> u64 {
        (self.rows.most as u64).saturating_mul(population).isqrt().max(FEW)
    }

    /// How many filters are decided neither by sets nor by walking a field.
    fn unknown(&self, walked: &str) -> usize {
        self.sets.iter().filter(|(criterion, set)| set.is_none() && criterion.field != walked).count()
    }

    /// Whether a row meets the filters as far as is known.
    fn is_possible(&self, id: Uuid) -> bool {
        self.sets.iter().all(|(_, set)| set.as_ref().is_none_or(|set| set.contains(&id)))
    }

    fn direction(&self, by: &By) -> Direction {
        Direction { descending: by.descending, backward: self.rows.backward }
    }

    /// The value with which the page begins in a branch.
    fn start(&self, branch: &Branch) -> Option<Option<String>> {
        self.rows.start.as_ref().filter(|_| branch.starts)?.get(branch.claim.len()).cloned()
    }
}

fn candidate(branch: &Branch, entry: Entry) -> Candidate {
    let claim = branch.claim.iter().cloned().chain([entry.value]).collect();
    Candidate { id: entry.id, claim }
}
