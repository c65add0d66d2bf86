//! What users do with their own attributes: `UpdateUserAttributes`, `GetUserAttributeVerificationCode` and
//! `VerifyUserAttribute`.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};

use crate::codes::{self, Purpose};
use crate::error::Failure;
use crate::input::Input;
use crate::pool::Pool;
use crate::user::User;
use crate::{Cognito, attributes, tokens};

/// Changes attributes; where the pool asks for it, a new e-mail address waits for the code that is sent to it.
pub(crate) async fn update_user_attributes(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    let (token, mut changes) = (input.text("AccessToken")?, input.pairs("UserAttributes")?);
    let message = cognito.storage().write(|data| {
        let mut user = tokens::authenticate(&cognito, data, token)?;
        let pool = Pool::known(data, &user.pool)?;
        attributes::conform(&pool, &changes)?;
        if changes.keys().any(|name| name.ends_with("_verified") || name.starts_with("custom:")) {
            return Err(Failure::not_authorized("A client attempted to write unauthorized attribute"));
        }
        let email = changes.get("email").filter(|email| !email.is_empty() && user.email() != Some(email)).cloned();
        let message = match &email {
            Some(email) if pool.verifies_email => {
                if pool.proves_new_email {
                    changes.remove("email");
                    let sql = "INSERT OR REPLACE INTO pending_emails (user, email) VALUES (?1, ?2)";
                    data.execute(sql, params![user.sub, email])?;
                }
                Some(codes::issue(&cognito, data, &user, Purpose::Attribute, email)?)
            }
            Some(_) | None => None,
        };
        if email.is_some() && !pool.proves_new_email {
            changes.insert("email_verified".to_owned(), "false".to_owned());
        }
        user.attributes.extend(changes);
        // An empty value deletes.
        user.attributes.retain(|_, value| !value.is_empty());
        user.save(data, cognito.now())?;
        Ok(message)
    })?;
    let sent = message.map(|message| {
        let details = codes::delivery(&message.to);
        cognito.deliver(message);
        details
    });
    Ok(json!({ "CodeDeliveryDetailsList": sent.into_iter().collect::<Vec<_>>() }))
}

/// Sends a code to the address that the user has.
pub(crate) async fn get_user_attribute_verification_code(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    let token = input.text("AccessToken")?;
    only_email(&input)?;
    let message = cognito.storage().write(|data| {
        let user = tokens::authenticate(&cognito, data, token)?;
        let email = user.email().ok_or_else(|| Failure::invalid("User does not have email attribute."))?;
        forget(data, &user)?;
        codes::issue(&cognito, data, &user, Purpose::Attribute, email)
    })?;
    let details = codes::delivery(&message.to);
    cognito.deliver(message);
    Ok(json!({ "CodeDeliveryDetails": details }))
}

/// Proves an address by the code that was sent to it: the one that waits, or the one that the user has.
pub(crate) async fn verify_user_attribute(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    let (token, code) = (input.text("AccessToken")?, input.text("Code")?);
    only_email(&input)?;
    cognito.storage().write(|data| {
        let mut user = tokens::authenticate(&cognito, data, token)?;
        codes::redeem(&cognito, data, &user, Purpose::Attribute, code)?;
        if let Some(email) = waiting(data, &user)? {
            user.attributes.insert("email".to_owned(), email);
            forget(data, &user)?;
        }
        user.attributes.insert("email_verified".to_owned(), "true".to_owned());
        user.save(data, cognito.now())
    })?;
    Ok(json!({}))
}

/// Drops the address that waits for its code.
pub(crate) fn forget(data: &Connection, user: &User) -> Result<(), Failure> {
    data.execute("DELETE FROM pending_emails WHERE user = ?1", [&user.sub])?;
    Ok(())
}

fn waiting(data: &Connection, user: &User) -> Result<Option<String>, Failure> {
    let sql = "SELECT email FROM pending_emails WHERE user = ?1";
    Ok(data.query_row(sql, [&user.sub], |row| row.get(0)).optional()?)
}

fn only_email(input: &Input) -> Result<(), Failure> {
    match input.text("AttributeName")? {
        "email" => Ok(()),
        _ => Err(Failure::unsupported("AttributeName other than email")),
    }
}
