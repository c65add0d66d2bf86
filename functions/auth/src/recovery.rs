//! `POST /v1/auth/recovery` and `…/confirm`: a new password for whoever can read the user's e-mail.

use std::time::Duration;

use axum::extract::State;
use domain::audit::AuditResult;
use domain::text::Secret;
use domain::user::Unique;
use domain::{Action, Actor, AuditAction, Email, Error, Password, SegmentId, Status, User, UserId, body};
use edge::{Accepted, Account, Answer, App, Attempt, Body, NoContent, Visitor, check_use};
use identity::{Identity, wrong_code};
use reconcile::{delete_if_erased, settled};
use store::{PasswordEffects, PendingKind, UserRecord};

use crate::check_strength;
use crate::login::{record_attempt, record_failure, segment_of};

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

/// How long asking for a code takes at the least, whether there is whom to send it to or not: longer than it takes to make one.
const ANSWERED_AFTER: Duration = Duration::from_secs(1);

/// Sends a recovery code, if there is whom to send it to; the answer is always the same.
#[utoipa::path(post, path = "/v1/auth/recovery", tag = "auth", operation_id = "request_recovery", security(()), request_body = Recovery,
    responses((status = 202, description = "If the e-mail has a user, a code is on its way.")))]
pub async fn recover(
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
    // For somebody who is there Cognito calls the function that makes the code: the time must not tell.
    let sent = async {
        // Whoever has proved the address recovers, even if the pool has lost the identity.
        let lost = active.as_ref().filter(|record| record.has_login && is_verified).map(|record| &record.user);
        if identity.recover(user, (email, is_verified), lost).await? {
            delete_if_erased(&app.store, &identity, user).await?;
        }
        let requested = (AuditAction::RecoveryRequested, AuditResult::Succeeded);
        record_attempt((&app, &visitor), requested, active.as_ref(), recovery.segment_id).await
    };
    let (sent, ()) = tokio::join!(sent, tokio::time::sleep(ANSWERED_AFTER));
    sent?;
    Ok(Accepted)
}

/// Sets a new password by the code. All sessions end.
#[utoipa::path(post, path = "/v1/auth/recovery/confirm", tag = "auth", security(()), request_body = Confirmation,
    responses((status = 204, description = "The new password holds.")))]
pub async fn confirm_recovery(
    State(app): State<App>,
    State(identity): State<Identity>,
    visitor: Visitor,
    Body(confirmation): Body<Confirmation>,
) -> Answer<NoContent> {
    let account = Account::Holder(confirmation.segment_id.into(), Unique::email(&confirmation.email));
    let tries = visitor.tries(Attempt::Code, &account);
    let (named, active) = in_use(&app, tries, confirmation.segment_id).await?;
    // Without an identity there is no password to recover.
    let active = active.filter(|record| record.has_login);
    let (code, new) = (confirmation.code.reveal(), &confirmation.new_password);
    let right = app.store.has_recovery_code(active.as_ref(), &confirmation.email, code).await?;
    let Some(record) = active.filter(|_| right) else {
        // Nothing has changed: a stranger's wrong codes leave the code good.
        let counted = visitor.record_failure(Attempt::Code, &account, named.as_ref());
        let failed = AuditAction::RecoveryFailed;
        let recorded = record_failure((&app, &visitor), failed, named.as_ref(), confirmation.segment_id);
        tokio::try_join!(counted, recorded)?;
        return Err(wrong_code().into());
    };
    // Only now, since it tells of the user; the code is good for another try.
    check_strength(&app, &record.user, new, "/new_password").await?;
    let record = settled(&app.store, &identity, record).await?.filter(|record| record.has_login);
    let record = record.ok_or_else(wrong_code)?;
    let begun = app.store.begin(&record, PendingKind::Password).await?;
    let changed = match app.store.take_recovery_code(record.user.id, code).await? {
        true => identity.replace_password(record.user.id, new).await,
        false => Err(wrong_code()),
    };
    if let Err(error) = changed {
        app.store.end_if_refused(&begun, &error).await?;
        return Err(error.into());
    }
    let act = (Action::PasswordChanged, visitor.act(Actor::User(begun.user.id)));
    let unproved = begun.user.has_email(&confirmation.email) && !begun.user.is_email_verified();
    let proved = unproved.then(|| User { email_verified: Some(true), ..begun.user.clone() });
    // The code came by the e-mail, which is proved by it.
    let effects = PasswordEffects { proves_email: Some(&confirmation.email), ..PasswordEffects::default() };
    app.store.finish_password(begun, act, effects).await?;
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
