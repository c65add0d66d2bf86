//! Imports: a file's rows become users.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::{Format, Run, TransferStatus};
use crate::clock::Time;
use crate::field::{Body as _, Field as _, Flag, Object, bookkeeping, count_schema, nullable, shown_schema};
use crate::history::Actor;
use crate::id::{ImportId, SegmentId, UploadId, UserId};
use crate::value::OrDefault;
use crate::{body, words};

words! {
    /// By what a row finds the user that it changes.
    #[derive(Default)]
    pub enum MatchBy {
        /// By nothing: each row is a new user.
        #[default]
        None = "none",
        /// By its `reference_id`.
        ReferenceId = "reference_id",
        /// By its `email`, without case.
        Email = "email",
    }
}

words! {
    /// What came of a row.
    pub enum RowStatus {
        /// It became a user.
        Created = "created",
        /// It changed the user that it found.
        Updated = "updated",
        /// The user that it found was so already.
        Unchanged = "unchanged",
        /// Nothing, for the errors that it has.
        Failed = "failed",
    }
}

body! {
    /// An import to be made.
    #[derive(Serialize, Deserialize)]
    pub struct ImportFields {
        /// The file: an upload of the segment itself, of `text/csv` or `application/x-ndjson`, that is available.
        pub upload_id: UploadId,
        /// How its rows are written.
        pub format: Format,
        /// Whether it only tells what it would do.
        pub dry_run: Flag<false>,
        /// By what a row finds the user that it changes; a row that finds none becomes a new one.
        pub match_by as "match": OrDefault<MatchBy>,
        /// Whether CSV cells are read as they are. By default blanks around a cell are removed, and the `'` that an export
        /// writes before `=`, `+`, `-`, `@`, a tab or a carriage return.
        #[serde(default)]
        pub raw: Flag<false>,
    }
    example {
        "upload_id": "0199d2a4-5c00-7000-8000-000000000f11", "format": "csv", "dry_run": false, "match": "none", "raw": false
    }
}

/// How many rows have come to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All that were read.
    pub read_rows: u64,
    /// Those that became users.
    pub created: u64,
    /// Those that changed one.
    pub updated: u64,
    /// Those that found one that was so already.
    pub unchanged: u64,
    /// Those that failed.
    pub failed: u64,
}

impl Counts {
    /// Counts one more row.
    pub fn add(&mut self, status: RowStatus) {
        self.read_rows += 1;
        let count = match status {
            RowStatus::Created => &mut self.created,
            RowStatus::Updated => &mut self.updated,
            RowStatus::Unchanged => &mut self.unchanged,
            RowStatus::Failed => &mut self.failed,
        };
        *count += 1;
    }

    /// Each count with its name.
    #[must_use]
    pub fn named(&self) -> [(&'static str, u64); 5] {
        [
            ("read_rows", self.read_rows),
            ("created", self.created),
            ("updated", self.updated),
            ("unchanged", self.unchanged),
            ("failed", self.failed),
        ]
    }
}

/// How the text of a table is encoded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TextEncoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// UTF-16 with the low byte first, after a byte order mark.
    Utf16Le,
    /// UTF-16 with the high byte first, after a byte order mark.
    Utf16Be,
    /// Windows-1252, as Excel writes CSV in western Europe and America.
    Windows1252,
}

/// What is known of the file once it has been looked through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Names its content.
    pub etag: String,
    /// The names of its columns, in their order; empty where a column has none. NDJSON has no columns.
    pub columns: Vec<String>,
    /// What stands between its cells.
    pub delimiter: char,
    /// How its text is encoded.
    #[serde(default)]
    pub encoding: TextEncoding,
    /// In how many batches its rows are done.
    pub batches: u64,
}

/// An import of users into a segment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Import {
    /// Its id.
    pub id: ImportId,
    /// The segment whose users it makes.
    pub segment_id: SegmentId,
    /// The master user whose segment that is.
    pub owner_id: UserId,
    /// Who began it.
    pub actor: Actor,
    /// What was asked for.
    #[serde(flatten)]
    pub fields: ImportFields,
    /// How it goes.
    #[serde(flatten)]
    pub run: Run,
    /// How many rows the file has, once it has been looked through.
    pub total_rows: Option<u64>,
    /// What has come of them.
    #[serde(flatten)]
    pub counts: Counts,
    /// What is known of the file; not shown.
    pub source: Option<Source>,
    /// Counts the changes; it is the `ETag`.
    pub version: u64,
    /// When it was begun.
    pub created_at: Time,
    /// When it last got on.
    pub updated_at: Time,
}

impl Import {
    /// An import that has not begun.
    #[must_use]
    pub fn new(id: ImportId, of: (SegmentId, UserId), actor: Actor, fields: ImportFields, now: Time) -> Self {
        let (segment_id, owner_id) = of;
        Self {
            id,
            segment_id,
            owner_id,
            actor,
            fields,
            run: Run::default(),
            total_rows: None,
            counts: Counts::default(),
            source: None,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The import once its file has been looked through.
    #[must_use]
    pub fn begun(&self, source: Source, total_rows: u64, now: Time) -> Self {
        let run = Run { status: TransferStatus::Running, started_at: Some(now), ..self.run.clone() };
        Self { run, source: Some(source), total_rows: Some(total_rows), ..self.next(now) }
    }

    /// The import at its end; `reason` is a sentence.
    #[must_use]
    pub fn ended(&self, status: TransferStatus, reason: Option<&str>, now: Time) -> Self {
        let run = self.run.ended(status, reason, now);
        Self { run, ..self.next(now) }
    }

    /// Returns the import with the time until which its report is kept.
    #[must_use]
    pub fn expiring(self, expires_at: Time) -> Self {
        Self { run: Run { expires_at: Some(expires_at), ..self.run.clone() }, ..self }
    }

    fn next(&self, now: Time) -> Self {
        Self { version: self.version + 1, updated_at: now, ..self.clone() }
    }
}

impl Object for Import {
    fn version(&self) -> u64 {
        self.version
    }

    fn show(&self) -> Value {
        let mut shown = Map::from_iter([
            ("id".to_owned(), self.id.show()),
            ("segment_id".to_owned(), self.segment_id.show()),
            ("kind".to_owned(), "import".into()),
        ]);
        shown.extend(self.run.show());
        shown.extend(self.fields.show());
        shown.insert("created_by".to_owned(), self.actor.show());
        shown.insert("total_rows".to_owned(), self.total_rows.into());
        shown.extend(self.counts.named().map(|(name, count)| (name.to_owned(), count.into())));
        shown.extend(bookkeeping(self.version, self.created_at, self.updated_at));
        Value::Object(shown)
    }
}

impl PartialSchema for Import {
    fn schema() -> RefOr<Schema> {
        let mut before = vec![
            ("id", "The import's id.", ImportId::response_schema()),
            ("segment_id", "The segment that it creates users in.", SegmentId::response_schema()),
            ("kind", "Always `import`.", super::export::kind("import")),
            ("created_by", "The user or key that created it.", Actor::response_schema()),
        ];
        before.extend(Run::schema());
        before.extend([
            ("total_rows", "Number of rows in the file; null until they are counted.", nullable(count_schema())),
            ("read_rows", "Number of rows read.", count_schema()),
            ("created", "Number of rows that created a user.", count_schema()),
            ("updated", "Number of rows that changed a user.", count_schema()),
            ("unchanged", "Number of rows that match their user already.", count_schema()),
            ("failed", "Number of rows that failed.", count_schema()),
        ]);
        shown_schema::<ImportFields>("An import of a file of users into a segment.", import_example(), before)
    }
}

impl ToSchema for Import {}

/// An import for the examples of the OpenAPI document.
#[must_use]
pub fn import_example() -> Value {
    let mut example = json!({
        "id": "0199d2a4-5c00-7000-8000-000000001a01", "segment_id": "0199d2a4-5c00-7000-8000-0000000005e6",
        "kind": "import", "created_by": { "type": "user", "id": "0199d2a4-5c00-7000-8000-000000000001" }, "status": "RUNNING", "reason": null, "started_at": "2026-11-21T10:00:01.000Z",
        "finished_at": null, "expires_at": null, "total_rows": 1000, "read_rows": 500, "created": 498, "updated": 0, "unchanged": 0,
        "failed": 2, "version": 3, "created_at": "2026-11-21T10:00:00.000Z", "updated_at": "2026-11-21T10:00:05.000Z"
    });
    if let (Some(object), Value::Object(fields)) = (example.as_object_mut(), ImportFields::example()) {
        object.extend(fields);
    }
    example
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn every_example_is_accepted() {
        assert!(ImportFields::parse(ImportFields::example()).is_ok());
    }

    #[test]
    fn an_import_shows_what_its_example_has() -> Result<(), Error> {
        let fields = ImportFields::parse(ImportFields::example())?;
        let of = (SegmentId::fresh(), UserId::fresh());
        let import = Import::new(ImportId::fresh(), of, Actor::System, fields, Time::now());
        let (shown, example) = (import.show(), import_example());
        let names = |value: &Value| {
            value.as_object().into_iter().flat_map(Map::keys).cloned().collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(names(&shown), names(&example));
        let RefOr::T(Schema::Object(schema)) = Import::schema() else { panic!("no object") };
        assert_eq!(names(&shown), schema.properties.keys().cloned().collect());
        Ok(())
    }
}
