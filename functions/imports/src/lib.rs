//! `/v1/segments/{segment}/imports` and `…/exports`: files that become users of a segment, and users that become a file.

use axum::extract::FromRef;
use domain::transfer::Run;
use domain::{Error, Time, TransferStatus};
use edge::App;
use files::Files;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

mod exports;
mod imports;
mod machine;

pub use machine::Machine;

/// How long a file can be fetched, once it was asked for.
const FETCHING: std::time::Duration = std::time::Duration::from_secs(60);

/// What the routes need.
#[derive(Debug, Clone, FromRef)]
pub struct State {
    /// The data and the edge.
    pub app: App,
    /// The bucket.
    pub files: Files,
    /// What does imports and exports.
    pub machine: Machine,
}

/// The routes.
pub fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(imports::list, imports::create))
        .routes(routes!(imports::read, imports::delete))
        .routes(routes!(imports::report))
        .routes(routes!(exports::list, exports::create))
        .routes(routes!(exports::read, exports::delete))
        .routes(routes!(exports::content))
}

/// Refuses to give a file that is not there.
fn there(run: &Run) -> Result<(), Error> {
    if run.is_expired(Time::now()) {
        return Err(Error::Gone("The file has expired and is deleted; start it again."));
    }
    let failed = format!("It has failed, and there is no file: {}", run.reason.as_deref().unwrap_or_default());
    let (code, message) = match run.status {
        TransferStatus::Completed => return Ok(()),
        TransferStatus::Pending | TransferStatus::Running => ("pending", "It is not over; ask again in a moment."),
        TransferStatus::Failed => ("failed", failed.as_str()),
        TransferStatus::Cancelled => ("cancelled", "It was cancelled; there is no file."),
    };
    Err(Error::conflict("", code, message))
}
