//! What came of a row, as the report of an import tells it.

use domain::transfer::RowStatus;
use domain::{Error, FieldError, UserId};
use serde::Serialize;

/// What came of a row: a line of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct RowResult {
    /// Its number, from 1.
    pub(crate) row: u64,
    /// The line of the file on which it begins, from 1.
    pub(crate) line: u64,
    pub(crate) status: RowStatus,
    /// The user that it made or found; of a rehearsal only what it found.
    pub(crate) id: Option<UserId>,
    /// Why it failed.
    pub(crate) errors: Vec<FieldError>,
}

/// The errors of a row, where it is the row that has failed and not the world around it.
///
/// # Errors
/// The error, where the same may pass later.
pub(crate) fn errors_of(error: Error) -> Result<Vec<FieldError>, Error> {
    let told = |code, message: &str| Ok(vec![FieldError::new("", code, message)]);
    match error {
        Error::Invalid(errors) | Error::Conflict(errors) => Ok(errors),
        Error::Malformed(message) => told("malformed", &format!("is not valid JSON: {message}")),
        Error::Internal(cause) => {
            // The same row would be in the way of all behind it for ever.
            tracing::error!(?cause, "a row could not be written; the others are");
            told("internal", "could not be written, through a fault of ours; try it again")
        }
        Error::Forbidden(message) => told("forbidden", message),
        error @ (Error::Unauthenticated
        | Error::Expired
        | Error::SegmentInactive
        | Error::Unverified(_)
        | Error::NotFound
        | Error::Gone(_)
        | Error::OtherVersion
        | Error::Stale
        | Error::RateLimited { .. }
        | Error::Unavailable(_)) => Err(error),
    }
}

/// The results as the report has them: a line each.
pub(crate) fn lines(results: &[RowResult]) -> Result<Vec<u8>, Error> {
    let mut lines = Vec::new();
    for result in results {
        serde_json::to_writer(&mut lines, result).map_err(Error::internal)?;
        lines.push(b'\n');
    }
    Ok(lines)
}
