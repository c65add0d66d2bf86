//! What goes around every route: request ids, one log line, rate limit headers, problems, unknown paths and methods.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use domain::Error;
use store::Capacity;
use tower::ServiceBuilder;
use tracing::Instrument as _;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::{OpenApi, RefOr};
use utoipa_axum::router::OpenApiRouter;

use crate::dialect::{Telling, normalize_path};
use crate::limit::Reports;
use crate::metrics::AnsweredRequest;
use crate::minimum::{self, KnownCaller};
use crate::secure::secure;
use crate::{
    App, Dialect, Failure, Query, RequestMetrics, TrustedProxyHops, coding, deadline, failure, gateway, idempotency,
    proxy,
};

/// The header that names a request.
const REQUEST_ID: &str = "x-request-id";

/// The id of a request: Lambda's own, or a fresh one.
#[derive(Debug, Clone, Default)]
pub struct RequestId(pub String);

impl<S: Send + Sync> FromRequestParts<S> for RequestId {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

/// The router with all of the edge around it; some of its paths may be dialects'.
pub fn wrap(router: OpenApiRouter, app: &App, dialects: &'static [Dialect]) -> Router {
    let (router, document) = router.split_for_parts();
    let queries = Arc::new(Queries::of(&document));
    let hops = app.trusted_proxy_hops;
    let (secrets, metrics) = (app.proxy_secrets.clone(), app.request_metrics.clone());
    let router = router
        .route_layer(middleware::from_fn(deadline::limit_handler))
        .route_layer(middleware::from_fn(move |request, next| minimum::reduce(dialects, request, next)))
        // Only where there is a route: what is not there has no answer to keep.
        .route_layer(middleware::from_fn_with_state(app.clone(), idempotency::once))
        .route_layer(middleware::from_fn_with_state(queries, known_query))
        .fallback(async || Failure::from(Error::NotFound))
        .method_not_allowed_fallback(async || Failure::MethodNotAllowed)
        .layer(middleware::from_fn(deadline::limit_request))
        .layer(middleware::from_fn(gateway::require_well_formed))
        .layer(middleware::from_fn(move |request, next| proxy::require(secrets.clone(), request, next)))
        .layer(middleware::from_fn(move |request, next| around((dialects, hops), metrics.clone(), request, next)))
        .layer(middleware::from_fn(coding::compress))
        .layer(app.origins.layer())
        // Around all else, preflights included.
        .layer(middleware::from_fn(identify))
        .layer(middleware::from_fn(secure));
    // Before a route is looked up.
    let normalized = ServiceBuilder::new().map_request(|request| normalize_path(dialects, request)).service(router);
    Router::new().fallback_service(normalized)
}

/// The routes that document parameters of a query, as `METHOD path`.
#[derive(Debug, Default)]
struct Queries {
    /// Those that read a query themselves.
    all: HashSet<String>,
    /// Those of lists, which are asked for a page.
    lists: HashSet<String>,
}

impl Queries {
    fn of(document: &OpenApi) -> Self {
        let mut queries = Self::default();
        for (path, item) in &document.paths.paths {
            let methods = [
                ("GET", &item.get),
                ("POST", &item.post),
                ("PUT", &item.put),
                ("PATCH", &item.patch),
                ("DELETE", &item.delete),
            ];
            for (method, operation) in methods {
                let route = format!("{method} {path}");
                let parameters = operation.iter().filter_map(|operation| operation.parameters.as_ref()).flatten();
                let names: Vec<_> = parameters.filter_map(query_parameter).collect();
                if method == "GET" && names.iter().any(|name| name.starts_with("page") || name.ends_with("_page")) {
                    queries.lists.insert(route.clone());
                }
                if !names.is_empty() {
                    queries.all.insert(route);
                }
            }
        }
        queries
    }
}

/// The name of a parameter, if it is one of the query.
fn query_parameter(parameter: &RefOr<Parameter>) -> Option<&str> {
    let RefOr::T(parameter) = parameter else { return None };
    (parameter.parameter_in == ParameterIn::Query).then_some(parameter.name.as_str())
}

/// Refuses parameters where a route of `/v1` documents none, and lets lists be compressed.
async fn known_query(State(queries): State<Arc<Queries>>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let route = format!("{} {path}", request.method());
    let reads_query = !path.starts_with("/v1/") || queries.all.contains(&route);
    if !reads_query && let Err(error) = Query::of(request.uri()).finish("none", Vec::new()) {
        return Failure::from(error).into_response();
    }
    let response = next.run(request).await;
    if queries.lists.contains(&route) { coding::mark_compressible(response).await } else { response }
}

async fn around(
    (dialects, hops): (&'static [Dialect], TrustedProxyHops),
    metrics: Option<Arc<RequestMetrics>>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = request_id(&request);
    let reports = Reports::default();
    request.extensions_mut().insert(RequestId(id.clone()));
    request.extensions_mut().insert(reports.clone());
    request.extensions_mut().insert(hops);
    let caller = KnownCaller::default();
    request.extensions_mut().insert(caller.clone());
    // The pattern and not the path: a path may hold what nobody but its owner should read.
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str).to_owned();
    let telling = Telling::of(dialects, &mut request);
    if let Some(telling) = telling.clone() {
        request.extensions_mut().insert(telling);
    }
    let method = request.method().clone();
    let span = tracing::info_span!("request", request_id = %id, %method, route);
    let began = now();
    // Nothing behind this line knows of HEAD, so that it is answered as GET is; the router takes the body away.
    if *request.method() == Method::HEAD {
        *request.method_mut() = Method::GET;
    }
    let mut response = async {
        let (response, Capacity { read_units, write_units }) = store::count_capacity(next.run(request)).await;
        let response = failure::render(response, &id, telling.as_ref());
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        // Who by its id alone: the source address and the agent are for the audit, which has the request's id too.
        let actor = caller.log_name();
        let status = response.status().as_u16();
        match metrics {
            Some(metrics) => {
                let (id, method, route, actor) = (id.as_str(), method.as_str(), route.as_str(), actor.as_str());
                metrics.write_line(&AnsweredRequest {
                    id,
                    method,
                    route,
                    actor,
                    status,
                    millis,
                    read_units,
                    write_units,
                });
            }
            None => tracing::info!(status, millis, read_units, write_units, actor, "answered"),
        }
        response
    }
    .instrument(span)
    .await;
    reports.write(response.headers_mut());
    put_id(response.headers_mut(), &id);
    response
}

/// Gives an answer an id that has none, as that to a preflight.
async fn identify(request: Request, next: Next) -> Response {
    let id = request_id(&request);
    let mut response = next.run(request).await;
    if !response.headers().contains_key(REQUEST_ID) {
        put_id(response.headers_mut(), &id);
    }
    response
}

/// The id that Lambda has given a request, or else a fresh one.
fn request_id(request: &Request) -> String {
    let id = request.extensions().get::<RequestId>();
    id.map_or_else(|| domain::id::fresh().to_string(), |RequestId(id)| id.clone())
}

fn put_id(headers: &mut HeaderMap, id: &str) {
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a request took, which no calendar is needed for")]
fn now() -> Instant {
    Instant::now()
}
