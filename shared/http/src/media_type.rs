//! What a body is, by its `Content-Type`.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;

/// How the bytes of a body are text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    Utf8,
    /// ISO-8859-1, of which each byte is the character of its number.
    Latin1,
}

impl Charset {
    /// Returns the charset of a body: UTF-8 unless its media type names the other one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let header = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_latin = |charset: &str| LATIN.iter().any(|name| charset.eq_ignore_ascii_case(name));
        if charsets(header).iter().any(|charset| is_latin(charset)) { Self::Latin1 } else { Self::Utf8 }
    }

    /// Decodes bytes; `None` where they are no text of the charset.
    pub(crate) fn decode(self, bytes: Vec<u8>) -> Option<String> {
        match self {
            Self::Utf8 => String::from_utf8(bytes).ok(),
            Self::Latin1 => Some(bytes.into_iter().map(char::from).collect()),
        }
    }
}

const LATIN: [&str; 3] = ["iso-8859-1", "latin1", "windows-1252"];

/// The names of UTF-8, and of what is part of it.
const UTF8: [&str; 3] = ["utf-8", "utf8", "us-ascii"];

/// Returns the media type of a body whose text is UTF-8, in lower case. Without the parameter `charset` it is.
pub(crate) fn utf8_media_type(headers: &HeaderMap) -> Option<String> {
    let header = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let media_type = header.split(';').next()?.trim().to_ascii_lowercase();
    let is_utf8 = |charset: &String| UTF8.iter().any(|name| charset.eq_ignore_ascii_case(name));
    charsets(header).iter().all(is_utf8).then_some(media_type)
}

/// The values of the parameter `charset`, without the quotes that they may have (RFC 9110, section 5.6.6).
fn charsets(header: &str) -> Vec<String> {
    let (mut parameters, mut quoted) = (vec![String::new()], false);
    for letter in header.chars() {
        quoted ^= letter == '"';
        match parameters.last_mut() {
            Some(last) if quoted || letter != ';' => last.push(letter),
            Some(_) | None => parameters.push(String::new()),
        }
    }
    let pairs = parameters.iter().filter_map(|parameter| parameter.split_once('='));
    let named = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    named.map(|(_, value)| unquoted(value.trim()).to_owned()).collect()
}

fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn charset_is_utf8_however_it_is_written() {
        let read = |value| utf8_media_type(&HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(value))]));
        for value in [
            "application/json",
            "Application/JSON;charset=utf-8",
            "application/json; charset=\"utf-8\"",
            "application/json ; Charset=UTF8; version=1",
            "application/json; charset=\"UTF8\";",
            "application/json; charset=us-ascii",
            "application/json; profile=\"x;charset=latin1\"",
        ] {
            assert_eq!(read(value).as_deref(), Some("application/json"), "{value}");
        }
        for value in [
            "application/json; charset=latin1",
            "text/plain; charset=\"utf-16\"",
            "a/b; charset=",
            "a/b; charset=\"utf-8",
        ] {
            assert_eq!(read(value), None, "{value}");
        }
        assert_eq!(utf8_media_type(&HeaderMap::new()), None);
    }
}
