//! Uploads. Each is listed where it belongs, under its member or else its segment, and found by its id.

use std::time::Duration;

use domain::event::{Told as _, What};
use domain::{Act, Error, Event, FieldError, MemberId, SegmentId, Time, Upload, UploadId, UploadStatus, User};

use crate::Store;
use crate::backoff::retried;
use crate::job::Job;
use crate::keys::{self, SK, UPLOADS};
use crate::table::{Changes, Item, Query, Write, from_item, number, string, to_item};

/// When an upload vanishes whose file was not accepted: an `Idempotency-Key` may begin it anew for a day, and then it
/// has a day to be sent and scanned.
const LIFE: Duration = Duration::from_secs(2 * 24 * 60 * 60);

impl Store {
    /// An upload: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn upload(&self, id: UploadId) -> Result<Upload, Error> {
        self.table.get(&keys::upload(id)).await?.ok_or(Error::NotFound).and_then(from_item)
    }

    /// What is wrong with the photo of a user, if it is another one than before: it is no file of the segment that has
    /// arrived. 1 `GetItem`, if it is another one.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn check_photo(&self, before: Option<&User>, user: &User) -> Result<Option<FieldError>, Error> {
        let had = before.and_then(|before| before.fields.photo_upload_id);
        let Some(photo) = user.fields.photo_upload_id.filter(|photo| Some(*photo) != had) else { return Ok(None) };
        let fits = match self.upload(photo).await {
            Err(Error::NotFound) => false,
            found => {
                let Upload { fields, status, .. } = found?;
                let of_segment = Some(fields.segment_id) == user.segment_id && fields.member_id.is_none();
                of_segment && status == UploadStatus::Available
            }
        };
        let message = "must be the id of an AVAILABLE upload of this segment";
        Ok((!fits).then(|| FieldError::new("/photo_upload_id", "unknown", message)))
    }

    /// Writes a new upload, which vanishes two days later unless its file has arrived: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the id is there already; [`Error::NotFound`] where the segment or member is gone.
    pub async fn create_upload(&self, upload: &Upload) -> Result<(), Error> {
        let until = upload.created_at.plus(LIFE);
        let (segment, member) = (upload.fields.segment_id, upload.fields.member_id);
        let vanishes = |mut item: Item| {
            item.insert("expires_at".to_owned(), number(until.seconds()));
            item
        };
        let exists = Error::conflict("/id", "exists", "is the id of an upload that is there already");
        let create = Write::create(&self.table, &keys::upload(upload.id), vanishes(to_item(upload)?));
        let listed = keys::upload_of(segment, member, upload.id);
        let holder = member.map_or_else(|| keys::segment(segment), keys::member);
        let there = Write::check(&self.table, &holder, "attribute_exists(PK)", Item::new());
        let writes = vec![
            create.on_condition_failed(exists),
            Write::put(&self.table, crate::table::keyed(&listed, vanishes(Item::new()))),
            there.on_condition_failed(Error::NotFound),
        ];
        self.table.transact(writes).await
    }

    /// Begins, before a file is copied to where it is clean, the job that erases it should it never be accepted: not
    /// before nobody can be at it any more, and the upload itself would have vanished. 1 transaction.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn about_to_accept(&self, id: UploadId) -> Result<(), Error> {
        let later = Time::now().plus(LIFE);
        self.table.transact(vec![self.begun_for(Job::EraseUnaccepted(id), later)]).await
    }

    /// Writes what came of the check of a file, which stays from now on if it was accepted: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read.
    pub async fn check_upload(&self, old: &Upload, new: &Upload, act: Act<'_>) -> Result<(), Error> {
        let key = keys::upload(new.id);
        let changes = Changes::between(&to_item(old)?, &to_item(new)?).value(":version", number(old.version));
        // What was rejected vanishes as what never came.
        let stays = new.status == UploadStatus::Available;
        let changes = if stays { changes.remove("expires_at") } else { changes };
        let checked = Write::update(&self.table, &key, "version = :version", changes);
        let listed = keys::upload_of(new.fields.segment_id, new.fields.member_id, new.id);
        let mut writes = vec![checked.on_condition_failed(Error::Stale)];
        if stays {
            writes.push(Write::put(&self.table, listed.attributes()));
            writes.push(Write::delete_item(&self.table, Job::EraseUnaccepted(new.id).key().attributes()));
        }
        let what = if stays { What::Available } else { What::Rejected };
        writes.extend(self.outbox(Event::of(new.about(), what, (Some(old), Some(new)), act))?);
        self.table.transact(writes).await
    }

    /// Deletes an upload; its file is left to a job. 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read.
    pub async fn delete_upload(&self, upload: &Upload) -> Result<Job, Error> {
        self.table.transact(self.upload_gone(upload)).await?;
        Ok(Job::EraseUpload(upload.id))
    }

    /// The writes by which an upload goes, its file being left to a job.
    pub(crate) fn upload_gone(&self, upload: &Upload) -> Vec<Write> {
        let listed = keys::upload_of(upload.fields.segment_id, upload.fields.member_id, upload.id);
        vec![
            self.removed(&keys::upload(upload.id), upload.version),
            Write::delete_item(&self.table, listed.attributes()),
            self.begun(Job::EraseUpload(upload.id)),
        ]
    }

    /// Deletes an upload that nothing names any more, if it is still there.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn forget_upload(&self, id: UploadId) -> Result<(), Error> {
        self.forget(id, |_| true).await.map(drop)
    }

    /// Deletes an upload that a member has answered with, if it is still there.
    pub(crate) async fn forget_upload_of(&self, id: UploadId, member: MemberId) -> Result<(), Error> {
        self.forget(id, |upload| upload.fields.member_id == Some(member)).await.map(drop)
    }

    /// Deletes an upload whose file was never accepted: whether it is gone.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn forget_unaccepted(&self, id: UploadId) -> Result<bool, Error> {
        self.forget(id, |upload| upload.status != UploadStatus::Available).await
    }

    async fn forget(&self, id: UploadId, goes: impl Fn(&Upload) -> bool) -> Result<bool, Error> {
        retried(|| async {
            let upload = match self.upload(id).await {
                Err(Error::NotFound) => return Ok(true),
                found => found?,
            };
            if !goes(&upload) {
                return Ok(false);
            }
            self.delete_upload(&upload).await.map(|_| true)
        })
        .await
    }

    /// The uploads of a segment that are no member's: 1 `Query` for each megabyte.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn uploads_of(&self, segment: SegmentId) -> Result<Vec<UploadId>, Error> {
        self.uploads_in(keys::segment(segment).pk).await
    }

    /// The uploads of a member: 1 `Query` for each megabyte.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn uploads_of_member(&self, member: MemberId) -> Result<Vec<UploadId>, Error> {
        self.uploads_in(keys::member(member).pk).await
    }

    async fn uploads_in(&self, pk: String) -> Result<Vec<UploadId>, Error> {
        let listed = self.table.all_items(&Query::under(pk, UPLOADS)).await?;
        let id = |item: &Item| item.get(SK)?.as_s().ok()?.strip_prefix(UPLOADS)?.parse().ok();
        Ok(listed.iter().filter_map(id).collect())
    }

    /// The writes by which a file becomes a member's answer: it must be available, and no other member's.
    pub(crate) fn upload_used(&self, upload: &Upload, member: MemberId) -> Vec<Write> {
        let (id, segment) = (upload.id, upload.fields.segment_id);
        let changes = Changes::default()
            .set("member_id", string(member))
            .add("version", 1)
            .value(":member", string(member))
            .value(":available", string("AVAILABLE"))
            .named("#status", "status");
        let condition = "#status = :available AND (attribute_not_exists(member_id) OR member_id = :member)";
        let taken = Error::conflict("", "taken", "One of the files is no longer there, or another member's.");
        let used = Write::update(&self.table, &keys::upload(id), condition, changes).on_condition_failed(taken);
        if upload.fields.member_id == Some(member) {
            return vec![used];
        }
        vec![
            used,
            Write::delete_item(&self.table, keys::upload_of(segment, None, id).attributes()),
            Write::put(&self.table, keys::upload_of(segment, Some(member), id).attributes()),
        ]
    }
}
