//! What a rule for document numbers is made of.

use super::{Checks, DocumentNumber};
use crate::text::Broken;

/// How the numbers of one kind of document look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    /// What holds for the text as it was written, separators and all.
    written: fn(&str) -> Result<(), Broken>,
    /// What holds for the canonical number.
    number: fn(&str, Checks) -> Result<(), Broken>,
    /// What is removed from a number to make it canonical, besides separators.
    reduce: fn(&str) -> String,
}

impl Rule {
    /// A rule for canonical numbers, however they are written.
    pub(super) const fn new(number: fn(&str, Checks) -> Result<(), Broken>) -> Self {
        Self { written: |_| Ok(()), number, reduce: str::to_owned }
    }

    /// The rule, and another for the text as it was written.
    pub(super) const fn and_written(self, written: fn(&str) -> Result<(), Broken>) -> Self {
        Self { written, ..self }
    }

    /// The rule, for numbers of which `reduce` removes something.
    pub(super) const fn and_reduced(self, reduce: fn(&str) -> String) -> Self {
        Self { reduce, ..self }
    }

    /// The number that `text` writes.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub(crate) fn read(&self, text: &str, checks: Checks) -> Result<DocumentNumber, Broken> {
        let number = DocumentNumber::parse(text)?.reduced(self.reduce)?;
        self.check(&number, checks)?;
        Ok(number)
    }

    /// Whether `number` follows the rule; how it was written counts only where it is known.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub(crate) fn check(&self, number: &DocumentNumber, checks: Checks) -> Result<(), Broken> {
        if let Some(written) = &number.written {
            (self.written)(written)?;
        }
        (self.number)(&number.number, checks)
    }

    /// Whether `text` is a canonical number in the right format, however it was written when it was first read.
    #[must_use]
    pub(crate) fn holds(&self, text: &str) -> bool {
        (self.number)(text, Checks::Format).is_ok()
    }
}

/// What to say of a number whose last digits do not fit the others.
pub(super) const MISTYPED: Broken =
    ("invalid_document", "has a check digit that does not fit; compare it with the document, character by character");

/// Whatever can be a document's number at all.
pub(super) const ANY: Rule = Rule::new(|_, _| Ok(()));

/// Whether the number has digits alone, and as many as `lengths` allows.
pub(super) fn digits(number: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the number has letters and digits alone, and as many as `lengths` allows.
pub(super) fn characters(number: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&number.chars().count()) && number.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The sum of the values of the first characters, each times its weight.
///
/// A character is worth its ASCII code less 48: a digit itself, a capital letter 17 and more.
pub(super) fn weigh(number: &str, weights: &[u32]) -> u32 {
    number.bytes().zip(weights).map(|(byte, weight)| u32::from(byte.saturating_sub(b'0')) * weight).sum()
}

/// Whether the ASCII digit at `place` is `expected`.
pub(super) fn digit_is(number: &str, place: usize, expected: u32) -> bool {
    number.as_bytes().get(place).is_some_and(|digit| u32::from(digit.saturating_sub(b'0')) == expected)
}

/// `Ok` if the check digits fit, or need not.
pub(super) fn fits(checks: Checks, check: impl FnOnce() -> bool) -> Result<(), Broken> {
    match checks {
        Checks::Format => Ok(()),
        Checks::Checksum => {
            if check() {
                Ok(())
            } else {
                Err(MISTYPED)
            }
        }
    }
}

/// `Ok` if the format is right.
pub(super) fn format(right: bool, what_to_do: &'static str) -> Result<(), Broken> {
    if right { Ok(()) } else { Err(("invalid_document", what_to_do)) }
}
