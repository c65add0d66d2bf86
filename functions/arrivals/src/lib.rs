//! Checks files that have arrived: what is what it was said to be becomes available, all else is deleted.
//!
//! A file arrives in quarantine, where whoever has its URL may replace it until the URL expires. It is accepted by a
//! copy to its clean key, which S3 makes only of the very bytes that were checked and only once; then the table says
//! so. Before the copy the table gets a job that erases it, should the table never say so. The quarantined object goes
//! last: as long as it is there, its event can be delivered again and completes what was cut off. S3 delivers each
//! event at least once, in any order, so an event only says where to look.

mod content;
mod der;

use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use aws_lambda_events::event::s3::S3Event;
use aws_lc_rs::digest::{Context, SHA256};
use domain::upload::Sha256;
use domain::{Act, Error, Format, Time, Upload, UploadId, UploadStatus};
use files::{Files, Head, ObjectKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Store;

use content::{BEGINNING, Text};

/// The tag by which GuardDuty says what its malware scan found.
const SCAN_TAG: &str = "GuardDutyMalwareScanStatus";

/// What the checks need.
#[derive(Debug, Clone)]
pub struct Arrivals {
    /// All data.
    pub store: Store,
    /// The bucket.
    pub files: Files,
    /// Whether GuardDuty scans each file, which then waits for the result.
    pub scanned: bool,
}

/// What a look at an upload has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// There is nothing left to do.
    Done,
    /// The file waits for its scan.
    Waits,
    /// Something has changed meanwhile.
    Again,
}

/// What a check says of a file.
enum Verdict {
    Fit(Sha256),
    Unfit(String),
    NotScanned,
}

/// What an object holds.
struct Content {
    sha256: Sha256,
    beginning: Vec<u8>,
    /// Whether all of it is text of the format that was asked for, if one was.
    is_text: bool,
}

/// What GuardDuty's event says; the result is read from the object itself.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scanned {
    s3_object_details: ScannedObject,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScannedObject {
    object_key: String,
}

impl Arrivals {
    /// Checks the files that an event of S3 or GuardDuty names.
    ///
    /// # Errors
    /// The last of those that could not be checked; the others are. The event is to be delivered again.
    pub async fn handle(&self, event: Value) -> Result<(), Error> {
        let (keys, is_scan) = keys(event)?;
        let mut outcome = Ok(());
        for upload in keys.iter().filter_map(|key| ObjectKey::quarantined(key)) {
            let checked = match self.check(upload.into()).await {
                // The event may be faster than the tag, and nothing else will come.
                Ok(Look::Waits) if is_scan => Err(Error::Unavailable("the scan's tag is not there yet".into())),
                Ok(_) => Ok(()),
                Err(error) => Err(error),
            };
            outcome = checked.and(outcome);
        }
        outcome
    }

    async fn check(&self, upload: UploadId) -> Result<Look, Error> {
        let mut look = Look::Again;
        while look == Look::Again {
            look = self.look(upload).await?;
        }
        Ok(look)
    }

    async fn look(&self, id: UploadId) -> Result<Look, Error> {
        let upload = match self.store.upload(id).await {
            Ok(upload) => upload,
            Err(Error::NotFound) => {
                // Deleted, or begun too long ago.
                self.files.erase(id.uuid()).await?;
                return Ok(Look::Done);
            }
            Err(error) => return Err(error),
        };
        let quarantine = ObjectKey::quarantine(id.uuid());
        match upload.status {
            // A second use of the URL.
            UploadStatus::Available => self.files.delete(&quarantine).await?,
            UploadStatus::Rejected => self.files.erase(id.uuid()).await?,
            UploadStatus::Pending => return self.decide(&upload, &quarantine).await,
        }
        Ok(Look::Done)
    }

    async fn decide(&self, upload: &Upload, quarantine: &ObjectKey) -> Result<Look, Error> {
        let head = match self.files.head(quarantine).await {
            Ok(head) => head,
            // Another delivery of the event has come to the end meanwhile, or this one comes after a day.
            Err(files::Error::NotFound) => return Ok(self.copied(upload).await?.unwrap_or(Look::Done)),
            Err(error) => return Err(error.into()),
        };
        match self.verdict(upload, quarantine, &head).await {
            Ok(Verdict::Fit(sha256)) => self.accept(upload, quarantine, (&head, sha256)).await,
            Ok(Verdict::Unfit(reason)) => self.settle(upload, &upload.rejected(&reason, Time::now())).await,
            Ok(Verdict::NotScanned) => Ok(Look::Waits),
            // Replaced or deleted while it was read.
            Err(files::Error::Changed | files::Error::NotFound) => Ok(Look::Again),
            Err(error) => Err(error.into()),
        }
    }

    async fn verdict(&self, upload: &Upload, key: &ObjectKey, head: &Head) -> Result<Verdict, files::Error> {
        let fields = &upload.fields;
        if i64::try_from(head.size) != Ok(fields.size.get()) {
            let message = format!("The file has {} bytes, and not {} as was declared.", head.size, fields.size.get());
            return Ok(Verdict::Unfit(message));
        }
        if self.scanned {
            match self.files.tag(key, SCAN_TAG).await?.as_deref() {
                None => return Ok(Verdict::NotScanned),
                Some("NO_THREATS_FOUND") => {}
                Some("THREATS_FOUND") => return Ok(Verdict::Unfit("The malware scan found a threat.".to_owned())),
                Some(_) => return Ok(Verdict::Unfit("The malware scan could not look into the file.".to_owned())),
            }
        }
        let rows = fields.content_type.rows();
        let Content { sha256, beginning, is_text } = self.content(key, head, rows).await?;
        if let Some(format) = rows.filter(|_| !is_text) {
            return Ok(Verdict::Unfit(not_text(format).to_owned()));
        }
        if fields.sha256.as_ref().is_some_and(|declared| *declared != sha256) {
            return Ok(Verdict::Unfit("The file has another SHA-256 than was declared.".to_owned()));
        }
        let mismatch = content::mismatch(fields.content_type, &beginning, head.size);
        Ok(mismatch.map_or(Verdict::Fit(sha256), Verdict::Unfit))
    }

    /// What an object holds. Where S3 has verified the checksum, and nobody asks whether all of it is `text`, the rest is
    /// not read.
    async fn content(&self, key: &ObjectKey, head: &Head, text: Option<Format>) -> Result<Content, files::Error> {
        let most = head.sha256.filter(|_| text.is_none()).and(u64::try_from(BEGINNING).ok());
        let (mut digest, mut beginning, mut check) = (Context::new(&SHA256), Vec::new(), Text::default());
        let see = |bytes: &[u8]| {
            digest.update(bytes);
            if text.is_some() {
                check.see(bytes);
            }
            let room = BEGINNING.saturating_sub(beginning.len());
            beginning.extend(bytes.iter().take(room));
        };
        self.files.read(key, &head.etag, most, see).await?;
        let verified = head.sha256.or_else(|| digest.finish().as_ref().try_into().ok()).unwrap_or_default();
        let is_text = text.is_some_and(|format| check.is_whole(format));
        Ok(Content { sha256: Sha256::of(&verified), beginning, is_text })
    }

    async fn accept(&self, upload: &Upload, from: &ObjectKey, (head, sha256): (&Head, Sha256)) -> Result<Look, Error> {
        self.store.about_to_accept(upload.id).await?;
        match self.files.copy(from, &head.etag, &ObjectKey::clean(upload.id.uuid())).await {
            Ok(()) => self.settle(upload, &upload.accepted(sha256, Time::now())).await,
            Err(files::Error::Changed | files::Error::NotFound) => {
                Ok(self.copied(upload).await?.unwrap_or(Look::Again))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Accepts what is clean already, if there is something: whoever copied it had checked it, and that is the file,
    /// whatever has arrived since.
    async fn copied(&self, upload: &Upload) -> Result<Option<Look>, Error> {
        let clean = ObjectKey::clean(upload.id.uuid());
        let head = match self.files.head(&clean).await {
            Ok(head) => head,
            Err(files::Error::NotFound) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let sha256 = match self.content(&clean, &head, None).await {
            Ok(content) => content.sha256,
            // Deleted while it was read.
            Err(files::Error::NotFound | files::Error::Changed) => return Ok(Some(Look::Again)),
            Err(error) => return Err(error.into()),
        };
        self.settle(upload, &upload.accepted(sha256, Time::now())).await.map(Some)
    }

    /// Writes what came of the check. Another look clears up: it finds what holds, be it this or what came before it.
    async fn settle(&self, old: &Upload, new: &Upload) -> Result<Look, Error> {
        match self.store.check_upload(old, new, Act::by_itself("arrivals")).await {
            Ok(()) => tracing::info!(upload = %new.id, status = new.status.as_str(), "checked"),
            Err(Error::Stale) => {}
            Err(error) => return Err(error),
        }
        Ok(Look::Again)
    }
}

/// The reason that rejects a file of rows that is not text.
fn not_text(format: Format) -> &'static str {
    match format {
        Format::Csv => {
            "The file is not text in UTF-8, UTF-16 with a byte order mark, or Windows-1252; save it as CSV UTF-8 and \
             send it again."
        }
        Format::Ndjson => "The file is not UTF-8 text; save it as UTF-8 and send it again.",
    }
}

/// The objects that an event names, and whether it tells of a scan.
fn keys(event: Value) -> Result<(Vec<String>, bool), Error> {
    if event.get("Records").is_some() {
        let event: S3Event = serde_json::from_value(event).map_err(Error::internal)?;
        return Ok((event.records.into_iter().filter_map(|record| record.s3.object.key).collect(), false));
    }
    let event: EventBridgeEvent<Scanned> = serde_json::from_value(event).map_err(Error::internal)?;
    Ok((vec![event.detail.s3_object_details.object_key], true))
}
