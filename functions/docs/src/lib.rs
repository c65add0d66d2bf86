//! The OpenAPI document, which is made of the handlers themselves, Swagger UI, and health. All public.

mod swagger;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use edge::{BasePath, CompressedForms};
use serde_json::json;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::Url;

/// What the document says of the whole.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Muster", license(name = "Apache-2.0", identifier = "Apache-2.0"),
        description = "Users, segments and memberships in your own AWS account.\n\n\
            Sign up at `POST /v1/users`, verify the code at `POST /v1/users/{user}/verification`, press \
            **Authorize** and paste the `access_token`: every route is open to you then."),
    servers((url = "/", description = "This deployment.")),
    tags(
        (name = "auth", description = "Logging in and out, refreshing, recovering."),
        (name = "users", description = "Users from sign-up to purge."),
        (name = "addresses", description = "Where users live, get bills and parcels."),
        (name = "segments", description = "Logical databases of users."),
        (name = "catalogs", description = "Lists of choices that the custom fields of a segment share."),
        (name = "statuses", description = "Statuses that a segment makes up for its users."),
        (name = "partners", description = "The businesses that users of a segment belong to."),
        (name = "products", description = "What a segment offers to subscribe to."),
        (name = "audit", description = "Record of acts in an account: actor, target, time, origin and result."),
        (name = "oauth", description = "Access tokens for keys, by OAuth 2.0 client credentials."),
        (name = "keys", description = "How programs reach an account or one of its segments."),
        (name = "developers", description = "Who writes programs against the account, each with a token of its own."),
        (name = "memberships", description = "What people join in a segment."),
        (name = "levels", description = "Ranges of points that members climb."),
        (name = "fields", description = "Custom fields: what members are asked."),
        (name = "members", description = "Who has joined, found by anything."),
        (name = "answers", description = "What members have answered."),
        (name = "points", description = "What members get and lose, with a reason."),
        (name = "subscriptions", description = "What users of a segment have of its products."),
        (name = "ranking", description = "The place of each member by its points."),
        (name = "uploads", description = "Private files of segments and members."),
        (name = "imports", description = "Files that become users of a segment, row by row."),
        (name = "exports", description = "Users of a segment that become a file."),
        (name = "events", description = "What has changed in a segment: that it has, never what it is."),
        (name = "devices", description = "Where push notifications reach a user."),
        (name = "notifications", description = "Push notifications to users of a segment (beta)."),
        (name = "webhooks", description = "Where the events of a segment are sent."),
        (name = "languages", description = "What the language of a user can be."),
        (name = "docs", description = "This document, and whether the service is up."),
    )
)]
struct Whole;

/// The whole document.
#[must_use]
pub fn document() -> OpenApi {
    let parts = [
        users::router().into_openapi(),
        auth::router().into_openapi(),
        addresses::router().into_openapi(),
        segments::router().into_openapi(),
        keys::router().into_openapi(),
        memberships::router().into_openapi(),
        members::router().into_openapi(),
        uploads::router().into_openapi(),
        imports::router().into_openapi(),
        webhooks::router().into_openapi(),
        push::router().into_openapi(),
        routes::<()>().into_openapi(),
    ];
    let mut document = parts.into_iter().fold(Whole::openapi(), OpenApi::merge_from);
    edge::openapi::complete(&mut document);
    document
}

/// The name of this API's own document, and its path.
const OWN: (&str, &str) = ("Muster", "/openapi.json");

fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    [OWN].into_iter().chain(dialects::document_names())
}

/// The name of each document, and its URL relative to `/docs/`.
static URLS: LazyLock<Vec<(&str, String)>> =
    LazyLock::new(|| names().map(|(name, path)| (name, format!("..{path}"))).collect());

/// The name of each document, its path, and the document: this API's own and those of the dialects.
#[must_use]
pub fn documents() -> Vec<(&'static str, &'static str, OpenApi)> {
    std::iter::once((OWN.0, OWN.1, document())).chain(dialects::documents()).collect()
}

/// The document at a path; one that is called by a base path names it as its server.
fn show(path: &str, base: Option<Extension<BasePath>>) -> Response {
    let Some((text, forms)) = TEXTS.get(path) else { return StatusCode::NOT_FOUND.into_response() };
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")];
    match base {
        None => forms.mark((headers, text.as_str()).into_response()),
        Some(Extension(BasePath(base))) => {
            (headers, text.replacen(SERVER, &SERVER.replace('/', &base), 1)).into_response()
        }
    }
}

/// How the server of each document is written.
const SERVER: &str = r#""servers":[{"url":"/""#;

/// The text of each document by its path, made when the first of them is asked for.
static TEXTS: LazyLock<BTreeMap<&str, (String, CompressedForms)>> = LazyLock::new(|| {
    let text = |document: OpenApi| document.to_json().unwrap_or_default();
    documents().into_iter().map(|(_, path, document)| (path, (text(document), CompressedForms::default()))).collect()
});

/// The routes.
pub fn router() -> OpenApiRouter {
    let mut pages = Router::new();
    for (_, path) in names() {
        pages = pages.route(path, get(async move |base: Option<Extension<BasePath>>| show(path, base)));
    }
    let urls = URLS.iter().map(|(name, url)| Url::new(name, url)).collect();
    let pages = pages.route("/", get(async || Redirect::temporary("/docs/"))).merge(swagger::router(urls));
    routes().merge(pages.layer(map_response(edge::mark_compressible)).into())
}

fn routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::new().routes(routes!(health))
}

/// Whether the service is up.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "the shape of the answer, for the OpenAPI document")]
struct Health {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: String,
}

/// Answers once the service is up.
#[utoipa::path(get, path = "/health", tag = "docs", operation_id = "check_health", security(()),
    responses((status = 200, description = "The service is up.", body = Health)))]
async fn health() -> impl IntoResponse {
    Json(json!({ "status": "ok" }))
}

#[cfg(test)]
mod tests;
