//! `POST /v1/users/{user}/password`.

use axum::extract::State;
use domain::text::Secret;
use domain::{Action, Password, body};
use edge::{Answer, App, Body, Caller, NoContent, Path, UserRef};
use identity::Identity;
use store::PendingKind;

use crate::settled;

body! {
    /// The password before and after.
    pub struct PasswordChange {
        /// The present password.
        pub old_password: Secret,
        /// The new password.
        pub new_password: Password,
    }
    example { "old_password": "correct horse battery", "new_password": "staple battery horse" }
}

/// Changes the password. All other sessions of the user end.
#[utoipa::path(post, path = "/v1/users/{user}/password", tag = "users", request_body = PasswordChange,
    responses((status = 204, description = "The new password holds.")))]
pub(crate) async fn change_password(
    State(app): State<App>,
    State(identity): State<Identity>,
    caller: Caller,
    Path(user): Path<UserRef>,
    Body(change): Body<PasswordChange>,
) -> Answer<NoContent> {
    let (record, counted) = tokio::join!(settled((&app, &identity), &caller, user), caller.tries_password());
    let record = record?;
    counted?;
    let session = caller.session()?;
    let begun = app.store.begin(&record, PendingKind::Password).await?;
    let changed = identity.change_password(&session.token, change.old_password.reveal(), &change.new_password);
    if let Err(error) = changed.await {
        app.store.end_if_refused(&begun, &error).await?;
        return Err(error.into());
    }
    let act = (Action::PasswordChanged, caller.actor(), caller.request_id());
    app.store.finish_password(begun, act, Some(&session.claims.session)).await?;
    Ok(NoContent)
}
