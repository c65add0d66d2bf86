//! What is asked of a segment's users.

use domain::Status;
use store::search::{Filter, Match, Sort, Test, Value};

/// Orders of a list: by one field, by two of few values, by one of few values and one of many.
const SORTS: [&str; 5] = ["id", "email", "last_name", "status,-gender", "identification_type,-identification_value"];

/// Which statuses are asked for; all of a segment's users have one of the two.
const STATUSES: [&[Status]; 4] = [&[], &[Status::Active, Status::Blocked], &[Status::Active], &[Status::Blocked]];

/// A list in words, and how it is asked for.
pub(crate) struct Case {
    pub(crate) what: String,
    pub(crate) sort: Vec<Sort>,
    pub(crate) statuses: &'static [Status],
}

impl Case {
    /// Every order of all, and of those who have one of some statuses.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        SORTS.into_iter().flat_map(|sort| STATUSES.into_iter().map(move |statuses| Self::new(sort, statuses)))
    }

    fn new(sort: &str, statuses: &'static [Status]) -> Self {
        let names: Vec<_> = statuses.iter().map(|status| status.as_str()).collect();
        let what = match names.as_slice() {
            [] => format!("sort={sort}"),
            names => format!("sort={sort}, status={}", names.join(",")),
        };
        let sort = sort.split(',').map(|sort| {
            let (field, descending) = sort.strip_prefix('-').map_or((sort, false), |field| (field, true));
            Sort { field: field.to_owned(), descending }
        });
        Self { what, sort: sort.collect(), statuses }
    }

    pub(crate) fn filters(&self) -> Vec<Filter> {
        if self.statuses.is_empty() {
            return Vec::new();
        }
        let values = self.statuses.iter().map(|status| Match::Exact(Value::word(status.as_str())));
        vec![Filter { field: "status".to_owned(), test: Test::AnyOf(values.collect()) }]
    }

    /// Whether a user of this status is asked for.
    pub(crate) fn asks_for(&self, status: Status) -> bool {
        self.statuses.is_empty() || self.statuses.contains(&status)
    }
}
