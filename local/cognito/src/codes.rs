//! The six digits of a verification or recovery message: hashed, used once, short-lived, with few tries.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};

use crate::error::Failure;
use crate::user::User;
use crate::{Cognito, Message, attributes, random};

const TRIES: i64 = 5;
const HOUR: i64 = 60 * 60;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// Proving that a new user owns the e-mail address.
    Verification,
    /// Setting a new password in place of a forgotten one.
    Recovery,
    /// Proving that a user owns an e-mail address that it has, or is to have.
    Attribute,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::Recovery => "recovery",
            Self::Attribute => "attribute",
        }
    }

    fn seconds(self) -> i64 {
        match self {
            Self::Verification | Self::Attribute => 24 * HOUR,
            Self::Recovery => HOUR,
        }
    }

    fn body(self, code: &str) -> String {
        match self {
            Self::Verification => format!("Your confirmation code is {code}"),
            Self::Recovery => format!("Your password reset code is {code}"),
            Self::Attribute => format!("Your verification code is {code}"),
        }
    }
}

/// Puts a new code in place of an older one; the message is to be delivered once this is committed.
pub(crate) fn issue(
    cognito: &Cognito,
    data: &Connection,
    user: &User,
    purpose: Purpose,
    email: &str,
) -> Result<Message, Failure> {
    let code = cognito.options().fixed_code.clone().map_or_else(random::code, Ok)?;
    data.execute(
        "INSERT OR REPLACE INTO codes (user, purpose, hash, expires, tries) VALUES (?1, ?2, ?3, ?4, 0)",
        params![user.sub, purpose.name(), hash(user, purpose, &code), cognito.now() + purpose.seconds()],
    )?;
    let body = purpose.body(&code);
    Ok(Message { to: email.to_owned(), kind: purpose.name().to_owned(), code: Some(code), body })
}

/// Uses the code up, or counts a wrong try.
pub(crate) fn redeem(
    cognito: &Cognito,
    data: &Connection,
    user: &User,
    purpose: Purpose,
    code: &str,
) -> Result<(), Failure> {
    let of_user = params![user.sub, purpose.name()];
    let found: Option<(Vec<u8>, i64, i64)> = data
        .query_row("SELECT hash, expires, tries FROM codes WHERE user = ?1 AND purpose = ?2", of_user, |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let (wanted, expires, tries) = found.ok_or(Failure::ExpiredCode)?;
    if expires <= cognito.now() {
        return Err(Failure::ExpiredCode);
    }
    if tries >= TRIES {
        return Err(Failure::LimitExceeded);
    }
    if verify_slices_are_equal(&wanted, &hash(user, purpose, code)).is_err() {
        data.execute("UPDATE codes SET tries = tries + 1 WHERE user = ?1 AND purpose = ?2", of_user)?;
        return Err(Failure::CodeMismatch);
    }
    data.execute("DELETE FROM codes WHERE user = ?1 AND purpose = ?2", of_user)?;
    Ok(())
}

pub(crate) fn forget(data: &Connection, user: &User) -> Result<(), Failure> {
    data.execute("DELETE FROM codes WHERE user = ?1", [&user.sub])?;
    Ok(())
}

/// `CodeDeliveryDetails`.
pub(crate) fn delivery(email: &str) -> Value {
    json!({ "AttributeName": "email", "DeliveryMedium": "EMAIL", "Destination": attributes::mask(email) })
}

/// Delivers a message, if there is one: where it went, or would have gone.
pub(crate) fn delivered(cognito: &Cognito, username: &str, message: Option<Message>) -> Value {
    let Some(message) = message else { return simulated_delivery(username) };
    let details = delivery(&message.to);
    cognito.deliver(message);
    details
}

/// What is answered for a user that does not exist: the same for the same name each time.
fn simulated_delivery(username: &str) -> Value {
    if username.contains('@') {
        return delivery(username);
    }
    let hash = random::sha256(&["simulated delivery", username]);
    let letters: Vec<char> = hash.iter().map(|byte| char::from(b'a' + byte % 26)).collect();
    let letter = |at: usize| letters.get(at).copied().unwrap_or('a');
    delivery(&format!("{}@{}", letter(0), letter(1)))
}

fn hash(user: &User, purpose: Purpose, code: &str) -> Vec<u8> {
    random::sha256(&[&user.sub, purpose.name(), code])
}
