//! Uploads. Each is listed under its holder: its member, its user, or else its segment; and found by its id.

use std::time::Duration;

use domain::event::{Told as _, What};
use domain::{
    Act, Actor, Error, Event, FieldError, MemberId, SegmentId, Time, Upload, UploadHolder, UploadId, UploadPurpose,
    UploadStatus, User,
};

use crate::Store;
use crate::backoff::retried;
use crate::job::Job;
use crate::keys::{self, SK, UPLOADS};
use crate::pending::PendingKind;
use crate::table::{Changes, Item, Query, Write, from_item, number, string, to_item};

/// When an upload vanishes whose file was not accepted: an `Idempotency-Key` may begin it anew for a day, and then it
/// has a day to be sent and scanned.
const LIFE: Duration = Duration::from_secs(2 * 24 * 60 * 60);

/// The condition that a user is neither deleted nor being erased: an upload that begins later would outlive it.
const LIVES: &str =
    "attribute_exists(PK) AND #status <> :deleted AND (attribute_not_exists(pending) OR pending <> :purge)";

impl Store {
    /// An upload: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn upload(&self, id: UploadId) -> Result<Upload, Error> {
        self.table.get(&keys::upload(id)).await?.ok_or(Error::NotFound).and_then(from_item)
    }

    /// Finds the error of the photo of a user, if `actor` gives it another one than before: 1 `GetItem` then.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn check_photo(
        &self,
        before: Option<&User>,
        user: &User,
        actor: Actor,
    ) -> Result<Option<FieldError>, Error> {
        match self.new_photo(before, user, actor).await {
            Err(Error::Invalid(errors)) => Ok(errors.into_iter().next()),
            found => found.map(|_| None),
        }
    }

    /// Checks the new photo of a user, if it has one, and finds the file that becomes the user's own: one that nobody has
    /// yet does when a manager gives it. 1 `GetItem` for a new photo.
    pub(crate) async fn new_photo(
        &self,
        before: Option<&User>,
        user: &User,
        actor: Actor,
    ) -> Result<Option<Upload>, Error> {
        let old = before.and_then(|before| before.fields.photo_upload_id);
        let new = user.fields.photo_upload_id.filter(|photo| Some(*photo) != old);
        let Some(photo) = new.filter(|_| user.segment_id.is_some()) else { return Ok(None) };
        let found = match self.upload(photo).await {
            Err(Error::NotFound) => None,
            found => Some(found?),
        };
        let fits =
            |upload: &Upload| upload.status == UploadStatus::Available && upload.fields.can_be_photo_of(user, actor);
        let upload = found.filter(fits).ok_or_else(unknown_photo)?;
        let is_held = upload.fields.holder() == UploadHolder::User(user.id);
        Ok(Some(upload).filter(|_| !is_held && actor != Actor::User(user.id)))
    }

    /// The writes by which a file of the segment's team becomes the photo of a user, and its own.
    pub(crate) fn photo_taken(&self, upload: &Upload, user: &User) -> Vec<Write> {
        let changes = Changes::default()
            .set("user_id", string(user.id))
            .set("purpose", string(UploadPurpose::Photo.as_str()))
            .add("version", 1)
            .value(":version", number(upload.version));
        let key = keys::upload(upload.id);
        let held = keys::upload_of(UploadHolder::User(user.id), upload.id);
        vec![
            Write::update(&self.table, &key, "version = :version", changes).on_condition_failed(unknown_photo()),
            Write::delete_item(&self.table, keys::upload_of(upload.fields.holder(), upload.id).attributes()),
            Write::put(&self.table, held.attributes()),
        ]
    }

    /// Writes a new upload, which vanishes two days later unless its file has arrived: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the id is there already; [`Error::NotFound`] where the segment or member is gone.
    pub async fn create_upload(&self, upload: &Upload) -> Result<(), Error> {
        let until = upload.created_at.plus(LIFE);
        let holder = upload.fields.holder();
        let vanishes = |mut item: Item| {
            item.insert("expires_at".to_owned(), number(until.seconds()));
            item
        };
        let exists = Error::conflict("/id", "exists", "is the id of an upload that is there already");
        let create = Write::create(&self.table, &keys::upload(upload.id), vanishes(to_item(upload)?));
        let listed = keys::upload_of(holder, upload.id);
        let there = match holder {
            UploadHolder::User(_) => {
                let values = [(":deleted", "DELETED"), (":purge", PendingKind::Purge.as_str())];
                let values = values.map(|(name, value)| (name.to_owned(), string(value)));
                Write::check(&self.table, &keys::upload_holder(holder), LIVES, Item::from(values))
            }
            UploadHolder::Segment(_) | UploadHolder::Member(_) => {
                Write::check(&self.table, &keys::upload_holder(holder), "attribute_exists(PK)", Item::new())
            }
        };
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

    /// Writes what came of the check of a file, which stays from now on if it was accepted: 1 transaction, and 1 `UpdateItem`
    /// of the quota.
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
        let listed = keys::upload_of(new.fields.holder(), new.id);
        let mut writes = vec![checked.on_condition_failed(Error::Stale)];
        if stays {
            writes.push(Write::put(&self.table, listed.attributes()));
            writes.push(Write::delete_item(&self.table, Job::EraseUnaccepted(new.id).key().attributes()));
        }
        let what = if stays { What::Available } else { What::Rejected };
        writes.extend(self.outbox(Event::of(new.about(), what, (Some(old), Some(new)), act))?);
        self.table.transact(writes).await?;
        self.count_arrival(old).await
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
        let listed = keys::upload_of(upload.fields.holder(), upload.id);
        vec![
            self.removed(&keys::upload(upload.id), upload.version),
            Write::delete_item(&self.table, listed.attributes()),
            self.begun(Job::EraseUpload(upload.id)),
        ]
    }

    /// Deletes an upload, if it is still there and belongs to this holder: erasing one thing never deletes the file of
    /// another.
    pub(crate) async fn forget_upload_of(&self, id: UploadId, holder: UploadHolder) -> Result<(), Error> {
        self.forget(id, |upload| upload.fields.holder() == holder).await.map(drop)
    }

    /// Deletes all uploads that belong to this holder.
    pub(crate) async fn forget_uploads(&self, holder: UploadHolder) -> Result<(), Error> {
        for upload in self.uploads_of(holder).await? {
            self.forget_upload_of(upload, holder).await?;
        }
        Ok(())
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

    /// The uploads of a holder: 1 `Query` for each megabyte.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn uploads_of(&self, holder: UploadHolder) -> Result<Vec<UploadId>, Error> {
        let listed = self.table.all_items(&Query::under(keys::upload_holder(holder).pk, UPLOADS)).await?;
        let id = |item: &Item| item.get(SK)?.as_s().ok()?.strip_prefix(UPLOADS)?.parse().ok();
        Ok(listed.iter().filter_map(id).collect())
    }

    /// Deletes a file that has rows to import, if it is still there.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn forget_import_file(&self, id: UploadId) -> Result<(), Error> {
        self.forget(id, |upload| upload.fields.content_type.rows().is_some()).await.map(drop)
    }

    /// The files of a segment's team that have rows to import: 1 `Query` for each megabyte, 1 `GetItem` for each upload.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn import_files(&self, segment: SegmentId) -> Result<Vec<UploadId>, Error> {
        let mut files = Vec::new();
        for id in self.uploads_of(UploadHolder::Segment(segment)).await? {
            match self.upload(id).await {
                Err(Error::NotFound) => {}
                found => files.extend(Some(found?).filter(|upload| upload.fields.content_type.rows().is_some())),
            }
        }
        Ok(files.into_iter().map(|upload| upload.id).collect())
    }

    /// The writes by which a file becomes a member's answer: it must be available, and no other member's.
    pub(crate) fn upload_used(&self, upload: &Upload, member: MemberId) -> Vec<Write> {
        let (id, holder) = (upload.id, UploadHolder::Member(member));
        let changes = Changes::default()
            .set("member_id", string(member))
            .set("purpose", string(UploadPurpose::Answer.as_str()))
            .add("version", 1)
            .value(":member", string(member))
            .value(":available", string("AVAILABLE"))
            .named("#status", "status");
        let condition = "#status = :available AND attribute_not_exists(user_id) \
            AND (attribute_not_exists(member_id) OR member_id = :member)";
        let taken = Error::conflict("", "taken", "One of the files is no longer there, or another member's.");
        let used = Write::update(&self.table, &keys::upload(id), condition, changes).on_condition_failed(taken);
        if upload.fields.holder() == holder {
            return vec![used];
        }
        vec![
            used,
            Write::delete_item(&self.table, keys::upload_of(upload.fields.holder(), id).attributes()),
            Write::put(&self.table, keys::upload_of(holder, id).attributes()),
        ]
    }
}

fn unknown_photo() -> Error {
    let message = "must be the id of an AVAILABLE image that was uploaded for this user, with the purpose photo";
    Error::invalid("/photo_upload_id", "unknown", message)
}
