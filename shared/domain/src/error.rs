//! Everything that a client can tell apart when a request fails.

use serde::Serialize;

use crate::id::UserId;

/// The boxed cause of a failure that is ours; it is logged and never shown.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A failed request. It knows no HTTP: the edge turns each variant into a status, in one place.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields or parameters break a rule; every broken rule is listed.
    #[error("The request has fields that are not valid.")]
    Invalid(Vec<FieldError>),
    /// The body is no JSON at all.
    #[error("The body is not valid JSON: {0}.")]
    Malformed(String),
    /// No credential, or one that does not hold (any more).
    #[error("The credentials are missing, wrong or no longer valid; log in again.")]
    Unauthenticated,
    /// The right credential of a user whose `valid_until` has passed, or of a key of such a user.
    #[error("The user's validity has ended; its segment's owner can extend it, and a master user can restore itself.")]
    Expired,
    /// The right credential of a segment that is out of use.
    #[error("The segment is inactive; its owner can activate it again.")]
    SegmentInactive,
    /// The right password of a user whose e-mail has not been verified yet.
    #[error("The e-mail address is not verified yet; verify it with the code that was sent, then log in.")]
    Unverified(UserId),
    /// One's own thing, but not with this credential, or not in this deployment.
    #[error("{0}")]
    Forbidden(&'static str),
    /// Nothing there, or somebody else's.
    #[error("There is nothing here that you can reach.")]
    NotFound,
    /// What was asked for existed and is kept no longer.
    #[error("{0}")]
    Gone(&'static str),
    /// A value that must be unique is taken, or the thing is in a state that does not allow this.
    #[error("The request conflicts with what is there.")]
    Conflict(Vec<FieldError>),
    /// The object has another version than the request names.
    #[error("The object has changed since you read it; read it again and repeat the change.")]
    OtherVersion,
    /// Something else has been written since it was read: whoever reads it again may repeat the change.
    #[error("The object has changed since you read it; read it again and repeat the change.")]
    Stale,
    /// Too many requests; seconds until the next may pass.
    #[error("Too many requests; wait as long as Retry-After says.")]
    RateLimited {
        /// Seconds to wait.
        retry_after: u64,
    },
    /// A part that Muster stands on does not answer; the same request may pass later.
    #[error("The service cannot answer right now; repeat the request in a moment.")]
    Unavailable(#[source] Cause),
    /// A fault of ours.
    #[error("Something went wrong on our side; the request id finds it in the logs.")]
    Internal(#[source] Cause),
}

impl Error {
    /// One invalid field.
    #[must_use]
    pub fn invalid(pointer: &str, code: &'static str, message: &str) -> Self {
        Self::Invalid(vec![FieldError::new(pointer, code, message)])
    }

    /// One conflicting field.
    #[must_use]
    pub fn conflict(pointer: &str, code: &'static str, message: &str) -> Self {
        Self::Conflict(vec![FieldError::new(pointer, code, message)])
    }

    /// A fault of ours, told by a sentence for the log.
    #[must_use]
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::Internal(cause.into())
    }

    /// The same error with each of its fields as `change` makes it, where it has any.
    #[must_use]
    pub fn map_fields(mut self, change: impl Fn(FieldError) -> FieldError) -> Self {
        if let Self::Invalid(fields) | Self::Conflict(fields) = &mut self {
            *fields = std::mem::take(fields).into_iter().map(change).collect();
        }
        self
    }

    /// Whether it is only that another change is under way, so that the same may pass in a moment.
    #[must_use]
    pub fn is_in_progress(&self) -> bool {
        matches!(self, Self::Conflict(fields) if fields.iter().any(|field| field.code == "in_progress"))
    }

    /// Whether nobody knows if the work was done: something that it needs, or Muster itself, has failed.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Internal(_))
    }

    /// Whether the same request may pass later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.is_outcome_unknown() || self.is_in_progress() || matches!(self, Self::RateLimited { .. })
    }

    /// The stable code that programs branch on.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::Malformed(_) => "malformed",
            Self::Unauthenticated => "unauthenticated",
            Self::Expired => "expired",
            Self::SegmentInactive => "segment_inactive",
            Self::Unverified(_) => "unverified",
            Self::Forbidden(_) => "forbidden",
            Self::NotFound => "not_found",
            Self::Gone(_) => "gone",
            Self::Conflict(_) if self.is_in_progress() => "in_progress",
            Self::Conflict(_) => "conflict",
            Self::OtherVersion | Self::Stale => "precondition_failed",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unavailable(_) => "unavailable",
            Self::Internal(_) => "internal",
        }
    }
}

/// One field of a request that cannot stand, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// RFC 6901 pointer into the body, or into the query seen as an object (`/page[size]`).
    pub pointer: String,
    /// Stable, for programs.
    pub code: &'static str,
    /// One sentence for people: what to do.
    pub message: String,
}

impl FieldError {
    /// A field error; `message` must not repeat what the client sent.
    #[must_use]
    pub fn new(pointer: &str, code: &'static str, message: &str) -> Self {
        Self { pointer: pointer.to_owned(), code, message: message.to_owned() }
    }

    /// Whether the error is about the value at the pointer `outer`, or about a part of it.
    #[must_use]
    pub fn is_within(&self, outer: &str) -> bool {
        self.pointer.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}
