//! `DELETE /v1/users/{user}`: out of use, restorable; with `purge=true` erased for good.

use axum::extract::State;
use domain::{Action, Actor, Entry, Error, FieldError, Status, Time, field::Pointer};
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
        let act = (caller.actor(), caller.request_id());
        let done =
            if purge { purged(&app, &identity, &before, act).await } else { deleted(&app, &before, None, act).await };
        match done {
            Err(Error::Stale) if !matches.is_given() => {}
            Err(error) => return Err(error.into()),
            Ok(()) => return Ok(NoContent),
        }
    }
}

/// Erases a user for good. The table first: from here on the user is gone for everybody, and what is cut off is known
/// to `reconcile`.
///
/// # Errors
/// [`Error::Stale`] where the user has changed since it was read.
pub(crate) async fn purged(
    app: &App,
    identity: &Identity,
    before: &UserRecord,
    act: (Actor, &str),
) -> Result<(), Error> {
    deleted(app, before, Some(PendingKind::Purge), act).await?;
    identity.delete(before.user.id).await?;
    app.store.erase(before.user.id).await
}

async fn deleted(
    app: &App,
    before: &UserRecord,
    begins: Option<PendingKind>,
    (actor, request_id): (Actor, &str),
) -> Result<(), Error> {
    let after = before.user.moved(Status::Deleted, None, Time::now());
    let entry = Entry::between(Some(&before.user), &after, (Action::Deleted, actor, request_id));
    let also = Also { begins, ends_sessions: Some(None), ..Also::default() };
    app.store.change_user(before, &after, &entry, also).await.map(drop)
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
