//! Where this deployment answers, for links that lead back to it from elsewhere.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::HOST;
use axum::http::request::Parts;
use domain::{Error, PublicUrl};

use crate::gateway::Connection;
use crate::{App, Failure};

/// The beginning of this deployment's addresses: `https://api.example.com`.
#[derive(Debug, Clone)]
pub struct Base(String);

impl Base {
    /// The address of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Base
where
    App: FromRef<S>,
{
    type Rejection = Failure;

    /// Takes the configured address, or else the name by which API Gateway knows itself. A `Host` header is the client's
    /// claim: it counts only where it names this machine.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        if let Some(url) = &App::from_ref(state).public_url {
            return Ok(Self(url.as_str().to_owned()));
        }
        if let Some(Connection { domain_name: Some(name), .. }) = parts.extensions.get::<Connection>() {
            return Ok(Self(format!("https://{name}")));
        }
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        let host = host.ok_or_else(|| Error::invalid("/Host", "required", "is required"))?;
        let url = PublicUrl::parse(&format!("http://{host}"));
        let message = "must name this machine; configure PUBLIC_URL to answer by another name";
        url.map(|url| Self(url.as_str().to_owned()))
            .map_err(|_| Error::invalid("/Host", "invalid_host", message).into())
    }
}
