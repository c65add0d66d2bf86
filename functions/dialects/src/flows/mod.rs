//! `/flows`: master users with a login, addresses, segments, and memberships with levels, custom fields and files.
//!
//! A file a resource; `names.rs` has the two languages' names side by side, and `schema.rs` what the document says of them.
//! What is made there is what `/v1` makes, so that ids, and all that is written, are the same in both.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use edge::{BodyLimit, Dialect, Problem, TextIds};
use serde_json::json;
use utoipa::PartialSchema;
use utoipa_axum::router::OpenApiRouter;

use crate::State;
use crate::openapi::{self, About};

mod addresses;
mod answer;
mod answers;
mod fields;
mod forms;
mod levels;
mod login;
mod members;
mod memberships;
mod names;
mod schema;
mod segments;
mod uploads;
mod users;

/// How it speaks.
pub(crate) const DIALECT: Dialect = Dialect {
    prefix: "/flows/",
    prepare,
    tell,
    minimum: None,
    segments: Some("/flows/segment"),
    text_ids: TextIds::NONE,
};

/// What its document says.
pub(crate) const ABOUT: About = About {
    name: "flows",
    path: "/openapi/flows.json",
    description: include_str!("about.md"),
    security: openapi::bearer,
    error: <schema::Failure as PartialSchema>::schema,
    errors: &[
        (400, "Something in the request is wrong; the message names each field."),
        (401, "No credential, or one that does not hold (any more)."),
        (403, "One's own thing, but not with this credential, or not in this deployment."),
        (404, "Absent, or somebody else's."),
        (409, "A value is taken, or the thing is in a state that does not allow this."),
        (413, "The body is larger than it may be."),
        (415, "The body is not JSON."),
        (429, "Too many requests; `Retry-After` says how long to wait."),
        (500, "A fault of ours."),
        (503, "Something that Muster stands on does not answer; repeat the request in a moment."),
    ],
    also: &[],
};

/// The routes.
pub(crate) fn router() -> OpenApiRouter<State> {
    [
        users::router(),
        login::router(),
        addresses::router(),
        segments::router(),
        memberships::router(),
        levels::router(),
        fields::router(),
        members::router(),
        answers::router(),
        uploads::router(),
    ]
    .into_iter()
    .fold(OpenApiRouter::new(), OpenApiRouter::merge)
}

/// A file comes within its request's body, and may be larger than other bodies.
fn prepare(request: &mut Request) {
    if request.uri().path().starts_with(uploads::PATH) {
        request.extensions_mut().insert(BodyLimit(uploads::MOST_SENT));
    }
}

/// One message, with all that is wrong by the fields' names.
fn tell(problem: &Problem, _: &HeaderMap) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let each = problem.errors.iter().map(|error| {
        let name = error.pointer.trim_start_matches('/').replace('/', ".");
        if name.is_empty() { error.message.clone() } else { format!("{name} {}", error.message) }
    });
    let message = match (status, problem.errors.is_empty()) {
        (StatusCode::PAYLOAD_TOO_LARGE, _) => uploads::TOO_LARGE.to_owned(),
        (_, true) => problem.detail.clone(),
        (_, false) => each.collect::<Vec<_>>().join("; "),
    };
    (status, Json(json!({ "message": message }))).into_response()
}
