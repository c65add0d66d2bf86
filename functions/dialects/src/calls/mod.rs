//! `/calls`: one endpoint, an `action` in the body; families, products, e-mails, statuses.

use axum::Json;
use axum::extract::Request;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use domain::FieldError;
use edge::{Dialect, Problem, TextIds};
use serde_json::json;
use utoipa::PartialSchema;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::State;
use crate::openapi::About;

mod agent;
mod answer;
mod create;
mod doc;
mod info;
mod list;
mod products;
mod request;
mod schema;
mod statuses;
mod users;

/// What a key without `read` is answered by writes. Its `meta_info` is empty.
const MINIMUM: [&str; 9] = [
    "/success",
    "/msg",
    "/msg_type",
    "/meta_info",
    "/user_info",
    "/user_token",
    "/status_id",
    "/users",
    "/effected_users",
];

/// How it speaks.
pub(crate) const DIALECT: Dialect =
    Dialect { prefix: "/calls/", prepare, tell, minimum: Some(&MINIMUM), segments: None, text_ids: TextIds::NONE };

/// What its document says.
pub(crate) const ABOUT: About = About {
    name: "calls",
    path: "/openapi/calls.json",
    description: "One endpoint for users, with an `action` in the body, and one for statuses. `Api-id` is the id of a key of the account, \
        `Api-token` its secret, `Api-user` the name of who acts, which the user's history tells. `group_id` is the `number` of a segment, \
        `clogin_id` that of a person, the same in all segments of the account. Form fields are the user's own fields (`main_email`, \
        `first_name` are `email`, `name`), and what it has no field for is in its `metadata`, as is a value that its own field does not \
        take: `gender: \"F\"`. A place is written by its name. A phone without a calling code is one of the segment's `country`, else of \
        the user's `operation_country`. A form that `meta_info` counts is a \
        membership that the user has joined, complete once it is approved; orders are what it subscribes to. A product that is named \
        in `add_product`, and that the group does not have, is created as a private one: it is in no list of products. A `price` that is sent is that of the subscription, whatever the product costs. Numbers may be \
        sent as text and text as numbers, switches as `true`, `1` or their text; null, blank text and what is left out are the same. `doc`, and what is nested in it, may be JSON text. \
        The last slash of a path may be left out.\n\n`submit_forms: false`: \
        no event and no webhook tells of the change. `disable_email_sending` is taken, and nothing is ever sent because of a call here. \
        An error has a status as under `/v1`, and `{success: false, msg, meta_info: {}, user_info: {}}`.",
    security,
    error: <schema::Error as PartialSchema>::schema,
    errors: &[
        (400, "Wrong, or an unknown action."),
        (401, "No key, or one that does not hold."),
        (403, "The key lacks the scope, or opens one segment only."),
        (404, "An unknown group or person, or another organization's."),
        (409, "A value is taken."),
        (413, "The body is larger than 256 KiB."),
        (415, "The body is neither JSON nor a form."),
        (422, "The idempotency key was used with another body."),
        (429, "Too many requests."),
        (500, "A fault of ours."),
    ],
    also: &[],
};

/// The routes.
pub(crate) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(users::call))
        .routes(routes!(statuses::call))
        // Clients write both with the last slash and without.
        .route("/calls/users", post(users::call))
        .route("/calls/statuses", post(statuses::call))
}

/// Puts the key where the edge looks for it; nothing else is a credential here.
fn prepare(request: &mut Request) {
    let headers = request.headers_mut();
    headers.remove(AUTHORIZATION);
    headers.remove("x-api-key");
    let token = headers.remove("api-token");
    let bearer = token.and_then(|token| HeaderValue::from_str(&format!("Bearer {}", token.to_str().ok()?)).ok());
    if let Some(mut bearer) = bearer {
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
    }
}

fn security() -> Vec<Vec<(&'static str, SecurityScheme)>> {
    let header =
        |name: &str, about: &str| SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, about)));
    vec![vec![
        ("id", header("Api-id", "The id of a key of the account.")),
        ("token", header("Api-token", "The key's secret.")),
        ("user", header("Api-user", "The name of who acts, for the history.")),
    ]]
}

/// The names that this dialect has for the domain's.
const NAMES: [(&str, &str); 8] = [
    ("phone_display", "phone"),
    ("email", "main_email"),
    ("name", "first_name"),
    ("number", "clogin_id"),
    ("parent_id", "connected_to"),
    ("product_id", "product_list"),
    ("user_id", "product_list"),
    ("emails", "email_list"),
];

/// The code of a group or a person that is not there, or somebody else's.
const ABSENT: &str = "absent";

fn tell(problem: &Problem, _: &HeaderMap) -> Response {
    let status = match problem.errors.first() {
        // The body says here what a path says elsewhere.
        Some(error) if error.code == ABSENT => StatusCode::NOT_FOUND,
        _ => StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
    };
    let msg = match problem.errors.first() {
        Some(error) if !error.pointer.is_empty() => format!("{} {}", name(error), error.message),
        _ => problem.detail.clone(),
    };
    (status, Json(json!({ "success": false, "msg": msg, "meta_info": {}, "user_info": {} }))).into_response()
}

/// The lists of rows whose fields are named with their place.
const LISTS: [&str; 2] = ["product_list", "email_list"];

/// The name of a field as these clients know it.
fn name(error: &FieldError) -> String {
    let parts: Vec<_> = error.pointer.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        // A form field has the name that was sent. What a user has no field for is in its metadata, by its own name.
        ["doc" | "metadata", name, ..] => name.replace("~1", "/").replace("~0", "~"),
        [list, index] if LISTS.contains(list) => format!("{list}[{index}]"),
        [list, index, field, ..] if LISTS.contains(list) => format!("{list}[{index}].{field}"),
        [first, ..] => NAMES.iter().find(|(ours, _)| ours == first).map_or(*first, |(_, theirs)| theirs).to_owned(),
        [] => String::new(),
    }
}
