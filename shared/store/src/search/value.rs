//! Values as keys: text whose order by bytes is the values' order.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::keys;

/// Of a value, no more than so many bytes stand in a key; what is cut off is told apart by a hash.
const LONGEST: usize = 200;

/// The type of a field's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// Text that people write: case and accents are ignored.
    Text,
    /// Decimal numbers of any size.
    Number,
    /// Words that are compared as they are: choices, ids, times (RFC 3339, UTC, milliseconds), dates, `false`, `true`.
    Word,
}

/// A value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// See [`ValueType::Text`].
    Text(String),
    /// See [`ValueType::Number`].
    Number(Decimal),
    /// See [`ValueType::Word`].
    Word(String),
}

impl Value {
    /// A word: a choice, an id, a time, a date, a boolean.
    #[must_use]
    pub fn word(value: impl ToString) -> Self {
        Self::Word(value.to_string())
    }

    /// A number, if the text is one as JSON writes it.
    #[must_use]
    pub fn number(text: &str) -> Option<Self> {
        Decimal::parse(text).map(Self::Number)
    }

    /// The value as it stands in keys.
    pub(super) fn encoded(&self) -> String {
        match self {
            Self::Text(text) => cut(&fold(text)),
            Self::Number(number) => cut(&number.0),
            Self::Word(word) => cut(&plain(word)),
        }
    }
}

/// The beginning of a value as it stands in keys, no longer than what is never cut.
pub(super) fn encoded_prefix(prefix: &str, values: ValueType) -> String {
    let prefix = match values {
        ValueType::Text => fold(prefix),
        ValueType::Number | ValueType::Word => plain(prefix),
    };
    prefix[..prefix.floor_char_boundary(LONGEST)].to_owned()
}

/// Text as it is compared: without case, accents and control characters.
#[must_use]
pub fn fold(text: &str) -> String {
    // Some letters have marks only once they are small, and others are small only once they are taken apart.
    let small = text.nfkd().flat_map(char::to_lowercase);
    small.nfkd().filter(|letter| !is_combining_mark(*letter) && !letter.is_control()).collect()
}

/// Without control characters, which separate the parts of a key.
fn plain(word: &str) -> String {
    word.chars().filter(|letter| !letter.is_control()).collect()
}

fn cut(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let (head, _) = text.split_at(text.floor_char_boundary(LONGEST));
    format!("{head}\u{2}{}", keys::hash(text))
}

/// A decimal number, in a form whose order by bytes is the numbers' order.
///
/// A sign (`0` negative, `1` zero, `2` positive), ten digits of exponent, the significant digits. Negative ones have
/// each digit's complement, and an end that is greater than any digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal(String);

/// Added to exponents, so that all are positive.
const EXPONENT_BIAS: i64 = 5_000_000_000;

impl Decimal {
    /// The number, if the text is one as JSON writes it. Exponents beyond ±4,999,999,999 become these.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if !digits(whole) || !digits(fraction) || !digits(unsigned) {
            return None;
        }
        let all = format!("{whole}{fraction}");
        let significant = all.trim_start_matches('0');
        if significant.is_empty() {
            return Some(Self("1".to_owned()));
        }
        let size = i64::try_from(whole.len() + significant.len()).ok()? - i64::try_from(all.len()).ok()?;
        let farthest = EXPONENT_BIAS - 1;
        let exponent = exponent.parse().unwrap_or(if exponent.starts_with('-') { -farthest } else { farthest });
        let exponent = exponent.saturating_add(size).clamp(-farthest, farthest) + EXPONENT_BIAS;
        let ordered = format!("{exponent:010}{}", significant.trim_end_matches('0'));
        if !negative {
            return Some(Self(format!("2{ordered}")));
        }
        let complement = ordered.bytes().map(|digit| char::from(b'0' + (b'9' - digit)));
        Some(Self(format!("0{}~", complement.collect::<String>())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_ignores_case_and_accents() {
        for (text, folded) in
            [("ÁNGEL", "angel"), ("Muñoz", "munoz"), ("İ", "i"), ("℃", "°c"), ("ﬁn", "fin"), ("a\u{1}b", "ab")]
        {
            assert_eq!(fold(text), folded);
            assert_eq!(fold(folded), folded);
        }
    }

    #[test]
    fn long_values_are_cut_in_order_and_stay_different() {
        let long = |end: &str| Value::Text(format!("{}{end}", "á".repeat(150) + &"€".repeat(60))).encoded();
        assert!(long("a").len() < 256);
        assert_ne!(long("a"), long("b"));
        assert_eq!(long("A"), long("á"));
        let prefix = encoded_prefix(&("Á".repeat(150) + &"€".repeat(60)), ValueType::Text);
        assert!(long("a").starts_with(&prefix));
    }

    #[test]
    fn numbers_are_in_order() {
        let ordered = [
            "-1e9999999999999999999",
            "-123456789012345678901234567890",
            "-1000",
            "-999.9",
            "-12.3",
            "-12",
            "-1.5",
            "-1",
            "-0.5",
            "-0.05",
            "-1e-400",
            "0",
            "1e-400",
            "0.05",
            "0.5",
            "1",
            "1.05",
            "1.5",
            "9",
            "10",
            "12",
            "12.3",
            "999.9",
            "1000",
            "123456789012345678901234567890",
            "1e400",
            "1e9999999999999999999",
        ];
        let encoded: Vec<_> = ordered.iter().map(|text| Value::number(text).unwrap().encoded()).collect();
        for (pair, texts) in encoded.windows(2).zip(ordered.windows(2)) {
            // As in a key, where a separator follows.
            assert!(format!("{}\u{1}", pair[0]) < format!("{}\u{1}", pair[1]), "{texts:?}");
        }
        for (one, other) in [("-0", "0.000"), ("1.50", "15e-1"), ("0100", "1E+2"), ("-0.10", "-1e-1")] {
            assert_eq!(Decimal::parse(one), Decimal::parse(other));
        }
        for text in ["", "-", "1.", ".5", "1e", "1e+", "--1", "+1", "0x1", "1 ", "NaN", "1e1.5"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}
