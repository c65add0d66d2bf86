//! Bodies and times as other systems' clients write them.

use domain::field::Pointer;
use domain::text::Country;
use domain::{Error, Field as _, Phone, PhoneSpelling, Time, User};
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

/// The value of a field; nothing where it is left out, null or blank text, which all mean that it is unset.
pub(crate) fn given<'a>(body: &'a Value, name: &str) -> Option<&'a Value> {
    body.get(name).filter(|value| !is_blank(value))
}

/// Whether a value means that its field is unset: null or blank text.
pub(crate) fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// A value as text without outer white space: a number as its digits were written.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A secret as the domain reads it: white space counts, and a number is its digits as they were written.
pub(crate) fn secret(value: &Value) -> Value {
    if let Value::Number(number) = value { number.to_string().into() } else { value.clone() }
}

/// A value as a switch.
pub(crate) fn switch(value: &Value) -> Option<bool> {
    if let Value::Bool(on) = value {
        return Some(*on);
    }
    match text(value)?.to_ascii_lowercase().as_str() {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

/// The names under which the domain keeps a phone: its number, and the spelling that was sent.
pub(crate) const PHONE: (&str, &str) = ("phone", "phone_display");

/// A phone in any spelling, as the domain keeps it: the number, which `country` completes, or null, and the spelling.
pub(crate) fn phone(value: &Value, country: Option<&Country>) -> [(String, Value); 2] {
    let spelling = text(value).filter(|text| !text.is_empty());
    let read = |text: &str| match country {
        Some(country) => Phone::parse_in(text, country),
        // Without a country, only a number with its calling code says which it is.
        None if text.starts_with('+') || text.starts_with("00") => Phone::parse(text).ok(),
        None => None,
    };
    let number = spelling.as_deref().and_then(read);
    // The domain refuses a value that is not text.
    let number =
        number.map_or_else(|| if spelling.is_some() { Value::Null } else { value.clone() }, |phone| phone.show());
    let number = if is_blank(value) { Value::Null } else { number };
    [(PHONE.0.to_owned(), number), (PHONE.1.to_owned(), spelling.into())]
}

/// The phone of a user in the spelling that was sent.
pub(crate) fn phone_of(user: &User) -> Option<&str> {
    let spelling = user.fields.phone_display.as_ref().map(PhoneSpelling::as_str);
    spelling.or_else(|| user.fields.phone.as_ref().map(Phone::as_str))
}

/// A day as the domain reads it: with a month or day of one digit, with slashes, or as the time that it was written with.
/// Anything else is text, if it can be.
pub(crate) fn day(value: &Value) -> Value {
    let Some(text) = text(value) else { return value.clone() };
    match split_day(&text) {
        Some((day, rest)) if rest.is_empty() || (rest.starts_with(['T', 't', ' ']) && time(&text).is_some()) => {
            day.into()
        }
        _ => text.into(),
    }
}

/// Splits a text behind the year, month and day that it begins with, and writes these as `YYYY-MM-DD`.
fn split_day(text: &str) -> Option<(String, &str)> {
    let (year, rest) = text.split_at_checked(4).filter(|(year, _)| year.bytes().all(|byte| byte.is_ascii_digit()))?;
    let divider = rest.chars().next().filter(|divider| matches!(divider, '-' | '/'))?;
    let number = |rest: &str| rest.bytes().take_while(u8::is_ascii_digit).count();
    let rest = rest.strip_prefix(divider)?;
    let (month, rest) = rest.split_at_checked(number(rest))?;
    let rest = rest.strip_prefix(divider)?;
    let (day, rest) = rest.split_at_checked(number(rest))?;
    let fits = [month, day].iter().all(|part| matches!(part.len(), 1 | 2));
    fits.then(|| (format!("{year}-{month:0>2}-{day:0>2}"), rest))
}

/// A time, which may be a day, RFC 3339 with a `T` or a space, without seconds, with a fraction, in UTC unless it says
/// where; or the seconds or milliseconds since 1970.
pub(crate) fn time(text: &str) -> Option<Time> {
    let text = text.trim();
    let read = |text: &str| Time::read(text.into(), &Pointer::root(), &mut Vec::new());
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return since_1970(text);
    }
    let (day, rest) = split_day(text)?;
    let rest = rest.strip_prefix(['T', 't', ' ']).unwrap_or(rest);
    if rest.is_empty() {
        return read(&format!("{day}T00:00:00Z"));
    }
    let end =
        rest.find(|letter: char| !letter.is_ascii_digit() && !matches!(letter, ':' | '.' | ',')).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at_checked(end)?;
    let clock = if clock.len() == 5 { format!("{clock}:00") } else { clock.to_owned() };
    let zone = match (zone, zone.trim()) {
        ("", _) => "Z".to_owned(),
        // In a query a plus sign means a space: one behind the time is a sign that was not escaped.
        (spaced, offset) if spaced.starts_with(' ') && !offset.starts_with(['+', '-', 'Z', 'z']) => {
            format!("+{offset}")
        }
        (_, zone) => zone.to_owned(),
    };
    // Without a colon, or without minutes, as ISO 8601 has them too.
    let zone = match (zone.len(), zone.split_at_checked(3)) {
        (3, _) => format!("{zone}:00"),
        (5, Some((hours, minutes))) => format!("{hours}:{minutes}"),
        _ => zone,
    };
    read(&format!("{day}T{clock}{zone}"))
}

/// The least number that means milliseconds: as seconds it would be the year 5138.
const LEAST_MILLIS: i64 = 100_000_000_000;

/// A count of seconds since 1970, or, where it is too large for that, of milliseconds. Eight digits may be a day.
fn since_1970(digits: &str) -> Option<Time> {
    if digits.len() == 8 {
        let (year, day) = digits.split_at_checked(4)?;
        let (month, day) = day.split_at_checked(2)?;
        return time(&format!("{year}-{month}-{day}"));
    }
    let count = digits.parse::<i64>().ok()?;
    Some(Time::from_millis(if count < LEAST_MILLIS { count * 1000 } else { count }))
}

/// The items of a list with their places: an array, an object whose names are numbers, as PHP writes an array, or one item.
///
/// Null and blank items are none: a form writes an empty list as `name[]=`.
pub(crate) fn items(list: &Value) -> Vec<(usize, &Value)> {
    let mut items: Vec<_> = match list {
        Value::Array(items) => items.iter().enumerate().collect(),
        Value::Object(members) => {
            let numbered = members.iter().map(|(name, item)| Some((name.parse().ok()?, item)));
            numbered.collect::<Option<_>>().unwrap_or_else(|| vec![(0, list)])
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![(0, list)],
    };
    items.retain(|(_, item)| !is_blank(item));
    items.sort_by_key(|(place, _)| *place);
    items
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
            ("1763719200000", Some("2025-11-21T10:00:00.000Z")),
            ("0", Some("1970-01-01T00:00:00.000Z")),
            ("99999", Some("1970-01-02T03:46:39.000Z")),
            ("20261121", Some("2026-11-21T00:00:00.000Z")),
            ("99999999999999999999", None),
            (" 2026-11-21 ", Some("2026-11-21T00:00:00.000Z")),
            ("2026-11-21T10:00:00.123456", Some("2026-11-21T10:00:00.123Z")),
            ("2026-11-21 10:00:00.123456", Some("2026-11-21T10:00:00.123Z")),
            ("2026-11-21 10:00:00 +02:00", Some("2026-11-21T08:00:00.000Z")),
            ("2026-11-21 10:00:00Z", Some("2026-11-21T10:00:00.000Z")),
            ("2026-11-21T10:00+02:00", Some("2026-11-21T08:00:00.000Z")),
            ("2026-11-21 10:00:00-0300", Some("2026-11-21T13:00:00.000Z")),
            ("9999-12-31", Some("9999-12-31T00:00:00.000Z")),
            ("2026-1-2", Some("2026-01-02T00:00:00.000Z")),
            ("2026/1/02 10:00", Some("2026-01-02T10:00:00.000Z")),
            ("2026-1/2", None),
            ("2026-001-2", None),
            ("21-11-2026", None),
            ("0000-00-00 00:00:00", None),
            ("2026-02-30", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(time(text).map(|time| time.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_day_is_read_in_each_of_its_writings() {
        for (sent, expected) in [
            ("1990-02-28", "1990-02-28"),
            (" 1990-2-3 ", "1990-02-03"),
            ("1990/02/28", "1990-02-28"),
            ("1990-05-3T00:00:00.000Z", "1990-05-03"),
            ("1990-02-28 12:30", "1990-02-28"),
            ("1990-02-28 tomorrow", "1990-02-28 tomorrow"),
            ("28/02/1990", "28/02/1990"),
            ("", ""),
        ] {
            assert_eq!(day(&json!(sent)), json!(expected), "{sent}");
        }
        assert_eq!((day(&json!(null)), day(&json!(["x"]))), (json!(null), json!(["x"])));
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

    #[test]
    fn list_is_read_in_each_of_its_writings() {
        for (list, expected) in [
            (json!(["a", 2]), vec![(0, json!("a")), (1, json!(2))]),
            (json!("a"), vec![(0, json!("a"))]),
            (json!(7), vec![(0, json!(7))]),
            (json!({ "a": 1 }), vec![(0, json!({ "a": 1 }))]),
            (json!({ "10": "b", "2": "a" }), vec![(2, json!("a")), (10, json!("b"))]),
            (json!(["", " ", null, "a"]), vec![(3, json!("a"))]),
            (json!([""]), vec![]),
            (json!({}), vec![]),
            (json!(" "), vec![]),
            (Value::Null, vec![]),
        ] {
            let items: Vec<_> = items(&list).into_iter().map(|(place, item)| (place, item.clone())).collect();
            assert_eq!(items, expected, "{list}");
        }
    }
}
