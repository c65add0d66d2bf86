//! Bodies and times as other systems' clients write them.

use domain::field::Pointer;
use domain::{Error, Field as _, Time};
use edge::FromJson;
use serde_json::Value;

/// A body of any JSON.
#[derive(Debug, Clone)]
pub(crate) struct Json(pub(crate) Value);

impl FromJson for Json {
    fn from_json(value: Value) -> Result<Self, Error> {
        Ok(Self(value))
    }
}

/// The value of a field; nothing where it is left out, null or empty text, which all mean that it is unset.
pub(crate) fn given<'a>(body: &'a Value, name: &str) -> Option<&'a Value> {
    body.get(name).filter(|value| !value.is_null() && value.as_str() != Some(""))
}

/// A value as text: a number as its digits were written.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A value as a switch.
pub(crate) fn switch(value: &Value) -> Option<bool> {
    if let Value::Bool(on) = value {
        return Some(*on);
    }
    match text(value)?.as_str() {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

/// A time, which may be a day, RFC 3339, `YYYY-MM-DD HH:MM` with or without seconds, in UTC unless it says where, or the
/// seconds since 1970.
pub(crate) fn time(text: &str) -> Option<Time> {
    let read = |text: &str| Time::read(text.into(), &Pointer::root(), &mut Vec::new());
    if text.len() >= 9 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse::<i64>().ok().map(|seconds| Time::from_millis(seconds.saturating_mul(1000)));
    }
    let (day, rest) = text.split_at_checked(10).unwrap_or((text, ""));
    // In a query a plus sign means a space: one behind the time is a sign that was not escaped.
    let rest = rest.replacen(['T', ' '], "T", 1).replace(' ', "+");
    let text = format!("{day}{rest}");
    match text.len() {
        10 => read(&format!("{text}T00:00:00Z")),
        16 => read(&format!("{text}:00Z")),
        19 => read(&format!("{text}Z")),
        _ => read(&text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_time_is_read_in_each_of_its_writings() {
        for (text, expected) in [
            ("2026-11-21", Some("2026-11-21T00:00:00.000Z")),
            ("2026-11-21 10:00:00", Some("2026-11-21T10:00:00.000Z")),
            ("2026-11-21T10:00:00", Some("2026-11-21T10:00:00.000Z")),
            ("2026-11-21T10:00:00+02:00", Some("2026-11-21T08:00:00.000Z")),
            ("2026-11-21 10:00", Some("2026-11-21T10:00:00.000Z")),
            ("2026-11-21 10:00:00 02:00", Some("2026-11-21T08:00:00.000Z")),
            ("2026-11-21T10:00:00 02:00", Some("2026-11-21T08:00:00.000Z")),
            ("1763719200", Some("2025-11-21T10:00:00.000Z")),
            ("2026-02-30", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(time(text).map(|time| time.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn unset_is_left_out_null_or_empty_and_a_number_keeps_its_digits() {
        let body: Value = serde_json::from_str(r#"{"a": null, "b": "", "c": 12345678901234567890, "d": "0"}"#).unwrap();
        let text = |name: &str| given(&body, name).and_then(super::text);
        assert_eq!((text("a"), text("b"), text("x")), (None, None, None));
        assert_eq!(text("c").as_deref(), Some("12345678901234567890"));
        assert_eq!(given(&body, "d").and_then(switch), Some(false));
        assert_eq!(switch(&json!("yes")), None);
    }
}
