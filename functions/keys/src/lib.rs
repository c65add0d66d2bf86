//! `/v1/keys` and `/v1/segments/{segment}/keys`: how programs reach an account or one of its segments; `/v1/developers`:
//! who writes such programs; `/v1/audit`: what was done; `/v1/oauth`: access tokens for keys.

use axum::extract::State;
use domain::{AuditAction, AuditEntry, Key, KeyFields, KeyId, KeyScope, Object, SegmentId, Time, UserId};
use edge::{
    Access, Answer, App, Body, Caller, Created, FilterKind, IfMatch, KeySecret, List, ListSpec, Listed, NoContent,
    Path, Seed, openapi,
};
use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

mod audit;
mod developers;
pub mod oauth;

pub use developers::{new_token, new_token_openly, register, register_openly};

/// The routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_of_account, create_for_account))
        .routes(routes!(delete_of_account))
        .routes(routes!(list_of_segment, create_for_segment))
        .routes(routes!(delete_of_segment))
        .merge(developers::router())
        .merge(audit::router())
        .merge(oauth::router())
}

// The document's macro takes no generic types, but names of them.
type KeyList = openapi::ListOf<Key>;

/// How keys are listed.
#[derive(Debug, Clone, Copy)]
pub struct Keys;

impl ListSpec for Keys {
    const SORTS: &'static [&'static str] = &["id", "created_at", "name", "expires_at", "last_used_at"];
    const DEFAULT_SORT: &'static str = "id";
    const FILTERS: &'static [(&'static str, FilterKind)] = &[("name", FilterKind::Text), ("prefix", FilterKind::Word)];
}

/// A key that was just made, with the secret that is shown this once.
struct NewKey {
    key: Key,
    secret: KeySecret,
}

impl Object for NewKey {
    fn version(&self) -> u64 {
        self.key.version()
    }

    fn show(&self) -> Value {
        let mut shown = self.key.show();
        if let Some(fields) = shown.as_object_mut() {
            fields.insert("secret".to_owned(), self.secret.reveal().into());
        }
        shown
    }
}

impl PartialSchema for NewKey {
    fn schema() -> RefOr<Schema> {
        openapi::with_property(
            Key::schema(),
            "secret",
            "The whole secret; it is shown this once.",
            "sk_AZnSpFwAcACAAAAAAADOEQ8TzKz3oVvN6YQ2mWx1c",
        )
    }
}

impl ToSchema for NewKey {}

/// Lists the keys of the account.
#[utoipa::path(get, path = "/v1/keys", tag = "keys", operation_id = "list_account_keys", params(List<Keys>),
    responses((status = 200, description = "A page of keys, without their secrets.", body = KeyList)))]
async fn list_of_account(State(app): State<App>, caller: Caller, list: List<Keys>) -> Answer<Listed> {
    let access = caller.access().await?;
    let keys = app.store.keys(access.account(KeyScope::Admin)?, None).await?;
    Ok(list.within(&app, access.good_keys(keys)).await?)
}

/// Makes a key that opens every segment of the account.
#[utoipa::path(post, path = "/v1/keys", tag = "keys", operation_id = "create_account_key", request_body = KeyFields,
    responses((status = 201, description = "The key, with its secret.", body = NewKey)))]
async fn create_for_account(
    State(app): State<App>,
    caller: Caller,
    seed: Seed,
    Body(fields): Body<KeyFields>,
) -> Answer<Created> {
    let access = caller.access().await?;
    let account = access.account(KeyScope::Admin)?;
    access.gives(&fields)?;
    create(&app, (&caller, &access), (account, None), (seed, fields)).await
}

/// Revokes a key of the account, and every key that it created, at once.
#[utoipa::path(delete, path = "/v1/keys/{key}", tag = "keys", operation_id = "delete_account_key",
    responses((status = 204, description = "The key opens nothing any more.")))]
async fn delete_of_account(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<KeyId>,
    matches: IfMatch,
) -> Answer<NoContent> {
    let account = caller.access().await?.account(KeyScope::Admin)?;
    matches.check(Key::VERSION)?;
    revoke_key(&app, &caller, (account, None), key).await
}

/// Lists the keys of a segment.
#[utoipa::path(get, path = "/v1/segments/{segment}/keys", tag = "keys", operation_id = "list_segment_keys", params(List<Keys>),
    responses((status = 200, description = "A page of keys, without their secrets.", body = KeyList)))]
async fn list_of_segment(
    State(app): State<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    list: List<Keys>,
) -> Answer<Listed> {
    let (access, found) = caller.accesses(app.store.segment(segment)).await?;
    access.manages(&found, KeyScope::Admin)?;
    let keys = app.store.keys(found.owner_id, Some(segment)).await?;
    Ok(list.within(&app, access.good_keys(keys)).await?)
}

/// Makes a key that opens one segment.
#[utoipa::path(post, path = "/v1/segments/{segment}/keys", tag = "keys", operation_id = "create_segment_key", request_body = KeyFields,
    responses((status = 201, description = "The key, with its secret.", body = NewKey)))]
async fn create_for_segment(
    State(app): State<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    seed: Seed,
    Body(fields): Body<KeyFields>,
) -> Answer<Created> {
    let (access, found) = caller.accesses(app.store.segment(segment)).await?;
    access.manages(&found, KeyScope::Admin)?;
    access.gives(&fields)?;
    let account = found.owner_id;
    create(&app, (&caller, &access), (account, Some(segment)), (seed, fields)).await
}

/// Revokes a key of a segment, and every key that it created, at once.
#[utoipa::path(delete, path = "/v1/segments/{segment}/keys/{key}", tag = "keys", operation_id = "delete_segment_key",
    responses((status = 204, description = "The key opens nothing any more.")))]
async fn delete_of_segment(
    State(app): State<App>,
    caller: Caller,
    Path((segment, key)): Path<(SegmentId, KeyId)>,
    matches: IfMatch,
) -> Answer<NoContent> {
    let account = caller.segment(segment, KeyScope::Admin).await?.owner_id;
    matches.check(Key::VERSION)?;
    revoke_key(&app, &caller, (account, Some(segment)), key).await
}

async fn create(
    app: &App,
    (caller, access): (&Caller, &Access),
    (account, segment): (UserId, Option<SegmentId>),
    (seed, fields): (Seed, KeyFields),
) -> Answer<Created> {
    let secret = KeySecret::fresh(seed.id(0), account, segment)?;
    let creation = (access.key_creator()?, Time::now());
    let key = Key::new(seed.id(0), (account, segment), fields, secret.prefix(), creation);
    let audit = AuditEntry::new(AuditAction::KeyCreated, (account, segment), key.id, caller.act());
    app.store.create_key(&key, &secret.hash(), access.key(), &audit).await?;
    let under = segment.map_or_else(|| "/v1".to_owned(), |segment| format!("/v1/segments/{segment}"));
    Ok(Created::one(format!("{under}/keys/{}", key.id), &NewKey { key, secret }))
}

async fn revoke_key(app: &App, caller: &Caller, scope: (UserId, Option<SegmentId>), key: KeyId) -> Answer<NoContent> {
    let audit = AuditEntry::new(AuditAction::KeyRevoked, scope, key, caller.act());
    app.store.delete_key(key, &audit).await?;
    Ok(NoContent)
}
