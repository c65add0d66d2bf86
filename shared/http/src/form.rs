//! Forms with bracket names, as JSON: `users[0][email]=…`, `product_id[]=…`.

use std::convert::Infallible;

use axum::body::Bytes;
use domain::Error;
use futures_util::stream;
use multer::Multipart;
use percent_encoding::percent_decode;
use serde_json::{Map, Value};

use crate::media_type::Charset;

/// The most levels of brackets in a name.
const MAX_DEPTH: usize = 8;

/// Returns a form as the JSON that its names describe. Every value is text; of a name that repeats, the last one counts.
///
/// # Errors
/// [`Error::Malformed`] where the escaped bytes are no text of the form's charset.
pub(crate) fn parse_form(bytes: &[u8], charset: Charset) -> Result<Value, Error> {
    let mut root = Value::Object(Map::new());
    for pair in bytes.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let mut parts = pair.splitn(2, |byte| *byte == b'=');
        let mut decode = || unescape(parts.next().unwrap_or_default(), charset);
        let (name, text) = (decode()?, decode()?);
        insert(&mut root, &split_name(&name), &text);
    }
    Ok(with_arrays(root, true))
}

/// Returns a form in parts (RFC 7578) as the JSON that its names describe, as [`parse_form`] does. Parts without a name are
/// ignored.
///
/// # Errors
/// [`Error::Malformed`] where the parts cannot be separated, or one is a file or no text.
pub(crate) async fn parse_multipart(bytes: Bytes, boundary: String) -> Result<Value, Error> {
    let malformed = |error: multer::Error| Error::Malformed(format!("the form's parts cannot be read ({error})"));
    let mut parts = Multipart::new(stream::once(async { Ok::<_, Infallible>(bytes) }), boundary);
    let mut root = Value::Object(Map::new());
    while let Some(part) = parts.next_field().await.map_err(malformed)? {
        let Some(name) = part.name().map(str::to_owned) else { continue };
        let is_file = part.file_name().is_some();
        let text = String::from_utf8(part.bytes().await.map_err(malformed)?.to_vec()).ok();
        let text = text.filter(|_| !is_file).ok_or_else(|| {
            Error::Malformed("a part of the form is a file, or no text in UTF-8; send it as text".to_owned())
        })?;
        insert(&mut root, &split_name(&name), &text);
    }
    Ok(with_arrays(root, true))
}

/// Decodes a name or a value.
fn unescape(escaped: &[u8], charset: Charset) -> Result<String, Error> {
    let spaced: Vec<u8> = escaped.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    charset
        .decode(percent_decode(&spaced).collect())
        .ok_or_else(|| Error::Malformed("the form has bytes that are no text of its charset; send UTF-8".to_owned()))
}

/// Splits `a[b][]` into `a`, `b` and an empty name. A name with unpaired brackets is one name.
fn split_name(name: &str) -> Vec<&str> {
    let Some((first, rest)) = name.split_once('[').filter(|(first, _)| !first.is_empty()) else { return vec![name] };
    let Some(rest) = rest.strip_suffix(']') else { return vec![name] };
    let names: Vec<_> = std::iter::once(first).chain(rest.split("][")).collect();
    let is_plain = names.iter().skip(1).all(|name| !name.contains(['[', ']']));
    if is_plain && names.len() <= MAX_DEPTH { names } else { vec![name] }
}

fn insert(node: &mut Value, names: &[&str], text: &str) {
    let Some((name, rest)) = names.split_first() else {
        *node = text.into();
        return;
    };
    if !node.is_object() {
        *node = Value::Object(Map::new());
    }
    let Some(children) = node.as_object_mut() else { return };
    // `[]` is one more value.
    let name = if name.is_empty() { children.len().to_string() } else { (*name).to_owned() };
    insert(children.entry(name).or_insert(Value::Null), rest, text);
}

/// Names in brackets that are all numbers make an array, in their order; others make an object.
fn with_arrays(node: Value, is_root: bool) -> Value {
    let Value::Object(children) = node else { return node };
    let numbers: Option<Vec<u32>> = children.keys().map(|name| name.parse().ok()).collect();
    let children = children.into_iter().map(|(name, child)| (name, with_arrays(child, false)));
    match numbers.filter(|numbers| !is_root && !numbers.is_empty()) {
        Some(numbers) => {
            let mut rows: Vec<_> = numbers.into_iter().zip(children).collect();
            rows.sort_by_key(|(number, _)| *number);
            rows.into_iter().map(|(_, (_, child))| child).collect()
        }
        None => Value::Object(children.collect()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bracket_names_describe_arrays_and_objects() {
        for (form, expected) in [
            ("email=ana%40example.com&name=Ana+L", json!({ "email": "ana@example.com", "name": "Ana L" })),
            ("product_id[]=1&product_id[]=2", json!({ "product_id": ["1", "2"] })),
            (
                "users[0][email]=a&users[0][name]=A&users[1][email]=b",
                json!({ "users": [{ "email": "a", "name": "A" }, { "email": "b" }] }),
            ),
            (
                "users%5B10%5D%5Bemail%5D=b&users%5B2%5D%5Bemail%5D=a",
                json!({ "users": [{ "email": "a" }, { "email": "b" }] }),
            ),
            ("country[code]=MEX&country[id]=", json!({ "country": { "code": "MEX", "id": "" } })),
            ("a=1&a=2", json!({ "a": "2" })),
            ("a[=1&[b]=2&a]=3", json!({ "a[": "1", "[b]": "2", "a]": "3" })),
            ("a=1&a[b]=2", json!({ "a": { "b": "2" } })),
            ("", json!({})),
        ] {
            let read = parse_form(form.as_bytes(), Charset::Utf8);
            assert_eq!(read.ok(), Some(expected), "{form}");
        }
        let deep = format!("a{}=1", "[x]".repeat(2000));
        let deep = parse_form(deep.as_bytes(), Charset::Utf8).unwrap_or_default();
        assert!(deep.as_object().is_some_and(|object| object.len() == 1));
    }

    #[tokio::test]
    async fn form_in_parts_is_the_same_json() {
        let part = |name: &str, text: &str| {
            format!("--x y\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
        };
        let body = [part("users[0][email]", "a@example.com"), part("users[0][name]", "Áñ "), part("product_id[]", "7")];
        let body = format!("{}--x y--\r\n", body.concat());
        let read = parse_multipart(body.clone().into(), "x y".to_owned()).await;
        let expected = json!({ "users": [{ "email": "a@example.com", "name": "Áñ " }], "product_id": ["7"] });
        assert_eq!(read.ok(), Some(expected));
        let file = body.replacen("name=\"product_id[]\"", "name=\"file\"; filename=\"a.txt\"", 1);
        for broken in [file, body.replace("--x y--", ""), "{}".to_owned(), body.replace("--x y", "--z")] {
            let read = parse_multipart(broken.clone().into(), "x y".to_owned()).await;
            assert!(matches!(read, Err(Error::Malformed(_))), "{broken} {read:?}");
        }
    }

    #[test]
    fn bytes_are_text_of_the_charset_or_refused() {
        assert!(parse_form(b"name=Jos%E9", Charset::Utf8).is_err());
        for charset in [Charset::Utf8, Charset::Latin1] {
            let escaped = if charset == Charset::Utf8 { "name=Jos%C3%A9+L" } else { "name=Jos%E9+L" };
            assert_eq!(parse_form(escaped.as_bytes(), charset).ok(), Some(json!({ "name": "José L" })));
        }
    }
}
