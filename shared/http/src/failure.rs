//! How a failed request is answered: RFC 9457, with the status of each error in one exhaustive match.

use axum::Json;
use axum::http::header::{ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::{Error, FieldError, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::coding;
use crate::dialect::Telling;

/// What a handler answers.
pub type Answer<T> = Result<T, Failure>;

/// A request that failed, in the domain or at the edge itself.
#[derive(Debug)]
pub enum Failure {
    /// In the domain.
    Domain(Error),
    /// The path is there, the method is not.
    MethodNotAllowed,
    /// The body is larger than a body may be.
    PayloadTooLarge,
    /// The body is not of the type that the route reads.
    UnsupportedMediaType,
    /// The body has a content coding that is not undone, or several.
    UnsupportedCoding,
    /// The `Idempotency-Key` was used with another body.
    IdempotencyMismatch,
    /// The request of this `Idempotency-Key` is still running.
    StillRunning,
}

/// The header of an answer whose request may pass in a second.
const SOON: (HeaderName, HeaderValue) = (RETRY_AFTER, HeaderValue::from_static("1"));

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Domain(error)
    }
}

impl Failure {
    /// The status and the stable code of each failure. No arm catches the rest: a new error does not compile until
    /// somebody has picked its status.
    fn status(&self) -> (StatusCode, &'static str) {
        let status = match self {
            Self::Domain(error) => match error {
                Error::Invalid(_) | Error::Malformed(_) => StatusCode::BAD_REQUEST,
                Error::Unauthenticated | Error::Expired | Error::SegmentInactive => StatusCode::UNAUTHORIZED,
                Error::Unverified(_) | Error::Forbidden(_) => StatusCode::FORBIDDEN,
                Error::NotFound => StatusCode::NOT_FOUND,
                Error::Gone(_) => StatusCode::GONE,
                Error::Conflict(_) => StatusCode::CONFLICT,
                Error::OtherVersion | Error::Stale => StatusCode::PRECONDITION_FAILED,
                Error::RateLimited { .. } => StatusCode::TOO_MANY_REQUESTS,
                Error::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
                Error::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType | Self::UnsupportedCoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::IdempotencyMismatch => StatusCode::UNPROCESSABLE_ENTITY,
            Self::StillRunning => StatusCode::CONFLICT,
        };
        let code = match self {
            Self::Domain(error) => error.code(),
            Self::MethodNotAllowed => "method_not_allowed",
            Self::PayloadTooLarge => "payload_too_large",
            Self::UnsupportedMediaType | Self::UnsupportedCoding => "unsupported_media_type",
            Self::IdempotencyMismatch => "idempotency_mismatch",
            Self::StillRunning => "in_progress",
        };
        (status, code)
    }

    fn detail(&self) -> String {
        match self {
            Self::Domain(Error::Invalid(errors) | Error::Conflict(errors)) => match errors.as_slice() {
                // One error tells the whole story in its own words.
                [only] if only.pointer.is_empty() => only.message.clone(),
                [only] => format!("{} {}.", only.pointer.trim_start_matches('/'), only.message),
                several => format!("{} fields need a change; errors names each.", several.len()),
            },
            Self::Domain(error) => error.to_string(),
            Self::MethodNotAllowed => {
                "This path does not take this method; Allow names those that it takes.".to_owned()
            }
            Self::PayloadTooLarge => {
                "The body must be at most 256 KiB, also after decompression; send less at once.".to_owned()
            }
            Self::UnsupportedMediaType => {
                "The body must be JSON in UTF-8, sent as Content-Type: application/json.".to_owned()
            }
            Self::UnsupportedCoding => {
                "The Content-Encoding of a body must be gzip or deflate, and only one of them; or leave it out."
                    .to_owned()
            }
            Self::IdempotencyMismatch => "This Idempotency-Key was used with another body; take a new key.".to_owned(),
            Self::StillRunning => {
                "The request with this Idempotency-Key is still running; ask again in a moment.".to_owned()
            }
        }
    }
}

/// A problem as clients see it (RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// A URN that names the kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "urn:muster:error:invalid")]
    pub kind: String,
    /// The status in words.
    #[schema(example = "Bad Request")]
    pub title: String,
    /// The status.
    #[schema(example = 400)]
    pub status: u16,
    /// What to do, in a sentence.
    #[schema(example = "email is required.")]
    pub detail: String,
    /// The request id, as in `X-Request-Id`.
    #[schema(example = "0199d2a4-5c00-7000-8000-00000000f001")]
    pub instance: String,
    /// The kind of problem, stable, for programs.
    #[schema(example = "invalid")]
    pub code: String,
    /// Every field that is wrong.
    #[schema(value_type = Vec<FieldProblem>)]
    pub errors: Vec<FieldError>,
    /// With `unverified` alone: whom to verify.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Of `/v1/oauth` only: the error code of RFC 6749.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
    /// Of `/v1/oauth` only: the same as `detail`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
}

impl Problem {
    /// Whether it was only that something else was still under way.
    pub(crate) fn is_in_progress(&self) -> bool {
        self.errors.iter().any(|error| error.code == "in_progress")
    }
}

/// One field that is wrong.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FieldProblem {
    /// RFC 6901 pointer into the body, or into the query seen as an object.
    #[schema(example = "/email")]
    pub pointer: String,
    /// Stable, for programs.
    #[schema(example = "required")]
    pub code: String,
    /// What to do.
    #[schema(example = "is required")]
    pub message: String,
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, _) = self.status();
        let mut response = status.into_response();
        if let Some((name, value)) = self.header() {
            response.headers_mut().insert(name, value);
        }
        response.extensions_mut().insert(self.problem(""));
        response
    }
}

impl Failure {
    /// The problem as clients see it; its cause is logged.
    #[must_use]
    pub fn problem(self, request_id: &str) -> Problem {
        let (status, code) = self.status();
        self.log(code);
        let mut problem = Problem {
            kind: format!("urn:muster:error:{code}"),
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            detail: self.detail(),
            instance: request_id.to_owned(),
            code: code.to_owned(),
            errors: Vec::new(),
            user_id: None,
            error: None,
            error_description: None,
        };
        if let Self::Domain(Error::Invalid(errors) | Error::Conflict(errors)) = self {
            problem.errors = errors;
        } else if let Self::Domain(Error::Unverified(user)) = self {
            problem.user_id = Some(user);
        }
        problem
    }

    /// The header that some failures carry.
    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        let error = match self {
            Self::Domain(error) => error,
            Self::UnsupportedCoding => return Some((ACCEPT_ENCODING, coding::ACCEPTED)),
            Self::MethodNotAllowed | Self::PayloadTooLarge | Self::UnsupportedMediaType | Self::IdempotencyMismatch => {
                return None;
            }
            Self::StillRunning => return Some(SOON),
        };
        match error {
            Error::Unauthenticated | Error::Expired | Error::SegmentInactive => {
                Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
            }
            Error::RateLimited { retry_after } => Some((RETRY_AFTER, HeaderValue::from(*retry_after))),
            Error::Unavailable(_) => Some(SOON),
            Error::Conflict(_) if error.is_in_progress() => Some(SOON),
            Error::Invalid(_)
            | Error::Malformed(_)
            | Error::Unverified(_)
            | Error::Forbidden(_)
            | Error::NotFound
            | Error::Gone(_)
            | Error::Conflict(_)
            | Error::OtherVersion
            | Error::Stale
            | Error::Internal(_) => None,
        }
    }

    /// Logs the cause of what is our fault; nobody else is told.
    fn log(&self, code: &str) {
        if let Self::Domain(Error::Unavailable(cause) | Error::Internal(cause)) = self {
            tracing::error!(code, cause = %chain(&**cause), "failed");
        }
    }
}

/// Writes the problem that a response carries, now that the request id is known.
pub(crate) fn render(mut response: Response, request_id: &str, telling: Option<&Telling>) -> Response {
    let Some(problem) = response.extensions_mut().remove::<Problem>() else {
        return response;
    };
    let problem = Problem { instance: request_id.to_owned(), ..problem };
    let mut rendered = match telling {
        Some(telling) => telling.tell(&problem),
        None => problem_json(response.status(), problem),
    };
    for name in [ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE] {
        if let Some(value) = response.headers_mut().remove(&name) {
            rendered.headers_mut().insert(name, value);
        }
    }
    *rendered.extensions_mut() = std::mem::take(response.extensions_mut());
    rendered
}

fn problem_json(status: StatusCode, problem: Problem) -> Response {
    let mut rendered = (status, Json(problem)).into_response();
    rendered.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    rendered
}

/// A cause with its own causes, for the log.
fn chain(cause: &(dyn std::error::Error + 'static)) -> String {
    let mut text = cause.to_string();
    let mut next = cause.source();
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    text
}
