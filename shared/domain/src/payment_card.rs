//! Numbers of payment cards, which a segment or a membership can refuse as loyalty numbers.

use unicode_normalization::UnicodeNormalization as _;

use crate::error::FieldError;
use crate::field::Pointer;
use crate::text::Code;

/// A payment scheme: the first and the last prefix of a range, and the lengths of its numbers.
type Scheme = ((u32, u32), (usize, usize));

/// The ranges of the issuer identification numbers (ISO/IEC 7812) of the schemes in use, with the lengths that they issue.
const SCHEMES: [Scheme; 42] = [
    // Visa, with Electron.
    ((4, 4), (13, 19)),
    // Mastercard.
    ((51, 55), (16, 16)),
    ((2221, 2720), (16, 16)),
    // Maestro.
    ((5018, 5018), (12, 19)),
    ((5020, 5020), (12, 19)),
    ((5038, 5038), (12, 19)),
    ((5893, 5893), (12, 19)),
    ((6304, 6304), (12, 19)),
    ((6759, 6759), (12, 19)),
    ((6761, 6763), (12, 19)),
    // American Express.
    ((34, 34), (15, 15)),
    ((37, 37), (15, 15)),
    // Diners Club.
    ((300, 305), (14, 19)),
    ((3095, 3095), (14, 19)),
    ((36, 36), (14, 19)),
    ((38, 39), (14, 19)),
    // Discover.
    ((6011, 6011), (16, 19)),
    ((644, 649), (16, 19)),
    ((65, 65), (16, 19)),
    // JCB.
    ((3528, 3589), (16, 19)),
    // UnionPay.
    ((62, 62), (16, 19)),
    ((81, 81), (16, 19)),
    // Mir.
    ((2200, 2204), (16, 19)),
    // RuPay.
    ((508, 508), (16, 16)),
    ((60, 60), (16, 16)),
    ((82, 82), (16, 16)),
    // Elo and Hipercard, of Brazil.
    ((506_699, 506_778), (16, 16)),
    ((5090, 5090), (16, 16)),
    ((6362, 6363), (16, 16)),
    ((384_100, 384_160), (16, 19)),
    // Carnet, of Mexico, and Naranja, of Argentina.
    ((2869, 2869), (16, 16)),
    ((589_562, 589_562), (16, 16)),
    // Cabal, of Argentina, outside of 60.
    ((589_657, 589_657), (16, 16)),
    // Troy, Verve, Dankort, InterPayment, InstaPayment, UzCard, Humo and UATP.
    ((9792, 9792), (16, 16)),
    ((506_099, 506_198), (16, 19)),
    ((507_865, 507_964), (16, 19)),
    ((5019, 5019), (16, 16)),
    ((636, 636), (16, 19)),
    ((637, 639), (16, 16)),
    ((8600, 8600), (16, 16)),
    ((9860, 9860), (16, 16)),
    ((1, 1), (15, 15)),
];

/// Whether a number has the prefix and the length of a payment scheme and a valid check digit (Luhn). Digits of full
/// width count too; what separates them does not.
#[must_use]
pub fn is_payment_card(number: &str) -> bool {
    let digits: Vec<u32> = number.nfkc().filter_map(|letter| letter.to_digit(10)).collect();
    let has_letters = number.nfkc().any(|letter| letter.is_alphabetic());
    !has_letters && has_scheme(&digits) && has_check_digit(&digits)
}

fn has_scheme(digits: &[u32]) -> bool {
    let prefix = |length: usize| digits.iter().take(length).fold(0, |all, digit| all * 10 + digit);
    SCHEMES.iter().any(|((first, last), (shortest, longest))| {
        let length = first.to_string().len();
        (*shortest..=*longest).contains(&digits.len()) && (*first..=*last).contains(&prefix(length))
    })
}

/// The check of ISO/IEC 7812-1, annex B.
fn has_check_digit(digits: &[u32]) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 =
        digits.iter().rev().enumerate().map(|(nth, digit)| if nth % 2 == 1 { doubled(*digit) } else { *digit }).sum();
    sum.is_multiple_of(10)
}

/// Returns the error of a new card number that is a payment card's.
#[must_use]
pub fn refuse_payment_card(before: Option<&Code>, new: Option<&Code>) -> Option<FieldError> {
    new.filter(|new| before != Some(new) && is_payment_card(new.as_str()))?;
    let message = "must be a loyalty number: this one has the prefix and check digit of a payment card";
    Some(Pointer::root().child("card_number").error("payment_card", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payment_card_has_prefix_length_and_check_digit() {
        for (number, expected) in [
            ("4111111111111111", true),
            ("4111 1111-1111.1111", true),
            ("４１１１１１１１１１１１１１１１", true),
            ("5555555555554444", true),
            ("2223003122003222", true),
            ("378282246310005", true),
            ("6011111111111117", true),
            ("30569309025904", true),
            ("3530111333300000", true),
            ("6200000000000005", true),
            ("5066991111111118", true),
            ("9792000000000003", true),
            ("5060990000000008", true),
            ("5078650000000000004", true),
            ("5019000000000008", true),
            ("6360000000000001", true),
            ("8600000000000007", true),
            ("9860000000000000", true),
            ("100000000000009", true),
            ("5067230000009011", true),
            ("4111111111111112", false),
            ("411111111111", false),
            ("9111111111111111", false),
            ("A4111111111111111", false),
            ("0000000000000000", false),
            ("100200300", false),
        ] {
            assert_eq!(is_payment_card(number), expected, "{number}");
        }
    }
}
