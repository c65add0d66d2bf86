//! `/v1/developers`: the developers of programs that reach the account's segments: its own, and those who have used its keys.

use axum::extract::State;
use domain::{
    Act, Actor, AuditAction, AuditEntry, AuditScope, Developer, DeveloperFields, DeveloperId, Error, KeyScope,
    MergePatch, Time, UserId,
};
use edge::{
    Answer, App, Body, Caller, Created, FilterKind, IfMatch, IfNoneMatch, List, ListSpec, Listed, NoContent, Patch,
    Path, Rendered, Seed, Shown, Visitor, openapi, retried,
};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(read, change, delete))
        .routes(routes!(generate_token))
        .routes(routes!(ban, unban))
}

/// How developers are listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Developers;

impl ListSpec for Developers {
    const SORTS: &'static [&'static str] = &["id", "created_at", "name", "email", "app_name"];
    const DEFAULT_SORT: &'static str = "id";
    const FILTERS: &'static [(&'static str, FilterKind)] =
        &[("name", FilterKind::Text), ("email", FilterKind::Text), ("app_name", FilterKind::Text)];
}

// The document's macro takes no generic types, but names of them.
type DeveloperList = openapi::ListOf<Developer>;
type DeveloperPatch = MergePatch<DeveloperFields>;

/// A developer's token.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the shape of the answer, for the OpenAPI document")]
struct NewToken {
    /// Valid for 24 hours, while it is among the newest 100. Each request to `/platform` sends it with the key of a segment.
    token: String,
}

/// Lists the account's own developers, and those who have called with its keys.
#[utoipa::path(get, path = "/v1/developers", tag = "developers", params(List<Developers>),
    responses((status = 200, description = "A page of developers.", body = DeveloperList)))]
async fn list(State(app): State<App>, caller: Caller, list: List<Developers>) -> Answer<Listed> {
    let account = caller.access().await?.account(KeyScope::Admin)?;
    Ok(list.within(&app, app.store.developers(account).await?).await?)
}

/// Registers a developer of the account, still without a token. Its tokens are accepted with credentials of this account only.
#[utoipa::path(post, path = "/v1/developers", tag = "developers", request_body = DeveloperFields,
    responses((status = 201, description = "The developer.", body = Developer)))]
async fn create(
    State(app): State<App>,
    caller: Caller,
    seed: Seed,
    Body(fields): Body<DeveloperFields>,
) -> Answer<Created> {
    let made = register(&app, &caller, seed, fields).await?;
    Ok(Created::one(format!("/v1/developers/{}", made.id), &made))
}

/// Reads a developer.
#[utoipa::path(get, path = "/v1/developers/{developer}", tag = "developers",
    responses((status = 200, description = "The developer.", body = Developer)))]
async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(developer): Path<DeveloperId>,
    has: IfNoneMatch,
) -> Answer<Shown> {
    let (_, found) = found(&app, &caller, developer).await?;
    Ok(Shown::unless(&has, &found))
}

/// Changes one of the account's own developers by a merge patch.
#[utoipa::path(patch, path = "/v1/developers/{developer}", tag = "developers", request_body = DeveloperPatch,
    responses((status = 200, description = "The developer after the change.", body = Developer)))]
async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(developer): Path<DeveloperId>,
    matches: IfMatch,
    Body(Patch(patch)): Body<Patch<DeveloperFields>>,
) -> Answer<Shown> {
    Ok(retried(|| async {
        let (account, before) = own(&app, &caller, developer).await?;
        let after = before.patched(patch.clone(), Time::now())?;
        matches.check(before.version)?;
        app.store.change_developer(account, (&before, &after), None).await?;
        Ok(Shown::new(&after))
    })
    .await?)
}

/// Deletes one of the account's own developers; its tokens are rejected immediately. A developer who registered by itself is
/// banned instead.
#[utoipa::path(delete, path = "/v1/developers/{developer}", tag = "developers",
    responses((status = 204, description = "The developer is gone.")))]
async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(developer): Path<DeveloperId>,
    matches: IfMatch,
) -> Answer<NoContent> {
    Ok(retried(|| async {
        let (account, before) = own(&app, &caller, developer).await?;
        matches.check(before.version)?;
        let scope = AuditScope::of_account(account);
        let audit = AuditEntry::new(AuditAction::DeveloperDeleted, scope, before.id, caller.act());
        app.store.delete_developer(account, &before, &audit).await?;
        Ok(NoContent)
    })
    .await?)
}

/// Bans a developer from the account: its tokens are rejected immediately with all credentials of the account.
#[utoipa::path(put, path = "/v1/developers/{developer}/ban", tag = "developers", operation_id = "ban_developer",
    responses((status = 200, description = "The developer with its ban.", body = Developer)))]
async fn ban(
    State(app): State<App>,
    caller: Caller,
    Path(developer): Path<DeveloperId>,
    matches: IfMatch,
) -> Answer<Shown> {
    Ok(change_ban((&app, &caller), developer, &matches, true).await?)
}

/// Lifts the ban of a developer.
#[utoipa::path(delete, path = "/v1/developers/{developer}/ban", tag = "developers", operation_id = "unban_developer",
    responses((status = 200, description = "The developer without a ban.", body = Developer)))]
async fn unban(
    State(app): State<App>,
    caller: Caller,
    Path(developer): Path<DeveloperId>,
    matches: IfMatch,
) -> Answer<Shown> {
    Ok(change_ban((&app, &caller), developer, &matches, false).await?)
}

/// Bans a developer or lifts its ban; a developer that is in this state already stays as it is.
async fn change_ban(
    (app, caller): (&App, &Caller),
    id: DeveloperId,
    matches: &IfMatch,
    is_banned: bool,
) -> Result<Shown, Error> {
    retried(|| async {
        let (account, before) = found(app, caller, id).await?;
        matches.check(before.version)?;
        if before.banned_at.is_some() == is_banned {
            return Ok(Shown::new(&before));
        }
        let now = Time::now();
        let after = before.with_ban(is_banned.then_some(now), now);
        let action = if is_banned { AuditAction::DeveloperBanned } else { AuditAction::DeveloperUnbanned };
        let audit = AuditEntry::new(action, AuditScope::of_account(account), id, caller.act());
        app.store.change_developer(account, (&before, &after), Some(&audit)).await?;
        Ok(Shown::new(&after))
    })
    .await
}

/// Issues a token of a developer whom the account lists. Former tokens stay valid: each for 24 hours, the newest 100.
#[utoipa::path(post, path = "/v1/developers/{developer}/token", tag = "developers", operation_id = "generate_developer_token",
    responses((status = 200, description = "The token.", body = NewToken)))]
async fn generate_token(
    State(app): State<App>,
    caller: Caller,
    Path(developer): Path<DeveloperId>,
) -> Answer<Rendered> {
    let token = new_token(&app, &caller, developer).await?;
    Ok(Rendered(json!({ "token": token })))
}

/// Registers a developer of the caller's account: 1 read, 1 transaction.
///
/// # Errors
/// [`Error::Forbidden`] for a caller that does not reach the whole account.
pub async fn register(app: &App, caller: &Caller, seed: Seed, fields: DeveloperFields) -> Result<Developer, Error> {
    let account = account(caller).await?;
    let id: DeveloperId = seed.id(0);
    let new = Developer::new(id, Some(account), None, None, fields, Time::of(id.uuid()));
    let audit = AuditEntry::new(AuditAction::DeveloperCreated, AuditScope::of_account(account), id, caller.act());
    registered(app.store.create_developer(account, &new, &audit).await, new)
}

/// Registers a developer of no account, which expires after 30 days without a use: 1 write for the limit, 1 transaction.
///
/// # Errors
/// [`Error::RateLimited`].
pub async fn register_openly(
    app: &App,
    visitor: &Visitor,
    seed: Seed,
    fields: DeveloperFields,
) -> Result<Developer, Error> {
    visitor.check_developer_registration().await?;
    let id: DeveloperId = seed.id(0);
    let new = Developer::new(id, None, None, None, fields, Time::of(id.uuid()));
    let scope = AuditScope::of_developer(id, None);
    let audit = AuditEntry::new(AuditAction::DeveloperCreated, scope, id, visitor.act(Actor::Anonymous));
    registered(app.store.register_developer(&new, &audit).await, new)
}

/// The developer, also where an earlier try of this very request wrote it before it was cut off.
fn registered(written: Result<(), Error>, new: Developer) -> Result<Developer, Error> {
    match written {
        Err(Error::Conflict(taken)) if taken.iter().any(|one| one.code == "exists") => Ok(new),
        written => written.map(|()| new),
    }
}

/// A new token of a developer whom the caller's account lists: 2 reads, 2 writes.
///
/// # Errors
/// [`Error::NotFound`] for any other developer; [`Error::Forbidden`] for a caller that does not reach the whole account.
pub async fn new_token(app: &App, caller: &Caller, developer: DeveloperId) -> Result<String, Error> {
    let (account, _) = found(app, caller, developer).await?;
    issue_token(app, developer, Some(account), caller.act()).await
}

/// A new token of any developer, for a client without a credential: 2 writes.
///
/// # Errors
/// [`Error::NotFound`] where there is no such developer; [`Error::RateLimited`].
pub async fn new_token_openly(app: &App, visitor: &Visitor, developer: DeveloperId) -> Result<String, Error> {
    visitor.check_developer_token_request().await?;
    issue_token(app, developer, None, visitor.act(Actor::Anonymous)).await
}

/// Issues a token, which is on record with the caller's account, or else with the developer's.
async fn issue_token(app: &App, id: DeveloperId, account: Option<UserId>, act: Act<'_>) -> Result<String, Error> {
    app.issue_developer_token(id, |own| {
        AuditEntry::new(AuditAction::DeveloperTokenIssued, AuditScope::of_developer(id, account.or(own)), id, act)
    })
    .await
}

/// A developer whom the caller's account lists, and the account.
async fn found(app: &App, caller: &Caller, developer: DeveloperId) -> Result<(UserId, Developer), Error> {
    let account = account(caller).await?;
    Ok((account, app.store.developer(account, developer).await?.ok_or(Error::NotFound)?))
}

/// A developer whom the caller's account registered, and the account.
async fn own(app: &App, caller: &Caller, developer: DeveloperId) -> Result<(UserId, Developer), Error> {
    let (account, found) = found(app, caller, developer).await?;
    if found.account_id == Some(account) {
        return Ok((account, found));
    }
    Err(Error::Forbidden("This developer registered by itself and is not yours to change; you can ban it."))
}

async fn account(caller: &Caller) -> Result<UserId, Error> {
    caller.access().await?.account(KeyScope::Admin)
}
