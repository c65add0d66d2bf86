//! Recovery codes: what sets a new password in place of a forgotten one. Wrong codes leave them good, and so does a newer
//! one: somebody else who asks for codes or guesses them takes none away.

use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use domain::{Email, Error, Time, UserId};
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::keys;
use crate::table::{from_item, held, keyed, number, to_item, unavailable};
use crate::user::UserRecord;

/// What is kept of a code, which is in the key, hashed.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// The hash of the address that it was sent to: with another e-mail of the user's it opens nothing.
    email: String,
    /// When it was made, in seconds since 1970: a password that was set later ends it.
    created_at: i64,
    expires_at: i64,
}

impl Store {
    /// Keeps a code that is sent to a user's e-mail, good until `until`: 1 `PutItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn keep_recovery_code(&self, user: UserId, email: &Email, code: &str, until: Time) -> Result<(), Error> {
        let (email, created_at) = (keys::hash(&email.canonical()), Time::now().seconds());
        let kept = to_item(&Kept { email, created_at, expires_at: until.seconds() })?;
        let put = self.table.client.put_item().table_name(&*self.table.name);
        let put = put.set_item(Some(keyed(&keys::recovery_code(user, code), kept)));
        put.return_consumed_capacity(ReturnConsumedCapacity::Total).send().await.map(drop).map_err(unavailable)
    }

    /// Whether a code that was sent to this e-mail is still good: 1 `GetItem`, for nobody as for a user.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn has_recovery_code(
        &self,
        record: Option<&UserRecord>,
        email: &Email,
        code: &str,
    ) -> Result<bool, Error> {
        let user = record.map_or_else(UserId::fresh, |record| record.user.id);
        let kept = self.table.get(&keys::recovery_code(user, code)).await?.map(from_item::<Kept>).transpose()?;
        let (Some(kept), Some(record)) = (kept, record) else { return Ok(false) };
        let newer = record.sessions.ended.is_none_or(|ended| kept.created_at >= ended);
        // TTL erases late: what is over is refused here.
        Ok(newer && kept.email == keys::hash(&email.canonical()) && kept.expires_at > Time::now().seconds())
    }

    /// Uses a code up: whether it was still there. 1 `DeleteItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn take_recovery_code(&self, user: UserId, code: &str) -> Result<bool, Error> {
        let sent = self
            .table
            .client
            .delete_item()
            .table_name(&*self.table.name)
            .set_key(Some(keys::recovery_code(user, code).attributes()))
            .condition_expression("expires_at > :now")
            .expression_attribute_values(":now", number(Time::now().seconds()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send();
        held(sent.await)
    }
}
