//! What a change of a user writes: row, claims, history, index entries, family and the change that is told, all in one
//! transaction.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::user::{Numbering, Unique};
use domain::{CustomStatus, Entry, Error, Event, Status, Time, User, UserId};

use crate::Store;
use crate::backoff::Tries;
use crate::email_undo::UndoChange;
use crate::keys;
use crate::pending::{Pending, PendingKind, begin, end};
use crate::search::{self, Indexed as _};
use crate::table::{Changes, Item, Write, number, string, to_item};
use crate::unique::USER_COUNT;
use crate::user::index::directory_of;
use crate::user::{Claim, CredentialTimes, Sessions, UserRecord, changes};

/// How far ahead of the clock a change may stand, so that it is not told before it is written.
const FARTHEST: Duration = Duration::from_secs(1);

/// What else changes together with a user.
#[derive(Debug, Clone, Default)]
pub struct Also {
    /// The change that this one begins.
    pub begins: Option<PendingKind>,
    /// Whether this is the end of the user's pending change.
    pub ends: bool,
    /// Ends all sessions that there are, but for the one named, if any.
    pub ends_sessions: Option<Option<String>>,
    /// When the password has changed: older magic links end, and older keys are to be reviewed.
    pub password_changed_at: Option<Time>,
    /// What becomes of the tokens that undo a change of e-mail, and the keys of those that go with it.
    pub email_undo: Option<(UndoChange, Vec<Item>)>,
    /// Whether all keys of the account, and of its segments, end.
    pub revokes_keys: bool,
    /// A one-time secret that is made valid.
    pub one_time: Option<(String, Time)>,
    /// Where the user's number comes from, which it has from now on.
    pub numbering: Option<Numbering>,
    /// The status that it has from now on, where that has been read already.
    pub status: Option<CustomStatus>,
}

impl Store {
    /// Writes a user who signs up, with its claims, as a pending change; `first` also demands that nobody has signed
    /// up before. One transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] naming each value that is taken; [`Error::Forbidden`] where only the first may sign up.
    pub async fn sign_up(&self, user: &User, entry: &Entry, first: bool) -> Result<UserRecord, Error> {
        let record = UserRecord { pending: Some(Pending::now(PendingKind::SignUp)), ..new_record(user, None) };
        let mut writes = self.new_user(&record, entry)?;
        if first {
            let closed = Error::Forbidden("Only the first user may sign up here; ask that user for access.");
            writes.push(
                Write::create(&self.table, &keys::first(), to_item(&Claim { user_id: user.id })?)
                    .on_condition_failed(closed),
            );
        }
        self.table.transact(writes).await?;
        Ok(record)
    }

    /// Writes a new user of a segment, which is `owner`'s: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] naming each value that is taken, or the id, as when a request that was cut off is repeated;
    /// [`Error::Invalid`] where its parent or photo cannot be one.
    pub async fn create_user(&self, user: &User, owner: UserId, entry: &Entry) -> Result<UserRecord, Error> {
        self.create_user_and(user, owner, entry, Vec::new).await
    }

    /// Writes a new user as [`Store::create_user`] does, and `more` in the same transaction.
    pub(super) async fn create_user_and(
        &self,
        user: &User,
        owner: UserId,
        entry: &Entry,
        more: impl Fn() -> Vec<Write>,
    ) -> Result<UserRecord, Error> {
        let photo = self.new_photo(None, user, entry.actor).await?;
        let told = |user: &User, entry: &Entry| {
            let record = new_record(user, Some(owner));
            let mut writes = self.new_user(&record, entry)?;
            writes.extend(more());
            writes.extend(photo.iter().flat_map(|photo| self.photo_taken(photo, user)));
            Ok((writes, record))
        };
        self.told((self.with_status(None, user, None).await?, entry.clone()), told).await
    }

    /// Writes `new` over `old`, with the claims that differ and a history entry. One transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where the user has changed since `old` was read; [`Error::Conflict`] naming each value that
    /// is taken, or that the user has children; [`Error::Invalid`] where its parent cannot be one.
    pub async fn change_user(
        &self,
        old: &UserRecord,
        new: &User,
        entry: &Entry,
        also: Also,
    ) -> Result<UserRecord, Error> {
        refuse_if_parent(old, new)?;
        let photo = self.new_photo(Some(&old.user), new, entry.actor).await?;
        let told = |new: &User, entry: &Entry| {
            let (mut writes, record) = self.changed_user(old, new, entry, &also)?;
            writes.extend(photo.iter().flat_map(|photo| self.photo_taken(photo, new)));
            Ok((writes, record))
        };
        let new = self.with_status(Some(&old.user), new, also.status.as_ref()).await?;
        self.told((new, entry.clone()), told).await
    }

    /// The user, knowing whether its status is excluded: 1 `GetItem`, if it is another one than before and not `known`.
    /// Whether a status excludes never changes; that it is still there, the transaction demands.
    async fn with_status(&self, old: Option<&User>, new: &User, known: Option<&CustomStatus>) -> Result<User, Error> {
        let had = old.and_then(|old| old.fields.status_id);
        let known = known.filter(|known| Some(known.id) == new.fields.status_id);
        let excluded = match (new.segment_id.zip(new.fields.status_id), had == new.fields.status_id, known) {
            (None, ..) => false,
            (Some(_), true, _) => new.excluded,
            (Some(_), false, Some(known)) => known.fields.is_excluded.0,
            (Some((segment, status)), false, None) => match self.custom_status(segment, status).await {
                Err(Error::NotFound) => return Err(unknown_thing("/status_id", "status")),
                found => found?.thing.fields.is_excluded.0,
            },
        };
        Ok(User { excluded, ..new.clone() })
    }

    /// Writes a change; where its time has been told already, with a later one.
    async fn told(
        &self,
        (mut user, mut entry): (User, Entry),
        writes: impl Fn(&User, &Entry) -> Result<(Vec<Write>, UserRecord), Error>,
    ) -> Result<UserRecord, Error> {
        let (mut tries, mut ahead) = (Tries::default(), Duration::from_millis(1));
        loop {
            let (writes, record) = writes(&user, &entry)?;
            match (self.table.transact(writes).await, user.segment_id) {
                (Err(Error::Conflict(taken)), Some(segment)) => match changes::without_late(taken) {
                    Some(taken) => return Err(Error::Conflict(taken)),
                    None => {
                        tries.again().await?;
                        user.updated_at = self.untold(segment, user.id, ahead).await?;
                        ahead = (ahead * 2).min(FARTHEST);
                        entry.at = user.updated_at;
                    }
                },
                (done, _) => return done.map(|()| record),
            }
        }
    }

    /// What [`Store::create_user`] writes.
    pub(crate) fn new_user_of(&self, owner: UserId, user: &User, entry: &Entry) -> Result<Vec<Write>, Error> {
        self.new_user(&new_record(user, Some(owner)), entry)
    }

    fn new_user(&self, record: &UserRecord, entry: &Entry) -> Result<Vec<Write>, Error> {
        let user = &record.user;
        let mut item = to_item(user)?;
        if let Some(pending) = &record.pending {
            item.extend(to_item(pending)?);
        }
        if let Some(owner) = record.owner_id {
            item.insert("owner_id".to_owned(), string(owner));
        }
        item.insert("entry_count".to_owned(), number(1));
        item.insert("address_count".to_owned(), number(0));
        // Each session that is signed out becomes an entry of its own, so that two at once lose neither.
        item.insert("signed_out".to_owned(), AttributeValue::M(Item::new()));
        let exists = Error::conflict("/id", "exists", "is the id of a user that is there already");
        let mut writes = vec![Write::create(&self.table, &keys::user(user.id), item).on_condition_failed(exists)];
        writes.extend(self.around(None, Some(user))?);
        writes.push(self.entered(entry)?);
        writes.extend(self.outbox(Event::of_user(user, entry))?);
        Ok(writes)
    }

    fn changed_user(
        &self,
        old: &UserRecord,
        new: &User,
        entry: &Entry,
        also: &Also,
    ) -> Result<(Vec<Write>, UserRecord), Error> {
        let begun = also.begins.map(Pending::now);
        let mut changes = Changes::between(&to_item(&old.user)?, &to_item(new)?)
            .add("entry_count", 1)
            .value(":version", number(old.user.version));
        changes = match begun {
            Some(pending) => begin(changes, pending),
            None if also.ends => end(changes),
            None => changes,
        };
        // Erasing outranks whatever else is under way; nothing else may begin before that has ended.
        let mut condition = match also.begins {
            Some(PendingKind::SignUp | PendingKind::Email | PendingKind::Password) => {
                "version = :version AND attribute_not_exists(pending)"
            }
            None if also.ends => "version = :version AND pending = :kind AND pending_at = :since",
            Some(PendingKind::Purge) | None => "version = :version",
        }
        .to_owned();
        if let Some(pending) = old.pending.filter(|_| also.ends && also.begins.is_none()) {
            changes = pending.named(changes);
        }
        if !old.has_login && !also.ends && old.user.fields.email != new.fields.email {
            // Once there is an identity, or one is being created, Cognito must be told of the e-mail.
            condition.push_str(" AND attribute_not_exists(has_login) AND attribute_not_exists(pending)");
        }
        let gets_login =
            also.ends && !old.has_login && old.pending.is_some_and(|old| old.kind == PendingKind::Password);
        if gets_login {
            changes = changes.set("has_login", AttributeValue::Bool(true));
        }
        if must_be_childless(&old.user, new) {
            condition.push_str(" AND (attribute_not_exists(child_count) OR child_count = :none)");
            changes = changes.value(":none", number(0));
        }
        if let Some(kept) = &also.ends_sessions {
            changes = changes.set("sessions_from", number(new.updated_at.seconds()));
            changes = match kept {
                Some(session) => changes.set("kept_session", string(session)),
                None if old.sessions.kept.is_some() => changes.remove("kept_session"),
                None => changes,
            };
        }
        let changes = credentials_changed(changes, &old.user, new, also);
        let user = Write::update(&self.table, &keys::user(new.id), &condition, changes);
        let mut writes = vec![user.on_condition_failed(Error::Stale)];
        writes.extend(self.around(Some(&old.user), Some(new))?);
        writes.push(self.entered(entry)?);
        writes.extend(self.audit_of_entry(old, entry, also)?);
        // Of a purge its end is told, once.
        if also.begins != Some(PendingKind::Purge) {
            writes.extend(self.outbox(Event::of_user(new, entry))?);
        }
        if let Some((secret, until)) = &also.one_time {
            writes.push(self.one_time_made(new.id, secret, *until));
        }
        if let Some((change, newer)) = &also.email_undo {
            writes.extend(self.undo_written(new.id, change, newer)?);
        }
        writes.extend(self.numbered(new, also.numbering));
        let pending = begun.or(old.pending.filter(|_| !also.ends));
        let has_login = old.has_login || gets_login;
        let entry_count = old.entry_count + 1;
        Ok((writes, UserRecord { user: new.clone(), pending, entry_count, has_login, ..old.clone() }))
    }

    /// What goes with a user's row but its history: claims, index entries, its parent's count, the change that is told.
    pub(crate) fn around(&self, old: Option<&User>, new: Option<&User>) -> Result<Vec<Write>, Error> {
        let mut writes = Vec::new();
        let unique = |user: Option<&User>| user.map(User::unique_values).unwrap_or_default();
        let (had, has) = (unique(old), unique(new));
        for (user, unique) in old.iter().flat_map(|user| had.iter().map(move |unique| (user, unique))) {
            if !has.contains(unique) {
                writes.push(self.released(user, unique));
            }
        }
        for (user, unique) in new.iter().flat_map(|user| has.iter().map(move |unique| (user, unique))) {
            if !had.contains(unique) {
                writes.push(self.claimed(user, unique)?);
                let is_own = unique.in_former_form().is_some_and(|former| had.contains(&former));
                writes.extend(self.unclaimed_before(user, unique).filter(|_| !is_own));
            }
        }
        writes.extend(self.beside(old, new));
        writes.extend(self.change_told(old, new));
        Ok(writes)
    }

    /// Index entries, and the counts of what the user names: all that goes with it but claims and the change that is told.
    pub(crate) fn beside(&self, old: Option<&User>, new: Option<&User>) -> Vec<Write> {
        let mut writes = self.in_directories(old, new);
        writes.extend(self.of_parents(old, new));
        writes.extend(self.of_things(old, new));
        writes.extend(self.of_person(old, new));
        writes
    }

    /// What moves a user's index entries and counts from the directory that it was in to the one that it is in.
    pub(crate) fn in_directories(&self, old: Option<&User>, new: Option<&User>) -> Vec<Write> {
        let place = |user: Option<&User>| user.and_then(|user| Some((directory_of(user)?, user.index())));
        match (place(old), place(new)) {
            (Some((was, had)), Some((is, has))) if was == is => {
                search::writes(&self.table, &is, Some(&had), Some(&has))
            }
            (old, new) => {
                let gone = old.map(|(was, had)| search::writes(&self.table, &was, Some(&had), None));
                let come = new.map(|(is, has)| search::writes(&self.table, &is, None, Some(&has)));
                gone.into_iter().chain(come).flatten().collect()
            }
        }
    }

    /// Counts a user among the children of its parent, for as long as it is not deleted.
    fn of_parents(&self, old: Option<&User>, new: Option<&User>) -> Vec<Write> {
        let (was, is) = (old.and_then(parent), new.and_then(parent));
        if was == is {
            return Vec::new();
        }
        let left = was.map(|parent| {
            let one_less = Changes::default().add("child_count", -1);
            Write::update(&self.table, &keys::user(parent), "attribute_exists(PK)", one_less)
                .on_condition_failed(Error::Stale)
        });
        let come = is.zip(new.and_then(|user| user.segment_id)).map(|(parent, segment)| {
            let one_more = Changes::default()
                .add("child_count", 1)
                .value(":segment", string(segment))
                .value(":deleted", string(Status::Deleted.as_str()))
                .named("#status", "status");
            let condition = "segment_id = :segment AND #status <> :deleted AND attribute_not_exists(parent_id)";
            Write::update(&self.table, &keys::user(parent), condition, one_more).on_condition_failed(no_parent())
        });
        left.into_iter().chain(come).collect()
    }

    /// Counts a user among those who name its partner and its status, which are there as long as anybody does.
    fn of_things(&self, old: Option<&User>, new: Option<&User>) -> Vec<Write> {
        let Some(segment) = new.or(old).and_then(|user| user.segment_id) else { return Vec::new() };
        let partner = |user: &User| user.fields.partner_id.map(|id| keys::partner(segment, id));
        let status = |user: &User| user.fields.status_id.map(|id| keys::custom_status(segment, id));
        let named = [
            (old.and_then(partner), new.and_then(partner), unknown_thing("/partner_id", "partner")),
            (old.and_then(status), new.and_then(status), unknown_thing("/status_id", "status")),
        ];
        let counted = |key: &keys::Key, more: i64, otherwise: Error| {
            let changes = Changes::default().add(USER_COUNT, more);
            Write::update(&self.table, key, "attribute_exists(PK)", changes).on_condition_failed(otherwise)
        };
        let mut writes = Vec::new();
        for (was, is, unknown) in named.into_iter().filter(|(was, is, _)| was != is) {
            writes.extend(was.map(|key| counted(&key, -1, Error::Stale)));
            writes.extend(is.map(|key| counted(&key, 1, unknown)));
        }
        writes
    }

    fn claimed(&self, user: &User, unique: &Unique) -> Result<Write, Error> {
        let key = keys::claim(user.segment_id.into(), unique);
        let write = Write::create(&self.table, &key, to_item(&Claim { user_id: user.id })?);
        Ok(write.on_condition_failed(Error::Conflict(vec![unique.taken()])))
    }

    /// Demands that no row from before a stricter rule claims the value in another form.
    fn unclaimed_before(&self, user: &User, unique: &Unique) -> Option<Write> {
        let key = keys::claim(user.segment_id.into(), &unique.in_former_form()?);
        let free = Write::check(&self.table, &key, "attribute_not_exists(PK)", Item::new());
        Some(free.on_condition_failed(Error::Conflict(vec![unique.taken()])))
    }

    pub(crate) fn released(&self, user: &User, unique: &Unique) -> Write {
        let key = keys::claim(user.segment_id.into(), unique);
        let mine = Item::from([(":user".to_owned(), string(user.id))]);
        Write::delete(&self.table, &key, "user_id = :user", mine).on_condition_failed(Error::Stale)
    }

    fn entered(&self, entry: &Entry) -> Result<Write, Error> {
        Ok(Write::create(&self.table, &keys::entry(entry.user_id, entry.id), to_item(entry)?))
    }
}

/// Notes what ends magic links and keys.
fn credentials_changed(mut changes: Changes, old: &User, new: &User, also: &Also) -> Changes {
    let now = Time::now();
    let is_shut_out = matches!(new.status, Status::Blocked | Status::Deleted) && new.status != old.status;
    let ends_links = is_shut_out || old.fields.email != new.fields.email;
    if let Some(from) = also.password_changed_at.or(ends_links.then_some(now)) {
        changes = changes.set("links_from", string(from));
    }
    if let Some(changed) = also.password_changed_at {
        changes = changes.set("password_changed_at", string(changed));
    }
    if also.revokes_keys { changes.set("keys_from", string(now)) } else { changes }
}

fn new_record(user: &User, owner_id: Option<UserId>) -> UserRecord {
    UserRecord {
        user: user.clone(),
        sessions: Sessions::default(),
        credentials: CredentialTimes::default(),
        pending: None,
        address_count: 0,
        entry_count: 1,
        owner_id,
        child_count: 0,
        has_login: user.segment_id.is_none(),
        revoked_keys: BTreeSet::new(),
        inactive_segments: BTreeSet::new(),
    }
}

/// The parent that counts a user as its child.
fn parent(user: &User) -> Option<UserId> {
    user.fields.parent_id.filter(|_| user.status != Status::Deleted)
}

/// Whether a change makes of a user what cannot have children: somebody deleted, or a child.
fn must_be_childless(old: &User, new: &User) -> bool {
    (new.status == Status::Deleted && old.status != Status::Deleted) || (parent(new).is_some() && parent(old).is_none())
}

fn refuse_if_parent(old: &UserRecord, new: &User) -> Result<(), Error> {
    if new.fields.parent_id == Some(new.id) {
        return Err(no_parent());
    }
    if old.child_count == 0 || !must_be_childless(&old.user, new) {
        return Ok(());
    }
    if new.status == Status::Deleted {
        let message = "This user has children who are in use; delete them first, or all with cascade=true.";
        return Err(Error::conflict("", "has_children", message));
    }
    Err(Error::conflict("/parent_id", "has_children", "is for users who have no children themselves"))
}

fn unknown_thing(pointer: &str, what: &str) -> Error {
    Error::invalid(pointer, "unknown", &format!("must be the id of a {what} of this segment"))
}

fn no_parent() -> Error {
    Error::invalid("/parent_id", "unknown", "must be the id of a user of this segment who has no parent itself")
}
