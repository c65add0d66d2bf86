//! `If-Match` and `If-None-Match` (RFC 9110): an object's version is its strong `ETag`.

use axum::extract::FromRequestParts;
use axum::http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use domain::Error;

use crate::Failure;

/// Which versions a change may be made to.
#[derive(Debug, Clone, Default)]
pub struct IfMatch(Tags);

/// Which versions the client has already.
#[derive(Debug, Clone, Default)]
pub struct IfNoneMatch(Tags);

#[derive(Debug, Clone, Default)]
enum Tags {
    /// No such header.
    #[default]
    Absent,
    /// `*`.
    Any,
    /// These; what is no tag of ours matches nothing.
    These(Vec<String>),
}

/// The tag of a version.
pub(crate) fn tag(version: u64) -> String {
    format!("\"{version}\"")
}

impl IfMatch {
    /// Refuses the change of an object that has another version than the client named.
    ///
    /// What is wrong with the change is told first: a precondition counts for a request that would succeed (RFC 9110, section
    /// 13.2.1).
    ///
    /// # Errors
    /// [`Error::OtherVersion`].
    pub fn check(&self, version: u64) -> Result<(), Error> {
        match &self.0 {
            Tags::Absent | Tags::Any => Ok(()),
            Tags::These(tags) if tags.contains(&tag(version)) => Ok(()),
            Tags::These(_) => Err(Error::OtherVersion),
        }
    }

    /// Refuses the change of a thing that has no versions, unless the client takes any.
    ///
    /// # Errors
    /// [`Error::OtherVersion`].
    pub fn check_unversioned(&self) -> Result<(), Error> {
        if matches!(self.0, Tags::These(_)) { Err(Error::OtherVersion) } else { Ok(()) }
    }
}

impl IfNoneMatch {
    /// Whether the client has this version.
    #[must_use]
    pub fn has(&self, version: u64) -> bool {
        match &self.0 {
            Tags::Absent => false,
            Tags::Any => true,
            // Compared weakly, as RFC 9110 has it for this header.
            Tags::These(tags) => tags.iter().any(|found| found.trim_start_matches("W/") == tag(version)),
        }
    }
}

fn tags(parts: &Parts, name: HeaderName) -> Tags {
    let mut values = parts.headers.get_all(name).iter().peekable();
    if values.peek().is_none() {
        return Tags::Absent;
    }
    let tags = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let tags: Vec<_> = tags.map(|tag| tag.trim().to_owned()).collect();
    if tags.iter().any(|tag| tag == "*") { Tags::Any } else { Tags::These(tags) }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Ok(Self(tags(parts, IF_MATCH)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Ok(Self(tags(parts, IF_NONE_MATCH)))
    }
}
