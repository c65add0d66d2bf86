//! `/v1/memberships/{membership}/members` and `/v1/members`: who has joined, with answers, points and a place in the
//! ranking; `/v1/segments/{segment}/subscriptions` and `/v1/subscriptions`: who has come by a product.

use edge::App;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub mod answers;
mod create;
mod files;
mod list;
mod members;
mod points;
mod profile;
mod ranking;
mod seat;
mod subscriptions;

pub use create::{Joins, NewMember, enrol, join};
pub use list::{found, reach};
pub use profile::read_shared_user;
pub use ranking::{Rank, Ranking, rank, ranked};
pub use seat::{Role, Seat, knows};
pub use subscriptions::{changed_subscription, joined_by, subscribe_or_renew, subscribed};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create))
        .routes(routes!(members::read, members::change, members::delete))
        .routes(routes!(answers::read, answers::write))
        .routes(routes!(profile::read))
        .routes(routes!(points::list, points::award))
        .routes(routes!(ranking::list))
        .routes(routes!(ranking::read))
        .merge(subscriptions::router())
}
