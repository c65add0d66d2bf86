//! Five systems whose clients work after changing their base URL.
//!
//! A dialect parses what such a client sends into the domain's types, calls what `/v1` calls, and renders the answer as
//! that client expects it. It has no rules, no storage and no keys of its own.

use axum::extract::FromRef;
use edge::{App, Dialect};
use files::Files;
use identity::Identity;
use mail::Mail;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

mod b2b;
mod calls;
mod flows;
mod identity_users;
mod lenient;
mod openapi;
mod place;
mod platform;

/// What the routes need.
#[derive(Debug, Clone, FromRef)]
pub struct State {
    /// The data and the edge.
    pub app: App,
    /// The credentials.
    pub identity: Identity,
    /// The files.
    pub files: Files,
    /// Notices to people.
    pub mail: Mail,
}

/// How each dialect speaks.
pub const DIALECTS: &[Dialect] =
    &[flows::DIALECT, platform::DIALECT, identity_users::DIALECT, b2b::DIALECT, calls::DIALECT];

/// The routes of all dialects.
pub fn router() -> OpenApiRouter<State> {
    let routers = [flows::router(), platform::router(), identity_users::router(), b2b::router(), calls::router()];
    routers.into_iter().fold(OpenApiRouter::new(), OpenApiRouter::merge)
}

/// How each dialect's document begins.
const ABOUT: [openapi::About; 5] = [flows::ABOUT, platform::ABOUT, identity_users::ABOUT, b2b::ABOUT, calls::ABOUT];

/// The name of each dialect, and the path of its document.
pub fn document_names() -> impl Iterator<Item = (&'static str, &'static str)> {
    ABOUT.into_iter().map(|about| (about.name, about.path))
}

/// The name of each dialect, and its own OpenAPI document with its path.
#[must_use]
pub fn documents() -> Vec<(&'static str, &'static str, OpenApi)> {
    ABOUT
        .into_iter()
        .zip([flows::router(), platform::router(), identity_users::router(), b2b::router(), calls::router()])
        .map(|(about, router)| (about.name, about.path, openapi::document(&about, router.into_openapi())))
        .collect()
}
