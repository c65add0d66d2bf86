//! `/v1/auth`: logging in and out, refreshing, recovering. All public but logging out, which ends a session.

use axum::extract::FromRef;
use edge::App;
use identity::Identity;
use mail::Mail;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

mod activate;
pub mod login;
pub mod recovery;
pub mod session;
mod strength;
mod tokens;

pub use activate::activate;
pub use login::record_failure;
pub use strength::check_strength;
pub use tokens::{TokenSet, begin_session};

/// What the routes need.
#[derive(Debug, Clone, FromRef)]
pub struct State {
    /// The data and the edge.
    pub app: App,
    /// The credentials.
    pub identity: Identity,
    /// Notices to people.
    pub mail: Mail,
}

/// The routes.
pub fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(login::login))
        .routes(routes!(session::refresh))
        .routes(routes!(session::logout))
        .routes(routes!(recovery::recover))
        .routes(routes!(recovery::confirm_recovery))
}
