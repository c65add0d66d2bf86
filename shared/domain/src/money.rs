//! Money: sums that are never floats, their currencies, and how long what is paid for lasts.

use crate::text;

text!(
    /// A sum of money in decimal digits, kept as they were written.
    Amount, digits 1..=20, example "499.90", |text| {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if digits(whole) && digits(fraction) && whole.len() <= 15 && fraction.len() <= 4 { Ok(()) } else {
            Err(("invalid_number", "must be a sum such as 499.90: up to 15 digits, and up to 4 after the point"))
        }
    }
);

text!(
    /// A currency, ISO 4217.
    Currency, plain 1..=3, example "MXN", |text| {
        if iso_currency::Currency::from_code(text).is_some() { Ok(()) } else {
            Err(("invalid_currency", "must be an ISO 4217 code such as MXN"))
        }
    }
);

text!(
    /// How long something lasts, ISO 8601.
    Period, plain 1..=30, example "P1M", |text| {
        // The parser takes plain English besides.
        let span: Option<jiff::Span> = text.starts_with('P').then(|| text.parse().ok()).flatten();
        if span.is_some_and(|span| span.is_positive()) { Ok(()) } else {
            Err(("invalid_period", "must be an ISO 8601 duration such as P1M or P15D"))
        }
    }
);

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::field::{Field, Pointer};

    fn read<T: Field>(value: Value) -> Result<Value, &'static str> {
        let mut errors = Vec::new();
        let read = T::read(value, &Pointer::root(), &mut errors);
        read.map(|read| read.show()).ok_or_else(|| errors.first().map_or("", |error| error.code))
    }

    #[test]
    fn a_sum_is_kept_as_its_digits_were_written() {
        let written = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        for (value, expected) in [
            (written("499.90"), Ok(json!("499.90"))),
            (written("0"), Ok(json!("0"))),
            (json!("0499.9"), Ok(json!("0499.9"))),
            (json!("999999999999999.9999"), Ok(json!("999999999999999.9999"))),
            (json!("1000000000000000"), Err("invalid_number")),
            (json!("0.00001"), Err("invalid_number")),
            (written("-1"), Err("invalid_number")),
            (written("1e3"), Err("invalid_number")),
            (json!("1."), Err("invalid_number")),
            (json!(".5"), Err("invalid_number")),
            (json!("1,5"), Err("invalid_number")),
            (json!("$1"), Err("invalid_number")),
            (json!(true), Err("invalid_type")),
        ] {
            assert_eq!(read::<Amount>(value.clone()), expected, "{value}");
        }
    }

    #[test]
    fn currencies_and_periods_are_those_of_the_standards() {
        for (code, known) in [("MXN", true), ("BRL", true), ("mxn", false), ("XXQ", false), ("484", false)] {
            assert_eq!(read::<Currency>(code.into()).is_ok(), known, "{code}");
        }
        for (period, known) in [
            ("P1M", true),
            ("P1Y6M", true),
            ("P2W", true),
            ("P15DT12H", true),
            ("PT1H", true),
            ("P", false),
            ("P0D", false),
            ("-P1M", false),
            ("P-1M", false),
            ("1 month", false),
            ("monthly", false),
            ("P1 M", false),
        ] {
            assert_eq!(read::<Period>(period.into()).is_ok(), known, "{period}");
        }
    }
}
