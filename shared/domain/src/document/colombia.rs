//! Colombia: CC, CE, PPT and NIT.

use super::country::Documents;
use super::rule::{ANY, Rule, characters, digit_is, digits, fits, format};
use super::{Checks, DocumentType};
use crate::text::Broken;

/// What Colombia has.
pub(super) const DOCUMENTS: Documents = Documents {
    country: "COL",
    identity: &[
        (DocumentType::Cc, CC),
        (DocumentType::Ce, CE),
        (DocumentType::Ppt, PPT),
        (DocumentType::Passport, ANY),
    ],
    tax: &[(DocumentType::Nit, NIT)],
};

const CC: Rule = Rule::new(|number, _| format(characters(number, 5..=11), "must have 5 to 11 letters and digits"));
const CE: Rule = Rule::new(|number, _| format(characters(number, 6..=7), "must have 6 or 7 letters and digits"));
const PPT: Rule = Rule::new(|number, _| format(characters(number, 1..=8), "must have 1 to 8 letters and digits"));

/// The tax number.
pub(crate) const NIT: Rule = Rule::new(nit);

fn nit(number: &str, checks: Checks) -> Result<(), Broken> {
    format(digits(number, 10..=10), "must have 10 digits, the check digit among them")?;
    fits(checks, || {
        let weights = [3, 7, 13, 17, 19, 23, 29, 37, 41];
        let from_the_right = number.chars().rev().skip(1).zip(weights);
        let sum: u32 = from_the_right.map(|(digit, weight)| digit.to_digit(10).unwrap_or_default() * weight).sum();
        let rest = sum % 11;
        digit_is(number, 9, if rest < 2 { rest } else { 11 - rest })
    })
}
