//! The one `SQLite` file: opening it, its tables, and the two ways in.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use crate::error::{Error, Failure};

/// Raised whenever [`TABLES`] changes.
const FORMAT: i64 = 1;

/// Settings and attributes are JSON; times are seconds since 1970; secrets are there as hashes only, but for those of
/// clients, which check hashes themselves.
const TABLES: &str = "
CREATE TABLE signing_key (pkcs8 BLOB NOT NULL) STRICT;
CREATE TABLE pools (id TEXT PRIMARY KEY, settings TEXT NOT NULL) STRICT;
CREATE TABLE clients (
    id TEXT PRIMARY KEY, pool TEXT NOT NULL REFERENCES pools (id), settings TEXT NOT NULL) STRICT;
CREATE TABLE users (
    sub TEXT PRIMARY KEY, pool TEXT NOT NULL REFERENCES pools (id), username TEXT NOT NULL,
    status TEXT NOT NULL, enabled INTEGER NOT NULL, password TEXT, password_expires INTEGER,
    attributes TEXT NOT NULL, created INTEGER NOT NULL, modified INTEGER NOT NULL,
    UNIQUE (pool, username)) STRICT;
CREATE TABLE codes (
    user TEXT NOT NULL REFERENCES users (sub) ON DELETE CASCADE, purpose TEXT NOT NULL,
    hash BLOB NOT NULL, expires INTEGER NOT NULL, tries INTEGER NOT NULL,
    PRIMARY KEY (user, purpose)) STRICT;
CREATE TABLE logins (
    origin_jti TEXT PRIMARY KEY, user TEXT NOT NULL REFERENCES users (sub) ON DELETE CASCADE,
    client TEXT NOT NULL REFERENCES clients (id), refresh_hash BLOB NOT NULL UNIQUE,
    auth_time INTEGER NOT NULL, expires INTEGER NOT NULL, revoked INTEGER NOT NULL) STRICT;
CREATE INDEX logins_by_user ON logins (user);
CREATE INDEX logins_by_expiry ON logins (expires);
CREATE TABLE sessions (
    hash BLOB PRIMARY KEY, client TEXT NOT NULL REFERENCES clients (id), state TEXT NOT NULL,
    expires INTEGER NOT NULL, used INTEGER NOT NULL) STRICT;
CREATE INDEX sessions_by_expiry ON sessions (expires);
";

/// Addresses that wait for their code; files of this format may have been written without it.
const PENDING_EMAILS: &str = "
CREATE TABLE IF NOT EXISTS pending_emails (
    user TEXT PRIMARY KEY REFERENCES users (sub) ON DELETE CASCADE, email TEXT NOT NULL) STRICT;
";

pub(crate) struct Storage {
    file: String,
    connection: Mutex<Connection>,
}

impl Storage {
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, Error> {
        let file = path.map_or_else(|| "memory".to_owned(), |path| path.display().to_string());
        let connection = path.map_or_else(Connection::open_in_memory, Connection::open).and_then(prepared);
        let connection = connection.map_err(|source| explain(&file, source))?;
        let storage = Self { file, connection: Mutex::new(connection) };
        storage.check()?;
        storage.lay_out()?;
        Ok(storage)
    }

    /// What `file` is called in errors.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    pub(crate) fn read<T>(&self, f: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        f(&self.lock())
    }

    /// One transaction, on disk before this returns.
    ///
    /// A refusal is committed too, because a wrong try must count; only an internal error rolls back.
    pub(crate) fn write<T>(&self, f: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let outcome = f(&transaction);
        if !matches!(outcome, Err(Failure::Internal(_))) {
            transaction.commit()?;
        }
        outcome
    }

    /// A panic while the lock was held rolled its transaction back, so the connection is sound.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self) -> Result<(), Error> {
        let found: String = self
            .lock()
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .map_err(|source| explain(&self.file, source))?;
        if found == "ok" { Ok(()) } else { Err(Error::Damaged { file: self.file.clone(), reason: found }) }
    }

    /// Makes the tables in an empty file, and refuses a file with anything but these tables.
    fn lay_out(&self) -> Result<(), Error> {
        let failed = |source| explain(&self.file, source);
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
        let tables: i64 =
            transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
        match (found, tables) {
            (FORMAT, _) => {
                transaction.execute_batch(PENDING_EMAILS).map_err(failed)?;
                transaction.commit().map_err(failed)
            }
            (0, 0) => {
                transaction.execute_batch(TABLES).map_err(failed)?;
                transaction.execute_batch(PENDING_EMAILS).map_err(failed)?;
                transaction.pragma_update(None, "user_version", FORMAT).map_err(failed)?;
                transaction.commit().map_err(failed)
            }
            (found, _) => Err(Error::Format { file: self.file.clone(), found, wanted: FORMAT }),
        }
    }
}

fn prepared(connection: Connection) -> rusqlite::Result<Connection> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Enough against a killed process: what was written is in the operating system's hands.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

fn explain(file: &str, source: rusqlite::Error) -> Error {
    let damaged = source
        .sqlite_error_code()
        .is_some_and(|code| matches!(code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase));
    if damaged {
        Error::Damaged { file: file.to_owned(), reason: source.to_string() }
    } else {
        Error::Storage { file: file.to_owned(), source }
    }
}
