//! Imports and exports of a segment's users: files that become users, and users that become a file, row by row.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};

use crate::clock::Time;
use crate::field::Field as _;
use crate::field::{nullable, string_schema};
use crate::words;

mod columns;
mod export;
mod formula;
mod import;

pub use columns::{Column, columns, find_column};
pub use export::{Export, ExportFields, ExportProgress, Filters, UserColumn, export_example};
pub use formula::{escape_formula, unescape_formula};
pub use import::{Counts, Import, ImportFields, MatchBy, RowStatus, Source, TextEncoding, import_example};

words! {
    /// How rows are written.
    pub enum Format as "TransferFormat" {
        /// RFC 4180, with a header; `,`, `;`, a tab, or what a first line `sep=` names, between the cells.
        Csv = "csv",
        /// A JSON object a line.
        Ndjson = "ndjson",
    }
}

words! {
    /// How far an import or export is.
    pub enum TransferStatus {
        /// It has not begun.
        Pending = "PENDING",
        /// It is under way.
        Running = "RUNNING",
        /// Each row has been done, whatever came of it.
        Completed = "COMPLETED",
        /// It could not be done, for the reason that it has.
        Failed = "FAILED",
        /// It was cancelled; what it had done by then stays.
        Cancelled = "CANCELLED",
    }
}

impl TransferStatus {
    /// Whether anything is still to come.
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::Pending | Self::Running => true,
            Self::Completed | Self::Failed | Self::Cancelled => false,
        }
    }
}

/// How an import or export goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// How far it is.
    pub status: TransferStatus,
    /// Why it failed: a sentence.
    pub reason: Option<String>,
    /// When its first row was looked at.
    pub started_at: Option<Time>,
    /// When it came to its end, whichever.
    pub finished_at: Option<Time>,
    /// Until when its file is kept. `expires_at` is the attribute by which DynamoDB expires the item itself.
    #[serde(default, rename = "file_expires_at")]
    pub expires_at: Option<Time>,
}

impl Default for Run {
    fn default() -> Self {
        Self { status: TransferStatus::Pending, reason: None, started_at: None, finished_at: None, expires_at: None }
    }
}

impl Run {
    /// The same at its end; `reason` is a sentence.
    fn ended(&self, status: TransferStatus, reason: Option<&str>, now: Time) -> Self {
        Self { status, reason: reason.map(str::to_owned), finished_at: Some(now), ..self.clone() }
    }

    /// Whether its file has expired.
    #[must_use]
    pub fn is_expired(&self, now: Time) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    fn show(&self) -> [(String, Value); 5] {
        [
            ("status".to_owned(), self.status.show()),
            ("reason".to_owned(), self.reason.clone().into()),
            ("started_at".to_owned(), self.started_at.show()),
            ("finished_at".to_owned(), self.finished_at.show()),
            ("expires_at".to_owned(), self.expires_at.show()),
        ]
    }

    fn schema() -> [(&'static str, &'static str, RefOr<Schema>); 5] {
        let time = <Option<Time>>::response_schema;
        [
            ("status", "Progress.", TransferStatus::response_schema()),
            ("reason", "Reason of a failure: a sentence.", nullable(string_schema())),
            ("started_at", "Time at which the first row was read.", time()),
            ("finished_at", "Time of the end, of whatever kind.", time()),
            ("expires_at", "Time until which the file is kept.", time()),
        ]
    }
}
