//! Searching what is short by its nature and read as a whole.

use domain::Error;

use crate::search::find::page;
use crate::search::index::Searched;
use crate::search::order::{self, Order};
use crate::search::range::Criterion;
use crate::search::rows::Row;
use crate::search::{Found, From, Search};

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
