//! How a function runs in Lambda.

use std::time::Duration;

use axum::Router;
use domain::Time;
use lambda_runtime::{LambdaEvent, service_fn};
use utoipa::openapi::RefOr;
use utoipa::openapi::path::Parameter;
use utoipa_axum::router::OpenApiRouter;

use crate::gateway::{GatewayRequest, Invocation, respond};
use crate::{App, Clients, Dialect, Settings};

/// Why a function cannot run.
pub type RunError = lambda_runtime::Error;

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
    router: impl FnOnce(&Start) -> Result<OpenApiRouter, RunError>,
) -> Result<(), RunError> {
    init_logs();
    let (settings, clients) = (Settings::from_env()?, Clients::from_env());
    let app = App::new(&settings, &clients);
    let start = Start { settings, clients, app };
    let router = router(&start)?;
    start.app.warm(seals(&router, dialects)).await;
    serve(crate::wrap(router, &start.app, dialects), &start.settings).await
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
pub async fn serve(router: Router, settings: &Settings) -> Result<(), RunError> {
    let base_path = settings.base_path();
    let respond_in_time = async |event: LambdaEvent<GatewayRequest>| {
        let now = u64::try_from(Time::now().millis()).unwrap_or_default();
        let invocation = Invocation {
            request_id: event.context.request_id,
            time_left: Duration::from_millis(event.context.deadline.saturating_sub(now)),
            base_path: base_path.to_owned(),
        };
        respond(router.clone(), event.payload, &invocation).await
    };
    lambda_runtime::run(service_fn(respond_in_time)).await
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
