//! Finds what a search asks for.

use domain::Error;
use futures_util::future::try_join;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::keys::Key;
use crate::search::candidates::{Candidates, Limits, Plan};
use crate::search::count::Scope;
use crate::search::index::Indexed;
use crate::search::order::{self, Order};
use crate::search::range::Criterion;
use crate::search::rows::{Candidate, Row, Rows};
use crate::search::schema::{Kind, Schema};
use crate::search::walk::{ENTRIES_A_UNIT, Walk};
use crate::search::{COUNT_CAP, Found, From, Search};
use crate::table::Table;

/// A directory, and where its rows live.
pub(crate) struct Directory<'a> {
    pub(crate) table: &'a Table,
    /// What its keys are named by: `S#{segment}`, `M#{membership}`.
    pub(crate) name: &'a str,
    pub(crate) schema: &'a Schema,
    /// The key of a row.
    pub(crate) key_of: &'a (dyn Fn(Uuid) -> Key + Sync),
}

/// Finds the rows of a directory that meet a search.
///
/// For a page of rows: a read unit a row, one or two for the entries of each bucket that facets select, and one for the
/// counters. Filters on other fields cost besides what their ids do, 30 a unit, as far as [`COUNT_CAP`]: one filter for
/// one value, or on the field that is sorted by, on the first page alone, which counts them.
///
/// # Errors
/// [`Error::Unavailable`]; [`Error::Internal`] for fields that the schema does not have, and positions of other sorts.
pub(crate) async fn find<T: Indexed + DeserializeOwned + Send>(
    directory: &Directory<'_>,
    search: &Search,
) -> Result<Found<T>, Error> {
    let count = usize::try_from(COUNT_CAP).unwrap_or(usize::MAX);
    find_within(directory, search, Limits { few: 1_000, count, unit: ENTRIES_A_UNIT }).await
}

pub(super) async fn find_within<T: Indexed + DeserializeOwned + Send>(
    directory: &Directory<'_>,
    search: &Search,
    limits: Limits,
) -> Result<Found<T>, Error> {
    let criteria = Criterion::all(&search.filters, directory.schema)?;
    let (facets, others): (Vec<_>, Vec<_>) = criteria.iter().cloned().partition(|one| one.kind == Kind::Facet);
    let mut order = Order::new(&search.sort, directory.schema)?;
    if let [one] = others.as_slice()
        && (facets.is_empty() || one.kind == Kind::Sorted)
    {
        order = order.among(one);
    }
    let start = match &search.from {
        From::Offset(_) => None,
        From::After(position) | From::Before(position) => Some(order::parse(position, &order)?),
    };
    let by_buckets = !facets.is_empty() || order.needs_counts();
    let all = if by_buckets { Scope::read(directory).await? } else { Scope::unknown() };
    let scope = all.selected(&facets);
    let rows = Rows::new(directory, &order, &criteria, search, start);
    if by_buckets && scope.buckets.is_empty() {
        return page(rows.rows, search, (0, false));
    }
    let mut candidates = Candidates::new(directory, &scope, &others, limits);
    // One filter, on the field that is walked, narrows the walk.
    let narrows = |one: &Criterion| order.walked() == Some(&one.field) && (scope.whole || one.kind == Kind::Sorted);
    let walk = |rows, sets| Walk::new(rows, sets, limits, all.rows());
    let (rows, total) = match others.as_slice() {
        [] => {
            let mut walk = walk(rows, Vec::new());
            let counted = async {
                let read = if by_buckets { scope.clone() } else { Scope::read(directory).await? };
                Ok((read.rows(), false))
            };
            let (total, ()) = try_join(known_or(search, counted), walk.all(&scope)).await?;
            (walk.rows, Some(total))
        }
        [one] if narrows(one) => {
            let mut walk = walk(rows, vec![(one, None)]);
            let (total, ()) = try_join(known_or(search, candidates.count()), walk.all(&scope)).await?;
            (walk.rows, Some(total))
        }
        // More meet each filter than are counted: what is read of them would not be all, and no use.
        [_, ..] if search.total.is_some_and(|(_, capped)| capped) => {
            let mut walk = walk(rows, candidates.sets());
            walk.all(&scope).await?;
            (walk.rows, None)
        }
        [_, ..] => match candidates.plan(search.total.is_none()).await? {
            Plan::Among(ids) => among(rows, ids, limits).await?,
            Plan::Walk(total) => {
                let mut walk = walk(rows, candidates.sets());
                walk.all(&scope).await?;
                (walk.rows, total)
            }
        },
    };
    page(rows.rows, search, search.total.or(total).unwrap_or_default())
}

/// The total that a cursor knows, or else what is counted.
async fn known_or(
    search: &Search,
    counted: impl Future<Output = Result<(u64, bool), Error>>,
) -> Result<(u64, bool), Error> {
    match search.total {
        Some(known) => Ok(known),
        None => counted.await,
    }
}

/// Finds rows among few.
async fn among<T: Indexed + DeserializeOwned>(
    mut rows: Rows<'_, T>,
    ids: Vec<Uuid>,
    limits: Limits,
) -> Result<(Rows<'_, T>, Option<(u64, bool)>), Error> {
    let candidates = ids.into_iter().map(|id| Candidate { id, claim: Vec::new() });
    let found = rows.take(candidates.collect()).await?;
    Ok((rows, Some(limits.capped(found))))
}

/// The page of rows that are one more than it takes where more follow.
pub(super) fn page<T>(mut rows: Vec<Row<T>>, search: &Search, (total, capped): (u64, bool)) -> Result<Found<T>, Error> {
    let more = rows.len() > search.size as usize;
    rows.truncate(search.size as usize);
    let (more_after, more_before) = match search.from {
        From::Offset(skipped) => (more, skipped > 0 && total > 0),
        From::After(_) => (more, true),
        From::Before(_) => {
            rows.reverse();
            (true, more)
        }
    };
    let positions = rows.iter().map(|row| order::position(&row.tuple)).collect::<Result<_, _>>()?;
    let rows = rows.into_iter().map(|row| row.row).collect();
    Ok(Found { rows, positions, more_after, more_before, total, capped })
}
