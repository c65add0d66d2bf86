//! `/v1/segments/{segment}/events` and `…/webhooks`: what has changed in a segment, and where that is sent.

use axum::extract::FromRef;
use edge::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

mod events;
mod replay;
mod webhooks;

/// What the routes need.
#[derive(Debug, Clone, FromRef)]
pub struct State {
    /// The data and the edge.
    pub app: App,
    /// Whether webhooks may be anywhere, as on a machine of one's own; or else only on the internet at large, by TLS.
    #[from_ref(skip)]
    pub anywhere: bool,
}

/// The routes.
pub fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(events::list))
        .routes(routes!(replay::range))
        .routes(routes!(events::read))
        .routes(routes!(replay::one))
        .routes(routes!(webhooks::list, webhooks::create))
        .routes(routes!(webhooks::read, webhooks::change, webhooks::delete))
        .routes(routes!(webhooks::renew))
}
