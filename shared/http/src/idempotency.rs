//! `Idempotency-Key` on every POST and PATCH: the first answer again, for 24 hours.
//!
//! What is kept is sealed under the key itself, which the table does not have: an answer may hold tokens, and the
//! fingerprint of a body may be one of a password.

use std::time::Duration;

use axum::body::Body as RawBody;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LOCATION};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Error;
use domain::id::ids_in;
use serde::{Deserialize, Serialize};
use store::{Answered, Begun, Try};

use crate::dialect::Telling;
use crate::failure::{self, Problem};
use crate::limit::{Limited, reports, source_name};
use crate::seal::{Seal, mac};
use crate::source::source;
use crate::{Answer, App, Caller, Failure, RequestId, Seed, body};

/// The headers of an answer that are part of it.
const KEPT: [HeaderName; 4] = [CONTENT_TYPE, ETAG, LOCATION, CACHE_CONTROL];

/// The largest answer that is kept; an item holds 400 KB.
const LARGEST: usize = 300 * 1024;

/// How often, and how many times, a request looks whether its twin has been answered before it answers 409.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const LOOKS: u32 = 50;

/// Runs a request once for its key.
pub(crate) async fn once(State(app): State<App>, request: Request, next: Next) -> Response {
    let key = request.headers().get("idempotency-key").cloned();
    match key {
        Some(key) if matches!(*request.method(), Method::POST | Method::PATCH) => {
            run(&app, &key, request, next).await.unwrap_or_else(Failure::into_response)
        }
        Some(_) | None => next.run(request).await,
    }
}

async fn run(app: &App, key: &HeaderValue, request: Request, next: Next) -> Answer<Response> {
    let key = key.to_str().ok().filter(|key| is_key(key)).ok_or_else(|| {
        Error::invalid("/Idempotency-Key", "invalid_key", "must be 1 to 255 visible ASCII characters")
    })?;
    let (mut parts, raw) = request.into_parts();
    let telling = parts.extensions.get::<Telling>().cloned();
    // Without a token that holds, whoever asks is a visitor: a public route may go on, a private one refuses it.
    let caller = match Caller::from_request_parts(&mut parts, app).await {
        Ok(caller) => Some(caller),
        Err(Failure::Domain(Error::Unauthenticated | Error::Expired | Error::SegmentInactive)) => None,
        Err(failure) => return Err(failure),
    };
    let source = source(&parts);
    if caller.is_none() {
        // Each makes two writes before its route counts it.
        app.limiter.take(Limited::IdempotencyBySource, &source_name(source), &reports(&parts)).await?;
    }
    let who = caller.as_ref().map_or_else(|| format!("visitor:{source}"), Caller::credential);
    let name = format!("{who}|{}|{}|{key}", parts.method, parts.uri.path());
    let bytes = body::collect(&mut parts, raw).await?;
    let query = parts.uri.query().unwrap_or_default();
    let asked = [name.as_bytes(), b"|", query.as_bytes(), b"|", &bytes].concat();
    let fingerprint = URL_SAFE_NO_PAD.encode(mac(key.as_bytes(), &asked));
    let seal = Seal::derived(key.as_bytes(), "answer")?;
    let mut looks = 0;
    loop {
        match app.store.begin_answer(&name, &fingerprint).await? {
            Begun::Fresh(this) => {
                parts.extensions.insert(Seed(this));
                let RequestId(id) = parts.extensions.get().cloned().unwrap_or_default();
                let response = next.run(Request::from_parts(parts, RawBody::from(bytes))).await;
                return keep(app, (&name, &fingerprint, &seal), (this, &id), (response, telling)).await;
            }
            Begun::Mismatch => return Err(Failure::IdempotencyMismatch),
            Begun::Answered(answered) => {
                // Who has been shut out since gets no answer of former days.
                if let Some(caller) = caller {
                    caller.access().await?;
                }
                return replay(app, (&seal, &name), &answered).await;
            }
            Begun::Running if looks < LOOKS => {
                looks += 1;
                tokio::time::sleep(LOOK_EVERY).await;
            }
            Begun::Running => return Err(Failure::StillRunning),
        }
    }
}

/// 1 to 255 visible ASCII characters, spaces not among them.
fn is_key(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// Marks an answer that says of parts of the request that they did not complete: the same request completes them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Incomplete;

/// Keeps an answer that would be the same each time. A request that did not complete, or was refused for lack of
/// credentials or of time, may be repeated.
async fn keep(
    app: &App,
    (name, fingerprint, seal): (&str, &str, &Seal),
    (Try { seed, is_repeated }, request_id): (Try, &str),
    (response, telling): (Response, Option<Telling>),
) -> Answer<Response> {
    let status = response.status();
    let extensions = response.extensions();
    let is_incomplete = status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || extensions.get::<Incomplete>().is_some()
        || extensions.get::<Problem>().is_some_and(Problem::is_in_progress);
    let is_unauthenticated = status == StatusCode::UNAUTHORIZED;
    // This try, or an earlier one, may have created something, which is found by the seed alone.
    if is_incomplete || (is_unauthenticated && is_repeated) {
        app.store.release_answer(name, fingerprint, seed).await?;
        return Ok(response);
    }
    if is_unauthenticated {
        app.store.forget_answer(name).await?;
        return Ok(response);
    }
    let response = failure::render(response, request_id, telling.as_ref());
    let (parts, raw) = response.into_parts();
    let bytes =
        http_body_util::BodyExt::collect(raw).await.map_err(|error| Error::internal(error.to_string()))?.to_bytes();
    let headers = KEPT.iter().filter_map(|name| {
        let value = parts.headers.get(name)?.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    });
    let kept = Kept {
        status: status.as_u16(),
        headers: headers.collect(),
        body: String::from_utf8_lossy(&bytes).into_owned(),
    };
    let sealed = seal.seal(&serde_json::to_vec(&kept).map_err(Error::internal)?, name)?;
    if sealed.len() > LARGEST {
        // An item has no room for it; what it says is made again from what is there.
        app.store.release_answer(name, fingerprint, seed).await?;
    } else {
        app.store.keep_answer(name, fingerprint, seed, Answered(sealed)).await?;
    }
    Ok(Response::from_parts(parts, RawBody::from(bytes)))
}

/// Gives a kept answer again, unless a user whom it names has been purged since: then it is forgotten.
async fn replay(app: &App, (seal, name): (&Seal, &str), answered: &Answered) -> Answer<Response> {
    let opened = seal.open(&answered.0, name).ok_or_else(|| Error::internal("a kept answer does not open"))?;
    let kept: Kept = serde_json::from_slice(&opened).map_err(Error::internal)?;
    if app.store.any_purged(&ids_in(&String::from_utf8_lossy(&opened))).await? {
        app.store.forget_answer(name).await?;
        return Err(Error::Gone("A user whom the first answer names has been purged since.").into());
    }
    let status = StatusCode::from_u16(kept.status).map_err(|error| Error::Internal(Box::new(error)))?;
    let mut response = (status, kept.body).into_response();
    response.headers_mut().remove(CONTENT_TYPE);
    for (name, value) in &kept.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    Ok(response)
}
