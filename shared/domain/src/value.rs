//! What bodies hold besides text: lists, whole numbers, words of a fixed set, nested objects, defaults.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type};

use crate::error::FieldError;
use crate::field::{Field, Pointer, named, with_default};

/// A value that need not be sent: absent or `null` it is its type's default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct OrDefault<T>(pub T);

/// Rows that were written before the field existed have the default too.
impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for OrDefault<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<T>::deserialize(deserializer).map(|value| Self(value.unwrap_or_default()))
    }
}

impl<T: Field + Default> Field for OrDefault<T> {
    const REQUIRED: bool = false;

    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        if value.is_null() { Some(Self::default()) } else { T::read(value, at, errors).map(Self) }
    }

    fn absent(_: &Pointer, _: &mut Vec<FieldError>) -> Option<Self> {
        Some(Self::default())
    }

    fn show(&self) -> Value {
        self.0.show()
    }

    fn schema() -> RefOr<Schema> {
        with_default(T::schema(), T::default().show())
    }

    fn response_schema() -> RefOr<Schema> {
        T::response_schema()
    }
}

/// A list of at most `MAX` values, no two of them the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct List<T, const MAX: usize>(pub Vec<T>);

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Field, const MAX: usize> Field for List<T, MAX> {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        let Value::Array(values) = value else {
            errors.push(at.error("invalid_type", "must be a JSON array"));
            return None;
        };
        if values.len() > MAX {
            errors.push(at.error("too_long", &format!("must have at most {MAX} entries")));
            return None;
        }
        // All are read before any is missed, so that all errors are found at once.
        let read: Vec<Option<T>> =
            values.into_iter().enumerate().map(|(index, value)| T::read(value, &at.child(index), errors)).collect();
        let list: Vec<T> = read.into_iter().collect::<Option<_>>()?;
        distinct(&list, |entry| entry.show().to_string(), at, errors).then_some(Self(list))
    }

    fn show(&self) -> Value {
        self.0.iter().map(T::show).collect()
    }

    fn schema() -> RefOr<Schema> {
        ArrayBuilder::new().items(T::schema()).max_items(Some(MAX)).into()
    }

    fn response_schema() -> RefOr<Schema> {
        ArrayBuilder::new().items(T::response_schema()).max_items(Some(MAX)).into()
    }
}

/// Whether no two of `entries` have the same `key`; each that repeats an earlier one is an error.
pub fn distinct<T>(entries: &[T], key: impl Fn(&T) -> String, at: &Pointer, errors: &mut Vec<FieldError>) -> bool {
    let before = errors.len();
    let mut seen = HashSet::new();
    for (index, entry) in entries.iter().enumerate() {
        if !seen.insert(key(entry)) {
            errors.push(at.child(index).error("repeated", "is there already; take it out"));
        }
    }
    errors.len() == before
}

/// A whole number from `LOW` to `HIGH`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Number")]
pub struct Integer<const LOW: i64, const HIGH: i64>(i64);

impl<const LOW: i64, const HIGH: i64> Integer<LOW, HIGH> {
    /// The number `number`, if it lies within the range.
    #[must_use]
    pub fn new(number: i64) -> Option<Self> {
        (LOW..=HIGH).contains(&number).then_some(Self(number))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }

    /// Any number of the range.
    #[must_use]
    pub fn random() -> Self {
        // The low bits of a fresh id are random.
        let random = i64::from_le_bytes((crate::id::fresh().as_u64_pair().1 & 0xffff_ffff).to_le_bytes());
        Self(LOW + random % (HIGH - LOW + 1))
    }
}

/// Zero, or what of the range is nearest to it.
impl<const LOW: i64, const HIGH: i64> Default for Integer<LOW, HIGH> {
    fn default() -> Self {
        Self(0.clamp(LOW, HIGH))
    }
}

/// A JSON number keeps its digits here (`arbitrary_precision`), so it is read as one and not as an `i64`, which would
/// fail within a flattened struct.
impl<const LOW: i64, const HIGH: i64> TryFrom<Number> for Integer<LOW, HIGH> {
    type Error = &'static str;

    fn try_from(number: Number) -> Result<Self, Self::Error> {
        number.as_i64().and_then(Self::new).ok_or("not a whole number within its range")
    }
}

impl<const LOW: i64, const HIGH: i64> Integer<LOW, HIGH> {
    /// The whole number that is written with a fraction of zeros or an exponent.
    fn from_whole(number: &Number) -> Option<Self> {
        let plain = plain_digits(&number.to_string())?;
        let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
        let is_whole = fraction.bytes().all(|digit| digit == b'0');
        whole.parse().ok().filter(|_| is_whole).and_then(Self::new)
    }
}

impl<const LOW: i64, const HIGH: i64> Field for Integer<LOW, HIGH> {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        let Value::Number(number) = value else {
            errors.push(at.error("invalid_type", "must be a whole number"));
            return None;
        };
        // 10.0 is a whole number too (JSON Schema, section 6.1.1).
        let integer = Self::try_from(number.clone()).ok().or_else(|| Self::from_whole(&number));
        if integer.is_none() {
            errors.push(at.error("out_of_range", &format!("must be a whole number from {LOW} to {HIGH}")));
        }
        integer
    }

    fn show(&self) -> Value {
        self.0.into()
    }

    fn schema() -> RefOr<Schema> {
        let bound = utoipa::Number::from;
        ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(bound(LOW))).maximum(Some(bound(HIGH))).into()
    }
}

/// The most characters of a number.
const MOST_DIGITS: usize = 40;

/// Returns a decimal number without exponent and leading zeros: `1500` of `1.5e3`.
pub(crate) fn plain_digits(text: &str) -> Option<String> {
    let (sign, unsigned) = text.strip_prefix('-').map_or(("", text), |unsigned| ("-", unsigned));
    let (mantissa, exponent) =
        unsigned.split_once(['e', 'E']).map_or((unsigned, "0"), |(mantissa, exponent)| (mantissa, exponent));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(whole, part)| (whole, Some(part)));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if text.len() > MOST_DIGITS || !is_digits(whole) || !fraction.is_none_or(is_digits) {
        return None;
    }
    let exponent: i32 = exponent.parse().ok().filter(|exponent: &i32| exponent.unsigned_abs() <= 40)?;
    let fraction = fraction.unwrap_or_default();
    let point = i32::try_from(whole.len()).ok()? + exponent;
    let mut digits = format!("{whole}{fraction}");
    let point = match usize::try_from(point) {
        Ok(point) => {
            digits.extend(std::iter::repeat_n('0', point.saturating_sub(digits.len())));
            point
        }
        Err(_) => {
            digits.insert_str(0, &"0".repeat(usize::try_from(point.unsigned_abs()).ok()?));
            0
        }
    };
    let (whole, fraction) = digits.split_at_checked(point)?;
    let significant = whole.trim_start_matches('0');
    let whole = if significant.is_empty() { "0" } else { significant };
    let fraction = if fraction.is_empty() { String::new() } else { format!(".{fraction}") };
    let plain = format!("{sign}{whole}{fraction}");
    (plain.len() <= MOST_DIGITS).then_some(plain)
}

/// The first of one or two names.
#[doc(hidden)]
#[macro_export]
macro_rules! schema_name {
    ($name:ident) => {
        stringify!($name)
    };
    ($name:ident $as:literal) => {
        $as
    };
}

/// Declares an enum that clients write as one word of a fixed set. It is a component of the OpenAPI document, called like the
/// enum, or by another name that follows `as`.
#[macro_export]
macro_rules! words {
    (
        $(#[doc = $doc:literal])* $(#[derive($($derive:ident),*)])?
        pub enum $name:ident $(as $as:literal)? {
            // A visibility matches nothing: it carries whether the mark is there.
            $($(#[doc = $variant_doc:literal])* $(#[default] $mark:vis)? $variant:ident = $word:literal,)*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize $($(, $derive)*)?)]
        pub enum $name {
            $($(#[doc = $variant_doc])* #[serde(rename = $word)] $(#[default] $mark)? $variant,)*
        }

        impl $name {
            /// All words, for errors and schemas.
            pub const NAMES: &[&str] = &[$($word),*];

            /// The word as clients write it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// What `word` means.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }

        impl $crate::field::Field for $name {
            fn read(
                value: serde_json::Value,
                at: &$crate::field::Pointer,
                errors: &mut Vec<$crate::error::FieldError>,
            ) -> Option<Self> {
                let word = value.as_str().and_then(Self::parse);
                if word.is_none() {
                    errors.push(at.error("invalid_choice", &format!("must be one of {}", Self::NAMES.join(", "))));
                }
                word
            }

            fn show(&self) -> serde_json::Value {
                self.as_str().into()
            }

            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let words = [$(($word, concat!($($variant_doc),*))),*];
                $crate::value::words_schema($crate::schema_name!($name $($as)?), concat!($($doc),*), &words)
            }
        }

        // Derived, it would have the names of the variants.
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                <Self as $crate::field::Field>::schema()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

/// Returns the schema of an enum, with what each of its words means.
#[must_use]
pub fn words_schema(name: &str, doc: &str, words: &[(&str, &str)]) -> RefOr<Schema> {
    let meanings: Vec<_> = words.iter().map(|(word, meaning)| format!("- `{word}`: {}", meaning.trim())).collect();
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(format!("{}\n\n{}", doc.trim(), meanings.join("\n"))))
        .enum_values(Some(words.iter().map(|(word, _)| *word)));
    named(schema.into(), name)
}

/// Declares an object within a body: the struct, how it is read, and its schemas.
///
/// It is a component of the OpenAPI document, called like the struct, or by another name that follows `as`; as it is sent, its name ends in `Fields`.
#[macro_export]
macro_rules! nested {
    (
        $(#[doc = $doc:literal])* $(#[derive($($derive:ident),*)])?
        pub struct $name:ident $(as $as:literal)? { $( $(#[doc = $field_doc:literal])* $(#[serde($serde:ident)])? pub $field:ident : $kind:ty, )* }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize $($(, $derive)*)?)]
        pub struct $name { $( $(#[doc = $field_doc])* $(#[serde($serde)])? pub $field: $kind, )* }

        impl $crate::field::Field for $name {
            fn read(
                value: serde_json::Value,
                at: &$crate::field::Pointer,
                errors: &mut Vec<$crate::error::FieldError>,
            ) -> Option<Self> {
                $crate::field::read_object(value, at, errors, |fields| {
                    $( let $field: Option<$kind> = fields.take(stringify!($field)); )*
                    Some(Self { $( $field: $field?, )* })
                })
            }

            fn show(&self) -> serde_json::Value {
                serde_json::Value::Object(
                    [$( (stringify!($field).to_owned(), $crate::field::Field::show(&self.$field)), )*]
                        .into_iter()
                        .collect(),
                )
            }

            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let schema = $crate::field::object_schema(concat!($($doc),*), None, vec![$( (
                    stringify!($field),
                    concat!($($field_doc),*),
                    <$kind as $crate::field::Field>::REQUIRED,
                    <$kind as $crate::field::Field>::schema(),
                ), )*]);
                $crate::field::named(schema, &format!("{}Fields", $crate::schema_name!($name $($as)?)))
            }

            fn response_schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let schema = $crate::field::response_object(concat!($($doc),*), None, vec![$( (
                    stringify!($field),
                    concat!($($field_doc),*),
                    true,
                    <$kind as $crate::field::Field>::response_schema(),
                ), )*]);
                $crate::field::named(schema, $crate::schema_name!($name $($as)?))
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    type Numbers = OrDefault<List<Integer<-2, 2>, 3>>;

    fn read(value: Value) -> Result<Value, Vec<(String, &'static str)>> {
        let mut errors = Vec::new();
        let read = Numbers::read(value, &Pointer::root(), &mut errors);
        read.map(|read| read.show()).ok_or(errors.into_iter().map(|error| (error.pointer, error.code)).collect())
    }

    #[test]
    fn a_list_tells_every_entry_that_is_wrong() {
        let wrong = |found: &[(&str, &'static str)]| -> Result<Value, Vec<(String, &'static str)>> {
            Err(found.iter().map(|(pointer, code)| ((*pointer).to_owned(), *code)).collect())
        };
        for (value, expected) in [
            (json!([2, -2]), Ok(json!([2, -2]))),
            (Value::Null, Ok(json!([]))),
            (json!([3, 1, "1"]), wrong(&[("/0", "out_of_range"), ("/2", "invalid_type")])),
            (json!([1.5]), wrong(&[("/0", "out_of_range")])),
            (json!([1, 0, 1]), wrong(&[("/2", "repeated")])),
            (json!([1, 0, 2, -1]), wrong(&[("", "too_long")])),
            (json!({}), wrong(&[("", "invalid_type")])),
        ] {
            assert_eq!(read(value.clone()), expected, "{value}");
        }
    }

    #[test]
    fn row_without_the_field_has_the_default() {
        #[derive(Deserialize)]
        struct Row {
            list: Numbers,
            on: crate::field::Flag<true>,
        }
        let row: Option<Row> = serde_json::from_str("{}").ok();
        assert_eq!(row.map(|row| (row.list, row.on)), Some((Numbers::default(), crate::field::Flag(true))));
        let row: Option<Row> = serde_json::from_str(r#"{ "list": [1], "on": false }"#).ok();
        assert_eq!(row.map(|row| (row.list.show(), row.on.0)), Some((json!([1]), false)));
    }

    #[test]
    fn what_is_kept_is_checked_when_it_is_read_back() {
        assert!(serde_json::from_str::<Integer<0, 9>>("10").is_err());
        assert_eq!(serde_json::from_str::<Integer<0, 9>>("9").ok().map(Integer::get), Some(9));
        assert_eq!((Integer::<3, 9>::default().get(), Integer::<-9, 9>::default().get()), (3, 0));
    }
}
