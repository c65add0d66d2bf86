//! `/flows`.

use axum::Json;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::response::Response;
use edge::{Dialect, Problem};
use serde_json::json;
use utoipa::PartialSchema as _;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{RefOr, Schema};
use utoipa_axum::router::OpenApiRouter;

use crate::State;
use crate::openapi::About;

/// How it speaks.
pub(crate) const DIALECT: Dialect = Dialect { prefix: "/flows/", prepare: |_| (), tell };

/// What its document says.
pub(crate) const ABOUT: About = About {
    name: "flows",
    path: "/openapi/flows.json",
    description: "",
    security,
    error,
    errors: &[
        (400, "Wrong."),
        (401, "No credential, or one that does not hold."),
        (404, "Absent."),
        (429, "Too many requests."),
        (500, "A fault of ours."),
    ],
};

/// The routes.
pub(crate) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new()
}

fn security() -> Vec<Vec<(&'static str, SecurityScheme)>> {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    vec![vec![(
        "bearer",
        SecurityScheme::Http(bearer.description(Some("The access token of a login, or a key.")).build()),
    )]]
}

fn error() -> RefOr<Schema> {
    serde_json::Value::schema()
}

fn tell(problem: &Problem, _: &HeaderMap) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(json!({ "message": problem.detail }))).into_response()
}
