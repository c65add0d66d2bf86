//! `POST /v1/users/{user}/password`.

use axum::extract::State;
use domain::text::Secret;
use domain::{Act, Action, Error, KeyScope, Password, Role, Status, User, body};
use edge::{Answer, App, Body, Caller, NoContent, Path, UserRef};
use identity::Identity;
use reconcile::end_refused_password;
use store::{PendingKind, UserRecord};

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
#[utoipa::path(post, path = "/v1/users/{user}/password", tag = "users", request_body = PasswordChange,
    responses((status = 204, description = "The new password holds.")))]
pub async fn change_password(
    State(app): State<App>,
    State(identity): State<Identity>,
    caller: Caller,
    Path(user): Path<UserRef>,
    Body(change): Body<PasswordChange>,
) -> Answer<NoContent> {
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
            check_strength(&app, user, &change.new_password, "/new_password").await?;
            by_itself(&app, &identity, &caller, subject.record, (old.reveal(), &change.new_password)).await?;
        }
        (Role::Itself, None) => return Err(Error::invalid("/old_password", "required", "is required").into()),
        (Role::Manager, None) => {
            in_use(&subject.record)?;
            check_strength(&app, user, &change.new_password, "/new_password").await?;
            set_password(&app, &identity, &subject.record, &change.new_password, caller.act()).await?;
        }
        (Role::Manager, Some(_)) => {
            let message = "is for users who change their own password; leave it out";
            return Err(Error::invalid("/old_password", "not_applicable", message).into());
        }
    }
    Ok(NoContent)
}

/// Refuses a password that is too weak for a user: 1 read, if the user is in a segment.
///
/// # Errors
/// [`Error::Invalid`], at this place of the body.
pub async fn check_strength(app: &App, user: &User, password: &Password, at: &str) -> Result<(), Error> {
    let segment = match user.segment_id {
        Some(segment) => Some(app.store.segment(segment).await?),
        None => None,
    };
    password.check(at, &user.fields, segment.as_ref().map(|segment| &segment.fields.settings.0))
}

async fn by_itself(
    app: &App,
    identity: &Identity,
    caller: &Caller,
    record: UserRecord,
    (old, new): (&str, &Password),
) -> Result<(), Error> {
    let session = caller.session()?;
    let begun = app.store.begin(&record, PendingKind::Password).await?;
    if let Err(error) = identity.change_password(&session.token, old, new).await {
        app.store.end_if_refused(&begun, &error).await?;
        if is_wrong_password(&error) {
            caller.record_wrong_password().await?;
        }
        return Err(error);
    }
    app.store
        .finish_password(begun, (Action::PasswordChanged, caller.act()), Some(&session.claims.session))
        .await
        .map(drop)
}

/// Whether a change failed for the present password, which counts as a wrong login does.
fn is_wrong_password(error: &Error) -> bool {
    matches!(error, Error::Invalid(errors) if errors.iter().any(|error| error.pointer == "/old_password"))
}

/// Sets a user's password without the old one. Cut off, nobody knows which one holds: `reconcile` ends all sessions.
pub(crate) async fn set_password(
    app: &App,
    identity: &Identity,
    record: &UserRecord,
    password: &Password,
    act: Act<'_>,
) -> Result<(), Error> {
    let begun = app.store.begin(record, PendingKind::Password).await?;
    let id = record.user.id;
    let done = match identity.set_password(id, record.user.fields.email.as_ref(), password).await {
        Ok(()) => app.store.finish_password(begun, (Action::PasswordChanged, act), None).await,
        Err(error) => end_refused_password(&app.store, identity, &begun, &error).await.and(Err(error)),
    };
    if matches!(done, Ok(true)) {
        return Ok(());
    }
    // Who was erased meanwhile has an identity again, maybe, that nobody else knows of.
    if app.store.user(id).await?.is_none_or(|record| record.is_being_erased()) {
        identity.delete(id).await?;
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
