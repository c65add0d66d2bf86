//! Chile: RUT, which is identity and tax number in one.

use super::country::Documents;
use super::rule::{Rule, digits, fits, format};
use super::{Checks, DocumentType};
use crate::text::Broken;

/// What Chile has.
pub(super) const DOCUMENTS: Documents =
    Documents { country: "CHL", identity: &[(DocumentType::Rut, RUT)], tax: &[(DocumentType::Rut, RUT)] };

/// The number of a person or company; its length counts dots and dash.
pub(crate) const RUT: Rule = Rule::new(rut).and_reduced(reduce).and_written(|text| {
    let without_prefix = text.strip_prefix("CL").or_else(|| text.strip_prefix("cl")).unwrap_or(text);
    let length = without_prefix.trim_start_matches([' ', '-']).chars().count();
    format((8..=12).contains(&length), "must have 8 to 12 characters, dots and dash counted")
});

/// A number without the country in front of it and without leading zeros.
pub(super) fn reduce(number: &str) -> String {
    number.strip_prefix("CL").unwrap_or(number).trim_start_matches('0').to_owned()
}

fn rut(number: &str, checks: Checks) -> Result<(), Broken> {
    let body = number.strip_suffix('K').or(number.get(..number.len().saturating_sub(1))).unwrap_or_default();
    let check = number.strip_prefix(body).unwrap_or_default();
    format(
        digits(body, 1..=11) && (check == "K" || digits(check, 1..=1)),
        "must have digits and then a check digit, which is a digit or K",
    )?;
    fits(checks, || {
        let weighed = body.chars().rev().zip((2..=7).cycle());
        let sum: u32 = weighed.map(|(digit, weight)| digit.to_digit(10).unwrap_or_default() * weight).sum();
        let expected = match 11 - sum % 11 {
            11 => "0".to_owned(),
            10 => "K".to_owned(),
            digit => digit.to_string(),
        };
        check == expected
    })
}
