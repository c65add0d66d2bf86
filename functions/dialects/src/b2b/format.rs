//! JSON or XML, as `Accept` asks for it.

use std::convert::Infallible;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use serde_json::Value;

/// What an answer is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    /// Under one of its two names.
    Xml(&'static str),
}

/// The type of JSON.
const JSON: &str = "application/json";

/// The names of XML; of those that are wanted as much, the first is taken.
pub(super) const XML: [&str; 2] = ["application/xml", "text/xml"];

impl Format {
    /// Returns XML where the client wants it more than JSON, and JSON for all other clients.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let accepted = accepted.collect::<Vec<_>>().join(",");
        let ranges: Vec<_> = accepted.split(',').filter_map(range).collect();
        let wanted = XML.iter().map(|name| (quality(&ranges, name), *name)).rev();
        let best = wanted.max_by(|(one, _), (other, _)| one.total_cmp(other));
        let json = quality(&ranges, JSON);
        best.filter(|(quality, _)| *quality > json).map_or(Self::Json, |(_, name)| Self::Xml(name))
    }

    /// The answer, which no cache may keep.
    pub(super) fn answer(self, status: StatusCode, value: Value) -> Response {
        let mut response = match self {
            Self::Json => (status, Json(value)).into_response(),
            Self::Xml(name) => {
                let mut response = (status, xml(&value)).into_response();
                let kind = format!("{name}; charset=utf-8");
                if let Ok(kind) = HeaderValue::from_str(&kind) {
                    response.headers_mut().insert(CONTENT_TYPE, kind);
                }
                response
            }
        };
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
        response
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Format {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

/// A media range and its quality; nothing where the quality cannot be read. Some clients of Java write `*` for `*/*`.
fn range(text: &str) -> Option<(String, f64)> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?.to_ascii_lowercase();
    let name = if name == "*" { "*/*".to_owned() } else { name };
    let quality = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim())
    });
    let quality = quality.map_or(Some(1.0), weight);
    quality.map(|quality| (name, quality))
}

/// Reads a weight, such as `0.25`, `.2` or `0.12345`.
fn weight(text: &str) -> Option<f64> {
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|weight| is_decimal && *weight <= 1.0)
}

/// How much a type is wanted: as the range says that fits it best.
fn quality(ranges: &[(String, f64)], name: &str) -> f64 {
    let family = name.split('/').next().unwrap_or_default();
    let named = |wanted: &str| ranges.iter().find(|(range, _)| range == wanted).map(|(_, quality)| *quality);
    named(name).or_else(|| named(&format!("{family}/*"))).or_else(|| named("*/*")).unwrap_or(0.0)
}

/// A value as a document: a member is an element of its name, a row an `item`, null an element without content.
pub(super) fn xml(value: &Value) -> String {
    let mut writer = Writer::new(Vec::new());
    // Nothing is written but into memory, which does not fail.
    let written = writer
        .write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))
        .and_then(|()| element(&mut writer, "export", value));
    match written {
        Ok(()) => String::from_utf8(writer.into_inner()).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

fn element(writer: &mut Writer<Vec<u8>>, name: &str, value: &Value) -> std::io::Result<()> {
    if is_empty(value) {
        return writer.write_event(Event::Empty(BytesStart::new(name)));
    }
    writer.write_event(Event::Start(BytesStart::new(name)))?;
    match value {
        Value::Object(members) => members.iter().try_for_each(|(name, value)| element(writer, name, value))?,
        Value::Array(rows) => rows.iter().try_for_each(|row| element(writer, "item", row))?,
        Value::String(text) => writer.write_event(Event::Text(BytesText::new(&sound(text))))?,
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            writer.write_event(Event::Text(BytesText::new(&value.to_string())))?;
        }
    }
    writer.write_event(Event::End(BytesEnd::new(name)))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(rows) => rows.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The text without what XML 1.0 has no way to write.
fn sound(text: &str) -> String {
    let fits = |char: &char| matches!(char, '\t' | '\n' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}');
    text.chars().filter(fits).collect()
}

#[cfg(test)]
mod tests {
    use quick_xml::Reader;
    use serde_json::json;

    use super::*;

    fn wanted(accept: &str) -> &'static str {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_str(accept).unwrap())]);
        match Format::of(&headers) {
            Format::Json => "json",
            Format::Xml(name) => name,
        }
    }

    #[test]
    fn xml_is_answered_only_where_it_is_wanted_more_than_json() {
        for (accept, expected) in [
            ("", "json"),
            ("*/*", "json"),
            ("*", "json"),
            ("application/*", "json"),
            ("application/xml", "application/xml"),
            ("text/xml", "text/xml"),
            ("text/*", "text/xml"),
            ("APPLICATION/XML; Q=1.0", "application/xml"),
            ("application/xml; q = .9", "application/xml"),
            ("application/xml;q=0.12345", "application/xml"),
            ("application/xml;q=.9, application/json;q=.91", "json"),
            ("application/xml, application/json", "json"),
            ("application/json;q=0.5, application/xml;q=0.9", "application/xml"),
            ("application/json;q=0.9, application/xml;q=0.5", "json"),
            ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", "application/xml"),
            ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "json"),
            ("application/json;q=0, */*;q=0.1", "application/xml"),
            ("application/json;q=0, application/xml;q=0.0", "json"),
            ("application/json;q=0", "json"),
            ("text/html", "json"),
            ("xml", "json"),
            ("image/png, text/csv;q=0.5", "json"),
            ("application/xml;q=nonsense", "json"),
            ("application/xml;q=inf", "json"),
        ] {
            assert_eq!(wanted(accept), expected, "{accept}");
        }
    }

    #[test]
    fn a_document_has_what_the_json_has() {
        let value =
            json!({ "data": [{ "id": "1", "name": "a<b>&\"c'", "email": null, "active": true }], "n": 3, "none": [] });
        let expected = concat!(
            r#"<?xml version="1.0" encoding="UTF-8"?><export><data><item><id>1</id>"#,
            "<name>a&lt;b&gt;&amp;&quot;c&apos;</name><email/><active>true</active></item></data><n>3</n><none/></export>"
        );
        assert_eq!(xml(&value), expected);
        assert!(xml(&json!([{ "id": "1" }])).ends_with("<export><item><id>1</id></item></export>"));
    }

    /// Every character by itself, and pseudo-random strings of those that XML treats in ways of its own.
    #[test]
    fn whatever_a_text_holds_the_document_can_be_read_and_has_it_again() {
        let read = |text: &str| {
            let document = xml(&json!({ "text": text }));
            let mut reader = Reader::from_str(&document);
            let mut found = String::new();
            loop {
                match reader.read_event().unwrap() {
                    Event::Text(text) => found.push_str(&text.decode().unwrap()),
                    Event::GeneralRef(reference) => {
                        let name = reference.decode().unwrap();
                        let char = reference.resolve_char_ref().unwrap();
                        let known = quick_xml::escape::resolve_predefined_entity(&name).map(str::to_owned);
                        found.push_str(&char.map(String::from).or(known).unwrap());
                    }
                    Event::Eof => return found,
                    Event::Start(_) | Event::End(_) | Event::Empty(_) | Event::Decl(_) => {}
                    Event::CData(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {
                        panic!("nothing writes these")
                    }
                }
            }
        };
        for char in (0..=0xFFFF).step_by(7).chain(0..0x300).chain([0xFFFE, 0xFFFF, 0x1F600]).filter_map(char::from_u32)
        {
            let text = format!("a{char}b");
            assert_eq!(read(&text), sound(&text), "{:x}", u32::from(char));
        }
        let special: Vec<_> = "<>&'\"]]>\u{0}\u{8}\u{b}\r\n\t\u{1f}\u{7f}\u{85}\u{fffe}é😀-?!/a ".chars().collect();
        let mut state = 42_u64;
        for _ in 0..2_000 {
            let text: String = (0..12)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    special[usize::try_from(state >> 33).unwrap() % special.len()]
                })
                .collect();
            assert_eq!(read(&text), sound(&text), "{text:?}");
        }
    }
}
