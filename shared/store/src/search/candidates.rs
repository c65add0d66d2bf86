//! All ids that meet filters, as far as it is worth reading them: to order few rows in memory, to test what a walk meets
//! without reading it, and to count.

use std::collections::HashSet;

use domain::Error;
use futures_util::future::try_join_all;
use uuid::Uuid;

use crate::keys::{self, SK};
use crate::search::count::Scope;
use crate::search::range::{Criterion, Range};
use crate::search::schema::{ID, Kind};
use crate::search::walk::ENTRIES_A_UNIT;
use crate::search::{COUNT_CAP, Directory};
use crate::table::{Item, Query, Table};

/// So many rows are read rather than their order walked.
const FEW: usize = 1_000;

/// How the rows that meet filters are found.
pub(super) enum Plan {
    /// Among these, which are read.
    Among(Vec<Uuid>),
    /// By walking the list's order; the total and whether it is capped, where it was asked for.
    Walk(Option<(u64, bool)>),
}

/// The ids that meet each of several filters.
pub(super) struct Candidates<'a> {
    directory: &'a Directory<'a>,
    scope: &'a Scope,
    sources: Vec<Source<'a>>,
}

/// The ids that meet one filter.
struct Source<'a> {
    /// Without one, the rows of the scope.
    criterion: Option<&'a Criterion>,
    /// What is left to read.
    spans: Vec<Span>,
    ids: HashSet<Uuid>,
}

/// A range of a partition.
struct Span {
    pk: String,
    range: Range,
    after: Option<Item>,
}

impl<'a> Candidates<'a> {
    pub(super) fn new(directory: &'a Directory<'a>, scope: &'a Scope, criteria: &'a [Criterion]) -> Self {
        let source = |criterion: &'a Criterion| {
            let partitions = match criterion.kind {
                Kind::Sorted => scope.partitions(directory.name, &criterion.field),
                Kind::Facet | Kind::Ordered | Kind::Found => vec![keys::index(directory.name, &criterion.field, None)],
            };
            Source::new(Some(criterion), partitions, &criterion.ranges)
        };
        Self { directory, scope, sources: criteria.iter().map(source).collect() }
    }

    /// How many meet the one filter there is: reading all, as far as [`COUNT_CAP`].
    pub(super) async fn count(&mut self) -> Result<(u64, bool), Error> {
        self.read(CAP).await?;
        Ok(capped(self.overlap()))
    }

    /// Finds the cheapest way, and how many rows there are where that is `asked` for.
    pub(super) async fn plan(&mut self, asked: bool) -> Result<Plan, Error> {
        self.read(FEW).await?;
        if let Some(few) = self.smallest().filter(|source| source.ids.len() <= FEW) {
            return Ok(Plan::Among(few.ids.iter().copied().collect()));
        }
        self.read(CAP).await?;
        if !asked {
            return Ok(Plan::Walk(None));
        }
        let in_scope = |source: &Source<'_>| source.criterion.is_some_and(|criterion| criterion.kind == Kind::Sorted);
        if !self.scope.whole && !self.sources.iter().any(in_scope) {
            let partitions = self.scope.partitions(self.directory.name, ID);
            self.sources.push(Source::new(None, partitions, &[Range::values()]));
        }
        let mut most = CAP;
        loop {
            self.read(most).await?;
            let both = self.overlap();
            let unread = || self.sources.iter().filter(|source| !source.spans.is_empty());
            if both > CAP || unread().next().is_none() {
                return Ok(Plan::Walk(Some(capped(both))));
            }
            let read: usize = unread().map(|source| source.ids.len()).sum();
            if let Some(source) = self.smallest().filter(|source| source.ids.len() * ENTRIES_A_UNIT < read) {
                return Ok(Plan::Among(source.ids.iter().copied().collect()));
            }
            most += CAP;
        }
    }

    /// The filters, each with its ids where these are all.
    pub(super) fn sets(self) -> Vec<(&'a Criterion, Option<HashSet<Uuid>>)> {
        let sets = self.sources.into_iter().filter_map(|source| {
            let ids = source.spans.is_empty().then_some(source.ids);
            Some((source.criterion?, ids))
        });
        sets.collect()
    }

    /// Reads each filter's ids, until they are more than `most` or all.
    async fn read(&mut self, most: usize) -> Result<(), Error> {
        let table = self.directory.table;
        try_join_all(self.sources.iter_mut().map(|source| source.read(table, most))).await.map(drop)
    }

    /// The filter of the fewest ids, of those that were read to the end.
    fn smallest(&self) -> Option<&Source<'a>> {
        self.sources.iter().filter(|source| source.spans.is_empty()).min_by_key(|source| source.ids.len())
    }

    /// How many ids that have been read meet all filters.
    fn overlap(&self) -> usize {
        let Some(least) = self.sources.iter().min_by_key(|source| source.ids.len()) else { return 0 };
        let met = |id: &&Uuid| self.sources.iter().all(|source| source.ids.contains(id));
        least.ids.iter().filter(met).count()
    }
}

impl<'a> Source<'a> {
    fn new(criterion: Option<&'a Criterion>, partitions: Vec<String>, ranges: &[Range]) -> Self {
        let span = |pk: &String, range: &Range| Span { pk: pk.clone(), range: range.clone(), after: None };
        let spans = partitions.iter().flat_map(|pk| ranges.iter().map(move |range| span(pk, range)));
        Self { criterion, spans: spans.collect(), ids: HashSet::new() }
    }

    async fn read(&mut self, table: &Table, most: usize) -> Result<(), Error> {
        while self.ids.len() <= most && !self.spans.is_empty() {
            let share = (most + 1 - self.ids.len()) / self.spans.len();
            let limit = u32::try_from(share.max(ENTRIES_A_UNIT)).unwrap_or(u32::MAX);
            let spans = std::mem::take(&mut self.spans);
            for (ids, rest) in try_join_all(spans.into_iter().map(|span| span.read(table, limit))).await? {
                self.ids.extend(ids);
                self.spans.extend(rest);
            }
        }
        Ok(())
    }
}

impl Span {
    /// Some ids, and what is left.
    async fn read(self, table: &Table, limit: u32) -> Result<(Vec<Uuid>, Option<Self>), Error> {
        let mut query = Query::between(&self.pk, &self.range.low, &self.range.high);
        query.keys_only = true;
        let read = table.query(&query, Some(limit), self.after.clone()).await?;
        let id = |item: &Item| keys::placed(item.get(SK)?.as_s().ok()?).map(|(_, id)| id);
        let ids = read.items.iter().filter_map(id).collect();
        Ok((ids, read.next.map(|next| Self { after: Some(next), ..self })))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "it fits where a usize has 16 bits")]
const CAP: usize = COUNT_CAP as usize;

fn capped(count: usize) -> (u64, bool) {
    (count.min(CAP) as u64, count > CAP)
}
