//! `/v1/users/{user}/sessions`: where a user is signed in, and ending that.

use axum::extract::State;
use domain::{AuditAction, AuditEntry, Error, KeyScope, Role, SessionId, UserSession};
use edge::{
    Answer, App, Caller, FilterKind, IfMatch, List, ListSpec, Listed, NoContent, Path, Subject, UserRef, openapi,
};

/// How sessions are listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sessions;

impl ListSpec for Sessions {
    const SORTS: &'static [&'static str] = &["id", "created_at"];
    const DEFAULT_SORT: &'static str = "-id";
    const FILTERS: &'static [(&'static str, FilterKind)] = &[];
}

// The document's macro takes no generic types, but names of them.
type SessionList = openapi::ListOf<UserSession>;

/// Lists the sessions of a user that have not ended, newest first.
///
/// A session begins with a login and ends 30 days later, or when it is ended or signed out, or with a new password.
#[utoipa::path(get, path = "/v1/users/{user}/sessions", tag = "users", params(List<Sessions>),
    responses((status = 200, description = "A page of sessions.", body = SessionList)))]
pub(crate) async fn list_sessions(
    State(app): State<App>,
    caller: Caller,
    Path(user): Path<UserRef>,
    list: List<Sessions>,
) -> Answer<Listed> {
    let subject = caller.acts(user, KeyScope::Read).await?;
    let mut sessions = app.store.sessions(&subject.record).await?;
    let current = current(&caller, &subject);
    for session in &mut sessions {
        session.current = Some(session.token_session.as_str()) == current;
    }
    Ok(list.within(&app, sessions).await?)
}

/// Ends a session of a user: its access tokens and its refresh token are rejected at once.
#[utoipa::path(delete, path = "/v1/users/{user}/sessions/{session}", tag = "users",
    responses((status = 204, description = "The session has ended.")))]
pub(crate) async fn end_session(
    State(app): State<App>,
    caller: Caller,
    Path((user, session)): Path<(UserRef, SessionId)>,
    matches: IfMatch,
) -> Answer<NoContent> {
    let Subject { record, .. } = caller.acts(user, KeyScope::Write).await?;
    matches.check_unversioned()?;
    let sessions = app.store.sessions(&record).await?;
    let found = sessions.into_iter().find(|found| found.id == session).ok_or(Error::NotFound)?;
    let audit = AuditEntry::new(AuditAction::SessionRevoked, record.audit_scope(), record.user.id, caller.act());
    app.store.end_session(&record, (&found.token_session, Some(found.id)), Some(&audit)).await?;
    Ok(NoContent)
}

/// Ends all sessions of a user but the one that the request comes with; all of them, if somebody else asks.
#[utoipa::path(delete, path = "/v1/users/{user}/sessions", tag = "users",
    responses((status = 204, description = "The sessions have ended.")))]
pub(crate) async fn end_sessions(
    State(app): State<App>,
    caller: Caller,
    Path(user): Path<UserRef>,
    matches: IfMatch,
) -> Answer<NoContent> {
    let subject = caller.acts(user, KeyScope::Write).await?;
    matches.check_unversioned()?;
    let record = &subject.record;
    let audit = AuditEntry::new(AuditAction::SessionRevoked, record.audit_scope(), record.user.id, caller.act());
    app.store.end_sessions(record, current(&caller, &subject), &audit).await?;
    Ok(NoContent)
}

/// The caller's own session, if it is one of the user's.
fn current<'a>(caller: &'a Caller, subject: &Subject) -> Option<&'a str> {
    let session = caller.session().ok().filter(|_| subject.role == Role::Itself)?;
    Some(session.claims.session.as_str())
}
