//! Who calls. A [`Caller`] is the only way to an identity, and gives it only once the user behind the token has been
//! read, so that blocking, deleting and signing out work at once.

use std::future::Future;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use domain::{Actor, Error, Status, UserId};
use identity::Claims;
use store::UserRecord;

use crate::limit::{Limited, Reports, account, reports};
use crate::path::UserRef;
use crate::wrap::RequestId;
use crate::{App, Failure};

/// Whoever sent a good token. Whether its user still may call is known after [`Caller::acts`] or [`Caller::reads`].
#[derive(Debug, Clone)]
pub struct Caller {
    app: App,
    claims: Claims,
    token: String,
    request_id: RequestId,
    reports: Reports,
}

impl Caller {
    /// The caller's own record: 1 read.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where the user is gone, shut out or signed out.
    pub async fn live(&self) -> Result<UserRecord, Error> {
        let credential = self.credential();
        let counted = self.app.limiter.take(Limited::Credential, &credential, &self.reports);
        let (record, counted) = tokio::join!(self.app.store.user(self.claims.user_id), counted);
        let record = record?.filter(|record| holds(record, &self.claims)).ok_or(Error::Unauthenticated)?;
        counted?;
        Ok(record)
    }

    /// The user that the path names, if the caller may act on it.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::NotFound`] for somebody else's.
    pub async fn acts(&self, on: UserRef) -> Result<UserRecord, Error> {
        let (record, ()) = self.reads(on, |_| std::future::ready(Ok(()))).await?;
        Ok(record)
    }

    /// The user that the path names, if the caller may see it, and what `read` reads of it, in one round of latency.
    ///
    /// # Errors
    /// As [`Caller::acts`], and those of `read`.
    pub async fn reads<T, F>(&self, of: UserRef, read: impl FnOnce(UserId) -> F) -> Result<(UserRecord, T), Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let id = match of {
            UserRef::Me => self.claims.user_id,
            UserRef::Id(id) => id,
        };
        if id != self.claims.user_id {
            // Nothing of somebody else's is read, but a caller who is shut out learns that first.
            self.live().await?;
            return Err(Error::NotFound);
        }
        let (record, found) = tokio::join!(self.live(), read(id));
        Ok((record?, found?))
    }

    /// Counts a question whether somebody exists.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub async fn asks_who_exists(&self) -> Result<(), Error> {
        self.app.limiter.take(Limited::ExistsByCredential, &self.credential(), &self.reports).await
    }

    /// Counts a try at the caller's own password, as a login would be.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub async fn tries_password(&self) -> Result<(), Error> {
        self.app.limiter.take(Limited::LoginByAccount, &account(self.claims.user_id), &self.reports).await
    }

    /// Who acts, for the history.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::User(self.claims.user_id)
    }

    /// The token itself, for what Cognito does on the user's own behalf.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// What the token says.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The request's id, for the history.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id.0
    }

    /// The name under which cursors and kept answers are this caller's own.
    pub(crate) fn credential(&self) -> String {
        format!("user:{}", self.claims.user_id)
    }
}

/// Whether a user's record still stands behind a token.
fn holds(record: &UserRecord, claims: &Claims) -> bool {
    let sessions = &record.sessions;
    let ended = sessions.ended.is_some_and(|ended| claims.began <= ended)
        && sessions.kept.as_deref() != Some(claims.session.as_str());
    record.user.status == Status::Active && !ended && !sessions.signed_out.contains_key(&claims.session)
}

impl<S: Send + Sync> FromRequestParts<S> for Caller
where
    App: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        // A token is verified once a request, whoever asks for the caller first.
        if let Some(caller) = parts.extensions.get::<Self>() {
            return Ok(caller.clone());
        }
        let app = App::from_ref(state);
        let token = bearer(&parts.headers).ok_or(Error::Unauthenticated)?.to_owned();
        let claims = app.verifier.verify(&token).await?;
        let request_id = parts.extensions.get().cloned().unwrap_or_default();
        let caller = Self { app, claims, token, request_id, reports: reports(parts) };
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }
}

/// The one bearer token of a request.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (scheme, token) = values.next()?.to_str().ok()?.split_once(' ')?;
    let single = values.next().is_none();
    (scheme.eq_ignore_ascii_case("bearer") && single).then_some(token.trim())
}

impl App {
    /// The second in which the session of a fresh access token began.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the pool's keys cannot be had.
    pub async fn began(&self, access_token: &str) -> Result<i64, Error> {
        Ok(self.verifier.verify(access_token).await?.began)
    }

    /// The claims of a fresh access token and the record behind it, if the session still holds: 1 read.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where the user is gone, shut out or signed out.
    pub async fn session(&self, access_token: &str) -> Result<UserRecord, Error> {
        let claims = self.verifier.verify(access_token).await?;
        let record = self.store.user(claims.user_id).await?;
        record.filter(|record| holds(record, &claims)).ok_or(Error::Unauthenticated)
    }
}
