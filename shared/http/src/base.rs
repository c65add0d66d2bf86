//! Where this deployment answers, for links that lead back to it from elsewhere.

use axum::extract::FromRequestParts;
use axum::http::header::HOST;
use axum::http::request::Parts;
use domain::Error;
use lambda_http::request::RequestContext;

use crate::Failure;

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

impl<S: Send + Sync> FromRequestParts<S> for Base {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        // API Gateway says itself under which name it was called; a machine of one's own has nothing but the header.
        if let Some(RequestContext::ApiGatewayV2(context)) = parts.extensions.get::<RequestContext>() {
            let name = context.domain_name.as_deref().unwrap_or_default();
            return Ok(Self(format!("https://{name}")));
        }
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        let host = host.ok_or_else(|| Error::invalid("/Host", "required", "is required"))?;
        Ok(Self(format!("http://{host}")))
    }
}
