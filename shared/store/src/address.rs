//! Addresses. They live in their user's partition; the user's item counts them.

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::{Act, Address, AddressId, Error, Object, User, UserId};

use crate::Store;
use crate::keys::{self, ADDRESSES};
use crate::page::{self, Page, Window};
use crate::search::COUNT_CAP;
use crate::table::{Changes, Item, Write, from_item, is_condition_failed, keyed, number, string, to_item, unavailable};

impl Store {
    /// A window of a user's addresses: 1 `Query`, more only for far offsets or filters.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn addresses(&self, user: UserId, window: &Window) -> Result<Page<Address>, Error> {
        page::read(&self.table, &keys::partition(user), ADDRESSES, window).await
    }

    /// How many of a user's addresses meet a window's filters, as far as 10,000; without a filter the user's record knows.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn count_addresses(&self, user: UserId, window: &Window) -> Result<u64, Error> {
        page::count(&self.table, &keys::partition(user), ADDRESSES, window, COUNT_CAP).await
    }

    /// One address: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn address(&self, user: UserId, id: AddressId) -> Result<Address, Error> {
        self.table.get(&keys::address(user, id)).await?.ok_or(Error::NotFound).and_then(from_item)
    }

    /// Writes all of `addresses`, of one user, or none: 1 transaction.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the user is gone or deleted; [`Error::Conflict`] where one of the ids is there
    /// already, as when a request that was cut off is repeated.
    pub async fn create_addresses(&self, user: &User, addresses: &[Address], act: Act<'_>) -> Result<(), Error> {
        let mut writes = vec![self.counted(user.id, i64::try_from(addresses.len()).unwrap_or(i64::MAX))];
        for address in addresses {
            let write = Write::create(&self.table, &keys::address(user.id, address.id), to_item(address)?);
            let exists = Error::conflict("/id", "exists", "is the id of an address that is there already");
            writes.extend([write.on_condition_failed(exists), self.at_home(address.id.uuid(), user.id)]);
            writes.extend(self.tells_address(user, (None, Some(address)), act)?);
        }
        self.table.transact(writes).await
    }

    /// Writes `new` over `old`: 1 `PutItem`, or 1 transaction where an event tells of it.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read.
    pub async fn change_address(&self, user: &User, old: &Address, new: &Address, act: Act<'_>) -> Result<(), Error> {
        let key = keys::address(new.user_id, new.id);
        if let Some(told) = self.tells_address(user, (Some(old), Some(new)), act)? {
            let changed = self.replaced(&key, old.version, &to_item(old)?, &to_item(new)?);
            return self.table.transact(vec![changed, told]).await;
        }
        let sent = self
            .table
            .client
            .put_item()
            .table_name(&*self.table.name)
            .set_item(Some(keyed(&key, to_item(new)?)))
            .condition_expression("version = :version")
            .expression_attribute_values(":version", number(new.version - 1))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send();
        match sent.await {
            Ok(_) => Ok(()),
            Err(failure) if is_condition_failed(&failure) => {
                // The SDK repeats a put whose answer was lost: what is there may be this very change.
                let there = self.table.get(&key).await?;
                if there == Some(keyed(&key, to_item(new)?)) { Ok(()) } else { Err(Error::Stale) }
            }
            Err(failure) => Err(unavailable(failure)),
        }
    }

    /// Deletes an address, if it still is as it was read: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has another version, or there is none.
    pub async fn delete_address(&self, user: &User, old: &Address, act: Act<'_>) -> Result<(), Error> {
        let key = keys::address(user.id, old.id);
        let version = Item::from([(":version".to_owned(), number(old.version))]);
        let gone = Write::delete(&self.table, &key, "version = :version", version).on_condition_failed(Error::Stale);
        let mut writes = vec![gone, self.kept(old)?, self.no_home(old.id.uuid()), self.counted(user.id, -1)];
        writes.extend(self.tells_address(user, (Some(old), None), act)?);
        self.table.transact(writes).await
    }

    /// What tells of an address, if it is one of a segment's user.
    fn tells_address(
        &self,
        user: &User,
        (old, new): (Option<&Address>, Option<&Address>),
        act: Act<'_>,
    ) -> Result<Option<Write>, Error> {
        let Some((address, segment)) = new.or(old).zip(user.segment_id) else { return Ok(None) };
        let as_object = |address| address as &dyn Object;
        self.tells_of(address.about_in(segment), (old.map(as_object), new.map(as_object)), act)
    }

    /// The user's count of addresses, changed in the same transaction as they are; a deleted user gets none.
    fn counted(&self, user: UserId, more: i64) -> Write {
        let changes = Changes::default().add("address_count", more).value(":deleted", string("DELETED"));
        let live = "attribute_exists(PK) AND #status <> :deleted";
        Write::update(&self.table, &keys::user(user), live, changes.named("#status", "status"))
            .on_condition_failed(Error::NotFound)
    }
}
