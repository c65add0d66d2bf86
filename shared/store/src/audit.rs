//! The audit. An entry is kept once for its account and once for its segment, so that either list is one `Query`
//! (`docs/decisions/0031-an-act-is-audited-twice.md`). Acts on users that write a history entry (blocking, deleting, new
//! passwords and e-mails) are audited with that entry, by [`Store::audit_of_entry`].

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use domain::{Action, AuditAction, AuditEntry, AuditScope, Entry, Error, Object, SegmentId, Time, UserId};
use serde_json::Value;

use crate::Store;
use crate::email_undo::UndoChange;
use crate::keys::{self, AUDITS, Key};
use crate::page::{self, Page, Window};
use crate::pending::PendingKind;
use crate::table::{Changes, Item, Query, Write, from_item, keyed, number, to_item};
use crate::user::{Also, UserRecord};

/// How far the entries of a list are counted: each that is counted is read.
pub const AUDIT_COUNTED: u64 = 1_000;

/// The default retention of audit entries.
pub const AUDIT_RETENTION: Duration = Duration::from_secs(90 * 24 * 60 * 60);

impl UserRecord {
    /// The audits in which an act on this user is listed.
    #[must_use]
    pub fn audit_scope(&self) -> AuditScope {
        AuditScope { account: self.owner_id.unwrap_or(self.user.id), segment: self.user.segment_id }
    }
}

impl Store {
    /// The same store, which keeps audit entries for `retention`.
    #[must_use]
    pub fn with_audit_retention(self, retention: Duration) -> Self {
        Self { audit_retention: retention, ..self }
    }

    /// Records an act that has no transaction of its own: 1 `BatchWriteItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn record_audit(&self, entry: &AuditEntry) -> Result<(), Error> {
        self.table.write_batch(self.audit_requests(entry)?).await
    }

    /// Writes as [`Store::record_audit`] does, where no user exists to record an act of, so that time does not reveal
    /// it. The items are overwritten by the next such call, so that unknown names do not fill the table.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn pretend_audit(&self, segment: Option<SegmentId>) -> Result<(), Error> {
        let (nobody, expires_at) = (UserId::fresh().uuid().as_u128() % 256, Time::now().plus(Duration::from_secs(60)));
        let item = Item::from([("expires_at".to_owned(), number(expires_at.seconds()))]);
        let windows = 0..=u64::from(segment.is_some());
        let requests = windows.map(|window| {
            let key = keys::limit(&format!("nobody|{nobody}"), window);
            let put = PutRequest::builder().set_item(Some(keyed(&key, item.clone()))).build();
            Ok(WriteRequest::builder().put_request(put.map_err(Error::internal)?).build())
        });
        self.table.write_batch(requests.collect::<Result<_, Error>>()?).await
    }

    /// Reads a window of an account's audit: 1 `Query`, more only for far offsets or filters.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn audit_of_account(&self, account: UserId, window: &Window) -> Result<Page<AuditEntry>, Error> {
        page::read(&self.table, &keys::audit_of_account(account), AUDITS, &self.within_retention(window)).await
    }

    /// Reads a window of a segment's audit: 1 `Query`, more only for far offsets or filters.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn audit_of_segment(&self, segment: SegmentId, window: &Window) -> Result<Page<AuditEntry>, Error> {
        page::read(&self.table, &keys::audit_of_segment(segment), AUDITS, &self.within_retention(window)).await
    }

    /// Counts the entries of an account's list, at most [`AUDIT_COUNTED`]: 1 `Query`, more where filters leave much out.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn count_audit_of_account(&self, account: UserId, window: &Window) -> Result<u64, Error> {
        let (pk, window) = (keys::audit_of_account(account), self.within_retention(window));
        page::count(&self.table, &pk, AUDITS, &window, AUDIT_COUNTED).await
    }

    /// Counts the entries of a segment's list, at most [`AUDIT_COUNTED`]: 1 `Query`, more where filters leave much out.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn count_audit_of_segment(&self, segment: SegmentId, window: &Window) -> Result<u64, Error> {
        let (pk, window) = (keys::audit_of_segment(segment), self.within_retention(window));
        page::count(&self.table, &pk, AUDITS, &window, AUDIT_COUNTED).await
    }

    /// Forgets from where a purged user has acted, or somebody has tried its account: 1 `Query` for each 1,000 entries of
    /// its segment, 2 `UpdateItem` for each such entry. Ids stay until the entries expire.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn forget_origins(&self, segment: SegmentId, user: UserId) -> Result<(), Error> {
        let (query, id, mut start) = (Query::all(keys::audit_of_segment(segment)), user.to_string(), None);
        loop {
            let read = self.table.query(&query, Some(1_000), start).await?;
            for item in read.items {
                let entry: AuditEntry = from_item(item)?;
                let by_nobody = entry.target == id && entry.actor.parse::<UserId>().is_err();
                if entry.address.is_none() && entry.agent.is_none() || entry.actor != id && !by_nobody {
                    continue;
                }
                for key in [
                    keys::audit_entry_of_segment(segment, entry.id),
                    keys::audit_entry_of_account(entry.account_id, entry.id),
                ] {
                    let changes = Changes::default().remove("address").remove("agent");
                    self.table.update(&key, "attribute_exists(PK)", changes).await?;
                }
            }
            start = read.next;
            if start.is_none() {
                return Ok(());
            }
        }
    }

    /// The writes that record acts in their own transaction: for each 2 in a segment, else 1.
    pub(crate) fn audit_writes<'a>(&self, acts: impl IntoIterator<Item = &'a AuditEntry>) -> Result<Vec<Write>, Error> {
        let mut writes = Vec::new();
        for entry in acts {
            let items = self.audit_items(entry)?.into_iter();
            writes.extend(items.map(|(key, item)| Write::put(&self.table, keyed(&key, item))));
        }
        Ok(writes)
    }

    /// The writes that record what a history entry tells of a user, for the acts that are on record.
    pub(crate) fn audit_of_entry(&self, record: &UserRecord, entry: &Entry, also: &Also) -> Result<Vec<Write>, Error> {
        let mut actions = match (also.begins, &also.email_undo) {
            (Some(PendingKind::Purge), _) => vec![AuditAction::UserPurged],
            (_, Some((UndoChange::Use(..), _))) => vec![AuditAction::EmailChangeUndone],
            (Some(PendingKind::SignUp | PendingKind::Email | PendingKind::Password) | None, _) => actions_of(entry),
        };
        // A first password that comes with its user, or an identity that Muster makes for itself, is no change.
        actions.retain(|action| *action != AuditAction::PasswordChanged || also.password_changed_at.is_some());
        actions.extend(also.revokes_keys.then_some(AuditAction::AllKeysRevoked));
        let entry_of = |action| AuditEntry::new(action, record.audit_scope(), record.user.id, entry.act());
        self.audit_writes(&actions.into_iter().map(entry_of).collect::<Vec<_>>())
    }

    /// The requests that record an act in a batch of writes.
    pub(crate) fn audit_requests(&self, entry: &AuditEntry) -> Result<Vec<WriteRequest>, Error> {
        let requests = self.audit_items(entry)?.into_iter().map(|(key, item)| {
            let put = PutRequest::builder().set_item(Some(keyed(&key, item))).build().map_err(Error::internal)?;
            Ok(WriteRequest::builder().put_request(put).build())
        });
        requests.collect()
    }

    fn audit_items(&self, entry: &AuditEntry) -> Result<Vec<(Key, Item)>, Error> {
        let mut item = to_item(entry)?;
        item.insert("expires_at".to_owned(), number(entry.at.plus(self.audit_retention).seconds()));
        let of_segment = entry.segment_id.map(|segment| keys::audit_entry_of_segment(segment, entry.id));
        let keys = std::iter::once(keys::audit_entry_of_account(entry.account_id, entry.id)).chain(of_segment);
        Ok(keys.map(|key| (key, item.clone())).collect())
    }

    /// The window without entries that TTL has not taken yet.
    fn within_retention(&self, window: &Window) -> Window {
        let oldest = Time::now().minus(self.audit_retention).first_id().to_string();
        let (from, before) = window.ids.clone();
        Window { ids: (from.max(Some(oldest)), before), ..window.clone() }
    }
}

/// Returns the acts on record that a history entry tells of: each is written here, with the entry, and nowhere else.
fn actions_of(entry: &Entry) -> Vec<AuditAction> {
    let change = |field: &str| entry.changes.iter().find(|change| change.field == field);
    let act = match entry.action {
        Action::PasswordChanged | Action::PasswordChangeInterrupted => Some(AuditAction::PasswordChanged),
        Action::Blocked => Some(AuditAction::UserBlocked),
        Action::Unblocked => Some(AuditAction::UserUnblocked),
        Action::Deleted => Some(AuditAction::UserDeleted),
        Action::Restored => Some(AuditAction::UserRestored),
        Action::Updated => match (change("email"), change("pending_email")) {
            (Some(_), _) => Some(AuditAction::EmailChanged),
            (None, Some(pending)) if pending.new.is_null() => Some(AuditAction::EmailChangeUndone),
            (None, Some(_)) => Some(AuditAction::EmailChangeRequested),
            (None, None) => None,
        },
        // What a user is created with is no change.
        Action::Created | Action::Verified | Action::LoginCreated | Action::EmailsRecorded => return Vec::new(),
    };
    act.into_iter().chain(change("valid_until").map(|_| AuditAction::ValidityChanged)).collect()
}

/// Returns the names of the settings that changed, and those of `more` fields that did.
pub(crate) fn changed_settings<T: Object>(old: &T, new: &T, more: &[&str]) -> Vec<String> {
    let (old, new) = (old.show(), new.show());
    let settings = |thing: &Value| thing["settings"].as_object().cloned().unwrap_or_default();
    let (before, after) = (settings(&old), settings(&new));
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let changed = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    let more = more.iter().filter(|name| old.get(**name) != new.get(**name)).map(|name| (*name).to_owned());
    changed.map(|name| format!("settings.{name}")).chain(more).collect()
}
