//! What can go wrong outside of a request, and helpers for what goes wrong inside one.

use std::io;
use std::path::{Path, PathBuf};

use hyper::StatusCode;
use s3s::{S3Error, S3ErrorCode, S3Result};

/// Why the local S3 cannot be opened or set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file exists but is not what this program wrote.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Two processes on one folder would remove each other's files.
    #[error("{} is in use by another process", path.display())]
    InUse {
        /// The file that the other process holds.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("{} cannot be used: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The refusal.
        source: io::Error,
    },
    /// A bucket cannot be made or configured.
    #[error("the bucket {bucket} cannot be set up: {reason}")]
    Bucket {
        /// Its name.
        bucket: String,
        /// Why not.
        reason: String,
    },
}

impl Error {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    pub(crate) fn sqlite(path: &Path, error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Self::Damaged { path, reason: error.to_string() }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse { path },
            _ => Self::Io { path, source: io::Error::other(error) },
        }
    }

    pub(crate) fn bucket(bucket: &str, error: &S3Error) -> Self {
        let reason = error.message().unwrap_or_else(|| error.code().as_str()).to_owned();
        Self::Bucket { bucket: bucket.to_owned(), reason }
    }
}

/// One of S3's errors that `s3s` has no name for.
pub(crate) fn unlisted(code: &'static str, status: StatusCode, message: &'static str) -> S3Error {
    let code = S3ErrorCode::from_bytes(code.as_bytes()).unwrap_or(S3ErrorCode::InternalError);
    let mut error = S3Error::with_message(code, message);
    error.set_status_code(status);
    error
}

/// For failures that no client can do anything about: answered as `InternalError`, with the cause in the log.
pub(crate) trait Internal<T> {
    fn internal(self) -> S3Result<T>;
}

impl<T, E: std::error::Error + Send + Sync + 'static> Internal<T> for Result<T, E> {
    fn internal(self) -> S3Result<T> {
        self.map_err(S3Error::internal_error)
    }
}
