//! The part of API Gateway and Lambda: it changes requests as they do, and refuses what they refuse.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::header::{CONTENT_TYPE, COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::id::fresh;
use edge::{GatewayContext, GatewayHttp, GatewayRequest, GatewayResponse, Invocation};
use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::permissions::run_function;

/// The most bytes that API Gateway takes of a body.
const MAX_REQUEST_BODY: usize = 10 * 1024 * 1024;

/// The most bytes that Lambda takes of an event, and of a response.
const MAX_PAYLOAD: usize = 6 * 1024 * 1024;

/// The gateway between clients and functions.
#[derive(Debug, Clone)]
pub(crate) struct Gateway {
    /// How long a function may run.
    pub(crate) function_timeout: Duration,
    /// The base path of a custom domain.
    pub(crate) base_path: String,
}

impl Gateway {
    /// Answers a request by the functions' routes.
    pub(crate) async fn answer(
        self,
        routes: Router,
        ConnectInfo(from): ConnectInfo<SocketAddr>,
        request: Request,
    ) -> Response {
        let (parts, body) = request.into_parts();
        let Ok(body) = to_bytes(body, MAX_REQUEST_BODY).await else {
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        };
        let raw_path = percent_decode_str(parts.uri.path()).decode_utf8_lossy();
        let request = GatewayRequest {
            raw_path: raw_path.into_owned(),
            raw_query_string: parts.uri.query().unwrap_or_default().to_owned(),
            cookies: cookies(&parts.headers),
            headers: headers(&parts.headers, from),
            request_context: GatewayContext {
                domain_name: None,
                http: GatewayHttp { method: parts.method.to_string(), source_ip: from.ip().to_string() },
            },
            ..with_body(&body, &parts.headers)
        };
        // As text, since that is what a function gets.
        let Ok(event) = serde_json::to_vec(&request) else { return report_failure("the event cannot be written") };
        if event.len() > MAX_PAYLOAD {
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        }
        let Ok(event) = serde_json::from_slice(&event) else { return report_failure("the event cannot be read") };
        // A function goes on when the client has given up.
        let running = tokio::spawn(self.run(routes, event)).await;
        running.unwrap_or_else(|_| report_failure("the function has ended"))
    }

    async fn run(self, routes: Router, event: GatewayRequest) -> Response {
        let invocation =
            Invocation { request_id: fresh().to_string(), time_left: self.function_timeout, base_path: self.base_path };
        let path = event.raw_path.clone();
        // The mapping of a custom domain is no part of a route.
        let route = path.strip_prefix(&invocation.base_path).unwrap_or(&path);
        let responding = run_function(route, edge::respond(routes, event, &invocation));
        let response = match tokio::time::timeout(self.function_timeout, responding).await {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => return report_failure("the response cannot be read"),
            Err(_) => return report_failure("the function was stopped: its time was over"),
        };
        match serde_json::to_vec(&response) {
            Ok(payload) if payload.len() <= MAX_PAYLOAD => http_response(response),
            Ok(_) => report_failure("the response has more than the 6 MB that Lambda takes"),
            Err(_) => report_failure("the response cannot be written"),
        }
    }
}

/// The response that API Gateway makes itself.
fn refuse(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}

/// Returns API Gateway's answer for a function that failed.
fn report_failure(cause: &str) -> Response {
    tracing::error!(cause, "a function failed as it would in Lambda");
    refuse(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}

/// The headers by their lower-case names, with the address of the connection appended to those of the proxies.
fn headers(sent: &HeaderMap, from: SocketAddr) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::<String, String>::new();
    for (name, value) in sent.iter().filter(|(name, _)| **name != COOKIE) {
        let joined = headers.entry(name.to_string()).or_default();
        if !joined.is_empty() {
            joined.push(',');
        }
        joined.push_str(&String::from_utf8_lossy(value.as_bytes()));
    }
    let forwarded = headers.entry("x-forwarded-for".to_owned()).or_default();
    if !forwarded.is_empty() {
        forwarded.push_str(", ");
    }
    forwarded.push_str(&from.ip().to_string());
    headers
}

fn cookies(sent: &HeaderMap) -> Vec<String> {
    let values = sent.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split("; ")).map(str::to_owned).collect()
}

/// A request with this body: as text where its type is one of text, and in base64 otherwise.
fn with_body(body: &Bytes, headers: &HeaderMap) -> GatewayRequest {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_text = ["text/", "application/json", "application/xml", "application/javascript"]
        .iter()
        .any(|text| media_type.starts_with(text));
    let (body, is_base64_encoded) = match std::str::from_utf8(body) {
        _ if body.is_empty() => (None, false),
        Ok(text) if is_text && !headers.contains_key("content-encoding") => (Some(text.to_owned()), false),
        Ok(_) | Err(_) => (Some(STANDARD.encode(body)), true),
    };
    GatewayRequest { body, is_base64_encoded, ..GatewayRequest::default() }
}

fn http_response(response: GatewayResponse) -> Response {
    let body = if response.is_base64_encoded {
        STANDARD.decode(&response.body).ok()
    } else {
        Some(response.body.into_bytes())
    };
    let mut builder = Response::builder().status(response.status_code);
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    for cookie in &response.cookies {
        builder = builder.header("set-cookie", cookie);
    }
    let response = body.map(|body| builder.body(Body::from(body)));
    response.and_then(Result::ok).unwrap_or_else(|| report_failure("the response is none of HTTP"))
}
