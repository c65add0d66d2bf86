//! Jobs: what follows a change and is too much for a request. A job is written with the change that it follows, so that
//! none is lost; whoever finishes it deletes it, and the `reconcile` function finishes what nobody else has.

use std::time::Duration;

use domain::{Error, ExportId, ImportId, KeyId, MemberId, MembershipId, SegmentId, Time, UploadId, UserId};

use crate::Store;
use crate::keys::{self, PENDING_INDEX, PK};
use crate::table::{Changes, Item, Query, Write, from_item, string};

/// What has to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// A segment is deleted: all that is in it goes.
    EraseSegment(SegmentId),
    /// A membership is deleted: its levels, fields and members go.
    EraseMembership(MembershipId),
    /// A member is deleted: its awards and files go.
    EraseMember(MemberId),
    /// A file is not wanted any more.
    EraseUpload(UploadId),
    /// An import is forgotten: what it has written of its rows goes.
    EraseImport(ImportId),
    /// An export is forgotten: its file goes.
    EraseExport(ExportId),
    /// A user of a segment is purged: what exports, imports and notifications of the segment have of it goes.
    EraseTraces(SegmentId, UserId),
    /// A file is about to be accepted: it goes, unless it was. Begun for later, and not at all once it was accepted.
    EraseUnaccepted(UploadId),
    /// Levels or fields of a membership have changed: its members are found by what they are now.
    Refresh(MembershipId),
    /// Users were being made together, this one first: none of them stands. Begun for later, and not at all once all are
    /// made.
    Undo(UserId),
    /// A key of this account was revoked: the keys that it created go, and those that these created.
    EndKeys(UserId, KeyId),
}

/// A job that is there to be done.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct Progress {
    /// Since when, or since when whoever does it has had it.
    #[serde(rename = "pending_at")]
    pub since: Time,
    /// When the change was made that it follows.
    pub begun_at: Time,
    /// How far it is, in the job's own words.
    pub reached: Option<String>,
}

impl Progress {
    /// Whether requests may still be running that began before the job did, and know nothing of its cause.
    #[must_use]
    pub fn is_early(&self) -> bool {
        self.begun_at.plus(Job::REQUESTS) > Time::now()
    }
}

impl Job {
    /// The name of each kind.
    pub const KINDS: [&str; 11] = [
        "erase_segment",
        "erase_membership",
        "erase_member",
        "erase_upload",
        "erase_import",
        "erase_export",
        "erase_traces",
        "erase_unaccepted",
        "refresh",
        Self::UNDO,
        "end_keys",
    ];

    pub(crate) const UNDO: &str = "undo";

    /// How long a request may run: each function's timeout, and some more.
    const REQUESTS: Duration = Duration::from_secs(20);

    /// How long whoever does a job has it for itself.
    pub const LEASE: Duration = Duration::from_secs(60);

    fn parts(self) -> (&'static str, String) {
        match self {
            Self::EraseSegment(id) => ("erase_segment", id.to_string()),
            Self::EraseMembership(id) => ("erase_membership", id.to_string()),
            Self::EraseMember(id) => ("erase_member", id.to_string()),
            Self::EraseUpload(id) => ("erase_upload", id.to_string()),
            Self::EraseImport(id) => ("erase_import", id.to_string()),
            Self::EraseExport(id) => ("erase_export", id.to_string()),
            Self::EraseTraces(segment, user) => ("erase_traces", format!("{segment}.{user}")),
            Self::EraseUnaccepted(id) => ("erase_unaccepted", id.to_string()),
            Self::Refresh(id) => ("refresh", id.to_string()),
            Self::Undo(id) => (Self::UNDO, id.to_string()),
            Self::EndKeys(account, key) => ("end_keys", format!("{account}#{key}")),
        }
    }

    pub(crate) fn key(self) -> keys::Key {
        let (kind, subject) = self.parts();
        keys::job(kind, subject)
    }

    fn of(kind: &str, pk: &str) -> Option<Self> {
        let id = pk.strip_prefix("J#")?.strip_prefix(kind)?.strip_prefix('#')?;
        match kind {
            "erase_segment" => id.parse().ok().map(Self::EraseSegment),
            "erase_membership" => id.parse().ok().map(Self::EraseMembership),
            "erase_member" => id.parse().ok().map(Self::EraseMember),
            "erase_upload" => id.parse().ok().map(Self::EraseUpload),
            "erase_import" => id.parse().ok().map(Self::EraseImport),
            "erase_export" => id.parse().ok().map(Self::EraseExport),
            "erase_traces" => {
                let (segment, user) = id.split_once('.')?;
                Some(Self::EraseTraces(segment.parse().ok()?, user.parse().ok()?))
            }
            "erase_unaccepted" => id.parse().ok().map(Self::EraseUnaccepted),
            "refresh" => id.parse().ok().map(Self::Refresh),
            Self::UNDO => id.parse().ok().map(Self::Undo),
            "end_keys" => {
                let (account, key) = id.split_once('#')?;
                Some(Self::EndKeys(account.parse().ok()?, key.parse().ok()?))
            }
            _ => None,
        }
    }
}

impl Store {
    /// The write that begins a job; one that is under way begins again.
    pub(crate) fn begun(&self, job: Job) -> Write {
        self.begun_for(job, Time::from_millis(0))
    }

    /// The write that begins a job which nobody does before `from`; one that is under way begins again then.
    pub(crate) fn begun_for(&self, job: Job, from: Time) -> Write {
        let item = Item::from([
            ("pending".to_owned(), string(job.parts().0)),
            // Nobody has it yet.
            ("pending_at".to_owned(), string(from)),
            ("begun_at".to_owned(), string(Time::now())),
        ]);
        Write::put(&self.table, crate::table::keyed(&job.key(), item))
    }

    /// The jobs of a kind that nobody is doing, those that have waited longest first: 1 `Query`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn jobs(&self, kind: &str) -> Result<Vec<Job>, Error> {
        let before = Time::now().minus(Job::LEASE);
        let query = Query {
            index: Some(PENDING_INDEX),
            condition: "pending = :kind AND pending_at < :before",
            values: Item::from([(":kind".to_owned(), string(kind)), (":before".to_owned(), string(before))]),
            ..Query::default()
        };
        let read = self.table.query(&query, Some(100), None).await?;
        let job = |item: &Item| Job::of(kind, item.get(PK)?.as_s().ok()?);
        Ok(read.items.iter().filter_map(job).collect())
    }

    /// Takes a job, for [`Job::LEASE`]; `None` where it is done, or somebody else has it. 1 `GetItem`, 1 `UpdateItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn take_job(&self, job: Job) -> Result<Option<Progress>, Error> {
        let Some(found) = self.table.get(&job.key()).await?.map(from_item::<Progress>).transpose()? else {
            return Ok(None);
        };
        let now = Time::now();
        if found.since.plus(Job::LEASE) > now {
            return Ok(None);
        }
        let mine = Progress { since: now, ..found.clone() };
        Ok(self.job_moved(job, &found, &mine).await?.then_some(mine))
    }

    /// Notes how far a job is, and goes on having it; `None` where it has begun again meanwhile. 1 `UpdateItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn job_reached(&self, job: Job, had: &Progress, reached: String) -> Result<Option<Progress>, Error> {
        let mine = Progress { since: Time::now(), reached: Some(reached), ..had.clone() };
        Ok(self.job_moved(job, had, &mine).await?.then_some(mine))
    }

    /// Leaves a job to be done from its beginning once more, by whoever looks next. 1 `UpdateItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn job_again(&self, job: Job, had: &Progress) -> Result<(), Error> {
        let free = Progress { since: Time::from_millis(0), reached: None, ..had.clone() };
        self.job_moved(job, had, &free).await.map(drop)
    }

    async fn job_moved(&self, job: Job, had: &Progress, new: &Progress) -> Result<bool, Error> {
        let changes = Changes::default().set("pending_at", string(new.since)).value(":since", string(had.since));
        let changes = match &new.reached {
            Some(reached) => changes.set("reached", string(reached)),
            None if had.reached.is_some() => changes.remove("reached"),
            None => changes,
        };
        self.table.update(&job.key(), "pending_at = :since", changes).await
    }

    /// Ends a job, unless it has begun again meanwhile: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn job_done(&self, job: Job, had: &Progress) -> Result<(), Error> {
        let since = Item::from([(":since".to_owned(), string(had.since))]);
        let gone =
            Write::delete(&self.table, &job.key(), "pending_at = :since", since).on_condition_failed(Error::Stale);
        match self.table.transact(vec![gone]).await {
            Err(Error::Stale) => Ok(()),
            done => done,
        }
    }
}
