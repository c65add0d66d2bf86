//! What nobody may see: codes, tokens and passwords that are checked, on their way.

use std::fmt;

use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};

use crate::error::FieldError;
use crate::field::{Field, Pointer};
use crate::text::{Kind, digits, text_schema};

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
