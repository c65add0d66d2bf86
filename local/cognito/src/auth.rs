//! `InitiateAuth`, `AdminInitiateAuth` and `GetTokensFromRefreshToken`.

use serde_json::{Value, json};

use crate::client::Client;
use crate::error::Failure;
use crate::input::{Input, outside};
use crate::logins::Login;
use crate::sessions::{Challenge, Session};
use crate::user::{Status, User};
use crate::{Cognito, attributes, challenge, tokens};

const FLOWS: [&str; 8] = [
    "USER_SRP_AUTH",
    "REFRESH_TOKEN_AUTH",
    "REFRESH_TOKEN",
    "CUSTOM_AUTH",
    "ADMIN_NO_SRP_AUTH",
    "USER_PASSWORD_AUTH",
    "ADMIN_USER_PASSWORD_AUTH",
    "USER_AUTH",
];

pub(crate) async fn initiate_auth(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    let client = Client::of(&cognito, &input)?;
    begin(&cognito, &client, &input, "USER_PASSWORD_AUTH").await
}

pub(crate) async fn admin_initiate_auth(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    input.text("UserPoolId")?;
    let client = Client::of(&cognito, &input)?;
    begin(&cognito, &client, &input, "ADMIN_USER_PASSWORD_AUTH").await
}

pub(crate) async fn get_tokens_from_refresh_token(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    let client = Client::of(&cognito, &input)?;
    client.allow("REFRESH_TOKEN_AUTH")?;
    if !client.knows_secret(&input)? {
        return Err(Failure::not_authorized("Invalid client secret."));
    }
    let (login, user) = refresh(&cognito, &client, input.text("RefreshToken")?)?;
    Ok(json!({ "AuthenticationResult": tokens::issue(&cognito, &client, &user, &login, None).await? }))
}

/// `password_flow` is the one in which this operation takes passwords.
async fn begin(cognito: &Cognito, client: &Client, input: &Input, password_flow: &str) -> Result<Value, Failure> {
    let parameters = input.section("AuthParameters")?;
    let hash = parameters.optional_text("SECRET_HASH")?;
    match input.text("AuthFlow")? {
        flow if flow == password_flow => {
            client.allow(flow)?;
            let (username, password) = (parameters.parameter("USERNAME")?, parameters.parameter("PASSWORD")?);
            client.expect_hash(username, hash)?;
            log_in(cognito, client, username, password).await
        }
        "REFRESH_TOKEN" | "REFRESH_TOKEN_AUTH" => {
            client.allow("REFRESH_TOKEN_AUTH")?;
            let (login, user) = refresh(cognito, client, parameters.parameter("REFRESH_TOKEN")?)?;
            // The token first: whose it is, is what the hash is about.
            client.check_hash(&user.username, hash)?;
            tokens::signed_in(cognito, client, &user, &login, None).await
        }
        "CUSTOM_AUTH" => {
            client.allow("CUSTOM_AUTH")?;
            if parameters.optional_text("CHALLENGE_NAME")?.is_some() {
                return Err(Failure::unsupported("CUSTOM_AUTH that begins with SRP_A"));
            }
            let username = parameters.parameter("USERNAME")?;
            client.expect_hash(username, hash)?;
            challenge::begin_custom(cognito, client, username).await
        }
        "USER_PASSWORD_AUTH" | "ADMIN_USER_PASSWORD_AUTH" | "ADMIN_NO_SRP_AUTH" => {
            Err(Failure::invalid("Initiate Auth method not supported."))
        }
        flow @ ("USER_SRP_AUTH" | "USER_AUTH") => Err(Failure::unsupported(flow)),
        other => Err(outside("AuthFlow", other, &FLOWS)),
    }
}

async fn log_in(cognito: &Cognito, client: &Client, username: &str, password: &str) -> Result<Value, Failure> {
    let found = cognito.storage().read(|data| User::find(data, &client.pool, username))?;
    let hash = found.as_ref().and_then(|user| user.password.as_deref());
    let right = cognito.hasher().verify(password, hash).await?;
    let Some(user) = found else {
        return Err(if client.discreet { Failure::wrong_credentials() } else { Failure::UserNotFound });
    };
    if !right {
        return Err(Failure::wrong_credentials());
    }
    let now = cognito.now();
    let next = cognito.storage().write(|data| {
        // Again, because the user may have been disabled and the password changed while this one was hashed.
        let current = User::by_sub(data, &user.sub)?.filter(|current| current.password == user.password);
        let user = current.ok_or_else(Failure::wrong_credentials)?;
        if !user.enabled {
            return Err(Failure::disabled());
        }
        match user.status {
            Status::Unconfirmed => Err(Failure::UserNotConfirmed),
            Status::Confirmed => Ok(Next::Tokens(Login::start(data, client, &user, now)?, user)),
            Status::ForceChangePassword => {
                if user.password_expires.is_some_and(|expires| expires <= now) {
                    let reason = "Temporary password has expired and must be reset by an administrator.";
                    return Err(Failure::not_authorized(reason));
                }
                let session = Session {
                    username: user.username.clone(),
                    user: Some(user.sub.clone()),
                    challenge: Challenge::NewPassword { of: user.password.clone() },
                };
                Ok(Next::NewPassword(session.put(data, client, now)?, user))
            }
        }
    })?;
    match next {
        Next::Tokens((login, token), user) => tokens::signed_in(cognito, client, &user, &login, Some(&token)).await,
        Next::NewPassword(session, user) => Ok(ask_for_new_password(&session, &user)),
    }
}

enum Next {
    Tokens((Login, String), User),
    NewPassword(String, User),
}

fn ask_for_new_password(session: &str, user: &User) -> Value {
    let attributes = attributes::list(&user.sub, &user.attributes);
    let shown: serde_json::Map<String, Value> = attributes
        .iter()
        .filter_map(|pair| Some((pair.get("Name")?.as_str()?.to_owned(), pair.get("Value")?.clone())))
        .filter(|(name, _)| name != "sub")
        .collect();
    json!({
        "ChallengeName": "NEW_PASSWORD_REQUIRED",
        "Session": session,
        "ChallengeParameters": {
            "USER_ID_FOR_SRP": user.username,
            "requiredAttributes": "[]",
            "userAttributes": Value::Object(shown).to_string(),
        },
    })
}

/// The login that a refresh token goes on with, and its user as they are now.
fn refresh(cognito: &Cognito, client: &Client, token: &str) -> Result<(Login, User), Failure> {
    let (login, user) = cognito.storage().read(|data| {
        let login = Login::by_refresh_token(data, token)?.filter(|login| login.client == client.id);
        let login = login.ok_or_else(|| Failure::not_authorized("Invalid Refresh Token"))?;
        let user = User::by_sub(data, &login.user)?.ok_or(Failure::UserNotFound)?;
        Ok((login, user))
    })?;
    if !user.enabled {
        return Err(Failure::disabled());
    }
    if login.revoked {
        return Err(Failure::not_authorized("Refresh Token has been revoked"));
    }
    if login.expires <= cognito.now() {
        return Err(Failure::not_authorized("Refresh Token has expired"));
    }
    Ok((login, user))
}
