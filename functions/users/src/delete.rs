//! `DELETE /v1/users/{user}`: out of use, restorable; with `purge=true` erased for good.

use axum::extract::State;
use domain::{Act, Error, FieldError, KeyScope, Role, SegmentId, Status, field::Pointer};
use edge::{Answer, App, Caller, IfMatch, NoContent, Path, Query, Subject, Tries, UserRef, retried};
use identity::Identity;
use reconcile::{deleted, purge_self, purged};
use store::UserRecord;

use crate::family::children;
use crate::within;

/// How a user is deleted.
#[derive(Debug, Clone, Copy, Default)]
pub struct How {
    /// Erased for good.
    pub purge: bool,
    /// With its children.
    pub cascade: bool,
}

/// Deletes a user. Its e-mail, username, reference id and document are free again at once, and all sessions end. A user
/// with children is refused, unless they are to be deleted with it.
#[utoipa::path(delete, path = "/v1/users/{user}", tag = "users",
    params(("purge" = Option<bool>, Query, description = "Erase the user and all that is its own, for good. A user of a segment purges itself only where the segment's `settings.self_purge` is true; an id and times stay in the deleted history then."),
        ("cascade" = Option<bool>, Query, description = "Delete the user's children too.")),
    responses((status = 204, description = "The user is deleted.")))]
pub async fn delete(
    State(app): State<App>,
    State(identity): State<Identity>,
    caller: Caller,
    Path(user): Path<UserRef>,
    matches: IfMatch,
    mut query: Query,
) -> Answer<NoContent> {
    let mut errors = Vec::new();
    let how = How { purge: flag(&mut query, "purge", &mut errors), cascade: flag(&mut query, "cascade", &mut errors) };
    query.finish("purge, cascade", errors)?;
    gone((&app, &identity), &caller, (user, None), &matches, how).await?;
    Ok(NoContent)
}

/// Deletes the user that is named, of `segment` where one is: the status that it had.
///
/// # Errors
/// As [`Caller::acts`]; [`Error::OtherVersion`] where its version is not one of `matches`; [`Error::Conflict`] where it has children.
pub async fn gone(
    (app, identity): (&App, &Identity),
    caller: &Caller,
    (user, segment): (UserRef, Option<SegmentId>),
    matches: &IfMatch,
    how: How,
) -> Result<Status, Error> {
    let scope = if how.purge { KeyScope::Admin } else { KeyScope::Write };
    retried(|| async {
        let Subject { record: before, role } = within(segment, caller.acts(user, scope).await?)?;
        if how.cascade && role == Role::Itself {
            return Err(Error::Forbidden("Only the owner of the segment deletes children with their parent."));
        }
        matches.check(before.user.version)?;
        if how.purge && role == Role::Itself && before.user.segment_id.is_some() {
            return purge_itself((app, identity), caller, &before).await.map(|()| before.user.status);
        }
        ended(app, identity, &before, how, caller.act()).await.map(|()| before.user.status)
    })
    .await
}

/// Erases a user of a segment that asks for it itself, where the segment allows it: 1 read more.
async fn purge_itself((app, identity): (&App, &Identity), caller: &Caller, before: &UserRecord) -> Result<(), Error> {
    let segment = app.store.segment(before.user.segment_id.ok_or(Error::NotFound)?).await?;
    if !segment.fields.settings.0.self_purge.0 {
        let message = "Users of this segment cannot purge themselves; delete the user without purge=true.";
        return Err(Error::Forbidden(message));
    }
    purge_self(&app.store, identity, before, caller.act()).await
}

async fn ended(app: &App, identity: &Identity, before: &UserRecord, how: How, act: Act<'_>) -> Result<(), Error> {
    if how.cascade {
        end_children(app, identity, before, how.purge, act).await?;
    }
    let before = match how.cascade {
        // The children have been counted off.
        true => &app.store.user(before.user.id).await?.ok_or(Error::NotFound)?,
        false => before,
    };
    match (how.purge, before.user.status) {
        (true, _) => purged(&app.store, identity, before, act).await,
        // It is what was asked for.
        (false, Status::Deleted) => Ok(()),
        (false, Status::Unverified | Status::Active | Status::Blocked) => {
            deleted(&app.store, before, None, act).await.map(drop)
        }
    }
}

/// Deletes the children of a user; one who is changed meanwhile is looked at again.
async fn end_children(
    app: &App,
    identity: &Identity,
    parent: &UserRecord,
    purge: bool,
    act: Act<'_>,
) -> Result<(), Error> {
    let mut tries = Tries::default();
    loop {
        let children = children(app, &parent.user, 100).await?;
        if children.is_empty() {
            return Ok(());
        }
        for child in children {
            let Some(record) = app.store.user(child.id).await? else { continue };
            let done = match (purge, record.user.status) {
                (true, _) => purged(&app.store, identity, &record, act).await,
                (false, Status::Deleted) => Ok(()),
                (false, _) => deleted(&app.store, &record, None, act).await.map(drop),
            };
            match done {
                Ok(()) => {}
                Err(Error::Stale) => tries.again().await?,
                Err(error) => return Err(error),
            }
        }
    }
}

/// Erases a user for good, whatever else changes it meanwhile.
///
/// # Errors
/// [`Error::Conflict`] where the user has children.
pub async fn purge(app: &App, identity: &Identity, mut record: UserRecord, act: Act<'_>) -> Result<(), Error> {
    let mut tries = Tries::default();
    loop {
        match purged(&app.store, identity, &record, act).await {
            Err(Error::Stale) => tries.again().await?,
            done => return done,
        }
        record = app.store.user(record.user.id).await?.ok_or(Error::NotFound)?;
    }
}

fn flag(query: &mut Query, name: &'static str, errors: &mut Vec<FieldError>) -> bool {
    match query.take(name, errors).as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            errors.push(Pointer::root().child(name).error("invalid_choice", "must be true or false"));
            false
        }
    }
}
