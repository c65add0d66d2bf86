//! What says for a day that a user is purged: answers that are kept for an `Idempotency-Key` may name it, and nobody can
//! find these, since they are sealed under keys that the table does not have.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::{Error, Time, UserId};
use uuid::Uuid;

use crate::Store;
use crate::keys;
use crate::table::{Item, Write, keyed, number};

/// Longer than an answer is kept, and than the request may run that is answered.
const KEPT: Duration = Duration::from_secs(25 * 60 * 60);

impl Store {
    /// The write that marks a user as purged.
    pub(crate) fn purge_marked(&self, user: UserId) -> Write {
        let item = Item::from([("expires_at".to_owned(), number(Time::now().plus(KEPT).seconds()))]);
        Write::put(&self.table, keyed(&keys::purged(user.uuid()), item))
    }

    /// Whether one of these ids is that of a user who was purged within a day: 1 `BatchGetItem` for each 100.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn any_purged(&self, ids: &BTreeSet<Uuid>) -> Result<bool, Error> {
        let keys = ids.iter().map(|id| keys::purged(*id).attributes()).collect();
        Ok(!self.table.get_all(keys).await?.is_empty())
    }
}
