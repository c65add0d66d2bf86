//! How a function runs in Lambda.

use axum::Router;
use lambda_http::Error;

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
