//! Dialects: other systems' ways to ask and to answer, around the same domain.

use axum::extract::{OriginalUri, Request};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;

use crate::access::ActiveSegmentsOnly;
use crate::failure::Problem;

/// How the clients of another system speak.
#[derive(Debug)]
pub struct Dialect {
    /// What its paths begin with: `/flows/`.
    pub prefix: &'static str,
    /// Puts what stands elsewhere in a request, such as credentials, where Muster's own edge looks for it.
    pub prepare: fn(&mut Request),
    /// How a failure is told to whoever sent these headers.
    pub tell: fn(&Problem, &HeaderMap) -> Response,
    /// What a key without the scope `read` is answered by writes: paths into the body, such as `/data/id`. All of it, where
    /// the answers of writes are no more than ids.
    pub minimum: Option<&'static [&'static str]>,
    /// What the paths of segments themselves begin with, where there are such: an inactive one is reached by these alone.
    pub segments: Option<&'static str>,
}

impl Dialect {
    /// Whether a path is one of the dialect's; the prefix alone is, with or without its slash.
    pub(crate) fn has(&self, path: &str) -> bool {
        path.starts_with(self.prefix) || self.prefix.strip_suffix('/') == Some(path)
    }
}

/// How failures of one request are told.
#[derive(Clone)]
pub(crate) struct Telling {
    dialect: &'static Dialect,
    headers: HeaderMap,
}

impl Telling {
    /// The dialect of a request, which is prepared by it.
    pub(crate) fn of(dialects: &'static [Dialect], request: &mut Request) -> Option<Self> {
        let dialect = dialects.iter().find(|dialect| dialect.has(request.uri().path()))?;
        let headers = request.headers().clone();
        (dialect.prepare)(request);
        if !dialect.segments.is_some_and(|segments| request.uri().path().starts_with(segments)) {
            request.extensions_mut().insert(ActiveSegmentsOnly);
        }
        Some(Self { dialect, headers })
    }

    pub(crate) fn tell(&self, problem: &Problem) -> Response {
        (self.dialect.tell)(problem, &self.headers)
    }
}

/// Makes repeated slashes of a dialect's path one, and removes the last one and spaces around a part: their clients write
/// all of these.
pub(crate) fn normalize_path(dialects: &[Dialect], mut request: Request) -> Request {
    if let Some(uri) = normalize_uri(dialects, request.uri()) {
        request.extensions_mut().insert(OriginalUri(uri.clone()));
        *request.uri_mut() = uri;
    }
    request
}

/// Returns the URI that means the same; `None` for one that is good as it is, or of no dialect.
fn normalize_uri(dialects: &[Dialect], uri: &Uri) -> Option<Uri> {
    let parts = uri.path().split('/').map(|part| part.trim_start_matches("%20").trim_end_matches("%20"));
    let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
    let path = format!("/{}", parts.join("/"));
    if path == uri.path() || !dialects.iter().any(|dialect| dialect.has(&path)) {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut normalized = uri.clone().into_parts();
    normalized.path_and_query = Some(PathAndQuery::try_from(format!("{path}{query}")).ok()?);
    Uri::from_parts(normalized).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_dialects_have_no_slash_too_many() {
        let flows = Dialect {
            prefix: "/flows/",
            prepare: |_| (),
            tell: |_, _| Response::default(),
            minimum: None,
            segments: None,
        };
        for (path, expected) in [
            ("/flows/login/", Some("/flows/login")),
            ("//flows//login", Some("/flows/login")),
            ("/flows/user/available/?key=a%2Fb", Some("/flows/user/available?key=a%2Fb")),
            ("http://localhost/flows/login//?a=1", Some("http://localhost/flows/login?a=1")),
            ("/flows/user/%20id%20", Some("/flows/user/id")),
            ("/flows/user/a%20b", None),
            ("/flows/login", None),
            ("/v1/users/", None),
            ("//v1//users", None),
            ("/flows/", Some("/flows")),
        ] {
            let normalized = path.parse().ok().and_then(|uri| normalize_uri(std::slice::from_ref(&flows), &uri));
            assert_eq!(normalized.map(|uri| uri.to_string()).as_deref(), expected, "{path}");
        }
    }
}
