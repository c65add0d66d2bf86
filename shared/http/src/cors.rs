//! Which sites' scripts may call from a browser, and which headers these may read.
//!
//! No route reads a cookie, so that an origin that may call can do no more than whoever has a credential.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// How long a browser may keep the answer to a preflight; it takes no longer than this.
const PREFLIGHT: Duration = Duration::from_secs(2 * 60 * 60);

/// The headers of answers that scripts may read, besides those that they always may.
const EXPOSED: [&str; 12] = [
    "etag",
    "idempotency-replayed",
    "link",
    "location",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "www-authenticate",
    "x-request-id",
    "x-total-pages",
    "x-total-results",
    "allow",
];

/// The sites whose scripts may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// Any.
    Any,
    /// These, such as `https://app.example.com`; none where there are none.
    Some(Vec<HeaderValue>),
}

impl Origins {
    /// `*`, or origins divided by commas.
    ///
    /// # Errors
    /// A sentence that names the one that is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim() == "*" {
            return Ok(Self::Any);
        }
        let each = text.split(',').map(str::trim).filter(|origin| !origin.is_empty());
        each.map(origin).collect::<Result<_, _>>().map(Self::Some)
    }

    /// Answers preflights, and writes what scripts may read of an answer.
    pub(crate) fn layer(&self) -> CorsLayer {
        let origins = match self {
            Self::Any => AllowOrigin::any(),
            Self::Some(origins) => AllowOrigin::list(origins.clone()),
        };
        CorsLayer::new()
            .allow_origin(origins)
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
            .allow_headers(AllowHeaders::mirror_request())
            .expose_headers(EXPOSED.map(HeaderName::from_static))
            .max_age(PREFLIGHT)
    }
}

/// A scheme, a host and maybe a port, and nothing behind them: as browsers send it.
fn origin(text: &str) -> Result<HeaderValue, String> {
    let wrong = || format!("ALLOWED_ORIGINS must be * or origins such as https://app.example.com, which {text} is not");
    let url = url::Url::parse(text).map_err(|_| wrong())?;
    let sent = url.origin().ascii_serialization();
    if sent != text {
        return Err(wrong());
    }
    HeaderValue::from_str(&sent).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_send_them() {
        assert_eq!(Origins::parse("*"), Ok(Origins::Any));
        assert_eq!(Origins::parse(""), Ok(Origins::Some(Vec::new())));
        let two = Origins::parse("https://app.example.com, http://localhost:5173");
        let expected = ["https://app.example.com", "http://localhost:5173"].map(HeaderValue::from_static);
        assert_eq!(two, Ok(Origins::Some(expected.to_vec())));
        for wrong in
            ["https://app.example.com/", "app.example.com", "https://*.example.com/x", "null", "*,https://a.example"]
        {
            assert!(Origins::parse(wrong).is_err(), "{wrong}");
        }
    }
}
