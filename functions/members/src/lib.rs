//! x
use edge::App;
use utoipa_axum::router::OpenApiRouter;
/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
}
