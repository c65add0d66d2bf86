//! `POST /v1/users/{user}/magic-link` and `/v1/auth/magic-link`: a link that signs a user in once, within a day.

use std::time::Duration;

use auth::{TokenSet, begin_session, record_failure};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use axum::response::{Html, IntoResponse as _, Response};
use domain::text::Secret;
use domain::{
    Act, Action, Actor, AuditAction, AuditEntry, AuditScope, Error, KeyScope, Role, Segment, SegmentId, Status, Time,
    User, body,
};
use edge::{
    Answer, App, Base, Caller, Found, JsonOrForm, LinkToken, Path, Query, Rendered, RequestId, Subject, UserRef,
    Visitor, check_use, one_time_secret,
};
use identity::{Identity, Tokens, random_password};
use reconcile::settled;
use serde_json::json;
use store::{PasswordEffects, Pending, UserRecord};
use utoipa::ToSchema;

use crate::password::set_password;

/// How long a link is good.
const GOOD: Duration = Duration::from_secs(24 * 60 * 60);

/// How long the secret lives by which who redeems a link is signed in.
const SIGN_IN_WITHIN: Duration = Duration::from_secs(60);

/// Where links lead where their segment names no page of its own.
const PAGE: &str = "/v1/auth/magic-link";

/// A link that signs a user in.
#[derive(Debug, ToSchema)]
pub struct MagicLink {
    /// Where it leads, with the token in its query.
    pub url: String,
    /// The token alone, for whoever shows no link: it is redeemed at `/v1/auth/magic-link`.
    pub token: String,
    /// Until when it is good, unless it is used before.
    pub expires_at: Time,
    /// The user or key that created it.
    pub created_by: Actor,
}

body! {
    /// What came with a magic link.
    pub struct Redemption {
        /// The token of the link.
        pub token: Secret,
    }
    example { "token": "ml_AAAAAAAAAAAAAAAAAAAAAAGZ0qRcAHAAgAAAAAAAAAE" }
}

/// Makes a link that signs the user in, once, within 24 hours. It leads to the page that the segment's settings name, or
/// else to this deployment's own; whoever has it can use it, so give it to nobody but the user.
#[utoipa::path(post, path = "/v1/users/{user}/magic-link", tag = "users", operation_id = "create_magic_link",
    responses((status = 200, description = "The link.", body = MagicLink)))]
pub(crate) async fn create_link(
    State(app): State<App>,
    caller: Caller,
    base: Base,
    Path(user): Path<UserRef>,
) -> Answer<Rendered> {
    let Subject { record, role } = caller.acts(user, KeyScope::Admin).await?;
    let segment: Option<SegmentId> = record.user.segment_id.filter(|_| role == Role::Manager);
    let only_others = "Whoever has the segment of a user makes its links; nobody makes one for itself.";
    let segment = app.store.segment(segment.ok_or(Error::Forbidden(only_others))?).await?;
    let link = new_link(&app, &base, (&segment, &record.user), caller.act()).await?;
    let MagicLink { url, token, expires_at, created_by } = link;
    Ok(Rendered(json!({ "url": url, "token": token, "expires_at": expires_at, "created_by": created_by })))
}

/// A new link for a user of the segment: 1 transaction.
///
/// # Errors
/// [`Error::Conflict`] where the user is not in use.
pub async fn new_link(
    app: &App,
    base: &Base,
    (segment, user): (&Segment, &User),
    act: Act<'_>,
) -> Result<MagicLink, Error> {
    check_links(segment)?;
    let (token, expires_at) = new_token(app, segment, user, act).await?;
    // A page that was accepted before only https was leads nowhere any more.
    let url = match segment.fields.settings.0.magic_link_url.as_ref().filter(|page| page.is_secure()) {
        Some(page) => page.with("token", &token),
        None => base.url(&format!("{PAGE}?token={token}")),
    };
    Ok(MagicLink { url, token, expires_at, created_by: act.actor })
}

/// Refuses links of a segment that is not in use.
///
/// # Errors
/// [`Error::Conflict`].
pub fn check_links(segment: &Segment) -> Result<(), Error> {
    let inactive = |_| Error::conflict("", "not_active", "The segment is inactive; activate it first.");
    segment.check_active().map_err(inactive)
}

/// The token of a new link for a user, and until when it is good: 1 transaction.
///
/// # Errors
/// [`Error::Conflict`] where the user is not in use.
pub async fn new_token(
    app: &App,
    scope: impl Into<AuditScope>,
    user: &User,
    act: Act<'_>,
) -> Result<(String, Time), Error> {
    let (token, expires_at) = (LinkToken::fresh(user.id)?, Time::now().plus(GOOD));
    let audit = AuditEntry::new(AuditAction::MagicLinkCreated, scope, user.id, act);
    app.store.make_link(user.id, token.reveal(), expires_at, &audit).await?;
    Ok((token.reveal().to_owned(), expires_at))
}

/// Shows a page with a button that signs in by the link. To look at it uses nothing up, as those who scan mail do.
#[utoipa::path(get, path = "/v1/auth/magic-link", tag = "auth", operation_id = "show_magic_link", security(()),
    params(("token" = String, Query, description = "The token of the link.")),
    responses((status = 200, description = "The page.", body = String, content_type = "text/html")))]
pub(crate) async fn show_link(mut query: Query) -> Answer<Response> {
    let mut errors = Vec::new();
    let token = query.take("token", &mut errors);
    query.finish("token", errors)?;
    let token = token.as_deref().and_then(LinkToken::parse);
    let wrong = || Error::invalid("/token", "invalid_token", "is no token of a magic link");
    Ok(render_page(&token.ok_or_else(wrong)?))
}

/// Opens a link that leads to this deployment: redirects to the page that the settings of its segment name, or else shows
/// the page with the button. 1 write for the limit, up to 3 reads.
///
/// # Errors
/// [`Error::RateLimited`].
pub async fn open_link(app: &App, visitor: &Visitor, token: &LinkToken) -> Result<Response, Error> {
    let (counted, found) = tokio::join!(visitor.comes(), app.user_and_segment(token.user));
    counted?;
    let (Some(record), Some(segment)) = found? else { return Ok(render_page(token)) };
    let page = segment.fields.settings.0.magic_link_url.as_ref().filter(|page| page.is_secure());
    // A token that was made up must not tell whose segment it names.
    match page {
        Some(page) if app.store.is_link_good(&record, token.reveal()).await? => {
            Ok(Found(page.with("token", token.reveal())).into_response())
        }
        _ => Ok(render_page(token)),
    }
}

/// The page with the button.
fn render_page(token: &LinkToken) -> Response {
    let page = page(token.reveal());
    let headers = [
        (CACHE_CONTROL, "private, no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"),
    ];
    (headers, Html(page)).into_response()
}

/// The page; a token is nothing but letters, digits, dashes and underscores, and needs no escaping.
fn page(token: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sign in</title>\
        <meta name=\"viewport\" content=\"width=device-width\"></head><body><form method=\"post\" action=\"{PAGE}\">\
        <input type=\"hidden\" name=\"token\" value=\"{token}\"><button>Sign in</button></form></body></html>"
    )
}

/// Signs in by a magic link, which is used up by that.
///
/// Whoever comes second, or with a link of a user who is not in use any more, gets the same answer as with a wrong one. The
/// token may also come as a page's form sends it.
#[utoipa::path(post, path = "/v1/auth/magic-link", tag = "auth", operation_id = "redeem_magic_link", security(()), request_body = Redemption,
    responses((status = 200, description = "Tokens, as after a login.", body = TokenSet)))]
pub(crate) async fn redeem_link(
    State(app): State<App>,
    State(identity): State<Identity>,
    visitor: Visitor,
    request_id: RequestId,
    JsonOrForm(redemption): JsonOrForm<Redemption>,
) -> Answer<Rendered> {
    let Some(token) = LinkToken::parse(redemption.token.reveal()) else {
        visitor.comes().await?;
        return Err(Error::Unauthenticated.into());
    };
    let id = token.user;
    let (counted, found) = tokio::join!(visitor.comes(), app.user_and_segment(id));
    counted?;
    let (named, segment) = found?;
    let rejected = async |error: Error| {
        if matches!(error, Error::Unauthenticated | Error::Expired | Error::SegmentInactive) {
            record_failure((&app, &visitor), AuditAction::MagicLinkRejected, named.as_ref(), None).await?;
        }
        Err(error.into())
    };
    let record = match ready((&app, &identity), named.clone(), &token).await {
        Ok(record) => record,
        Err(error) => return rejected(error).await,
    };
    if let Err(error) = check_use(&record.user, segment.as_ref()) {
        // Only who has a link learns why it signs nobody in; the link stays good for as long as it would.
        let is_good = app.store.is_link_good(&record, token.reveal()).await?;
        return rejected(if is_good { error } else { Error::Unauthenticated }).await;
    }
    let secret = one_time_secret()?;
    let audit = AuditEntry::new(AuditAction::MagicLinkRedeemed, record.audit_scope(), id, visitor.act(Actor::User(id)));
    let until = Time::now().plus(SIGN_IN_WITHIN);
    if let Err(error) = app.store.redeem_link(&record, token.reveal(), (&secret, until), &audit).await {
        return rejected(error).await;
    }
    let tokens = sign_in(&app, &identity, &record, &secret, &request_id).await?;
    Ok(begin_session(&app, &record, tokens, (visitor.act(Actor::User(id)), None)).await?)
}

/// Signs in by a one-time secret, with a new identity for a user who has none.
async fn sign_in(
    app: &App,
    identity: &Identity,
    record: &UserRecord,
    secret: &str,
    request_id: &RequestId,
) -> Result<Tokens, Error> {
    let id = record.user.id;
    let ended = match record.has_login {
        true => record.sessions.ended,
        false => Some(create_identity(app, identity, record, request_id).await?),
    };
    outlast(ended).await;
    match identity.login_once(id, secret).await {
        Err(Error::Unauthenticated) if record.has_login && !identity.exists(id).await? => {
            // The record names an identity that Cognito does not have: the link has been used up by this sign-in all
            // the same, so the identity is created and the sign-in repeated with a secret of its own.
            outlast(Some(create_identity(app, identity, record, request_id).await?)).await;
            let secret = one_time_secret()?;
            app.store.make_one_time(id, &secret, Time::now().plus(SIGN_IN_WITHIN)).await?;
            identity.login_once(id, &secret).await
        }
        signed_in => signed_in,
    }
}

/// Waits until the second is over in which all sessions ended: a token names only the second in which its session began.
async fn outlast(ended: Option<i64>) {
    let Some(ended) = ended else { return };
    while Time::now().seconds() <= ended {
        let millis = Time::now().millis().rem_euclid(1000).unsigned_abs();
        tokio::time::sleep(Duration::from_millis(1000 - millis)).await;
    }
}

/// The user whom a link may sign in, before the link is used up by it.
async fn ready(
    (app, identity): (&App, &Identity),
    record: Option<UserRecord>,
    token: &LinkToken,
) -> Result<UserRecord, Error> {
    let active = |record: &UserRecord| record.user.status == Status::Active && !record.user.excluded;
    let record = record.filter(active).ok_or(Error::Unauthenticated)?;
    if record.pending.is_none() {
        return Ok(record);
    }
    let settled = settled(&app.store, identity, record).await?.filter(active).ok_or(Error::Unauthenticated)?;
    if !settled.has_login && settled.pending.is_some() {
        // Most likely its identity is being created, for whoever was faster with this very link.
        let is_good = app.store.is_link_good(&settled, token.reveal()).await?;
        return Err(if is_good { Pending::in_progress() } else { Error::Unauthenticated });
    }
    Ok(settled)
}

/// Creates the identity of a user who has none, with a password that nobody knows: the second in which all its sessions
/// ended.
async fn create_identity(
    app: &App,
    identity: &Identity,
    record: &UserRecord,
    request_id: &RequestId,
) -> Result<i64, Error> {
    let done = (Action::LoginCreated, Act::by_itself(&request_id.0));
    let effects = PasswordEffects { is_internal: true, ..PasswordEffects::default() };
    set_password((app, identity), record, &random_password()?, done, effects).await?;
    Ok(Time::now().seconds())
}
