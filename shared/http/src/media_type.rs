//! What a body is, by its `Content-Type`.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;

/// Returns the media type of a body whose text is UTF-8, in lower case. Without the parameter `charset` it is.
pub(crate) fn utf8_media_type(headers: &HeaderMap) -> Option<String> {
    let header = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let mut parts = header.split(';');
    let media_type = parts.next()?.trim().to_ascii_lowercase();
    parts.filter_map(|parameter| parameter.split_once('=')).all(is_utf8).then_some(media_type)
}

/// Whether a parameter names no other charset than UTF-8. Its value may be quoted (RFC 9110, section 5.6.6).
fn is_utf8((name, value): (&str, &str)) -> bool {
    let value = value.trim();
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    let is_utf8 = ["utf-8", "utf8"].iter().any(|name| value.eq_ignore_ascii_case(name));
    is_utf8 || !name.trim().eq_ignore_ascii_case("charset")
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
