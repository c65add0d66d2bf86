//! `PATCH /v1/users/{user}`.

use std::time::Duration;

use axum::extract::State;
use domain::segment::Settings;
use domain::user::{CURRENT_PASSWORD, EmailChange};
use domain::{
    Action, CustomStatus, Entry, Error, KeyScope, MergePatch, Role, SegmentId, Status, Time, User, UserId, UserState,
};
use edge::{Answer, App, Body, Caller, IfMatch, Patch, Path, Shown, Subject, UserRef, retried};
use identity::{Identity, LoggedIn, Tokens};
use reconcile::end_without_identity;
use serde_json::json;
use store::{Also, Pending, PendingKind, UserRecord};

use crate::own_email::cancel_pending;
use crate::{settled, within};

// The document's macro takes no generic types, but names of them.
type UserPatch = MergePatch<UserState>;

/// Changes a user by a merge patch.
///
/// A user's own new `email` needs `current_password`, or a sign-in within the last 10 minutes. It becomes `pending_email`,
/// and the e-mail once the code that is sent to it is confirmed at `…/email/verification`. The owner of a segment changes
/// the e-mail of its users at once; `email_verified` is then false until the user proves it.
///
/// The owner of a segment also blocks a user, with a reason, and lets it in again; a blocked user is signed out at once.
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
    changed_in((app, identity), caller, (user, segment), matches, |user, _| patch(user)).await
}

/// Changes a user as [`changed`] does, by a patch that may depend on the settings of the user's segment.
///
/// # Errors
/// As [`changed`].
pub async fn changed_in(
    (app, identity): (&App, &Identity),
    caller: &Caller,
    (user, segment): (UserRef, Option<SegmentId>),
    matches: &IfMatch,
    patch: impl Fn(&User, Option<&Settings>) -> Result<MergePatch<UserState>, Error>,
) -> Result<User, Error> {
    retried(|| async {
        let before = within(segment, settled((app, identity), caller, user, KeyScope::Write).await?)?;
        let user = &before.record.user;
        let settings = settings_of(app, user).await?;
        let patch = patch(user, settings.as_ref())?;
        apply((app, identity), caller, (&before, matches), settings.as_ref(), (patch, None)).await
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
        let (settings, any) = (settings_of(app, &before.record.user).await?, IfMatch::default());
        apply((app, identity), caller, (&before, &any), settings.as_ref(), (patch.clone(), status)).await
    })
    .await
}

/// Changes a user by a patch, of which the status may have been read already.
async fn apply(
    (app, identity): (&App, &Identity),
    caller: &Caller,
    (Subject { record: before, role }, matches): (&Subject, &IfMatch),
    settings: Option<&Settings>,
    (mut patch, status): (MergePatch<UserState>, Option<&CustomStatus>),
) -> Result<User, Error> {
    if before.user.status == Status::Deleted {
        return Err(Error::conflict("", "deleted", "The user is deleted; restore it first."));
    }
    let password = patch.take_text(CURRENT_PASSWORD);
    let after = before.user.patched(patch, *role, settings, Time::now())?;
    matches.check(before.user.version)?;
    let (after, email) = before.user.decide_email(after, *role);
    check_presence(identity, caller, before, (*role, &email, password)).await?;
    let entry = Entry::between(Some(&before.user), &after, action(&before.user, &after), caller.act());
    let changed = match entry.changes.is_empty() {
        true => before.clone(),
        false => write((app, identity), caller, before, (&after, &entry, status)).await?,
    };
    if let EmailChange::NeedsProof(email) = email
        && let Err(error) = identity.request_email(&caller.session()?.token, &email).await
    {
        if matches!(error, Error::Invalid(_)) {
            cancel_pending(app, &changed, caller.act()).await?;
        }
        return Err(error);
    }
    Ok(changed.user)
}

/// Writes a change, and tells Cognito of an e-mail that is another one from now on.
async fn write(
    (app, identity): (&App, &Identity),
    caller: &Caller,
    before: &UserRecord,
    (after, entry, status): (&User, &Entry, Option<&CustomStatus>),
) -> Result<UserRecord, Error> {
    let has_new_email = after.fields.email.is_some() && before.user.fields.email != after.fields.email;
    if has_new_email && before.pending.is_some() {
        return Err(Pending::in_progress());
    }
    // Without an identity there is nothing to tell Cognito.
    let begins = (has_new_email && before.has_login).then_some(PendingKind::Email);
    let ends_sessions = (after.status == Status::Blocked && before.user.status != Status::Blocked).then_some(None);
    let also = Also { begins, ends_sessions, status: status.cloned(), ..Also::default() };
    let changed = app.store.change_user(before, after, entry, also).await?;
    if begins.is_some() {
        match identity.set_email(&changed.user).await {
            Ok(true) => drop(app.store.end(&changed).await?),
            Ok(false) => end_without_identity(&app.store, identity, &changed).await?,
            Err(error) if error.is_outcome_unknown() => return Err(error),
            Err(refused) => {
                take_back(app, caller, before, &changed).await?;
                return Err(refused);
            }
        }
    }
    Ok(changed)
}

/// How recent a sign-in is that stands for the password.
const RECENT: Duration = Duration::from_secs(10 * 60);

/// Checks that whoever changes its own e-mail is the user, and not somebody with its token: by the present password, or
/// by a recent sign-in.
async fn check_presence(
    identity: &Identity,
    caller: &Caller,
    before: &UserRecord,
    (role, email, password): (Role, &EmailChange, Option<String>),
) -> Result<(), Error> {
    match (role, password) {
        (Role::Manager, Some(_)) => {
            let message = "is for users who change their own e-mail; leave it out";
            Err(Error::invalid("/current_password", "not_applicable", message))
        }
        (Role::Manager, None) => Ok(()),
        (Role::Itself, _) if *email == EmailChange::Unchanged => Ok(()),
        (Role::Itself, password) => check_itself(identity, caller, before, (email, password)).await,
    }
}

async fn check_itself(
    identity: &Identity,
    caller: &Caller,
    before: &UserRecord,
    (email, password): (&EmailChange, Option<String>),
) -> Result<(), Error> {
    if matches!(email, EmailChange::NeedsProof(_)) {
        caller.check_mail_limit().await?;
    }
    match password {
        Some(password) => {
            caller.tries_password().await?;
            match identity.login(before.user.id, &password).await? {
                LoggedIn::Tokens(tokens) => end_login(identity, tokens).await,
                LoggedIn::Unverified | LoggedIn::Wrong => {
                    caller.record_wrong_password(before).await?;
                    Err(Error::invalid("/current_password", "incorrect", "is not the present password"))
                }
            }
        }
        None if caller.session()?.claims.began > Time::now().minus(RECENT).seconds() => Ok(()),
        None => {
            let message = "is required to change the e-mail; or sign in again and repeat within 10 minutes";
            Err(Error::invalid("/current_password", "required", message))
        }
    }
}

/// Ends the session that checking a password has begun: nobody is given its tokens.
async fn end_login(identity: &Identity, tokens: Tokens) -> Result<(), Error> {
    match &tokens.refresh_token {
        Some(token) => identity.revoke(token).await,
        None => Ok(()),
    }
}

/// The settings of the segment that a user is in: 1 read, if it is in one. A deleted user is not changed by them.
async fn settings_of(app: &App, user: &User) -> Result<Option<Settings>, Error> {
    match user.segment_id.filter(|_| user.status != Status::Deleted) {
        Some(segment) => app.store.segment(segment).await.map(|segment| Some(segment.fields.settings.0)),
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
    user.email_verified = before.user.email_verified;
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
