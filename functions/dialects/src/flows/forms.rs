//! Values as these clients write them, and as `/v1` does.

use domain::field::{Field as _, Pointer};
use domain::json::parse_number;
use domain::level::Color;
use domain::text::Country;
use serde_json::{Map, Number, Value};

use crate::lenient;

/// A value without outer white space, and blank text as null; of an object or array, each value in it.
pub(crate) fn trimmed(value: Value) -> Value {
    match value {
        Value::String(text) if text.trim().is_empty() => Value::Null,
        Value::String(text) => text.trim().into(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, trimmed(value))).collect(),
        Value::Array(values) => values.into_iter().map(trimmed).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

/// A number as its digits were written; anything else as it is.
pub(crate) fn text(value: Value) -> Value {
    lenient::text(&value).map_or(value, Value::from)
}

/// The country of phones where nothing says another one.
const USUAL_COUNTRY: &str = "MEX";

/// A phone in any spelling; without a country it is one of Mexico.
pub(crate) fn phone(value: &Value, country: Option<&Country>) -> [(String, Value); 2] {
    let usual = Country::parse(USUAL_COUNTRY).ok();
    lenient::phone(value, country.or(usual.as_ref()))
}

/// A word in capital letters; anything else as it is.
pub(crate) fn word(value: Value) -> Value {
    if let Value::String(word) = value { word.trim().to_uppercase().into() } else { value }
}

/// `true` and `false`, in letters too and as 1 and 0; anything else as it is.
pub(crate) fn switch(value: Value) -> Value {
    lenient::switch(&value).map_or(value, Value::from)
}

/// A color, and beside it what is written there for one and is none.
pub(crate) fn color(value: Value) -> (Value, Value) {
    let is_color = value.is_null() || Color::read(value.clone(), &Pointer::root(), &mut Vec::new()).is_some();
    if is_color { (value, Value::Null) } else { (Value::Null, value) }
}

/// A number that comes as text; anything else as it is.
pub(crate) fn number(value: Value) -> Value {
    let read = |text: String| parse_number(&text).or_else(|| text.parse::<i64>().ok().map(Number::from));
    lenient::text(&value).and_then(read).map_or(value, Value::Number)
}

/// The code or name of a country, state or city of which Muster has no use: text, or nothing.
pub(crate) fn part(value: Option<&Value>) -> Value {
    value.and_then(lenient::text).map_or(Value::Null, Value::from)
}

/// The code and name of a country, state or city; nothing where neither is set.
pub(crate) fn place(value: Value) -> Value {
    let Value::Object(mut place) = value else { return value };
    let part = |name: &str| {
        let value = text(place.remove(name)?);
        (!lenient::is_blank(&value)).then(|| (name.to_owned(), value))
    };
    // Both are written, so that a change leaves nothing of the place of before.
    let mut parts = Map::from_iter([("code".to_owned(), Value::Null), ("name".to_owned(), Value::Null)]);
    parts.extend(["code", "name"].into_iter().filter_map(part));
    if parts.values().all(Value::is_null) { Value::Null } else { Value::Object(parts) }
}

/// A number as text with two decimals.
pub(crate) fn fixed(value: &Value) -> Value {
    let number = value.as_f64().map(|number| format!("{number:.2}"));
    number.map_or(Value::Null, |number| if number == "-0.00" { "0.00".into() } else { number.into() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_read_as_they_are_meant_and_what_is_wrong_stays_wrong() {
        for (found, expected) in [
            (text(json!(5512345678_u64)), json!("5512345678")),
            (switch(json!("1")), json!(true)),
            (switch(json!(0)), json!(false)),
            (switch(json!("yes")), json!("yes")),
            (number(json!("401.00")).to_string().into(), json!("401.00")),
            (number(json!(" 1e3 ")).to_string().into(), json!("1e3")),
            (number(json!("007")), json!(7)),
            (number(json!(7)), json!(7)),
            (number(json!("")), json!("")),
            (number(json!("seven")), json!("seven")),
            (trimmed(json!({ "a": " b ", "c": [" ", 1] })), json!({ "a": "b", "c": [null, 1] })),
            (place(json!({ "id": 1, "code": 9, "name": "" })), json!({ "code": "9", "name": null })),
            (place(json!({ "id": null, "code": null, "name": null })), Value::Null),
            (place(json!("MEX")), json!("MEX")),
            (fixed(&json!(19.426_967)), json!("19.43")),
            (fixed(&json!(-0.001)), json!("0.00")),
            (fixed(&json!(500)), json!("500.00")),
            (fixed(&Value::Null), Value::Null),
        ] {
            assert_eq!(found, expected);
        }
    }
}
