//! `POST /v1/users/{id}/verification` and `…/resend`: the code that proves an e-mail, and signs in.

use std::time::Duration;

use auth::{TokenSet, activate, begin_session, record_failure};
use axum::extract::State;
use domain::text::Secret;
use domain::{Actor, AuditAction, AuditEntry, Error, Status, Time, UserId, body};
use edge::{Accepted, Account, Answer, App, Attempt, Body, Path, Rendered, RequestId, Visitor, one_time_secret};
use identity::{Confirmed, Identity, wrong_code};
use store::{Pending, UserRecord};

body! {
    /// The code that was sent.
    pub struct Verification {
        /// The code; digits, leading zeros included.
        pub code: Secret,
    }
    example { "code": "492817" }
}

/// How long the secret lives by which the verified user is signed in.
const SIGN_IN_WITHIN: Duration = Duration::from_secs(60);

/// Verifies a user's e-mail by the code that was sent, and signs the user in.
#[utoipa::path(post, path = "/v1/users/{user}/verification", tag = "users", operation_id = "verify_user", security(()),
    request_body = Verification,
    responses((status = 200, description = "Tokens, as after a login.", body = TokenSet)))]
pub async fn verify(
    State(app): State<App>,
    State(identity): State<Identity>,
    visitor: Visitor,
    request_id: RequestId,
    Path(id): Path<UserId>,
    Body(verification): Body<Verification>,
) -> Answer<Rendered> {
    let account = Account::Id(id);
    let record = visitor.tries(Attempt::Code, &account).await?;
    // Cognito judges the code of an unknown user too, and refuses it as a wrong one.
    let confirmed = match identity.confirm(id, verification.code.reveal()).await {
        Ok(confirmed) => confirmed,
        Err(error) => {
            reject((&app, &visitor), &account, record.as_ref()).await?;
            return Err(error.into());
        }
    };
    // A segment's user waits for no code of this kind; whether it has a password is nobody's business.
    let Some(record) = record.clone().filter(|record| record.user.segment_id.is_none()) else {
        reject((&app, &visitor), &account, record.as_ref()).await?;
        return Err(wrong_code().into());
    };
    let secret = one_time_secret()?;
    if record.user.status == Status::Unverified {
        // Only a code that was right now lets somebody in; a user confirmed before, whom the table had not heard
        // of, becomes active without.
        let one_time = (confirmed == Confirmed::Now).then(|| (secret.clone(), Time::now().plus(SIGN_IN_WITHIN)));
        activate(&app, &record, &request_id, one_time).await.map_err(Pending::instead_of_stale)?;
    }
    if confirmed == Confirmed::Before || record.user.status != Status::Unverified {
        // A stranger must not learn that the e-mail is verified: a used code is a wrong one.
        return Err(wrong_code().into());
    }
    let tokens = identity.login_once(id, &secret).await?;
    let act = visitor.act(Actor::User(id));
    let audit = AuditEntry::new(AuditAction::LoginSucceeded, record.audit_scope(), id, act);
    Ok(begin_session(&app, &record, tokens, (act, Some(audit))).await?)
}

/// Signs in a user that has just proved its e-mail: a session of its own, by a secret that is good once. 1 transaction, and 1
/// `BatchWriteItem`.
///
/// # Errors
/// [`Error::NotFound`] where the user is not in use; [`Error::Unavailable`].
pub async fn sign_in(
    (app, identity): (&App, &Identity),
    visitor: &Visitor,
    record: &UserRecord,
) -> Result<Rendered, Error> {
    let (id, secret) = (record.user.id, one_time_secret()?);
    app.store.make_one_time(id, &secret, Time::now().plus(SIGN_IN_WITHIN)).await?;
    let tokens = identity.login_once(id, &secret).await?;
    let act = visitor.act(Actor::User(id));
    let audit = AuditEntry::new(AuditAction::LoginSucceeded, record.audit_scope(), id, act);
    begin_session(app, record, tokens, (act, Some(audit))).await
}

/// Counts and records a wrong code.
async fn reject((app, visitor): (&App, &Visitor), account: &Account, record: Option<&UserRecord>) -> Result<(), Error> {
    let counted = visitor.record_failure(Attempt::Code, account, record);
    // Only master users have codes of this kind.
    let waiting = record.filter(|record| record.user.segment_id.is_none());
    let recorded = record_failure((app, visitor), AuditAction::EmailCodeRejected, waiting, None);
    tokio::try_join!(counted, recorded).map(drop)
}

/// Sends a new code, if the user still needs one; the answer is always the same.
#[utoipa::path(post, path = "/v1/users/{user}/verification/resend", tag = "users", operation_id = "resend_verification_code", security(()),
    responses((status = 202, description = "If the user waits for a code, a new one is on its way.")))]
pub(crate) async fn resend(
    State(identity): State<Identity>,
    visitor: Visitor,
    Path(id): Path<UserId>,
) -> Answer<Accepted> {
    visitor.counts(Attempt::Recovery, id).await?;
    identity.resend(id).await?;
    Ok(Accepted)
}
