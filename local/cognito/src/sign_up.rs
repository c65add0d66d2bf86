//! `SignUp`, `ConfirmSignUp` and `ResendConfirmationCode`.

use serde_json::{Value, json};

use crate::client::Client;
use crate::codes::{self, Purpose};
use crate::error::Failure;
use crate::input::Input;
use crate::pool::Pool;
use crate::user::{Status, User};
use crate::{Cognito, attributes};

pub(crate) async fn sign_up(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    let (client, username) = Client::with_user(&cognito, &input)?;
    let pool = cognito.storage().read(|data| Pool::known(data, &client.pool))?;
    if pool.admin_create_only {
        return Err(Failure::not_authorized("SignUp is not permitted for this user pool"));
    }
    let password = input.text("Password")?;
    pool.policy.check("Password", password)?;
    let attributes = input.pairs("UserAttributes")?;
    if ["sub", "email_verified", "phone_number_verified"].iter().any(|name| attributes.contains_key(*name)) {
        return Err(Failure::not_authorized("A client attempted to write unauthorized attribute"));
    }
    let attributes = attributes::of_new_user(&pool, attributes)?;

    let mut user = User::new(&pool.id, username, Status::Unconfirmed, attributes, cognito.now())?;
    user.password = Some(cognito.hasher().hash(password).await?);
    let message = cognito.storage().write(|data| {
        if !user.insert(data)? {
            return Err(Failure::UsernameExists("User already exists"));
        }
        let email = user.email().filter(|_| pool.verifies_email);
        email.map(|email| codes::issue(&cognito, data, &user, Purpose::Verification, email)).transpose()
    })?;

    let mut answer = json!({ "UserConfirmed": false, "UserSub": user.sub });
    if let (Some(message), Value::Object(fields)) = (message, &mut answer) {
        fields.insert("CodeDeliveryDetails".to_owned(), codes::delivery(&message.to));
        cognito.deliver(message);
    }
    Ok(answer)
}

pub(crate) async fn confirm_sign_up(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    let (client, username) = Client::with_user(&cognito, &input)?;
    let code = input.text("ConfirmationCode")?;
    cognito.storage().write(|data| {
        let Some(mut user) = User::find(data, &client.pool, username)? else {
            return Err(if client.discreet { Failure::ExpiredCode } else { Failure::UserNotFound });
        };
        if !user.enabled {
            return Err(Failure::disabled());
        }
        unconfirmed(&user)?;
        codes::redeem(&cognito, data, &user, Purpose::Verification, code)?;
        user.status = Status::Confirmed;
        user.attributes.insert("email_verified".to_owned(), "true".to_owned());
        user.save(data, cognito.now())
    })?;
    Ok(json!({}))
}

pub(crate) async fn resend_confirmation_code(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    let (client, username) = Client::with_user(&cognito, &input)?;
    let message = cognito.storage().write(|data| {
        let found = User::find(data, &client.pool, username)?;
        let user = match found {
            Some(user) if user.enabled => user,
            Some(_) | None if client.discreet => return Ok(None),
            Some(_) => return Err(Failure::disabled()),
            None => return Err(Failure::UserNotFound),
        };
        if user.status != Status::Unconfirmed {
            return Err(Failure::invalid("User is already confirmed."));
        }
        let pool = Pool::known(data, &user.pool)?;
        let email = user.email().filter(|_| pool.verifies_email);
        let email = email.ok_or_else(|| Failure::invalid("Cannot resend codes. Auto verification not turned on."))?;
        codes::issue(&cognito, data, &user, Purpose::Verification, email).map(Some)
    })?;
    Ok(json!({ "CodeDeliveryDetails": codes::delivered(&cognito, username, message) }))
}

/// Only a user who has signed up and no more can be confirmed.
pub(crate) fn unconfirmed(user: &User) -> Result<(), Failure> {
    if user.status == Status::Unconfirmed {
        return Ok(());
    }
    Err(Failure::not_authorized(format!("User cannot be confirmed. Current status is {}", user.status.name())))
}
