//! What was deleted, as it was then: kept for 30 days beside what it belonged to.

use domain::{Address, CustomField, Error, Level, Membership, Segment, Time};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::Store;
use crate::event::KEPT;
use crate::keys::{self, ADDRESSES, DELETED_MEMBERSHIPS, DELETED_SEGMENTS, FIELDS, LEVELS};
use crate::page::{self, Page, Window};
use crate::search::COUNT_CAP;
use crate::table::{Query, Write, keyed, number, to_item};

/// A kind of thing that is kept once it is deleted.
pub trait Deleted: Serialize + DeserializeOwned {
    /// What the sort keys begin with.
    const PREFIX: &'static str;

    /// The id of what it belonged to, and its own.
    fn ids(&self) -> (Uuid, Uuid);
}

macro_rules! deleted {
    ($($kind:ty, $prefix:expr, $parent:ident;)+) => {$(
        impl Deleted for $kind {
            const PREFIX: &'static str = $prefix;

            fn ids(&self) -> (Uuid, Uuid) {
                (self.$parent.uuid(), self.id.uuid())
            }
        }
    )+};
}

deleted! {
    Address, ADDRESSES, user_id;
    Segment, DELETED_SEGMENTS, owner_id;
    Membership, DELETED_MEMBERSHIPS, segment_id;
    Level, LEVELS, membership_id;
    CustomField, FIELDS, membership_id;
}

impl Store {
    /// All of a kind that was deleted of `parent`, in the order in which it had been made: 1 `Query` a MiB.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn deleted<T: Deleted>(&self, parent: Uuid) -> Result<Vec<T>, Error> {
        self.table.all(&Query::under(keys::deleted_of(parent), T::PREFIX)).await
    }

    /// A window of that, and how many meet its filters, as far as 10,000: 2 `Query`, more only for far offsets or filters.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn some_deleted<T: Deleted>(&self, parent: Uuid, window: &Window) -> Result<(Page<T>, u64), Error> {
        let pk = keys::deleted_of(parent);
        let count = page::count(&self.table, &pk, T::PREFIX, window, COUNT_CAP);
        tokio::try_join!(page::read(&self.table, &pk, T::PREFIX, window), count)
    }

    /// Keeps a thing that is deleted in the same transaction.
    pub(crate) fn kept<T: Deleted>(&self, thing: &T) -> Result<Write, Error> {
        let (parent, id) = thing.ids();
        let mut item = to_item(thing)?;
        item.insert("expires_at".to_owned(), number(Time::now().plus(KEPT).seconds()));
        Ok(Write::put(&self.table, keyed(&keys::deleted(parent, T::PREFIX, id), item)))
    }
}
