//! Walking a directory in a list's order.
//!
//! Facets that lead the order part the buckets into groups. The first field that is no facet is streamed, from the
//! entries of each bucket or, where these are all, from those of the directory. What is equal in it is left to `runs.rs`.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::sync::Arc;

use domain::Error;
use futures_util::future::{BoxFuture, FutureExt as _};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::keys;
use crate::search::Indexed;
use crate::search::candidates::Limits;
use crate::search::count::Scope;
use crate::search::merge::Merge;
use crate::search::order::{self, By};
use crate::search::partition::{Direction, Entry, Partition, Start};
use crate::search::range::{Criterion, Range};
use crate::search::rows::{Candidate, Rows};
use crate::search::schema::{ID, Kind};

/// A read unit reads so many entries: they have about 130 bytes, and it has 4 KB.
pub(super) const ENTRIES_A_UNIT: usize = 30;

/// The same of a bucket, by whose name they are longer.
const OF_BUCKET_A_UNIT: usize = 22;

/// What is read at once where it is not known how much of it is wanted, at most.
const MOST: usize = 400;

/// A walk that fills a page.
pub(super) struct Walk<'a, T> {
    pub(super) rows: Rows<'a, T>,
    /// The filters that are not on facets, and all that meet each, where it was possible to read them.
    sets: Vec<(&'a Criterion, Option<HashSet<Uuid>>)>,
    pub(super) limits: Limits,
    /// How many rows the directory has.
    pub(super) population: u64,
    /// Found, and not read yet.
    pending: Vec<Candidate>,
    /// How many are read together where not all will do.
    batch: usize,
}

/// A part of a walk: the rows of some buckets whose values begin so.
#[derive(Debug, Clone)]
pub(super) struct Branch {
    pub(super) scope: Arc<Scope>,
    /// The values of the order's first fields.
    pub(super) claim: Vec<Option<String>>,
    /// Whether it takes its rows to tell who is in here; else buckets or `members` do.
    pub(super) unsure: bool,
    /// Who is in here, where buckets do not tell.
    pub(super) members: Option<Arc<HashSet<Uuid>>>,
    /// Whether the page begins in here.
    pub(super) starts: bool,
}

impl Branch {
    /// The rows in here that have a value of the order's next field.
    pub(super) fn into(&self, value: &Option<String>, starts: bool) -> Self {
        Self { claim: self.claimed(value), starts, ..self.clone() }
    }

    /// What is said of a row by where it is found in here.
    pub(super) fn claimed(&self, value: &Option<String>) -> Vec<Option<String>> {
        self.claim.iter().chain([value]).cloned().collect()
    }
}

impl<'a, T: Indexed + DeserializeOwned + Send> Walk<'a, T> {
    pub(super) fn new(
        rows: Rows<'a, T>,
        sets: Vec<(&'a Criterion, Option<HashSet<Uuid>>)>,
        limits: Limits,
        population: u64,
    ) -> Self {
        let batch = rows.most.max(ENTRIES_A_UNIT);
        Self { rows, sets, limits, population, pending: Vec::new(), batch }
    }

    /// Walks the rows of `scope`, until the page is full or the list at its end.
    pub(super) async fn all(&mut self, scope: &Scope) -> Result<(), Error> {
        let (scope, starts) = (Arc::new(scope.clone()), self.rows.start.is_some());
        self.walk(Branch { scope, claim: Vec::new(), unsure: false, members: None, starts }).await?;
        self.flush().await
    }

    /// Walks a branch, until the page is full or the branch at its end.
    pub(super) fn walk(&mut self, branch: Branch) -> BoxFuture<'_, Result<(), Error>> {
        async move {
            let depth = branch.claim.len();
            let Some(by) = self.rows.order.at(depth).cloned() else { return Ok(()) };
            if by.kind == Kind::Facet {
                return self.walk_groups(&branch, &by).await;
            }
            // Of ordered fields there are no entries by bucket: who is in the buckets is read, if it is worth it.
            let sure = by.kind == Kind::Sorted || branch.scope.whole || branch.members.is_some();
            if !sure && branch.scope.rows() <= self.longest(self.population) as u64 {
                return self.collect(branch).await;
            }
            let decided = sure && !branch.unsure && self.are_known_but(&by.field);
            if self.rows.order.has_no_ties(depth) {
                self.stream(&branch, &by, decided).await
            } else {
                self.stream_runs(&branch, &by, decided).await
            }
        }
        .boxed()
    }

    async fn walk_groups(&mut self, branch: &Branch, by: &By) -> Result<(), Error> {
        let backward = self.rows.backward;
        let compare = |one: &Option<String>, other: &Option<String>| {
            let forward = order::compare(by.descending, one.as_deref(), other.as_deref());
            if backward { forward.reverse() } else { forward }
        };
        let mut groups = branch.scope.groups(&by.field);
        groups.sort_by(|(one, _), (other, _)| compare(one, other));
        let start = self.start(branch);
        let counted = !branch.unsure && branch.members.is_none() && self.sets.is_empty();
        for (value, scope) in groups {
            let from_start = start.as_ref().map(|start| compare(&value, start));
            if from_start.is_some_and(Ordering::is_lt) {
                continue;
            }
            if counted && scope.rows() <= self.rows.skip {
                self.rows.skip -= scope.rows();
                continue;
            }
            let starts = from_start.is_some_and(Ordering::is_eq);
            self.walk(Branch { scope: Arc::new(scope), ..branch.into(&value, starts) }).await?;
            if self.rows.is_full() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Walks the entries of the last field that decides, which are in the list's order.
    async fn stream(&mut self, branch: &Branch, by: &By, decided: bool) -> Result<(), Error> {
        let after = self.start(branch).zip(self.rows.start.as_ref().and_then(order::id));
        let start = after.map_or(Start::First, |(value, id)| Start::After(Entry { value, id }));
        let mut merge = self.merge(branch, by, &start, decided);
        while let Some(entry) = merge.next().await? {
            if !self.is_possible(branch, entry.id) {
                continue;
            }
            if decided && self.rows.skip > 0 {
                self.rows.skip -= 1;
                continue;
            }
            self.pending.push(Candidate { id: entry.id, claim: branch.claimed(&entry.value) });
            let enough = if decided { self.rows.wanted() } else { self.batch };
            if self.pending.len() >= enough {
                self.flush().await?;
                if self.rows.is_full() {
                    return Ok(());
                }
            }
        }
        // What another branch skips unread must not come before rows that wait to be skipped.
        if decided { Ok(()) } else { self.flush().await }
    }

    /// Reads the rows that wait.
    pub(super) async fn flush(&mut self) -> Result<(), Error> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.batch = (self.batch * 2).min(MOST);
        let pending = std::mem::take(&mut self.pending);
        self.rows.take(pending).await.map(drop)
    }

    pub(super) fn merge(&self, branch: &Branch, by: &By, start: &Start, decided: bool) -> Merge<'a> {
        let directory = self.rows.directory;
        let partitions = match by.kind {
            Kind::Sorted => branch.scope.partitions(directory.name, &by.field),
            Kind::Facet | Kind::Ordered | Kind::Found => vec![keys::index(directory.name, &by.field, None)],
        };
        let ranges = self.sets.iter().map(|(criterion, _)| criterion).find(|criterion| criterion.field == by.field);
        let all_ids = [Range::values()];
        let ranges = match ranges {
            Some(criterion) => Some(criterion.ranges.as_slice()),
            // None is missing: that is not asked.
            None => (by.field == ID).then_some(all_ids.as_slice()),
        };
        let wanted = if decided { self.rows.wanted() } else { self.rows.wanted().max(self.batch) };
        // Of many partitions, each is likely to have few of what is wanted; what a unit reads is read anyway.
        let (share, unit) = match partitions.len() {
            0 | 1 => (wanted, ENTRIES_A_UNIT),
            many => (wanted.saturating_mul(2) / many, OF_BUCKET_A_UNIT),
        };
        let chunk = share.max(unit).saturating_add(2);
        // Where ids do not decide, they are read as they come.
        let by_ids = by.field != ID && self.rows.order.has_no_ties(branch.claim.len());
        let ids_descending = if by_ids { self.rows.order.ids_descend() } else { by.descending };
        let direction = Direction { descending: by.descending, ids_descending, backward: self.rows.backward };
        let partition = |pk| Partition::new(pk, ranges, direction, start, chunk);
        Merge { table: directory.table, partitions: partitions.into_iter().map(partition).collect(), direction }
    }

    /// Whether all filters are decided by ids, or by walking a field.
    fn are_known_but(&self, walked: &str) -> bool {
        self.sets.iter().all(|(criterion, set)| set.is_some() || criterion.field == walked)
    }

    /// Whether a row meets the filters as far as is known.
    pub(super) fn is_possible(&self, branch: &Branch, id: Uuid) -> bool {
        let is_member = branch.members.as_ref().is_none_or(|members| members.contains(&id));
        is_member && self.sets.iter().all(|(_, set)| set.as_ref().is_none_or(|set| set.contains(&id)))
    }

    /// The value with which the page begins in a branch.
    pub(super) fn start(&self, branch: &Branch) -> Option<Option<String>> {
        self.rows.start.as_ref().filter(|_| branch.starts)?.get(branch.claim.len()).cloned()
    }
}
