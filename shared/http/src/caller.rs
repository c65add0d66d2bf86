//! Who calls. A [`Caller`] is the only way to an identity, and gives it only once the user behind the token has been
//! read, so that blocking, deleting and signing out work at once.

use std::collections::BTreeSet;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use domain::{
    Act, Actor, AuditAction, AuditEntry, Error, KeyScope, Name, Origin, Role, Segment, SegmentId, Status, Time, Upload,
    User, UserId,
};
use identity::Claims;
use store::{KeptKey, UserRecord};
use uuid::Uuid;

use crate::access::{Access, ActiveSegmentsOnly};
use crate::credential::KeyCredential;
use crate::key::{ByDeveloper, DeveloperToken};
use crate::limit::{Limited, Reports, account, origin, reports, source_name};
use crate::minimum::KnownCaller;
use crate::path::UserRef;
use crate::source::source;
use crate::tries::Proof;
use crate::wrap::RequestId;
use crate::{App, Failure, scopes};

/// Whoever sent a credential that can be one. Whether it still holds is known after [`Caller::access`].
#[derive(Debug, Clone)]
pub struct Caller {
    app: App,
    credential: Credential,
    /// Who must have written the program that calls, where a dialect asks for it.
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
    /// The segment that the request is about, whatever else it names.
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
    /// The caller, if the credential holds: 1 read for a user; for a key, 2 at once.
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
        let (access, ()) = tokio::try_join!(self.stands_behind(), self.developed())?;
        if let Some(segment) = self.about {
            access.check_active(segment)?;
        }
        self.known.set(self.actor(), access.can_read());
        Ok(access)
    }

    /// Whether the developer's token holds, where one must: 1 read.
    async fn developed(&self) -> Result<(), Error> {
        let Some(token) = &self.developer else { return Ok(()) };
        let kept = self.app.store.developer(token.account, token.id).await?;
        let hash = kept.and_then(|kept| kept.hash).filter(|hash| token.is(hash));
        hash.map(drop).ok_or(Error::Unauthenticated)
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

    /// Counts a question whether somebody exists.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub async fn asks_who_exists(&self) -> Result<(), Error> {
        self.app.limiter.take(Limited::ExistsByCredential, &self.limit_name(), &self.reports).await
    }

    /// Counts a try at the caller's own password, as a login from the same source would be: 1 read.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub async fn tries_password(&self) -> Result<(), Error> {
        let (user, limiter) = (self.session()?.claims.user_id, &self.app.limiter);
        let name = account(user);
        let taken = limiter.take_at(Limited::LoginByAccount, &name, self.source, &self.reports);
        let (taken, failed) = tokio::join!(taken, limiter.check_failures(Proof::Password, (&name, user), self.source));
        taken.and(failed)
    }

    /// Counts a message to an address that the caller chooses, as a recovery from the same source would be: 1 write.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub async fn check_mail_limit(&self) -> Result<(), Error> {
        let name = account(self.session()?.claims.user_id);
        self.app.limiter.take_at(Limited::RecoveryByAccount, &name, self.source, &self.reports).await
    }

    /// Counts and records a try at the caller's own password that proved to be wrong: 2 writes.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn record_wrong_password(&self, record: &UserRecord) -> Result<(), Error> {
        let name = account(record.user.id);
        let counted = self.app.limiter.record_failure(Proof::Password, &name, self.source);
        tokio::try_join!(counted, self.record_rejected(AuditAction::PasswordRejected, record)).map(drop)
    }

    /// Records that what the caller proves itself with was wrong: 1 write.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn record_rejected(&self, action: AuditAction, record: &UserRecord) -> Result<(), Error> {
        let entry = AuditEntry::new(action, record.audit_scope(), record.user.id, self.act()).failed();
        self.app.store.record_audit(&entry).await
    }

    /// Counts an upload that is about to begin against the quota of the caller: of a team where the segment is its own, else
    /// of one user.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub async fn counts_upload(&self, upload: &Upload) -> Result<(), Error> {
        let by = self.actor();
        let is_user = matches!(by, Actor::User(user) if user != upload.owner_id);
        self.app.store.count_upload(upload, by, self.app.limiter.upload_quota(is_user)).await
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

    /// The name under which requests are counted: a key and its tokens share one.
    fn limit_name(&self) -> String {
        match &self.credential {
            Credential::Token(_) => self.credential(),
            Credential::Key(key) => format!("key:{}", key.hash()),
        }
    }
}

/// Whether a user's record still stands behind a token.
fn holds(record: &UserRecord, claims: &Claims) -> bool {
    let lives = record.user.status == Status::Active && !record.user.excluded;
    lives && !record.sessions.are_over(&claims.session, claims.began)
}

/// Whoever calls a route that asks for no credential, and takes one: nobody, where none was sent.
#[derive(Debug, Clone)]
pub struct Anybody(pub Option<Caller>);

impl<S: Send + Sync> FromRequestParts<S> for Anybody
where
    App: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        if !parts.headers.contains_key(AUTHORIZATION) && !parts.headers.contains_key(KEY_HEADER) {
            return Ok(Self(None));
        }
        Caller::from_request_parts(parts, state).await.map(|caller| Self(Some(caller)))
    }
}

/// The header of a key, where there is no bearer token.
const KEY_HEADER: &str = "x-api-key";

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
        let text = credential(&parts.headers).ok_or(Error::Unauthenticated)?;
        let credential = if KeyCredential::is_meant(text) {
            Credential::Key(KeyCredential::parse(&app, text).await?)
        } else {
            let claims = app.verifier.verify(text).await?;
            Credential::Token(Session { claims, token: text.to_owned() })
        };
        let developer = developer(parts, &credential)?;
        let request_id = parts.extensions.get().cloned().unwrap_or_default();
        let (origin, reports, source) = (origin(parts), reports(parts), source(parts));
        let (required, known) = (scopes::required(parts), parts.extensions.get().cloned().unwrap_or_default());
        let active_only = parts.extensions.get::<ActiveSegmentsOnly>().is_some();
        let caller = Self {
            app,
            credential,
            developer,
            request_id,
            origin,
            name: None,
            silent: false,
            reports,
            source,
            required,
            active_only,
            about: None,
            known,
        };
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }
}

/// The developer whose token must hold too: one of the very account.
fn developer(parts: &Parts, credential: &Credential) -> Result<Option<DeveloperToken>, Error> {
    let Some(ByDeveloper(token)) = parts.extensions.get() else { return Ok(None) };
    let account = match credential {
        Credential::Token(session) => session.claims.user_id,
        Credential::Key(secret) => secret.account,
    };
    let token = token.as_deref().and_then(DeveloperToken::parse).filter(|token| token.account == account);
    token.map(Some).ok_or(Error::Unauthenticated)
}

/// The one credential of a request: a bearer token, or a key in the header of its own.
fn credential(headers: &HeaderMap) -> Option<&str> {
    match (headers.contains_key(AUTHORIZATION), headers.get_all(KEY_HEADER).iter().collect::<Vec<_>>().as_slice()) {
        (true, []) => bearer(headers),
        (false, [key]) => key.to_str().ok().filter(|key| KeyCredential::is_meant(key)),
        _ => None,
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
    async fn session_holder(&self, claims: &Claims) -> Result<UserRecord, Error> {
        let (record, segment) = self.user_and_segment(claims.user_id).await?;
        let record = record.filter(|record| holds(record, claims)).ok_or(Error::Unauthenticated)?;
        check_use(&record.user, segment.as_ref())?;
        Ok(record)
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
