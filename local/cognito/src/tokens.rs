//! What a login is answered with, and who an access token stands for.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::Cognito;
use crate::client::Client;
use crate::error::Failure;
use crate::logins::Login;
use crate::random;
use crate::triggers;
use crate::user::User;

/// What lets a user's own operations be called.
const SCOPE: &str = "aws.cognito.signin.user.admin";

/// The answer to a login that is complete.
pub(crate) async fn signed_in(
    cognito: &Cognito,
    client: &Client,
    user: &User,
    login: &Login,
    refresh_token: Option<&str>,
) -> Result<Value, Failure> {
    let result = issue(cognito, client, user, login, refresh_token).await?;
    Ok(json!({ "AuthenticationResult": result, "ChallengeParameters": {} }))
}

/// `AuthenticationResult`; refreshing gives no new refresh token.
pub(crate) async fn issue(
    cognito: &Cognito,
    client: &Client,
    user: &User,
    login: &Login,
    refresh_token: Option<&str>,
) -> Result<Value, Failure> {
    let source = if refresh_token.is_some() { "Authentication" } else { "RefreshTokens" };
    let custom = triggers::customized(cognito, client, user, source).await?;
    let now = cognito.now();
    let event = random::uuid()?;
    let mut id_claims = id_claims(cognito, client, user, login, &event, now)?;
    custom.apply(&mut id_claims);
    let mut result = json!({
        "AccessToken": cognito.key().sign(&access_claims(cognito, client, user, login, &event, now)?)?,
        "IdToken": cognito.key().sign(&id_claims)?,
        "ExpiresIn": client.access_seconds(),
        "TokenType": "Bearer",
    });
    if let (Some(token), Value::Object(fields)) = (refresh_token, &mut result) {
        fields.insert("RefreshToken".to_owned(), token.into());
    }
    Ok(result)
}

/// The user behind an access token that is still good.
pub(crate) fn authenticate(cognito: &Cognito, data: &Connection, token: &str) -> Result<User, Failure> {
    let invalid = || Failure::not_authorized("Invalid Access Token");
    let claims = cognito.key().verify(token).ok_or_else(invalid)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).ok_or_else(invalid);
    if text("token_use")? != "access" {
        return Err(invalid());
    }
    if claims.get("exp").and_then(Value::as_i64).ok_or_else(invalid)? <= cognito.now() {
        return Err(Failure::not_authorized("Access Token has expired"));
    }
    let user = User::by_sub(data, text("sub")?)?.ok_or(Failure::UserNotFound)?;
    if text("iss")? != issuer(cognito, &user.pool) {
        return Err(invalid());
    }
    if Login::by_origin_jti(data, text("origin_jti")?)?.is_none_or(|login| login.revoked) {
        return Err(Failure::not_authorized("Access Token has been revoked"));
    }
    if !user.enabled {
        return Err(Failure::disabled());
    }
    Ok(user)
}

pub(crate) fn issuer(cognito: &Cognito, pool: &str) -> String {
    format!("{}/{pool}", cognito.options().issuer_base.trim_end_matches('/'))
}

fn access_claims(
    cognito: &Cognito,
    client: &Client,
    user: &User,
    login: &Login,
    event: &str,
    now: i64,
) -> Result<Value, Failure> {
    Ok(json!({
        "sub": user.sub,
        "iss": issuer(cognito, &user.pool),
        "client_id": client.id,
        "origin_jti": login.origin_jti,
        "event_id": event,
        "token_use": "access",
        "scope": SCOPE,
        "auth_time": login.auth_time,
        "exp": now + client.access_seconds(),
        "iat": now,
        "jti": random::uuid()?,
        "username": user.username,
    }))
}

fn id_claims(
    cognito: &Cognito,
    client: &Client,
    user: &User,
    login: &Login,
    event: &str,
    now: i64,
) -> Result<Value, Failure> {
    let mut claims = json!({
        "sub": user.sub,
        "iss": issuer(cognito, &user.pool),
        "cognito:username": user.username,
        "origin_jti": login.origin_jti,
        "aud": client.id,
        "event_id": event,
        "token_use": "id",
        "auth_time": login.auth_time,
        "exp": now + client.id_seconds(),
        "iat": now,
        "jti": random::uuid()?,
    });
    if let Value::Object(fields) = &mut claims {
        // Custom attributes are in a token only where the client may read them.
        for (name, value) in user.attributes.iter().filter(|(name, _)| !name.starts_with("custom:")) {
            let value = match name.as_str() {
                "email_verified" | "phone_number_verified" => Value::Bool(value == "true"),
                "address" => json!({ "formatted": value }),
                _ => Value::String(value.clone()),
            };
            fields.insert(name.clone(), value);
        }
    }
    Ok(claims)
}
