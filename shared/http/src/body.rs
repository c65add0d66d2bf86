//! Bodies: JSON of at most 256 KiB, read into a domain type with all errors at once.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{Extensions, Method};
use domain::field::{MergePatch, Pointer};
use domain::json::JsonText;
use domain::{Error, FieldError, ParsedBody};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Map, Value};

use crate::Failure;
use crate::coding::decode;
use crate::dialect::Telling;
use crate::lenient_body::LenientBody;
use crate::media_type::utf8_media_type;

/// The most that a body may have.
const LIMIT: usize = 256 * 1024;

/// How many bytes the body of a request may have where that is not 256 KiB: what a dialect's `prepare` leaves with it.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimit(pub usize);

/// How many bytes the body of a request may have, once it is decompressed.
fn limit(of: &Extensions) -> usize {
    of.get().map_or(LIMIT, |BodyLimit(limit)| *limit)
}

/// What a request carries.
#[derive(Debug, Clone)]
pub struct Body<T>(pub T);

/// A type that a JSON body is read into.
pub trait FromJson: Sized {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every field that is wrong.
    fn from_json(value: Value) -> Result<Self, Error>;
}

impl<T: domain::Body> FromJson for T {
    fn from_json(value: Value) -> Result<Self, Error> {
        T::parse(value)
    }
}

impl<T: domain::Body> FromJson for Draft<T> {
    fn from_json(value: Value) -> Result<Self, Error> {
        Ok(Self(ParsedBody::parse(value)))
    }
}

/// Its errors are reported when it is applied.
impl<T: domain::Body> FromJson for Patch<T> {
    fn from_json(value: Value) -> Result<Self, Error> {
        Ok(Self(MergePatch::read(value)))
    }
}

/// A body whose errors are reported with those of the handler's own rules.
#[derive(Debug, Clone)]
pub struct Draft<T>(pub ParsedBody<T>);

/// A merge patch.
#[derive(Debug, Clone)]
pub struct Patch<T>(pub MergePatch<T>);

/// One object, or an array of them.
#[derive(Debug, Clone)]
pub enum OneOrMany<T> {
    /// One.
    One(T),
    /// Some.
    Many(Vec<T>),
}

/// How many objects an array may have.
const MANY: usize = 20;

impl<T: domain::Body> FromJson for OneOrMany<T> {
    fn from_json(value: Value) -> Result<Self, Error> {
        let Value::Array(values) = value else {
            return T::parse(value).map(Self::One);
        };
        if values.is_empty() || values.len() > MANY {
            return Err(Error::invalid("", "invalid_length", "An array must have 1 to 20 objects."));
        }
        let (mut many, mut errors) = (Vec::new(), Vec::new());
        for (at, value) in values.into_iter().enumerate() {
            match T::parse(value) {
                Ok(one) => many.push(one),
                Err(Error::Invalid(inner)) => errors.extend(
                    inner.into_iter().map(|error| FieldError { pointer: format!("/{at}{}", error.pointer), ..error }),
                ),
                Err(other) => return Err(other),
            }
        }
        if errors.is_empty() { Ok(Self::Many(many)) } else { Err(Error::Invalid(errors)) }
    }
}

impl<S: Send + Sync, T: FromJson> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let (mut parts, raw) = request.into_parts();
        if !is_json(&parts) && parts.headers.contains_key(CONTENT_TYPE) {
            return Err(Failure::UnsupportedMediaType);
        }
        let bytes = collect(&mut parts, raw).await?;
        if bytes.is_empty() {
            return Err(Error::Malformed("it is empty".to_owned()).into());
        }
        if !is_json(&parts) {
            return Err(Failure::UnsupportedMediaType);
        }
        Ok(Self(T::from_json(read_json(&bytes, &parts)?)?))
    }
}

/// Reads a body of JSON. `/v1` refuses names that an object repeats; in a dialect the last one counts.
pub(crate) fn read_json(bytes: &[u8], parts: &Parts) -> Result<Value, Error> {
    // RFC 8259, section 8.1, lets parsers ignore a byte order mark.
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let text = JsonText::read(text).map_err(|error| Error::Malformed(place(&error)))?;
    if parts.extensions.get::<Telling>().is_some() { Ok(text.value) } else { text.into_unique() }
}

/// The type of what a page's form sends.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// What a request carries as JSON, or as a page's form sends it; in a dialect as [`LenientBody`] takes it.
#[derive(Debug, Clone)]
pub struct JsonOrForm<T>(pub T);

impl<S: Send + Sync, T: FromJson> FromRequest<S> for JsonOrForm<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        if request.extensions().get::<Telling>().is_some() {
            return LenientBody::from_request(request, state).await.map(|LenientBody(body)| Self(body));
        }
        if utf8_media_type(request.headers()).as_deref() != Some(FORM) {
            return Body::from_request(request, state).await.map(|Body(body)| Self(body));
        }
        let (mut parts, raw) = request.into_parts();
        let bytes = collect(&mut parts, raw).await?;
        let (mut fields, mut errors) = (Map::new(), Vec::new());
        for (name, text) in form_urlencoded::parse(&bytes) {
            if fields.insert(name.clone().into_owned(), Value::from(&*text)).is_some() {
                errors.push(Pointer::root().child(&*name).error("repeated", "must come once"));
            }
        }
        match errors.is_empty() {
            true => Ok(Self(T::from_json(Value::Object(fields))?)),
            false => Err(Error::Invalid(errors).into()),
        }
    }
}

/// What a request may carry, or leave out.
#[derive(Debug, Clone)]
pub struct MaybeBody<T>(pub Option<T>);

impl<S: Send + Sync, T: FromJson> FromRequest<S> for MaybeBody<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let (mut parts, raw) = request.into_parts();
        let bytes = collect(&mut parts, raw).await?;
        if bytes.is_empty() && !parts.headers.contains_key(CONTENT_TYPE) {
            return Ok(Self(None));
        }
        let request = Request::from_parts(parts, bytes.into());
        Body::from_request(request, state).await.map(|Body(body)| Self(Some(body)))
    }
}

/// Reads a whole body and decompresses it, as far as a body may go. Who reads it again finds it without a coding.
pub(crate) async fn collect(parts: &mut Parts, raw: axum::body::Body) -> Result<Bytes, Failure> {
    let most = limit(&parts.extensions);
    let bytes = match Limited::new(raw, most).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(Failure::PayloadTooLarge),
        Err(error) => return Err(Error::Malformed(format!("it ended early ({error})")).into()),
    };
    let decoded = decode(&parts.headers, bytes, most)?;
    if parts.headers.remove(CONTENT_ENCODING).is_some() {
        parts.headers.remove(CONTENT_LENGTH);
    }
    Ok(decoded)
}

fn is_json(parts: &Parts) -> bool {
    match utf8_media_type(&parts.headers).as_deref() {
        Some("application/json") => true,
        Some("application/merge-patch+json") => parts.method == Method::PATCH,
        Some(_) | None => false,
    }
}

/// Where JSON stops being JSON; never what stands there.
fn place(error: &serde_json::Error) -> String {
    if error.is_eof() {
        return "it ends too early".to_owned();
    }
    if error.to_string().starts_with("recursion limit") {
        return "it is nested more than 127 levels deep; flatten it".to_owned();
    }
    format!("line {}, column {} cannot be read", error.line(), error.column())
}
