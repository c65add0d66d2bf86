//! Requests and responses of API Gateway's HTTP APIs, as Lambda hands them over (payload format 2.0).
//!
//! API Gateway decodes a path before a function sees it: `A%2F1` arrives as `A/1`, and `50%25` as `50%`. The path is encoded
//! again here, so that no character of it ends the path or is decoded twice; only a slash stays a separator.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_ENCODING, COOKIE, LOCATION, SET_COOKIE};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Error;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use tower::ServiceExt as _;

use crate::deadline::Deadline;
use crate::wrap::RequestId;
use crate::{Failure, RunError};

/// The characters that a part of a URI's path cannot contain (RFC 3986, `pchar`).
const ENCODED_IN_PATHS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A request. Members that Muster does not read are ignored.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GatewayRequest {
    /// The path, decoded once, with the base path of a custom domain.
    pub raw_path: String,
    /// The query, encoded as the client sent it.
    pub raw_query_string: String,
    /// The client's cookies, which `headers` lacks.
    pub cookies: Vec<String>,
    /// The headers by their lower-case names; repeated ones are joined with commas.
    pub headers: BTreeMap<String, String>,
    /// How the request arrived.
    pub request_context: GatewayContext,
    /// The body, if there is one.
    pub body: Option<String>,
    /// Whether `body` is base64 and not text.
    pub is_base64_encoded: bool,
}

/// How a request arrived.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GatewayContext {
    /// The API's own host name, or the custom domain.
    pub domain_name: Option<String>,
    /// The method and the client's address.
    pub http: GatewayHttp,
}

/// The method and the client's address.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GatewayHttp {
    /// The method.
    pub method: String,
    /// The address that the connection came from.
    pub source_ip: String,
}

/// A response.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GatewayResponse {
    /// The status.
    pub status_code: u16,
    /// The headers; repeated ones are joined with commas.
    pub headers: BTreeMap<String, String>,
    /// The values of `Set-Cookie`.
    pub cookies: Vec<String>,
    /// The body.
    pub body: String,
    /// Whether `body` is base64 and not text.
    pub is_base64_encoded: bool,
}

/// One invocation of a function: which request it serves, and how long it may take.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The id of the request.
    pub request_id: String,
    /// How long until the function is stopped.
    pub time_left: Duration,
    /// The base path of a custom domain, such as `/muster`; empty without one.
    pub base_path: String,
}

/// Where a request came from, and by which name of this deployment.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    /// The client's address, or that of the last proxy.
    pub(crate) source: IpAddr,
    /// The host name of the API.
    pub(crate) domain_name: Option<String>,
}

/// The base path of the custom domain by which a client called, such as `/muster`: its links begin with it.
#[derive(Debug, Clone)]
pub struct BasePath(pub String);

/// A request that HTTP does not allow, which [`require_well_formed`] refuses in the format of the route's API.
#[derive(Debug, Clone)]
struct MalformedRequest(&'static str);

/// Answers a request with a router that [`crate::wrap`] returned.
///
/// # Errors
/// Where the response's body cannot be read.
pub async fn respond(
    router: Router,
    request: GatewayRequest,
    invocation: &Invocation,
) -> Result<GatewayResponse, RunError> {
    let request = request.into_http(invocation);
    let base_path = request.extensions().get().map(|BasePath(path)| path.clone()).unwrap_or_default();
    let Ok(response) = router.oneshot(request).await;
    GatewayResponse::from_http(response, &base_path).await
}

impl GatewayRequest {
    fn into_http(self, invocation: &Invocation) -> Request {
        let mut malformed = None;
        let (path, base_path) = split_base_path(&self.raw_path, &invocation.base_path);
        let uri = build_uri(path, &self.raw_query_string).unwrap_or_else(|refused| {
            malformed = Some(refused);
            build_uri(path, "").unwrap_or_default()
        });
        let method = Method::from_bytes(self.request_context.http.method.as_bytes()).unwrap_or_else(|_| {
            malformed = Some(MalformedRequest("The method is not a word."));
            Method::GET
        });
        let body = self.body.unwrap_or_default();
        let body = if self.is_base64_encoded { STANDARD.decode(&body).ok() } else { Some(body.into_bytes()) };
        if body.is_none() {
            malformed = Some(MalformedRequest("The body cannot be read; send it again."));
        }
        let mut request = Request::new(Body::from(body.unwrap_or_default()));
        *request.uri_mut() = uri;
        *request.method_mut() = method;
        *request.headers_mut() = build_headers(self.headers, &self.cookies);
        let extensions = request.extensions_mut();
        let source = self.request_context.http.source_ip.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        extensions.insert(Connection { source, domain_name: self.request_context.domain_name });
        extensions.insert(RequestId(invocation.request_id.clone()));
        extensions.insert(Deadline::after(invocation.time_left));
        if let Some(base_path) = base_path {
            extensions.insert(BasePath(base_path.to_owned()));
        }
        if let Some(malformed) = malformed {
            extensions.insert(malformed);
        }
        request
    }
}

impl GatewayResponse {
    async fn from_http(response: Response, base_path: &str) -> Result<Self, RunError> {
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await?;
        let text = if parts.headers.contains_key(CONTENT_ENCODING) { None } else { std::str::from_utf8(&bytes).ok() };
        let (body, is_base64_encoded) = match text {
            Some(text) => (text.to_owned(), false),
            None => (STANDARD.encode(&bytes), true),
        };
        let mut result = Self { status_code: parts.status.as_u16(), body, is_base64_encoded, ..Self::default() };
        for (name, value) in &parts.headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            if *name == SET_COOKIE {
                result.cookies.push(value.into_owned());
            } else if *name == LOCATION && value.starts_with('/') && !value.starts_with("//") {
                result.headers.insert(name.to_string(), format!("{base_path}{value}"));
            } else {
                let joined = result.headers.entry(name.to_string()).or_default();
                if !joined.is_empty() {
                    joined.push_str(", ");
                }
                joined.push_str(&value);
            }
        }
        Ok(result)
    }
}

/// Returns the path without the base path, and the base path if the request has it.
fn split_base_path<'a>(path: &'a str, base_path: &'a str) -> (&'a str, Option<&'a str>) {
    match path.strip_prefix(base_path) {
        Some(rest) if !base_path.is_empty() && (rest.is_empty() || rest.starts_with('/')) => (rest, Some(base_path)),
        Some(_) | None => (path, None),
    }
}

/// Returns the URI of a decoded path and an encoded query.
fn build_uri(path: &str, query: &str) -> Result<Uri, MalformedRequest> {
    let mut text = utf8_percent_encode(path, ENCODED_IN_PATHS).to_string();
    if !text.starts_with('/') {
        text.insert(0, '/');
    }
    if !query.is_empty() {
        text.push('?');
        text.push_str(query);
    }
    let refused =
        MalformedRequest("The query must be at most 64 KiB of ASCII; percent-encode other characters, blanks and #.");
    if query.contains('#') || !query.is_ascii() {
        return Err(refused);
    }
    PathAndQuery::try_from(text).map(Uri::from).map_err(|_| refused)
}

/// Headers with names and values that HTTP allows; API Gateway lets no others pass.
fn build_headers(named: BTreeMap<String, String>, cookies: &[String]) -> HeaderMap {
    let cookie = (!cookies.is_empty()).then(|| (COOKIE.to_string(), cookies.join("; ")));
    let pairs = named.into_iter().chain(cookie);
    let pairs = pairs.filter_map(|(name, value)| {
        Some((HeaderName::try_from(name).ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
    });
    pairs.collect()
}

/// Refuses a request that HTTP does not allow.
pub(crate) async fn require_well_formed(request: Request, next: Next) -> Response {
    match request.extensions().get::<MalformedRequest>() {
        Some(MalformedRequest(rule)) => Failure::from(Error::invalid("", "malformed_request", rule)).into_response(),
        None => next.run(request).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation(base_path: &str) -> Invocation {
        Invocation { request_id: "an-id".into(), time_left: Duration::from_secs(10), base_path: base_path.into() }
    }

    fn request(path: &str, query: &str) -> Request {
        let mut request =
            GatewayRequest { raw_path: path.into(), raw_query_string: query.into(), ..GatewayRequest::default() };
        request.request_context.http.method = "GET".to_owned();
        request.into_http(&invocation("/muster"))
    }

    #[test]
    fn a_decoded_path_is_encoded_so_that_it_is_decoded_once() {
        for (path, expected) in [
            ("/v1/users", "/v1/users"),
            ("/b2b/User/50%", "/b2b/User/50%25"),
            ("/b2b/User/%41", "/b2b/User/%2541"),
            ("/b2b/User/a?b#c", "/b2b/User/a%3Fb%23c"),
            ("/b2b/User/é \u{0}\n", "/b2b/User/%C3%A9%20%00%0A"),
            ("/b2b/User/a+b@c:d;e=f&g", "/b2b/User/a+b@c:d;e=f&g"),
            ("//host/../x", "//host/../x"),
            ("", "/"),
            ("v1", "/v1"),
            ("/v1/[x]{y}|\\^`<>\"", "/v1/%5Bx%5D%7By%7D%7C%5C%5E%60%3C%3E%22"),
            ("/muster", "/"),
            ("/muster/v1", "/v1"),
            ("/musters/v1", "/musters/v1"),
        ] {
            assert_eq!(request(path, "").uri().to_string(), expected, "{path:?}");
        }
    }

    #[test]
    fn a_query_that_is_none_is_malformed_and_never_a_panic() {
        for query in ["a=\u{e9}", "a= b", "a=\n", "a#b", "\u{0}", &"a".repeat(70_000)] {
            let request = request("/v1/users", query);
            assert!(request.extensions().get::<MalformedRequest>().is_some(), "{query:?}");
            assert_eq!(request.uri().to_string(), "/v1/users");
        }
        for query in ["", "a", "a=b&&=c", "a=%zz", "filter[name]=a*", "a=%", "?a"] {
            let request = request("/v1/users", query);
            assert!(request.extensions().get::<MalformedRequest>().is_none(), "{query:?}");
            assert_eq!(request.uri().query().unwrap_or_default(), query);
        }
    }

    #[test]
    fn garbage_in_every_member_makes_a_request() {
        let context = GatewayContext {
            domain_name: Some("\u{0}".into()),
            http: GatewayHttp { method: "G T".into(), source_ip: "here".into() },
        };
        let headers = [("host", "a b:c/\u{7f}"), ("x y", "1"), ("x-a", "\r\n"), ("accept", "*/*")];
        let request = GatewayRequest {
            raw_path: "\u{0}".into(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            cookies: vec!["a=b".into(), "c=d".into()],
            request_context: context,
            body: Some("no base64".into()),
            is_base64_encoded: true,
            ..GatewayRequest::default()
        };
        let request = request.into_http(&invocation(""));
        assert!(request.extensions().get::<MalformedRequest>().is_some());
        let headers: Vec<_> =
            request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        assert_eq!(headers, [("accept", "*/*"), ("cookie", "a=b; c=d")]);
    }

    #[tokio::test]
    async fn a_response_has_text_or_base64_and_links_with_the_base_path() {
        let response =
            |body: Vec<u8>| Response::builder().header("x-a", "1").header("x-a", "2").body(Body::from(body)).unwrap();
        let text = GatewayResponse::from_http(response("é".into()), "").await.unwrap();
        assert_eq!((text.body.as_str(), text.is_base64_encoded, text.headers["x-a"].as_str()), ("é", false, "1, 2"));
        let bytes = GatewayResponse::from_http(response(vec![0xff]), "").await.unwrap();
        assert_eq!((bytes.body.as_str(), bytes.is_base64_encoded), ("/w==", true));
        for (location, expected) in [("/v1/a", "/muster/v1/a"), ("//x/a", "//x/a"), ("https://x/a", "https://x/a")] {
            let response =
                Response::builder().header("location", location).header("set-cookie", "a=b").body(Body::empty());
            let response = GatewayResponse::from_http(response.unwrap(), "/muster").await.unwrap();
            assert_eq!((response.headers["location"].as_str(), response.cookies), (expected, vec!["a=b".to_owned()]));
        }
    }
}
