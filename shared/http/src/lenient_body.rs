//! The bodies of dialects, whose clients nobody changes: JSON whatever its media type says, or a form.

use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use domain::Error;
use serde_json::Value;

use crate::Failure;
use crate::body::{FORM, FromJson, collect, limit, parse_json};
use crate::form::parse_form;

/// A body of JSON or of a form with bracket names. An absent or other media type means JSON; an empty body is `{}`.
#[derive(Debug, Clone)]
pub struct LenientBody<T>(pub T);

impl<S: Send + Sync, T: FromJson> FromRequest<S> for LenientBody<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let max = limit(request.extensions());
        let is_form = is_form(request.headers());
        let bytes = collect(request.into_body(), max).await?;
        let value = read_value(&bytes, is_form)?;
        Ok(Self(T::from_json(value)?))
    }
}

fn read_value(bytes: &[u8], is_form: bool) -> Result<Value, Error> {
    let text = bytes.trim_ascii();
    match text.first() {
        None => Ok(Value::Object(serde_json::Map::new())),
        // `curl -d` says that JSON is a form.
        Some(b'{' | b'[') => parse_json(text),
        Some(_) if is_form => Ok(parse_form(text)),
        Some(_) => parse_json(text),
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(FORM))
}
