//! Magic links: what lets a user in once, within a day, whoever has it. The table has a hash of user and token alone, so that
//! nothing of a user who is purged is left in it.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Error, Time, UserId};

use crate::Store;
use crate::keys;
use crate::table::{Item, Write, number, string};

impl Store {
    /// Makes a link good until `until`, for a user who is in use: 1 transaction. Only its hash is in the table.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the user is not in use.
    pub async fn make_link(&self, user: UserId, token: &str, until: Time) -> Result<(), Error> {
        let item = Item::from([("expires_at".to_owned(), number(until.seconds()))]);
        let link = Write::create(&self.table, &keys::link(user, token), item);
        let message = "The user is not in use, or its status shuts it out; change that first.";
        let let_in = self.let_in(user).on_condition_failed(Error::conflict("", "not_active", message));
        self.table.transact(vec![link, let_in]).await
    }

    /// Uses a link up, and makes a one-time secret of the user's in its place: 1 transaction, which of all that come with
    /// the same link one alone gets through.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where the link was never there, is used or over, or the user is not in use.
    pub async fn redeem_link(&self, user: UserId, token: &str, (secret, until): (&str, Time)) -> Result<(), Error> {
        // TTL erases late: what is over is refused here.
        let good = Item::from([(":now".to_owned(), number(Time::now().seconds()))]);
        let used = Write::delete(&self.table, &keys::link(user, token), "expires_at > :now", good);
        let writes = vec![
            used.on_condition_failed(Error::Unauthenticated),
            self.let_in(user).on_condition_failed(Error::Unauthenticated),
            self.one_time_made(user, secret, until),
        ];
        self.table.transact(writes).await
    }

    /// Demands that a user is in use, and has no status that shuts it out.
    fn let_in(&self, user: UserId) -> Write {
        let values =
            Item::from([(":active".to_owned(), string("ACTIVE")), (":no".to_owned(), AttributeValue::Bool(false))]);
        let condition = "#status = :active AND (attribute_not_exists(excluded) OR excluded = :no)";
        Write::check(&self.table, &keys::user(user), condition, values)
    }
}
