//! `/v1/users`: master users from sign-up to purge.

use domain::{Error, UserId};
use edge::{App, Caller, UserRef};
use identity::Identity;
use store::{Pending, UserRecord};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

mod change;
mod delete;
mod exists;
mod history;
mod password;
mod read;
mod restore;
mod sign_up;
mod verify;

pub use auth::State;

/// The routes.
pub fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(sign_up::sign_up))
        .routes(routes!(exists::exists))
        .routes(routes!(read::read, change::change, delete::delete))
        .routes(routes!(verify::verify))
        .routes(routes!(verify::resend))
        .routes(routes!(password::change_password))
        .routes(routes!(restore::restore))
        .routes(routes!(history::history))
}

/// The user that the path names, with no abandoned change left on it.
async fn settled(state: (&App, &Identity), caller: &Caller, user: UserRef) -> Result<UserRecord, Error> {
    let (app, identity) = state;
    let record = caller.acts(user).await?;
    if !record.pending.is_some_and(Pending::is_abandoned) {
        return Ok(record);
    }
    reconcile::settled(&app.store, identity, record).await?;
    // Settling may have ended the caller's own session, which is then told so.
    caller.acts(user).await
}

/// Where a user is to be found.
fn location(id: UserId) -> String {
    format!("/v1/users/{id}")
}
