//! Normalizes text from outside: one form for all text, and a stricter one for identifiers.

use std::collections::BTreeSet;

use icu_properties::props::{
    BidiControl, CanonicalCombiningClass, DefaultIgnorableCodePoint, ExtendedPictographic, GeneralCategory,
    JoiningType, Script,
};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_normalization::UnicodeNormalization as _;

use crate::text::Broken;

/// The most characters that a text may have, and the message for a longer one.
#[derive(Debug, Clone, Copy)]
pub struct MaxLength {
    /// The limit in characters.
    pub characters: usize,
    /// The message.
    pub message: &'static str,
}

/// Declares a [`MaxLength`].
#[doc(hidden)]
#[macro_export]
macro_rules! max_length {
    ($max:literal) => {
        $crate::normalize::MaxLength {
            characters: $max,
            message: concat!("must have at most ", $max, " characters; shorten it"),
        }
    };
}

const EMPTY: Broken = ("too_short", "must have at least 1 visible character");
const CONTROL: Broken = ("control_character", "must have no control characters; remove them");
const INVISIBLE: Broken =
    ("invisible_character", "must have no invisible or bidirectional control characters such as U+200B; remove them");
const FOREIGN_DIGIT: Broken = ("invalid_digit", "must write digits as 0 to 9");
const MIXED_SCRIPTS: Broken =
    ("mixed_scripts", "must not mix letters of different scripts, such as Latin and Cyrillic");

/// Returns `text` in NFC without outer white space.
///
/// # Errors
/// The text is empty or too long, or has control characters or invisible ones.
pub fn normalize_text(text: &str, max: MaxLength) -> Result<String, Broken> {
    normalize(text, max, |_| false)
}

/// Returns `text` as [`normalize_text`] does, and keeps line breaks and tabs within it.
///
/// # Errors
/// As [`normalize_text`].
pub fn normalize_lines(text: &str, max: MaxLength) -> Result<String, Broken> {
    normalize(text, max, |letter| matches!(letter, '\n' | '\r' | '\t'))
}

/// Returns an identifier of another system: as [`normalize_text`], with full-width characters as their usual forms, and every
/// space as U+0020 (RFC 8265, section 4.2.2).
///
/// Case and punctuation count. Spelling that looks the same does not make two identifiers: digits are ASCII, and letters are
/// of one script, or of those that are written together (UTS 39, "Highly Restrictive").
///
/// # Errors
/// As [`normalize_text`], and for other digits or mixed scripts.
pub fn normalize_identifier(text: &str, max: MaxLength) -> Result<String, Broken> {
    let is_space = |letter: char| !letter.is_control() && letter.is_whitespace();
    let spaced = text.chars().map(|letter| if is_space(letter) { ' ' } else { letter });
    let usual: String = spaced.flat_map(usual_width).collect();
    let identifier = normalize_text(&usual, max)?;
    check_scripts(&identifier)?;
    Ok(identifier)
}

/// Checks that the digits of an identifier are ASCII and that its letters are of scripts that are written together.
///
/// # Errors
/// The rule that the identifier breaks.
pub(crate) fn check_scripts(identifier: &str) -> Result<(), Broken> {
    let category = CodePointMapData::<GeneralCategory>::new();
    let is_foreign = |letter: char| !letter.is_ascii() && category.get(letter) == GeneralCategory::DecimalNumber;
    if identifier.chars().any(is_foreign) {
        return Err(FOREIGN_DIGIT);
    }
    let script_of = CodePointMapData::<Script>::new();
    let scripts: BTreeSet<Script> = identifier
        .chars()
        .map(|letter| script_of.get(letter))
        .filter(|script| !matches!(*script, Script::Common | Script::Inherited))
        .collect();
    let together = [
        &[Script::Latin, Script::Han, Script::Hiragana, Script::Katakana][..],
        &[Script::Latin, Script::Han, Script::Bopomofo],
        &[Script::Latin, Script::Han, Script::Hangul],
    ];
    let is_one = scripts.len() <= 1 || together.iter().any(|allowed| scripts.iter().all(|one| allowed.contains(one)));
    if is_one { Ok(()) } else { Err(MIXED_SCRIPTS) }
}

/// Checks each word of a text of people as [`check_scripts`] checks an identifier: two words of different scripts may stand side
/// by side.
///
/// # Errors
/// As [`check_scripts`].
pub(crate) fn check_words(text: &str) -> Result<(), Broken> {
    text.split_whitespace().try_for_each(check_scripts)
}

/// Returns a text without the invisible characters that a script or an emoji needs: two texts that differ in these alone look
/// the same.
#[must_use]
pub(crate) fn without_invisible(text: &str) -> String {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    text.chars().filter(|letter| !ignorable.contains(*letter)).collect()
}

/// Returns the form in which two names are the same: without case, width, composition, repeated spaces and what is invisible.
///
/// Source: the Nickname profile of PRECIS (RFC 8266). A text outside its class is compared in small letters.
#[must_use]
pub fn caseless(text: &str) -> String {
    use precis_profiles::precis_core::profile::Profile as _;

    let nickname = precis_profiles::Nickname::new();
    let text = without_invisible(text);
    // The profile's own comparison lowers the case last.
    let folded = nickname.enforce(&*text).map_or_else(|_| text.clone(), std::borrow::Cow::into_owned);
    folded.to_lowercase().nfkc().collect::<String>().replace('ς', "σ")
}

fn normalize(text: &str, max: MaxLength, is_allowed_control: fn(char) -> bool) -> Result<String, Broken> {
    let text: String = text.nfc().collect();
    let text = text.trim();
    if text.is_empty() {
        return Err(EMPTY);
    }
    if text.chars().nth(max.characters).is_some() {
        return Err((("too_long"), max.message));
    }
    if text.chars().any(|letter| letter.is_control() && !is_allowed_control(letter)) {
        return Err(CONTROL);
    }
    if has_invisible(text) {
        return Err(INVISIBLE);
    }
    Ok(text.to_owned())
}

/// Returns the usual form of a full-width or half-width character (PRECIS width mapping, RFC 8264 section 5.2.1).
fn usual_width(letter: char) -> impl Iterator<Item = char> {
    let is_wide = matches!(letter, '\u{FF00}'..='\u{FFEF}' | '\u{3000}');
    let usual = is_wide.then(|| std::iter::once(letter).nfkc()).into_iter().flatten();
    usual.chain((!is_wide).then_some(letter))
}

/// Whether the text has an invisible character where no script or emoji needs one.
fn has_invisible(text: &str) -> bool {
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let bidirectional = CodePointSetData::new::<BidiControl>();
    let letters: Vec<char> = text.chars().collect();
    let is_invisible = |letter: char| {
        ignorable.contains(letter)
            || bidirectional.contains(letter)
            // Line and paragraph separators, the blank Braille pattern, interlinear annotations.
            || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{2800}' | '\u{FFF9}'..='\u{FFFB}')
            // What is no character (Unicode, section 23.7), and cannot be written in XML.
            || matches!(letter, '\u{FDD0}'..='\u{FDEF}') || u32::from(letter) & 0xFFFE == 0xFFFE
    };
    letters.iter().enumerate().any(|(at, letter)| is_invisible(*letter) && !is_needed(&letters, at))
}

/// Whether a script or an emoji needs the invisible character at `at`.
///
/// Sources: RFC 5892 appendix A.1 and A.2 for joiners between letters, UTS 51 for emoji sequences.
fn is_needed(letters: &[char], at: usize) -> bool {
    let (before, after) = (letters.get(..at).unwrap_or_default(), letters.get(at + 1..).unwrap_or_default());
    let pictographic = CodePointSetData::new::<ExtendedPictographic>();
    // Between an emoji and what follows it there may be its skin colour and its style.
    let is_style = |letter: &char| matches!(letter, '\u{FE0F}' | '\u{1F3FB}'..='\u{1F3FF}');
    let is_emoji = |letter: Option<&char>| letter.is_some_and(|letter| pictographic.contains(*letter));
    let follows_emoji = is_emoji(before.iter().rev().find(|letter| !is_style(letter)));
    match letters.get(at) {
        Some('\u{200D}') if follows_emoji && is_emoji(after.first()) => true,
        Some('\u{200D}' | '\u{200C}') if follows_virama(before) => true,
        Some('\u{200C}') => is_between_joining(before, after),
        Some('\u{FE0E}' | '\u{FE0F}') => is_emoji(before.last()) || after.first() == Some(&'\u{20E3}'),
        Some(_) | None => false,
    }
}

fn follows_virama(before: &[char]) -> bool {
    let class = CodePointMapData::<CanonicalCombiningClass>::new();
    before.last().is_some_and(|letter| class.get(*letter) == CanonicalCombiningClass::Virama)
}

fn is_between_joining(before: &[char], after: &[char]) -> bool {
    let joining = CodePointMapData::<JoiningType>::new();
    let is_solid = |letter: &&char| joining.get(**letter) != JoiningType::Transparent;
    let left = before.iter().rev().find(is_solid).map(|letter| joining.get(*letter));
    let right = after.iter().find(is_solid).map(|letter| joining.get(*letter));
    matches!(left, Some(JoiningType::DualJoining | JoiningType::LeftJoining))
        && matches!(right, Some(JoiningType::DualJoining | JoiningType::RightJoining))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Result<String, &'static str> {
        normalize_text(text, max_length!(20)).map_err(|(code, _)| code)
    }

    fn identifier(text: &str) -> Result<String, &'static str> {
        normalize_identifier(text, max_length!(20)).map_err(|(code, _)| code)
    }

    #[test]
    fn text_is_trimmed_and_composed() {
        for (sent, kept) in [
            (" Ruiz ", "Ruiz"),
            ("\u{a0}\tRuiz\r\n", "Ruiz"),
            ("jose\u{301}", "jos\u{e9}"),
            ("N\u{303}andu\u{301}", "Ñandú"),
            ("Ana  López", "Ana  López"),
        ] {
            assert_eq!(text(sent).as_deref(), Ok(kept), "{sent:?}");
        }
    }

    #[test]
    fn invisible_characters_are_refused() {
        for sent in [
            "\u{200b}\u{200b}",
            "ad\u{200b}min",
            "a\u{200d}b",
            "a\u{200c}b",
            "\u{202e}ana",
            "ana\u{2066}",
            "a\u{ad}b",
            "\u{feff}ana",
            "a\u{2060}b",
            "\u{3164}",
            "a\u{fe0f}b",
            "1\u{fe0f}",
            "\u{2800}",
            "a\u{e0041}",
            "a\u{34f}b",
            "a\u{2028}b",
            "a\u{200e}",
            "a\u{180e}b",
            "\u{200d}",
            "\u{1f600}\u{200d}",
            "a\u{fffe}b",
            "a\u{1ffff}b",
        ] {
            assert_eq!(text(sent), Err("invisible_character"), "{sent:?}");
        }
        for sent in ["", " ", "\u{a0}\u{3000}", "\t"] {
            assert_eq!(text(sent), Err("too_short"), "{sent:?}");
        }
        assert_eq!(text("a\u{0}b"), Err("control_character"));
        assert_eq!(text("a\nb"), Err("control_character"));
        assert_eq!(normalize_lines(" a\nb ", max_length!(20)).as_deref(), Ok("a\nb"));
        assert_eq!(text(&"x".repeat(21)), Err("too_long"));
    }

    #[test]
    fn joiners_stay_where_a_script_or_an_emoji_needs_them() {
        for sent in [
            "👨\u{200d}👩\u{200d}👧",
            "❤\u{fe0f}",
            "1\u{fe0f}\u{20e3}",
            "👩🏽\u{200d}💻",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
        ] {
            assert_eq!(text(sent).as_deref(), Ok(sent), "{sent:?}");
        }
    }

    #[test]
    fn identifiers_have_no_twins_of_width_script_or_digit() {
        for (sent, kept) in [
            ("ｃｒｍ－１", "crm-1"),
            ("crm\u{3000}1", "crm 1"),
            ("crm\u{2003}\u{a0}1", "crm  1"),
            ("Ñandú/7", "Ñandú/7"),
            ("山田taro", "山田taro"),
        ] {
            assert_eq!(identifier(sent).as_deref(), Ok(kept), "{sent:?}");
        }
        for (sent, code) in [("сrm-1", "mixed_scripts"), ("crm-١", "invalid_digit"), ("crm-𝟙", "invalid_digit")] {
            assert_eq!(identifier(sent), Err(code), "{sent:?}");
        }
        assert_eq!(identifier("клиент-1").as_deref(), Ok("клиент-1"));
    }

    #[test]
    fn names_are_compared_without_case_width_and_composition() {
        for twin in ["último aviso", "ÚLTIMO  Aviso", "u\u{301}ltimo aviso", "Ｕ\u{301}ltimo aviso"] {
            assert_eq!(caseless(twin), "último aviso", "{twin:?}");
        }
        assert_ne!(caseless("ultimo aviso"), "último aviso");
    }
}
