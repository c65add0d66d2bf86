//! Changes that span the table and Cognito: begun here, ended here, and found here when a crash has cut them off.

use std::time::Duration;

use domain::{Act, Action, Email, Entry, Error, Time, UserId};
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

    /// What whoever named no version is told of a change that came between.
    #[must_use]
    pub fn instead_of_stale(error: Error) -> Error {
        if matches!(error, Error::Stale) { Self::in_progress() } else { error }
    }

    /// The condition that a user's pending change is this one; its values are those of [`Pending::named`].
    pub(crate) const SAME: &str = "pending = :kind AND pending_at = :since";

    pub(crate) fn values(self) -> Item {
        Item::from([(":kind".to_owned(), string(self.kind.as_str())), (":since".to_owned(), string(self.since))])
    }

    pub(crate) fn named(self, changes: Changes) -> Changes {
        self.values().into_iter().fold(changes, |changes, (name, value)| changes.value(&name, value))
    }

    /// A change that begins now.
    #[must_use]
    pub fn now(kind: PendingKind) -> Self {
        Self { kind, since: Time::now() }
    }
}

/// What a change of password ends besides the other sessions.
#[derive(Debug, Clone, Copy, Default)]
pub struct PasswordEffects<'a> {
    /// The one session that goes on: the one that has changed the password.
    pub kept_session: Option<&'a str>,
    /// Whether this is no change that anybody made: an identity came to be, or nobody knows. Magic links go on.
    pub is_internal: bool,
    /// When it changed, where that was before now: what was given out since goes on.
    pub changed_at: Option<Time>,
    /// Whether all keys of the account, and of its segments, end.
    pub revokes_keys: bool,
    /// The address that the code was sent to. It is verified if it is still the user's e-mail.
    pub proves_email: Option<&'a Email>,
}

impl Store {
    /// Marks a change that Cognito is about to be asked for.
    ///
    /// # Errors
    /// [`Error::Conflict`] where another change is under way.
    pub async fn begin(&self, old: &UserRecord, kind: PendingKind) -> Result<UserRecord, Error> {
        let pending = Pending::now(kind);
        let changes = begin(Changes::default(), pending);
        // A first password creates an identity, with the e-mail that the user has: it is still that one. That there is
        // an identity is written only once Cognito has it, by `finish_password`.
        let (condition, changes) = match !old.has_login && kind == PendingKind::Password {
            true => (
                "version = :version AND attribute_not_exists(pending)",
                changes.value(":version", number(old.user.version)),
            ),
            false => ("attribute_exists(PK) AND attribute_not_exists(pending)", changes),
        };
        let begun = UserRecord { pending: Some(pending), ..old.clone() };
        if self.table.update(&keys::user(old.user.id), condition, changes).await? {
            return Ok(begun);
        }
        // The SDK repeats an update whose answer was lost: what is pending may be this very change.
        let found = self.user(old.user.id).await?.and_then(|found| found.pending);
        if found == Some(pending) { Ok(begun) } else { Err(Pending::in_progress()) }
    }

    /// Ends the pending change of `record`: whether it was still that one.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn end(&self, record: &UserRecord) -> Result<bool, Error> {
        let Some(pending) = record.pending else { return Ok(false) };
        let changes = pending.named(end(Changes::default()));
        self.table.update(&keys::user(record.user.id), Pending::SAME, changes).await
    }

    /// Ends the pending change of a user of whom Cognito has no identity, and writes down that it has none.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn end_without_login(&self, record: &UserRecord) -> Result<bool, Error> {
        let Some(pending) = record.pending else { return Ok(false) };
        let changes = pending.named(end(Changes::default())).remove("has_login");
        self.table.update(&keys::user(record.user.id), Pending::SAME, changes).await
    }

    /// Takes a pending change over from whoever began it, who must be dead.
    ///
    /// # Errors
    /// [`Error::Conflict`] where somebody else was faster.
    pub async fn renew(&self, record: UserRecord) -> Result<UserRecord, Error> {
        let Some(before) = record.pending else { return Ok(record) };
        let renewed = Pending::now(before.kind);
        let changes = before.named(Changes::default().set("pending_at", string(renewed.since)));
        if self.table.update(&keys::user(record.user.id), Pending::SAME, changes).await? {
            Ok(UserRecord { pending: Some(renewed), ..record })
        } else {
            Err(Pending::in_progress())
        }
    }

    /// Ends the pending change of `record` where Cognito has refused it; of a call whose end is not known, the
    /// `reconcile` function finds out.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn end_if_refused(&self, record: &UserRecord, error: &Error) -> Result<(), Error> {
        if error.is_outcome_unknown() { Ok(()) } else { self.end(record).await.map(drop) }
    }

    /// Ends a change of password, and all sessions but the one that is kept, whatever else has changed meanwhile: whether
    /// it was still this one.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the user is gone.
    pub async fn finish_password(
        &self,
        begun: UserRecord,
        (action, act): (Action, Act<'_>),
        effects: PasswordEffects<'_>,
    ) -> Result<bool, Error> {
        let mut record = begun;
        loop {
            let mut user = record.user.next(Time::now());
            if user.segment_id.is_some() && effects.proves_email.is_some_and(|email| user.has_email(email)) {
                user.email_verified = Some(true);
            }
            let entry = Entry::between(Some(&record.user), &user, action, act);
            let also = Also {
                ends: true,
                ends_sessions: Some(effects.kept_session.map(str::to_owned)),
                password_changed_at: (!effects.is_internal).then(|| effects.changed_at.unwrap_or_else(Time::now)),
                revokes_keys: effects.revokes_keys,
                ..Also::default()
            };
            match self.change_user(&record, &user, &entry, also).await {
                Err(Error::Stale) => {
                    let pending = record.pending;
                    record = self.user(user.id).await?.ok_or(Error::NotFound)?;
                    // Somebody else has settled it, or is erasing the user.
                    if record.pending != pending {
                        return Ok(false);
                    }
                }
                ended => return ended.map(|_| true),
            }
        }
    }

    /// Takes back a sign-up that never reached Cognito, whose claims become free.
    ///
    /// # Errors
    /// [`Error::Stale`] where somebody else has finished or taken it back.
    pub async fn undo_sign_up(&self, record: &UserRecord) -> Result<(), Error> {
        let user = &record.user;
        let Some(pending) = record.pending else { return Err(Error::Stale) };
        let same = pending.values();
        let gone =
            Write::delete(&self.table, &keys::user(user.id), Pending::SAME, same).on_condition_failed(Error::Stale);
        let mut writes = vec![gone];
        writes.extend(user.unique_values().iter().map(|unique| self.released(user, unique)));
        writes.extend(self.first_undone(user.id).await?);
        // Its only entry tells that it came to be; nobody has had a token to make more.
        let query = Query { keys_only: true, ..Query::before(&keys::user(user.id)) };
        for key in self.table.query(&query, Some(10), None).await?.items {
            writes.push(Write::delete_item(&self.table, key));
        }
        self.table.transact(writes).await
    }

    /// Opens the deployment to a first user again, if this one was the first.
    pub(crate) async fn first_undone(&self, user: UserId) -> Result<Option<Write>, Error> {
        let first = self.table.get(&keys::first()).await?.map(from_item::<Claim>).transpose()?;
        Ok(first.filter(|first| first.user_id == user).map(|_| {
            let mine = Item::from([(":user".to_owned(), string(user))]);
            Write::delete(&self.table, &keys::first(), "user_id = :user", mine).on_condition_failed(Error::Stale)
        }))
    }

    /// Who was the first to sign up, where only the first may.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn first_user(&self) -> Result<Option<UserRecord>, Error> {
        match self.table.get(&keys::first()).await?.map(from_item::<Claim>).transpose()? {
            Some(first) => self.user(first.user_id).await,
            None => Ok(None),
        }
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
        let (mut found, mut start) = (Vec::new(), None);
        loop {
            let read = self.table.query(&query, None, start).await?;
            let id = |item: &Item| item.get(keys::PK)?.as_s().ok()?.strip_prefix("U#")?.parse::<UserId>().ok();
            found.extend(read.items.iter().filter_map(id));
            start = read.next;
            if start.is_none() {
                return Ok(found);
            }
        }
    }
}

pub(crate) fn begin(changes: Changes, pending: Pending) -> Changes {
    changes.set("pending", string(pending.kind.as_str())).set("pending_at", string(pending.since))
}

pub(crate) fn end(changes: Changes) -> Changes {
    changes.remove("pending").remove("pending_at")
}
