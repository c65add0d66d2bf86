//! A function that does nothing: what `lambda_http` alone costs, which `bench-cold-start` compares the others with.
//!
//! A package of its own, so that building it does not build the local system too.

use axum::Router;
use axum::routing::get;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    lambda_http::run(Router::new().route("/", get(async || ()))).await
}
