//! `/v1/users/{user}/devices` and `/v1/segments/{segment}/notifications`: where push notifications reach users, and what
//! is sent to them. The `notifications` function sends.

use edge::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

mod devices;
mod notifications;

pub use notifications::begin;

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(devices::list, devices::create))
        .routes(routes!(devices::read, devices::delete))
        .routes(routes!(notifications::list, notifications::create))
        .routes(routes!(notifications::read, notifications::delete))
}
