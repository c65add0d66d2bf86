//! Does imports and exports, in steps each of which may be cut off anywhere and be done again.
//!
//! An import is prepared first: its file is looked through once, and divided into batches. Each batch is then done by
//! itself, in any order: its rows become users whose ids follow from the import and the row, what came of them is
//! written as an object of the batch's own, and one transaction notes that the batch is done and counts. So a batch
//! that is done again makes nothing twice and counts nothing twice. At last the objects of all batches become the
//! report.

mod apply;
mod batch;
mod encoding;
mod export;
mod finish;
mod prepare;
mod report;
mod rows;
mod user;

use std::time::Duration;

use domain::transfer::{Source, TextEncoding};
use domain::{Error, ExportId, Import, ImportId, SegmentId, Time, TransferStatus};
use files::{Files, ObjectKey};
use serde::{Deserialize, Serialize};
use store::{Store, retried};
use uuid::Uuid;

pub use prepare::Batch;

use prepare::{Divider, HEADER, Header, header};
use rows::Cutter;

/// What the steps need.
#[derive(Debug, Clone)]
pub struct Transfers {
    /// All data.
    pub store: Store,
    /// The bucket.
    pub files: Files,
    /// For how long the files of exports and the reports of imports are kept.
    pub retention: Duration,
}

/// A step, as the state machine asks for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Looks through the file of an import.
    Prepare(Whose<ImportId>),
    /// Does a batch of it.
    Batch {
        /// Of which import.
        #[serde(flatten)]
        whose: Whose<ImportId>,
        /// Which rows.
        batch: Batch,
    },
    /// Makes the report of an import whose batches are all done.
    Finish(Whose<ImportId>),
    /// Gives an import up that a step of has failed for good.
    FailImport(Whose<ImportId>),
    /// Writes some more of an export.
    Export(Whose<ExportId>),
    /// Gives an export up that a step of has failed for good.
    FailExport(Whose<ExportId>),
    /// Starts what was left before it could be started; no part of an import or export.
    Look,
}

/// An import or export.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Whose<T> {
    /// The segment that it belongs to.
    pub segment_id: SegmentId,
    /// Its id.
    pub id: T,
}

/// What a step answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stepped {
    /// Whether nothing is left for another step of this kind.
    pub done: bool,
    /// The object that lists the batches of an import.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batches: Option<String>,
}

/// How long a request may take to start what it has made.
const START: Duration = Duration::from_secs(60);

/// What whoever looks is told of a failure of ours.
const GIVEN_UP: &str = "It could not be finished for a reason of ours; begin it again.";

impl Transfers {
    /// Does a step, as far as it comes until `end`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where it is to be done again.
    pub async fn step(&self, step: Step, end: Time) -> Result<Stepped, Error> {
        let done = |done| Stepped { done, batches: None };
        match step {
            Step::Prepare(whose) => {
                let running = self.prepare(whose).await?;
                let batches = Some(ObjectKey::batches(whose.id.uuid()).to_string()).filter(|_| running);
                Ok(Stepped { done: !running, batches })
            }
            Step::Batch { whose, batch } => self.batch(whose, batch).await.map(|()| done(true)),
            Step::Finish(whose) => self.finish(whose).await.map(|()| done(true)),
            Step::FailImport(whose) => self.fail_import(whose, GIVEN_UP).await.map(|()| done(true)),
            Step::Export(whose) => self.export(whose, end).await.map(done),
            Step::FailExport(whose) => self.fail_export(whose, GIVEN_UP).await.map(|()| done(true)),
            // Whoever has a state machine starts them.
            Step::Look => Ok(done(true)),
        }
    }

    /// Does all imports and exports that are not over, one after the other, until `end`: what a machine does that has no
    /// state machine.
    ///
    /// # Errors
    /// The last of those that failed; the others are done, and the next run goes on with it.
    pub async fn run(&self, end: Time) -> Result<(), Error> {
        let mut outcome = Ok(());
        for (segment_id, id) in self.store.open_imports().await? {
            outcome = self.whole_import(Whose { segment_id, id }, end).await.and(outcome);
        }
        for (segment_id, id) in self.store.open_exports().await? {
            outcome = self.export(Whose { segment_id, id }, end).await.map(drop).and(outcome);
        }
        outcome
    }

    /// Imports and exports that have not begun a minute after they were made: whoever made them was cut off before it
    /// could start them. Of each which of the two it is, its segment and its id.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn left(&self) -> Result<Vec<(&'static str, SegmentId, Uuid)>, Error> {
        let before = Time::now().minus(START);
        let waits = |status, made: Time| status == TransferStatus::Pending && made < before;
        let mut left = Vec::new();
        for (segment, id) in self.store.open_imports().await? {
            let import = self.import(Whose { segment_id: segment, id }).await?;
            if import.is_some_and(|import| waits(import.run.status, import.created_at)) {
                left.push(("import", segment, id.uuid()));
            }
        }
        for (segment, id) in self.store.open_exports().await? {
            let export = self.open_export(Whose { segment_id: segment, id }).await?;
            if export.is_some_and(|export| waits(export.run.status, export.created_at)) {
                left.push(("export", segment, id.uuid()));
            }
        }
        Ok(left)
    }

    async fn whole_import(&self, whose: Whose<ImportId>, end: Time) -> Result<(), Error> {
        if !self.prepare(whose).await? {
            return Ok(());
        }
        let batches = self.files.get(&ObjectKey::batches(whose.id.uuid())).await?;
        let batches: Vec<Batch> = serde_json::from_slice(&batches).map_err(Error::internal)?;
        let done = self.store.batches_done(whose.id).await?;
        for batch in batches.into_iter().filter(|batch| !done.contains(&batch.row)) {
            if Time::now() > end {
                return Ok(());
            }
            self.batch(whose, batch).await?;
        }
        self.finish(whose).await
    }

    /// Looks through the file of an import that has not begun: whether it is under way now.
    async fn prepare(&self, whose: Whose<ImportId>) -> Result<bool, Error> {
        let Some(import) = self.import(whose).await? else { return Ok(false) };
        match import.run.status {
            TransferStatus::Running => return Ok(true),
            TransferStatus::Completed | TransferStatus::Failed | TransferStatus::Cancelled => return Ok(false),
            TransferStatus::Pending => {}
        }
        let key = ObjectKey::clean(import.fields.upload_id.uuid());
        let looked = match self.files.head(&key).await {
            Ok(head) => self.looked(&import, &key, (&head.etag, head.size)).await,
            Err(error) => Err(error),
        };
        let found = match looked {
            Err(files::Error::NotFound | files::Error::Changed) => Err("The file is gone; send it again.".to_owned()),
            looked => looked?,
        };
        let (source, rows, batches) = match found {
            Ok(found) => found,
            Err(reason) => return self.fail_import(whose, &reason).await.map(|()| false),
        };
        let batches = serde_json::to_vec(&batches).map_err(Error::internal)?;
        self.files.put(&ObjectKey::batches(import.id.uuid()), "application/json", batches).await?;
        match self.store.change_import(&import, &import.begun(source, rows, Time::now()), None).await {
            // Cancelled meanwhile, or somebody else is doing the same.
            Err(Error::Stale) => {
                let now = self.import(whose).await?;
                Ok(now.is_some_and(|import| import.run.status == TransferStatus::Running))
            }
            done => done.map(|()| true),
        }
    }

    /// What there is in the file; or what is wrong with it.
    async fn looked(
        &self,
        import: &Import,
        key: &ObjectKey,
        (etag, size): (&str, u64),
    ) -> Result<Result<(Source, u64, Vec<Batch>), String>, files::Error> {
        let (format, mut beginning) = (import.fields.format, Vec::new());
        self.files.read(key, etag, Some(HEADER), |bytes| beginning.extend_from_slice(bytes)).await?;
        let header = match header(format, &beginning, size <= HEADER) {
            Ok(header) => header,
            Err(reason) => return Ok(Err(reason)),
        };
        let Header { columns, notation, is_marked, end } = header;
        let (mut cutter, mut divider) = (Cutter::new(notation, end), Divider::default());
        self.files.read_between(key, etag, (end.at, size), |bytes| cutter.feed(bytes, |row| divider.see(&row))).await?;
        cutter.end(|row| divider.see(&row));
        // Rows are cut at the same places in both encodings, so that no second look is needed.
        let is_windows = !is_marked && divider.evidence.is_windows();
        let encoding = if is_windows { TextEncoding::Windows1252 } else { notation.encoding };
        let (batches, rows) = divider.end();
        let (etag, delimiter, count) = (etag.to_owned(), notation.delimiter, batches.len() as u64);
        Ok(Ok((Source { etag, columns, delimiter, encoding, batches: count }, rows, batches)))
    }

    /// The import, if it is still there.
    async fn import(&self, whose: Whose<ImportId>) -> Result<Option<Import>, Error> {
        match self.store.import(whose.segment_id, whose.id).await {
            Err(Error::NotFound) => Ok(None),
            found => found.map(Some),
        }
    }

    /// Ends an import, unless it is over already.
    async fn fail_import(&self, whose: Whose<ImportId>, reason: &str) -> Result<(), Error> {
        self.end_import(whose, |import, now| import.ended(TransferStatus::Failed, Some(reason), now)).await
    }

    /// Ends an import whose report is written, unless it is over already.
    async fn complete_import(&self, whose: Whose<ImportId>) -> Result<(), Error> {
        let complete = |import: &Import, now: Time| {
            import.ended(TransferStatus::Completed, None, now).expiring(now.plus(self.retention))
        };
        self.end_import(whose, complete).await
    }

    async fn end_import(&self, whose: Whose<ImportId>, end: impl Fn(&Import, Time) -> Import) -> Result<(), Error> {
        retried(|| async {
            let Some(import) = self.import(whose).await?.filter(|import| import.run.status.is_open()) else {
                return Ok(());
            };
            self.store.change_import(&import, &end(&import, Time::now()), None).await
        })
        .await
    }
}
