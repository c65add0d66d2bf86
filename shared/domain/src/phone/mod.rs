//! Phone numbers: kept in E.164, read from any spelling that says which number it is.

mod plan;

use crate::error::FieldError;
use crate::field::Pointer;
use crate::normalize::{MaxLength, normalize_text};
use crate::text::{Broken, Country};
use crate::{max_length, text};

use plan::{NumberingPlan, argentine_mobile};

text!(
    /// A phone number, E.164: a plus and 7 to 15 digits. Separators are removed; a number without a plus begins with the
    /// calling code of its country.
    Phone, whole 1..=40, example "+5215512345678", normalize normalize_phone, |_| Ok(())
);

text!(
    /// A phone number in the spelling that was sent.
    PhoneSpelling, whole 1..=40, example "(11)99999-9999", |_| Ok(())
);

const NOT_E164: Broken = ("invalid_phone", "must be a number in E.164 form such as +5215512345678");

/// The digits that a spelling and its number have in common, whatever prefixes are written or left out.
const COMMON_DIGITS: usize = 7;

fn normalize_phone(text: &str, max: MaxLength) -> Result<String, Broken> {
    let text = normalize_text(text, max)?;
    let digits = digits_of(&text).ok_or(NOT_E164)?;
    let plan = NumberingPlan::of_number(&digits);
    if !is_international(&text) && !plan.is_some_and(|(plan, national)| plan.holds(national)) {
        return Err(NOT_E164);
    }
    let mobile =
        plan.filter(|(plan, _)| plan.calling_code == ARGENTINA).and_then(|(_, national)| argentine_mobile(national));
    let digits = mobile.map_or(digits, |mobile| format!("{ARGENTINA}{mobile}"));
    let fits = (7..=15).contains(&digits.len()) && !digits.starts_with('0');
    if fits { Ok(format!("+{digits}")) } else { Err(NOT_E164) }
}

/// The calling code of Argentina.
const ARGENTINA: &str = "54";

/// Whether a spelling says by itself that it begins with a calling code.
fn is_international(text: &str) -> bool {
    let text = text.strip_prefix("tel:").unwrap_or(text);
    text.starts_with('+') || text.starts_with("00")
}

impl Phone {
    /// Returns the number that `text` spells in `country`: with a plus or `00`, any number of the world; without, one of the
    /// country, with or without its trunk prefix and its calling code. `None` if that is no number of E.164.
    #[must_use]
    pub fn parse_in(text: &str, country: &Country) -> Option<Self> {
        let text = normalize_text(text, max_length!(40)).ok()?;
        if is_international(&text) {
            return Self::parse(&text).ok();
        }
        let digits = digits_of(&text)?;
        let plan = NumberingPlan::of(country)?;
        let mobile = argentine_mobile(&digits).filter(|_| plan.calling_code == ARGENTINA);
        let national = mobile.as_deref().or_else(|| plan.national(&digits))?;
        Self::parse(&format!("+{}{national}", plan.calling_code)).ok()
    }
}

impl PhoneSpelling {
    /// Returns whether this can be a spelling of `phone`: their last digits agree.
    #[must_use]
    pub fn spells(&self, phone: &Phone) -> bool {
        let digits: String = self.as_str().chars().filter(char::is_ascii_digit).collect();
        let end = phone.as_str().len().saturating_sub(COMMON_DIGITS);
        phone.as_str().get(end..).is_some_and(|end| digits.ends_with(end))
    }
}

/// Returns the digits by which a phone is found in the spelling that was sent, where they are not those of its number.
#[must_use]
pub fn spelled_form(phone: Option<&Phone>, display: Option<&PhoneSpelling>) -> Option<String> {
    let form = search_form(display?.as_str());
    let is_number = phone.is_some_and(|phone| phone.as_str().trim_start_matches('+') == form);
    (!is_number).then_some(form)
}

/// Checks that a spelling is one of the number beside it; without a number it may be any text.
pub(crate) fn check_spelling(phone: Option<&Phone>, display: Option<&PhoneSpelling>, errors: &mut Vec<FieldError>) {
    let is_other = match (phone, display) {
        (Some(phone), Some(display)) => !display.spells(phone),
        // It would be found by no number.
        (None, Some(display)) => is_international(display.as_str()) && Phone::parse(display.as_str()).is_ok(),
        (_, None) => false,
    };
    if is_other {
        let message = "must spell the number in phone; leave it out, or send both";
        errors.push(Pointer::root().child("phone_display").error("mismatch", message));
    }
}

/// Returns the form by which a phone is found in the spelling `text`: its digits, or the text where it has none.
#[must_use]
pub fn search_form(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() { text.to_owned() } else { digits }
}

/// Returns the forms in which rows have a phone that is spelled `text`: E.164, and the digits of another system's spelling.
///
/// A space in front is a plus that was not escaped.
#[must_use]
pub fn search_forms(text: &str) -> Vec<String> {
    if matches!(text.trim(), "" | "+") {
        return vec!["+".to_owned()];
    }
    let is_international = text.starts_with(['+', ' ']);
    let digits = search_form(text);
    let international = format!("+{}", digits.strip_prefix("00").unwrap_or(&digits));
    if is_international { vec![international] } else { vec![international, digits] }
}

/// The digits of a spelling, without what says that it is international; `None` if it has other characters than separators.
fn digits_of(text: &str) -> Option<String> {
    let text = text.strip_prefix("tel:").unwrap_or(text);
    let international = text.strip_prefix('+').or_else(|| text.strip_prefix("00"));
    // Many write the trunk prefix behind the calling code: +44 (0) 20 …
    let text = international.map_or_else(|| text.to_owned(), |text| text.replacen("(0)", "", 1));
    let is_separator = |letter: char| {
        letter.is_whitespace() || matches!(letter, '-' | '.' | '(' | ')' | '/' | '\u{2010}'..='\u{2015}')
    };
    let digits: String = text.chars().filter(|letter| !is_separator(*letter)).collect();
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_in(text: &str, country: &str) -> Option<String> {
        let country = Country::parse(country).ok()?;
        Phone::parse_in(text, &country).map(|phone| phone.as_str().to_owned())
    }

    #[test]
    fn separators_and_a_missing_plus_do_not_change_a_number() {
        for text in [
            "+5215512345678",
            "5215512345678",
            "+52 (1) 55 1234-5678",
            "005215512345678",
            " +52.1.55.1234.5678 ",
            "+52 (0) 1 55 1234 5678",
            "tel:+5215512345678",
            "+52\u{a0}1\u{2013}55/12345678",
        ] {
            assert_eq!(Phone::parse(text).as_ref().map(Phone::as_str), Ok("+5215512345678"), "{text}");
        }
        for text in [
            "",
            "call me",
            "55 1234",
            "(55) 1234-5678",
            "(11)99999-9999",
            "11 4321-1234",
            "+05512345678",
            "+12345678901234567",
            "0000000000",
            "٥٥١٢٣٤٥٦٧٨",
            "+52 x1",
        ] {
            assert!(Phone::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_national_number_is_read_in_its_country() {
        for (text, country, expected) in [
            ("(11)99999-9999", "BRA", Some("+5511999999999")),
            ("011 99999-9999", "BRA", Some("+5511999999999")),
            ("5511999999999", "BRA", Some("+5511999999999")),
            ("55 9912-3456", "BRA", Some("+555599123456")),
            ("0055 11 99999 9999", "MEX", Some("+5511999999999")),
            ("55 1234 5678", "MEX", Some("+525512345678")),
            ("044 55 1234 5678", "MEX", Some("+525512345678")),
            ("0000000000", "MEX", None),
            ("0000000000", "BRA", None),
            ("912345678", "CHL", Some("+56912345678")),
            ("11 2345-6789", "ARG", Some("+541123456789")),
            ("011 15-2345-6789", "ARG", Some("+5491123456789")),
            ("11 15 2345-6789", "ARG", Some("+5491123456789")),
            ("0351 15 234-5678", "ARG", Some("+5493512345678")),
            ("+54 11 15 2345-6789", "MEX", Some("+5491123456789")),
            ("(212) 555-0100", "USA", Some("+12125550100")),
            ("+34 612 345 678", "BRA", Some("+34612345678")),
            ("call me", "MEX", None),
        ] {
            assert_eq!(parse_in(text, country).as_deref(), expected, "{text} in {country}");
        }
    }

    #[test]
    fn a_spelling_belongs_to_its_number_only() {
        for (spelling, phone, expected) in [
            ("(11)99999-9999", "+5511999999999", true),
            ("044 55 1234 5678", "+525512345678", true),
            ("(11)99999-9998", "+5511999999999", false),
            ("n/a", "+5511999999999", false),
        ] {
            let (spelling, phone) = (PhoneSpelling::parse(spelling), Phone::parse(phone));
            assert_eq!(spelling.ok().zip(phone.ok()).map(|(spelling, phone)| spelling.spells(&phone)), Some(expected));
        }
    }

    #[test]
    fn each_country_has_one_calling_code() {
        let mut countries: Vec<_> =
            plan::CALLING_CODES.iter().flat_map(|(_, countries)| countries.split(' ')).collect();
        let all = countries.len();
        assert!(countries.iter().all(|country| Country::parse(country).is_ok()));
        countries.sort_unstable();
        countries.dedup();
        assert_eq!(countries.len(), all);
    }

    #[test]
    fn a_phone_is_looked_for_in_each_form_that_rows_have() {
        for (text, forms) in [
            ("+52 (55) 1234-5678", vec!["+525512345678"]),
            ("+", vec!["+"]),
            (" 525512345678", vec!["+525512345678"]),
            ("525512345678", vec!["+525512345678", "525512345678"]),
            ("(11)99999-9999", vec!["+11999999999", "11999999999"]),
            ("0052 55 1234 5678", vec!["+525512345678", "00525512345678"]),
        ] {
            assert_eq!(search_forms(text), forms, "{text}");
        }
    }
}
