//! How long a request may take: less than its function, so that a slow call ends in an answer and not in silence.
//!
//! A request that is stopped is as one whose function was killed: `reconcile`, or the same request with the same
//! `Idempotency-Key`, completes it.

use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use domain::Error;
use tokio::time::Instant;

use crate::Failure;

/// When a function is stopped that serves a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    stop: Instant,
    time_left: Duration,
}

/// Which part of the time a handler has, of 10: what it leaves is for its `Idempotency-Key` and the answer.
const HANDLER_TENTHS: u32 = 8;

/// Which part of the time a whole request has, of 10.
const REQUEST_TENTHS: u32 = 9;

impl Deadline {
    /// Returns the deadline of a request whose function is stopped after `time_left`.
    pub(crate) fn after(time_left: Duration) -> Self {
        Self { stop: Instant::now() + time_left, time_left }
    }

    fn at(self, tenths: u32) -> Instant {
        self.stop - self.time_left * (10 - tenths) / 10
    }
}

/// Stops a handler that takes too long.
pub(crate) async fn limit_handler(request: Request, next: Next) -> Response {
    limit(HANDLER_TENTHS, request, next).await
}

/// Stops a request that takes too long before or after its handler.
pub(crate) async fn limit_request(request: Request, next: Next) -> Response {
    limit(REQUEST_TENTHS, request, next).await
}

async fn limit(tenths: u32, request: Request, next: Next) -> Response {
    let Some(deadline) = request.extensions().get::<Deadline>().copied() else { return next.run(request).await };
    match tokio::time::timeout_at(deadline.at(tenths), next.run(request)).await {
        Ok(response) => response,
        Err(_) => Failure::from(Error::Unavailable("the request took too long".into())).into_response(),
    }
}
