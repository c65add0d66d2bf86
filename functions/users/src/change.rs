//! `PATCH /v1/users/{user}`.

use axum::extract::State;
use domain::{
    Action, CustomStatus, Entry, Error, KeyScope, MergePatch, Segment, SegmentId, Status, Time, User, UserId, UserState,
};
use edge::{Answer, App, Body, Caller, IfMatch, Patch, Path, Shown, Subject, UserRef, retried};
use identity::Identity;
use serde_json::json;
use store::{Also, Pending, PendingKind, UserRecord};

use crate::{settled, within};

// The document's macro takes no generic types, but names of them.
type UserPatch = MergePatch<UserState>;

/// Changes a user by a merge patch.
///
/// A new e-mail is where codes go from now on. Who has the segment of a user also blocks it, with a reason, and lets it in
/// again; a user who is blocked is signed out at once.
#[utoipa::path(patch, path = "/v1/users/{user}", tag = "users", request_body = UserPatch,
    responses((status = 200, description = "The user after the change.", body = User)))]
pub async fn change(
    State(app): State<App>,
    State(identity): State<Identity>,
    caller: Caller,
    Path(user): Path<UserRef>,
    matches: IfMatch,
    Body(Patch(patch)): Body<Patch<UserState>>,
) -> Answer<Shown> {
    let after = changed((&app, &identity), &caller, (user, None), &matches, |_| Ok(patch.clone())).await?;
    Ok(Shown::new(&after))
}

/// Changes the user that is named, of `segment` where one is, by the patch that `patch` makes for it as it is.
///
/// # Errors
/// As [`Caller::acts`]; [`Error::OtherVersion`] where its version is not one of `matches`; those of the patch.
pub async fn changed(
    (app, identity): (&App, &Identity),
    caller: &Caller,
    (user, segment): (UserRef, Option<SegmentId>),
    matches: &IfMatch,
    patch: impl Fn(&User) -> Result<MergePatch<UserState>, Error>,
) -> Result<User, Error> {
    retried(|| async {
        let before = within(segment, settled((app, identity), caller, user, KeyScope::Write).await?)?;
        matches.check(before.record.user.version)?;
        apply((app, identity), caller, &before, (patch(&before.record.user)?, None)).await
    })
    .await
}

/// Gives a user this status of its segment, or takes its status away, as a patch of `status_id` does.
///
/// # Errors
/// As [`changed`].
pub async fn with_status(
    (app, identity): (&App, &Identity),
    caller: &Caller,
    user: UserId,
    status: Option<&CustomStatus>,
) -> Result<User, Error> {
    let patch = MergePatch::<UserState>::parse(json!({ "status_id": status.map(|status| status.id) }))?;
    retried(|| async {
        let before = settled((app, identity), caller, UserRef::Id(user), KeyScope::Write).await?;
        apply((app, identity), caller, &before, (patch.clone(), status)).await
    })
    .await
}

/// Changes a user by a patch, of which the status may have been read already.
async fn apply(
    (app, identity): (&App, &Identity),
    caller: &Caller,
    Subject { record: before, role }: &Subject,
    (patch, status): (MergePatch<UserState>, Option<&CustomStatus>),
) -> Result<User, Error> {
    if before.user.status == Status::Deleted {
        return Err(Error::conflict("", "deleted", "The user is deleted; restore it first."));
    }
    let segment = segment_of(app, &before.user).await?;
    let settings = segment.as_ref().map(|segment| &segment.fields.settings.0);
    let after = before.user.patched(patch, *role, settings, Time::now())?;
    let entry = Entry::between(Some(&before.user), &after, action(&before.user, &after), caller.act());
    if entry.changes.is_empty() {
        return Ok(before.user.clone());
    }
    let email = after.fields.email.clone().filter(|email| before.user.fields.email.as_ref() != Some(email));
    if email.is_some() && before.pending.is_some() {
        return Err(Pending::in_progress());
    }
    // Without an identity there is nothing to tell Cognito.
    let email = email.filter(|_| before.has_login);
    let begins = email.is_some().then_some(PendingKind::Email);
    let ends_sessions = (after.status == Status::Blocked && before.user.status != Status::Blocked).then_some(None);
    let also = Also { begins, ends_sessions, status: status.cloned(), ..Also::default() };
    let changed = app.store.change_user(before, &after, &entry, also).await?;
    if let Some(email) = email {
        match identity.set_email(after.id, &email).await {
            Ok(true) => drop(app.store.end(&changed).await?),
            Ok(false) => drop(app.store.end_without_login(&changed).await?),
            Err(error @ (Error::Unavailable(_) | Error::Internal(_))) => return Err(error),
            Err(refused) => {
                take_back(app, caller, before, &changed).await?;
                return Err(refused);
            }
        }
    }
    Ok(changed.user)
}

/// The segment that a user is in: 1 read, if it is in one.
async fn segment_of(app: &App, user: &User) -> Result<Option<Segment>, Error> {
    match user.segment_id {
        Some(segment) => app.store.segment(segment).await.map(Some),
        None => Ok(None),
    }
}

fn action(before: &User, after: &User) -> Action {
    match (before.status, after.status) {
        (Status::Active, Status::Blocked) => Action::Blocked,
        (Status::Blocked, Status::Active) => Action::Unblocked,
        _ => Action::Updated,
    }
}

/// The e-mail of before, since Cognito does not take the new one.
async fn take_back(app: &App, caller: &Caller, before: &UserRecord, changed: &UserRecord) -> Result<(), Error> {
    let mut user = changed.user.next(Time::now());
    user.fields.email.clone_from(&before.user.fields.email);
    let entry = Entry::between(Some(&changed.user), &user, Action::Updated, caller.act());
    app.store.change_user(changed, &user, &entry, Also { ends: true, ..Also::default() }).await.map(drop)
}

#[cfg(test)]
mod tests {
    use domain::Object as _;

    use super::*;

    #[test]
    fn the_examples_of_the_document_are_users() {
        let example: Result<User, _> = serde_json::from_value(domain::user::example());
        assert!(example.is_ok_and(|user| user.show().get("email").is_some()));
    }
}
