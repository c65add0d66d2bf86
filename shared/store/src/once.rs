//! One-time secrets: what lets somebody in once without a password, for a minute.

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::{Error, Time, UserId};

use crate::Store;
use crate::keys;
use crate::table::{Item, Write, held, number};

impl Store {
    /// Uses a one-time secret up: whether it was this user's and still good. Only a hash of both is in the table.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn take_one_time(&self, user: UserId, secret: &str) -> Result<bool, Error> {
        let sent = self
            .table
            .client
            .delete_item()
            .table_name(&*self.table.name)
            .set_key(Some(keys::one_time(user, secret).attributes()))
            // TTL erases late: what is over is refused here.
            .condition_expression("expires_at > :now")
            .expression_attribute_values(":now", number(Time::now().seconds()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send();
        held(sent.await)
    }

    /// Makes a one-time secret valid for a user who is in use: 1 transaction.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the user is not.
    pub async fn make_one_time(&self, user: UserId, secret: &str, until: Time) -> Result<(), Error> {
        let there = self.in_use(user).on_condition_failed(Error::NotFound);
        self.table.transact(vec![there, self.one_time_made(user, secret, until)]).await
    }

    pub(crate) fn one_time_made(&self, user: UserId, secret: &str, until: Time) -> Write {
        let item = Item::from([("expires_at".to_owned(), number(until.seconds()))]);
        Write::create(&self.table, &keys::one_time(user, secret), item)
    }
}
