//! What a key without the scope `read` is answered when it writes: the id and the version of the thing, and what only this
//! answer can say, such as a secret. Everything else is for keys that may read it.

use std::sync::{Arc, OnceLock};

use axum::body::Body as RawBody;
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, LOCATION};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use domain::{Actor, Error};
use http_body_util::BodyExt as _;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{Dialect, Failure};

/// The caller of a request, once its credential has been found valid.
#[derive(Debug, Clone, Default)]
pub(crate) struct KnownCaller(Arc<OnceLock<(Actor, bool)>>);

impl KnownCaller {
    /// Notes who calls, and whether it may read.
    pub(crate) fn set(&self, actor: Actor, reads: bool) {
        let _ = self.0.set((actor, reads));
    }

    /// Returns who calls, for the log: its kind and id.
    pub(crate) fn log_name(&self) -> String {
        match self.0.get() {
            Some((Actor::User(user), _)) => format!("user:{user}"),
            Some((Actor::Key(key), _)) => format!("key:{key}"),
            Some((Actor::Anonymous | Actor::System, _)) | None => "anonymous".to_owned(),
        }
    }

    /// Whether a key calls that lacks the scope `read`.
    pub(crate) fn is_blind(&self) -> bool {
        self.0.get().is_some_and(|(_, reads)| !reads)
    }
}

/// What an answer of `/v1` keeps besides id and version, by the ends of paths: what cannot be read later.
const ONCE: &[(&str, &[&str])] = &[
    ("/keys", &["secret"]),
    ("/webhooks", &["secret"]),
    ("/secret", &["secret"]),
    ("/token", &["token"]),
    ("/magic-link", &["url", "token", "expires_at"]),
    ("/notifications", &["version"]),
    ("/points", &["id", "version"]),
    ("/uploads", &["method", "url", "headers", "expires_at"]),
];

/// What a row of a batch keeps.
const ROW: &[&str] = &["index", "status", "id", "version", "error"];

/// Reduces the answer of a write to what a key without `read` may know.
pub(crate) async fn reduce(dialects: &'static [Dialect], request: Request, next: Next) -> Response {
    let caller = request.extensions().get::<KnownCaller>().cloned().unwrap_or_default();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    if !caller.is_blind() || method == Method::GET || !response.status().is_success() {
        return response;
    }
    match dialects.iter().find(|dialect| dialect.has(&path)) {
        Some(Dialect { minimum: None, .. }) => response,
        Some(Dialect { minimum: Some(kept), .. }) => rewrite(response, |_, body| prune(body, "", kept)).await,
        None => rewrite(response, |headers, body| minimum(&path, headers, body)).await,
    }
}

async fn rewrite(response: Response, minimum: impl FnOnce(&HeaderMap, &Value) -> Option<Value>) -> Response {
    let (mut parts, raw) = response.into_parts();
    let bytes = match raw.collect().await {
        Ok(bytes) => bytes.to_bytes(),
        Err(error) => return Failure::from(Error::internal(error.to_string())).into_response(),
    };
    let is_json = parts.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let body = if is_json { serde_json::from_slice::<Value>(&bytes).ok() } else { None };
    let Some(body) = body else { return Response::from_parts(parts, RawBody::from(bytes)) };
    let least = minimum(&parts.headers, &body).unwrap_or_else(|| json!({}));
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, RawBody::from(least.to_string()))
}

/// The minimum of an answer of `/v1`. Id and version come from headers and the path: the body of some answers has names
/// that clients choose.
fn minimum(path: &str, headers: &HeaderMap, body: &Value) -> Option<Value> {
    let rows = |rows: &Value, names: &[&str]| -> Option<Value> {
        Some(rows.as_array()?.iter().map(|row| only(row, names)).collect::<Vec<_>>().into())
    };
    if let Some(results) = body.get("results").filter(|_| path.ends_with("/batch")) {
        return Some(json!({ "results": rows(results, ROW)? }));
    }
    let header = |name| headers.get(name).and_then(|value: &axum::http::HeaderValue| value.to_str().ok());
    let location = header(LOCATION);
    // Several things that were made at once. The `data` of one thing is a member of its own.
    if let Some(data) = body.get("data").filter(|data| location.is_some() && data.is_array()) {
        return Some(json!({ "data": rows(data, &["id", "version"])? }));
    }
    let mut least = Map::new();
    let id = location.unwrap_or(path).rsplit('/').find_map(|part| Uuid::try_parse(part).ok());
    least.extend(id.map(|id| ("id".to_owned(), json!(id))));
    let version = header(ETAG).and_then(|tag| tag.trim_matches('"').parse::<u64>().ok());
    least.extend(version.map(|version| ("version".to_owned(), version.into())));
    for name in ONCE.iter().filter(|(end, _)| path.ends_with(end)).flat_map(|(_, names)| *names) {
        least.extend(body.get(name).map(|value| ((*name).to_owned(), value.clone())));
    }
    Some(Value::Object(least))
}

fn only(row: &Value, names: &[&str]) -> Value {
    let members = row.as_object().into_iter().flatten().filter(|(name, _)| names.contains(&name.as_str()));
    Value::Object(members.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// A value without what no path of `kept` names; `*` is each row of an array.
fn prune(value: &Value, at: &str, kept: &[&str]) -> Option<Value> {
    if kept.contains(&at) {
        return Some(value.clone());
    }
    let below = format!("{at}/");
    if !kept.iter().any(|path| path.starts_with(&below)) {
        return None;
    }
    match value {
        Value::Object(members) => {
            let members = members.iter();
            let left =
                members.filter_map(|(name, value)| Some((name.clone(), prune(value, &format!("{at}/{name}"), kept)?)));
            Some(Value::Object(left.collect()))
        }
        Value::Array(rows) => {
            Some(rows.iter().filter_map(|row| prune(row, &format!("{at}/*"), kept)).collect::<Vec<_>>().into())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_of_an_answer_gives_no_id_or_version() {
        let mut headers = HeaderMap::new();
        headers.insert(ETAG, axum::http::HeaderValue::from_static("\"7\""));
        let id = "0199d2a4-5c00-7000-8000-00000000ae01";
        let least = minimum(&format!("/v1/members/{id}/answers"), &headers, &json!({ "id": "secret", "version": "x" }));
        assert_eq!(least, Some(json!({ "id": id, "version": 7 })));
        let least = minimum("/v1/uploads", &HeaderMap::new(), &json!({ "url": "u", "filename": "f" }));
        assert_eq!(least, Some(json!({ "url": "u" })));
    }

    #[test]
    fn dialects_keep_what_they_name() {
        let body = json!({ "data": { "id": 1, "email": "a" }, "rows": [{ "id": 2, "b": { "id": 3 } }], "more": true });
        assert_eq!(
            prune(&body, "", &["/data/id", "/rows/*/id"]),
            Some(json!({ "data": { "id": 1 }, "rows": [{ "id": 2 }] }))
        );
    }
}
