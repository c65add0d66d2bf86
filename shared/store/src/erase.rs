//! Erasing what is a user's own, and what a segment, a membership or a member leaves.

use aws_sdk_dynamodb::types::{DeleteRequest, WriteRequest};
use domain::user::Unique;
use domain::{
    Act, CustomStatus, Error, Event, MemberId, MembershipId, Partner, Product, SegmentId, UploadHolder, User, UserId,
};
use futures_util::future::try_join_all;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::Store;
use crate::backoff::retried;
use crate::job::Job;
use crate::keys::{self, JOINED, Key, PK, SK, SUBSCRIPTION_COUNTS, Scope};
use crate::member_index;
use crate::membership;
use crate::partner;
use crate::pending::PendingKind;
use crate::product;
use crate::search::{From, Indexed, Search};
use crate::segment;
use crate::table::{Item, Query, Write, from_item, number, string, to_item};
use crate::user;

impl Store {
    /// Erases everything of a user who is being purged, the user last, so that a crash leaves what says to go on.
    ///
    /// # Errors
    /// [`Error::Stale`] where somebody else has done it, or has begun it again; [`Error::Unavailable`].
    pub async fn erase(&self, user: &User, act: Act<'_>) -> Result<(), Error> {
        let id = user.id;
        match user.segment_id {
            None => {
                self.delete_segments(id, act).await?;
                self.erase_counters(&segment::directory(id)).await?;
                self.erase_found(Query::all(keys::audit_of_account(id))).await?;
                self.erase_registrations(id).await?;
            }
            // Photos, which only users of segments have.
            Some(_) => self.forget_uploads(UploadHolder::User(id)).await?,
        }
        self.leave_memberships(id, act).await?;
        self.leave_devices(id, user.segment_id, act).await?;
        self.erase_rest(id).await?;
        let values = Item::from([
            (":pending".to_owned(), string(PendingKind::Purge.as_str())),
            (":version".to_owned(), number(user.version)),
        ]);
        // What is counted off with the user is counted off once, and as it is now: a purge may have begun twice.
        let condition = "pending = :pending AND version = :version";
        let key = keys::user(id);
        let mut writes = Vec::new();
        if user.segment_id.is_none() {
            writes.extend(self.first_undone(id).await?);
        }
        if user.self_purge.is_some() && user.segment_id.is_some() {
            let tombstone = user.tombstone();
            let put = Write::replace(&self.table, &key, (condition, values), to_item(&tombstone)?);
            writes.push(put.on_condition_failed(Error::Stale));
            writes.extend(self.beside(Some(user), Some(&tombstone)));
        } else {
            let gone = Write::delete(&self.table, &key, condition, values);
            writes.push(gone.on_condition_failed(Error::Stale));
            writes.extend(self.around(Some(user), None)?);
        }
        writes.extend(user.segment_id.map(|segment| self.begun(Job::EraseTraces(segment, id))));
        writes.push(self.purge_marked(id));
        writes.extend(self.outbox(Event::purge_of(user, act))?);
        self.table.transact(writes).await
    }

    /// Erases a user whose segment is deleted, which is all that is told, whatever it is by now; its identity in Cognito must be gone.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn erase_with_segment(&self, id: UserId) -> Result<(), Error> {
        retried(|| async {
            let Some(record) = self.user_or_tombstone(id).await? else { return Ok(()) };
            let act = Act::by_itself("reconcile").untold();
            self.leave_memberships(id, act).await?;
            self.leave_devices(id, record.user.segment_id, act).await?;
            self.forget_uploads(UploadHolder::User(id)).await?;
            self.erase_rest(id).await?;
            let mut writes = vec![self.removed(&keys::user(id), record.user.version)];
            // What it names goes too, and so do the changes that are told: neither is kept up.
            let user = &record.user;
            writes.extend(user.unique_values().iter().map(|unique| self.released(user, unique)));
            writes.extend(self.in_directories(Some(user), None));
            writes.extend(self.of_person(Some(user), None));
            self.table.transact(writes).await
        })
        .await
    }

    /// Erases all in a user's partition but the user itself, and what was deleted of it.
    pub(crate) async fn erase_rest(&self, id: UserId) -> Result<(), Error> {
        let deleted = self.erase_found(Query::all(keys::deleted_of(id.uuid())));
        tokio::try_join!(deleted, self.erase_found(Query::before(&keys::user(id)))).map(drop)
    }

    /// Deletes the segments of an account; what is in them is left to jobs.
    async fn delete_segments(&self, account: UserId, act: Act<'_>) -> Result<(), Error> {
        let search = Search { filters: Vec::new(), sort: Vec::new(), size: 100, from: From::Offset(0), total: None };
        loop {
            let found = self.segments(account, &search).await?;
            if found.rows.is_empty() {
                return Ok(());
            }
            for segment in &found.rows {
                unless_stale(self.delete_segment(segment, act).await.map(drop))?;
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
    async fn leave_memberships(&self, user: UserId, act: Act<'_>) -> Result<(), Error> {
        let joined = self.table.all_items(&Query::under(keys::partition(user), JOINED)).await?;
        let member = |item: &Item| item.get(SK)?.as_s().ok()?.strip_prefix(JOINED)?.parse::<MemberId>().ok();
        for id in joined.iter().filter_map(member) {
            self.delete_member_now(id, act).await?;
        }
        Ok(())
    }

    /// Deletes a member, whatever it is by now, if it is still there.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn delete_member_now(&self, id: MemberId, act: Act<'_>) -> Result<(), Error> {
        retried(|| async {
            let record = match self.member(id).await {
                Err(Error::NotFound) => return Ok(()),
                found => found?,
            };
            self.delete_member(&record, act).await.map(drop)
        })
        .await
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
        self.forget_uploads(UploadHolder::Segment(id)).await?;
        self.erase_counters(&membership::directory(id)).await?;
        self.erase_counts_of_users(id).await?;
        self.erase_things(id).await?;
        self.erase_found(Query::all(keys::devices_of(id))).await?;
        self.erase_found(Query::all(keys::audit_of_segment(id))).await?;
        // From here on nobody can subscribe, not even by a request that has begun before.
        self.erase_found(Query::under(keys::segment(id).pk, SUBSCRIPTION_COUNTS)).await?;
        self.erase_subscriptions(id).await?;
        self.erase_found(Query::all(keys::deleted_of(id.uuid()))).await?;
        self.erase_found(Query::all(keys::segment(id).pk)).await
    }

    /// Erases the counters and the changes of a segment without users.
    async fn erase_counts_of_users(&self, id: SegmentId) -> Result<(), Error> {
        for directory in [user::directory, user::excluded_directory, user::deleted_directory] {
            self.erase_counters(&directory(id)).await?;
        }
        self.erase_found(Query::all(keys::changes(id))).await
    }

    /// Erases the statuses, partners and products of a segment that is deleted.
    async fn erase_things(&self, id: SegmentId) -> Result<(), Error> {
        self.erase_parts::<CustomStatus>(id).await?;
        self.erase_parts::<Partner>(id).await?;
        self.erase_parts::<Product>(id).await
    }

    /// Erases the things of one kind of a segment that is deleted: claims and index entries of each, then the thing
    /// itself, so that a crash leaves what says to go on.
    async fn erase_parts<T: Part>(&self, segment: SegmentId) -> Result<(), Error> {
        let query = Query::under(keys::segment(segment).pk, T::PREFIX);
        loop {
            let read = self.table.query(&query, Some(BATCH), None).await?;
            let (mut beside, mut rows) = (Vec::new(), Vec::new());
            for item in read.items {
                let key = item.iter().filter(|(name, _)| [PK, SK].contains(&name.as_str()));
                rows.push(key.map(|(name, value)| (name.clone(), value.clone())).collect());
                let part: T = from_item(item)?;
                let claims = part.unique_values().into_iter();
                beside.extend(claims.map(|unique| keys::claim(Scope::Segment(segment), &unique)));
                beside.extend(part.directory().iter().flat_map(|directory| part.index().entries(directory)));
            }
            if rows.is_empty() {
                break;
            }
            let beside: Vec<_> = beside.iter().map(Key::attributes).collect();
            try_join_all(beside.chunks(BATCH as usize).map(|some| self.erase_all(some.to_vec()))).await?;
            self.erase_all(rows).await?;
        }
        for directory in T::directories(segment) {
            self.erase_counters(&directory).await?;
        }
        Ok(())
    }

    /// Some members of a membership that is deleted or not, by their ids, from `after` on: 1 `Query`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn member_ids(&self, membership: MembershipId, after: Option<Uuid>) -> Result<Vec<Uuid>, Error> {
        self.ids_in(&member_index::directory(membership), after).await
    }

    /// Some users of a segment that is deleted or not, by their ids, from `after` on, and then, once there are no more, some
    /// of those who are excluded, and at last of those who are deleted: 1 to 3 `Query`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn user_ids(&self, segment: SegmentId, after: Option<Uuid>) -> Result<Vec<Uuid>, Error> {
        let mut ids = self.ids_in(&user::directory(segment), after).await?;
        for directory in [user::excluded_directory, user::deleted_directory] {
            if ids.is_empty() {
                ids = self.ids_in(&directory(segment), None).await?;
            }
        }
        Ok(ids)
    }

    /// The ids of some rows of a directory, from `after` on.
    pub(crate) async fn ids_in(&self, directory: &str, after: Option<Uuid>) -> Result<Vec<Uuid>, Error> {
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
        self.erase_found(Query::all(keys::deleted_of(id.uuid()))).await?;
        self.erase_found(Query::all(keys::membership(id).pk)).await
    }

    /// Erases the counters and the ranking of a directory without rows.
    pub(crate) async fn erase_counters(&self, directory: &str) -> Result<(), Error> {
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
        self.forget_uploads(UploadHolder::Member(id)).await?;
        self.erase_found(Query::all(keys::member(id).pk)).await
    }

    /// Erases whatever a query finds.
    pub(crate) async fn erase_found(&self, query: Query) -> Result<(), Error> {
        let query = Query { keys_only: true, ..query };
        let mut start = None;
        loop {
            let read = self.table.query(&query, Some(BATCH), start).await?;
            // First what says where they are, so that a crash leaves what says to go on.
            let homes: Vec<_> = read.items.iter().filter_map(keys::home_at).map(|home| home.attributes()).collect();
            self.erase_all(homes).await?;
            self.erase_all(read.items).await?;
            start = read.next;
            if start.is_none() {
                return Ok(());
            }
        }
    }

    /// Erases items, however many.
    pub(crate) async fn erase_items(&self, keys: Vec<Item>) -> Result<(), Error> {
        for some in keys.chunks(BATCH as usize) {
            self.erase_all(some.to_vec()).await?;
        }
        Ok(())
    }

    /// Erases items, and those again that DynamoDB has left unprocessed.
    pub(crate) async fn erase_all(&self, keys: Vec<Item>) -> Result<(), Error> {
        let delete = |key| DeleteRequest::builder().set_key(Some(key)).build().map_err(Error::internal);
        let requests = keys.into_iter().map(|key| Ok(WriteRequest::builder().delete_request(delete(key)?).build()));
        self.table.write_batch(requests.collect::<Result<_, Error>>()?).await
    }
}

/// Somebody else has deleted it first, or changed it: the next look tells.
fn unless_stale(done: Result<(), Error>) -> Result<(), Error> {
    match done {
        Err(Error::Stale) => Ok(()),
        done => done,
    }
}

/// A kind of thing that lives in its segment's partition, each with a value that no other one has.
trait Part: Indexed + DeserializeOwned {
    /// Prefix of the sort keys.
    const PREFIX: &'static str;

    /// The directories of a segment that an index finds such things in.
    fn directories(_: SegmentId) -> Vec<String> {
        Vec::new()
    }

    /// The directory that the thing is in.
    fn directory(&self) -> Option<String>;

    /// The values that no other thing of its kind has.
    fn unique_values(&self) -> Vec<Unique>;
}

impl Part for CustomStatus {
    const PREFIX: &'static str = keys::STATUSES;

    fn directory(&self) -> Option<String> {
        None
    }

    fn unique_values(&self) -> Vec<Unique> {
        vec![self.unique()]
    }
}

impl Part for Partner {
    const PREFIX: &'static str = keys::PARTNERS;

    fn directories(segment: SegmentId) -> Vec<String> {
        vec![partner::directory(segment)]
    }

    fn directory(&self) -> Option<String> {
        Some(partner::directory(self.segment_id))
    }

    fn unique_values(&self) -> Vec<Unique> {
        self.unique().into_iter().collect()
    }
}

impl Part for Product {
    const PREFIX: &'static str = keys::PRODUCTS;

    fn directories(segment: SegmentId) -> Vec<String> {
        vec![product::directory(segment), product::private_directory(segment)]
    }

    fn directory(&self) -> Option<String> {
        Some(product::directory_of(self))
    }

    fn unique_values(&self) -> Vec<Unique> {
        product::unique_values(self)
    }
}

/// What `BatchWriteItem` takes at once.
const BATCH: u32 = 25;
