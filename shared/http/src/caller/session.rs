//! Whether the session of a token still holds.

use domain::{Error, Segment, SegmentId, Status, Time, User, UserId};
use identity::Claims;
use store::UserRecord;

use crate::{Access, App};

impl App {
    /// The second in which the session of a fresh access token began.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the pool's keys cannot be had.
    pub async fn began(&self, access_token: &str) -> Result<i64, Error> {
        Ok(self.claims(access_token).await?.began)
    }

    /// The claims of a fresh access token.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the pool's keys cannot be had.
    pub async fn claims(&self, access_token: &str) -> Result<Claims, Error> {
        self.verifier.verify(access_token).await
    }

    /// The record behind a fresh access token, if the session still holds: 1 read.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where the user is gone, shut out or signed out; [`Error::Expired`] and
    /// [`Error::SegmentInactive`] where only that is in the way.
    pub async fn session(&self, access_token: &str) -> Result<UserRecord, Error> {
        let claims = self.verifier.verify(access_token).await?;
        self.session_holder(&claims).await
    }

    /// The user behind a session that still holds.
    pub(super) async fn session_holder(&self, claims: &Claims) -> Result<UserRecord, Error> {
        let (record, segment) = self.user_and_segment(claims.user_id).await?;
        let record = record.filter(|record| holds(record, claims)).ok_or(Error::Unauthenticated)?;
        check_use(&record.user, segment.as_ref())?;
        Ok(record)
    }

    /// Checks that a segment is active in which a user takes part: 1 read for a user of another segment. The segment's own
    /// users are checked with their credential.
    ///
    /// # Errors
    /// [`Error::SegmentInactive`]; [`Error::NotFound`] where it is gone.
    pub async fn check_participation(&self, access: &Access, segment: SegmentId) -> Result<(), Error> {
        if access.user().is_some_and(|record| record.user.segment_id == Some(segment)) {
            return Ok(());
        }
        self.store.segment(segment).await?.check_active()
    }

    /// A user and its segment, if it is in one: 1 read, or 2 in a row for the first request of a segment's user that a
    /// process serves. In which segment a user is never changes, so that a process remembers it.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn user_and_segment(&self, id: UserId) -> Result<(Option<UserRecord>, Option<Segment>), Error> {
        if let Some(segment) = self.homes.find(id) {
            return self.store.user_and_segment(id, segment).await;
        }
        let record = self.store.user(id).await?;
        let Some(segment) = record.as_ref().and_then(|record| record.user.segment_id) else {
            return Ok((record, None));
        };
        self.homes.remember(id, segment);
        match self.store.segment(segment).await {
            Ok(segment) => Ok((record, Some(segment))),
            Err(Error::NotFound) => Ok((record, None)),
            Err(error) => Err(error),
        }
    }
}

/// Checks that a user who has proved who it is may go on: its validity has not ended, and its segment is in use.
///
/// # Errors
/// [`Error::Expired`], [`Error::SegmentInactive`]; [`Error::Unauthenticated`] where its segment is gone.
pub fn check_use(user: &User, segment: Option<&Segment>) -> Result<(), Error> {
    user.check_validity(Time::now())?;
    match (user.segment_id, segment) {
        (None, _) => Ok(()),
        (Some(_), Some(segment)) => segment.check_active(),
        (Some(_), None) => Err(Error::Unauthenticated),
    }
}

/// Whether a user's record still stands behind a token.
fn holds(record: &UserRecord, claims: &Claims) -> bool {
    let lives = record.user.status == Status::Active && !record.user.excluded;
    lives && !record.sessions.are_over(&claims.session, claims.began)
}
