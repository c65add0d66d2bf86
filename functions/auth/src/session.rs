//! `POST /v1/auth/refresh` and `POST /v1/auth/logout`.

use std::time::Duration;

use axum::extract::State;
use domain::text::Secret;
use domain::{Error, Time, UserId, body};
use edge::{Answer, App, Body, Caller, NoContent, Rendered, Visitor};
use identity::Identity;

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

/// Gets new tokens.
#[utoipa::path(post, path = "/v1/auth/refresh", tag = "auth", security(()), request_body = Refresh,
    responses((status = 200, description = "New tokens; the refresh token stays the same.", body = TokenSet)))]
pub async fn refresh(
    State(app): State<App>,
    State(identity): State<Identity>,
    visitor: Visitor,
    Body(refresh): Body<Refresh>,
) -> Answer<Rendered> {
    visitor.comes().await?;
    let tokens = identity.refresh(refresh.refresh_token.reveal()).await?;
    let user = app.session(&tokens.access_token).await?.user;
    if refresh.user_id.is_some_and(|id| id != user.id) {
        return Err(Error::Unauthenticated.into());
    }
    Ok(TokenSet::answer(user.id, tokens, Some(refresh.refresh_token.reveal())))
}

/// For how long a session that was signed out is remembered: as long as its refresh token could live.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Logs out: the session of the access token ends at once, with its refresh token. The refresh token that is sent is
/// revoked too, whosever it is: who has it could as well have used it.
#[utoipa::path(post, path = "/v1/auth/logout", tag = "auth", request_body = Logout,
    responses((status = 204, description = "The session has ended.")))]
pub(crate) async fn logout(
    State(app): State<App>,
    State(identity): State<Identity>,
    caller: Caller,
    Body(logout): Body<Logout>,
) -> Answer<NoContent> {
    let access = caller.access().await?;
    let session = caller.session()?;
    let record = access.user().ok_or(Error::Unauthenticated)?;
    // Cognito first: cut off here, the session is still good enough to log out once more. Whose the token is does not
    // matter here (RFC 7009): the session that is remembered below is refused for longer than its own token lives.
    identity.revoke(logout.refresh_token.reveal()).await?;
    app.store.sign_out(record, &session.claims.session, Time::now().plus(REMEMBERED)).await?;
    Ok(NoContent)
}
