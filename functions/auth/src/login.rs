//! `POST /v1/auth/login`.

use std::time::Duration;

use axum::extract::State;
use domain::audit::AuditResult;
use domain::text::{Country, Secret};
use domain::user::Unique;
use domain::{
    Actor, AuditAction, AuditEntry, Document, Email, Error, NamedUsername, Segment, SegmentId, Status, Time, UserId,
    body,
};
use edge::{Account, Answer, App, Attempt, Body, Rendered, RequestId, Visitor, check_use};
use identity::{Identity, LoggedIn};
use store::{Pending, UserRecord};

use crate::{TokenSet, activate, begin_session};

body! {
    /// Who logs in: one of e-mail, username or document, and the password.
    pub struct Login {
        /// The user's e-mail.
        pub email: Option<Email>,
        /// Or its username.
        pub username: Option<NamedUsername>,
        /// Or its identity document.
        pub document: Option<Document>,
        /// The user's `operation_country`, where the segment's identifications are unique by country.
        pub country: Option<Country>,
        /// The password.
        pub password: Secret,
        /// The segment of a segment user.
        pub segment_id: Option<SegmentId>,
    }
    example { "email": "ana@example.com", "password": "correct horse battery" }
}

impl Login {
    /// The one value that names the user.
    fn named(&self) -> Result<Unique, Error> {
        let given = [
            self.email.as_ref().map(Unique::email),
            self.username.as_ref().map(|named| Unique::username(&named.0)),
            self.document.as_ref().map(|document| Unique::identification(document, self.country.as_ref())),
        ];
        let mut given = given.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(one), None) => Ok(one),
            _ => Err(Error::invalid("", "one_of", "Name the user by exactly one of email, username and document.")),
        }
    }
}

/// Logs in.
///
/// A wrong password, an unknown user and a blocked user get the same answer.
#[utoipa::path(post, path = "/v1/auth/login", tag = "auth", operation_id = "log_in", security(()), request_body = Login,
    responses((status = 200, description = "Tokens.", body = TokenSet)))]
pub async fn login(
    State(app): State<App>,
    State(identity): State<Identity>,
    visitor: Visitor,
    request_id: RequestId,
    Body(login): Body<Login>,
) -> Answer<Rendered> {
    log_in((&app, &identity), (&visitor, &request_id), login, Requirement::None).await
}

/// A condition of a login besides the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// Nothing.
    None,
    /// This segment.
    Segment(SegmentId),
    /// Exactly one segment.
    OnlySegment,
}

impl Requirement {
    /// Checks a user whose password is right: 1 read where anything is required.
    async fn check(self, app: &App, record: &UserRecord) -> Result<(), Error> {
        let account = record.user.id;
        match self {
            Self::None => Ok(()),
            Self::Segment(id) => {
                let segment = segment_of(app, Some(id)).await?.filter(|segment| segment.owner_id == account);
                segment.ok_or(Error::Unauthenticated)?.check_active()
            }
            Self::OnlySegment => app.store.only_segment(account).await?.map(drop).ok_or(Error::Unauthenticated),
        }
    }
}

/// Logs a user in who has what is required.
///
/// # Errors
/// [`Error::Unauthenticated`] for a wrong password, an unknown user, and one that lacks what is required;
/// [`Error::Unverified`], [`Error::Expired`], [`Error::SegmentInactive`]; [`Error::RateLimited`].
pub async fn log_in(
    (app, identity): (&App, &Identity),
    (visitor, request_id): (&Visitor, &RequestId),
    login: Login,
    required: Requirement,
) -> Answer<Rendered> {
    let account = Account::Holder(login.segment_id.into(), login.named()?);
    let tries = visitor.tries(Attempt::Login, &account);
    let (named, segment) = tokio::join!(tries, segment_of(app, login.segment_id));
    let (named, segment) = (named?, segment?);
    let found = named.clone().filter(|record| matches!(record.user.status, Status::Active | Status::Unverified));
    let found = found.filter(|record| !record.user.excluded);
    // For whoever cannot log in, Cognito is asked all the same, so that neither answer nor time tells why.
    let id = found.as_ref().map_or_else(UserId::fresh, |record| record.user.id);
    match (logged_in(app, identity, id, login.password.reveal(), found.as_ref()).await?, found) {
        (LoggedIn::Tokens(tokens), Some(record)) => {
            let in_use = check_use(&record.user, segment.as_ref());
            let checked = match in_use {
                Ok(()) => required.check(app, &record).await,
                refused => refused,
            };
            if let Err(error) = checked {
                let failed = AuditAction::LoginFailed;
                record_failure((app, visitor), failed, Some(&record), login.segment_id).await?;
                return Err(error.into());
            }
            if record.user.status == Status::Unverified {
                // Cognito has confirmed the user, the table has not heard of it: the verification was cut off in
                // between. Whoever was faster has done the same.
                match activate(app, &record, request_id, None).await {
                    Ok(()) | Err(Error::Stale) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            // All sessions may have ended while the password was checked. This one must not outlive that.
            let now = app.store.user(id).await?.ok_or(Error::Unauthenticated)?;
            if now.sessions.ended != record.sessions.ended {
                return Err(Pending::in_progress().into());
            }
            let act = visitor.act(Actor::User(id));
            let audit = AuditEntry::new(AuditAction::LoginSucceeded, record.audit_scope(), id, act);
            Ok(begin_session(app, &record, tokens, (act, Some(audit))).await?)
        }
        (LoggedIn::Unverified, Some(record)) => {
            let failed = AuditAction::LoginFailed;
            record_failure((app, visitor), failed, Some(&record), login.segment_id).await?;
            Err(Error::Unverified(id).into())
        }
        (LoggedIn::Wrong, _) | (_, None) => {
            let counted = visitor.record_failure(Attempt::Login, &account, named.as_ref());
            let failed = AuditAction::LoginFailed;
            let recorded = record_failure((app, visitor), failed, named.as_ref(), login.segment_id);
            tokio::try_join!(counted, recorded)?;
            Err(Error::Unauthenticated.into())
        }
    }
}

/// Records a rejected attempt under the account of the user that it named; of an unknown name nothing is kept.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn record_failure(
    (app, visitor): (&App, &Visitor),
    action: AuditAction,
    named: Option<&UserRecord>,
    segment: Option<SegmentId>,
) -> Result<(), Error> {
    record_attempt((app, visitor), (action, AuditResult::Failed), named, segment).await
}

/// Records what somebody without a credential did to the account of the user that it named; of an unknown name nothing is
/// kept, in as many writes.
pub(crate) async fn record_attempt(
    (app, visitor): (&App, &Visitor),
    (action, result): (AuditAction, AuditResult),
    named: Option<&UserRecord>,
    segment: Option<SegmentId>,
) -> Result<(), Error> {
    let Some(record) = named else { return app.store.pretend_audit(segment).await };
    let (scope, act) = (record.audit_scope(), visitor.act(Actor::Anonymous));
    let entry = AuditEntry { result, ..AuditEntry::new(action, scope, record.user.id, act) };
    app.store.record_audit(&entry).await
}

/// The segment that a login names, if it names one that exists: 1 read.
pub(crate) async fn segment_of(app: &App, segment: Option<SegmentId>) -> Result<Option<Segment>, Error> {
    let Some(segment) = segment else { return Ok(None) };
    match app.store.segment(segment).await {
        Err(Error::NotFound) => Ok(None),
        found => found.map(Some),
    }
}

/// How often a login begins anew: once, unless Cognito's clock is late.
const TRIES: u32 = 3;

/// Checks the password. A token tells only the second in which its session began: where all sessions ended within that
/// second, the login begins anew in the next one, so that it holds.
async fn logged_in(
    app: &App,
    identity: &Identity,
    id: UserId,
    password: &str,
    found: Option<&UserRecord>,
) -> Result<LoggedIn, Error> {
    let ended = found.and_then(|record| record.sessions.ended);
    for _ in 0..=TRIES {
        let logged_in = identity.login(id, password).await?;
        match (&logged_in, ended) {
            (LoggedIn::Tokens(tokens), Some(ended)) if app.began(&tokens.access_token).await? <= ended => {
                let millis = Time::now().millis().rem_euclid(1000).unsigned_abs();
                tokio::time::sleep(Duration::from_millis(1000 - millis)).await;
            }
            _ => return Ok(logged_in),
        }
    }
    Err(Error::Unavailable("Cognito's clock is behind the end of the user's sessions".into()))
}
