//! `ForgotPassword` and `ConfirmForgotPassword`.

use serde_json::{Value, json};

use crate::client::Client;
use crate::codes::{self, Purpose};
use crate::error::Failure;
use crate::input::Input;
use crate::pool::Pool;
use crate::user::{Status, User};
use crate::{Cognito, message};

pub(crate) async fn forgot_password(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    let (client, username) = Client::with_user(&cognito, &input)?;
    let message = cognito.storage().write(|data| {
        let user = match User::find(data, &client.pool, username)? {
            Some(user) if user.enabled => user,
            Some(_) | None if client.discreet => return Ok(None),
            Some(_) => return Err(Failure::disabled()),
            None => return Err(Failure::UserNotFound),
        };
        if user.status == Status::ForceChangePassword {
            return Err(Failure::not_authorized("User password cannot be reset in the current state."));
        }
        let email = user.verified_email().ok_or_else(|| {
            let reason = "there is no registered/verified email or phone_number";
            Failure::invalid(format!("Cannot reset password for the user as {reason}"))
        })?;
        let message = codes::issue(&cognito, data, &user, Purpose::Recovery, email)?;
        Ok(Some((user.clone(), message)))
    })?;
    let message = match message {
        Some((user, message)) => {
            Some(message::customized((&cognito, &client), "ForgotPassword", &user, message).await?)
        }
        None => None,
    };
    Ok(json!({ "CodeDeliveryDetails": codes::delivered(&cognito, username, message) }))
}

pub(crate) async fn confirm_forgot_password(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    let (client, username) = Client::with_user(&cognito, &input)?;
    let (code, password) = (input.text("ConfirmationCode")?, input.text("Password")?);
    let pool = cognito.storage().read(|data| Pool::known(data, &client.pool))?;
    pool.policy.check("Password", password)?;
    // Before anything is looked up, so that all answers take the same time.
    let hash = cognito.hasher().hash(password).await?;
    cognito.storage().write(|data| {
        let mut user = match User::find(data, &client.pool, username)? {
            Some(user) if user.enabled => user,
            Some(_) | None if client.discreet => return Err(Failure::CodeMismatch),
            Some(_) => return Err(Failure::disabled()),
            None => return Err(Failure::UserNotFound),
        };
        codes::redeem(&cognito, data, &user, Purpose::Recovery, code)?;
        user.set_password(hash);
        user.save(data, cognito.now())
    })?;
    Ok(json!({}))
}
