//! Where buckets and objects are kept: metadata in `SQLite`, contents in files named by their SHA-256.
//!
//! | path | content |
//! |---|---|
//! | `metadata.sqlite` | buckets, objects, parts of those to come, events not yet delivered |
//! | `blobs/{sha256}` | the content of every object that has this digest |
//! | `parts/*` | the parts of objects to come |
//! | `incoming/*` | uploads under way |
//!
//! A client's key is only ever a value in a row. An object exists when its row is committed, and its blob is
//! renamed into place before that; so a crash leaves at worst a file that no row names, which opening removes.
//! Blobs are linked and unlinked only under the lock that also guards the rows.

mod buckets;
mod events;
mod objects;
mod parts;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tempfile::{NamedTempFile, TempDir};

use crate::error::Error;

pub(crate) use events::{Cause, Created};
pub(crate) use objects::{Description, Object};
pub(crate) use parts::Part;

/// Raised with every change of [`SCHEMA`], so that another version's file is refused instead of misread.
const VERSION: i64 = 1;

const SCHEMA: &str = "
CREATE TABLE buckets (name TEXT PRIMARY KEY, cors TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE objects (
    bucket TEXT NOT NULL REFERENCES buckets (name),
    key TEXT NOT NULL,
    blob TEXT NOT NULL,
    size INTEGER NOT NULL,
    md5 TEXT NOT NULL,
    modified INTEGER NOT NULL,
    description TEXT NOT NULL,
    PRIMARY KEY (bucket, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX objects_by_blob ON objects (blob);
CREATE TABLE events (sequence INTEGER PRIMARY KEY AUTOINCREMENT, created TEXT NOT NULL) STRICT;
";

/// Buckets and objects on disk.
pub(crate) struct Store {
    db: Mutex<Connection>,
    folder: PathBuf,
    /// Removes the folder of an ephemeral store with the store.
    _ephemeral: Option<TempDir>,
}

impl Store {
    /// Opens the folder, or a temporary one with its metadata in memory.
    pub(crate) fn open(data: Option<&Path>) -> Result<Self, Error> {
        let (folder, ephemeral) = match data {
            Some(folder) => (folder.to_owned(), None),
            None => {
                let made = tempfile::Builder::new().prefix("local-s3-").tempdir();
                let made = made.map_err(Error::io(&std::env::temp_dir()))?;
                (made.path().to_owned(), Some(made))
            }
        };
        for folder in [folder.join("blobs"), folder.join("parts"), folder.join("incoming")] {
            fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        }
        let path = folder.join("metadata.sqlite");
        let db = if ephemeral.is_some() { Connection::open_in_memory() } else { Connection::open(&path) };
        let db = db.map_err(|error| Error::sqlite(&path, error))?;
        prepare(&db, &path)?;
        sweep(&db, &folder)?;
        Ok(Self { db: Mutex::new(db), folder, _ephemeral: ephemeral })
    }

    /// A file for an upload, which is gone again unless it becomes an object's blob.
    pub(crate) fn incoming(&self) -> std::io::Result<NamedTempFile> {
        NamedTempFile::new_in(self.folder.join("incoming"))
    }

    fn blob(&self, sha256: &str) -> PathBuf {
        self.folder.join("blobs").join(sha256)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic elsewhere has rolled its transaction back, so the connection is sound.
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn prepare(db: &Connection, path: &Path) -> Result<(), Error> {
    let failed = |error| Error::sqlite(path, error);
    // Long enough for an earlier process to end, short enough for a person who started two.
    db.busy_timeout(Duration::from_secs(1)).map_err(failed)?;
    // Without a sync on each commit: a crash of the process loses nothing, a power cut may lose the last writes.
    db.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;",
    )
    .map_err(failed)?;
    let damaged = |reason: String| Error::Damaged { path: path.to_owned(), reason };
    let found: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(failed)?;
    if found != "ok" {
        return Err(damaged(found));
    }
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    match (version, tables) {
        (VERSION, _) => {}
        (0, 0) => db
            .execute_batch(&format!("BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;"))
            .map_err(failed)?,
        _ => return Err(damaged(format!("it has version {version} of the tables, this program knows {VERSION}"))),
    }
    db.execute_batch(parts::SCHEMA).map_err(failed)
}

/// Removes what crashes left: uploads that never ended, and blobs that no object has.
fn sweep(db: &Connection, folder: &Path) -> Result<(), Error> {
    let path = folder.join("metadata.sqlite");
    let named = |sql: &str| -> Result<HashSet<String>, Error> {
        db.prepare(sql)
            .and_then(|mut query| query.query_map([], |row| row.get(0))?.collect())
            .map_err(|error| Error::sqlite(&path, error))
    };
    let (blobs, parts) = (named("SELECT DISTINCT blob FROM objects")?, named("SELECT file FROM parts")?);
    remove_files(&folder.join("incoming"), |_| true)?;
    remove_files(&folder.join("parts"), |name| !parts.contains(name))?;
    remove_files(&folder.join("blobs"), |name| !blobs.contains(name))
}

fn remove_files(folder: &Path, unwanted: impl Fn(&str) -> bool) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(Error::io(folder))? {
        let entry = entry.map_err(Error::io(folder))?;
        if entry.file_name().to_str().is_none_or(&unwanted) {
            fs::remove_file(entry.path()).map_err(Error::io(&entry.path()))?;
        }
    }
    Ok(())
}
