//! What nobody may see: passwords, codes and tokens on their way.

use std::fmt;

use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::error::FieldError;
use crate::field::{Field, Pointer};
use crate::text::{Kind, digits, text_schema};

/// A password on its way to Cognito: never stored here, never shown.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// The password itself, for Cognito alone.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Password(…)")
    }
}

impl Field for Password {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        let Value::String(text) = value else {
            errors.push(at.error("invalid_type", "must be a string"));
            return None;
        };
        // The pool's policy (template.yaml) and Cognito's own pattern: no white space at either end.
        let length = text.chars().count();
        let broken = if length < 8 {
            Some(("too_short", "must have at least 8 characters"))
        } else if length > 256 {
            Some(("too_long", "must have at most 256 characters"))
        } else if text.trim() != text || text.chars().any(char::is_control) {
            Some(("invalid_password", "must not begin or end with a space, and have no control characters"))
        } else {
            None
        };
        match broken {
            Some((code, message)) => {
                errors.push(at.error(code, message));
                None
            }
            None => Some(Self(text)),
        }
    }

    fn show(&self) -> Value {
        Value::Null
    }

    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).min_length(Some(8)).max_length(Some(256)).into()
    }
}

/// A secret that the client gives back: a password to check, a code, a token.
///
/// Any text up to 8 KiB; a number's digits count as text. Whether it is right is not a matter of form, so no rule
/// here can tell anything about it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The secret itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(…)")
    }
}

impl Field for Secret {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        let text = digits(value, at, errors)?;
        let broken = if text.is_empty() {
            ("too_short", "must not be empty")
        } else if text.len() > 8192 {
            ("too_long", "must have at most 8192 bytes")
        } else if text.chars().any(char::is_control) {
            ("control_character", "must have no control characters")
        } else {
            return Some(Self(text));
        };
        errors.push(at.error(broken.0, broken.1));
        None
    }

    fn show(&self) -> Value {
        Value::Null
    }

    fn schema() -> RefOr<Schema> {
        text_schema(Kind::digits, 8192, "492817")
    }
}
