//! `/v1/segments`: logical databases of users, and the catalogs that their memberships share.

use edge::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

mod catalogs;
mod segments;

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(segments::list, segments::create))
        .routes(routes!(segments::read, segments::change, segments::delete))
        .routes(routes!(catalogs::list, catalogs::create))
        .routes(routes!(catalogs::read, catalogs::replace, catalogs::delete))
}
