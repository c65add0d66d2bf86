//! Webhooks. They live in their segment's partition, with their secrets, which whoever makes them has sealed.

use domain::{AuditEntry, Error, SegmentId, Time, Webhook, WebhookId};
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::keys::{self, WEBHOOKS};
use crate::search::{Index, Indexed, Kind, Schema, Searched, Value, ValueType};
use crate::table::{Changes, Query, Write, from_item, number, to_item};

/// How many webhooks a segment has at most: each event is sent to all that want it.
const MOST: u32 = 20;

/// The attribute of a segment that counts its webhooks.
const COUNT: &str = "webhook_count";

/// A webhook with what Muster keeps about it for itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WebhookRecord {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// What is sent to it is signed with each of these that holds.
    pub secrets: Vec<SealedSecret>,
}

/// A secret of a webhook, sealed by the deployment's.
#[derive(Clone, Serialize, Deserialize)]
pub struct SealedSecret {
    /// The secret, sealed, in base64.
    pub sealed: String,
    /// Until when it holds, once another has taken its place.
    pub until: Option<Time>,
}

impl std::fmt::Debug for SealedSecret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "SealedSecret(until {:?})", self.until)
    }
}

impl Indexed for Webhook {
    fn index(&self) -> Index {
        Index::new(self.id.uuid())
            .ordered("url", Some(&Value::word(self.fields.url.as_str())))
            .found("status", &Value::word(self.fields.status.0.as_str()))
    }
}

impl Searched for Webhook {
    fn schema() -> Schema {
        Schema::default().with("url", Kind::Ordered, ValueType::Word).with("status", Kind::Found, ValueType::Word)
    }
}

impl Store {
    /// A webhook: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn webhook(&self, segment: SegmentId, id: WebhookId) -> Result<WebhookRecord, Error> {
        self.table.get(&keys::webhook(segment, id)).await?.ok_or(Error::NotFound).and_then(from_item)
    }

    /// The webhooks of a segment, oldest first: 1 `Query`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn webhooks(&self, segment: SegmentId) -> Result<Vec<WebhookRecord>, Error> {
        self.table.all(&Query::under(keys::segment(segment).pk, WEBHOOKS)).await
    }

    /// Writes a new webhook, which the segment counts. One of the same id is written over: it comes of the same request,
    /// whose answer nobody has seen. 1 transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the segment has as many as it may.
    pub async fn create_webhook(&self, record: &WebhookRecord, audit: &AuditEntry) -> Result<(), Error> {
        let (segment, id) = (record.webhook.segment_id, record.webhook.id);
        let key = keys::webhook(segment, id);
        let again = Error::conflict("/id", "exists", "is the id of a webhook that is there already");
        let create = Write::create(&self.table, &key, to_item(record)?).on_condition_failed(again);
        let message = format!("A segment has at most {MOST} webhooks; delete one of them first.");
        let changes = Changes::default().add(COUNT, 1).value(":most", number(MOST));
        let condition = format!("attribute_exists(PK) AND (attribute_not_exists({COUNT}) OR {COUNT} < :most)");
        let counted = Write::update(&self.table, &keys::segment(segment), &condition, changes)
            .on_condition_failed(Error::conflict("", "too_many", &message));
        let mut writes = vec![create, counted];
        writes.extend(self.audit_writes([audit])?);
        match self.table.transact(writes).await {
            Err(Error::Conflict(told)) if told.iter().any(|one| one.code == "exists") => {
                let there = self.webhook(segment, id).await?;
                self.change_webhook(&there, record, None).await
            }
            done => done,
        }
    }

    /// Writes `new` over `old`: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read.
    pub async fn change_webhook(
        &self,
        old: &WebhookRecord,
        new: &WebhookRecord,
        audit: Option<&AuditEntry>,
    ) -> Result<(), Error> {
        let key = keys::webhook(new.webhook.segment_id, new.webhook.id);
        let mut writes = vec![self.replaced(&key, old.webhook.version, &to_item(old)?, &to_item(new)?)];
        writes.extend(self.audit_writes(audit)?);
        self.table.transact(writes).await
    }

    /// Deletes a webhook; what was still to be sent to it is not. 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read.
    pub async fn delete_webhook(&self, webhook: &Webhook, audit: &AuditEntry) -> Result<(), Error> {
        let gone = self.removed(&keys::webhook(webhook.segment_id, webhook.id), webhook.version);
        let one_less = Changes::default().add(COUNT, -1);
        let counted = Write::update(&self.table, &keys::segment(webhook.segment_id), "attribute_exists(PK)", one_less)
            .on_condition_failed(Error::NotFound);
        let mut writes = vec![gone, counted];
        writes.extend(self.audit_writes([audit])?);
        self.table.transact(writes).await
    }
}
