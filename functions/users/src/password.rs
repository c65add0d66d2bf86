//! `POST /v1/users/{user}/password`.

use auth::check_strength;
use axum::extract::State;
use domain::field::Pointer;
use domain::text::Secret;
use domain::{Act, Action, Error, KeyScope, Password, Role, Status, body};
use edge::{Answer, App, Body, Caller, NoContent, Path, Query, UserRef};
use identity::Identity;
use reconcile::{delete_if_erased, end_refused_password};
use store::{PasswordEffects, PendingKind, UserRecord};

use crate::settled;

body! {
    /// The password before and after.
    pub struct PasswordChange {
        /// The present password; whoever has the segment of a user sets its password without.
        pub old_password: Option<Secret>,
        /// The new password.
        pub new_password: Password,
    }
    example { "old_password": "correct horse battery", "new_password": "staple battery horse" }
}

/// Changes the password, by the present one, and ends all other sessions of the user.
///
/// Or gives a user of a segment a password, for whoever has the segment, and ends all sessions of the user. From then on
/// that user can log in.
///
/// Magic links of the user end. Keys that a master user made before are listed with `review: true`, or end with
/// `keys=revoke`: all of the account and of its segments.
#[utoipa::path(post, path = "/v1/users/{user}/password", tag = "users", request_body = PasswordChange,
    params(("keys" = Option<String>, Query, description = "`revoke` ends all keys of the account and of its segments.")),
    responses((status = 204, description = "The new password holds.")))]
pub async fn change_password(
    State(app): State<App>,
    State(identity): State<Identity>,
    caller: Caller,
    Path(user): Path<UserRef>,
    query: Query,
    Body(change): Body<PasswordChange>,
) -> Answer<NoContent> {
    let revokes_keys = takes_revoke(query)?;
    let tries = async {
        match (&change.old_password, caller.session()) {
            (Some(_), Ok(_)) => caller.tries_password().await,
            _ => Ok(()),
        }
    };
    let (subject, counted) = tokio::join!(settled((&app, &identity), &caller, user, KeyScope::Write), tries);
    let subject = subject?;
    let user = &subject.record.user;
    match (subject.role, change.old_password) {
        (Role::Itself, Some(old)) => {
            counted?;
            if revokes_keys && subject.record.user.segment_id.is_some() {
                return Err(keys_of_master().into());
            }
            check_strength(&app, user, &change.new_password, "/new_password").await?;
            let change = OwnChange { old: old.reveal(), new: &change.new_password, revokes_keys };
            by_itself(&app, &identity, &caller, subject.record, change).await?;
        }
        (Role::Itself, None) => return Err(Error::invalid("/old_password", "required", "is required").into()),
        (Role::Manager, _) if revokes_keys => return Err(keys_of_master().into()),
        (Role::Manager, None) => {
            in_use(&subject.record)?;
            check_strength(&app, user, &change.new_password, "/new_password").await?;
            let (done, effects) = ((Action::PasswordChanged, caller.act()), PasswordEffects::default());
            set_password((&app, &identity), &subject.record, &change.new_password, done, effects).await?;
        }
        (Role::Manager, Some(_)) => {
            let message = "is for users who change their own password; leave it out";
            return Err(Error::invalid("/old_password", "not_applicable", message).into());
        }
    }
    Ok(NoContent)
}

/// Reads `keys`.
fn takes_revoke(mut query: Query) -> Result<bool, Error> {
    let mut errors = Vec::new();
    let revokes = match query.take("keys", &mut errors).as_deref() {
        None => false,
        Some("revoke") => true,
        Some(_) => {
            errors.push(Pointer::root().child("keys").error("invalid_choice", "must be revoke"));
            false
        }
    };
    query.finish("keys", errors)?;
    Ok(revokes)
}

fn keys_of_master() -> Error {
    Error::invalid("/keys", "not_applicable", "is for master users who change their own password")
}

/// A change of the own password.
struct OwnChange<'a> {
    old: &'a str,
    new: &'a Password,
    revokes_keys: bool,
}

async fn by_itself(
    app: &App,
    identity: &Identity,
    caller: &Caller,
    record: UserRecord,
    OwnChange { old, new, revokes_keys }: OwnChange<'_>,
) -> Result<(), Error> {
    let session = caller.session()?;
    let begun = app.store.begin(&record, PendingKind::Password).await?;
    if let Err(error) = identity.change_password(&session.token, old, new).await {
        app.store.end_if_refused(&begun, &error).await?;
        if is_wrong_password(&error) {
            caller.record_wrong_password(&begun).await?;
        }
        return Err(error);
    }
    let effects =
        PasswordEffects { kept_session: Some(&session.claims.session), revokes_keys, ..PasswordEffects::default() };
    app.store.finish_password(begun, (Action::PasswordChanged, caller.act()), effects).await.map(drop)
}

/// Whether a change failed for the present password, which counts as a wrong login does.
fn is_wrong_password(error: &Error) -> bool {
    matches!(error, Error::Invalid(errors) if errors.iter().any(|error| error.pointer == "/old_password"))
}

/// Sets a user's password without the old one; the history tells `action` of it. Cut off, nobody knows which one holds: `reconcile` ends all sessions.
pub(crate) async fn set_password(
    (app, identity): (&App, &Identity),
    record: &UserRecord,
    password: &Password,
    (action, act): (Action, Act<'_>),
    effects: PasswordEffects<'_>,
) -> Result<(), Error> {
    let begun = app.store.begin(record, PendingKind::Password).await?;
    set_begun_password((app, identity), begun, password, (action, act), effects).await
}

/// Sets a user's password, where the change has begun.
pub(crate) async fn set_begun_password(
    (app, identity): (&App, &Identity),
    begun: UserRecord,
    password: &Password,
    (action, act): (Action, Act<'_>),
    effects: PasswordEffects<'_>,
) -> Result<(), Error> {
    let id = begun.user.id;
    let done = match identity.set_password(&begun.user, password).await {
        Ok(()) => app.store.finish_password(begun, (action, act), effects).await,
        Err(error) => end_refused_password(&app.store, identity, &begun, &error).await.and(Err(error)),
    };
    if matches!(done, Ok(true)) {
        return Ok(());
    }
    // Who was erased meanwhile has an identity again, maybe, that nobody else knows of.
    if delete_if_erased(&app.store, identity, id).await? {
        return Err(Error::NotFound);
    }
    done.map(drop)
}

fn in_use(record: &UserRecord) -> Result<(), Error> {
    if record.user.status == Status::Deleted {
        return Err(Error::conflict("", "deleted", "The user is deleted; restore it first."));
    }
    Ok(())
}
