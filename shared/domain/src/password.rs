//! Passwords: their form, and which are too weak for whom. Every way in which a password is set asks here.

use std::fmt;

use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::error::{Error, FieldError};
use crate::field::{Field, Pointer};
use crate::segment::Settings;
use crate::user::UserFields;
use crate::value::Integer;

/// The fewest characters that any password has: Cognito takes none that is shorter.
const SHORTEST: usize = 6;

/// The fewest characters of a password where no segment says otherwise.
const USUAL: usize = 8;

/// The most characters of a password.
const LONGEST: usize = 128;

/// The fewest characters of the passwords of a segment's users.
pub type PasswordLength = Integer<6, 64>;

/// A password in Unicode's form NFC, on its way to Cognito: never stored here, never shown.
///
/// Its form is right. Whether it is strong enough for its user, [`Password::check`] says.
#[derive(Clone)]
pub struct Password(String);

/// The common passwords of at least 4 characters, one a line: the list of zxcvbn.
///
/// The list and not the crate, which is 2.9 MB of a function and takes 13 ms before it judges its first password
/// (`docs/decisions/0029-passwords-are-compared-with-a-list.md`).
const COMMON: &str = concat!("\n", include_str!("common-passwords.txt"));

/// Words that people choose where Spanish and Portuguese are spoken, which the list lacks; without case and accents.
const ALSO_COMMON: [&str; 12] = [
    "administrador",
    "bemvindo",
    "bienvenida",
    "bienvenido",
    "clave",
    "contrasena",
    "contrasenia",
    "futbol",
    "mudar",
    "senha",
    "teamo",
    "usuario",
];

/// The most characters that do not make a common password another one: `Password2026!` is still that.
const DECORATION: usize = 5;

/// The product's name.
const PRODUCT: &str = "muster";

impl Password {
    /// The password itself, for Cognito alone.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Refuses a password that is too short or too weak for the user with these fields, of a segment with these settings;
    /// `at` is its place in the body.
    ///
    /// # Errors
    /// [`Error::Invalid`] with `too_short`, or `weak_password` whose message names the reason.
    pub fn check(&self, at: &str, owner: &UserFields, settings: Option<&Settings>) -> Result<(), Error> {
        self.find_weakness(at, owner, settings).map_or(Ok(()), |error| Err(Error::Invalid(vec![error])))
    }

    /// Returns why the password is too short or too weak, if it is.
    #[must_use]
    pub fn find_weakness(&self, at: &str, owner: &UserFields, settings: Option<&Settings>) -> Option<FieldError> {
        let least = settings.and_then(|settings| settings.password_min_length);
        let least = least.and_then(|least| usize::try_from(least.get()).ok()).unwrap_or(USUAL);
        if self.0.chars().count() < least {
            let message = format!("must have at least {least} characters");
            return Some(FieldError::new(at, "too_short", &message));
        }
        let parts = own_parts(owner);
        let folded = fold(&self.0);
        let contained = parts.iter().find(|(_, part)| contains(&folded, part)).map(|(reason, _)| *reason);
        let reason = contained.or_else(|| is_common(&folded).then_some(Reason::Common))?;
        Some(FieldError::new(at, "weak_password", reason.message()))
    }
}

/// Why a password is weak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    Common,
    Email,
    Username,
    Name,
    Product,
}

impl Reason {
    fn message(self) -> &'static str {
        match self {
            Self::Common => "must not be a common or easily guessed password; choose a longer, more varied one",
            Self::Email => "must not contain the e-mail address or the part before its @",
            Self::Username => "must not contain the username",
            Self::Name => "must not contain the name",
            Self::Product => "must not contain the product's name",
        }
    }
}

/// What a password must not contain, folded: values of the user's own, and the product's name.
fn own_parts(owner: &UserFields) -> Vec<(Reason, String)> {
    let mut parts = vec![(Reason::Product, PRODUCT.to_owned())];
    if let Some(email) = &owner.email {
        let local = email.as_str().split('@').next().unwrap_or_default();
        parts.extend([(Reason::Email, fold(email.as_str())), (Reason::Email, fold(local))]);
    }
    parts.extend(owner.username.iter().map(|username| (Reason::Username, fold(username.as_str()))));
    for name in [&owner.name, &owner.last_name, &owner.second_last_name].into_iter().flatten() {
        let words = name.as_str().split_whitespace().map(|word| (Reason::Name, fold(word)));
        parts.extend(std::iter::once((Reason::Name, fold(name.as_str()))).chain(words));
    }
    parts
}

/// Whether a password contains a value. Three letters count only at its beginning and its end, and where no other letter
/// is beside them; fewer count not at all: a user called Ana may have bananas in its password.
fn contains(password: &str, part: &str) -> bool {
    match part.chars().count() {
        0..3 => false,
        3 => password.match_indices(part).any(|(at, found)| {
            let before = password.get(..at).and_then(|before| before.chars().next_back());
            let after = password.get(at + found.len()..).and_then(|after| after.chars().next());
            before.is_none() || after.is_none() || ![before, after].into_iter().flatten().any(char::is_alphabetic)
        }),
        _ => password.contains(part),
    }
}

/// Whether a folded password is one of the many that people choose: as it is, with digits for letters, repeated, or with
/// a few digits and signs around it. So is a run of one letter or of neighbours.
fn is_common(password: &str) -> bool {
    let core = password.trim_matches(|letter: char| !letter.is_alphabetic());
    let decorated = password.chars().count() - core.chars().count() <= DECORATION;
    let plain = |text: &str| text.chars().map(undisguised).collect::<String>();
    let listed = |text: &str| is_listed(repeated_part(text)) || is_listed(repeated_part(&plain(text)));
    is_run(password) || listed(password) || decorated && listed(core)
}

fn is_listed(text: &str) -> bool {
    // One search of the whole text is ten times as fast as a comparison with each line.
    ALSO_COMMON.contains(&text) || (!text.contains('\n') && COMMON.contains(&format!("\n{text}\n")))
}

/// The letter that a digit or a sign is commonly written for.
fn undisguised(letter: char) -> char {
    match letter {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

/// Whether each character follows the one before by the same step of -1, 0 or 1.
fn is_run(text: &str) -> bool {
    let codes: Vec<i64> = text.chars().map(|letter| i64::from(u32::from(letter))).collect();
    let mut steps = codes.iter().zip(codes.iter().skip(1)).map(|(before, after)| after - before);
    steps.next().is_some_and(|first| first.abs() <= 1 && steps.all(|step| step == first))
}

/// The part that a text is nothing but repetitions of, or the text.
fn repeated_part(text: &str) -> &str {
    let lengths = (1..=text.len() / 2).filter(|length| text.len().is_multiple_of(*length));
    let mut parts = lengths.filter_map(|length| text.get(..length));
    parts.find(|part| part.repeat(text.len() / part.len()) == text).unwrap_or(text)
}

/// Text without case and accents.
fn fold(text: &str) -> String {
    let small = text.nfkd().flat_map(char::to_lowercase);
    let bare: String = small.nfkd().filter(|letter| !is_combining_mark(*letter)).collect();
    bare.replace('ß', "ss").replace('ς', "σ")
}

/// The forms in which a password is tried: NFC, in which passwords are set, and as it was typed, in which they were set once.
#[must_use]
pub fn login_forms(typed: &str) -> Vec<String> {
    let composed: String = typed.nfc().collect();
    if composed == typed { vec![composed] } else { vec![composed, typed.to_owned()] }
}

impl fmt::Debug for Password {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Password(…)")
    }
}

impl Field for Password {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        let Value::String(text) = value else {
            errors.push(at.error("invalid_type", "must be a string"));
            return None;
        };
        let text: String = text.nfc().collect();
        let length = text.chars().count();
        // Cognito's own pattern: no white space at either end.
        let broken = if length < SHORTEST {
            Some((
                "too_short",
                "must have at least 6 characters; a segment may require more, and requires 8 by default",
            ))
        } else if length > LONGEST {
            Some(("too_long", "must have at most 128 characters"))
        } else if text.trim() != text || text.chars().any(char::is_control) {
            Some(("invalid_password", "must not begin or end with a space, and have no control characters"))
        } else {
            None
        };
        match broken {
            Some((code, message)) => {
                errors.push(at.error(code, message));
                None
            }
            None => Some(Self(text)),
        }
    }

    fn show(&self) -> Value {
        Value::Null
    }

    fn schema() -> RefOr<Schema> {
        let kind = ObjectBuilder::new().schema_type(Type::String);
        let kind = kind.format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)));
        kind.min_length(Some(SHORTEST)).max_length(Some(LONGEST)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Body as _;
    use serde_json::json;

    fn password(text: &str) -> Result<Password, Vec<FieldError>> {
        let mut errors = Vec::new();
        Password::read(text.into(), &Pointer::root(), &mut errors).ok_or(errors)
    }

    fn weakness(text: &str, owner: &UserFields, settings: Option<&Settings>) -> Option<(&'static str, String)> {
        let found = match password(text) {
            Ok(password) => password.find_weakness("/password", owner, settings),
            Err(errors) => errors.into_iter().next(),
        };
        found.map(|error| (error.code, error.message))
    }

    #[test]
    fn a_password_is_counted_and_sent_in_its_composed_form() -> Result<(), Vec<FieldError>> {
        // Eight letters, each with an accent of its own.
        let decomposed = "e\u{301}".repeat(64);
        assert_eq!(password(&decomposed)?.reveal(), "é".repeat(64));
        assert!(
            password(&"e\u{301}".repeat(129)).is_err_and(|errors| errors.iter().any(|error| error.code == "too_long"))
        );
        assert!(password(&"xy".repeat(64)).is_ok());
        assert_eq!(login_forms("e\u{301}"), ["é", "e\u{301}"]);
        assert_eq!(login_forms("plain"), ["plain"]);
        Ok(())
    }

    #[test]
    fn weak_passwords_are_refused_with_the_reason() -> Result<(), Error> {
        let owner = UserFields::parse(json!({
            "email": "marisol.paz@example.com", "username": "solecito", "name": "Ana", "last_name": "López García"
        }))?;
        let codes = |text: &str| weakness(text, &owner, None).map_or(("", String::new()), |found| found);
        for common in [
            "password",
            "Password1",
            "P@ssw0rd",
            "12345678",
            "qwertyuiop",
            "contraseña",
            "aaaaaaaa",
            "Contraseña1",
            "letmein123",
            "Passw0rd!",
            "hunterhunter",
            "87654321",
            "Password2026!",
            "P@ssw0rd!",
        ] {
            let (code, message) = codes(common);
            assert!(code == "weak_password" && message.contains("common"), "{common}: {code}, {message}");
        }
        for (text, reason) in [
            ("a marisol.paz@example.com b", "e-mail"),
            ("xMARISOL.PAZx 77", "e-mail"),
            ("say solecito twice", "username"),
            ("ana-horse-battery", "name"),
            ("anaharborkite", "name"),
            ("harborkiteana", "name"),
            ("horse lopez battery", "name"),
            ("horse GARCÍA battery", "name"),
            ("correct Muster battery", "product"),
        ] {
            let (code, message) = codes(text);
            assert!(code == "weak_password" && message.contains(reason), "{text}: {code}, {message}");
        }
        for strong in ["correct horse battery", "banana split at noon", "staple battery horse"] {
            assert_eq!(codes(strong).0, "", "{strong}");
        }
        Ok(())
    }

    #[test]
    fn letters_that_are_written_in_two_ways_are_the_same_letters() -> Result<(), Error> {
        for (name, text) in
            [("Strasse", "straße-harbor-77"), ("Straße", "strasse-harbor-77"), ("ΝΊΚΟΣ", "a νίκος harbor")]
        {
            let owner = UserFields::parse(json!({ "name": name }))?;
            assert_eq!(weakness(text, &owner, None).map(|(code, _)| code), Some("weak_password"), "{text}");
        }
        Ok(())
    }

    #[test]
    fn a_segment_says_how_long_a_password_is() {
        let nobody = UserFields::default();
        let asks = |least| Settings { password_min_length: PasswordLength::new(least), ..Settings::default() };
        let code = |text: &str, settings: Option<&Settings>| weakness(text, &nobody, settings).map(|(code, _)| code);
        assert_eq!(code("vq7Kx2z", None), Some("too_short"));
        assert_eq!(code("vq7Kx2zT", None), None);
        assert_eq!(code("vq7Kx2", Some(&asks(6))), None);
        assert_eq!(code("vq7Kx", Some(&asks(6))), Some("too_short"));
        assert_eq!(code("correct horse battery", Some(&asks(22))), Some("too_short"));
        assert_eq!(code("correct horse battery", Some(&asks(21))), None);
    }

    #[test]
    fn a_password_never_shows_itself() -> Result<(), Vec<FieldError>> {
        assert_eq!(format!("{:?}", password("correct horse")?), "Password(…)");
        Ok(())
    }
}
