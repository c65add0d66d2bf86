//! The history of a user; entries are written with the change that they tell, by [`Store::change_user`].

use domain::{Entry, Error, UserId};

use crate::Store;
use crate::keys::{self, ENTRIES};
use crate::page::{self, Page, Window};

impl Store {
    /// A window of a user's history: 1 `Query`, more only for far offsets.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn entries(&self, user: UserId, window: &Window) -> Result<Page<Entry>, Error> {
        page::read(&self.table, &keys::partition(user), ENTRIES, window).await
    }
}
