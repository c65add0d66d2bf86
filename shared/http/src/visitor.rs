//! Whoever calls a public route, and the accounts that are named there.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use domain::user::Unique;
use domain::{Act, Actor, Error, Origin, UserId};
use store::{Scope, Store, UserRecord};

use crate::limit::{self, Limited, Limiter, Reports, origin, reports};
use crate::source::source;
use crate::wrap::RequestId;
use crate::{App, Failure};

/// Whoever calls a public route: known by the address that the request came from.
#[derive(Debug, Clone)]
pub struct Visitor {
    limiter: Limiter,
    store: Store,
    reports: Reports,
    source: String,
    request_id: RequestId,
    origin: Arc<Origin>,
}

/// What somebody without a token tries at an account.
#[derive(Debug, Clone, Copy)]
pub enum Attempt {
    /// A password.
    Login,
    /// To be sent a code.
    Recovery,
    /// A code.
    Code,
}

/// How the account is named.
#[derive(Debug, Clone)]
pub enum Account {
    /// By the user's id.
    Id(UserId),
    /// By a unique value.
    Holder(Scope, Unique),
}

impl Attempt {
    /// What it counts as, to the account and to the source.
    fn limits(self) -> (Limited, Limited) {
        match self {
            Self::Login => (Limited::LoginByAccount, Limited::LoginBySource),
            Self::Recovery => (Limited::RecoveryByAccount, Limited::RecoveryBySource),
            Self::Code => (Limited::CodeByAccount, Limited::RecoveryBySource),
        }
    }
}

impl Visitor {
    /// Returns an act of this request by `actor`: the user whom it has proved to be, or [`Actor::Anonymous`].
    #[must_use]
    pub fn act(&self, actor: Actor) -> Act<'_> {
        Act::of(actor, &self.request_id.0).from_origin(&self.origin)
    }

    /// Counts an attempt, to the source and to the account, and finds the account's user: 1 read by id, 2 by a value,
    /// whether there is such a user or not.
    ///
    /// A user's e-mail, username and document name one account. What names nobody counts for itself.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub async fn tries(&self, attempt: Attempt, account: Account) -> Result<Option<UserRecord>, Error> {
        let (by_account, by_source) = attempt.limits();
        let found = async {
            let (id, unknown) = match account {
                Account::Id(id) => (Some(id), String::new()),
                Account::Holder(scope, unique) => {
                    let unknown = format!("{scope:?}|{}|{}", unique.field, unique.value);
                    (self.store.holder(scope, &unique).await?, unknown)
                }
            };
            let name = id.map_or(unknown, limit::account);
            let read = self.store.user(id.unwrap_or_else(UserId::fresh));
            let (counted, found) = tokio::join!(self.take(by_account, &name), read);
            counted?;
            found
        };
        let (counted, found) = tokio::join!(self.take(by_source, &self.source), found);
        counted?;
        found
    }

    /// Counts an attempt at a user's account that needs nothing of the user.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub async fn counts(&self, attempt: Attempt, user: UserId) -> Result<(), Error> {
        let (by_account, by_source) = attempt.limits();
        let name = limit::account(user);
        let (account, source) = tokio::join!(self.take(by_account, &name), self.take(by_source, &self.source));
        account.and(source)
    }

    /// Counts a question whether somebody exists, to the source; the credential is counted by its caller.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub async fn asks_who_exists(&self) -> Result<(), Error> {
        self.take(Limited::ExistsBySource, &self.source).await
    }

    /// Counts a sign-up.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub async fn signs_up(&self) -> Result<(), Error> {
        self.take(Limited::SignUpBySource, &self.source).await
    }

    /// Counts a refresh or anything else that needs no account, to the source.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub async fn comes(&self) -> Result<(), Error> {
        self.take(Limited::LoginBySource, &self.source).await
    }

    async fn take(&self, what: Limited, subject: &str) -> Result<(), Error> {
        self.limiter.take(what, subject, &self.reports).await
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor
where
    App: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let App { limiter, store, .. } = App::from_ref(state);
        let (source, request_id) = (source(parts).to_string(), parts.extensions.get().cloned().unwrap_or_default());
        Ok(Self { limiter, store, reports: reports(parts), source, request_id, origin: origin(parts) })
    }
}
