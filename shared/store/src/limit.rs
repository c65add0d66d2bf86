//! Rate limits: how many requests a subject has been lent in a window.

use aws_sdk_dynamodb::types::{ReturnConsumedCapacity, ReturnValue};
use domain::{Error, Time};

use crate::Store;
use crate::keys;
use crate::table::{is_condition_failed, number, unavailable};

impl Store {
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
