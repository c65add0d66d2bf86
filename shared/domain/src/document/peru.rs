//! Peru: DNI, CE and RUC.

use super::country::Documents;
use super::rule::{Rule, characters, digit_is, digits, fits, format, weigh};
use super::{Checks, DocumentType};
use crate::text::Broken;

/// What Peru has.
pub(super) const DOCUMENTS: Documents = Documents {
    country: "PER",
    identity: &[(DocumentType::Dni, DNI), (DocumentType::Ce, FOREIGN), (DocumentType::Passport, FOREIGN)],
    tax: &[(DocumentType::Ruc, RUC)],
};

const DNI: Rule = Rule::new(|number, _| format(digits(number, 8..=8), "must have 8 digits"));
const FOREIGN: Rule = Rule::new(|number, _| format(characters(number, 1..=12), "must have 1 to 12 letters and digits"));

/// The tax number.
pub(crate) const RUC: Rule = Rule::new(ruc);

fn ruc(number: &str, checks: Checks) -> Result<(), Broken> {
    let known = ["10", "15", "17"].iter().any(|prefix| number.starts_with(prefix));
    format(digits(number, 11..=11) && known, "must have 11 digits and begin with 10, 15 or 17")?;
    fits(checks, || digit_is(number, 10, (11 - weigh(number, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 10))
}
