//! All ids that meet filters, as far as it is worth reading them: to order few rows in memory, to test what a walk
//! meets without reading it, and to count.

use std::collections::HashSet;

use domain::Error;
use futures_util::future::try_join_all;
use uuid::Uuid;

use crate::keys::{self, SK};
use crate::search::Directory;
use crate::search::count::Scope;
use crate::search::range::{Criterion, Range};
use crate::search::schema::{ID, Kind};
use crate::table::{Item, Query, Table};

/// How the rows that meet filters are found.
pub(super) enum Plan {
    /// Among these, which are read.
    Among(Vec<Uuid>),
    /// By walking the list's order; the total and whether it is capped, where it was asked for.
    Walk(Option<(u64, bool)>),
}

/// What is worth reading.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// So many rows that meet a filter are read rather than their order walked.
    pub(super) few: usize,
    /// What is not counted beyond.
    pub(super) count: usize,
    /// A read unit reads so many entries.
    pub(super) unit: usize,
}

/// The ids that meet each of several filters.
pub(super) struct Candidates<'a> {
    directory: &'a Directory<'a>,
    scope: &'a Scope,
    sources: Vec<Source<'a>>,
    limits: Limits,
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
    pub(super) fn new(
        directory: &'a Directory<'a>,
        scope: &'a Scope,
        criteria: &'a [Criterion],
        limits: Limits,
    ) -> Self {
        let source = |criterion: &'a Criterion| {
            let partitions = match criterion.kind {
                Kind::Sorted => scope.partitions(directory.name, &criterion.field),
                Kind::Facet | Kind::Ordered | Kind::Found => vec![keys::index(directory.name, &criterion.field, None)],
            };
            Source::new(Some(criterion), partitions, &criterion.ranges)
        };
        Self { directory, scope, sources: criteria.iter().map(source).collect(), limits }
    }

    /// How many meet the one filter there is: reading all, as far as the limit.
    pub(super) async fn count(&mut self) -> Result<(u64, bool), Error> {
        self.read(self.limits.count).await?;
        Ok(self.limits.capped(self.overlap()))
    }

    /// Finds the cheapest way, and how many rows there are where that is `asked` for.
    pub(super) async fn plan(&mut self, asked: bool) -> Result<Plan, Error> {
        let Limits { few, count, unit } = self.limits;
        let in_scope = |source: &Source<'_>| source.criterion.is_some_and(|criterion| criterion.kind == Kind::Sorted);
        let unscoped = !self.scope.whole && !self.sources.iter().any(in_scope);
        if unscoped && self.scope.rows() <= few as u64 {
            self.add_scope();
        }
        self.read(few).await?;
        if let Some(source) = self.smallest().filter(|source| source.ids.len() <= few) {
            return Ok(Plan::Among(source.ids.iter().copied().collect()));
        }
        self.read(count).await?;
        if !asked {
            return Ok(Plan::Walk(None));
        }
        if unscoped {
            self.add_scope();
        }
        let mut most = count;
        loop {
            self.read(most).await?;
            let both = self.overlap();
            let unread = || self.sources.iter().filter(|source| !source.spans.is_empty());
            if both > count || unread().next().is_none() {
                return Ok(Plan::Walk(Some(self.limits.capped(both))));
            }
            let read: usize = unread().map(|source| source.ids.len()).sum();
            if let Some(source) = self.smallest().filter(|source| source.ids.len() * unit < read) {
                return Ok(Plan::Among(source.ids.iter().copied().collect()));
            }
            most += count;
        }
    }

    /// The rows of the scope are what filters on facets ask for.
    fn add_scope(&mut self) {
        let partitions = self.scope.partitions(self.directory.name, ID);
        self.sources.push(Source::new(None, partitions, &[Range::values()]));
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
        let (table, unit) = (self.directory.table, self.limits.unit);
        try_join_all(self.sources.iter_mut().map(|source| source.read(table, most, unit))).await.map(drop)
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

    async fn read(&mut self, table: &Table, most: usize, unit: usize) -> Result<(), Error> {
        while self.ids.len() <= most && !self.spans.is_empty() {
            let share = (most + 1 - self.ids.len()) / self.spans.len();
            let limit = u32::try_from(share.max(unit)).unwrap_or(u32::MAX);
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

impl Limits {
    /// A count as far as it is shown, and whether that is not all.
    pub(super) fn capped(self, count: usize) -> (u64, bool) {
        (count.min(self.count) as u64, count > self.count)
    }
}
