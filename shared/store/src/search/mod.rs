//! Searching a directory: any filters and sorts, at a cost that does not grow with it. Entries of the index are items
//! of the same table, written in the same transaction as the row, so that a search never lags.

use std::ops::ControlFlow;

use domain::Error;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::keys::Key;
use crate::table::Table;

mod candidates;
mod count;
mod index;
mod merge;
mod order;
mod partition;
mod range;
mod rows;
mod schema;
mod value;
mod walk;

#[cfg(test)]
mod tests;

use candidates::{Candidates, Plan};
use count::Scope;
pub(crate) use count::tallies;
pub(crate) use index::writes;
pub use index::{Index, Indexed, Searched};
use order::Order;
use range::Criterion;
use rows::{Candidate, Row, Rows};
pub use schema::{Kind, Schema};
pub use value::{Decimal, Value, ValueType, fold};
use walk::Walk;

/// `total` is not counted beyond this.
pub const COUNT_CAP: u64 = 10_000;

/// What is looked for, and which part of it is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// Only rows that meet all of these.
    pub filters: Vec<Filter>,
    /// The order; the id breaks ties, ascending always. Empty is by id.
    pub sort: Vec<Sort>,
    /// How many rows at most.
    pub size: u32,
    /// Where the page begins.
    pub from: From,
    /// The total and whether it was capped, where a cursor knows them: they are not counted again.
    pub total: Option<(u64, bool)>,
}

/// A field and what its value must meet. A row without a value meets no test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The field.
    pub field: String,
    /// What its value must meet.
    pub test: Test,
}

/// What a value must meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// One of these.
    AnyOf(Vec<Match>),
    /// All of these bounds that are there.
    Range {
        /// Greater than.
        gt: Option<Value>,
        /// Greater or equal.
        gte: Option<Value>,
        /// Less than.
        lt: Option<Value>,
        /// Less or equal.
        lte: Option<Value>,
    },
}

/// One value of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// This value; text is equal where it is after folding.
    Exact(Value),
    /// Values that begin so; folded where the field is text. Its first 200 bytes are compared.
    Prefix(String),
}

/// A field to sort by. Rows without a value come last in both directions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// A facet, a sorted or an ordered field, or `id`.
    pub field: String,
    /// Greatest first.
    pub descending: bool,
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// After this many rows.
    Offset(u64),
    /// After the row at this position.
    After(String),
    /// Before the row at this position.
    Before(String),
}

/// A page of what was found.
#[derive(Debug, Clone)]
pub struct Found<T> {
    /// The rows, in the list's order.
    pub rows: Vec<T>,
    /// Of each row, for cursors: opaque, and it holds values of the row, so that the edge seals it.
    pub positions: Vec<String>,
    /// Whether a row follows.
    pub more_after: bool,
    /// Whether a row comes before; a row after which a page begins is one.
    pub more_before: bool,
    /// How many rows meet the filters, as far as [`COUNT_CAP`] unless counters know it.
    pub total: u64,
    /// Whether counting stopped at [`COUNT_CAP`].
    pub capped: bool,
}

/// The part that a search wants of rows that are all in memory.
///
/// # Errors
/// [`Error::Internal`] for fields that the rows do not have, and positions of other sorts.
pub fn within<T: Searched>(rows: Vec<T>, search: &Search) -> Result<Found<T>, Error> {
    let schema = T::schema();
    let criteria = Criterion::all(&search.filters, &schema)?;
    let order = Order::new(&search.sort, &schema)?;
    let met = rows.into_iter().filter_map(|row| {
        let index = row.index();
        let meets = criteria.iter().all(|criterion| criterion.met_by(&index));
        meets.then(|| Row { tuple: order.tuple(&index), row })
    });
    let mut rows: Vec<_> = met.collect();
    rows.sort_by(|one, other| order.compare(&one.tuple, &other.tuple));
    let total = rows.len() as u64;
    // One more tells whether more follow.
    let most = search.size as usize + 1;
    match &search.from {
        From::Offset(skip) => drop(rows.drain(..rows.len().min(usize::try_from(*skip).unwrap_or(usize::MAX)))),
        From::After(position) => {
            let start = order::parse(position, &order)?;
            rows.retain(|row| order.compare(&row.tuple, &start).is_gt());
        }
        From::Before(position) => {
            let start = order::parse(position, &order)?;
            rows.retain(|row| order.compare(&row.tuple, &start).is_lt());
            rows.reverse();
        }
    }
    rows.truncate(most);
    page(rows, search, (total, false))
}

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
/// # Errors
/// [`Error::Unavailable`]; [`Error::Internal`] for fields that the schema does not have, and positions of other sorts.
pub(crate) async fn find<T: Indexed + DeserializeOwned + Send>(
    directory: &Directory<'_>,
    search: &Search,
) -> Result<Found<T>, Error> {
    let criteria = Criterion::all(&search.filters, directory.schema)?;
    let (facets, others): (Vec<_>, Vec<_>) = criteria.iter().cloned().partition(|one| one.kind == Kind::Facet);
    let order = Order::new(&search.sort, directory.schema)?;
    let start = match &search.from {
        From::Offset(_) => None,
        From::After(position) | From::Before(position) => Some(order::parse(position, &order)?),
    };
    let counted_by_buckets = others.is_empty() && search.total.is_none();
    let all = if counted_by_buckets || !facets.is_empty() || order.needs_counts() {
        Scope::read(directory).await?
    } else {
        Scope::unknown()
    };
    let scope = all.selected(&facets);
    let rows = Rows::new(directory, &order, &criteria, search, start);
    if !scope.whole && scope.buckets.is_empty() {
        return page(rows.rows, search, (0, false));
    }
    let mut candidates = Candidates::new(directory, &scope, &others);
    // One filter, on the field that is walked, narrows the walk.
    let narrows = |one: &Criterion| order.walked() == Some(&one.field) && (scope.whole || one.kind == Kind::Sorted);
    let plan = match others.as_slice() {
        [] => Plan::Walk(Some((scope.rows(), false))),
        [one] if narrows(one) && search.total.is_some() => Plan::Walk(None),
        [one] if narrows(one) => Plan::Walk(Some(candidates.count().await?)),
        [_, ..] => candidates.plan(search.total.is_none()).await?,
    };
    let (rows, total) = match plan {
        Plan::Among(ids) => among(rows, ids).await?,
        Plan::Walk(total) => {
            let mut walk = Walk::new(rows, candidates.sets(), all.rows());
            walk.all(scope.clone()).await?;
            (walk.rows, total)
        }
    };
    page(rows.rows, search, search.total.or(total).unwrap_or_default())
}

/// Finds rows among few.
async fn among<T: Indexed + DeserializeOwned>(
    mut rows: Rows<'_, T>,
    ids: Vec<Uuid>,
) -> Result<(Rows<'_, T>, Option<(u64, bool)>), Error> {
    let candidates = ids.into_iter().map(|id| Candidate { id, claim: Vec::new() });
    let mut read = rows.read(candidates.collect()).await?;
    let total = (read.len() as u64, false);
    rows.sort(&mut read);
    // Full or not, these are all.
    let (ControlFlow::Break(()) | ControlFlow::Continue(())) = rows.accept(read);
    Ok((rows, Some(total)))
}

fn page<T>(mut rows: Vec<Row<T>>, search: &Search, (total, capped): (u64, bool)) -> Result<Found<T>, Error> {
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
