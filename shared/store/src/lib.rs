//! The table. Handlers call [`Store`]; each file here holds the operations of one entity, `keys.rs` alone spells
//! keys, and `table.rs` alone speaks to DynamoDB.

use domain::{Error, UserId};

mod address;
mod affected;
mod answer;
mod audit;
mod backoff;
mod batch;
mod bulk;
mod capacity;
mod catalog;
mod custom_status;
mod deleted;
mod delivery;
mod developer;
mod device;
mod email_undo;
#[cfg(test)]
mod emulator;
mod endpoint;
mod entry;
mod erase;
mod event;
mod holder;
mod home;
mod job;
mod key;
mod keys;
mod language;
mod limit;
mod link;
mod member;
mod member_index;
mod membership;
mod notification;
mod once;
mod page;
mod partner;
mod pending;
mod product;
mod purged;
mod rank;
mod recovery_code;
mod schema;
pub mod search;
mod secret;
mod segment;
mod session;
mod subscription;
mod table;
mod transfer;
mod unique;
mod upload;
mod upload_quota;
mod user;
mod webhook;

pub use affected::Affected;
pub use answer::{Answered, Begun, Try};
pub use audit::{AUDIT_COUNTED, AUDIT_RETENTION};
pub use backoff::{Tries, retried};
pub use bulk::{NewMembers, NewUsers};
pub use capacity::{Capacity, count_capacity, read_capacity};
pub use catalog::CatalogRecord;
pub use deleted::Deleted;
pub use developer::{DEVELOPER_TOKENS, DeveloperAccess, DeveloperRegistration, UNUSED_DEVELOPER};
pub use device::{DeviceRecord, Holder, SomeDevices};
pub use email_undo::{EmailUndo, UndoChange};
pub use event::COUNTED;
pub use holder::KeyHolder;
pub use job::{Job, Progress};
pub use key::KeptKey;
pub use keys::Scope;
pub use limit::FailedTries;
pub use member::{AlsoOfMember, Joined, MemberRecord};
pub use membership::{Configuration, Edition, Part};
pub use notification::{Taken, notification_of};
pub use page::{Filter, Page, Wanted, Window};
pub use pending::{PasswordEffects, Pending, PendingKind};
pub use search::From;
pub use secret::{DeploymentSecrets, SecretVersion};
pub use session::{Rotation, SESSION_LIFETIME};
pub use table::{Item, Table};
pub use unique::Used;
pub use upload_quota::UploadQuota;
pub use user::{
    Also, CLASH, Changed, CredentialTimes, PersonIn, Resumed, Sessions, Since, UserChanges, UserRecord, Whole,
};
pub use webhook::{SealedSecret, WebhookRecord};

/// Every read and write of Muster's data.
#[derive(Debug, Clone)]
pub struct Store {
    table: Table,
    audit_retention: std::time::Duration,
}

impl Store {
    /// The data in `table`.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table, audit_retention: AUDIT_RETENTION }
    }

    /// Reads what is not there, so that the first request finds a second connection open: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn warm(&self) -> Result<(), Error> {
        self.user(UserId::fresh()).await.map(|_| ())
    }

    /// Makes the table, for a machine where no template has made it; a table that is there stays.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where DynamoDB does not answer.
    pub async fn ensure_table(&self) -> Result<(), Error> {
        schema::ensure(&self.table).await
    }
}
