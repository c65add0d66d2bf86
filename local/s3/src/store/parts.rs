//! Objects that arrive in parts, until they are complete or given up.

use std::fs;
use std::path::PathBuf;

use rusqlite::{OptionalExtension as _, params};
use s3s::{S3Error, S3Result, s3_error};
use tempfile::NamedTempFile;

use super::{Description, Store, buckets};
use crate::error::Internal as _;

/// Made wherever they are missing: they came later than the others, and hold nothing that outlives a day.
pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS uploads (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket TEXT NOT NULL REFERENCES buckets (name),
    key TEXT NOT NULL,
    description TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS parts (
    upload INTEGER NOT NULL REFERENCES uploads (id),
    number INTEGER NOT NULL,
    file TEXT NOT NULL,
    size INTEGER NOT NULL,
    md5 TEXT NOT NULL,
    PRIMARY KEY (upload, number)
) STRICT, WITHOUT ROWID;
";

/// A part that has arrived.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) number: i64,
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
    /// In hexadecimal: the `ETag`.
    pub(crate) md5: String,
}

impl Store {
    /// Begins an object of parts: its name until it is complete.
    pub(crate) fn begin_parts(&self, bucket: &str, key: &str, description: &Description) -> S3Result<String> {
        let db = self.lock();
        buckets::require(&db, bucket)?;
        let description = serde_json::to_string(description).internal()?;
        let sql = "INSERT INTO uploads (bucket, key, description) VALUES (?1, ?2, ?3)";
        db.execute(sql, [bucket, key, &description]).internal()?;
        Ok(named(db.last_insert_rowid()))
    }

    /// Keeps a part, in the place of one of the same number.
    pub(crate) fn put_part(
        &self,
        (bucket, key, upload): (&str, &str, &str),
        number: i64,
        content: NamedTempFile,
        (size, md5): (u64, &str),
    ) -> S3Result<()> {
        self.upload(bucket, key, upload)?;
        let (db, id, file) = (self.lock(), id_of(upload)?, format!("{upload}.{number}.{md5}"));
        let before: Option<String> = db
            .query_row("SELECT file FROM parts WHERE upload = ?1 AND number = ?2", [id, number], |row| row.get(0))
            .optional()
            .internal()?;
        content.persist(self.part(&file)).internal()?;
        db.execute(
            "INSERT OR REPLACE INTO parts (upload, number, file, size, md5) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![id, number, file, size, md5],
        )
        .internal()?;
        before.filter(|before| *before != file).map_or(Ok(()), |before| fs::remove_file(self.part(&before)).internal())
    }

    /// What its beginner said of an object of parts, and the parts that have arrived, in their order.
    pub(crate) fn upload(&self, bucket: &str, key: &str, upload: &str) -> S3Result<(Description, Vec<Part>)> {
        let (db, id) = (self.lock(), id_of(upload)?);
        let sql = "SELECT description FROM uploads WHERE id = ?1 AND bucket = ?2 AND key = ?3";
        let found: Option<String> =
            db.query_row(sql, params![id, bucket, key], |row| row.get(0)).optional().internal()?;
        let description = serde_json::from_str(&found.ok_or_else(unknown)?).internal()?;
        let read = |row: &rusqlite::Row<'_>| {
            let file: String = row.get(1)?;
            Ok(Part { number: row.get(0)?, path: self.part(&file), size: row.get(2)?, md5: row.get(3)? })
        };
        let parts = db
            .prepare("SELECT number, file, size, md5 FROM parts WHERE upload = ?1 ORDER BY number")
            .and_then(|mut query| query.query_map([id], read)?.collect())
            .internal()?;
        Ok((description, parts))
    }

    /// Forgets an object of parts, with those that have arrived.
    pub(crate) fn end_parts(&self, upload: &str, parts: &[Part]) -> S3Result<()> {
        let (db, id) = (self.lock(), id_of(upload)?);
        db.execute("DELETE FROM parts WHERE upload = ?1", [id]).internal()?;
        db.execute("DELETE FROM uploads WHERE id = ?1", [id]).internal()?;
        for part in parts {
            if let Err(error) = fs::remove_file(&part.path) {
                // The next opening removes the file.
                tracing::warn!(%error, "a part that no object needs could not be removed");
            }
        }
        Ok(())
    }

    fn part(&self, file: &str) -> PathBuf {
        self.folder.join("parts").join(file)
    }
}

fn named(id: i64) -> String {
    format!("{id:016x}")
}

fn id_of(upload: &str) -> S3Result<i64> {
    i64::from_str_radix(upload, 16).ok().filter(|id| named(*id) == upload).ok_or_else(unknown)
}

fn unknown() -> S3Error {
    s3_error!(
        NoSuchUpload,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or \
         completed."
    )
}
