//! Users, the claims of their unique values, and the change that is under way between the table and Cognito.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, ReturnConsumedCapacity, WriteRequest};
use domain::user::Unique;
use domain::{Action, Actor, Entry, Error, Time, User, UserId};
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::keys::{self, PENDING_INDEX, Scope};
use crate::table::{
    Changes, Item, Query, Write, backoff, from_item, is_condition_failed, number, string, to_item, unavailable,
};

/// A user with what Muster keeps about it for itself.
#[derive(Debug, Clone)]
pub struct UserRecord {
    /// The user.
    pub user: User,
    /// Which of its sessions still hold.
    pub sessions: Sessions,
    /// The change that is under way.
    pub pending: Option<Pending>,
    /// How many addresses it has.
    pub address_count: u64,
    /// How many entries its history has.
    pub entry_count: u64,
}

/// Which sessions of a user still hold.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Sessions {
    /// Sessions that began before this second are over.
    #[serde(rename = "sessions_from")]
    pub from: Option<i64>,
    /// The one session that outlives `from`: the one that changed the password.
    #[serde(rename = "kept_session")]
    pub kept: Option<String>,
    /// Sessions that were signed out, until their last access token has expired.
    #[serde(default)]
    pub signed_out: BTreeMap<String, i64>,
}

/// A change that spans the table and Cognito and is not finished; the `reconcile` function finishes what a crash
/// left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Which change.
    #[serde(rename = "pending")]
    pub kind: PendingKind,
    /// Since when.
    #[serde(rename = "pending_at")]
    pub since: Time,
}

/// The changes that span the table and Cognito.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PendingKind {
    /// The user and its claims are there, its Cognito identity maybe not.
    SignUp,
    /// The table has a new e-mail, Cognito maybe not.
    Email,
    /// Cognito may have a new password; sessions have not ended yet.
    Password,
    /// Everything of the user is being erased.
    Purge,
}

impl PendingKind {
    /// Each kind.
    pub const ALL: [Self; 4] = [Self::SignUp, Self::Email, Self::Password, Self::Purge];

    fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::Email => "email",
            Self::Password => "password",
            Self::Purge => "purge",
        }
    }
}

impl Pending {
    /// How long a change may take before whoever began it must be dead: beyond each function's timeout.
    pub const LEASE: Duration = Duration::from_secs(15);

    /// Whether whoever began the change must be dead by now.
    #[must_use]
    pub fn is_abandoned(self) -> bool {
        self.since.plus(Self::LEASE) < Time::now()
    }

    /// What another change of the same user is told meanwhile.
    #[must_use]
    pub fn in_progress() -> Error {
        Error::conflict("", "in_progress", "Another change of this user is under way; repeat yours in a moment.")
    }

    /// A change that begins now.
    #[must_use]
    pub fn now(kind: PendingKind) -> Self {
        Self { kind, since: Time::now() }
    }
}

/// What else changes together with a user.
#[derive(Debug, Clone, Default)]
pub struct Also {
    /// The change that this one begins.
    pub begins: Option<PendingKind>,
    /// Whether this is the end of the user's pending change.
    pub ends: bool,
    /// Ends all sessions that there are, but for the one named, if any.
    pub ends_sessions: Option<Option<String>>,
    /// A one-time secret that is made valid.
    pub one_time: Option<(String, Time)>,
}

impl Store {
    /// The user `id`: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn user(&self, id: UserId) -> Result<Option<UserRecord>, Error> {
        self.table.get(&keys::user(id)).await?.map(record).transpose()
    }

    /// Who holds a unique value: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn holder(&self, scope: Scope, unique: &Unique) -> Result<Option<UserId>, Error> {
        let claim = self.table.get(&keys::claim(scope, unique)).await?;
        Ok(claim.map(from_item::<Claim>).transpose()?.map(|claim| claim.user_id))
    }

    /// The user who holds a unique value: 2 `GetItem`, both strongly consistent.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn user_by(&self, scope: Scope, unique: &Unique) -> Result<Option<UserRecord>, Error> {
        match self.holder(scope, unique).await? {
            Some(id) => self.user(id).await,
            None => Ok(None),
        }
    }

    /// Writes a user who signs up, with its claims, as a pending change; `first` also demands that nobody has signed
    /// up before. One transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] naming each value that is taken; [`Error::Forbidden`] where only the first may sign up.
    pub async fn sign_up(&self, user: &User, entry: &Entry, first: bool) -> Result<UserRecord, Error> {
        let pending = Pending::now(PendingKind::SignUp);
        let mut item = to_item(user)?;
        item.extend(to_item(&pending)?);
        item.insert("entry_count".to_owned(), number(1));
        item.insert("address_count".to_owned(), number(0));
        let exists = Error::conflict("/id", "exists", "is the id of a user that is there already");
        let mut writes = vec![Write::create(&self.table, &keys::user(user.id), item).on_condition_failed(exists)];
        for unique in user.unique_values() {
            writes.push(self.claimed(user, &unique)?);
        }
        writes.push(self.entered(entry)?);
        if first {
            let closed = Error::Forbidden("Only the first user may sign up here; ask that user for access.");
            writes.push(
                Write::create(&self.table, &keys::first(), to_item(&Claim { user_id: user.id })?)
                    .on_condition_failed(closed),
            );
        }
        self.table.transact(writes).await?;
        Ok(UserRecord {
            user: user.clone(),
            sessions: Sessions::default(),
            pending: Some(pending),
            address_count: 0,
            entry_count: 1,
        })
    }

    /// Writes `new` over `old`, with the claims that differ and a history entry. One transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where the user has changed since `old` was read; [`Error::Conflict`] naming each value that
    /// is taken.
    pub async fn change_user(
        &self,
        old: &UserRecord,
        new: &User,
        entry: &Entry,
        also: Also,
    ) -> Result<UserRecord, Error> {
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
        let condition = match also.begins {
            Some(PendingKind::SignUp | PendingKind::Email | PendingKind::Password) => {
                "version = :version AND attribute_not_exists(pending)"
            }
            Some(PendingKind::Purge) | None => "version = :version",
        };
        if let Some(kept) = also.ends_sessions {
            changes = changes.set("sessions_from", number(new.updated_at.seconds()));
            changes = match kept {
                Some(session) => changes.set("kept_session", string(session)),
                None if old.sessions.kept.is_some() => changes.remove("kept_session"),
                None => changes,
            };
        }
        let user = Write::update(&self.table, &keys::user(new.id), condition, changes);
        let mut writes = vec![user.on_condition_failed(Error::Stale)];
        let (had, has) = (old.user.unique_values(), new.unique_values());
        for unique in had.iter().filter(|unique| !has.contains(unique)) {
            writes.push(self.released(new, unique));
        }
        for unique in has.iter().filter(|unique| !had.contains(unique)) {
            writes.push(self.claimed(new, unique)?);
        }
        writes.push(self.entered(entry)?);
        if let Some((secret, until)) = also.one_time {
            writes.push(self.one_time_made(new.id, &secret, until));
        }
        self.table.transact(writes).await?;
        let pending = begun.or(old.pending.filter(|_| !also.ends));
        Ok(UserRecord { user: new.clone(), pending, entry_count: old.entry_count + 1, ..old.clone() })
    }

    /// Marks a change that Cognito is about to be asked for.
    ///
    /// # Errors
    /// [`Error::Conflict`] where another change is under way.
    pub async fn begin(&self, old: &UserRecord, kind: PendingKind) -> Result<UserRecord, Error> {
        let pending = Pending::now(kind);
        let changes = begin(Changes::default(), pending);
        let condition = "attribute_exists(PK) AND attribute_not_exists(pending)";
        if self.update(&keys::user(old.user.id), condition, changes).await? {
            Ok(UserRecord { pending: Some(pending), ..old.clone() })
        } else {
            Err(Pending::in_progress())
        }
    }

    /// Ends the pending change of `record`, if it is still that one.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn end(&self, record: &UserRecord) -> Result<(), Error> {
        let Some(pending) = record.pending else {
            return Ok(());
        };
        let changes = end(Changes::default()).value(":since", string(pending.since));
        self.update(&keys::user(record.user.id), "pending_at = :since", changes).await.map(drop)
    }

    /// Ends the pending change of `record` where Cognito has refused it; of a call whose end is not known, the
    /// `reconcile` function finds out.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn end_if_refused(&self, record: &UserRecord, error: &Error) -> Result<(), Error> {
        if matches!(error, Error::Unavailable(_) | Error::Internal(_)) { Ok(()) } else { self.end(record).await }
    }

    /// Ends a change of password, and all sessions but the one that is kept, whatever else has changed meanwhile.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the user is gone.
    pub async fn finish_password(
        &self,
        begun: UserRecord,
        act: (Action, Actor, &str),
        kept: Option<&str>,
    ) -> Result<(), Error> {
        let mut record = begun;
        loop {
            let user = record.user.next(Time::now());
            let entry = Entry::between(Some(&record.user), &user, act);
            let also = Also { ends: true, ends_sessions: Some(kept.map(str::to_owned)), ..Also::default() };
            match self.change_user(&record, &user, &entry, also).await {
                Err(Error::Stale) => record = self.user(user.id).await?.ok_or(Error::NotFound)?,
                ended => return ended.map(drop),
            }
        }
    }

    /// Takes back a sign-up that never reached Cognito, whose claims become free.
    ///
    /// # Errors
    /// [`Error::Stale`] where somebody else has finished or taken it back.
    pub async fn undo_sign_up(&self, record: &UserRecord) -> Result<(), Error> {
        let user = &record.user;
        self.erase_rest(user.id).await?;
        let same =
            Item::from([(":version".to_owned(), number(user.version)), (":pending".to_owned(), string("sign_up"))]);
        let condition = "version = :version AND pending = :pending";
        let gone = Write::delete(&self.table, &keys::user(user.id), condition, same).on_condition_failed(Error::Stale);
        let mut writes = vec![gone];
        writes.extend(user.unique_values().iter().map(|unique| self.released(user, unique)));
        let first = self.table.get(&keys::first()).await?.map(from_item::<Claim>).transpose()?;
        if first.is_some_and(|first| first.user_id == user.id) {
            let mine = Item::from([(":user".to_owned(), string(user.id))]);
            let marker = Write::delete(&self.table, &keys::first(), "user_id = :user", mine);
            writes.push(marker.on_condition_failed(Error::Stale));
        }
        self.table.transact(writes).await
    }

    /// Erases everything in the user's partition, the user last, so that a crash leaves what says to go on.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn erase(&self, id: UserId) -> Result<(), Error> {
        self.erase_rest(id).await?;
        let values = Item::from([(":pending".to_owned(), string(PendingKind::Purge.as_str()))]);
        let gone =
            Write::delete(&self.table, &keys::user(id), "attribute_not_exists(PK) OR pending = :pending", values);
        self.table.transact(vec![gone.on_condition_failed(Error::Stale)]).await
    }

    /// Remembers that a session has been signed out, for as long as its tokens could live.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn sign_out(&self, record: &UserRecord, session: &str, until: Time) -> Result<(), Error> {
        let now = Time::now().seconds();
        let mut left = record.sessions.signed_out.clone();
        left.retain(|_, until| *until > now);
        left.insert(session.to_owned(), until.seconds());
        let left = left.into_iter().map(|(session, until)| (session, number(until)));
        let changes = Changes::default().set("signed_out", AttributeValue::M(left.collect()));
        self.update(&keys::user(record.user.id), "attribute_exists(PK)", changes).await.map(drop)
    }

    /// The users whose change of this kind has been pending since before `before`, oldest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn pending(&self, kind: PendingKind, before: Time) -> Result<Vec<UserId>, Error> {
        let query = Query {
            index: Some(PENDING_INDEX),
            condition: "pending = :kind AND pending_at < :before",
            values: Item::from([(":kind".to_owned(), string(kind.as_str())), (":before".to_owned(), string(before))]),
            ..Query::default()
        };
        let read = self.table.query(&query, Some(PENDING_BATCH), None).await?;
        let ids =
            read.items.iter().filter_map(|item| item.get(keys::PK)?.as_s().ok()?.strip_prefix("U#")?.parse().ok());
        Ok(ids.collect())
    }

    /// An update outside a transaction: whether its condition held.
    async fn update(&self, key: &keys::Key, condition: &str, changes: Changes) -> Result<bool, Error> {
        let (expression, names, values) = changes.into_expression();
        let sent = self
            .table
            .client
            .update_item()
            .table_name(&*self.table.name)
            .set_key(Some(key.attributes()))
            .update_expression(expression)
            .condition_expression(condition)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send();
        match sent.await {
            Ok(_) => Ok(true),
            Err(failure) if is_condition_failed(&failure) => Ok(false),
            Err(failure) => Err(unavailable(failure)),
        }
    }

    /// Erases all in a user's partition but the user itself.
    async fn erase_rest(&self, id: UserId) -> Result<(), Error> {
        let query = Query { keys_only: true, ..Query::before(&keys::user(id)) };
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

    fn claimed(&self, user: &User, unique: &Unique) -> Result<Write, Error> {
        let key = keys::claim(user.segment_id.into(), unique);
        let write = Write::create(&self.table, &key, to_item(&Claim { user_id: user.id })?);
        Ok(write.on_condition_failed(Error::Conflict(vec![unique.taken()])))
    }

    fn released(&self, user: &User, unique: &Unique) -> Write {
        let key = keys::claim(user.segment_id.into(), unique);
        let mine = Item::from([(":user".to_owned(), string(user.id))]);
        Write::delete(&self.table, &key, "user_id = :user", mine).on_condition_failed(Error::Stale)
    }

    fn entered(&self, entry: &Entry) -> Result<Write, Error> {
        Ok(Write::create(&self.table, &keys::entry(entry.user_id, entry.id), to_item(entry)?))
    }
}

/// What a claim item says.
#[derive(Debug, Serialize, Deserialize)]
struct Claim {
    user_id: UserId,
}

/// What `BatchWriteItem` takes at once.
const BATCH: u32 = 25;

/// How often a batch that DynamoDB does not finish is sent again.
const ERASE_TRIES: u32 = 8;

/// How many pending changes one round of reconciling takes on, of each kind.
const PENDING_BATCH: u32 = 100;

fn begin(changes: Changes, pending: Pending) -> Changes {
    changes.set("pending", string(pending.kind.as_str())).set("pending_at", string(pending.since))
}

fn end(changes: Changes) -> Changes {
    changes.remove("pending").remove("pending_at")
}

fn record(item: Item) -> Result<UserRecord, Error> {
    #[derive(Deserialize)]
    struct Counts {
        #[serde(default)]
        address_count: u64,
        #[serde(default)]
        entry_count: u64,
    }
    let counts: Counts = from_item(item.clone())?;
    let pending = if item.contains_key("pending") { Some(from_item(item.clone())?) } else { None };
    Ok(UserRecord {
        sessions: from_item(item.clone())?,
        pending,
        user: from_item(item)?,
        address_count: counts.address_count,
        entry_count: counts.entry_count,
    })
}
