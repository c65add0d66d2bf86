//! Users and the claims of their unique values.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::user::Unique;
use domain::{Entry, Error, Time, User, UserId};
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::keys::{self, Scope};
use crate::pending::{Pending, PendingKind, begin, end};
use crate::table::{Changes, Item, Write, from_item, number, string, to_item};

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
    /// Sessions that began in this second or before it are over.
    #[serde(rename = "sessions_from")]
    pub ended: Option<i64>,
    /// The one session that outlives `ended`: the one that changed the password.
    #[serde(rename = "kept_session")]
    pub kept: Option<String>,
    /// Sessions that were signed out, until their last access token has expired.
    #[serde(default)]
    pub signed_out: BTreeMap<String, i64>,
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
        // Each session that is signed out becomes an entry of its own, so that two at once lose neither.
        item.insert("signed_out".to_owned(), AttributeValue::M(Item::new()));
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
            None if also.ends => "version = :version AND pending = :kind AND pending_at = :since",
            Some(PendingKind::Purge) | None => "version = :version",
        };
        if let Some(pending) = old.pending.filter(|_| also.ends && also.begins.is_none()) {
            changes = pending.named(changes);
        }
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

    /// Remembers that a session has been signed out, for as long as its tokens could live.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn sign_out(&self, record: &UserRecord, session: &str, until: Time) -> Result<(), Error> {
        let now = Time::now().seconds();
        let mut changes = Changes::default().set_in("signed_out", session, number(until.seconds()));
        for over in record.sessions.signed_out.iter().filter(|(_, until)| **until <= now).map(|(session, _)| session) {
            changes = changes.remove_in("signed_out", over);
        }
        self.table.update(&keys::user(record.user.id), "attribute_exists(signed_out)", changes).await.map(drop)
    }

    /// Demands that a user is there and not deleted.
    pub(crate) fn in_use(&self, user: UserId) -> Write {
        let deleted = Item::from([(":deleted".to_owned(), string("DELETED"))]);
        Write::check(&self.table, &keys::user(user), "attribute_exists(PK) AND #status <> :deleted", deleted)
    }

    fn claimed(&self, user: &User, unique: &Unique) -> Result<Write, Error> {
        let key = keys::claim(user.segment_id.into(), unique);
        let write = Write::create(&self.table, &key, to_item(&Claim { user_id: user.id })?);
        Ok(write.on_condition_failed(Error::Conflict(vec![unique.taken()])))
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

/// What a claim item says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Claim {
    pub(crate) user_id: UserId,
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
