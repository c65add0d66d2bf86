//! Who calls. A [`Caller`] is the only way to an identity, and gives it only once the user behind the token has been
//! read, so that blocking, deleting and signing out work at once.

use std::collections::BTreeSet;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::{Act, Actor, Error, KeyScope, Name, Origin, Role, Segment, SegmentId, Time, UserId};
use identity::Claims;
use store::{KeptKey, UserRecord};
use uuid::Uuid;

use crate::App;
use crate::access::Access;
use crate::credential::KeyCredential;
use crate::developer::DeveloperToken;
use crate::limit::{Limited, Reports, source_name};
use crate::minimum::KnownCaller;
use crate::path::UserRef;
use crate::wrap::RequestId;

mod counted;
mod extract;
mod session;

pub use extract::Anybody;
pub use session::check_use;

/// Whoever sent a credential that can be one. Whether it still holds is known after [`Caller::access`].
#[derive(Debug, Clone)]
pub struct Caller {
    app: App,
    credential: Credential,
    /// The token of the developer of the program that calls, where a dialect asks for it.
    developer: Option<DeveloperToken>,
    request_id: RequestId,
    origin: Arc<Origin>,
    /// Who uses the credential, by the name that it gives.
    name: Option<Name>,
    silent: bool,
    reports: Reports,
    source: IpAddr,
    /// The scopes that the route needs of a key.
    required: &'static [KeyScope],
    /// Whether the route reaches no inactive segment.
    active_only: bool,
    /// The segment of the request, if it names one beside the things in it.
    about: Option<SegmentId>,
    known: KnownCaller,
}

#[derive(Debug, Clone)]
enum Credential {
    Token(Session),
    Key(KeyCredential),
}

/// A session of a user who has logged in.
#[derive(Clone)]
pub struct Session {
    /// What its token says.
    pub claims: Claims,
    /// The token itself, for what Cognito does on the user's own behalf.
    pub token: String,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Session({})", self.claims.user_id)
    }
}

/// A user that a caller acts on, and what the caller is to it.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The user.
    pub record: UserRecord,
    /// What the caller is to it.
    pub role: Role,
}

/// How exact it is when a key was used the last time; each time would be a write more a request.
const LAST_USED: Duration = Duration::from_secs(5 * 60);

impl Caller {
    /// The caller, if the credential holds: 1 read for a user; for a key, 2 at once. A developer's token is checked with it.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where the user or key is gone, shut out, signed out or past its end;
    /// [`Error::Expired`], [`Error::SegmentInactive`].
    pub async fn access(&self) -> Result<Access, Error> {
        let name = self.limit_name();
        let counted = self.app.limiter.take(Limited::Credential, &name, &self.reports);
        if let Credential::Key(_) = self.credential {
            // Anybody can make up keys: only those that there are get a counter, and the others count to their source.
            return match self.holder().await {
                Ok(access) => counted.await.map(|()| access),
                Err(Error::Unauthenticated) => {
                    let source = source_name(self.source);
                    self.app.limiter.take(Limited::KeyBySource, &source, &self.reports).await?;
                    Err(Error::Unauthenticated)
                }
                Err(error) => Err(error),
            };
        }
        let (access, counted) = tokio::join!(self.holder(), counted);
        let access = access?;
        counted?;
        Ok(access)
    }

    async fn holder(&self) -> Result<Access, Error> {
        let (access, first_use) = tokio::try_join!(self.stands_behind(), self.check_developer())?;
        if self.developer.is_some() && access.user().is_some_and(|record| record.user.segment_id.is_some()) {
            // Developers write programs for accounts; a user of a segment is none.
            return Err(Error::Unauthenticated);
        }
        if let Some(first) = first_use {
            self.record_first_use(first, &access).await?;
        }
        if let Some(segment) = self.about {
            access.check_active(segment)?;
        }
        self.known.set(self.actor(), access.can_read());
        Ok(access)
    }

    async fn stands_behind(&self) -> Result<Access, Error> {
        match &self.credential {
            Credential::Token(session) => {
                let record = self.app.session_holder(&session.claims).await?;
                let closed = self.closed_segments(&record);
                Ok(Access::of_user(record).without(closed))
            }
            Credential::Key(secret) => self.key(secret).await,
        }
    }

    /// The key that a credential proves, of a user and a segment that are in use.
    async fn key(&self, credential: &KeyCredential) -> Result<Access, Error> {
        let (store, now) = (&self.app.store, Time::now());
        let (KeptKey { key, .. }, owner) = credential.check(store).await?;
        if key.last_used_at.is_none_or(|last| last.plus(LAST_USED) < now) {
            store.key_used(&key, now).await?;
        }
        Ok(Access::of_key(key, self.required, owner.credentials).without(self.closed_segments(&owner)))
    }

    /// The segments of an account that the route does not reach.
    fn closed_segments(&self, owner: &UserRecord) -> BTreeSet<SegmentId> {
        if self.active_only { owner.inactive_segments.clone() } else { BTreeSet::new() }
    }

    /// The caller, and what `read` reads, in one round of latency.
    ///
    /// # Errors
    /// As [`Caller::access`], and those of `read`, in this order.
    pub async fn accesses<T>(&self, read: impl Future<Output = Result<T, Error>>) -> Result<(Access, T), Error> {
        let (access, found) = tokio::join!(self.access(), read);
        Ok((access?, found?))
    }

    /// The segment, for whoever has it: its master user, and keys that reach it and have the scope. 1 round of latency.
    ///
    /// # Errors
    /// As [`Caller::access`]; [`Error::NotFound`] for somebody else's; [`Error::Forbidden`] for a key without the scope.
    pub async fn segment(&self, id: SegmentId, scope: KeyScope) -> Result<Segment, Error> {
        let (access, segment) = self.accesses(self.app.store.segment(id)).await?;
        access.manages(&segment, scope)?;
        Ok(segment)
    }

    /// The id of what an address, a level or a custom field belongs to: 1 read. Whether the caller reaches it is not known
    /// yet.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such thing; as [`Caller::access`] for whoever would not be told so.
    pub async fn home_of<T: From<Uuid>>(&self, thing: Uuid) -> Result<T, Error> {
        match self.app.store.home_of(thing).await? {
            Some(home) => Ok(home),
            None => self.access().await.and(Err(Error::NotFound)),
        }
    }

    /// The user that the path names, if the caller may act on it: itself, or, with the scope, one of its segments'.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::NotFound`] for somebody else's; [`Error::Forbidden`] for a key without the scope.
    pub async fn acts(&self, on: UserRef, scope: KeyScope) -> Result<Subject, Error> {
        let (subject, ()) = self.reads(on, scope, |_| std::future::ready(Ok(()))).await?;
        Ok(subject)
    }

    /// The user that the path names, if the caller may act on it, and what `read` reads of it, in one round of latency.
    ///
    /// # Errors
    /// As [`Caller::acts`], and those of `read`.
    pub async fn reads<T, F>(
        &self,
        of: UserRef,
        scope: KeyScope,
        read: impl FnOnce(UserId) -> F,
    ) -> Result<(Subject, T), Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let own = match &self.credential {
            Credential::Token(session) => Some(session.claims.user_id),
            Credential::Key(_) => None,
        };
        let id = match (of, own) {
            (UserRef::Id(id), _) | (UserRef::Me, Some(id)) => id,
            (UserRef::Me, None) => {
                // A key that does not hold learns that first.
                self.access().await?;
                return Err(Error::NotFound);
            }
        };
        if own == Some(id) {
            let (access, found) = self.accesses(read(id)).await?;
            let record = access.user().cloned().ok_or(Error::NotFound)?;
            return Ok((Subject { record, role: Role::Itself }, found));
        }
        let (access, record, found) = tokio::join!(self.access(), self.app.store.user(id), read(id));
        let (access, record) = (access?, record?.ok_or(Error::NotFound)?);
        access.manages(&record, scope)?;
        Ok((Subject { record, role: Role::Manager }, found?))
    }

    /// Whether the caller may read what it writes; known after [`Caller::access`].
    #[must_use]
    pub fn can_read(&self) -> bool {
        !self.known.is_blind()
    }

    /// Who acts, for the history.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match &self.credential {
            Credential::Token(session) => Actor::User(session.claims.user_id),
            Credential::Key(secret) => Actor::Key(secret.id),
        }
    }

    /// Who acts and by which request, for what is written.
    #[must_use]
    pub fn act(&self) -> Act<'_> {
        Act {
            actor: self.actor(),
            name: self.name.as_ref(),
            request_id: self.request_id(),
            origin: Some(&self.origin),
            silent: self.silent,
        }
    }

    /// The same caller under a name that the history tells.
    #[must_use]
    pub fn named(self, name: Option<Name>) -> Self {
        Self { name, ..self }
    }

    /// The same caller, whose request is about this segment.
    #[must_use]
    pub fn about(self, segment: SegmentId) -> Self {
        Self { about: Some(segment), ..self }
    }

    /// The same caller, of whose changes no event tells.
    #[must_use]
    pub fn silently(self, silent: bool) -> Self {
        Self { silent, ..self }
    }

    /// The one segment that the credential opens, if it is a key of a segment. Whether it holds is not known yet.
    #[must_use]
    pub fn key_segment(&self) -> Option<SegmentId> {
        match &self.credential {
            Credential::Token(_) => None,
            Credential::Key(secret) => secret.segment,
        }
    }

    /// The account that the credential opens, if it is a key. Whether it holds is not known yet.
    #[must_use]
    pub fn key_account(&self) -> Option<UserId> {
        match &self.credential {
            Credential::Token(_) => None,
            Credential::Key(secret) => Some(secret.account),
        }
    }

    /// The account that the credential is of: that of a key, or that of the user itself. Whether it holds is not known yet.
    #[must_use]
    pub fn account(&self) -> UserId {
        match &self.credential {
            Credential::Token(session) => session.claims.user_id,
            Credential::Key(secret) => secret.account,
        }
    }

    /// The developer's token, where the request must have one.
    pub(crate) fn developer(&self) -> Option<&DeveloperToken> {
        self.developer.as_ref()
    }

    /// The application that the request came to.
    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    /// The session of a user who has logged in.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a key.
    pub fn session(&self) -> Result<&Session, Error> {
        match &self.credential {
            Credential::Token(session) => Ok(session),
            Credential::Key(_) => Err(Error::Forbidden("A key cannot do this; log in as the user.")),
        }
    }

    /// The request's id, for the history.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id.0
    }

    /// The name under which cursors and kept answers are this caller's own.
    pub(crate) fn credential(&self) -> String {
        match &self.credential {
            Credential::Token(session) => format!("user:{}", session.claims.user_id),
            Credential::Key(key) => format!("key:{}{}", key.hash(), key.narrowed()),
        }
    }
}
