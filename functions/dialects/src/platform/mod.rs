//! `/platform`: students, as an info-product platform asks for them. A request carries two tokens, in its path or in
//! headers: a developer's, and the platform's, which is a key of a segment.

use axum::Json;
use axum::extract::{MatchedPath, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use domain::Error;
use edge::{Answer, ByDeveloper, Dialect, Problem, TextId, TextIds, set_address};
use serde_json::json;
use utoipa::PartialSchema;
use utoipa::openapi::path::{PathItem, Paths};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

use crate::State;
use crate::openapi::About;
use crate::place::Place;

mod create;
mod developers;
mod links;
mod names;
mod pages;
mod products;
mod push;
mod ranking;
mod schema;
mod shown;
mod subscriptions;
mod users;

use names::{field, message, told};

/// What a key without `read` is answered by writes.
const MINIMUM: [&str; 10] =
    ["/message", "/status", "/id", "/url", "/user/id", "/token", "/created", "/failed", "/subscription/id", "/*/id"];

/// How it speaks.
pub(crate) const DIALECT: Dialect = Dialect {
    prefix: "/platform/",
    prepare,
    tell,
    minimum: Some(&MINIMUM),
    segments: None,
    text_ids: TextIds { ids: &TEXT_IDS, parts_after: tokens_in_path },
};

/// The paths with a key that may have any characters.
const TEXT_IDS: [TextId; 6] = [
    TextId { path: "/platform/users/show-document", parameter: "document" },
    TextId { path: "/platform/users/show-email", parameter: "email" },
    TextId { path: "/platform/users/show-reference", parameter: "reference_id" },
    TextId { path: "/platform/users/destroy-document", parameter: "document" },
    TextId { path: "/platform/users/destroy-email", parameter: "email" },
    TextId { path: "/platform/users/destroy-reference-id", parameter: "reference_id" },
];

/// What its document says.
pub(crate) const ABOUT: About = About {
    name: "platform",
    path: "/openapi/platform.json",
    description: "Students of an info-product platform: look-up and deletion by four keys, bulk creation with \
        subscriptions, products, magic links, a ranking, and push notifications (beta).\n\nEach route takes two tokens: a \
        developer's (`dv_…`, from `POST /platform/generate-token`, valid for 24 hours) and the platform's, which is a key of \
        one segment (`mk_…`, created at `POST /v1/segments/{segment}/keys`). They are the last two segments of the path, the \
        headers `X-Developer-Token` and `X-Platform-Token`, or the parameters `developer_token` and `platform_token`. A \
        developer registers itself, without a credential, and is of no account; its first call with a key lists it in \
        `/v1/developers` of the key's account, which can ban it. `links.next` of a list is relative to the address that was \
        asked, so that it holds neither token.\n\nParameters that a route does not know are ignored, and blank ones are as \
        absent ones. Null and blank items of an array are none, and a list of one may be sent as its item.\n\n\
        A document, e-mail or reference id in a path that begins or ends with a slash is sent as a query parameter in its place: \
        `show-document?document=…`, `show-email?email=…`, `show-reference?reference_id=…`.",
    security,
    error: <schema::ErrorMessage as PartialSchema>::schema,
    errors: &[
        (400, "A field or parameter is wrong; `errors` names each."),
        (
            401,
            "A token is missing, wrong, expired, revoked, of another account's developer, or in the other one's place; or the account has banned the developer.",
        ),
        (403, "The key lacks the scope: `read` to look up, `write` to create and change, `admin` to delete."),
        (404, "Absent, or in another segment."),
        (409, "It conflicts with what is there."),
        (413, "The body is larger than 256 KiB."),
        (415, "The body is neither JSON nor a form."),
        (422, "The idempotency key was used with another body."),
        (429, "Too many requests."),
        (500, "A fault of ours."),
        (503, "A dependency is unavailable; retry later."),
    ],
    also: &[],
};

/// The header of the developer's token.
const DEVELOPER: &str = "x-developer-token";
/// The header of the platform's token.
const PLATFORM: &str = "x-platform-token";
/// How the patterns end that have both tokens in the path.
const IN_PATH: &str = "/{dev}/{plat}";
/// How the patterns end that have one token in the path.
const ONE_IN_PATH: &str = "/{dev}";
/// The query parameters of the developer's and the platform's token.
const IN_QUERY: [&str; 2] = ["developer_token", "platform_token"];
/// The routes that take neither token.
const WITHOUT_TOKENS: [&str; 3] = ["/platform/register", "/platform/generate-token", "/platform/login-magico/{token}"];

/// The routes.
pub(crate) fn router() -> OpenApiRouter<State> {
    let without_tokens = OpenApiRouter::new()
        .routes(routes!(developers::register))
        .routes(routes!(developers::generate_token))
        .routes(routes!(links::open));
    let routes = students().into_iter().chain(offers()).fold(without_tokens, with_both_forms);
    let paths = students().into_iter().chain(offers()).flat_map(|(_, paths, _)| paths.paths.into_keys());
    // One more part of these paths names something else.
    let paths = paths.filter(|path| !["/platform/ranking", "/platform/push"].iter().any(|own| path.starts_with(own)));
    // A push with one token has the path of a notification, and a notification with one token that of a push.
    let routes = routes.route("/platform/push/{id}", post(reject));
    let routes = routes.route(&format!("/platform/push{IN_PATH}"), get(reject));
    paths.fold(routes, |routes, path| routes.route(&format!("{path}{ONE_IN_PATH}"), any(reject)))
}

/// Answers a path with one token, as a client writes it whose other token is empty: 401, which no client takes for a student
/// who is absent.
async fn reject(place: Place) -> Answer<()> {
    place.caller.access().await?;
    Err(Error::NotFound.into())
}

fn students() -> [UtoipaMethodRouter<State>; 9] {
    [
        routes!(users::show_id),
        routes!(users::show_document),
        routes!(users::show_email),
        routes!(users::show_reference),
        routes!(users::destroy_id),
        routes!(users::destroy_document),
        routes!(users::destroy_email),
        routes!(users::destroy_reference),
        routes!(create::create),
    ]
}

fn offers() -> [UtoipaMethodRouter<State>; 8] {
    [
        routes!(subscriptions::create),
        routes!(subscriptions::update),
        routes!(products::list),
        routes!(links::create),
        routes!(ranking::list),
        routes!(ranking::read),
        routes!(push::create),
        routes!(push::read),
    ]
}

/// A route with its tokens in headers, and again with them in its path.
fn with_both_forms(
    router: OpenApiRouter<State>,
    (schemas, paths, methods): UtoipaMethodRouter<State>,
) -> OpenApiRouter<State> {
    let mut in_path = Paths::new();
    let items = paths.paths.iter().map(|(path, item)| (format!("{path}{IN_PATH}"), with_tokens_in_path(item)));
    in_path.paths.extend(items);
    router.routes((schemas.clone(), paths, methods.clone())).routes((schemas, in_path, methods))
}

fn with_tokens_in_path(item: &PathItem) -> PathItem {
    let mut item = item.clone();
    let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete];
    for operation in operations.into_iter().flatten() {
        operation.operation_id = operation.operation_id.as_ref().map(|id| format!("{id}_with_tokens_in_path"));
        operation.security = Some(vec![SecurityRequirement::default()]);
    }
    item
}

/// Puts the platform's token where the edge looks for credentials, leaves the developer's with the request to be checked
/// too, and takes both out of the path, so that nothing that is made of it later can tell them.
fn prepare(request: &mut Request) {
    let pattern = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    if WITHOUT_TOKENS.contains(&pattern.as_str()) {
        return;
    }
    let [developer, platform] = from_query(request);
    let (developer, platform) = match pattern.ends_with(IN_PATH) {
        true => from_path(request),
        false => {
            (of_header(request.headers(), DEVELOPER).or(developer), of_header(request.headers(), PLATFORM).or(platform))
        }
    };
    if let Some(mut value) = platform.and_then(|token| HeaderValue::try_from(format!("Bearer {token}")).ok()) {
        value.set_sensitive(true);
        request.headers_mut().remove("x-api-key");
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    request.extensions_mut().insert(ByDeveloper(developer));
}

/// How many tokens the path of a request ends with: both, where neither is elsewhere.
fn tokens_in_path(request: &Request) -> usize {
    let query = request.uri().query().unwrap_or_default();
    let is_sent = |headers: &[&str], parameter: &str| {
        headers.iter().any(|header| request.headers().contains_key(*header))
            || form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == parameter)
    };
    let [developer, platform] = IN_QUERY;
    let elsewhere = is_sent(&[DEVELOPER], developer) && is_sent(&[PLATFORM, AUTHORIZATION.as_str()], platform);
    if elsewhere { 0 } else { 2 }
}

fn of_header(headers: &HeaderMap, name: &str) -> Option<String> {
    let token = headers.get(name).and_then(|token| token.to_str().ok()).map(str::trim);
    token.filter(|token| !token.is_empty()).map(str::to_owned)
}

/// Takes the two tokens off the end of a request's path.
fn from_path(request: &mut Request) -> (Option<String>, Option<String>) {
    let path = request.uri().path().to_owned();
    let mut parts = path.rsplitn(3, '/');
    let (platform, developer) = (parts.next().map(str::to_owned), parts.next().map(str::to_owned));
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    set_address(request, &format!("{}{query}", parts.next().unwrap_or_default()));
    (developer, platform)
}

/// Takes the two tokens out of a request's query.
fn from_query(request: &mut Request) -> [Option<String>; 2] {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let value = |name: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        let value = pairs.find(|(parameter, _)| parameter == name).map(|(_, value)| value.trim().to_owned());
        value.filter(|value| !value.is_empty())
    };
    let tokens = IN_QUERY.map(value);
    let mut names = form_urlencoded::parse(query.as_bytes()).map(|(parameter, _)| parameter);
    if names.any(|parameter| IN_QUERY.contains(&parameter.as_ref())) {
        let pairs = form_urlencoded::parse(query.as_bytes());
        let rest = pairs.filter(|(parameter, _)| !IN_QUERY.contains(&parameter.as_ref()));
        let rest = form_urlencoded::Serializer::new(String::new()).extend_pairs(rest).finish();
        let path = request.uri().path().to_owned();
        set_address(request, &if rest.is_empty() { path } else { format!("{path}?{rest}") });
    }
    tokens
}

fn security() -> Vec<Vec<(&'static str, SecurityScheme)>> {
    let header =
        |name: &str, about: &str| SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, about)));
    let developer = header("X-Developer-Token", "The token of a developer.");
    let platform = header("X-Platform-Token", "A key of the segment.");
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let bearer = bearer.description(Some("A key, or the access token of a master user's login.")).build();
    vec![
        vec![("developer", developer.clone()), ("platform", platform)],
        vec![("developer", developer), ("bearer", SecurityScheme::Http(bearer))],
    ]
}

/// `{message, errors}`, in the names that these clients know.
fn tell(problem: &Problem, _: &HeaderMap) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let errors: Vec<_> = problem
        .errors
        .iter()
        .map(|error| json!({ "field": field(&error.pointer), "code": error.code, "message": message(error) }))
        .collect();
    (status, Json(json!({ "message": told(problem), "errors": errors }))).into_response()
}
