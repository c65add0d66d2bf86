//! Answers to failures, which all operations share: a component for each status, with an example.

use axum::http::StatusCode;
use serde_json::{Value, json};
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Components, ContentBuilder, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder};

use super::text;

/// The media type of a problem.
const PROBLEM: &str = "application/problem+json";

/// An error that operations share: its status, its component, what it means, the code and the detail of its example.
type Shared = (u16, &'static str, &'static str, &'static str, &'static str);

const ERRORS: [Shared; 13] = [
    (400, "BadRequest", "A field, a parameter or the JSON itself is invalid.", "invalid", "email is required."),
    (
        401,
        "Unauthorized",
        "The credential is missing, invalid or expired.",
        "unauthenticated",
        "The credentials are missing, wrong or no longer valid; log in again.",
    ),
    (
        403,
        "Forbidden",
        "The credential lacks the right, or the state forbids the act.",
        "forbidden",
        "Only the owner of the segment sees families.",
    ),
    (
        404,
        "NotFound",
        "The resource does not exist, or the caller cannot reach it.",
        "not_found",
        "There is nothing here that you can reach.",
    ),
    (409, "Conflict", "The request conflicts with the present state.", "conflict", "email is taken by another user."),
    (
        410,
        "Gone",
        "The first answer to the `Idempotency-Key` names a user who has been purged since.",
        "gone",
        "A user whom the first answer names has been purged since.",
    ),
    (
        412,
        "PreconditionFailed",
        "The object has another version than `If-Match` names.",
        "precondition_failed",
        "The object has changed since you read it; read it again and repeat the change.",
    ),
    (
        413,
        "PayloadTooLarge",
        "The body is larger than 256 KiB, or is after decompression.",
        "payload_too_large",
        "The body must be at most 256 KiB, also after decompression; send less at once.",
    ),
    (
        415,
        "UnsupportedMediaType",
        "The body is not JSON.",
        "unsupported_media_type",
        "The body must be JSON in UTF-8, sent as Content-Type: application/json.",
    ),
    (
        422,
        "UnprocessableContent",
        "The `Idempotency-Key` was used with another body.",
        "idempotency_mismatch",
        "This Idempotency-Key was used with another body; take a new key.",
    ),
    (
        429,
        "TooManyRequests",
        "A rate limit is reached; `Retry-After` has the seconds to wait.",
        "rate_limited",
        "Too many requests; wait as long as Retry-After says.",
    ),
    (
        500,
        "InternalServerError",
        "An internal error.",
        "internal",
        "Something went wrong on our side; the request id finds it in the logs.",
    ),
    (
        503,
        "ServiceUnavailable",
        "A dependency is unavailable; `Retry-After` has the seconds to wait.",
        "unavailable",
        "The service cannot answer right now; repeat the request in a moment.",
    ),
];

/// Adds the shared answers to the components.
pub(super) fn add_components(components: &mut Components) {
    let id = HeaderBuilder::new().schema(Some(text())).description(Some("The request's id.")).build();
    components.headers.insert("RequestId".to_owned(), id.into());
    let unchanged = ResponseBuilder::new().description("The client has this version.").build();
    components.responses.insert("NotModified".to_owned(), unchanged.into());
    for (status, name, about, code, detail) in ERRORS {
        components.responses.insert(name.to_owned(), problem(about, example(status, code, detail)).into());
    }
}

/// Documents an error of an operation. Where a handler says more of it, its own words stand.
pub(super) fn document_error(operation: &mut Operation, status: u16) {
    let Some((_, name, _, code, detail)) = ERRORS.iter().find(|(known, ..)| *known == status) else { return };
    let responses = &mut operation.responses.responses;
    match responses.get_mut(&status.to_string()) {
        Some(RefOr::T(own)) => own.content = problem("", example(status, code, detail)).content,
        Some(RefOr::Ref(_)) | None => {
            responses.insert(status.to_string(), Ref::from_response_name(*name).into());
        }
    }
}

/// Documents that a client may have the object already.
pub(super) fn document_unchanged(operation: &mut Operation) {
    operation.responses.responses.insert("304".to_owned(), Ref::from_response_name("NotModified").into());
}

fn problem(about: &str, example: Value) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).example(Some(example)).build();
    ResponseBuilder::new().description(about).content(PROBLEM, content).build()
}

fn example(status: u16, code: &str, detail: &str) -> Value {
    let title = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let errors = match status {
        400 => json!([{ "pointer": "/email", "code": "required", "message": "is required" }]),
        409 => json!([{ "pointer": "/email", "code": "taken", "message": "is taken by another user" }]),
        _ => json!([]),
    };
    json!({
        "type": format!("urn:muster:error:{code}"), "title": title.unwrap_or_default(), "status": status, "detail": detail,
        "instance": "0199d2a4-5c00-7000-8000-00000000f001", "code": code, "errors": errors
    })
}
