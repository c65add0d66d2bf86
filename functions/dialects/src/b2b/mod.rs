//! `/b2b`: remote ids, incremental sync, JSON and XML, soft delete with a deleted history.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::Method;
use axum::http::request::Parts;
use domain::Error;
use edge::{App, Dialect, Failure, TextId, TextIds};
use utoipa::PartialSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::State;
use crate::openapi::{self, About};
use crate::place::Place;

mod body;
mod format;
mod lists;
mod login;
mod page;
mod partners;
mod refused;
mod schema;
mod shown;
mod users;

/// How it speaks.
pub(crate) const DIALECT: Dialect = Dialect {
    prefix: "/b2b/",
    prepare: |_| (),
    tell: refused::tell,
    minimum: None,
    segments: None,
    text_ids: TextIds { ids: &TEXT_IDS, ..TextIds::NONE },
};

/// The paths with an id that may be one of another system.
const TEXT_IDS: [TextId; 4] = [
    TextId { path: "/b2b/User/update", parameter: "id" },
    TextId { path: "/b2b/User/delete", parameter: "id" },
    TextId { path: "/b2b/BusinessPartner/update", parameter: "id" },
    TextId { path: "/b2b/BusinessPartner/delete", parameter: "id" },
];

/// What its document says.
pub(crate) const ABOUT: About = About {
    name: "b2b",
    path: "/openapi/b2b.json",
    description: "Users and their business partners under local and remote ids, with incremental sync. Answers are JSON, or XML where \
        `Accept` asks for it more than for JSON: `<export>` with the same names, `<item>` for each row, an empty element for null; errors too. \
        `X-Segment-Id` names the segment, unless the key is one of a segment or the account has exactly one. Ids are text in \
        answers; in bodies they may be numbers. Times are RFC 3339 in UTC; those sent may also be \
        a day, `YYYY-MM-DD HH:MM:SS`, or seconds since 1970. In bodies null and blank text mean unset, numbers are taken where \
        text is meant, and unknown fields are ignored; PUT changes what is sent. `id` in a path or query is the local id or \
        `idRemote`; one that begins or ends with a slash is sent as the query parameter `id` in place of a \
        part of the path. `active: false` is the status BLOCKED. Where more than 10,000 users were updated, `totalItems` of `updateFrom` is how \
        many there are in all.",
    security: openapi::bearer,
    error: <schema::Error as PartialSchema>::schema,
    errors: &[
        (400, "`Parameter $parameter is required`, or what else is wrong with it."),
        (401, "`Unauthorized.`"),
        (404, "`No entity found for User with $id.`"),
        (409, "`Duplicate entry => Care with email and username`"),
        (429, "`Too Many Requests`"),
        (
            500,
            "`Database connection failed.`, or `Invalid connection name, you cannot insert in default`: a write that names no segment.",
        ),
    ],
    also: &format::XML,
};

/// The routes.
pub(crate) fn router() -> OpenApiRouter<State> {
    let mut router = OpenApiRouter::new()
        .routes(routes!(login::log_in_to_segment))
        .routes(routes!(users::get_user))
        .routes(routes!(users::update_from))
        .routes(routes!(users::create))
        .routes(routes!(users::update))
        .routes(routes!(users::delete))
        .routes(routes!(lists::get_deleted))
        .routes(routes!(lists::get_language))
        .routes(routes!(partners::get_partner))
        .routes(routes!(partners::create))
        .routes(routes!(partners::update))
        .routes(routes!(partners::delete));
    schema::add_errors(router.get_openapi_mut());
    router
}

/// Who calls, and the segment that is meant, which is what these clients call a connection: the only one of an account that
/// has one, where neither the credential nor `X-Segment-Id` names it, which is 1 read more.
#[derive(Debug, Clone)]
struct Connection(Place);

impl<S: Send + Sync> FromRequestParts<S> for Connection
where
    App: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let caller = match Place::find(parts, state).await? {
            Ok(place) => return Ok(Self(place)),
            Err(caller) => caller,
        };
        let only = App::from_ref(state).store.only_segment(caller.account()).await?;
        if let Some(only) = only {
            return Ok(Self(Place::of(caller, only)));
        }
        let missing = Place::missing(&caller).await;
        if matches!(missing, Failure::Domain(Error::Invalid(_))) && parts.method != Method::GET {
            let message = "names the segment to write to";
            return Err(Error::invalid("/X-Segment-Id", refused::NO_CONNECTION, message).into());
        }
        Err(missing)
    }
}
