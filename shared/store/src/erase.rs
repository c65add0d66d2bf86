//! Erasing what is a user's own, and what a segment, a membership or a member leaves.

use aws_sdk_dynamodb::types::{DeleteRequest, ReturnConsumedCapacity, WriteRequest};
use domain::{Error, MemberId, MembershipId, SegmentId, User, UserId};
use futures_util::future::try_join_all;
use uuid::Uuid;

use crate::Store;
use crate::keys::{self, JOINED, PK, SK};
use crate::member_index;
use crate::membership;
use crate::pending::PendingKind;
use crate::search::{From, Search};
use crate::segment;
use crate::table::{Item, Query, Write, backoff, string, unavailable};
use crate::user;

impl Store {
    /// Erases everything of a user who is being purged, the user last, so that a crash leaves what says to go on.
    ///
    /// # Errors
    /// [`Error::Stale`] where somebody else has done it; [`Error::Unavailable`].
    pub async fn erase(&self, user: &User) -> Result<(), Error> {
        let id = user.id;
        if user.segment_id.is_none() {
            self.delete_segments(id).await?;
            self.erase_counters(&segment::directory(id)).await?;
        }
        self.leave_memberships(id).await?;
        if let Some(photo) = user.fields.photo_upload_id {
            self.forget_upload(photo).await?;
        }
        self.erase_rest(id).await?;
        let values = Item::from([(":pending".to_owned(), string(PendingKind::Purge.as_str()))]);
        let gone =
            Write::delete(&self.table, &keys::user(id), "attribute_not_exists(PK) OR pending = :pending", values);
        let mut writes = vec![gone.on_condition_failed(Error::Stale)];
        if user.segment_id.is_none() {
            writes.extend(self.first_undone(id).await?);
        }
        writes.extend(self.around(Some(user), None)?);
        self.table.transact(writes).await
    }

    /// Erases a user whose segment is deleted, whatever it is by now; its identity in Cognito must be gone.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn erase_with_segment(&self, id: UserId) -> Result<(), Error> {
        loop {
            let Some(record) = self.user(id).await? else { return Ok(()) };
            self.leave_memberships(id).await?;
            self.erase_rest(id).await?;
            let mut writes = vec![self.removed(&keys::user(id), record.user.version)];
            // Its parent goes too.
            let mut alone = record.user;
            alone.fields.parent_id = None;
            writes.extend(self.around(Some(&alone), None)?);
            match self.table.transact(writes).await {
                Err(Error::Stale) => {}
                done => return done,
            }
        }
    }

    /// Erases all in a user's partition but the user itself.
    pub(crate) async fn erase_rest(&self, id: UserId) -> Result<(), Error> {
        self.erase_found(Query::before(&keys::user(id))).await
    }

    /// Deletes the segments of an account; what is in them is left to jobs.
    async fn delete_segments(&self, account: UserId) -> Result<(), Error> {
        let search = Search { filters: Vec::new(), sort: Vec::new(), size: 100, from: From::Offset(0), total: None };
        loop {
            let found = self.segments(account, &search).await?;
            if found.rows.is_empty() {
                return Ok(());
            }
            for segment in &found.rows {
                unless_stale(self.delete_segment(segment).await.map(drop))?;
                self.delete_memberships(segment.id).await?;
            }
        }
    }

    /// Deletes the memberships of a segment; their members are left to jobs.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn delete_memberships(&self, segment: SegmentId) -> Result<(), Error> {
        let search = Search { filters: Vec::new(), sort: Vec::new(), size: 100, from: From::Offset(0), total: None };
        loop {
            let found = self.memberships(segment, &search).await?;
            if found.rows.is_empty() {
                return Ok(());
            }
            for membership in &found.rows {
                unless_stale(self.delete_membership(membership).await.map(drop))?;
            }
        }
    }

    /// Deletes the members that a user is.
    async fn leave_memberships(&self, user: UserId) -> Result<(), Error> {
        let joined = self.table.all_items(&Query::under(keys::partition(user), JOINED)).await?;
        let member = |item: &Item| item.get(SK)?.as_s().ok()?.strip_prefix(JOINED)?.parse::<MemberId>().ok();
        for id in joined.iter().filter_map(member) {
            self.delete_member_now(id).await?;
        }
        Ok(())
    }

    /// Deletes a member, whatever it is by now, if it is still there.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn delete_member_now(&self, id: MemberId) -> Result<(), Error> {
        loop {
            let record = match self.member(id).await {
                Err(Error::NotFound) => return Ok(()),
                found => found?,
            };
            match self.delete_member(&record).await {
                // Somebody has changed it meanwhile.
                Err(Error::Stale) => {}
                deleted => return deleted.map(drop),
            }
        }
    }

    /// Erases what is left of a segment that is deleted, its memberships too; nothing where a request that was cut off
    /// has been repeated and made it once more.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn erase_segment(&self, id: SegmentId) -> Result<(), Error> {
        if self.table.get(&keys::segment(id)).await?.is_some() {
            return Ok(());
        }
        self.delete_memberships(id).await?;
        for upload in self.uploads_of(id).await? {
            self.forget_upload(upload).await?;
        }
        self.leave_transfers(id).await?;
        for directory in [membership::directory(id), user::directory(id), user::deleted_directory(id)] {
            self.erase_counters(&directory).await?;
        }
        self.erase_found(Query::all(keys::changes(id))).await?;
        self.erase_found(Query::all(keys::segment(id).pk)).await
    }

    /// Some members of a membership that is deleted or not, by their ids, from `after` on: 1 `Query`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn member_ids(&self, membership: MembershipId, after: Option<Uuid>) -> Result<Vec<Uuid>, Error> {
        self.ids_in(&member_index::directory(membership), after).await
    }

    /// Some users of a segment that is deleted or not, by their ids, from `after` on, those in use before those who are
    /// deleted: 1 or 2 `Query`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn user_ids(&self, segment: SegmentId, after: Option<Uuid>) -> Result<Vec<Uuid>, Error> {
        let in_use = self.ids_in(&user::directory(segment), after).await?;
        if in_use.is_empty() { self.ids_in(&user::deleted_directory(segment), None).await } else { Ok(in_use) }
    }

    async fn ids_in(&self, directory: &str, after: Option<Uuid>) -> Result<Vec<Uuid>, Error> {
        let pk = keys::index(directory, "id", None);
        let start = after.map(|id| {
            let place = keys::place(Some(&id.to_string()), id);
            Item::from([(PK.to_owned(), string(&pk)), (SK.to_owned(), string(place))])
        });
        let query = Query { keys_only: true, ..Query::all(pk) };
        let read = self.table.query(&query, Some(100), start).await?;
        let id = |item: &Item| keys::placed(item.get(SK)?.as_s().ok()?).map(|(_, id)| id);
        Ok(read.items.iter().filter_map(id).collect())
    }

    /// Erases the levels, fields, counters and ranking of a membership whose members are gone.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn erase_membership(&self, id: MembershipId) -> Result<(), Error> {
        if self.table.get(&keys::membership(id)).await?.is_some() {
            return Ok(());
        }
        self.erase_counters(&member_index::directory(id)).await?;
        self.erase_found(Query::all(keys::membership(id).pk)).await
    }

    /// Erases the counters and the ranking of a directory without rows.
    async fn erase_counters(&self, directory: &str) -> Result<(), Error> {
        let partitions = keys::counters(directory).into_iter();
        try_join_all(partitions.map(|pk| self.erase_found(Query::all(pk)))).await.map(drop)
    }

    /// Erases the awards of a member who is deleted, and gives up its files.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn erase_member(&self, id: MemberId) -> Result<(), Error> {
        if self.table.get(&keys::member(id)).await?.is_some() {
            return Ok(());
        }
        for upload in self.uploads_of_member(id).await? {
            self.forget_upload(upload).await?;
        }
        self.erase_found(Query::all(keys::member(id).pk)).await
    }

    /// Erases whatever a query finds.
    pub(crate) async fn erase_found(&self, query: Query) -> Result<(), Error> {
        let query = Query { keys_only: true, ..query };
        let mut start = None;
        loop {
            let read = self.table.query(&query, Some(BATCH), start).await?;
            self.erase_all(read.items).await?;
            start = read.next;
            if start.is_none() {
                return Ok(());
            }
        }
    }

    /// Erases items, and those again that DynamoDB has left unprocessed.
    async fn erase_all(&self, keys: Vec<Item>) -> Result<(), Error> {
        let delete = |key| DeleteRequest::builder().set_key(Some(key)).build().map_err(Error::internal);
        let requests = keys.into_iter().map(|key| Ok(WriteRequest::builder().delete_request(delete(key)?).build()));
        let mut left = requests.collect::<Result<Vec<_>, Error>>()?;
        let mut tries = 0;
        while !left.is_empty() {
            if tries > 0 {
                tokio::time::sleep(backoff(tries)).await;
            }
            tries += 1;
            let sent = self.table.client.batch_write_item().request_items(&*self.table.name, left);
            let sent =
                sent.return_consumed_capacity(ReturnConsumedCapacity::Total).send().await.map_err(unavailable)?;
            left = sent.unprocessed_items.unwrap_or_default().remove(&*self.table.name).unwrap_or_default();
            if tries > ERASE_TRIES {
                return Err(Error::Unavailable("items stay unprocessed".into()));
            }
        }
        Ok(())
    }
}

/// Somebody else has deleted it first, or changed it: the next look tells.
fn unless_stale(done: Result<(), Error>) -> Result<(), Error> {
    match done {
        Err(Error::Stale) => Ok(()),
        done => done,
    }
}

/// What `BatchWriteItem` takes at once.
const BATCH: u32 = 25;

/// How often a batch that DynamoDB does not finish is sent again.
const ERASE_TRIES: u32 = 8;
