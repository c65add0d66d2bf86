//! Objects: one row each, many of which may share a blob.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};
use s3s::dto::Timestamp;
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::{Cause, Created, Store, buckets, events};
use crate::digest::Checksum;
use crate::error::Internal as _;

/// An object, without its content.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    /// The SHA-256 of the content in hexadecimal, which names its blob.
    pub(crate) blob: String,
    pub(crate) size: u64,
    /// In hexadecimal: the `ETag`.
    pub(crate) md5: String,
    /// In milliseconds since 1970.
    pub(crate) modified: i64,
    pub(crate) description: Description,
}

/// What the writer said of an object, given back to readers.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Description {
    pub(crate) content_type: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_language: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) checksum: Option<Checksum>,
}

const COLUMNS: &str = "blob, size, md5, modified, description";

impl Store {
    /// Makes `content` the object, if `allowed` agrees to what it replaces.
    pub(crate) fn put(
        &self,
        (bucket, key): (&str, &str),
        object: &Object,
        content: NamedTempFile,
        allowed: impl FnOnce(Option<&Object>) -> S3Result<()>,
        event: Option<Cause>,
    ) -> S3Result<Option<Created>> {
        let mut db = self.lock();
        let change = db.transaction_with_behavior(TransactionBehavior::Immediate).internal()?;
        buckets::require(&change, bucket)?;
        let old = find(&change, bucket, key)?;
        allowed(old.as_ref())?;
        content.persist(self.blob(&object.blob)).internal()?;
        let created = write(&change, (bucket, key), object, event)?;
        change.commit().internal()?;
        self.forget(&db, old)?;
        Ok(created)
    }

    /// Makes a second object of the content of one, described as `describe` says, if `allowed` agrees to what it
    /// replaces.
    pub(crate) fn copy(
        &self,
        (from_bucket, from_key): (&str, &str),
        (bucket, key): (&str, &str),
        describe: impl FnOnce(&Object) -> S3Result<Object>,
        allowed: impl FnOnce(Option<&Object>) -> S3Result<()>,
        event: Option<Cause>,
    ) -> S3Result<(Object, Option<Created>)> {
        let mut db = self.lock();
        let change = db.transaction_with_behavior(TransactionBehavior::Immediate).internal()?;
        buckets::require(&change, bucket)?;
        buckets::require(&change, from_bucket)?;
        let source = find(&change, from_bucket, from_key)?.ok_or_else(no_such_key)?;
        let object = describe(&source)?;
        let old = find(&change, bucket, key)?;
        allowed(old.as_ref())?;
        let created = write(&change, (bucket, key), &object, event)?;
        change.commit().internal()?;
        self.forget(&db, old)?;
        Ok((object, created))
    }

    pub(crate) fn object(&self, bucket: &str, key: &str) -> S3Result<Object> {
        let db = self.lock();
        buckets::require(&db, bucket)?;
        find(&db, bucket, key)?.ok_or_else(no_such_key)
    }

    /// The object and its content, opened under the lock, so that a writer cannot remove it in between.
    pub(crate) fn open_object(&self, bucket: &str, key: &str) -> S3Result<(Object, File)> {
        let db = self.lock();
        buckets::require(&db, bucket)?;
        let object = find(&db, bucket, key)?.ok_or_else(no_such_key)?;
        let file = File::open(self.blob(&object.blob)).internal()?;
        if file.metadata().internal()?.len() != object.size {
            return Err(s3_error!(InternalError, "The content of the object is damaged: blob {}", object.blob));
        }
        Ok((object, file))
    }

    /// Replaces what is said of an object, not its content or time.
    pub(crate) fn describe(&self, bucket: &str, key: &str, change: impl FnOnce(&mut Description)) -> S3Result<()> {
        let db = self.lock();
        buckets::require(&db, bucket)?;
        let mut object = find(&db, bucket, key)?.ok_or_else(no_such_key)?;
        change(&mut object.description);
        write(&db, (bucket, key), &object, None)?;
        Ok(())
    }

    /// Removes the object, if there is one and `allowed` agrees.
    pub(crate) fn delete(
        &self,
        bucket: &str,
        key: &str,
        allowed: impl FnOnce(Option<&Object>) -> S3Result<()>,
    ) -> S3Result<()> {
        let db = self.lock();
        buckets::require(&db, bucket)?;
        let old = find(&db, bucket, key)?;
        allowed(old.as_ref())?;
        db.execute("DELETE FROM objects WHERE bucket = ?1 AND key = ?2", [bucket, key]).internal()?;
        self.forget(&db, old)
    }

    /// Shows `visit` the keys after `after` and not below `from`, in the order of their bytes, until it says stop.
    pub(crate) fn each_object(
        &self,
        bucket: &str,
        (after, from): (&str, &str),
        mut visit: impl FnMut(String, Object) -> bool,
    ) -> S3Result<()> {
        let db = self.lock();
        buckets::require(&db, bucket)?;
        let sql =
            format!("SELECT {COLUMNS}, key FROM objects WHERE bucket = ?1 AND key > ?2 AND key >= ?3 ORDER BY key");
        let mut query = db.prepare_cached(&sql).internal()?;
        let mut rows = query.query([bucket, after, from]).internal()?;
        while let Some(row) = rows.next().internal()? {
            if !visit(row.get(5).internal()?, read(row).internal()?) {
                break;
            }
        }
        Ok(())
    }

    /// Removes the blob of an object that is gone, unless another object has the same.
    fn forget(&self, db: &Connection, gone: Option<Object>) -> S3Result<()> {
        let Some(Object { blob, .. }) = gone else { return Ok(()) };
        let shared = "SELECT 1 FROM objects WHERE blob = ?1 LIMIT 1";
        if db.query_row(shared, [&blob], |_| Ok(())).optional().internal()?.is_none()
            && let Err(error) = fs::remove_file(self.blob(&blob))
            && error.kind() != io::ErrorKind::NotFound
        {
            // The change is made; the next opening removes the file.
            tracing::warn!(%error, blob, "an S3 blob that no object has could not be removed");
        }
        Ok(())
    }
}

fn no_such_key() -> s3s::S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
}

fn find(db: &Connection, bucket: &str, key: &str) -> S3Result<Option<Object>> {
    let sql = format!("SELECT {COLUMNS} FROM objects WHERE bucket = ?1 AND key = ?2");
    db.prepare_cached(&sql).and_then(|mut query| query.query_row([bucket, key], read).optional()).internal()
}

fn read(row: &Row<'_>) -> rusqlite::Result<Object> {
    let description: String = row.get(4)?;
    let description = serde_json::from_str(&description)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(4, Type::Text, Box::new(error)))?;
    Ok(Object { blob: row.get(0)?, size: row.get(1)?, md5: row.get(2)?, modified: row.get(3)?, description })
}

fn write(
    db: &Connection,
    (bucket, key): (&str, &str),
    object: &Object,
    event: Option<Cause>,
) -> S3Result<Option<Created>> {
    let description = serde_json::to_string(&object.description).internal()?;
    db.execute(
        "INSERT OR REPLACE INTO objects (bucket, key, blob, size, md5, modified, description)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![bucket, key, object.blob, object.size, object.md5, object.modified, description],
    )
    .internal()?;
    event.map(|cause| events::record(db, cause, bucket, key, object)).transpose()
}
