//! The end of an import: what came of each batch becomes one report.

use domain::{Error, ImportId, TransferStatus};
use files::{Files, ObjectKey, Part};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use crate::{Transfers, Whose};

/// So many objects are fetched ahead.
const AHEAD: usize = 8;

/// How many bytes a part of an object has.
const PART: usize = 8 * 1024 * 1024;

/// How the rows of a report are written.
const NDJSON: &str = "application/x-ndjson";

impl Transfers {
    /// Makes the report of an import, and ends it; nothing where it is not under way, or a batch is not done.
    pub(crate) async fn finish(&self, whose: Whose<ImportId>) -> Result<(), Error> {
        let Some(import) = self.import(whose).await? else { return Ok(()) };
        if import.run.status != TransferStatus::Running {
            return Ok(());
        }
        let done = self.store.batches_done(import.id).await?;
        if import.source.is_none_or(|source| source.batches != done.len() as u64) {
            return Err(Error::internal("an import is to end before all of its batches are done"));
        }
        let id = import.id.uuid();
        let mut parts = stream::iter(done).map(|row| self.part_of(ObjectKey::rows(id, row))).buffered(AHEAD);
        let mut report = Writer::new(&self.files, ObjectKey::report(id), NDJSON);
        while let Some(lines) = parts.try_next().await? {
            report.write(&lines).await?;
        }
        report.end().await?;
        self.complete_import(whose).await?;
        // Whatever of this is cut off goes with the import itself.
        self.files.erase_rows(id).await?;
        self.store.erase_batches(import.id).await
    }

    async fn part_of(&self, key: ObjectKey) -> Result<Vec<u8>, files::Error> {
        self.files.get(&key).await
    }
}

/// Writes an object of which no more than a part is ever held.
struct Writer<'a> {
    files: &'a Files,
    key: ObjectKey,
    content_type: &'static str,
    held: Vec<u8>,
    upload: Option<String>,
    parts: Vec<Part>,
}

impl<'a> Writer<'a> {
    fn new(files: &'a Files, key: ObjectKey, content_type: &'static str) -> Self {
        Self { files, key, content_type, held: Vec::new(), upload: None, parts: Vec::new() }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), files::Error> {
        self.held.extend_from_slice(bytes);
        if self.held.len() < PART {
            return Ok(());
        }
        let upload = match self.upload.take() {
            Some(upload) => upload,
            None => self.files.begin_parts(&self.key, self.content_type).await?,
        };
        self.sent(&upload).await?;
        self.upload = Some(upload);
        Ok(())
    }

    async fn sent(&mut self, upload: &str) -> Result<(), files::Error> {
        let (held, nth) = (std::mem::take(&mut self.held), self.parts.len() + 1);
        self.parts.push(self.files.put_part(&self.key, (upload, nth), held).await?);
        Ok(())
    }

    async fn end(mut self) -> Result<(), files::Error> {
        let Some(upload) = self.upload.take() else {
            return self.files.put(&self.key, self.content_type, self.held).await;
        };
        if !self.held.is_empty() {
            self.sent(&upload).await?;
        }
        self.files.complete_parts(&self.key, &upload, &self.parts).await
    }
}
