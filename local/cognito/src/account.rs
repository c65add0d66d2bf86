//! What a signed-in user does with an access token: `GetUser`, `ChangePassword`, `GlobalSignOut`; and `RevokeToken`.

use serde_json::{Value, json};

use crate::client::Client;
use crate::error::Failure;
use crate::input::Input;
use crate::logins::Login;
use crate::pool::Pool;
use crate::{Cognito, attributes, tokens};

pub(crate) async fn get_user(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    let token = input.text("AccessToken")?;
    let user = cognito.storage().read(|data| tokens::authenticate(&cognito, data, token))?;
    Ok(json!({ "Username": user.username, "UserAttributes": attributes::list(&user.sub, &user.attributes) }))
}

pub(crate) async fn change_password(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    let (token, proposed) = (input.text("AccessToken")?, input.text("ProposedPassword")?);
    let previous = input.text("PreviousPassword")?;
    let (user, pool) = cognito.storage().read(|data| {
        let user = tokens::authenticate(&cognito, data, token)?;
        let pool = Pool::known(data, &user.pool)?;
        Ok((user, pool))
    })?;
    pool.policy.check("ProposedPassword", proposed)?;
    if !cognito.hasher().verify(previous, user.password.as_deref()).await? {
        return Err(Failure::wrong_credentials());
    }
    let hash = cognito.hasher().hash(proposed).await?;
    cognito.storage().write(|data| {
        // Again, because the token may have been revoked and the password changed while this one was hashed.
        let mut now = tokens::authenticate(&cognito, data, token)?;
        if now.password != user.password {
            return Err(Failure::wrong_credentials());
        }
        now.set_password(hash);
        now.save(data, cognito.now())
    })?;
    Ok(json!({}))
}

pub(crate) async fn global_sign_out(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    let token = input.text("AccessToken")?;
    cognito.storage().write(|data| {
        let user = tokens::authenticate(&cognito, data, token)?;
        Login::revoke_all(data, &user)
    })?;
    Ok(json!({}))
}

pub(crate) async fn revoke_token(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    let client = Client::of(&cognito, &input)?;
    if !client.knows_secret(&input)? {
        return Err(Failure::Unauthorized("Invalid client secret."));
    }
    let token = input.text("Token")?;
    if cognito.key().verify(token).is_some() {
        return Err(Failure::UnsupportedTokenType);
    }
    cognito.storage().write(|data| match Login::by_refresh_token(data, token)? {
        None => Ok(()),
        Some(login) if login.client == client.id => login.revoke(data),
        Some(_) => Err(Failure::Unauthorized("Token was not issued to this client.")),
    })?;
    Ok(json!({}))
}
