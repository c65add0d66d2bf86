//! `/v1/segments/{segment}/events`: what has changed in a segment.

use edge::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

mod events;

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(events::list)).routes(routes!(events::read))
}
