//! Notifications that are still to be delivered: written with the object, removed once the hook has returned.

use rusqlite::Connection;
use s3s::S3Result;
use serde::{Deserialize, Serialize};

use super::{Object, Store};
use crate::error::Internal as _;

/// How an object came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Cause {
    Put,
    Copy,
}

/// An object was created.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Created {
    /// Higher than that of all earlier events.
    #[serde(skip)]
    pub(crate) sequence: i64,
    pub(crate) cause: Cause,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) size: u64,
    pub(crate) md5: String,
    /// In milliseconds since 1970.
    pub(crate) at: i64,
}

impl Store {
    /// What earlier processes did not get to deliver, oldest first.
    pub(crate) fn undelivered(&self) -> S3Result<Vec<Created>> {
        let rows: Vec<(i64, String)> = self
            .lock()
            .prepare("SELECT sequence, created FROM events ORDER BY sequence")
            .and_then(|mut query| query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
            .internal()?;
        let read = |(sequence, created): (i64, String)| {
            serde_json::from_str(&created).map(|created| Created { sequence, ..created }).internal()
        };
        rows.into_iter().map(read).collect()
    }

    pub(crate) fn delivered(&self, sequence: i64) -> S3Result<()> {
        self.lock().execute("DELETE FROM events WHERE sequence = ?1", [sequence]).internal()?;
        Ok(())
    }
}

pub(super) fn record(db: &Connection, cause: Cause, bucket: &str, key: &str, object: &Object) -> S3Result<Created> {
    let mut created = Created {
        sequence: 0,
        cause,
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        size: object.size,
        md5: object.md5.clone(),
        at: object.modified,
    };
    let text = serde_json::to_string(&created).internal()?;
    db.execute("INSERT INTO events (created) VALUES (?1)", [text]).internal()?;
    created.sequence = db.last_insert_rowid();
    Ok(created)
}
