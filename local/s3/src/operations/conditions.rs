//! Conditional requests (RFC 9110, section 13).

use s3s::dto::{ETag, ETagCondition, Timestamp};
use s3s::{S3Error, S3Result, s3_error};

use super::time;
use crate::store::Object;

/// The preconditions of a request.
#[derive(Default)]
pub(super) struct Conditions {
    pub(super) matches: Option<ETagCondition>,
    pub(super) none_match: Option<ETagCondition>,
    pub(super) modified_since: Option<Timestamp>,
    pub(super) unmodified_since: Option<Timestamp>,
}

impl Conditions {
    /// For reading: an object that the reader already has is 304.
    pub(super) fn check_read(&self, object: &Object) -> S3Result<()> {
        self.check_match(object)?;
        let unchanged = match (&self.none_match, &self.modified_since) {
            (Some(etag), _) => names(etag, object),
            (None, Some(since)) => modified(object) <= *since,
            (None, None) => false,
        };
        if unchanged { Err(not_modified(object)) } else { Ok(()) }
    }

    /// For the source of a copy: 412 where a reader would get 304.
    pub(super) fn check_source(&self, object: &Object) -> S3Result<()> {
        self.check_read(object).map_err(|_| failed())
    }

    /// For what a write replaces.
    pub(super) fn check_write(&self, old: Option<&Object>) -> S3Result<()> {
        match (&self.matches, old) {
            (Some(_), None) => return Err(s3_error!(NoSuchKey, "The specified key does not exist.")),
            (Some(etag), Some(old)) if !names(etag, old) => return Err(failed()),
            (Some(_) | None, _) => {}
        }
        match (&self.none_match, old) {
            (Some(etag), Some(old)) if names(etag, old) => Err(failed()),
            (Some(_) | None, _) => Ok(()),
        }
    }

    fn check_match(&self, object: &Object) -> S3Result<()> {
        let changed = match (&self.matches, &self.unmodified_since) {
            (Some(etag), _) => !names(etag, object),
            (None, Some(since)) => modified(object) > *since,
            (None, None) => false,
        };
        if changed { Err(failed()) } else { Ok(()) }
    }
}

pub(super) fn etag(object: &Object) -> ETag {
    ETag::Strong(object.md5.clone())
}

fn names(condition: &ETagCondition, object: &Object) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(etag) => etag.value() == object.md5,
    }
}

/// HTTP's times have whole seconds.
fn modified(object: &Object) -> Timestamp {
    time(object.modified / 1000 * 1000)
}

fn failed() -> S3Error {
    s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold")
}

fn not_modified(object: &Object) -> S3Error {
    let mut error = s3_error!(NotModified, "Not Modified");
    if let Ok(etag) = etag(object).to_http_header() {
        let headers = [(hyper::header::ETAG, etag)];
        error.set_headers(headers.into_iter().collect());
    }
    error
}
