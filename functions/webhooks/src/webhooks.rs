//! Webhooks: where the events of a segment are sent.

use axum::extract::State as Shared;
use domain::webhook::WebhookUrl;
use domain::{
    AuditAction, AuditEntry, Error, KeyScope, MergePatch, Object, Segment, SegmentId, Time, Webhook, WebhookFields,
    WebhookId,
};
use edge::{
    Answer, App, Body, Caller, Created, FilterKind, HookSecret, IfMatch, IfNoneMatch, List, ListSpec, Listed,
    NoContent, Patch, Path, Seed, Shown, openapi, retried,
};
use serde_json::Value;
use store::{SealedSecret, WebhookRecord};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::State;

/// How long a secret holds once another has taken its place.
const OVERLAP: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);

/// How webhooks are listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Webhooks;

impl ListSpec for Webhooks {
    const SORTS: &'static [&'static str] = &["id", "created_at", "url"];
    const DEFAULT_SORT: &'static str = "id";
    const FILTERS: &'static [(&'static str, FilterKind)] = &[("status", FilterKind::Word)];
}

// The document's macro takes no generic types, but names of them.
type WebhookList = openapi::ListOf<Webhook>;
type WebhookPatch = MergePatch<WebhookFields>;

/// A webhook with the secret that is shown this once.
pub(crate) struct NewWebhook {
    webhook: Webhook,
    secret: HookSecret,
}

impl Object for NewWebhook {
    fn version(&self) -> u64 {
        self.webhook.version
    }

    fn show(&self) -> Value {
        let mut shown = self.webhook.show();
        if let Some(fields) = shown.as_object_mut() {
            fields.insert("secret".to_owned(), self.secret.reveal().into());
        }
        shown
    }
}

impl PartialSchema for NewWebhook {
    fn schema() -> RefOr<Schema> {
        let about = "What signatures are verified with, `whsec_…`; it is shown this once.";
        openapi::with_property(Webhook::schema(), "secret", about, "whsec_b2ZmaWNlIHdpbmRvdyBoYXJib3VyIGxhbnRlcm4=")
    }
}

impl ToSchema for NewWebhook {}

/// Lists the webhooks of a segment.
#[utoipa::path(get, path = "/v1/segments/{segment}/webhooks", tag = "webhooks", params(List<Webhooks>),
    responses((status = 200, description = "A page of webhooks, without their secrets.", body = WebhookList)))]
pub(crate) async fn list(
    Shared(app): Shared<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    list: List<Webhooks>,
) -> Answer<Listed> {
    let (managed, webhooks) = tokio::join!(caller.segment(segment, KeyScope::Admin), app.store.webhooks(segment));
    managed?;
    let webhooks = webhooks?.into_iter().map(|record| record.webhook).collect();
    Ok(list.within(&app, webhooks).await?)
}

/// Makes a webhook: from now on events of the segment are sent there, by `POST`, as `CloudEvents` in JSON.
///
/// Each request is signed as Standard Webhooks has it: `webhook-signature` is `v1,` and the base64 of the HMAC-SHA256 of
/// `webhook-id`, `webhook-timestamp` and the body, joined by dots, under the bytes whose base64 follows `whsec_`. Answer
/// with any status from 200 to 299 within 6 seconds. An event comes at least once, and not always in order: its `id` is
/// the same each time, and `version` tells which change of a thing is the later one. What fails is tried again for two
/// days; 410 switches the webhook off.
#[utoipa::path(post, path = "/v1/segments/{segment}/webhooks", tag = "webhooks", request_body = WebhookFields,
    responses((status = 201, description = "The webhook, with its secret.", body = NewWebhook)))]
pub(crate) async fn create(
    Shared(state): Shared<State>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    seed: Seed,
    Body(fields): Body<WebhookFields>,
) -> Answer<Created> {
    let app = &state.app;
    let owner = caller.segment(segment, KeyScope::Admin).await?;
    state.reaches(&fields.url)?;
    let id: WebhookId = seed.id(0);
    let secret = HookSecret::fresh()?;
    let webhook = Webhook::new(id, segment, Some(caller.actor()), fields, Time::of(id.uuid()));
    let secrets = vec![SealedSecret { sealed: secret.seal(app, id).await?, until: None }];
    let audit = AuditEntry::new(AuditAction::WebhookCreated, &owner, id, caller.act());
    app.store.create_webhook(&WebhookRecord { webhook: webhook.clone(), secrets }, &audit).await?;
    Ok(Created::one(format!("/v1/segments/{segment}/webhooks/{id}"), &NewWebhook { webhook, secret }))
}

/// Reads a webhook.
#[utoipa::path(get, path = "/v1/segments/{segment}/webhooks/{webhook}", tag = "webhooks",
    responses((status = 200, description = "The webhook, without its secret.", body = Webhook)))]
pub(crate) async fn read(
    Shared(app): Shared<App>,
    caller: Caller,
    Path((segment, webhook)): Path<(SegmentId, WebhookId)>,
    has: IfNoneMatch,
) -> Answer<Shown> {
    Ok(Shown::unless(&has, &found(&app, &caller, (segment, webhook)).await?.1.webhook))
}

/// Changes a webhook by a merge patch.
#[utoipa::path(patch, path = "/v1/segments/{segment}/webhooks/{webhook}", tag = "webhooks",
    request_body = WebhookPatch,
    responses((status = 200, description = "The webhook after the change.", body = Webhook)))]
pub(crate) async fn change(
    Shared(state): Shared<State>,
    caller: Caller,
    Path((segment, webhook)): Path<(SegmentId, WebhookId)>,
    matches: IfMatch,
    Body(Patch(patch)): Body<Patch<WebhookFields>>,
) -> Answer<Shown> {
    let app = &state.app;
    Ok(retried(|| async {
        let (owner, before) = found(app, &caller, (segment, webhook)).await?;
        matches.check(before.webhook.version)?;
        let after = before.webhook.patched(patch.clone(), Time::now())?;
        state.reaches(&after.fields.url)?;
        let after = WebhookRecord { webhook: after, ..before.clone() };
        let audit = AuditEntry::new(AuditAction::WebhookChanged, &owner, webhook, caller.act());
        app.store.change_webhook(&before, &after, Some(&audit)).await?;
        Ok(Shown::new(&after.webhook))
    })
    .await?)
}

/// Deletes a webhook: nothing more is sent there, and what was to be tried again is not.
#[utoipa::path(delete, path = "/v1/segments/{segment}/webhooks/{webhook}", tag = "webhooks",
    responses((status = 204, description = "The webhook is gone.")))]
pub(crate) async fn delete(
    Shared(app): Shared<App>,
    caller: Caller,
    Path((segment, webhook)): Path<(SegmentId, WebhookId)>,
    matches: IfMatch,
) -> Answer<NoContent> {
    Ok(retried(|| async {
        let (owner, WebhookRecord { webhook: before, .. }) = found(&app, &caller, (segment, webhook)).await?;
        matches.check(before.version)?;
        let audit = AuditEntry::new(AuditAction::WebhookDeleted, &owner, webhook, caller.act());
        app.store.delete_webhook(&before, &audit).await?;
        Ok(NoContent)
    })
    .await?)
}

/// Gives a webhook a new secret. For 24 hours what is sent is signed with the former one too; a secret before that ends at
/// once.
#[utoipa::path(post, path = "/v1/segments/{segment}/webhooks/{webhook}/secret", tag = "webhooks", operation_id = "renew_webhook_secret",
    responses((status = 201, description = "The webhook, with its new secret.", body = NewWebhook)))]
pub(crate) async fn renew(
    Shared(app): Shared<App>,
    caller: Caller,
    Path((segment, webhook)): Path<(SegmentId, WebhookId)>,
) -> Answer<Created> {
    let secret = HookSecret::fresh()?;
    let sealed = secret.seal(&app, webhook).await?;
    let webhook = retried(|| async {
        let (owner, before) = found(&app, &caller, (segment, webhook)).await?;
        let now = Time::now();
        let former = before.secrets.iter().filter(|secret| secret.until.is_none());
        let former = former.map(|secret| SealedSecret { until: Some(now.plus(OVERLAP)), ..secret.clone() });
        let secrets = std::iter::once(SealedSecret { sealed: sealed.clone(), until: None }).chain(former).collect();
        let audit = AuditEntry::new(AuditAction::WebhookSecretRenewed, &owner, webhook, caller.act());
        let webhook = before.webhook.replaced(before.webhook.fields.clone(), now);
        let after = WebhookRecord { webhook: webhook.clone(), secrets };
        app.store.change_webhook(&before, &after, Some(&audit)).await?;
        Ok(webhook)
    })
    .await?;
    let location = format!("/v1/segments/{segment}/webhooks/{}", webhook.id);
    Ok(Created::one(location, &NewWebhook { webhook, secret }))
}

impl State {
    /// Refuses a URL that nothing would be sent to.
    fn reaches(&self, url: &WebhookUrl) -> Result<(), Error> {
        if self.anywhere || url.is_public() {
            return Ok(());
        }
        Err(Error::invalid("/url", "forbidden", "must begin with https:// and name no private address"))
    }
}

/// A webhook that the caller may act on, and its segment: 1 round of latency.
async fn found(
    app: &App,
    caller: &Caller,
    (segment, id): (SegmentId, WebhookId),
) -> Result<(Segment, WebhookRecord), Error> {
    let (managed, found) = tokio::join!(caller.segment(segment, KeyScope::Admin), app.store.webhook(segment, id));
    Ok((managed?, found?))
}
