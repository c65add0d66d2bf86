//! Mexico: INE, RFC, CURP and CLABE.

use super::country::Documents;
use super::rule::{ANY, Rule, characters, digit_is, digits, fits, format};
use super::{Checks, DocumentType};
use crate::text::Broken;

/// What Mexico has.
pub(super) const DOCUMENTS: Documents = Documents {
    country: "MEX",
    identity: &[(DocumentType::Ine, INE), (DocumentType::Passport, ANY)],
    tax: &[(DocumentType::Rfc, RFC)],
};

const INE: Rule = Rule::new(|number, _| format(characters(number, 9..=13), "must have 9 to 13 letters and digits"));

/// The tax number of a person (13) or a company (12).
pub(crate) const RFC: Rule = Rule::new(rfc);

/// The key of a citizen.
pub(crate) const CURP: Rule = Rule::new(curp);

/// The number of a bank account.
pub(crate) const CLABE: Rule = Rule::new(clabe);

/// The numbers of those who have none, at home and abroad; their check digits do not fit.
const GENERIC_RFCS: [&str; 2] = ["XAXX010101000", "XEXX010101000"];

fn rfc(number: &str, checks: Checks) -> Result<(), Broken> {
    let letters: Vec<char> = number.chars().collect();
    let name = letters.len().saturating_sub(9);
    let (name, rest) = letters.split_at_checked(name).unwrap_or_default();
    let right = (3..=4).contains(&name.len())
        && name.iter().all(|letter| letter.is_ascii_uppercase() || matches!(letter, 'Ñ' | '&'))
        // Written with two digits, a year stands for any century; only 2000 makes 00 a leap year.
        && day(rest.get(..6), 2000)
        && rest.iter().skip(6).take(2).all(|sign| sign.is_ascii_digit() || sign.is_ascii_uppercase())
        && rest.last().is_some_and(|check| check.is_ascii_digit() || *check == 'A');
    format(
        right,
        "must have 3 letters of a company or 4 of a person, a date written yymmdd, and 3 letters or digits, \
         the last of them a digit or A",
    )?;
    fits(checks, || {
        let padding = if name.len() == 3 { " " } else { "" };
        let signs = padding.chars().chain(letters.iter().copied());
        let expected = match 11 - weigh("0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ Ñ", signs.take(12), 13) % 11 {
            11 => '0',
            10 => 'A',
            digit => char::from_digit(digit, 10).unwrap_or_default(),
        };
        GENERIC_RFCS.contains(&number) || letters.last() == Some(&expected)
    })
}

/// The states as CURP writes them; NE is for those born abroad.
const STATES: [&str; 33] = [
    "AS", "BC", "BS", "CC", "CH", "CL", "CM", "CS", "DF", "DG", "GR", "GT", "HG", "JC", "MC", "MN", "MS", "NE", "NL",
    "NT", "OC", "PL", "QR", "QT", "SL", "SP", "SR", "TC", "TL", "TS", "VZ", "YN", "ZS",
];

fn curp(number: &str, checks: Checks) -> Result<(), Broken> {
    let letters: Vec<char> = number.chars().collect();
    let all = |range: std::ops::Range<usize>, test: fn(&char) -> bool| {
        letters.get(range).is_some_and(|letters| letters.iter().all(test))
    };
    // The 17th sign tells the century.
    let century = if all(16..17, char::is_ascii_digit) { 1900 } else { 2000 };
    let right = letters.len() == 18
        && all(0..4, |letter| letter.is_ascii_uppercase() || *letter == 'Ñ')
        && day(letters.get(4..10), century)
        && all(10..11, |sex| matches!(sex, 'H' | 'M' | 'X'))
        && letters.get(11..13).is_some_and(|state| STATES.contains(&state.iter().collect::<String>().as_str()))
        && all(13..16, |letter| {
            *letter == 'Ñ' || letter.is_ascii_uppercase() && !matches!(letter, 'A' | 'E' | 'I' | 'O' | 'U')
        })
        && all(16..17, |sign| sign.is_ascii_digit() || sign.is_ascii_uppercase())
        && all(17..18, char::is_ascii_digit);
    format(
        right,
        "must have 18 signs: 4 letters, a date of birth written yymmdd, H, M or X, a state, 3 consonants, \
         a digit (born before 2000) or letter (after), and a digit",
    )?;
    fits(checks, || {
        let sum = weigh("0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ", letters.iter().copied().take(17), 18);
        digit_is(number, 17, (10 - sum % 10) % 10)
    })
}

fn clabe(number: &str, checks: Checks) -> Result<(), Broken> {
    format(digits(number, 18..=18), "must have 18 digits")?;
    fits(checks, || {
        let weighed = number.chars().take(17).zip([3, 7, 1].into_iter().cycle());
        let sum: u32 = weighed.map(|(digit, weight)| digit.to_digit(10).unwrap_or_default() * weight % 10).sum();
        digit_is(number, 17, (10 - sum % 10) % 10)
    })
}

/// The sum of each sign's place in `alphabet` times its weight; weights count down from `first`.
fn weigh(alphabet: &str, signs: impl Iterator<Item = char>, first: u32) -> u32 {
    let place = |sign| alphabet.chars().position(|letter| letter == sign).and_then(|place| u32::try_from(place).ok());
    signs.zip((0..=first).rev()).map(|(sign, weight)| place(sign).unwrap_or_default() * weight).sum()
}

/// Whether six digits, `yymmdd`, name a day that exists in the century that begins with `century`.
fn day(digits: Option<&[char]>, century: i16) -> bool {
    let pair = |at: usize| {
        let tens = digits?.get(at)?.to_digit(10)?;
        i8::try_from(tens * 10 + digits?.get(at + 1)?.to_digit(10)?).ok()
    };
    let (Some(year), Some(month), Some(day)) = (pair(0), pair(2), pair(4)) else { return false };
    jiff::civil::Date::new(century + i16::from(year), month, day).is_ok()
}
