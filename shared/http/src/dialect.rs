//! Dialects: other systems' ways to ask and to answer, around the same domain.

use axum::extract::Request;
use axum::http::HeaderMap;
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

/// How failures of one request are told.
#[derive(Clone)]
pub(crate) struct Telling {
    dialect: &'static Dialect,
    headers: HeaderMap,
}

impl Telling {
    /// The dialect of a request, which is prepared by it.
    pub(crate) fn of(dialects: &'static [Dialect], request: &mut Request) -> Option<Self> {
        let dialect = dialects.iter().find(|dialect| request.uri().path().starts_with(dialect.prefix))?;
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
