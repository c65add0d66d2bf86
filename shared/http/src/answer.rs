//! What handlers answer, with the headers that each kind of answer carries.

use axum::Json;
use axum::http::header::{CACHE_CONTROL, ETAG, LINK, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::{Error, Object};
use serde_json::{Map, Value, json};

use crate::idempotency::Incomplete;
use crate::precondition::{IfNoneMatch, tag};

/// 200 with an object, or 304 where the client has this version.
#[derive(Debug)]
pub struct Shown {
    version: u64,
    object: Option<Value>,
}

impl Shown {
    /// The object, whatever the client has.
    pub fn new(object: &impl Object) -> Self {
        Self { version: object.version(), object: Some(object.show()) }
    }

    /// The object, unless the client has it.
    pub fn unless(has: &IfNoneMatch, object: &impl Object) -> Self {
        let version = object.version();
        Self { version, object: (!has.has(version)).then(|| object.show()) }
    }
}

impl IntoResponse for Shown {
    fn into_response(self) -> Response {
        let mut response = match self.object {
            Some(object) => Json(object).into_response(),
            None => StatusCode::NOT_MODIFIED.into_response(),
        };
        put(&mut response, ETAG, &tag(self.version));
        private(response)
    }
}

/// 201 with what was made, and where it is.
#[derive(Debug)]
pub struct Created {
    location: String,
    version: Option<u64>,
    made: Value,
}

impl Created {
    /// One object, to be found at `location`.
    pub fn one(location: String, object: &impl Object) -> Self {
        Self { location, version: Some(object.version()), made: object.show() }
    }

    /// Several objects, to be found in the list at `location`.
    pub fn many(location: String, objects: &[impl Object]) -> Self {
        let data: Vec<_> = objects.iter().map(Object::show).collect();
        // Not by `json!`, which writes numbers anew.
        Self { location, version: None, made: Value::Object(Map::from_iter([("data".to_owned(), data.into())])) }
    }
}

impl IntoResponse for Created {
    fn into_response(self) -> Response {
        let mut response = (StatusCode::CREATED, Json(self.made)).into_response();
        put(&mut response, LOCATION, &self.location);
        if let Some(version) = self.version {
            put(&mut response, ETAG, &tag(version));
        }
        private(response)
    }
}

/// 200 with something that is no object of its own: tokens, a yes or no.
#[derive(Debug)]
pub struct Rendered(pub Value);

impl IntoResponse for Rendered {
    fn into_response(self) -> Response {
        private(Json(self.0).into_response())
    }
}

/// 200 with the result of each row of a request.
#[derive(Debug)]
pub struct RowResults {
    /// The results.
    pub body: Value,
    /// Whether each row is done or refused. The same request, with the same `Idempotency-Key`, does the others.
    pub are_final: bool,
}

impl RowResults {
    /// Returns whether rows with these errors are done or refused.
    pub fn are_final<'a>(mut errors: impl Iterator<Item = &'a Error>) -> bool {
        !errors.any(Error::is_transient)
    }
}

impl IntoResponse for RowResults {
    fn into_response(self) -> Response {
        let mut response = Rendered(self.body).into_response();
        if !self.are_final {
            response.extensions_mut().insert(Incomplete);
        }
        response
    }
}

/// 202: it will be done, if there is anything to do.
#[derive(Debug, Clone, Copy)]
pub struct Accepted;

impl IntoResponse for Accepted {
    fn into_response(self) -> Response {
        private(StatusCode::ACCEPTED.into_response())
    }
}

/// 202 with what has begun.
#[derive(Debug)]
pub struct Begun(pub Value);

impl IntoResponse for Begun {
    fn into_response(self) -> Response {
        private((StatusCode::ACCEPTED, Json(self.0)).into_response())
    }
}

/// 202 with what was begun, and where to see how it goes.
#[derive(Debug)]
pub struct BegunAt {
    location: String,
    version: u64,
    object: Value,
}

impl BegunAt {
    /// What was begun, to be found at `location`.
    pub fn new(location: String, object: &impl Object) -> Self {
        Self { location, version: object.version(), object: object.show() }
    }
}

impl IntoResponse for BegunAt {
    fn into_response(self) -> Response {
        let mut response = (StatusCode::ACCEPTED, Json(self.object)).into_response();
        put(&mut response, LOCATION, &self.location);
        put(&mut response, ETAG, &tag(self.version));
        private(response)
    }
}

/// 302: what was asked for is elsewhere, this time.
#[derive(Debug)]
pub struct Found(pub String);

impl IntoResponse for Found {
    fn into_response(self) -> Response {
        let mut response = StatusCode::FOUND.into_response();
        put(&mut response, LOCATION, &self.0);
        private(response)
    }
}

/// 204: done, and nothing to show.
#[derive(Debug, Clone, Copy)]
pub struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        private(StatusCode::NO_CONTENT.into_response())
    }
}

/// 200 with a page of a list.
#[derive(Debug)]
pub struct Listed {
    pub(crate) data: Vec<Value>,
    pub(crate) number: u64,
    pub(crate) size: u32,
    pub(crate) total: u64,
    pub(crate) capped: bool,
    pub(crate) current: String,
    pub(crate) next: Option<String>,
    pub(crate) prev: Option<String>,
}

impl Listed {
    /// How many rows a page has at most.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.size
    }

    /// The page's number, from 1.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// How many pages there are.
    #[must_use]
    pub fn total_pages(&self) -> u64 {
        self.total.div_ceil(self.size.max(1).into())
    }

    /// How many rows there are on all pages.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The cursor of the next page, where there is one and the page was not asked for by its number.
    #[must_use]
    pub fn next_cursor(&self) -> Option<String> {
        let (_, query) = self.next.as_deref()?.split_once('?')?;
        let mut parameters = form_urlencoded::parse(query.as_bytes());
        parameters.find(|(name, _)| name == "page[cursor]").map(|(_, cursor)| cursor.into_owned())
    }
}

impl IntoResponse for Listed {
    fn into_response(self) -> Response {
        let mut page = Map::from_iter([
            ("number".to_owned(), self.number.into()),
            ("size".to_owned(), self.size.into()),
            ("total_items".to_owned(), self.total.into()),
            ("total_pages".to_owned(), self.total_pages().into()),
        ]);
        if self.capped {
            page.insert("total_capped".to_owned(), true.into());
        }
        let links = json!({ "self": self.current, "next": self.next, "prev": self.prev });
        let header = [("next", &self.next), ("prev", &self.prev)];
        let header =
            header.iter().filter_map(|(rel, link)| link.as_ref().map(|link| format!("<{link}>; rel=\"{rel}\"")));
        let header: Vec<_> = std::iter::once(format!("<{}>; rel=\"self\"", self.current)).chain(header).collect();
        // Not by `json!`, which writes numbers anew.
        let body = [("data", Value::Array(self.data)), ("page", page.into()), ("links", links)];
        let body: Map<_, _> = body.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let mut response = Json(body).into_response();
        put(&mut response, LINK, &header.join(", "));
        private(response)
    }
}

fn put(response: &mut Response, name: axum::http::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// No cache may keep what is somebody's own.
fn private(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}
