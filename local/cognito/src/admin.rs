//! The operations of an administrator on users.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::error::Failure;
use crate::input::Input;
use crate::logins::Login;
use crate::pool::Pool;
use crate::user::{Status, User};
use crate::{Cognito, Message, attributes, codes, own_email, random, sign_up};

pub(crate) async fn admin_create_user(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    let (id, username) = (input.text("UserPoolId")?, input.username()?);
    let action = input.choice("MessageAction", &["RESEND", "SUPPRESS"])?;
    if action == Some("RESEND") {
        return Err(Failure::unsupported("MessageAction RESEND"));
    }
    let silent = action.is_some();
    let pool = cognito.storage().read(|data| Pool::known(data, id))?;
    let attributes = attributes::of_new_user(&pool, input.pairs("UserAttributes")?)?;
    let password = match input.optional_text("TemporaryPassword")? {
        Some(password) => {
            pool.policy.check("TemporaryPassword", password)?;
            Some(password.to_owned())
        }
        // One that nobody is told would be of no use.
        None if silent => None,
        None => Some(format!("Aa1!{}", random::text(12, "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")?)),
    };
    let now = cognito.now();
    let mut user = User::new(id, username, Status::ForceChangePassword, attributes, now)?;
    if let Some(password) = &password {
        user.password = Some(cognito.hasher().hash(password).await?);
        user.password_expires = Some(now + pool.policy.temporary_seconds());
    }
    let made = cognito.storage().write(|data| user.insert(data))?;
    if !made {
        return Err(Failure::UsernameExists("User account already exists"));
    }
    if let (false, Some(email), Some(password)) = (silent, user.email(), password) {
        let body = format!("Your username is {username} and temporary password is {password}.");
        let (to, kind) = (email.to_owned(), "invitation".to_owned());
        cognito.deliver(Message { to, kind, code: Some(password), body });
    }
    Ok(json!({ "User": user.describe("Attributes") }))
}

pub(crate) async fn admin_get_user(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    let (pool, username) = (input.text("UserPoolId")?, input.username()?);
    let user = cognito.storage().read(|data| known_user(data, pool, username))?;
    Ok(user.describe("UserAttributes"))
}

pub(crate) async fn admin_set_user_password(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    let (id, password) = (input.text("UserPoolId")?, input.text("Password")?);
    let permanent = input.flag("Permanent")?;
    let pool = cognito.storage().read(|data| Pool::known(data, id))?;
    pool.policy.check("Password", password)?;
    let hash = cognito.hasher().hash(password).await?;
    let now = cognito.now();
    change(&cognito, &input, |_, user| {
        user.set_password(hash);
        if !permanent {
            user.status = Status::ForceChangePassword;
            user.password_expires = Some(now + pool.policy.temporary_seconds());
        }
        Ok(())
    })
}

pub(crate) async fn admin_update_user_attributes(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    let mut changes = input.pairs("UserAttributes")?;
    change(&cognito, &input, |data, user| {
        attributes::conform(&Pool::known(data, &user.pool)?, &changes)?;
        if changes.get("email").is_some_and(|email| user.email() != Some(email)) {
            changes.entry("email_verified".to_owned()).or_insert_with(|| "false".to_owned());
            // A code that went to the old address must not vouch for the new one.
            codes::forget(data, user)?;
            own_email::forget(data, user)?;
        }
        user.attributes.extend(changes);
        // An empty value deletes.
        user.attributes.retain(|_, value| !value.is_empty());
        Ok(())
    })
}

pub(crate) async fn admin_confirm_sign_up(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    change(&cognito, &input, |_, user| {
        sign_up::unconfirmed(user)?;
        user.status = Status::Confirmed;
        Ok(())
    })
}

/// Ends the user's logins too: enabling does not bring them back.
pub(crate) async fn admin_disable_user(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    change(&cognito, &input, |data, user| {
        user.enabled = false;
        Login::revoke_all(data, user)
    })
}

pub(crate) async fn admin_enable_user(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    change(&cognito, &input, |_, user| {
        user.enabled = true;
        Ok(())
    })
}

pub(crate) async fn admin_user_global_sign_out(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    change(&cognito, &input, |data, user| Login::revoke_all(data, user))
}

pub(crate) async fn admin_delete_user(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    let (pool, username) = (input.text("UserPoolId")?, input.username()?);
    cognito.storage().write(|data| known_user(data, pool, username)?.delete(data))?;
    Ok(json!({}))
}

/// In the order of usernames; a page's token is the last name on it.
pub(crate) async fn list_users(cognito: Cognito, input: Input) -> Result<Value, Failure> {
    let pool = input.text("UserPoolId")?;
    if input.optional_text("Filter")?.is_some_and(|filter| !filter.is_empty()) {
        return Err(Failure::unsupported("Filter"));
    }
    let limit = input.number("Limit", 0..=60)?.filter(|limit| *limit > 0).unwrap_or(60);
    let wanted = input.texts("AttributesToGet")?;
    let after = input.optional_text("PaginationToken")?.map(read_page_token).transpose()?.unwrap_or_default();
    let mut users = cognito.storage().read(|data| {
        Pool::known(data, pool)?;
        User::page(data, pool, &after, limit + 1)
    })?;
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = users.len() > page;
    users.truncate(page);
    let next = users.last().filter(|_| more).map(|user| URL_SAFE_NO_PAD.encode(&user.username));
    if let Some(wanted) = wanted {
        users.iter_mut().for_each(|user| user.attributes.retain(|name, _| wanted.contains(name)));
    }
    let users: Vec<Value> = users.iter().map(|user| user.describe("Attributes")).collect();
    Ok(json!({ "Users": users, "PaginationToken": next }))
}

fn read_page_token(token: &str) -> Result<String, Failure> {
    let name = URL_SAFE_NO_PAD.decode(token).ok().and_then(|name| String::from_utf8(name).ok());
    name.ok_or_else(|| Failure::invalid("Invalid pagination token."))
}

/// Changes the user that `input` names, in one transaction; `f` refuses before it changes anything.
fn change(
    cognito: &Cognito,
    input: &Input,
    f: impl FnOnce(&Connection, &mut User) -> Result<(), Failure>,
) -> Result<Value, Failure> {
    let (pool, username) = (input.text("UserPoolId")?, input.username()?);
    cognito.storage().write(|data| {
        let mut user = known_user(data, pool, username)?;
        f(data, &mut user)?;
        user.save(data, cognito.now())
    })?;
    Ok(json!({}))
}

fn known_user(data: &Connection, pool: &str, username: &str) -> Result<User, Failure> {
    Pool::known(data, pool)?;
    User::find(data, pool, username)?.ok_or(Failure::UserNotFound)
}
