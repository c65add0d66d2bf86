//! Users and the claims of their unique values; those of segments are in directories, and their changes are told.

mod changes;
mod index;
mod person;
mod whole;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use domain::user::{Person, PersonNumber, Unique};
use domain::{Error, KeyId, Member, MemberId, SegmentId, Time, User, UserId, UserSession};
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::keys::{self, JOINED, SK, Scope};
use crate::pending::{Pending, PendingKind};
use crate::table::{Changes, Item, Query, Write, from_item, string};

pub use changes::{Changed, Since, UserChanges};
pub(crate) use index::{deleted_directory, directory, excluded_directory};
pub use person::CLASH;
pub use whole::{Resumed, Whole};
pub use write::Also;

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
    /// The master user whose segment the user is in.
    pub owner_id: Option<UserId>,
    /// How many users that are in use have it as their parent.
    pub child_count: u64,
    /// What has ended its links and keys.
    pub credentials: CredentialTimes,
    /// Whether Cognito has an identity of it, which comes with its first password. Every master user has one.
    pub has_login: bool,
    /// The keys of its account that were revoked and whose descendants are not deleted yet: none of these is valid.
    pub revoked_keys: BTreeSet<KeyId>,
    /// The segments of its account with `status: false`.
    pub inactive_segments: BTreeSet<SegmentId>,
}

impl UserRecord {
    /// Whether the user is being erased: gone for everybody.
    #[must_use]
    pub fn is_being_erased(&self) -> bool {
        self.pending.is_some_and(|pending| pending.kind == PendingKind::Purge)
    }
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

/// From when on credentials count that a user or an account has given out.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct CredentialTimes {
    /// Magic links that were made up to then open nothing.
    pub links_from: Option<Time>,
    /// When the password changed last.
    pub password_changed_at: Option<Time>,
    /// Keys that were made up to then open nothing.
    pub keys_from: Option<Time>,
}

impl CredentialTimes {
    /// Returns whether a key that was made at `created` has not been revoked with all others.
    #[must_use]
    pub fn keeps_key(&self, created: Time) -> bool {
        self.keys_from.is_none_or(|from| created > from)
    }

    /// Returns whether a key that was made at `created` is older than the account's password.
    #[must_use]
    pub fn is_key_to_review(&self, created: Time) -> bool {
        self.password_changed_at.is_some_and(|changed| created <= changed)
    }
}

impl Sessions {
    /// Whether a session is over, whose tokens may still be about.
    #[must_use]
    pub fn has_ended(&self, session: &UserSession) -> bool {
        self.are_over(&session.token_session, session.began)
    }

    /// Whether the session that tokens name so, and that began in this second, is over.
    #[must_use]
    pub fn are_over(&self, token_session: &str, began: i64) -> bool {
        let kept = self.kept.as_deref() == Some(token_session);
        !kept && self.ended.is_some_and(|ended| began <= ended) || self.signed_out.contains_key(token_session)
    }
}

impl Store {
    /// The user `id`: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn user(&self, id: UserId) -> Result<Option<UserRecord>, Error> {
        Ok(self.user_or_tombstone(id).await?.filter(|record| !record.user.is_tombstone()))
    }

    /// The user `id`, or the tombstone that it has left: 1 `GetItem`.
    pub(crate) async fn user_or_tombstone(&self, id: UserId) -> Result<Option<UserRecord>, Error> {
        self.table.get(&keys::user(id)).await?.map(record).transpose()
    }

    /// Who holds a unique value: 1 `GetItem`, and 1 more where a row from before a stricter rule may claim it otherwise.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn holder(&self, scope: Scope, unique: &Unique) -> Result<Option<UserId>, Error> {
        let claim = match (self.table.get(&keys::claim(scope, unique)).await?, unique.in_former_form()) {
            (None, Some(former)) => self.table.get(&keys::claim(scope, &former)).await?,
            (claim, _) => claim,
        };
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

    /// The user that a person is in a segment: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn person_in(&self, person: Person) -> Result<Option<PersonIn>, Error> {
        self.table.get(&keys::person_in(person)).await?.map(from_item).transpose()
    }

    /// The users that a person is in the segments of an account: 1 `Query`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn users_of_person(&self, account: UserId, number: PersonNumber) -> Result<Vec<UserId>, Error> {
        let query = Query::under(keys::person(account, number).pk, keys::PERSONS);
        Ok(self.table.all::<Claim>(&query).await?.into_iter().map(|found| found.user_id).collect())
    }

    /// The memberships that a user has joined, as the members that it is: 1 `Query`, and 1 `BatchGetItem` for each 100;
    /// nothing for a user who has never joined any.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn members_of(&self, user: &User) -> Result<Vec<Member>, Error> {
        if user.unjoined {
            return Ok(Vec::new());
        }
        let query = Query::under(keys::partition(user.id), JOINED);
        let joined = self.table.all_items(&query).await?;
        let id = |item: &Item| item.get(SK)?.as_s().ok()?.strip_prefix(JOINED)?.parse::<MemberId>().ok();
        let keys = joined.iter().filter_map(id).map(|id| keys::member(id).attributes()).collect();
        self.table.get_all(keys).await?.into_iter().map(from_item).collect()
    }

    /// Those of these users who are there, in no order: 1 `BatchGetItem` for each hundred.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn users_of(&self, ids: &BTreeSet<UserId>) -> Result<Vec<UserRecord>, Error> {
        let keys = ids.iter().map(|id| keys::user(*id).attributes()).collect();
        let records = self.table.get_all(keys).await?.into_iter().map(record);
        let is_user = |found: &Result<UserRecord, Error>| !matches!(found, Ok(found) if found.user.is_tombstone());
        records.filter(is_user).collect()
    }

    /// Demands that a user is there and not deleted.
    pub(crate) fn in_use(&self, user: UserId) -> Write {
        let deleted = Item::from([(":deleted".to_owned(), string("DELETED"))]);
        Write::check(&self.table, &keys::user(user), IN_USE, deleted)
    }

    /// Demands the same of a user who joins a membership, and notes that it has.
    pub(crate) fn joining(&self, user: UserId) -> Write {
        let changes = Changes::default().remove("unjoined").value(":deleted", string("DELETED"));
        Write::update(&self.table, &keys::user(user), IN_USE, changes.named("#status", "status"))
    }
}

/// The condition that a user is there and not deleted.
const IN_USE: &str = "attribute_exists(PK) AND #status <> :deleted";

/// The user that a person is in a segment.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct PersonIn {
    /// The user.
    pub user_id: UserId,
    /// The segment.
    pub segment_id: SegmentId,
}

/// What a claim item says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Claim {
    pub(crate) user_id: UserId,
}

/// What stands beside a user in its item.
#[derive(Debug, Deserialize)]
struct Beside {
    #[serde(default)]
    address_count: u64,
    #[serde(default)]
    entry_count: u64,
    #[serde(default)]
    child_count: u64,
    #[serde(default)]
    has_login: bool,
    owner_id: Option<UserId>,
    #[serde(default)]
    revoked_keys: BTreeSet<KeyId>,
    #[serde(default)]
    inactive_segments: BTreeSet<SegmentId>,
}

/// The record that an item is.
pub(crate) fn record(item: Item) -> Result<UserRecord, Error> {
    let beside: Beside = from_item(item.clone())?;
    let pending = if item.contains_key("pending") { Some(from_item(item.clone())?) } else { None };
    let sessions = from_item(item.clone())?;
    let credentials = from_item(item.clone())?;
    let mut user: User = from_item(item)?;
    if user.segment_id.is_none() {
        // Sign-up once took fields that only users of a segment have; they count for nothing.
        user.fields = user.fields.without_segment();
    }
    Ok(UserRecord {
        sessions,
        credentials,
        pending,
        address_count: beside.address_count,
        entry_count: beside.entry_count,
        owner_id: beside.owner_id,
        child_count: beside.child_count,
        revoked_keys: beside.revoked_keys,
        inactive_segments: beside.inactive_segments,
        has_login: beside.has_login || user.segment_id.is_none(),
        user,
    })
}
