//! Keys. They live with what they open, an account or a segment, and end with it.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{AuditEntry, Error, Key, KeyId, SegmentId, Time, UserId};
use serde::Deserialize;

use crate::Store;
use crate::backoff::retried;
use crate::job::Job;
use crate::keys::{self, KEYS, SK};
use crate::search::{Index, Indexed, Kind, Schema, Searched, Value, ValueType};
use crate::table::{Changes, Item, Query, Write, from_item, keyed, number, string, to_item};

/// A key, and what is kept of its secret.
#[derive(Debug, Clone, Deserialize)]
pub struct KeptKey {
    /// The key.
    #[serde(flatten)]
    pub key: Key,
    /// The SHA-256 of its secret.
    pub hash: String,
    /// Whether it has ever created a key.
    #[serde(default)]
    pub has_children: bool,
    /// The access tokens of it that were revoked and are not expired: each the second of its expiry, a dot and its id.
    #[serde(default)]
    pub revoked_tokens: BTreeSet<String>,
    /// The millisecond up to which all access tokens of it were revoked.
    pub tokens_from: Option<i64>,
}

/// The most revoked tokens that a key keeps one by one.
const REVOKED_TOKENS: usize = 100;

impl Indexed for Key {
    fn index(&self) -> Index {
        let time = |time: Option<Time>| time.map(Value::word);
        Index::new(self.id.uuid())
            .ordered("name", Some(&Value::Text(self.fields.name.as_str().to_owned())))
            .ordered("expires_at", time(self.fields.expires_at).as_ref())
            .ordered("last_used_at", time(self.last_used_at).as_ref())
            .found("prefix", &Value::word(&self.prefix))
    }
}

impl Searched for Key {
    fn schema() -> Schema {
        Schema::default()
            .with("name", Kind::Ordered, ValueType::Text)
            .with("expires_at", Kind::Ordered, ValueType::Word)
            .with("last_used_at", Kind::Ordered, ValueType::Word)
            .with("prefix", Kind::Found, ValueType::Word)
    }
}

impl Store {
    /// A key: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn key(&self, account: UserId, segment: Option<SegmentId>, id: KeyId) -> Result<Option<KeptKey>, Error> {
        self.table.get(&keys::key(account, segment, id)).await?.map(from_item).transpose()
    }

    /// The keys of an account or of one of its segments, oldest first: 1 `Query` for each megabyte.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn keys(&self, account: UserId, segment: Option<SegmentId>) -> Result<Vec<Key>, Error> {
        self.table.all(&Query::under(keys::parent(account, segment), KEYS)).await
    }

    /// Writes a new key, if what it opens is still there, and the key that creates it, if one does. One of the same id is
    /// written over: it comes of the same request, whose answer nobody has seen. 1 transaction.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the segment is gone; [`Error::Unauthenticated`] where the creator is.
    pub async fn create_key(
        &self,
        key: &Key,
        hash: &str,
        creator: Option<&Key>,
        audit: &AuditEntry,
    ) -> Result<(), Error> {
        let at = keys::key(key.account_id, key.segment_id, key.id);
        let mut item = to_item(key)?;
        item.insert("hash".to_owned(), string(hash));
        let mut writes = vec![Write::put(&self.table, keyed(&at, item))];
        writes.push(match key.segment_id {
            Some(segment) => Write::check(&self.table, &keys::segment(segment), "attribute_exists(PK)", Item::new())
                .on_condition_failed(Error::NotFound),
            None => self.in_use(key.account_id).on_condition_failed(Error::Unauthenticated),
        });
        writes.extend(creator.into_iter().flat_map(|creator| self.child_writes(key, creator)));
        writes.extend(self.audit_writes([audit])?);
        self.table.transact(writes).await
    }

    /// The writes that list a key under its creator, which must still exist.
    fn child_writes(&self, key: &Key, creator: &Key) -> [Write; 2] {
        let at = keys::key(creator.account_id, creator.segment_id, creator.id);
        let changes = Changes::default().set("has_children", AttributeValue::Bool(true));
        let noted = Write::update(&self.table, &at, "attribute_exists(PK)", changes);
        let listed = keys::child_key(creator.account_id, creator.id, key.id);
        let segment = key.segment_id.map(|segment| ("segment_id".to_owned(), string(segment)));
        let listed = Write::put(&self.table, keyed(&listed, segment.into_iter().collect()));
        [noted.on_condition_failed(Error::Unauthenticated), listed]
    }

    /// Revokes a key and every key that it created, directly or not, at once: 1 read, 1 transaction; for a key that
    /// created others, some writes more that delete these.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the key does not exist.
    pub async fn delete_key(&self, id: KeyId, audit: &AuditEntry) -> Result<(), Error> {
        let (account, segment) = (audit.account_id, audit.segment_id);
        let has_children = retried(|| async {
            let kept = self.key(account, segment, id).await?.ok_or(Error::NotFound)?;
            self.revoke_key(&kept, audit).await?;
            Ok(kept.has_children)
        })
        .await?;
        if has_children { self.end_child_keys(id, audit).await } else { Ok(()) }
    }

    /// Deletes a key. From then on the account's record rejects its descendants, which a job deletes if nobody else does.
    async fn revoke_key(&self, kept: &KeptKey, audit: &AuditEntry) -> Result<(), Error> {
        let Key { id, account_id, segment_id, .. } = kept.key;
        let at = keys::key(account_id, segment_id, id);
        let condition = match kept.has_children {
            true => "attribute_exists(PK)",
            false => "attribute_exists(PK) AND attribute_not_exists(has_children)",
        };
        let gone = Write::delete(&self.table, &at, condition, Item::new());
        let mut writes = vec![gone.on_condition_failed(Error::Stale)];
        let listed = kept.key.parent().map(|parent| keys::child_key(account_id, parent, id));
        writes.extend(listed.map(|listed| Write::delete_item(&self.table, listed.attributes())));
        if kept.has_children {
            let changes = Changes::default().add_to_set("revoked_keys", id);
            let marked = Write::update(&self.table, &keys::user(account_id), "attribute_exists(PK)", changes);
            writes.push(marked.on_condition_failed(Error::NotFound));
            writes.push(self.begun(Job::EndKeys(account_id, id)));
        }
        writes.extend(self.audit_writes([audit])?);
        self.table.transact(writes).await
    }

    /// Deletes the descendants of a revoked key. A key goes before the keys that it created are looked up, so that it
    /// creates no more; what lists it goes last, so that a crash leaves what says to go on. Each is on record as `audit`, the
    /// end of `revoked`, is.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn end_child_keys(&self, revoked: KeyId, audit: &AuditEntry) -> Result<(), Error> {
        let account = audit.account_id;
        let (mut left, mut listed) = (vec![revoked], Vec::new());
        while let Some(parent) = left.pop() {
            let query = Query::under(keys::partition(account), &keys::child_keys(parent));
            let children = self.table.all_items(&query).await?;
            let found: Vec<_> = children.iter().filter_map(child_of).collect();
            for (child, segment) in &found {
                self.record_audit(&audit.of_other((account, *segment), *child)).await?;
            }
            let gone = found.iter().map(|(child, segment)| keys::key(account, *segment, *child).attributes());
            self.erase_items(gone.collect()).await?;
            listed.extend(found.iter().map(|(child, _)| keys::child_key(account, parent, *child).attributes()));
            left.extend(found.into_iter().map(|(child, _)| child));
        }
        listed.reverse();
        self.erase_items(listed).await?;
        let changes = Changes::default().delete_from_set("revoked_keys", vec![revoked.to_string()]);
        self.table.update(&keys::user(account), "attribute_exists(PK)", changes).await.map(drop)
    }

    /// Revokes an access token of a key, for as long as it could be valid: 1 `UpdateItem`, or 2 where others have expired.
    /// Where too many are revoked within an hour, all that were issued until now are.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn revoke_token(&self, kept: &KeptKey, token: &str) -> Result<(), Error> {
        let at = keys::key(kept.key.account_id, kept.key.segment_id, kept.key.id);
        let now = Time::now();
        let is_over = |token: &&String| {
            token.split_once('.').and_then(|(end, _)| end.parse().ok()).is_none_or(|end: i64| end <= now.seconds())
        };
        let over: Vec<_> = kept.revoked_tokens.iter().filter(is_over).cloned().collect();
        let left = kept.revoked_tokens.len() - over.len();
        if !over.is_empty() {
            let changes = Changes::default().delete_from_set("revoked_tokens", over);
            self.table.update(&at, "attribute_exists(PK)", changes).await?;
        }
        let changes = match left < REVOKED_TOKENS {
            true => Changes::default().add_to_set("revoked_tokens", token),
            false => Changes::default().set("tokens_from", number(now.millis())).remove("revoked_tokens"),
        };
        // A key that has just been revoked must not come back.
        self.table.update(&at, "attribute_exists(PK)", changes).await.map(drop)
    }

    /// Notes that a key was used: 1 `UpdateItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn key_used(&self, key: &Key, now: Time) -> Result<(), Error> {
        let at = keys::key(key.account_id, key.segment_id, key.id);
        let changes = Changes::default().set("last_used_at", string(now));
        // A key that has just been revoked must not come back.
        self.table.update(&at, "attribute_exists(PK)", changes).await.map(drop)
    }
}

/// The key that an item lists, and the segment that it opens.
fn child_of(item: &Item) -> Option<(KeyId, Option<SegmentId>)> {
    let text = |name: &str| item.get(name)?.as_s().ok();
    Some((keys::listed_key(text(SK)?)?, text("segment_id").and_then(|segment| segment.parse().ok())))
}
