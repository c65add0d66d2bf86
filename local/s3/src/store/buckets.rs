//! Buckets and their CORS configurations.

use rusqlite::{Connection, OptionalExtension as _};
use s3s::{S3Result, s3_error};

use super::Store;
use crate::cors::CorsRule;
use crate::error::Internal as _;

impl Store {
    /// Makes the bucket; false if it existed.
    pub(crate) fn create_bucket(&self, name: &str) -> S3Result<bool> {
        let made = self.lock().execute("INSERT OR IGNORE INTO buckets (name, cors) VALUES (?1, '[]')", [name]);
        Ok(made.internal()? == 1)
    }

    pub(crate) fn require_bucket(&self, name: &str) -> S3Result<()> {
        require(&self.lock(), name)
    }

    pub(crate) fn cors(&self, bucket: &str) -> S3Result<Vec<CorsRule>> {
        let rules: Option<String> = self
            .lock()
            .query_row("SELECT cors FROM buckets WHERE name = ?1", [bucket], |row| row.get(0))
            .optional()
            .internal()?;
        let rules = rules.ok_or_else(|| s3_error!(NoSuchBucket, "The specified bucket does not exist"))?;
        serde_json::from_str(&rules).internal()
    }

    pub(crate) fn set_cors(&self, bucket: &str, rules: &[CorsRule]) -> S3Result<()> {
        let rules = serde_json::to_string(rules).internal()?;
        let db = self.lock();
        require(&db, bucket)?;
        db.execute("UPDATE buckets SET cors = ?2 WHERE name = ?1", [bucket, &rules]).internal()?;
        Ok(())
    }
}

pub(super) fn require(db: &Connection, name: &str) -> S3Result<()> {
    let found = db.query_row("SELECT 1 FROM buckets WHERE name = ?1", [name], |_| Ok(())).optional().internal()?;
    found.ok_or_else(|| s3_error!(NoSuchBucket, "The specified bucket does not exist"))
}
