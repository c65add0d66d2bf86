//! A request's parameters, read with Cognito's own complaints.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::error::Failure;

/// One JSON object: the request's body, or an object in it.
#[derive(Debug, Default)]
pub(crate) struct Input(Map<String, Value>);

impl Input {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Failure> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) | Err(_) => Err(Failure::Serialization("The request is not a JSON object.".to_owned())),
        }
    }

    /// A text that must be there and not be empty.
    pub(crate) fn text(&self, name: &str) -> Result<&str, Failure> {
        match self.optional_text(name)? {
            None => Err(violated(name, "Value null", "Member must not be null")),
            Some("") => Err(violated(name, "Value ''", "Member must have length greater than or equal to 1")),
            Some(text) => Ok(text),
        }
    }

    pub(crate) fn optional_text(&self, name: &str) -> Result<Option<&str>, Failure> {
        self.optional(name, "a string", Value::as_str)
    }

    /// One of `allowed`.
    pub(crate) fn choice(&self, name: &str, allowed: &[&str]) -> Result<Option<&str>, Failure> {
        match self.optional_text(name)? {
            Some(text) if !allowed.contains(&text) => Err(outside(name, text, allowed)),
            choice => Ok(choice),
        }
    }

    pub(crate) fn optional_flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        self.optional(name, "a boolean", Value::as_bool)
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, Failure> {
        Ok(self.optional_flag(name)?.unwrap_or(false))
    }

    /// A whole number within `range`.
    pub(crate) fn number(&self, name: &str, range: std::ops::RangeInclusive<i64>) -> Result<Option<i64>, Failure> {
        let number = self.optional(name, "a whole number", Value::as_i64)?;
        match number {
            Some(number) if number > *range.end() => {
                let constraint = format!("Member must have value less than or equal to {}", range.end());
                Err(violated(name, &format!("Value '{number}'"), &constraint))
            }
            Some(number) if number < *range.start() => {
                let constraint = format!("Member must have value greater than or equal to {}", range.start());
                Err(violated(name, &format!("Value '{number}'"), &constraint))
            }
            Some(_) | None => Ok(number),
        }
    }

    /// An object; an absent one is empty.
    pub(crate) fn section(&self, name: &str) -> Result<Self, Failure> {
        let fields = self.optional(name, "an object", Value::as_object)?;
        Ok(Self(fields.cloned().unwrap_or_default()))
    }

    pub(crate) fn list(&self, name: &str) -> Result<Option<Vec<Value>>, Failure> {
        Ok(self.optional(name, "a list", Value::as_array)?.cloned())
    }

    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Failure> {
        let Some(list) = self.list(name)? else {
            return Ok(None);
        };
        let texts: Option<Vec<String>> = list.iter().map(|text| text.as_str().map(str::to_owned)).collect();
        texts.map(Some).ok_or_else(|| mistyped(name, "a list of strings"))
    }

    /// `[{"Name": …, "Value": …}]`; of two with the same name the last counts.
    pub(crate) fn pairs(&self, name: &str) -> Result<BTreeMap<String, String>, Failure> {
        let mut pairs = BTreeMap::new();
        for pair in self.list(name)?.unwrap_or_default() {
            let Value::Object(fields) = pair else {
                return Err(mistyped(name, "a list of objects"));
            };
            let pair = Self(fields);
            pairs.insert(pair.text("Name")?.to_owned(), pair.optional_text("Value")?.unwrap_or_default().to_owned());
        }
        Ok(pairs)
    }

    /// An object whose values are all text, as it is.
    pub(crate) fn text_map(&self, name: &str) -> Result<Option<Value>, Failure> {
        let Some(fields) = self.optional(name, "an object", Value::as_object)? else {
            return Ok(None);
        };
        if fields.values().all(Value::is_string) {
            Ok(Some(Value::Object(fields.clone())))
        } else {
            Err(mistyped(name, "a map of strings"))
        }
    }

    /// What must be in `AuthParameters` or `ChallengeResponses`.
    pub(crate) fn parameter(&self, name: &str) -> Result<&str, Failure> {
        match self.optional_text(name)? {
            Some(text) if !text.is_empty() => Ok(text),
            Some(_) | None => Err(Failure::invalid(format!("Missing required parameter {name}"))),
        }
    }

    pub(crate) fn username(&self) -> Result<&str, Failure> {
        let username = self.text("Username")?;
        if username.chars().count() > 128 {
            let constraint = "Member must have length less than or equal to 128";
            return Err(violated("Username", &format!("Value '{username}'"), constraint));
        }
        if username.chars().any(|c| c.is_whitespace() || c.is_control()) {
            let constraint = r"Member must satisfy regular expression pattern: [\p{L}\p{M}\p{S}\p{N}\p{P}]+";
            return Err(violated("Username", &format!("Value '{username}'"), constraint));
        }
        Ok(username)
    }

    /// Absent and `null` are the same, as in Cognito.
    fn optional<'a, T>(
        &'a self,
        name: &str,
        wanted: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => read(value).map(Some).ok_or_else(|| mistyped(name, wanted)),
        }
    }
}

pub(crate) fn outside(name: &str, text: &str, allowed: &[&str]) -> Failure {
    let constraint = format!("Member must satisfy enum value set: [{}]", allowed.join(", "));
    violated(name, &format!("Value '{text}'"), &constraint)
}

/// `value` is shown, so a password passes something else.
pub(crate) fn violated(name: &str, value: &str, constraint: &str) -> Failure {
    let mut letters = name.chars();
    let member: String = letters.next().map(|c| c.to_ascii_lowercase()).into_iter().chain(letters).collect();
    Failure::invalid(format!(
        "1 validation error detected: {value} at '{member}' failed to satisfy constraint: {constraint}"
    ))
}

fn mistyped(name: &str, wanted: &str) -> Failure {
    Failure::Serialization(format!("{name} is not {wanted}."))
}
