//! Rate limits: how many requests a subject has been lent in a window, and how many tries at an account have failed.

use aws_sdk_dynamodb::types::{ReturnConsumedCapacity, ReturnValue};
use domain::{Error, Time};

use crate::Store;
use crate::keys;
use crate::table::{Changes, is_condition_failed, number, unavailable};

/// How many tries at an account have failed in a window.
#[derive(Debug, Clone, Copy, Default)]
pub struct FailedTries {
    /// All of them.
    pub of_account: u64,
    /// Those of one source.
    pub of_source: u64,
}

impl Store {
    /// How many tries have failed at what `subject` names: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn failed_tries(&self, subject: &str, window: u64, source: &str) -> Result<FailedTries, Error> {
        let item = self.table.get(&keys::limit(subject, window)).await?.unwrap_or_default();
        let count = |name: &str| item.get(name)?.as_n().ok()?.parse().ok();
        Ok(FailedTries {
            of_account: count(FAILURES).unwrap_or_default(),
            of_source: count(&source_attribute(source)).unwrap_or_default(),
        })
    }

    /// Counts a failed try to what `subject` names and to `source`: 1 `UpdateItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn record_failed_try(
        &self,
        subject: &str,
        window: u64,
        source: &str,
        expires_at: Time,
    ) -> Result<(), Error> {
        let changes = Changes::default()
            .add(FAILURES, 1)
            .add(&source_attribute(source), 1)
            .set("expires_at", number(expires_at.seconds()));
        self.table.update(&keys::limit(subject, window), "attribute_not_exists(lent)", changes).await.map(drop)
    }

    /// Lends `batch` requests of a window's `limit` to this process: how many are lent in all, or `None` where so
    /// many are not left. 1 `UpdateItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn lease(
        &self,
        subject: &str,
        window: u64,
        (batch, limit): (u64, u64),
        expires_at: Time,
    ) -> Result<Option<u64>, Error> {
        let sent = self
            .table
            .client
            .update_item()
            .table_name(&*self.table.name)
            .set_key(Some(keys::limit(subject, window).attributes()))
            .update_expression("ADD lent :batch SET expires_at = :expires_at")
            .condition_expression("attribute_not_exists(lent) OR lent <= :most")
            .expression_attribute_values(":batch", number(batch))
            .expression_attribute_values(":most", number(limit.saturating_sub(batch)))
            .expression_attribute_values(":expires_at", number(expires_at.seconds()))
            .return_values(ReturnValue::UpdatedNew)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send();
        match sent.await {
            Ok(done) => {
                let lent = done.attributes().and_then(|new| new.get("lent")?.as_n().ok()?.parse().ok());
                Ok(Some(lent.unwrap_or(batch)))
            }
            Err(failure) if is_condition_failed(&failure) => Ok(None),
            Err(failure) => Err(unavailable(failure)),
        }
    }
}

/// The attribute that counts all failed tries of a window.
const FAILURES: &str = "failures";

/// The attribute that counts a source's failed tries; an address is personal data, and stands there hashed.
fn source_attribute(source: &str) -> String {
    format!("by_{}", keys::hash(source))
}
