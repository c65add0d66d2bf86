//! Changes that span the table and Cognito: begun here, ended here, and found here when a crash has cut them off.

use std::time::Duration;

use domain::{Action, Actor, Entry, Error, Time, UserId};
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::keys::{self, PENDING_INDEX};
use crate::table::{Changes, Item, Query, Write, from_item, number, string};
use crate::user::{Also, Claim, UserRecord};

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

    pub(crate) fn as_str(self) -> &'static str {
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

impl Store {
    /// Marks a change that Cognito is about to be asked for.
    ///
    /// # Errors
    /// [`Error::Conflict`] where another change is under way.
    pub async fn begin(&self, old: &UserRecord, kind: PendingKind) -> Result<UserRecord, Error> {
        let pending = Pending::now(kind);
        let changes = begin(Changes::default(), pending);
        let condition = "attribute_exists(PK) AND attribute_not_exists(pending)";
        if self.table.update(&keys::user(old.user.id), condition, changes).await? {
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
        self.table.update(&keys::user(record.user.id), "pending_at = :since", changes).await.map(drop)
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
}

/// How many pending changes one round of reconciling takes on, of each kind.
const PENDING_BATCH: u32 = 100;

pub(crate) fn begin(changes: Changes, pending: Pending) -> Changes {
    changes.set("pending", string(pending.kind.as_str())).set("pending_at", string(pending.since))
}

pub(crate) fn end(changes: Changes) -> Changes {
    changes.remove("pending").remove("pending_at")
}
