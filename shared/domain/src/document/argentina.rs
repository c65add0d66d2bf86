//! Argentina: DNI and CUIL.

use super::country::Documents;
use super::rule::{ANY, Rule, digit_is, digits, fits, format, weigh};
use super::{Checks, DocumentType};
use crate::text::Broken;

/// What Argentina has.
pub(super) const DOCUMENTS: Documents = Documents {
    country: "ARG",
    identity: &[
        (DocumentType::Dni, DNI),
        (DocumentType::Le, ANY),
        (DocumentType::Lc, ANY),
        (DocumentType::Ci, ANY),
        (DocumentType::Passport, ANY),
    ],
    tax: &[(DocumentType::Cuil, CUIL)],
};

/// A DNI's digits are grouped by dots or spaces; with dashes or slashes it is the number of something else.
const DNI: Rule = Rule::new(|number, _| format(digits(number, 7..=8), "must have 7 or 8 digits"))
    .and_written(|text| format(!text.contains(['-', '/']), "must have no dashes and slashes; group digits by dots"));

/// CUIL, and CUIT, which is made in the same way.
pub(crate) const CUIL: Rule = Rule::new(cuil);

fn cuil(number: &str, checks: Checks) -> Result<(), Broken> {
    let prefixes = ["20", "23", "24", "27", "30", "33", "34"];
    let known = prefixes.iter().any(|prefix| number.starts_with(prefix));
    format(digits(number, 11..=11) && known, "must have 11 digits and begin with 20, 23, 24, 27, 30, 33 or 34")?;
    fits(checks, || {
        let expected = match 11 - weigh(number, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11 {
            11 => 0,
            10 => 9,
            digit => digit,
        };
        digit_is(number, 10, expected)
    })
}
