//! Developers. They live in their account's partition, and end with it.

use domain::{AuditEntry, Developer, DeveloperId, Error, UserId};
use serde::Deserialize;

use crate::Store;
use crate::keys::{self, DEVELOPERS};
use crate::search::{Index, Indexed, Kind, Schema, Searched, Value, ValueType};
use crate::table::{Changes, Query, Write, from_item, string, to_item};

/// A developer, and what is kept of its token.
#[derive(Debug, Clone, Deserialize)]
pub struct KeptDeveloper {
    /// The developer.
    #[serde(flatten)]
    pub developer: Developer,
    /// The SHA-256 of its token, once it has one.
    pub hash: Option<String>,
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
    /// A developer of an account: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn developer(&self, account: UserId, id: DeveloperId) -> Result<Option<KeptDeveloper>, Error> {
        self.table.get(&keys::developer(account, id)).await?.map(from_item).transpose()
    }

    /// The developers of an account, oldest first: 1 `Query` for each megabyte.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn developers(&self, account: UserId) -> Result<Vec<Developer>, Error> {
        self.table.all(&Query::under(keys::parent(account, None), DEVELOPERS)).await
    }

    /// Writes a new developer, if its account is in use: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the id is there already, as when a request that was cut off is repeated.
    pub async fn create_developer(&self, new: &Developer, audit: &AuditEntry) -> Result<(), Error> {
        let exists = Error::conflict("/id", "exists", "is the id of a developer that is there already");
        let create = Write::create(&self.table, &keys::developer(new.account_id, new.id), to_item(new)?);
        let in_use = self.in_use(new.account_id).on_condition_failed(Error::Unauthenticated);
        let mut writes = vec![create.on_condition_failed(exists), in_use];
        writes.extend(self.audit_writes([audit])?);
        self.table.transact(writes).await
    }

    /// Writes `new` over `old`: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read.
    pub async fn change_developer(&self, old: &Developer, new: &Developer) -> Result<(), Error> {
        let key = keys::developer(new.account_id, new.id);
        self.table.transact(vec![self.replaced(&key, old.version, &to_item(old)?, &to_item(new)?)]).await
    }

    /// Keeps the hash of a developer's new token, which ends the former one: 1 transaction.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such developer.
    pub async fn give_token(&self, id: DeveloperId, hash: &str, audit: &AuditEntry) -> Result<(), Error> {
        let changes = Changes::default().set("hash", string(hash));
        let key = keys::developer(audit.account_id, id);
        let given = Write::update(&self.table, &key, "attribute_exists(PK)", changes);
        let mut writes = vec![given.on_condition_failed(Error::NotFound)];
        writes.extend(self.audit_writes([audit])?);
        self.table.transact(writes).await
    }

    /// Deletes a developer, whose token is good for nothing at once: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read.
    pub async fn delete_developer(&self, developer: &Developer, audit: &AuditEntry) -> Result<(), Error> {
        let key = keys::developer(developer.account_id, developer.id);
        let mut writes = vec![self.removed(&key, developer.version)];
        writes.extend(self.audit_writes([audit])?);
        self.table.transact(writes).await
    }
}
