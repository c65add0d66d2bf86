//! Quotas of uploads: how many files and bytes a caller has begun today, and how many of them have not arrived.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};
use domain::{Actor, Error, Time, Upload};
use serde::Deserialize;

use crate::Store;
use crate::keys::{self, Key};
use crate::table::{Changes, from_item, number, unavailable};

/// How much a caller may upload.
#[derive(Debug, Clone, Copy)]
pub struct UploadQuota {
    /// Files a UTC day.
    pub files: u64,
    /// Bytes a UTC day.
    pub bytes: u64,
    /// Files begun within a quarter of an hour that have not arrived.
    pub pending: u64,
}

/// Seconds of a day, for which files and bytes are counted.
const DAY: i64 = 24 * 60 * 60;

/// Seconds that a file can be sent, for which pending files are counted.
const SLOT: i64 = 15 * 60;

/// The counts of a caller's day. What is pending is counted by slot, in attributes of their own.
#[derive(Debug, Default, Deserialize)]
struct Counts {
    #[serde(default)]
    files: u64,
    #[serde(default)]
    bytes: u64,
}

impl Store {
    /// Counts an upload that is about to begin, unless it exceeds the quota of who begins it: 1 `UpdateItem`.
    ///
    /// # Errors
    /// [`Error::RateLimited`] where it exceeds the quota; [`Error::Unavailable`].
    pub async fn count_upload(&self, upload: &Upload, by: Actor, quota: UploadQuota) -> Result<(), Error> {
        let (size, now) = (upload.fields.size.get().unsigned_abs(), upload.created_at.seconds());
        if size > quota.bytes {
            return Err(Error::RateLimited { retry_after: left(now, DAY) });
        }
        let most = |limit: u64, more: u64| number(limit.saturating_sub(more));
        let sent = self
            .table
            .client
            .update_item()
            .table_name(&*self.table.name)
            .set_key(Some(day(by, upload.created_at).attributes()))
            .update_expression("ADD #files :one, #bytes :size, #slot :one SET expires_at = :expires_at")
            .condition_expression(
                "(attribute_not_exists(#files) OR #files <= :files) AND (attribute_not_exists(#bytes) OR #bytes <= :bytes) \
                 AND (attribute_not_exists(#slot) OR #slot <= :pending)",
            )
            .expression_attribute_names("#files", "files")
            .expression_attribute_names("#bytes", "bytes")
            .expression_attribute_names("#slot", slot(upload.created_at))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":size", number(size))
            .expression_attribute_values(":files", most(quota.files, 1))
            .expression_attribute_values(":bytes", most(quota.bytes, size))
            .expression_attribute_values(":pending", most(quota.pending, 1))
            .expression_attribute_values(":expires_at", number(now + 2 * DAY))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send();
        let Err(failure) = sent.await else { return Ok(()) };
        let counted = match failure.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(found)) => found.item().cloned(),
            Some(_) | None => return Err(unavailable(failure)),
        };
        let counts: Counts = counted.map(from_item::<Counts>).transpose()?.unwrap_or_default();
        let is_day_over = counts.files >= quota.files || counts.bytes.saturating_add(size) > quota.bytes;
        Err(Error::RateLimited { retry_after: left(now, if is_day_over { DAY } else { SLOT }) })
    }

    /// Counts an upload as pending no more: 1 `UpdateItem`, if it was counted.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn count_arrival(&self, upload: &Upload) -> Result<(), Error> {
        let Some(by) = upload.begun_by else { return Ok(()) };
        let slot = slot(upload.created_at);
        let changes = Changes::default().add(&slot, -1).value(":none", number(0));
        // The counts of a day go by themselves; they must not come back.
        let key = day(by, upload.created_at);
        self.table.update(&key, &format!("{slot} > :none"), changes).await.map(drop)
    }
}

/// The seconds that are left of a window.
fn left(now: i64, window: i64) -> u64 {
    (window - now.rem_euclid(window)).unsigned_abs()
}

/// The counts of a caller's day.
fn day(by: Actor, at: Time) -> Key {
    let by = match by {
        Actor::User(user) => format!("user:{user}"),
        Actor::Key(key) => format!("key:{key}"),
        Actor::System | Actor::Anonymous => "nobody".to_owned(),
    };
    keys::limit(&format!("uploads|{by}"), u64::try_from(at.seconds() / DAY).unwrap_or_default())
}

/// The attribute that counts the files begun in a slot that have not arrived.
fn slot(at: Time) -> String {
    format!("pending_{}", at.seconds().rem_euclid(DAY) / SLOT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_quarters_of_an_hour() {
        let at = |seconds: i64| slot(Time::from_millis(seconds * 1000));
        assert_eq!(
            (at(0), at(899), at(900), at(DAY - 1), at(DAY)),
            (
                "pending_0".to_owned(),
                "pending_0".to_owned(),
                "pending_1".to_owned(),
                "pending_95".to_owned(),
                "pending_0".to_owned(),
            )
        );
    }
}
