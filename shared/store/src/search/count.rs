//! Counters: how many rows each bucket has, and the tallies.

use std::collections::BTreeMap;

use domain::Error;

use crate::table::Table;

/// How many rows have each tally of the directory: 1 `Query`.
///
/// # Errors
/// [`Error::Unavailable`].
pub(crate) async fn tallies(table: &Table, directory: &str) -> Result<BTreeMap<String, u64>, Error> {
    let _ = (table, directory);
    Err(Error::internal("not yet"))
}
