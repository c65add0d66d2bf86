//! The secret by which a proxy proves that a request came through it, so that nobody can go past it.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use domain::Error;

use crate::Failure;

/// The header in which a proxy sends its secret.
const HEADER: &str = "x-proxy-secret";

/// The secrets of which a proxy sends one: two while one replaces the other.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxySecrets(Arc<[String]>);

impl ProxySecrets {
    /// Reads one secret, or two with a comma between them; `None` where there is none.
    ///
    /// # Errors
    /// A sentence with the rule for secrets.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        if text.is_empty() {
            return Ok(None);
        }
        let secrets: Vec<_> = text.split(',').map(str::to_owned).collect();
        if secrets.len() > 2 || secrets.iter().any(|secret| !(32..=128).contains(&secret.len())) {
            return Err(
                "PROXY_SECRETS must be one or two secrets of 32 to 128 characters, divided by a comma".to_owned()
            );
        }
        Ok(Some(Self(secrets.into())))
    }

    /// Whether a request has one of the secrets.
    fn is_sent_in(&self, headers: &HeaderMap) -> bool {
        let sent = headers.get(HEADER).map(HeaderValue::as_bytes).unwrap_or_default();
        self.0.iter().any(|secret| verify_slices_are_equal(secret.as_bytes(), sent).is_ok())
    }
}

impl fmt::Debug for ProxySecrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ProxySecrets")
    }
}

/// Answers a request 404 that did not come through the proxy, if there is one.
pub(crate) async fn require(secrets: Option<ProxySecrets>, mut request: Request, next: Next) -> Response {
    if secrets.is_some_and(|secrets| !secrets.is_sent_in(request.headers())) {
        return Failure::from(Error::NotFound).into_response();
    }
    request.headers_mut().remove(HEADER);
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(secret: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_str(secret).unwrap());
        headers
    }

    #[test]
    fn each_of_two_secrets_is_accepted_and_nothing_else() {
        let (old, new) = ("o".repeat(32), "n".repeat(32));
        let secrets = ProxySecrets::parse(&format!("{new},{old}")).unwrap().unwrap();
        assert!(secrets.is_sent_in(&headers(&old)) && secrets.is_sent_in(&headers(&new)));
        for wrong in ["", "n", &"n".repeat(31), &"n".repeat(33), &format!("{new},{old}")] {
            assert!(!secrets.is_sent_in(&headers(wrong)), "{wrong}");
        }
        assert!(!secrets.is_sent_in(&HeaderMap::new()));
    }

    #[test]
    fn secrets_are_long_and_at_most_two() {
        assert_eq!(ProxySecrets::parse(""), Ok(None));
        let secret = "s".repeat(32);
        for wrong in ["short", ",", &format!("{secret},"), &format!("{secret},{secret},{secret}"), &"s".repeat(129)] {
            assert!(ProxySecrets::parse(wrong).is_err(), "{wrong}");
        }
        assert!(!format!("{:?}", ProxySecrets::parse(&secret)).contains(&secret), "it is never printed");
    }
}
