//! Brazil: CPF and CNPJ.

use super::country::Documents;
use super::rule::{ANY, Rule, digit_is, digits, fits, format, weigh};
use super::{Checks, DocumentType};
use crate::text::Broken;

/// What Brazil has.
pub(super) const DOCUMENTS: Documents = Documents {
    country: "BRA",
    identity: &[(DocumentType::Rg, ANY), (DocumentType::Cnh, ANY), (DocumentType::Passport, ANY)],
    tax: &[(DocumentType::Cpf, CPF)],
};

/// The tax number of a person.
pub(crate) const CPF: Rule = Rule::new(cpf);

/// The tax number of a company.
pub(crate) const CNPJ: Rule = Rule::new(cnpj);

fn cpf(number: &str, checks: Checks) -> Result<(), Broken> {
    format(digits(number, 11..=11), "must have 11 digits")?;
    fits(checks, || {
        let varied = number.bytes().any(|byte| Some(byte) != number.bytes().next());
        varied
            && digit_is(number, 9, modulo(number, &[10, 9, 8, 7, 6, 5, 4, 3, 2]))
            && digit_is(number, 10, modulo(number, &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2]))
    })
}

fn cnpj(number: &str, checks: Checks) -> Result<(), Broken> {
    let (root, check) = number.split_at_checked(12).unwrap_or_default();
    let right = root.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()) && digits(check, 2..=2);
    format(right, "must have 12 letters or digits, and then 2 digits")?;
    fits(checks, || {
        // The number 0 belongs to nobody, though its check digits fit.
        root.bytes().any(|byte| byte != b'0')
            && digit_is(number, 12, modulo(number, &[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]))
            && digit_is(number, 13, modulo(number, &[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]))
    })
}

/// What is missing to a multiple of 11; where two digits would be needed, 0.
fn modulo(number: &str, weights: &[u32]) -> u32 {
    (11 - weigh(number, weights) % 11) % 11 % 10
}
