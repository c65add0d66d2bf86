//! Text from outside, as newtypes that hold only what was checked.

use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::error::FieldError;
use crate::field::Pointer;
use crate::normalize::without_invisible;

pub use crate::degrees::{Decimal, Latitude, Longitude};
pub use crate::phone::{Phone, PhoneSpelling};
pub use crate::secret::Secret;

/// A rule that text has to meet: the error's code, and what to do about it.
pub type Broken = (&'static str, &'static str);

/// Declares a text newtype. `normalize` gives each text its one form, and `check` refuses some. A row of the table may hold
/// a text from before a stricter rule: it is read back as it is.
#[macro_export]
macro_rules! text {
    (
        $(#[doc = $doc:literal])* $name:ident, $kind:ident 1..=$max:literal, example $example:literal, $check:expr
    ) => {
        $crate::text! {
            $(#[doc = $doc])* $name, $kind 1..=$max, example $example, normalize $crate::normalize::normalize_text, $check
        }
    };
    (
        $(#[doc = $doc:literal])* $name:ident, $kind:ident 1..=$max:literal, example $example:literal,
        normalize $normalize:path, $check:expr
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Returns the normalized text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Parses `text` after normalizing it.
            ///
            /// # Errors
            /// The rule that the text breaks.
            pub fn parse(text: &str) -> Result<Self, $crate::text::Broken> {
                let text = $normalize(text, $crate::max_length!($max))?;
                let check: fn(&str) -> Result<(), $crate::text::Broken> = $check;
                check(&text)?;
                Ok(Self(text))
            }
        }

        impl $crate::field::Field for $name {
            fn read(
                value: serde_json::Value,
                at: &$crate::field::Pointer,
                errors: &mut Vec<$crate::error::FieldError>,
            ) -> Option<Self> {
                let text = $crate::text::$kind(value, at, errors)?;
                Self::parse(&text).map_err(|(code, message)| errors.push(at.error(code, message))).ok()
            }

            fn show(&self) -> serde_json::Value {
                self.0.as_str().into()
            }

            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::text::text_schema($crate::text::Kind::$kind, $max, $example)
            }

            fn response_schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::text::text_schema($crate::text::Kind::plain, $max, $example)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::field::described(<Self as $crate::field::Field>::response_schema(), concat!($($doc),*))
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

text!(
    /// An e-mail address; given back as written, compared by [`Email::canonical`].
    Email, plain 1..=254, example "ana@example.com", |text| {
        let options = email_address::Options::default()
            .with_required_tld().without_display_text().without_domain_literal();
        let address = email_address::EmailAddress::parse_with_options(text, options);
        // Cognito takes no quoted names and nothing beyond ASCII: what it would refuse is refused here.
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !br#""(),:;<>[]\"#.contains(&byte));
        if address.is_ok() && plain { Ok(()) } else { Err(("invalid_email", "must be an e-mail address such as ana@example.com")) }
    }
);

impl Email {
    /// The form in which two e-mails are the same: without case.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.0.to_lowercase()
    }
}

text!(
    /// A name of a person or a thing.
    Name, plain 1..=100, example "Ana", |_| Ok(())
);
text!(
    /// A short text.
    Text, plain 1..=500, example "Ring twice", |_| Ok(())
);
text!(
    /// A code that another system gave: digits, letters, anything short.
    Code, digits 1..=50, example "06000", |_| Ok(())
);
text!(
    /// An id in another system. Case and punctuation count; composition and width do not.
    ReferenceId, digits 1..=128, example "crm-10042", normalize crate::normalize::normalize_identifier, |_| Ok(())
);
impl ReferenceId {
    /// The form in which two ids are the same: without what is invisible.
    #[must_use]
    pub fn canonical(&self) -> String {
        without_invisible(&self.0)
    }
}

text!(
    /// A country, ISO 3166-1 alpha-3.
    Country, plain 1..=3, example "MEX", |text| {
        if isocountry::CountryCode::for_alpha3(text).is_ok() { Ok(()) } else {
            Err(("invalid_country", "must be an ISO 3166-1 alpha-3 code such as MEX"))
        }
    }
);
text!(
    /// A language, BCP 47.
    Language, plain 1..=35, example "es-MX", |text| {
        let mut parts = text.split('-');
        let primary = parts.next().is_some_and(|part| {
            (2..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic())
        });
        let rest = parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        if primary && rest { Ok(()) } else { Err(("invalid_language", "must be a BCP 47 tag such as es or es-MX")) }
    }
);

/// How a text may be written in JSON.
#[expect(non_camel_case_types, reason = "named like the functions that read them, so that a macro spells them once")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// As a string.
    plain,
    /// As a string, or as a number, whose digits are kept as they were written.
    digits,
    /// As a string, or as a number that has digits alone.
    whole,
}

/// The text of a JSON string.
pub fn plain(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<String> {
    if let Value::String(text) = value {
        return Some(text);
    }
    errors.push(at.error("invalid_type", "must be a string"));
    None
}

/// The text of a JSON string, or of a JSON number exactly as its digits were written.
pub fn digits(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<String> {
    if let Value::Number(number) = value { Some(number.to_string()) } else { plain(value, at, errors) }
}

/// The text of a JSON string, or of a JSON number that has digits alone: of another one, what looks like a separator is none.
pub fn whole(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<String> {
    let is_number = value.is_number();
    let text = digits(value, at, errors)?;
    if is_number && !text.bytes().all(|byte| byte.is_ascii_digit()) {
        errors.push(at.error("invalid_type", "must be a string, or a number that has digits alone"));
        return None;
    }
    Some(text)
}

/// The schema of a text of 1 to `max` characters.
#[must_use]
pub fn text_schema(kind: Kind, max: usize, example: &str) -> RefOr<Schema> {
    let kind = match kind {
        Kind::plain => SchemaType::Type(Type::String),
        Kind::digits => SchemaType::Array(vec![Type::String, Type::Number]),
        Kind::whole => SchemaType::Array(vec![Type::String, Type::Integer]),
    };
    ObjectBuilder::new()
        .schema_type(kind)
        .min_length(Some(1))
        .max_length(Some(max))
        .examples([Value::from(example)])
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Field;

    fn refused<T: Field>(value: Value) -> Option<&'static str> {
        let mut errors = Vec::new();
        T::read(value, &Pointer::root(), &mut errors);
        errors.first().map(|error| error.code)
    }

    #[test]
    fn each_text_has_its_rule() {
        let ten_thousand = "x".repeat(10_000);
        for (found, expected) in [
            (refused::<Email>("ana@example.com".into()), None),
            (refused::<Email>("ana@localhost".into()), Some("invalid_email")),
            (refused::<Email>("Ana <ana@example.com>".into()), Some("invalid_email")),
            (refused::<Email>(r#""a b"@example.com"#.into()), Some("invalid_email")),
            (refused::<Email>("aña@example.com".into()), Some("invalid_email")),
            (refused::<Email>(ten_thousand.clone().into()), Some("too_long")),
            (refused::<Name>("".into()), Some("too_short")),
            (refused::<Name>(" \t".into()), Some("too_short")),
            (refused::<Name>("a\u{0}b".into()), Some("control_character")),
            (refused::<Name>(ten_thousand.into()), Some("too_long")),
            (refused::<Name>(Value::Bool(true)), Some("invalid_type")),
            (refused::<Phone>("+5215512345678".into()), None),
            (refused::<Phone>("+05512345678".into()), Some("invalid_phone")),
            (refused::<Phone>("55 1234".into()), Some("invalid_phone")),
            (refused::<Name>("\u{200b}\u{200b}".into()), Some("invisible_character")),
            (refused::<ReferenceId>("\u{441}rm-1".into()), Some("mixed_scripts")),
            (refused::<Country>("MEX".into()), None),
            (refused::<Country>("XXQ".into()), Some("invalid_country")),
            (refused::<Language>("es-MX".into()), None),
            (refused::<Language>("español".into()), Some("invalid_language")),
            (refused::<Latitude>(91.into()), Some("out_of_range")),
            (refused::<Latitude>("90.0000000000000001".into()), Some("out_of_range")),
            (refused::<Latitude>("900000000000000001e-16".into()), Some("out_of_range")),
            (refused::<Latitude>("-900.00e-1".into()), None),
            (refused::<Latitude>("9.000e1".into()), None),
            (refused::<Longitude>("-180.00000000000000001".into()), Some("out_of_range")),
            (refused::<Longitude>("-180.0".into()), None),
            (refused::<crate::Password>("short".into()), Some("too_short")),
            (refused::<crate::Password>(12_345_678.into()), Some("invalid_type")),
        ] {
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_json_number_is_kept_as_its_digits_were_written() {
        let number: Value = serde_json::from_str("5215512345678901234567890.10").unwrap_or_default();
        let mut errors = Vec::new();
        let code = Code::read(number, &Pointer::root(), &mut errors);
        assert_eq!(code.as_ref().map(Code::as_str), Some("5215512345678901234567890.10"));
    }
}
