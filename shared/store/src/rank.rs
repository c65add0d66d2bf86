//! Exact ranking at any size: a counted trie over points.

use domain::Error;
use uuid::Uuid;

use crate::table::{Table, Write};

/// What turns the points of `id` from `old` into `new`, to be written in the row's own transaction.
pub(crate) fn writes(table: &Table, directory: &str, id: Uuid, old: Option<i64>, new: Option<i64>) -> Vec<Write> {
    let _ = (table, directory, id, old, new);
    Vec::new()
}

/// How many have strictly more points.
///
/// # Errors
/// [`Error::Unavailable`].
pub(crate) async fn above(table: &Table, directory: &str, points: i64) -> Result<u64, Error> {
    let _ = (table, directory, points);
    Err(Error::internal("not yet"))
}
