//! Magic links: what lets a user in once, within a day, whoever has it. The table has a hash of user and token alone, so that
//! nothing of a user who is purged is left in it.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{AuditEntry, Error, Time, UserId};
use serde::Deserialize;

use crate::keys;
use crate::table::{Item, Write, from_item, number, string};
use crate::{Store, UserRecord};

/// What is kept of a link.
#[derive(Debug, Deserialize)]
struct Link {
    created_at: Option<Time>,
    expires_at: i64,
}

impl Store {
    /// Makes a link good until `until`, for a user who is in use: 1 transaction. Only its hash is in the table.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the user is not in use.
    pub async fn make_link(&self, user: UserId, token: &str, until: Time, audit: &AuditEntry) -> Result<(), Error> {
        let item = Item::from([
            ("created_at".to_owned(), string(Time::now())),
            ("expires_at".to_owned(), number(until.seconds())),
            ("created_by".to_owned(), string(format!("{}:{}", audit.actor_type.as_str(), audit.actor))),
        ]);
        let link = Write::create(&self.table, &keys::link(user, token), item);
        let message = "The user is not in use, its status shuts it out, or its validity has ended; change that first.";
        let let_in = self.let_in(user).on_condition_failed(Error::conflict("", "not_active", message));
        let mut writes = vec![link, let_in];
        writes.extend(self.audit_writes([audit])?);
        self.table.transact(writes).await
    }

    /// Uses a link of the user of `record` up, and makes a one-time secret of the user's in its place: 1 transaction, which
    /// of all that come with the same link one alone gets through.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where the link was never there, is used, over, or older than what ends links, or the user
    /// is not in use.
    pub async fn redeem_link(
        &self,
        record: &UserRecord,
        token: &str,
        (secret, until): (&str, Time),
        audit: &AuditEntry,
    ) -> Result<(), Error> {
        let user = record.user.id;
        // TTL erases late: what is over is refused here.
        let mut condition = "expires_at > :now".to_owned();
        let mut good = Item::from([(":now".to_owned(), number(Time::now().seconds()))]);
        if let Some(ended) = record.credentials.links_from {
            condition.push_str(" AND created_at > :ended");
            good.insert(":ended".to_owned(), string(ended));
        }
        let used = Write::delete(&self.table, &keys::link(user, token), &condition, good);
        let mut writes = vec![
            used.on_condition_failed(Error::Unauthenticated),
            self.let_in_with_links(record).on_condition_failed(Error::Unauthenticated),
            self.one_time_made(user, secret, until),
        ];
        writes.extend(self.audit_writes([audit])?);
        self.table.transact(writes).await
    }

    /// Returns whether a link of the user of `record` would be redeemed, but for what its user may not: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn is_link_good(&self, record: &UserRecord, token: &str) -> Result<bool, Error> {
        let link = self.table.get(&keys::link(record.user.id, token)).await?.map(from_item::<Link>).transpose()?;
        let is_new = |link: &Link| match (link.created_at, record.credentials.links_from) {
            (_, None) => true,
            (created, Some(ended)) => created.is_some_and(|created| created > ended),
        };
        Ok(link.is_some_and(|link| link.expires_at > Time::now().seconds() && is_new(&link)))
    }

    /// Demands the same as [`Store::let_in`], and that nothing has ended links since `record` was read.
    fn let_in_with_links(&self, record: &UserRecord) -> Write {
        let (mut condition, mut values) = let_in();
        condition.push_str(match record.credentials.links_from {
            Some(_) => " AND links_from = :ended",
            None => " AND attribute_not_exists(links_from)",
        });
        values.extend(record.credentials.links_from.map(|ended| (":ended".to_owned(), string(ended))));
        Write::check(&self.table, &keys::user(record.user.id), &condition, values)
    }

    /// Demands that a user is in use, and has no status that shuts it out.
    fn let_in(&self, user: UserId) -> Write {
        let (condition, values) = let_in();
        Write::check(&self.table, &keys::user(user), &condition, values)
    }
}

/// The condition that a user is in use, and has no status that shuts it out.
fn let_in() -> (String, Item) {
    let values = Item::from([
        (":active".to_owned(), string("ACTIVE")),
        (":no".to_owned(), AttributeValue::Bool(false)),
        (":present".to_owned(), string(Time::now())),
    ]);
    let condition = "#status = :active AND (attribute_not_exists(excluded) OR excluded = :no) \
        AND (attribute_not_exists(valid_until) OR valid_until > :present)";
    (condition.to_owned(), values)
}
