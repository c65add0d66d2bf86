//! Which segment a call means.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use domain::{Error, KeyScope, Segment, SegmentId};
use edge::{App, Caller, Failure};

/// Names the segment, where the credential does not.
pub(crate) const SEGMENT_HEADER: &str = "x-segment-id";

/// Who calls, and the segment that is meant: that of a segment's key; for an account's key or a master user, the one
/// that `X-Segment-Id` names. Neither is known to hold before [`Place::segment`].
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) caller: Caller,
    pub(crate) id: SegmentId,
}

impl Place {
    /// The segment, for whoever has it. 1 round of latency.
    ///
    /// # Errors
    /// As [`Caller::segment`].
    pub(crate) async fn segment(&self, scope: KeyScope) -> Result<Segment, Error> {
        self.caller.segment(self.id, scope).await
    }
}

impl Place {
    /// Reads the segment that the credential or the header names; neither may name one.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the header names no segment, or another one than the credential.
    pub(crate) async fn find<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<Result<Self, Caller>, Failure>
    where
        App: FromRef<S>,
    {
        let caller = Caller::from_request_parts(parts, state).await?;
        let named = parts.headers.get(SEGMENT_HEADER).filter(|named| !named.is_empty());
        let named = named.map(|named| named.to_str().ok()?.parse::<SegmentId>().ok());
        let id = match (caller.key_segment(), named) {
            (Some(own), None) => own,
            (Some(own), Some(Some(named))) if own == named => own,
            (None, Some(Some(named))) => named,
            // No id names nothing, and a key opens its own segment only. An invalid credential is rejected as such.
            (_, Some(_)) => {
                caller.access().await?;
                return Err(Error::NotFound.into());
            }
            (None, None) => return Ok(Err(caller)),
        };
        Ok(Ok(Self::of(caller, id)))
    }

    /// The caller at this segment.
    pub(crate) fn of(caller: Caller, id: SegmentId) -> Self {
        Self { caller: caller.about(id), id }
    }

    /// Returns the error of a caller that names no segment. An invalid credential is reported first.
    pub(crate) async fn missing(caller: &Caller) -> Failure {
        let message = "is required with a token, or a key of an account: the id of the segment that is meant";
        let missing = Error::invalid("/X-Segment-Id", "required", message);
        caller.access().await.err().unwrap_or(missing).into()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Place
where
    App: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        match Self::find(parts, state).await? {
            Ok(place) => Ok(place),
            Err(caller) => Err(Self::missing(&caller).await),
        }
    }
}
