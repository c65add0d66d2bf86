//! `/v1/segments`: logical databases of users, with the statuses and partners of these, what they can subscribe to, and
//! the catalogs that memberships share; `/v1/languages`.

use edge::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

mod catalogs;
mod languages;
pub mod partners;
mod products;
pub mod segments;
pub mod statuses;

pub use products::{NewProduct, Products, find_or_create_private};
pub use segments::changed;

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(segments::list, segments::create))
        .routes(routes!(segments::read, segments::change, segments::delete))
        .routes(routes!(catalogs::list, catalogs::create))
        .routes(routes!(catalogs::read, catalogs::replace, catalogs::delete))
        .merge(statuses::router())
        .merge(partners::router())
        .merge(products::router())
        .routes(routes!(languages::list))
}
