//! Where a request has its credential.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use domain::Error;

use super::{Caller, Credential, Session};
use crate::access::ActiveSegmentsOnly;
use crate::credential::KeyCredential;
use crate::developer::{ByDeveloper, DeveloperToken};
use crate::limit::{origin, reports};
use crate::source::source;
use crate::{App, Failure, scopes};

/// Whoever calls a route that asks for no credential, and takes one: nobody, where none was sent.
#[derive(Debug, Clone)]
pub struct Anybody(pub Option<Caller>);

impl<S: Send + Sync> FromRequestParts<S> for Anybody
where
    App: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        if !parts.headers.contains_key(AUTHORIZATION) && !parts.headers.contains_key(KEY_HEADER) {
            return Ok(Self(None));
        }
        Caller::from_request_parts(parts, state).await.map(|caller| Self(Some(caller)))
    }
}

/// The header of a key, where there is no bearer token.
const KEY_HEADER: &str = "x-api-key";

impl<S: Send + Sync> FromRequestParts<S> for Caller
where
    App: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        // A token is verified once a request, whoever asks for the caller first.
        if let Some(caller) = parts.extensions.get::<Self>() {
            return Ok(caller.clone());
        }
        let app = App::from_ref(state);
        let text = credential(&parts.headers).ok_or(Error::Unauthenticated)?;
        let credential = if KeyCredential::is_meant(text) {
            Credential::Key(KeyCredential::parse(&app, text).await?)
        } else {
            let claims = app.verifier.verify(text).await?;
            Credential::Token(Session { claims, token: text.to_owned() })
        };
        let developer = developer(&app, parts).await?;
        let request_id = parts.extensions.get().cloned().unwrap_or_default();
        let (origin, reports, source) = (origin(parts), reports(parts), source(parts));
        let (required, known) = (scopes::required(parts), parts.extensions.get().cloned().unwrap_or_default());
        let active_only = parts.extensions.get::<ActiveSegmentsOnly>().is_some();
        let caller = Self {
            app,
            credential,
            developer,
            request_id,
            origin,
            name: None,
            silent: false,
            reports,
            source,
            required,
            active_only,
            about: None,
            known,
        };
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }
}

/// The developer's token that a dialect asks for.
///
/// # Errors
/// [`Error::Unauthenticated`] where it is missing, made up or expired.
async fn developer(app: &App, parts: &Parts) -> Result<Option<DeveloperToken>, Error> {
    let Some(ByDeveloper(token)) = parts.extensions.get() else { return Ok(None) };
    let token = token.as_deref().ok_or(Error::Unauthenticated)?;
    DeveloperToken::open(app, token).await?.map(Some).ok_or(Error::Unauthenticated)
}

/// The one credential of a request: a bearer token, or a key in the header of its own.
fn credential(headers: &HeaderMap) -> Option<&str> {
    match (headers.contains_key(AUTHORIZATION), headers.get_all(KEY_HEADER).iter().collect::<Vec<_>>().as_slice()) {
        (true, []) => bearer(headers),
        (false, [key]) => key.to_str().ok().filter(|key| KeyCredential::is_meant(key)),
        _ => None,
    }
}

/// The one bearer token of a request.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (scheme, token) = values.next()?.to_str().ok()?.split_once(' ')?;
    let single = values.next().is_none();
    (scheme.eq_ignore_ascii_case("bearer") && single).then_some(token.trim())
}
