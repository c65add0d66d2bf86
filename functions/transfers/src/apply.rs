//! The rows of a batch become users, many at once; rows that could meet each other one after the other.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use domain::segment::IdentificationScope;
use domain::transfer::RowStatus;
use domain::user::{Unique, rounds};
use domain::{Body as _, Error, FieldError, Import, Segment, UserFields, UserId};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use uuid::{Builder, Uuid};

use crate::Transfers;
use crate::batch::ImportRow;
use crate::report::{RowResult, errors_of};

/// So many rows are done at once.
const AT_ONCE: usize = 16;

/// After so many rows it is asked again whether the segment is still there, so that none outlives its erasing.
const LOOK: usize = 64;

/// An import that is under way.
pub(crate) struct Importing<'a> {
    pub(crate) transfers: &'a Transfers,
    pub(crate) import: &'a Import,
    /// The unique values that a rehearsal has let a row have.
    pub(crate) claimed: Mutex<HashSet<(&'static str, String)>>,
}

impl<'a> Importing<'a> {
    pub(crate) fn new(transfers: &'a Transfers, import: &'a Import) -> Self {
        Self { transfers, import, claimed: Mutex::default() }
    }

    /// What comes of each row, in their order.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the segment is gone; [`Error::Unavailable`] where all of them are to be done again.
    pub(crate) async fn all(&self, rows: Vec<ImportRow>) -> Result<Vec<RowResult>, Error> {
        let mut results = Vec::new();
        for round in rounds(rows, claims) {
            for some in chunks(round) {
                let segment = self.transfers.store.segment(self.import.segment_id).await?;
                let done = some.into_iter().map(|row| self.one(&segment, row));
                // Where one has to be done again, all have: the others are left as they are.
                let done: Vec<_> = stream::iter(done).buffer_unordered(AT_ONCE).try_collect().await?;
                results.extend(done);
            }
        }
        results.sort_by_key(|result| result.row);
        Ok(results)
    }

    async fn one(&self, segment: &Segment, row: ImportRow) -> Result<RowResult, Error> {
        let (number, line) = (row.number, row.line);
        let result = |status, id, errors| RowResult { row: number, line, status, id, errors };
        Ok(match self.applied(segment, row).await {
            Ok((status, id)) => result(status, id, Vec::new()),
            Err(error) => result(RowStatus::Failed, None, errors_of(error)?),
        })
    }

    /// Whether no row before has been let have one of these values; they are this one's now.
    pub(crate) fn claims(&self, values: &[Unique]) -> Vec<FieldError> {
        let mut claimed = self.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = values.iter().filter(|unique| claimed.contains(&(unique.field, unique.value.clone())));
        let taken: Vec<_> = taken.map(Unique::taken).collect();
        if taken.is_empty() {
            claimed.extend(values.iter().map(|unique| (unique.field, unique.value.clone())));
        }
        taken
    }

    /// The id of the user that a row makes: always the same, so that a row that is done again meets its own user.
    pub(crate) fn user_id(&self, number: u64) -> UserId {
        of_row(self.import.id.uuid(), number).into()
    }
}

/// A `UUIDv7` of the time of the import, and a hash of it and the row.
fn of_row(import: Uuid, number: u64) -> Uuid {
    let named = [import.as_bytes().as_slice(), &number.to_be_bytes()].concat();
    let hash: [u8; 10] = digest(&SHA256, &named).as_ref().first_chunk().copied().unwrap_or_default();
    let millis = import.as_u64_pair().0 >> 16;
    Builder::from_unix_timestamp_millis(millis, &hash).into_uuid()
}

/// What a row claims, if it can be read.
fn claims(row: &ImportRow) -> Vec<Unique> {
    let fields = row.body.as_ref().ok().and_then(|body| UserFields::parse(body.clone()).ok());
    // In the wider scope: at worst, two rows wait for each other that need not.
    fields.map(|fields| fields.unique_values(IdentificationScope::Segment)).unwrap_or_default()
}

fn chunks(rows: Vec<ImportRow>) -> impl Iterator<Item = Vec<ImportRow>> {
    let mut left = rows.into_iter();
    std::iter::from_fn(move || {
        let some: Vec<_> = left.by_ref().take(LOOK).collect();
        (!some.is_empty()).then_some(some)
    })
}

#[cfg(test)]
mod tests {
    use domain::Time;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rows_user_has_always_the_same_id_and_no_other_row_has() {
        let import = domain::ImportId::fresh().uuid();
        let ids: HashSet<_> = (1..1000).map(|number| of_row(import, number)).collect();
        assert_eq!((ids.len(), of_row(import, 7)), (999, of_row(import, 7)));
        for id in ids {
            assert_eq!((id.get_version_num(), Time::of(id)), (7, Time::of(import)));
            assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
        }
    }

    #[test]
    fn rows_that_share_a_value_are_done_one_after_the_other() {
        let row = |number, body| ImportRow { number, line: number, body: Ok(body) };
        let rows = vec![
            row(1, json!({ "email": "a@b.example", "reference_id": "1" })),
            row(2, json!({ "email": "A@b.example" })),
            row(3, json!({ "email": "c@b.example" })),
            row(4, json!({ "email": "d@b.example", "reference_id": "1" })),
            row(5, json!({ "email": "nonsense" })),
            row(6, json!({ "email": "a@b.example" })),
        ];
        let rounds = rounds(rows, claims);
        let numbers: Vec<Vec<_>> = rounds.iter().map(|round| round.iter().map(|row| row.number).collect()).collect();
        assert_eq!(numbers, [vec![1, 3, 5], vec![2, 4], vec![6]]);
    }
}
