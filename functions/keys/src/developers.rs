//! `/v1/developers`: who writes programs against the account's segments, each with a token of its own.

use axum::extract::State;
use domain::{
    AuditAction, AuditEntry, AuditScope, Developer, DeveloperFields, DeveloperId, Error, KeyScope, MergePatch, Time,
    UserId,
};
use edge::{
    Answer, App, Body, Caller, Created, DeveloperToken, FilterKind, IfMatch, IfNoneMatch, List, ListSpec, Listed,
    NoContent, Patch, Path, Rendered, Seed, Shown, openapi, retried,
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

/// A developer's token, shown this once.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the shape of the answer, for the OpenAPI document")]
struct NewToken {
    /// Goes with each request to `/platform`, beside the key of a segment.
    token: String,
}

/// Lists the developers of the account.
#[utoipa::path(get, path = "/v1/developers", tag = "developers", params(List<Developers>),
    responses((status = 200, description = "A page of developers.", body = DeveloperList)))]
async fn list(State(app): State<App>, caller: Caller, list: List<Developers>) -> Answer<Listed> {
    let account = caller.access().await?.account(KeyScope::Admin)?;
    Ok(list.within(&app, app.store.developers(account).await?).await?)
}

/// Registers a developer, still without a token.
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
    Ok(Shown::unless(&has, &found(&app, &caller, developer).await?))
}

/// Changes a developer by a merge patch.
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
        let before = found(&app, &caller, developer).await?;
        matches.check(before.version)?;
        let after = before.patched(patch.clone(), Time::now())?;
        app.store.change_developer(&before, &after).await?;
        Ok(Shown::new(&after))
    })
    .await?)
}

/// Deletes a developer: its token is good for nothing at once.
#[utoipa::path(delete, path = "/v1/developers/{developer}", tag = "developers",
    responses((status = 204, description = "The developer is gone.")))]
async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(developer): Path<DeveloperId>,
    matches: IfMatch,
) -> Answer<NoContent> {
    Ok(retried(|| async {
        let before = found(&app, &caller, developer).await?;
        matches.check(before.version)?;
        let scope = AuditScope::of_account(before.account_id);
        let audit = AuditEntry::new(AuditAction::DeveloperDeleted, scope, before.id, caller.act());
        app.store.delete_developer(&before, &audit).await?;
        Ok(NoContent)
    })
    .await?)
}

/// Gives a developer a new token, which is shown this once. The former one is good for nothing at once.
#[utoipa::path(post, path = "/v1/developers/{developer}/token", tag = "developers", operation_id = "generate_developer_token",
    responses((status = 200, description = "The token.", body = NewToken)))]
async fn generate_token(
    State(app): State<App>,
    caller: Caller,
    Path(developer): Path<DeveloperId>,
) -> Answer<Rendered> {
    let token = new_token(&app, &caller, developer).await?;
    Ok(Rendered(json!({ "token": token.reveal() })))
}

/// Registers a developer of the caller's account: 1 read, 1 transaction.
///
/// # Errors
/// [`Error::Forbidden`] for whoever does not reach the whole account.
pub async fn register(app: &App, caller: &Caller, seed: Seed, fields: DeveloperFields) -> Result<Developer, Error> {
    let account = account(caller).await?;
    let id: DeveloperId = seed.id(0);
    let new = Developer::new(id, account, fields, Time::of(id.uuid()));
    let audit = AuditEntry::new(AuditAction::DeveloperCreated, AuditScope::of_account(account), id, caller.act());
    match app.store.create_developer(&new, &audit).await {
        // An earlier try of this very request had made it before it was cut off.
        Err(Error::Conflict(taken)) if taken.iter().any(|one| one.code == "exists") => Ok(new),
        made => made.map(|()| new),
    }
}

/// A new token for a developer of the caller's account, in place of the former one: 1 read, 1 write.
///
/// # Errors
/// [`Error::NotFound`] for somebody else's developer; [`Error::Forbidden`] for whoever does not reach the whole account.
pub async fn new_token(app: &App, caller: &Caller, developer: DeveloperId) -> Result<DeveloperToken, Error> {
    let account = account(caller).await?;
    let token = DeveloperToken::fresh(developer, account)?;
    let scope = AuditScope::of_account(account);
    let audit = AuditEntry::new(AuditAction::DeveloperTokenIssued, scope, developer, caller.act());
    app.store.give_token(developer, &token.hash(), &audit).await?;
    Ok(token)
}

/// A developer of the caller's account.
async fn found(app: &App, caller: &Caller, developer: DeveloperId) -> Result<Developer, Error> {
    let kept = app.store.developer(account(caller).await?, developer).await?;
    kept.map(|kept| kept.developer).ok_or(Error::NotFound)
}

async fn account(caller: &Caller) -> Result<UserId, Error> {
    caller.access().await?.account(KeyScope::Admin)
}
