//! `DELETE /v1/users/{user}`: out of use, restorable; with `purge=true` erased for good.

use axum::extract::State;
use domain::{Action, Entry, Error, FieldError, Status, Time, field::Pointer};
use edge::{Answer, App, Caller, IfMatch, NoContent, Path, Query, UserRef};
use identity::Identity;
use store::{Also, PendingKind, UserRecord};

/// Deletes a user. Its e-mail, username, reference id and document are free again at once, and all sessions end.
#[utoipa::path(delete, path = "/v1/users/{user}", tag = "users",
    params(("purge" = Option<bool>, Query, description = "Erase the user and all that is its own, for good.")),
    responses((status = 204, description = "The user is deleted.")))]
pub(crate) async fn delete(
    State(app): State<App>,
    State(identity): State<Identity>,
    caller: Caller,
    Path(user): Path<UserRef>,
    matches: IfMatch,
    mut query: Query,
) -> Answer<NoContent> {
    let mut errors = Vec::new();
    let purge = purge(&mut query, &mut errors);
    query.finish("purge", errors)?;
    loop {
        let before = caller.acts(user).await?;
        matches.check(before.user.version)?;
        match deleted(&app, &caller, &before, purge).await {
            Err(Error::Stale) if !matches.is_given() => {}
            Err(error) => return Err(error.into()),
            Ok(()) => break erased(&app, &identity, &before, purge).await?,
        }
    }
    Ok(NoContent)
}

/// The table first: from here on the user is gone for everybody, and a purge that is cut off is known to `reconcile`.
async fn deleted(app: &App, caller: &Caller, before: &UserRecord, purge: bool) -> Result<(), Error> {
    let after = before.user.moved(Status::Deleted, None, Time::now());
    let entry = Entry::between(Some(&before.user), &after, (Action::Deleted, caller.actor(), caller.request_id()));
    let begins = purge.then_some(PendingKind::Purge);
    let also = Also { begins, ends_sessions: Some(None), ..Also::default() };
    app.store.change_user(before, &after, &entry, also).await.map(drop)
}

async fn erased(app: &App, identity: &Identity, before: &UserRecord, purge: bool) -> Result<(), Error> {
    if purge {
        identity.delete(before.user.id).await?;
        app.store.erase(before.user.id).await?;
    }
    Ok(())
}

fn purge(query: &mut Query, errors: &mut Vec<FieldError>) -> bool {
    match query.take("purge", errors).as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            errors.push(Pointer::root().child("purge").error("invalid_choice", "must be true or false"));
            false
        }
    }
}
