//! `POST /v1/auth/refresh` and `POST /v1/auth/logout`.

use axum::extract::State;
use domain::text::Secret;
use domain::{Act, Actor, AuditAction, AuditEntry, Error, UserId, body};
use edge::{Answer, App, Body, Caller, NoContent, RefreshToken, Rendered, Visitor};
use identity::Identity;
use store::{Rotation, UserRecord};

use crate::TokenSet;

body! {
    /// A refresh token.
    pub struct Refresh {
        /// As the login gave it.
        pub refresh_token: Secret,
        /// Whose it is; another user's token is then refused.
        pub user_id: Option<UserId>,
    }
    example { "refresh_token": "eyJjdHkiOiJKV1QiLCJlbmMiOiJBMjU2R0NNIn0" }
}

body! {
    /// The refresh token of the session that ends.
    pub struct Logout {
        /// As the login gave it.
        pub refresh_token: Secret,
    }
    example { "refresh_token": "eyJjdHkiOiJKV1QiLCJlbmMiOiJBMjU2R0NNIn0" }
}

/// Gets new tokens, and a refresh token in place of the one that is sent.
///
/// The one that is sent stays good for 60 seconds, for requests that are on their way at the same time. Sent later, it
/// ends its session: somebody has a copy.
#[utoipa::path(post, path = "/v1/auth/refresh", tag = "auth", operation_id = "refresh_tokens", security(()), request_body = Refresh,
    responses((status = 200, description = "New tokens.", body = TokenSet)))]
pub async fn refresh(
    State(app): State<App>,
    State(identity): State<Identity>,
    visitor: Visitor,
    Body(refresh): Body<Refresh>,
) -> Answer<Rendered> {
    visitor.comes().await?;
    let token = RefreshToken::read(&app, refresh.refresh_token.reveal()).await?;
    let token = token.filter(|token| refresh.user_id.is_none_or(|id| id == token.user));
    let token = token.ok_or(Error::Unauthenticated)?;
    let tokens = identity.refresh(&token.of_cognito).await?;
    let record = app.session(&tokens.access_token).await?;
    let act = visitor.act(Actor::User(token.user));
    match app.store.rotate_session((token.user, token.session), token.generation, act.origin).await? {
        Rotation::Current(generation) => {
            Ok(TokenSet::answer(&app, tokens, &RefreshToken { generation, ..token }).await?)
        }
        Rotation::Ended => Err(Error::Unauthenticated.into()),
        Rotation::Reused => {
            end_reused(&app, &identity, &record, (&token, visitor.act(Actor::Anonymous))).await?;
            Err(Error::Unauthenticated.into())
        }
    }
}

/// Ends a session of which somebody has a copy of a refresh token, for all who have one.
async fn end_reused(
    app: &App,
    identity: &Identity,
    record: &UserRecord,
    (token, act): (&RefreshToken, Act<'_>),
) -> Result<(), Error> {
    let audit = AuditEntry::new(AuditAction::SessionReused, record.audit_scope(), token.user, act).failed();
    app.store.end_session(record, (&token.token_session, Some(token.session)), Some(&audit)).await?;
    identity.revoke(&token.of_cognito).await
}

/// Logs out: the session of the access token ends at once, with its refresh token. The refresh token that is sent is
/// revoked too, whosever it is: who has it could as well have used it.
#[utoipa::path(post, path = "/v1/auth/logout", tag = "auth", operation_id = "log_out", request_body = Logout,
    responses((status = 204, description = "The session has ended.")))]
pub(crate) async fn logout(
    State(app): State<App>,
    State(identity): State<Identity>,
    caller: Caller,
    Body(logout): Body<Logout>,
) -> Answer<NoContent> {
    let access = caller.access().await?;
    let session = &caller.session()?.claims.session;
    let record = access.user().ok_or(Error::Unauthenticated)?;
    let sent = RefreshToken::read(&app, logout.refresh_token.reveal()).await?;
    // Cognito first: cut off here, the session is still good enough to log out once more. Whose the token is does not
    // matter here (RFC 7009): the session that is remembered below is refused for longer than its own token lives.
    if let Some(sent) = &sent {
        identity.revoke(&sent.of_cognito).await?;
    }
    let own = sent.filter(|sent| sent.token_session == *session).map(|sent| sent.session);
    let audit = AuditEntry::new(AuditAction::SessionRevoked, record.audit_scope(), record.user.id, caller.act());
    app.store.end_session(record, (session, own), Some(&audit)).await?;
    Ok(NoContent)
}
