//! JSON as it was written: numbers keep their digits, and names that an object repeats are found.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::{Number, Value};

use crate::error::{Error, FieldError};
use crate::field::Pointer;

/// How many repeated names are reported.
const MOST_REPEATED: usize = 20;

/// A JSON text that has been read.
#[derive(Debug, Clone)]
pub struct JsonText {
    /// The value; where an object repeats a name, the last one counts.
    pub value: Value,
    /// The names that an object repeats.
    pub repeated: Vec<FieldError>,
}

impl JsonText {
    /// Reads a text.
    ///
    /// # Errors
    /// The place where the text stops being JSON.
    pub fn read(text: &[u8]) -> Result<Self, serde_json::Error> {
        let mut value = serde_json::from_slice(text)?;
        let mut scanner = Scanner::default();
        scanner.scan(text);
        for (path, digits) in scanner.exponents {
            keep_digits(&mut value, &path, digits);
        }
        Ok(Self { value, repeated: scanner.repeated })
    }

    /// Returns the value of a text whose objects repeat no name.
    ///
    /// # Errors
    /// [`Error::Invalid`] with each name that is repeated.
    pub fn into_unique(self) -> Result<Value, Error> {
        if self.repeated.is_empty() { Ok(self.value) } else { Err(Error::Invalid(self.repeated)) }
    }
}

/// Reads a JSON text whose numbers keep their digits.
///
/// # Errors
/// The place where the text stops being JSON.
pub fn read_json(text: &[u8]) -> Result<Value, serde_json::Error> {
    JsonText::read(text).map(|text| text.value)
}

/// Returns the number that a text writes in JSON, with its digits and its exponent as they are written.
#[must_use]
pub fn parse_number(text: &str) -> Option<Number> {
    text.parse::<Number>().ok().map(|_| Number::from_string_unchecked(text.to_owned()))
}

/// Returns the text with quotes around numbers that begin with a zero too many, as some clients write codes: `01310100`.
#[must_use]
pub fn quote_leading_zeros(text: &[u8]) -> Vec<u8> {
    let (mut quoted, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some(first) = rest.first() {
        let length = match first {
            b'"' => string_length(rest),
            b'0'..=b'9' | b'-' => rest.iter().take_while(|byte| !b",]} \t\r\n".contains(byte)).count(),
            _ => 1,
        };
        let (token, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        let is_code = token.len() > 1 && token.starts_with(b"0") && token.iter().all(u8::is_ascii_digit);
        let quote: &[u8] = if is_code { b"\"" } else { b"" };
        quoted.extend(quote.iter().chain(token).chain(quote));
        rest = after;
    }
    quoted
}

/// A step from a value to one within it.
#[derive(Debug, Clone)]
enum Step {
    Name(String),
    Index(usize),
}

/// Gives the number at `path` its digits back: the parser writes the exponent of `1E3` as `e+3`.
fn keep_digits(value: &mut Value, path: &[Step], digits: &str) {
    let found = path.iter().try_fold(value, |value, step| match step {
        Step::Name(name) => value.get_mut(name),
        Step::Index(index) => value.get_mut(index),
    });
    // An object may have repeated the name with another value.
    if let Some(Value::Number(number)) = found
        && digits.parse::<Number>().is_ok_and(|parsed| parsed == *number)
    {
        *number = Number::from_string_unchecked(digits.to_owned());
    }
}

/// Looks through a text that is known to be JSON.
#[derive(Debug, Default)]
struct Scanner<'a> {
    frames: Vec<Frame<'a>>,
    repeated: Vec<FieldError>,
    /// The numbers with an exponent: where, and how they are written.
    exponents: Vec<(Vec<Step>, &'a str)>,
}

/// An array or object that is open.
#[derive(Debug)]
enum Frame<'a> {
    Array { index: usize },
    Object { names: HashSet<Cow<'a, str>>, name: Cow<'a, str>, expects_name: bool },
}

impl<'a> Scanner<'a> {
    fn scan(&mut self, mut left: &'a [u8]) {
        while let Some(first) = left.first() {
            let length = match first {
                b'"' => self.see_string(left),
                b'-' | b'0'..=b'9' => self.see_number(left),
                other => {
                    self.see_mark(*other);
                    1
                }
            };
            left = left.get(length..).unwrap_or_default();
        }
    }

    fn see_mark(&mut self, mark: u8) {
        match mark {
            b'{' => {
                self.frames.push(Frame::Object { names: HashSet::new(), name: Cow::Borrowed(""), expects_name: true });
            }
            b'[' => self.frames.push(Frame::Array { index: 0 }),
            b'}' | b']' => drop(self.frames.pop()),
            b',' => match self.frames.last_mut() {
                Some(Frame::Array { index }) => *index += 1,
                Some(Frame::Object { expects_name, .. }) => *expects_name = true,
                None => {}
            },
            // Blanks, colons and the letters of `true`, `false` and `null`.
            _ => {}
        }
    }

    /// Passes the string that `left` begins with, and returns its length.
    fn see_string(&mut self, left: &'a [u8]) -> usize {
        let length = string_length(left);
        if let Some(Frame::Object { names, name, expects_name }) = self.frames.last_mut()
            && std::mem::take(expects_name)
        {
            *name = string_of(left.get(..length).unwrap_or_default());
            if !names.insert(name.clone()) && self.repeated.len() < MOST_REPEATED {
                let at = self.path().into_iter().fold(Pointer::root(), |at, step| match step {
                    Step::Name(name) => at.child(name),
                    Step::Index(index) => at.child(index),
                });
                self.repeated.push(at.error("repeated", "must come once in its object; remove the others"));
            }
        }
        length
    }

    /// Passes the number that `left` begins with, and returns its length.
    fn see_number(&mut self, left: &'a [u8]) -> usize {
        let is_part = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let length = left.iter().take_while(is_part).count();
        let digits = left.get(..length).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or_default();
        if digits.contains(['e', 'E']) {
            self.exponents.push((self.path(), digits));
        }
        length
    }

    fn path(&self) -> Vec<Step> {
        let step = |frame: &Frame<'_>| match frame {
            Frame::Array { index } => Step::Index(*index),
            Frame::Object { name, .. } => Step::Name(name.clone().into_owned()),
        };
        self.frames.iter().map(step).collect()
    }
}

/// The length of the string that `text` begins with, quotes included.
fn string_length(text: &[u8]) -> usize {
    let mut escaped = false;
    let end = text.iter().skip(1).position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

/// The text of a string with its quotes.
fn string_of(quoted: &[u8]) -> Cow<'_, str> {
    let within = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
    match std::str::from_utf8(within) {
        Ok(text) if !text.contains('\\') => Cow::Borrowed(text),
        Ok(_) | Err(_) => Cow::Owned(serde_json::from_slice(quoted).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        for text in [
            "1E3",
            "1e3",
            "1e+3",
            "-1.50E-07",
            r#"{"a":[1,{"b":1E3,"c":"1E3"},2e0],"d\"":0E0,"e":true}"#,
            r#"[[],{},"]",1.0,1E5,{"":1E1,"x\\":2E2}]"#,
        ] {
            assert_eq!(read_json(text.as_bytes()).map(|value| value.to_string()).ok().as_deref(), Some(text));
        }
    }

    #[test]
    fn repeated_names_are_found() {
        for (text, expected) in [
            (r#"{"a":1,"b":{"a":2},"c":[{"a":1},{"a":1}]}"#, vec![]),
            (r#"{"a":1,"a":2}"#, vec!["/a"]),
            (r#"{"a":1,"\u0061":{"x":1E3,"x":5}}"#, vec!["/a", "/a/x"]),
            (r#"{"l":[0,{"a/b":"\"","a/b":"{"}]}"#, vec!["/l/1/a~1b"]),
        ] {
            let read = JsonText::read(text.as_bytes()).ok();
            let found: Vec<_> =
                read.iter().flat_map(|read| &read.repeated).map(|error| error.pointer.as_str()).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn last_of_repeated_names_counts() {
        for (text, expected) in [
            (r#"{"a":1E3,"a":5}"#, r#"{"a":5}"#),
            (r#"{"a":{"b":1E3},"a":"x"}"#, r#"{"a":"x"}"#),
            (r#"{"a":5,"a":1E3}"#, r#"{"a":1E3}"#),
        ] {
            assert_eq!(read_json(text.as_bytes()).map(|value| value.to_string()).ok().as_deref(), Some(expected));
        }
    }

    #[test]
    fn text_that_is_no_json_is_refused() {
        for text in ["", "{", "1E", "1E3.5", "[1E3", "\"", "{\"a\":1E3}x"] {
            assert!(JsonText::read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
