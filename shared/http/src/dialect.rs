//! Dialects: other systems' ways to ask and to answer, around the same domain.

use axum::extract::{OriginalUri, Request};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

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
    /// The paths that end in an id of any characters.
    pub text_ids: TextIds,
}

/// The paths of a dialect that end in an id of any characters.
#[derive(Debug, Clone, Copy)]
pub struct TextIds {
    /// The paths.
    pub ids: &'static [TextId],
    /// Returns how many parts follow the id in the path of a request, such as tokens.
    pub parts_after: fn(&Request) -> usize,
}

impl TextIds {
    /// No path ends in such an id.
    pub const NONE: Self = Self { ids: &[], parts_after: |_| 0 };
}

/// A path that ends in an id of any characters, such as one of another system or an e-mail address.
///
/// API Gateway decodes a slash of the id before a function sees the path: the parts of an id with slashes are joined again.
/// An id that begins or ends with a slash or blank, or has several in a row, is sent as a query parameter instead.
#[derive(Debug, Clone, Copy)]
pub struct TextId {
    /// The path before the id: `/b2b/User/update`.
    pub path: &'static str,
    /// The query parameter that has the id where the path ends before it.
    pub parameter: &'static str,
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
        set_uri(&mut request, uri);
    }
    let dialect = dialects.iter().find(|dialect| dialect.has(request.uri().path()));
    let text_ids = dialect.map_or(TextIds::NONE, |dialect| dialect.text_ids);
    let is_asked = |id: &&TextId| request.uri().path().starts_with(id.path);
    if let Some(id) = text_ids.ids.iter().find(is_asked)
        && let Some(uri) = join_id(id, (text_ids.parts_after)(&request), request.uri())
    {
        set_uri(&mut request, uri);
    }
    request
}

/// Sets the path and query of a request, also for handlers that read its original address. One that does not parse is `/`,
/// so that nothing of the old address stays.
pub fn set_address(request: &mut Request, address: &str) {
    let uri = with_address(request.uri(), address).unwrap_or_default();
    set_uri(request, uri);
}

fn set_uri(request: &mut Request, uri: Uri) {
    request.extensions_mut().insert(OriginalUri(uri.clone()));
    *request.uri_mut() = uri;
}

/// Returns the URI with another path and query.
fn with_address(uri: &Uri, address: &str) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(address).ok()?);
    Uri::from_parts(parts).ok()
}

/// Returns the URI with a text id as one part of its path; `None` where it is one already, or absent. `after` parts follow.
fn join_id(id: &TextId, after: usize, uri: &Uri) -> Option<Uri> {
    let rest = uri.path().strip_prefix(id.path)?;
    let parts: Vec<_> = match rest.strip_prefix('/') {
        Some(rest) => rest.split('/').collect(),
        None if rest.is_empty() => Vec::new(),
        None => return None,
    };
    let (joined, query) = match parts.len().saturating_sub(after) {
        0 => {
            let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
            let (own, others): (Vec<_>, Vec<_>) = pairs.partition(|(name, _)| name == id.parameter);
            let (_, value) = own.first().filter(|(_, value)| !value.is_empty())?;
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(others).finish();
            (utf8_percent_encode(value, NON_ALPHANUMERIC).to_string(), query)
        }
        1 => return None,
        length => (parts.get(..length)?.join("%2F"), uri.query().unwrap_or_default().to_owned()),
    };
    let last = parts.get(parts.len().saturating_sub(after)..)?;
    let path = [&[id.path, &joined], last].concat().join("/");
    with_address(uri, &if query.is_empty() { path } else { format!("{path}?{query}") })
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
    with_address(uri, &format!("{path}{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_with_slashes_is_one_part_of_a_path() {
        const ID: TextId = TextId { path: "/a/show", parameter: "id" };
        for (uri, after, expected) in [
            ("/a/show/1", 0, None),
            ("/a/show/A/1/", 0, Some("/a/show/A%2F1%2F")),
            ("/a/show/A/1?x=2", 0, Some("/a/show/A%2F1?x=2")),
            ("/a/show/1/dev/plat", 2, None),
            ("/a/show/A/1/dev/plat", 2, Some("/a/show/A%2F1/dev/plat")),
            ("/a/show/A/1", 2, None),
            ("/a/show", 0, None),
            ("/a/show?id=", 0, None),
            ("/a/show?id=%2FA%2F%2F1%25%3F%23&x=2", 0, Some("/a/show/%2FA%2F%2F1%25%3F%23?x=2")),
            ("/a/show/dev/plat?id=A%2F1", 2, Some("/a/show/A%2F1/dev/plat")),
            ("/a/shown/A/1", 0, None),
            ("/b/A/1", 0, None),
        ] {
            let joined = join_id(&ID, after, &uri.parse().unwrap());
            assert_eq!(joined.map(|uri| uri.to_string()).as_deref(), expected, "{uri} {after}");
        }
    }

    #[test]
    fn paths_of_dialects_have_no_slash_too_many() {
        let flows = Dialect {
            prefix: "/flows/",
            prepare: |_| (),
            tell: |_, _| Response::default(),
            minimum: None,
            segments: None,
            text_ids: TextIds::NONE,
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
