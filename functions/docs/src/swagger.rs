//! Swagger UI: its files come from the program, its page is our own.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use utoipa_swagger_ui::{Config, Url, serve};

/// The page. Other than the one that comes with Swagger UI, it fits a telephone and has a title.
const PAGE: &str = include_str!("swagger.html");

/// What the page says beyond Swagger UI's own style.
const STYLE: &str = include_str!("swagger.css");

/// The page at `/docs/`, which lets people choose among these documents.
pub(crate) fn router(documents: Vec<Url<'static>>) -> Router {
    let config = Config::new(documents)
        .validator_url("none")
        .try_it_out_enabled(true)
        // The schemas below all operations are hundreds; each operation shows its own.
        .default_models_expand_depth(-1)
        .default_model_expand_depth(2);
    Router::new()
        .route("/docs", get(async || Redirect::to("/docs/")))
        .route("/docs/", get(async || page()))
        .route("/docs/index.html", get(async || page()))
        .route("/docs/muster.css", get(async || ([(CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)))
        .route("/docs/{*file}", get(file))
        .with_state(Arc::new(config))
}

fn page() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, "no-cache")], PAGE)
}

async fn file(State(config): State<Arc<Config<'static>>>, Path(file): Path<String>) -> Response {
    match serve(&file, config) {
        Ok(Some(file)) => ([(CONTENT_TYPE, file.content_type)], file.bytes.into_owned()).into_response(),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
