//! Developers. An account's partition lists its own developers and those who have used its keys; the list ends with the
//! account. A registration, in a partition of its own, says that a developer exists and how many tokens it got.

use std::time::Duration;

use domain::{AuditEntry, Developer, DeveloperId, Error, Time, UserId};
use serde::Deserialize;

use crate::Store;
use crate::keys::{self, DEVELOPERS};
use crate::search::{Index, Indexed, Kind, Schema, Searched, Value, ValueType};
use crate::table::{Changes, Item, Query, Write, from_item, number, string, to_item};

/// How many of a developer's tokens are valid at the same time: the newest.
pub const DEVELOPER_TOKENS: u64 = 100;

/// How long a developer of no account exists before its first use with a key.
pub const UNUSED_DEVELOPER: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The attribute that counts tokens.
const TOKENS: &str = "tokens";

/// The time to live of a registration, which the first use removes.
const EXPIRES_AT: &str = "expires_at";

/// The condition that a registration exists and has not expired: DynamoDB may take two days to delete it.
const EXISTS: &str = "attribute_exists(PK) AND (attribute_not_exists(expires_at) OR expires_at > :now)";

/// The registration of a developer.
#[derive(Debug, Clone, Deserialize)]
pub struct DeveloperRegistration {
    /// The account that registered it, if one did.
    pub account_id: Option<UserId>,
    /// The number of its newest token.
    #[serde(default)]
    pub tokens: u64,
    expires_at: Option<i64>,
}

/// A developer as an account meets it.
#[derive(Debug, Clone)]
pub struct DeveloperAccess {
    registration: DeveloperRegistration,
    /// The developer as the registration has it, which only one of no account does.
    item: Item,
    /// The developer as the account lists it.
    listed: Option<Developer>,
}

impl DeveloperRegistration {
    fn exists(&self, now: Time) -> bool {
        self.expires_at.is_none_or(|end| end > now.seconds())
    }
}

impl DeveloperAccess {
    /// Whether the account accepts the developer's token of this number.
    #[must_use]
    pub fn accepts(&self, account: UserId, token: u64, now: Time) -> bool {
        let is_listed = self.listed.is_some();
        let is_reached = self.registration.account_id.is_none_or(|own| own == account && is_listed);
        let is_banned = self.listed.as_ref().is_some_and(|listed| listed.banned_at.is_some());
        let is_recent = token.saturating_add(DEVELOPER_TOKENS) > self.registration.tokens;
        self.registration.exists(now) && is_reached && !is_banned && is_recent
    }

    /// Whether the account has never met the developer before.
    #[must_use]
    pub fn is_first_use(&self) -> bool {
        self.listed.as_ref().is_none_or(|listed| listed.first_used_at.is_none())
    }
}

impl Indexed for Developer {
    fn index(&self) -> Index {
        let fields = &self.fields;
        let text = |text: &str| Value::Text(text.to_owned());
        Index::new(self.id.uuid())
            .ordered("name", Some(&text(fields.name.as_str())))
            .ordered("email", Some(&text(fields.email.as_str())))
            .ordered("app_name", Some(&text(fields.app_name.as_str())))
    }
}

impl Searched for Developer {
    fn schema() -> Schema {
        Schema::default()
            .with("name", Kind::Ordered, ValueType::Text)
            .with("email", Kind::Ordered, ValueType::Text)
            .with("app_name", Kind::Ordered, ValueType::Text)
    }
}

impl Store {
    /// A developer whom an account lists: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn developer(&self, account: UserId, id: DeveloperId) -> Result<Option<Developer>, Error> {
        self.table.get(&keys::developer(account, id)).await?.map(from_item).transpose()
    }

    /// The developers whom an account lists, oldest first: 1 `Query` for each megabyte.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn developers(&self, account: UserId) -> Result<Vec<Developer>, Error> {
        self.table.all(&Query::under(keys::parent(account, None), DEVELOPERS)).await
    }

    /// A developer as an account meets it, if it is registered: 1 `BatchGetItem` of 2 items.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn developer_access(&self, account: UserId, id: DeveloperId) -> Result<Option<DeveloperAccess>, Error> {
        let keys = [keys::registration(id), keys::developer(account, id)];
        let [Some(item), listed] = self.read_together(keys).await? else { return Ok(None) };
        let registration = from_item(item.clone())?;
        Ok(Some(DeveloperAccess { registration, item, listed: listed.map(from_item).transpose()? }))
    }

    /// Writes a new developer of an account that is in use: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the id is there already, as when a request that was cut off is repeated.
    pub async fn create_developer(&self, account: UserId, new: &Developer, audit: &AuditEntry) -> Result<(), Error> {
        let registration = Item::from([("account_id".to_owned(), string(account)), (TOKENS.to_owned(), number(0))]);
        let listed = Write::create(&self.table, &keys::developer(account, new.id), to_item(new)?);
        let mut writes = vec![
            listed.on_condition_failed(exists()),
            Write::create(&self.table, &keys::registration(new.id), registration).on_condition_failed(exists()),
            self.in_use(account).on_condition_failed(Error::Unauthenticated),
        ];
        writes.extend(self.audit_writes([audit])?);
        self.table.transact(writes).await
    }

    /// Registers a developer of no account, which expires unless a key is used with it: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the id is there already, as when a request that was cut off is repeated.
    pub async fn register_developer(&self, new: &Developer, audit: &AuditEntry) -> Result<(), Error> {
        let mut item = to_item(new)?;
        item.insert(TOKENS.to_owned(), number(0));
        item.insert(EXPIRES_AT.to_owned(), number(new.created_at.plus(UNUSED_DEVELOPER).seconds()));
        let create = Write::create(&self.table, &keys::registration(new.id), item);
        let mut writes = vec![create.on_condition_failed(exists())];
        writes.extend(self.audit_writes([audit])?);
        self.table.transact(writes).await
    }

    /// Counts a new token of a developer, and returns the registration with its number: 1 `UpdateItem`, so that tokens that
    /// are asked for in parallel have numbers of their own.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such developer, or no more.
    pub async fn count_developer_token(&self, id: DeveloperId) -> Result<DeveloperRegistration, Error> {
        let changes = Changes::default().add(TOKENS, 1).value(":now", number(Time::now().seconds()));
        let counted = self.table.update_and_read(&keys::registration(id), EXISTS, changes).await?;
        counted.ok_or(Error::NotFound).and_then(from_item)
    }

    /// Records that a developer has called with a credential of an account: 1 transaction, once for each account.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where the developer or the account ends in the meantime.
    pub async fn record_first_use(
        &self,
        (account, id): (UserId, DeveloperId),
        access: &DeveloperAccess,
        audit: &AuditEntry,
    ) -> Result<(), Error> {
        let (key, recorded) =
            (keys::developer(account, id), || Error::conflict("/id", "exists", "is recorded already"));
        let mut writes = match &access.listed {
            Some(_) => {
                let changes = Changes::default().set("first_used_at", string(audit.at)).add("version", 1);
                let condition = "attribute_exists(PK) AND attribute_not_exists(first_used_at)";
                vec![Write::update(&self.table, &key, condition, changes).on_condition_failed(recorded())]
            }
            None => {
                let developer: Developer = from_item(access.item.clone())?;
                let listed = Developer { first_used_at: Some(audit.at), ..developer };
                let stays = Changes::default().remove(EXPIRES_AT).value(":now", number(audit.at.seconds()));
                let stays = Write::update(&self.table, &keys::registration(id), EXISTS, stays);
                vec![
                    Write::create(&self.table, &key, to_item(&listed)?).on_condition_failed(recorded()),
                    stays.on_condition_failed(Error::Unauthenticated),
                    self.in_use(account).on_condition_failed(Error::Unauthenticated),
                ]
            }
        };
        writes.extend(self.audit_writes([audit])?);
        match self.table.transact(writes).await {
            // Another request was faster.
            Err(Error::Conflict(taken)) if taken.iter().all(|one| one.code == "exists") => Ok(()),
            done => done,
        }
    }

    /// Writes `new` over `old` in the list of an account, and the audit entry, if there is one: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read.
    pub async fn change_developer(
        &self,
        account: UserId,
        (old, new): (&Developer, &Developer),
        audit: Option<&AuditEntry>,
    ) -> Result<(), Error> {
        let key = keys::developer(account, new.id);
        let mut writes = vec![self.replaced(&key, old.version, &to_item(old)?, &to_item(new)?)];
        writes.extend(self.audit_writes(audit)?);
        self.table.transact(writes).await
    }

    /// Deletes an account's own developer, whose tokens are rejected from then on: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read.
    pub async fn delete_developer(
        &self,
        account: UserId,
        developer: &Developer,
        audit: &AuditEntry,
    ) -> Result<(), Error> {
        let key = keys::developer(account, developer.id);
        let registration = keys::registration(developer.id).attributes();
        let mut writes = vec![self.removed(&key, developer.version), Write::delete_item(&self.table, registration)];
        writes.extend(self.audit_writes([audit])?);
        self.table.transact(writes).await
    }

    /// Erases the registrations of an account's own developers: 1 `Query`, and 1 `BatchWriteItem` if there are any.
    pub(crate) async fn erase_registrations(&self, account: UserId) -> Result<(), Error> {
        let own = self.developers(account).await?.into_iter().filter(|developer| developer.account_id.is_some());
        self.erase_items(own.map(|developer| keys::registration(developer.id).attributes()).collect()).await
    }
}

fn exists() -> Error {
    Error::conflict("/id", "exists", "is the id of another developer")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(account: Option<UserId>, tokens: u64, expires_at: Option<i64>) -> DeveloperAccess {
        let registration = DeveloperRegistration { account_id: account, tokens, expires_at };
        DeveloperAccess { registration, item: Item::new(), listed: None }
    }

    #[test]
    fn the_newest_hundred_tokens_are_accepted() {
        let (account, now) = (UserId::fresh(), Time::now());
        let access = met(None, 250, None);
        assert!(access.is_first_use());
        for (token, accepted) in [(0, false), (150, false), (151, true), (250, true)] {
            assert_eq!(access.accepts(account, token, now), accepted, "{token}");
        }
    }

    #[test]
    fn expired_registration_and_foreign_account_are_rejected() {
        let (account, now) = (UserId::fresh(), Time::now());
        for (access, accepted) in [
            (met(None, 1, Some(now.seconds())), false),
            (met(None, 1, Some(now.seconds() + 1)), true),
            (met(Some(UserId::fresh()), 1, None), false),
            // Deleted by its account meanwhile.
            (met(Some(account), 1, None), false),
        ] {
            assert_eq!(access.accepts(account, 1, now), accepted, "{access:?}");
        }
    }
}
