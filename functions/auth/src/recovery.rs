//! `POST /v1/auth/recovery` and `…/confirm`: a new password for whoever can read the user's e-mail.

use crate::login::segment_of;
use axum::extract::State;
use domain::text::Secret;
use domain::user::Unique;
use domain::{Act, Action, Actor, Email, Error, Password, SegmentId, Status, User, UserId, body};
use edge::{Accepted, Account, Answer, App, Attempt, Body, NoContent, RequestId, Visitor, check_use};
use identity::{Identity, wrong_code};
use reconcile::settled;
use store::{PasswordEffects, PendingKind, UserRecord};

body! {
    /// Who has lost the password.
    pub struct Recovery {
        /// The user's e-mail.
        pub email: Email,
        /// The segment of a segment user.
        pub segment_id: Option<SegmentId>,
    }
    example { "email": "ana@example.com" }
}

body! {
    /// A new password, by the code that was sent.
    pub struct Confirmation {
        /// The user's e-mail.
        pub email: Email,
        /// The code.
        pub code: Secret,
        /// The new password.
        pub new_password: Password,
        /// The segment of a segment user.
        pub segment_id: Option<SegmentId>,
    }
    example { "email": "ana@example.com", "code": "492817", "new_password": "staple battery horse" }
}

/// Sends a recovery code, if there is whom to send it to; the answer is always the same.
#[utoipa::path(post, path = "/v1/auth/recovery", tag = "auth", security(()), request_body = Recovery,
    responses((status = 202, description = "If the e-mail has a user, a code is on its way.")))]
pub(crate) async fn recover(
    State(app): State<App>,
    State(identity): State<Identity>,
    visitor: Visitor,
    Body(recovery): Body<Recovery>,
) -> Answer<Accepted> {
    let account = Account::Holder(recovery.segment_id.into(), Unique::email(&recovery.email));
    let tries = visitor.tries(Attempt::Recovery, &account);
    let active = in_use(&app, tries, recovery.segment_id).await?.1;
    let is_verified = active.as_ref().is_some_and(|record| record.user.is_email_verified());
    let (user, email) = match &active {
        Some(record) => (record.user.id, record.user.fields.email.as_ref().unwrap_or(&recovery.email)),
        None => (UserId::fresh(), &recovery.email),
    };
    identity.recover(user, email, is_verified).await?;
    Ok(Accepted)
}

/// Sets a new password by the code. All sessions end.
#[utoipa::path(post, path = "/v1/auth/recovery/confirm", tag = "auth", security(()), request_body = Confirmation,
    responses((status = 204, description = "The new password holds.")))]
pub(crate) async fn confirm_recovery(
    State(app): State<App>,
    State(identity): State<Identity>,
    visitor: Visitor,
    request_id: RequestId,
    Body(confirmation): Body<Confirmation>,
) -> Answer<NoContent> {
    let account = Account::Holder(confirmation.segment_id.into(), Unique::email(&confirmation.email));
    let tries = visitor.tries(Attempt::Code, &account);
    let (named, active) = in_use(&app, tries, confirmation.segment_id).await?;
    let (code, new) = (confirmation.code.reveal(), &confirmation.new_password);
    let Some(begun) = begun(&app, &identity, active).await? else {
        // Whoever has no code must not learn, not even from the time that it takes, that there is no such user.
        let nobody = UserId::fresh();
        app.store.pretend(nobody).await?;
        let asked = identity.recover_with(nobody, code, new).await;
        app.store.pretend(nobody).await?;
        visitor.record_failure(Attempt::Code, &account, named.as_ref()).await?;
        return Err(asked.err().unwrap_or_else(wrong_code).into());
    };
    if let Err(error) = identity.recover_with(begun.user.id, code, new).await {
        app.store.end_if_refused(&begun, &error).await?;
        visitor.record_failure(Attempt::Code, &account, named.as_ref()).await?;
        return Err(error.into());
    }
    let act = (Action::PasswordChanged, Act::of(Actor::User(begun.user.id), &request_id.0));
    let proved = (!begun.user.is_email_verified()).then(|| User { email_verified: Some(true), ..begun.user.clone() });
    // The code came by the e-mail, which is proved by it.
    app.store.finish_password(begun, act, PasswordEffects { proves_email: true, ..PasswordEffects::default() }).await?;
    if let Some(user) = proved {
        identity.set_email(&user).await?;
    }
    Ok(NoContent)
}

/// The user whom `tries` finds, and again if it may recover its password: it and its segment are in use.
async fn in_use(
    app: &App,
    tries: impl Future<Output = Result<Option<UserRecord>, Error>>,
    segment: Option<SegmentId>,
) -> Result<(Option<UserRecord>, Option<UserRecord>), Error> {
    let (found, segment) = tokio::join!(tries, segment_of(app, segment));
    let (found, segment) = (found?, segment?);
    let active = found.clone().filter(|record| record.user.status == Status::Active);
    Ok((found, active.filter(|record| check_use(&record.user, segment.as_ref()).is_ok())))
}

/// The user, with a change of password begun; nothing where there is nobody, or nobody's password to be changed now.
async fn begun(app: &App, identity: &Identity, active: Option<UserRecord>) -> Result<Option<UserRecord>, Error> {
    let Some(record) = active else { return Ok(None) };
    let record = settled(&app.store, identity, record).await?;
    // Without an identity there is no password to recover: a code of anybody's must leave no trace.
    let Some(record) = record.filter(|record| record.has_login) else { return Ok(None) };
    match app.store.begin(&record, PendingKind::Password).await {
        Err(Error::Conflict(_)) => Ok(None),
        begun => begun.map(Some),
    }
}
