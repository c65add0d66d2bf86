//! `/identity`: card users, with their documents by country, an exact grammar of lists, and blocking.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use edge::{Dialect, Problem, TextIds};
use serde_json::{Value, json};
use utoipa::PartialSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::State;
use crate::openapi::{self, About};
use crate::place::SEGMENT_HEADER;

mod fields;
mod grammar;
mod id;
mod mappings;
mod oauth;
mod schema;
mod users;

/// What a key without `read` is answered by writes.
const MINIMUM: [&str; 1] = ["/data/id"];

/// How it speaks.
pub(crate) const DIALECT: Dialect =
    Dialect { prefix: "/identity/", prepare, tell, minimum: Some(&MINIMUM), segments: None, text_ids: TextIds::NONE };

/// What its document says.
pub(crate) const ABOUT: About = About {
    name: "identity",
    path: "/openapi/identity.json",
    description: "Latin American card users: identity and tax documents by country, legal address, lists by an exact \
        grammar, block and unblock.\n\nA body is `{data: {…}}`, or the fields of the user without it; errors point into `data` \
        in either case. Codes and numbers may be sent as JSON numbers, and are answered as strings. A list takes \
        `filter[field]=a,b`, `sort=status,-gender`, `page[number]` and `page[size]` (1 to 100, 20 without it), and nothing \
        else; `page[number]` and `current_page` count from 0. The last slash of `/identity/users/v1/` may be left out. \
        `x-idempotency-key` is honoured on POST and PATCH. A client begins with `POST /identity/oauth/token`, which gives a key's access token, or \
        sends the key itself. Null, blank text and what is left out are the same. With a key of an account, or a master user's token, `X-Segment-Id` \
        names the segment, by its id or its `client_id`.",
    security: openapi::bearer,
    error: <schema::ErrorList as PartialSchema>::schema,
    errors: &[
        (400, "A field or parameter is wrong; each is named by its `source`."),
        (401, "No credential, or one that does not hold."),
        (403, "The key lacks the scope."),
        (404, "Absent, or somebody else's."),
        (409, "A value is another user's, or the request with this key is still running."),
        (410, "A user whom the first answer to the idempotency key names has been purged since."),
        (413, "The body is larger than 256 KiB."),
        (415, "The body is neither JSON nor a form."),
        (422, "The idempotency key was used with another body."),
        (429, "Too many requests."),
        (500, "A fault of ours."),
        (503, "Too busy; come back after `Retry-After` seconds."),
    ],
    also: &[],
};

/// The routes.
pub(crate) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(oauth::issue_token))
        .routes(routes!(oauth::revoke_token))
        .routes(routes!(users::create, users::list))
        .routes(routes!(users::read, users::change))
        .routes(routes!(mappings::read, mappings::replace))
        // Clients write it with the last slash and without.
        .route("/identity/users/v1", get(users::list).post(users::create))
}

/// Puts the idempotency key where the edge looks for it, and takes a segment by its id as a client too.
fn prepare(request: &mut Request) {
    let headers = request.headers_mut();
    if let Some(key) = headers.remove("x-idempotency-key") {
        headers.insert("idempotency-key", key);
    }
    let segment = headers.get(SEGMENT_HEADER).and_then(|named| named.to_str().ok()?.strip_prefix(id::CLIENT));
    if let Some(segment) = segment.and_then(|segment| HeaderValue::from_str(segment).ok()) {
        headers.insert(SEGMENT_HEADER, segment);
    }
}

/// `{errors: [{code, detail, source}], error: {details: [{code, detail}]}}`: of each field that is wrong, or of the request
/// as a whole.
fn tell(problem: &Problem, _: &HeaderMap) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut errors: Vec<Value> = problem.errors.iter().map(one).collect();
    if errors.is_empty() {
        errors.push(json!({ "code": problem.code, "detail": problem.detail }));
    }
    // Clients read either.
    let mut body = json!({ "errors": errors, "error": { "details": details(&errors) } });
    // Clients of OAuth read these (RFC 6749, 5.2).
    if let (Some(error), Some(body)) = (problem.error, body.as_object_mut()) {
        body.insert("error".to_owned(), error.into());
        body.insert("error_description".to_owned(), problem.detail.as_str().into());
    }
    (status, Json(body)).into_response()
}

/// The errors without their places.
fn details(errors: &[Value]) -> Vec<Value> {
    errors.iter().map(|error| json!({ "code": error["code"], "detail": error["detail"] })).collect()
}

fn one(error: &domain::FieldError) -> Value {
    let mut told = json!({ "code": error.code, "detail": error.message });
    if let (Some(source), Some(told)) = (fields::source(&error.pointer), told.as_object_mut()) {
        told.insert("source".to_owned(), source);
    }
    told
}
