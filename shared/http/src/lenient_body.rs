//! The bodies of dialects, whose clients nobody changes: JSON whatever its media type says, or a form.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use domain::Error;
use domain::json::quote_leading_zeros;
use serde_json::{Map, Value};

use crate::Failure;
use crate::body::{FORM, FromJson, collect, read_json};
use crate::form::{parse_form, parse_multipart};
use crate::media_type::Charset;

/// A body of JSON or of a form with bracket names, urlencoded or in parts (RFC 7578).
///
/// An absent media type means whichever the body looks like, and another one means JSON, unless it names a format that is
/// neither. An empty body is `{}`.
#[derive(Debug, Clone)]
pub struct LenientBody<T>(pub T);

impl<S: Send + Sync, T: FromJson> FromRequest<S> for LenientBody<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let (mut parts, raw) = request.into_parts();
        if is_foreign(&parts.headers) {
            return Err(Failure::UnsupportedMediaType);
        }
        let bytes = collect(&mut parts, raw).await?;
        if let Some(boundary) = boundary(&parts.headers) {
            return Ok(Self(T::from_json(parse_multipart(bytes, boundary).await?)?));
        }
        let bytes = match Charset::of(&parts.headers) {
            Charset::Latin1 if !is_form(&parts.headers) => Charset::Latin1.decode(bytes.to_vec()).map(Bytes::from),
            Charset::Latin1 | Charset::Utf8 => None,
        }
        .unwrap_or(bytes);
        Ok(Self(T::from_json(read_value(&bytes, &parts)?)?))
    }
}

fn read_value(bytes: &[u8], parts: &Parts) -> Result<Value, Error> {
    let text = bytes.trim_ascii();
    match text.first() {
        None => Ok(Value::Object(Map::new())),
        // `curl -d` says that JSON is a form.
        Some(first) if !matches!(first, b'{' | b'[') && is_form(&parts.headers) => {
            parse_form(text, Charset::of(&parts.headers))
        }
        Some(first) if !b"{[\"".contains(first) && media_type(&parts.headers).is_empty() && text.contains(&b'=') => {
            parse_form(text, Charset::of(&parts.headers))
        }
        Some(_) => {
            read_json(text, parts).or_else(|error| read_json(&quote_leading_zeros(text), parts).map_err(|_| error))
        }
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    media_type(headers).eq_ignore_ascii_case(FORM)
}

/// Whether the media type says that the body is neither JSON nor a form.
fn is_foreign(headers: &HeaderMap) -> bool {
    let kind = media_type(headers).to_ascii_lowercase();
    let is_foreign = |family: &&str| kind.starts_with(family);
    boundary(headers).is_none()
        && (kind.ends_with("xml") || ["multipart/", "image/", "audio/", "video/"].iter().any(is_foreign))
}

/// Returns the boundary of a form that is sent as `multipart/form-data`, as PHP sends an array.
fn boundary(headers: &HeaderMap) -> Option<String> {
    multer::parse_boundary(headers.get(CONTENT_TYPE)?.to_str().ok()?).ok()
}

fn media_type(headers: &HeaderMap) -> &str {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim()
}
