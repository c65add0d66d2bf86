//! `/v1/users/{user}/email/…`: how a user proves its e-mail, and how a change of it is undone.

use std::time::Duration;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use axum::response::{Html, IntoResponse as _, Response};
use domain::text::Secret;
use domain::{Act, Action, Actor, AuditAction, Email, Entry, Error, KeyScope, Role, Status, Time, User, UserId, body};
use edge::{
    Accepted, Answer, App, Attempt, Base, Body, Caller, IfMatch, JsonOrForm, NoContent, Path, Query, Shown, Subject,
    UndoToken, UserRef, Visitor, retried,
};
use identity::{Identity, wrong_code};
use mail::{EmailChanged, Mail};
use reconcile::{end_without_identity, settled as settle};
use store::{Also, EmailUndo, Pending, PendingKind, UndoChange, UserRecord};

use crate::settled;

body! {
    /// The code that proves an address.
    pub struct EmailCode {
        /// The code; digits, leading zeros included.
        pub code: Secret,
    }
    example { "code": "492817" }
}

body! {
    /// What came with the notice of a change.
    pub struct EmailUndoing {
        /// The token of the notice.
        pub token: Secret,
    }
    example { "token": "eu_AAAAAAAAAAAAAAAAAAAAAAGZ0qRcAHAAgAAAAAAAAAE" }
}

/// For how long a change of e-mail can be undone.
const UNDONE_WITHIN: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Confirms the code that was sent to `pending_email`, which becomes the e-mail; or, without one, the code that was sent to
/// an e-mail that is not verified yet.
///
/// Whether another user has the address is decided here: 409. The former address gets a notice, where the deployment
/// sends notices, by which the change can be undone for 7 days. Magic links of the user end.
#[utoipa::path(post, path = "/v1/users/{user}/email/verification", tag = "users", request_body = EmailCode,
    responses((status = 200, description = "The user, with its e-mail verified.", body = User)))]
pub(crate) async fn verify_email(
    State(state): State<crate::State>,
    caller: Caller,
    visitor: Visitor,
    base: Base,
    Path(user): Path<UserRef>,
    Body(code): Body<EmailCode>,
) -> Answer<Shown> {
    let changed = prove_email(&state, &caller, &visitor, (&base, user), &code).await?;
    Ok(Shown::new(&changed.user))
}

/// Confirms the code that was sent to the address of a user that waits for its proof.
///
/// # Errors
/// [`Error::Invalid`] for a wrong code; [`Error::Conflict`] where no address waits, or another user has it;
/// [`Error::Forbidden`] for everybody but the user itself; as [`Caller::acts`].
pub async fn prove_email(
    crate::State { app, identity, mail }: &crate::State,
    caller: &Caller,
    visitor: &Visitor,
    (base, user): (&Base, UserRef),
    EmailCode { code }: &EmailCode,
) -> Result<UserRecord, Error> {
    let record = own(settled((app, identity), caller, user, KeyScope::Write).await?)?;
    visitor.counts(Attempt::Code, record.user.id).await?;
    let email = waiting(&record.user)?;
    let begun = app.store.begin(&record, PendingKind::Email).await?;
    let proved = match identity.prove_email(&caller.session()?.token, code.reveal()).await {
        Ok(proved) => proved,
        Err(error) => {
            app.store.end_if_refused(&begun, &error).await?;
            if matches!(error, Error::Invalid(_)) {
                caller.record_rejected(AuditAction::EmailCodeRejected, &begun).await?;
            }
            return Err(error);
        }
    };
    if proved.is_none_or(|proved| proved.canonical() != email.canonical()) {
        // The code was sent to another address than the one that waits.
        caller.record_rejected(AuditAction::EmailCodeRejected, &begun).await?;
        restore_identity((app, identity), &begun, wrong_code()).await?;
    }
    let undo = new_undo(mail, &begun.user, &email)?;
    let changed = prove((app, identity), begun, (&email, undo.as_ref()), caller.act()).await?;
    if let Some((token, undo)) = undo {
        let url = base.url(&format!("/v1/users/{}/email/undo?token={}", changed.user.id, token.reveal()));
        let notice = EmailChanged { at: changed.user.updated_at, undo: url };
        mail.send(&undo.email, changed.user.fields.language.as_ref(), &notice).await;
    }
    Ok(changed)
}

/// The address of a user that waits for its proof.
fn waiting(user: &User) -> Result<Email, Error> {
    let unproved = user.fields.email.clone().filter(|_| !user.is_email_verified());
    user.pending_email.clone().or(unproved).ok_or_else(|| {
        Error::conflict("", "not_pending", "No e-mail of this user waits for a code; change the e-mail first.")
    })
}

/// The undo of a change of e-mail, where somebody can be told of it.
fn new_undo(mail: &Mail, user: &User, new: &Email) -> Result<Option<(UndoToken, EmailUndo)>, Error> {
    let old = user.fields.email.clone().filter(|old| old.canonical() != new.canonical() && mail.is_on());
    let Some(email) = old else { return Ok(None) };
    let now = Time::now();
    let expires_at = now.plus(UNDONE_WITHIN).seconds();
    let undo = EmailUndo { email, email_verified: user.is_email_verified(), created_at: now, expires_at };
    Ok(Some((UndoToken::fresh(user.id)?, undo)))
}

/// Writes the e-mail that has been proved; where it cannot be, Cognito gets the one of before again.
async fn prove(
    (app, identity): (&App, &Identity),
    mut record: UserRecord,
    (email, undo): (&Email, Option<&(UndoToken, EmailUndo)>),
    act: Act<'_>,
) -> Result<UserRecord, Error> {
    let pending = record.pending;
    let keeps = undo.map(|(token, undo)| (UndoChange::Keep(token.reveal().to_owned(), undo.clone()), Vec::new()));
    loop {
        let user = record.user.with_proved_email(email.clone(), Time::now());
        let entry = Entry::between(Some(&record.user), &user, Action::Updated, act);
        let also = Also { ends: true, email_undo: keeps.clone(), ..Also::default() };
        match app.store.change_user(&record, &user, &entry, also).await {
            Err(Error::Stale) => {
                record = app.store.user(user.id).await?.ok_or(Error::NotFound)?;
                // Settled, cancelled, replaced or deleted meanwhile.
                if record.pending != pending || waiting(&record.user).ok().as_ref() != Some(email) {
                    return restore_identity((app, identity), &record, Pending::in_progress()).await;
                }
            }
            Err(error @ Error::Conflict(_)) => return restore_identity((app, identity), &record, error).await,
            done => return done,
        }
    }
}

/// Ends a proof for `error`: Cognito has the e-mail of the table again.
async fn restore_identity(
    (app, identity): (&App, &Identity),
    record: &UserRecord,
    error: Error,
) -> Result<UserRecord, Error> {
    identity.set_email(&record.user).await?;
    app.store.end(record).await?;
    Err(error)
}

/// Sends a new code: to `pending_email`, or, without one, to an e-mail that is not verified yet.
#[utoipa::path(post, path = "/v1/users/{user}/email/verification/resend", tag = "users",
    responses((status = 202, description = "A code is on its way.")))]
pub(crate) async fn resend_email_code(
    State(crate::State { app, identity, .. }): State<crate::State>,
    caller: Caller,
    visitor: Visitor,
    Path(user): Path<UserRef>,
) -> Answer<Accepted> {
    let record = own(settled((&app, &identity), &caller, user, KeyScope::Write).await?)?;
    visitor.counts(Attempt::Recovery, record.user.id).await?;
    let email = waiting(&record.user)?;
    let token = &caller.session()?.token;
    match &record.user.pending_email {
        Some(_) => identity.request_email(token, &email).await?,
        None => identity.send_email_code(token).await?,
    }
    Ok(Accepted)
}

/// Drops `pending_email`: the e-mail stays as it is.
#[utoipa::path(delete, path = "/v1/users/{user}/email/pending", tag = "users", operation_id = "cancel_email_change",
    responses((status = 204, description = "No e-mail waits any more.")))]
pub(crate) async fn cancel_email(
    State(app): State<App>,
    caller: Caller,
    Path(user): Path<UserRef>,
    matches: IfMatch,
) -> Answer<NoContent> {
    retried(|| async {
        let Subject { record, .. } = caller.acts(user, KeyScope::Write).await?;
        matches.check(record.user.version)?;
        if record.pending.is_some_and(|pending| pending.kind == PendingKind::Email && !pending.is_abandoned()) {
            return Err(Pending::in_progress());
        }
        cancel_pending(&app, &record, caller.act()).await
    })
    .await?;
    Ok(NoContent)
}

/// Drops the address that waits, if there is one: 1 transaction.
///
/// # Errors
/// [`Error::Stale`] where the user has changed since it was read.
pub(crate) async fn cancel_pending(app: &App, record: &UserRecord, act: Act<'_>) -> Result<(), Error> {
    if record.user.pending_email.is_none() {
        return Ok(());
    }
    let user = User { pending_email: None, ..record.user.next(Time::now()) };
    let entry = Entry::between(Some(&record.user), &user, Action::Updated, act);
    app.store.change_user(record, &user, &entry, Also::default()).await.map(drop)
}

/// Shows a page with a button that undoes a change of e-mail. To look at it uses nothing up, as those who scan mail do.
#[utoipa::path(get, path = "/v1/users/{user}/email/undo", tag = "users", operation_id = "show_email_undo", security(()),
    params(("token" = String, Query, description = "The token of the notice.")),
    responses((status = 200, description = "The page.", body = String, content_type = "text/html")))]
pub(crate) async fn show_undo(Path(user): Path<UserId>, mut query: Query) -> Answer<Response> {
    let mut errors = Vec::new();
    let token = query.take("token", &mut errors);
    query.finish("token", errors)?;
    let token = token.as_deref().and_then(UndoToken::parse).filter(|token| token.user == user).ok_or_else(wrong)?;
    // A token is nothing but letters, digits, dashes and underscores, and needs no escaping.
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Undo</title>\
        <meta name=\"viewport\" content=\"width=device-width\"></head><body>\
        <form method=\"post\" action=\"/v1/users/{user}/email/undo\"><input type=\"hidden\" name=\"token\" value=\"{}\">\
        <button>Undo the change of e-mail</button></form></body></html>",
        token.reveal()
    );
    let headers = [
        (CACHE_CONTROL, "private, no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"),
    ];
    Ok((headers, Html(page)).into_response())
}

/// Undoes a change of e-mail by the token that the former address was sent: the former e-mail is back, later changes and
/// `pending_email` are dropped, and all sessions and magic links end.
///
/// The token is good for 7 days, once. It may also come as a page's form sends it. 409 where another user has taken the
/// address since.
#[utoipa::path(post, path = "/v1/users/{user}/email/undo", tag = "users", operation_id = "undo_email_change", security(()), request_body = EmailUndoing,
    responses((status = 204, description = "The former e-mail is back.")))]
pub(crate) async fn undo_email(
    State(crate::State { app, identity, .. }): State<crate::State>,
    visitor: Visitor,
    Path(user): Path<UserId>,
    JsonOrForm(EmailUndoing { token }): JsonOrForm<EmailUndoing>,
) -> Answer<NoContent> {
    visitor.comes().await?;
    let token = UndoToken::parse(token.reveal()).filter(|token| token.user == user).ok_or_else(wrong)?;
    let act = visitor.act(Actor::User(user));
    retried(|| undo((&app, &identity), &token, act)).await?;
    Ok(NoContent)
}

async fn undo((app, identity): (&App, &Identity), token: &UndoToken, act: Act<'_>) -> Result<(), Error> {
    let (record, kept) =
        tokio::try_join!(app.store.user(token.user), app.store.email_undo(token.user, token.reveal()))?;
    let (Some(record), Some(kept)) = (record, kept) else { return Err(wrong()) };
    let record = settle(&app.store, identity, record).await?.ok_or_else(wrong)?;
    if record.user.status == Status::Deleted {
        return Err(wrong());
    }
    if record.pending.is_some() {
        return Err(Pending::in_progress());
    }
    let newer = app.store.newer_email_undos(token.user, &kept).await?;
    let mut user = record.user.next(Time::now());
    (user.fields.email, user.email_verified, user.pending_email) =
        (Some(kept.email.clone()), Some(kept.email_verified), None);
    let entry = Entry::between(Some(&record.user), &user, Action::Updated, act);
    let also = Also {
        begins: Some(PendingKind::Email),
        ends_sessions: Some(None),
        email_undo: Some((UndoChange::Use(token.reveal().to_owned(), kept), newer)),
        ..Also::default()
    };
    let changed = app.store.change_user(&record, &user, &entry, also).await?;
    match identity.set_email(&changed.user).await? {
        true => app.store.end(&changed).await.map(drop),
        false => end_without_identity(&app.store, identity, &changed).await,
    }
}

fn wrong() -> Error {
    Error::invalid("/token", "invalid_token", "is no token that undoes a change of e-mail, or is used up")
}

/// The user itself, who alone proves its e-mail.
fn own(subject: Subject) -> Result<UserRecord, Error> {
    match subject.role {
        Role::Itself => Ok(subject.record),
        Role::Manager => Err(Error::Forbidden("Only the user itself proves its e-mail; sign in as the user.")),
    }
}
