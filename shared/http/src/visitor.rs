//! Whoever calls a public route, and the accounts that are named there.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use domain::user::Unique;
use domain::{Act, Actor, Error, Origin, UserId};
use store::{Scope, Store, UserRecord};

use crate::limit::{self, Limited, Limiter, Reports, origin, reports, source_name};
use crate::source::source;
use crate::tries::Proof;
use crate::wrap::RequestId;
use crate::{App, Failure};

/// Whoever calls a public route: known by the address that the request came from.
#[derive(Debug, Clone)]
pub struct Visitor {
    limiter: Limiter,
    store: Store,
    reports: Reports,
    source: IpAddr,
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

    /// What can be wrong about it.
    fn proof(self) -> Option<Proof> {
        match self {
            Self::Login => Some(Proof::Password),
            Self::Recovery => None,
            Self::Code => Some(Proof::Code),
        }
    }
}

impl Account {
    /// The name that tries count under: the user's, or else that of the value, which nobody has.
    fn name(&self, user: Option<UserId>) -> String {
        match (user, self) {
            (Some(user), _) => limit::account(user),
            (None, Self::Id(user)) => limit::account(*user),
            (None, Self::Holder(scope, unique)) => format!("{scope:?}|{}|{}", unique.field, unique.value),
        }
    }
}

impl Visitor {
    /// Returns an act of this request by `actor`: the user whom it has proved to be, or [`Actor::Anonymous`].
    #[must_use]
    pub fn act(&self, actor: Actor) -> Act<'_> {
        Act::of(actor, &self.request_id.0).from_origin(&self.origin)
    }

    /// Counts an attempt, to the source and to the source at this account, and finds the account's user: 2 reads by id,
    /// 3 by a value, whether there is such a user or not.
    ///
    /// A user's e-mail, username and document name one account. A value that nobody has counts for itself. A source that
    /// has failed too often at the account today is refused; other sources are not.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub async fn tries(&self, attempt: Attempt, account: &Account) -> Result<Option<UserRecord>, Error> {
        let (by_account, by_source) = attempt.limits();
        let found = async {
            let id = match account {
                Account::Id(id) => Some(*id),
                Account::Holder(scope, unique) => self.store.holder(*scope, unique).await?,
            };
            let name = account.name(id);
            let user = id.unwrap_or_else(UserId::fresh);
            let checked = self.check_failures(attempt, (&name, user));
            let (counted, failed, found) =
                tokio::join!(self.take_at(by_account, &name), checked, self.store.user(user));
            counted?;
            failed?;
            found
        };
        let (counted, found) = tokio::join!(self.take(by_source), found);
        counted?;
        found
    }

    /// Counts a try that proved to be wrong, at the account of `found` or at a value that nobody has: 1 write.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn record_failure(
        &self,
        attempt: Attempt,
        account: &Account,
        found: Option<&UserRecord>,
    ) -> Result<(), Error> {
        let Some(proof) = attempt.proof() else { return Ok(()) };
        let name = account.name(found.map(|record| record.user.id));
        self.limiter.record_failure(proof, &name, self.source).await
    }

    async fn check_failures(&self, attempt: Attempt, account: (&str, UserId)) -> Result<(), Error> {
        match attempt.proof() {
            Some(proof) => self.limiter.check_failures(proof, account, self.source).await,
            None => Ok(()),
        }
    }

    /// Counts an attempt at a user's account that needs nothing of the user.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub async fn counts(&self, attempt: Attempt, user: UserId) -> Result<(), Error> {
        let (by_account, by_source) = attempt.limits();
        let name = limit::account(user);
        let (account, source) = tokio::join!(self.take_at(by_account, &name), self.take(by_source));
        account.and(source)
    }

    /// Counts a question whether somebody exists, to the source; the credential is counted by its caller.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub async fn asks_who_exists(&self) -> Result<(), Error> {
        self.take(Limited::ExistsBySource).await
    }

    /// Counts a sign-up.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub async fn signs_up(&self) -> Result<(), Error> {
        self.take(Limited::SignUpBySource).await
    }

    /// Counts the registration of a developer, to the source.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub async fn check_developer_registration(&self) -> Result<(), Error> {
        self.take(Limited::DevelopersBySource).await
    }

    /// Counts a request for a developer's token, to the source.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub async fn check_developer_token_request(&self) -> Result<(), Error> {
        self.take(Limited::DeveloperTokensBySource).await
    }

    /// Counts a refresh or anything else that needs no account, to the source.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub async fn comes(&self) -> Result<(), Error> {
        self.take(Limited::LoginBySource).await
    }

    /// Counts to the source.
    async fn take(&self, what: Limited) -> Result<(), Error> {
        self.limiter.take(what, &source_name(self.source), &self.reports).await
    }

    /// Counts to the source at an account.
    async fn take_at(&self, what: Limited, account: &str) -> Result<(), Error> {
        self.limiter.take_at(what, account, self.source, &self.reports).await
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor
where
    App: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let App { limiter, store, .. } = App::from_ref(state);
        let (source, request_id) = (source(parts), parts.extensions.get().cloned().unwrap_or_default());
        Ok(Self { limiter, store, reports: reports(parts), source, request_id, origin: origin(parts) })
    }
}
