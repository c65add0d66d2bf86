//! Decimal numbers that are places on the globe.

use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::error::FieldError;
use crate::field::{Field, Pointer};
use crate::json::parse_number;

/// A decimal number, kept exactly as its digits were written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Decimal(String);

impl Decimal {
    /// The number within `low..=high` that `value` holds, as a JSON number or a string of one.
    fn within(low: f64, high: f64, value: &Value) -> Option<Self> {
        let text = match value {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        // Only what is a number in JSON is given back as one.
        let number = parse_number(&text)?.as_f64()?;
        // A number above a limit by less than a double can tell is read as the limit.
        let is_limit = number == low || number == high;
        let is_within = (low..=high).contains(&number) && (!is_limit || is_whole(&text));
        (text.len() <= 40 && is_within).then_some(Self(text))
    }

    /// The number as clients see it; the table keeps it as text.
    fn show(&self) -> Value {
        parse_number(&self.0).map_or(Value::Null, Value::Number)
    }
}

/// Whether a decimal number has no fraction but zeros.
fn is_whole(text: &str) -> bool {
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let shift: i32 = exponent.parse().unwrap_or_default();
    // The digits that stand behind the point once it is moved.
    let behind = match usize::try_from(shift) {
        Ok(right) => fraction.get(right.min(fraction.len())..).unwrap_or_default().to_owned(),
        Err(_) => {
            let left = usize::try_from(shift.unsigned_abs()).unwrap_or(usize::MAX);
            format!("{}{fraction}", whole.get(whole.len().saturating_sub(left)..).unwrap_or_default())
        }
    };
    behind.bytes().all(|digit| digit == b'0')
}

fn degrees_schema(kind: SchemaType, limit: f64) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(kind).minimum(Some(-limit)).maximum(Some(limit))
}

macro_rules! degrees {
    ($(#[doc = $doc:literal])* $name:ident, $limit:literal, $message:literal, example $example:literal) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(Decimal);

        impl Field for $name {
            fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
                let degrees = Decimal::within(-$limit, $limit, &value);
                if degrees.is_none() {
                    errors.push(at.error("out_of_range", $message));
                }
                degrees.map(Self)
            }

            fn show(&self) -> Value {
                self.0.show()
            }

            fn schema() -> RefOr<Schema> {
                degrees_schema(SchemaType::Array(vec![Type::Number, Type::String]), $limit).examples([serde_json::json!($example)]).into()
            }

            fn response_schema() -> RefOr<Schema> {
                degrees_schema(SchemaType::Type(Type::Number), $limit).examples([serde_json::json!($example)]).into()
            }
        }
    };
}

degrees!(
    /// Degrees north of the equator.
    Latitude, 90.0, "must be a number from -90 to 90", example 19.432_608
);
degrees!(
    /// Degrees east of Greenwich.
    Longitude, 180.0, "must be a number from -180 to 180", example -99.133_209
);
