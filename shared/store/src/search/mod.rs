//! Searching a directory: any filters and sorts, at a cost that does not grow with it.
//!
//! Entries of the index are items of the same table, written in the same transaction as the row, so that a search never
//! lags. They carry keys alone; rows are read by their ids.

mod candidates;
mod count;
mod find;
mod index;
mod merge;
mod order;
mod partition;
mod range;
mod rows;
mod runs;
mod schema;
mod value;
mod walk;
mod within;

#[cfg(test)]
mod tests;

pub(crate) use count::tallies;
pub(crate) use find::{Directory, find};
pub(crate) use index::writes;
pub use index::{Index, Indexed, Searched};
pub use schema::{Kind, Schema};
pub use value::{Decimal, Value, ValueType, fold};
pub use within::within;

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

impl<T> Found<T> {
    /// The same page with its rows as something else, one for one.
    #[must_use]
    pub fn with_rows<U>(self, rows: Vec<U>) -> Found<U> {
        let Self { positions, more_after, more_before, total, capped, .. } = self;
        Found { rows, positions, more_after, more_before, total, capped }
    }
}
