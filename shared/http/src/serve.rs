//! How a function runs in Lambda.

use axum::Router;
use lambda_http::Error;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::Parameter;
use utoipa_axum::router::OpenApiRouter;

use crate::{App, Clients, Dialect, Settings};

/// What a function has that answers requests, once its environment is read.
#[derive(Debug)]
pub struct Start {
    /// What its environment says.
    pub settings: Settings,
    /// What it makes the SDK clients of that it needs beside the data.
    pub clients: Clients,
    /// The data and the edge.
    pub app: App,
}

/// Answers Lambda's requests with the routes that `router` makes; some of their paths may be dialects'.
///
/// # Errors
/// Where the environment lacks something, or Lambda's runtime API does not answer.
pub async fn run(
    dialects: &'static [Dialect],
    router: impl FnOnce(&Start) -> Result<OpenApiRouter, Error>,
) -> Result<(), Error> {
    init_logs();
    let (settings, clients) = (Settings::from_env()?, Clients::from_env());
    let app = App::new(&settings, &clients);
    let start = Start { settings, clients, app };
    let router = router(&start)?;
    start.app.warm(seals(&router, dialects)).await;
    serve(crate::wrap(router, &start.app, dialects)).await
}

/// Whether a function seals anything: its lists have cursors, as those have that dialects read.
fn seals(router: &OpenApiRouter, dialects: &[Dialect]) -> bool {
    let paths = &router.get_openapi().paths.paths;
    let operations = paths.values().flat_map(|item| [&item.get, &item.post, &item.put, &item.patch, &item.delete]);
    let mut parameters = operations.flatten().filter_map(|operation| operation.parameters.as_ref()).flatten();
    let is_cursor =
        |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(parameter) if parameter.name == "page[cursor]");
    !dialects.is_empty() || parameters.any(is_cursor)
}

/// Answers Lambda's requests with `router`, which [`crate::wrap`] has made.
///
/// # Errors
/// Where Lambda's runtime API does not answer.
pub async fn serve(router: Router) -> Result<(), Error> {
    lambda_http::run(router).await
}

/// Logs as JSON lines to standard output, which Lambda keeps.
pub fn init_logs() {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        // Lambda writes the time beside each line.
        .without_time()
        .with_target(false)
        .with_max_level(tracing::Level::INFO)
        .init();
}
