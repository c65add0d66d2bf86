//! `POST /v1/users/{user}/login-token` and `POST /v1/auth/token`: a token that logs a user in once, within minutes.

use std::time::Duration;

use auth::TokenSet;
use axum::extract::State;
use domain::field::Pointer;
use domain::text::Secret;
use domain::{Error, Field as _, KeyScope, Password, Role, Status, Time, User, UserId, body};
use edge::{Account, Answer, App, Attempt, Body, Caller, Path, Rendered, Subject, UserRef, Visitor, one_time_secret};
use identity::Identity;
use serde_json::json;
use utoipa::ToSchema;

use crate::password::set_password;

/// How long a token is good.
const GOOD: Duration = Duration::from_secs(10 * 60);

/// What every token begins with, before the user's id and the secret.
const MARK: &str = "lt_";

/// How long the user's id is in a token.
const ID: usize = 32;

/// A token that logs a user in.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the shape of the answer, for the OpenAPI document")]
pub(crate) struct LoginToken {
    /// The token, which only this answer has.
    token: String,
    /// Until when it is good, unless it is used before.
    expires_at: Time,
}

body! {
    /// What logs somebody in.
    pub struct TokenLogin {
        /// The token.
        pub token: Secret,
    }
    example { "token": "lt_0199d2a45c00700080000000000000020000000000000000000000000000000000000000000" }
}

/// Makes a token that logs a user of a segment in, once, within 10 minutes. Give it to nobody but the user.
#[utoipa::path(post, path = "/v1/users/{user}/login-token", tag = "users",
    responses((status = 200, description = "The token.", body = LoginToken)))]
pub(crate) async fn login_token(
    State(app): State<App>,
    State(identity): State<Identity>,
    caller: Caller,
    Path(user): Path<UserRef>,
) -> Answer<Rendered> {
    let (_, token, expires_at) = new_login_token((&app, &identity), &caller, user).await?;
    Ok(Rendered(json!({ "token": token, "expires_at": expires_at })))
}

/// Makes a token for a user of a segment who is in use: the user, the token, and until when it is good. Who has never had a
/// password gets one that nobody knows.
///
/// # Errors
/// As [`Caller::acts`]; [`Error::Forbidden`] for the user itself; [`Error::Conflict`] where the user is not in use.
pub async fn new_login_token(
    (app, identity): (&App, &Identity),
    caller: &Caller,
    user: UserRef,
) -> Result<(User, String, Time), Error> {
    let Subject { record, role } = caller.acts(user, KeyScope::Write).await?;
    if role == Role::Itself {
        return Err(Error::Forbidden("Only the owner of the segment makes tokens for its users."));
    }
    if record.user.status != Status::Active || record.user.excluded {
        return Err(Error::conflict("", "not_active", "The user is shut out or deleted, and cannot log in."));
    }
    if !record.has_login {
        let unknown = Password::read(one_time_secret()?.into(), &Pointer::root(), &mut Vec::new());
        let unknown = unknown.ok_or_else(|| Error::internal("a random password is none"))?;
        set_password(app, identity, &record, &unknown, caller.act()).await?;
    }
    let (secret, until) = (one_time_secret()?, Time::now().plus(GOOD));
    app.store.make_one_time(record.user.id, &secret, until).await?;
    let token = format!("{MARK}{}{secret}", record.user.id.uuid().simple());
    Ok((record.user, token, until))
}

/// Logs in by a token, which is used up by that. Whoever comes second, or too late, or for a user who is not in use any more,
/// gets the same answer as with a wrong one.
#[utoipa::path(post, path = "/v1/auth/token", tag = "auth", security(()), request_body = TokenLogin,
    responses((status = 200, description = "Tokens, as after a login.", body = TokenSet)))]
pub(crate) async fn redeem(
    State(identity): State<Identity>,
    visitor: Visitor,
    Body(login): Body<TokenLogin>,
) -> Answer<Rendered> {
    let Some((id, secret)) = parsed(login.token.reveal()) else {
        visitor.comes().await?;
        return Err(Error::Unauthenticated.into());
    };
    let record = visitor.tries(Attempt::Login, Account::Id(id)).await?;
    let active = record.filter(|record| record.user.status == Status::Active && !record.user.excluded);
    let record = active.filter(|record| record.has_login).ok_or(Error::Unauthenticated)?;
    // A session of the second in which all sessions ended would be over at once.
    while record.sessions.ended.is_some_and(|ended| Time::now().seconds() <= ended) {
        let millis = Time::now().millis().rem_euclid(1000).unsigned_abs();
        tokio::time::sleep(Duration::from_millis(1000 - millis)).await;
    }
    Ok(TokenSet::answer(id, identity.login_once(id, secret).await?, None))
}

fn parsed(token: &str) -> Option<(UserId, &str)> {
    let (id, secret) = token.strip_prefix(MARK)?.split_at_checked(ID)?;
    let id = uuid::Uuid::try_parse(id).ok()?;
    (!secret.is_empty()).then_some((id.into(), secret))
}
