//! Usernames, compared as RFC 8265 says: look-alikes in case, width and composition are one.
//!
//! A username is kept and shown in the form of `UsernameCasePreserved`, and compared in that of `UsernameCaseMapped`. Rows
//! from before this rule hold other text; they keep the claim that they have, the text in lower case.

use precis_profiles::precis_core::profile::Profile as _;
use precis_profiles::{UsernameCaseMapped, UsernameCasePreserved};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::error::FieldError;
use crate::field::{Field, Pointer};
use crate::max_length;
use crate::normalize::{MaxLength, check_scripts, normalize_text, without_invisible};
use crate::text::{Broken, Kind, plain, text_schema};

/// The most characters of a username.
const MAX: MaxLength = max_length!(128);

/// The name that a user logs in with beside the e-mail; unique without case, width and composition (RFC 8265).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Username {
    text: String,
    /// The claim of a row from before the rule, if the text as it was sent would have had another one then.
    former: Option<String>,
}

/// A row may hold a text from before the rule.
impl From<String> for Username {
    fn from(text: String) -> Self {
        Self { text, former: None }
    }
}

impl From<Username> for String {
    fn from(username: Username) -> Self {
        username.text
    }
}

impl Username {
    /// The username as it is shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Parses a username: 1 to 128 letters and digits of any script, and ASCII signs, without spaces.
    ///
    /// # Errors
    /// The rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, Broken> {
        let sent = text;
        let text = normalize_text(sent, MAX)?;
        if text.contains(char::is_whitespace) {
            return Err(("invalid_username", "must have no spaces"));
        }
        let enforced = UsernameCasePreserved::new().enforce(text.as_str());
        let shown = enforced.map_err(|_| ("invalid_username", "must have only letters, digits and ASCII signs"))?;
        check_scripts(&shown)?;
        let username = Self::from(shown.into_owned());
        let former = Some(sent.to_lowercase()).filter(|former| *former != username.canonical());
        Ok(Self { former, ..username })
    }

    /// Returns the form in which two usernames are the same.
    #[must_use]
    pub fn canonical(&self) -> String {
        let mapped = UsernameCaseMapped::new().enforce(self.text.as_str()).ok().filter(|_| !self.is_former());
        // The two small sigmas are one letter, which has one capital.
        mapped.map_or_else(|| self.text.to_lowercase(), |mapped| without_invisible(&mapped).replace('ς', "σ"))
    }

    /// Returns the form in which a row from before the rule may claim the text that was sent, if it is another one.
    #[must_use]
    pub fn former(&self) -> Option<&str> {
        self.former.as_deref()
    }

    /// Whether the text is from before the rule, and would be another one today.
    #[must_use]
    pub fn is_former(&self) -> bool {
        UsernameCasePreserved::new().enforce(self.text.as_str()).map_or(true, |enforced| enforced != self.text)
    }
}

impl Field for Username {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        let text = plain(value, at, errors)?;
        Self::parse(&text).map_err(|(code, message)| errors.push(at.error(code, message))).ok()
    }

    fn show(&self) -> Value {
        self.text.as_str().into()
    }

    fn schema() -> RefOr<Schema> {
        text_schema(Kind::plain, MAX.characters, "ana.lopez")
    }
}

impl PartialSchema for Username {
    fn schema() -> RefOr<Schema> {
        <Self as Field>::schema()
    }
}

impl ToSchema for Username {}

/// A username that names a user who may be from before the rule: it may break the rule.
#[derive(Debug, Clone)]
pub struct NamedUsername(pub Username);

impl Field for NamedUsername {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        let text = plain(value, at, errors)?;
        if let Ok(username) = Username::parse(&text) {
            return Some(Self(username));
        }
        if text.trim().is_empty() || text.chars().nth(MAX.characters).is_some() || text.contains(char::is_control) {
            errors.push(at.error("invalid_username", "must be a username of 1 to 128 characters"));
            return None;
        }
        Some(Self(Username::from(text)))
    }

    fn show(&self) -> Value {
        self.0.show()
    }

    fn schema() -> RefOr<Schema> {
        <Username as Field>::schema()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Option<String> {
        Username::parse(text).ok().map(|username| username.canonical())
    }

    #[test]
    fn look_alikes_in_case_width_and_composition_are_one() {
        for (text, shown) in [
            ("josé", "josé"),
            ("JOSÉ", "JOSÉ"),
            ("jose\u{301}", "josé"),
            ("Ｊｏｓé", "José"),
            ("ｊｏｓｅ\u{301}", "josé"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some("josé"), "{text}");
            assert_eq!(Username::parse(text).ok().as_ref().map(Username::as_str), Some(shown));
        }
        assert_eq!(canonical("ana@example.com").as_deref(), Some("ana@example.com"));
    }

    #[test]
    fn text_outside_the_identifier_class_is_refused() {
        for text in ["ana lópez", "ana\u{200b}", "ana\u{2028}b", "½", "ana☺", "\u{202e}ana", "a\u{a0}b", "ﬁn"] {
            assert!(Username::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn row_from_before_the_rule_keeps_its_claim() {
        for (text, claim) in [("Ａna", "ａna"), ("jose\u{301}", "jose\u{301}"), ("Ana☺", "ana☺"), ("Ana", "ana")]
        {
            let row: Option<Username> = serde_json::from_value(text.into()).ok();
            assert_eq!(row.map(|row| row.canonical()).as_deref(), Some(claim), "{text}");
        }
        // Who names it so finds it, by one form or the other.
        let named = Username::parse("Ａna").ok();
        let forms = named.map(|named| (named.canonical(), named.former().map(str::to_owned)));
        assert_eq!(forms, Some(("ana".to_owned(), Some("ａna".to_owned()))));
        let named = NamedUsername::read("Ana☺".into(), &Pointer::root(), &mut Vec::new());
        assert_eq!(named.map(|named| named.0.canonical()).as_deref(), Some("ana☺"));
    }
}
