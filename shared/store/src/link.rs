//! Magic links: what lets a user in once, within a day, whoever has it.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{AuditEntry, Error, Time, UserId};

use crate::Store;
use crate::keys;
use crate::table::{Item, Write, number, string};

impl Store {
    /// Makes a link good until `until`, for a user who is in use: 1 transaction. Only its hash is in the table.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the user is not in use.
    pub async fn make_link(&self, user: UserId, token: &str, until: Time, audit: &AuditEntry) -> Result<(), Error> {
        let item = Item::from([
            ("user_id".to_owned(), string(user)),
            ("expires_at".to_owned(), number(until.seconds())),
            ("created_by".to_owned(), string(format!("{}:{}", audit.actor_type.as_str(), audit.actor))),
        ]);
        let link = Write::create(&self.table, &keys::link(token), item);
        let message = "The user is not in use, or its status shuts it out; change that first.";
        let let_in = self.let_in(user).on_condition_failed(Error::conflict("", "not_active", message));
        let mut writes = vec![link, let_in];
        writes.extend(self.audit_writes([audit])?);
        self.table.transact(writes).await
    }

    /// Uses a link up, and makes a one-time secret of the user's in its place: 1 transaction, which of all that come with
    /// the same link one alone gets through.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where the link was never there, is used or over, or the user is not in use.
    pub async fn redeem_link(
        &self,
        user: UserId,
        token: &str,
        (secret, until): (&str, Time),
        audit: &AuditEntry,
    ) -> Result<(), Error> {
        // TTL erases late: what is over is refused here.
        let good = Item::from([(":user".to_owned(), string(user)), (":now".to_owned(), number(Time::now().seconds()))]);
        let used = Write::delete(&self.table, &keys::link(token), "user_id = :user AND expires_at > :now", good);
        let mut writes = vec![
            used.on_condition_failed(Error::Unauthenticated),
            self.let_in(user).on_condition_failed(Error::Unauthenticated),
            self.one_time_made(user, secret, until),
        ];
        writes.extend(self.audit_writes([audit])?);
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
