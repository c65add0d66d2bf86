//! Keys. They live with what they open, an account or a segment, and end with it.

use domain::{AuditEntry, Error, Key, KeyId, SegmentId, Time, UserId};
use serde::Deserialize;

use crate::Store;
use crate::keys::{self, KEYS};
use crate::search::{Index, Indexed, Kind, Schema, Searched, Value, ValueType};
use crate::table::{Changes, Item, Query, Write, from_item, keyed, string, to_item};

/// A key, and what is kept of its secret.
#[derive(Debug, Clone, Deserialize)]
pub struct KeptKey {
    /// The key.
    #[serde(flatten)]
    pub key: Key,
    /// The SHA-256 of its secret.
    pub hash: String,
}

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

    /// Writes a new key, if what it opens is still there. One of the same id is written over: it comes of the same
    /// request, whose answer nobody has seen. 1 transaction.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the segment is gone.
    pub async fn create_key(&self, key: &Key, hash: &str, audit: &AuditEntry) -> Result<(), Error> {
        let at = keys::key(key.account_id, key.segment_id, key.id);
        let mut item = to_item(key)?;
        item.insert("hash".to_owned(), string(hash));
        let mut writes = vec![Write::put(&self.table, keyed(&at, item))];
        writes.push(match key.segment_id {
            Some(segment) => Write::check(&self.table, &keys::segment(segment), "attribute_exists(PK)", Item::new())
                .on_condition_failed(Error::NotFound),
            None => self.in_use(key.account_id).on_condition_failed(Error::Unauthenticated),
        });
        writes.extend(self.audit_writes(audit)?);
        self.table.transact(writes).await
    }

    /// Revokes a key, at once: 1 transaction.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is none.
    pub async fn delete_key(&self, id: KeyId, audit: &AuditEntry) -> Result<(), Error> {
        let at = keys::key(audit.account_id, audit.segment_id, id);
        let gone = Write::delete(&self.table, &at, "attribute_exists(PK)", Item::new());
        let mut writes = vec![gone.on_condition_failed(Error::NotFound)];
        writes.extend(self.audit_writes(audit)?);
        self.table.transact(writes).await
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
