//! What stands in the partition of what it belongs to, found by its id alone: an address in its user's, a level or a
//! custom field in its membership's.

use std::fmt::Display;

use domain::Error;
use serde::Deserialize;
use uuid::Uuid;

use crate::Store;
use crate::keys;
use crate::table::{Item, Write, from_item, keyed, string};

/// What the item of such a thing says.
#[derive(Debug, Deserialize)]
struct Home {
    home: Uuid,
}

impl Store {
    /// The id of what an address, a level or a custom field belongs to, if there is such a thing: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn home_of<T: From<Uuid>>(&self, thing: Uuid) -> Result<Option<T>, Error> {
        let found = self.table.get(&keys::home(thing)).await?.map(from_item::<Home>).transpose()?;
        Ok(found.map(|found| found.home.into()))
    }

    /// From here on a thing is found by its id.
    pub(crate) fn at_home(&self, thing: Uuid, home: impl Display) -> Write {
        let item = Item::from([("home".to_owned(), string(home))]);
        Write::put(&self.table, keyed(&keys::home(thing), item))
    }

    /// A thing is not found any more.
    pub(crate) fn no_home(&self, thing: Uuid) -> Write {
        Write::delete_item(&self.table, keys::home(thing).attributes())
    }
}
