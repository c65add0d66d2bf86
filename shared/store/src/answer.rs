//! What was answered to an `Idempotency-Key`, kept for a day, sealed by whoever asks: the table holds no body.

use std::time::Duration;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};
use domain::{Error, Time};
use uuid::Uuid;

use crate::Store;
use crate::keys;
use crate::table::{Item, from_item, keyed, number, string, unavailable};

/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a request may run before whoever ran it must be dead: beyond each function's timeout.
const RUNNING: Duration = Duration::from_secs(15);

/// What is there for an `Idempotency-Key`.
#[derive(Debug)]
pub enum Begun {
    /// This request is the one to run.
    Fresh(Try),
    /// The same request is still running elsewhere.
    Running,
    /// The key was used for another body.
    Mismatch,
    /// It has been answered.
    Answered(Answered),
}

/// One try of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Try {
    /// Makes the ids of what the request creates, the same for each try.
    pub seed: Uuid,
    /// Whether an earlier try has ended without an answer that is kept. It may have done all of its work.
    pub is_repeated: bool,
}

/// An answer, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered(pub Vec<u8>);

impl Store {
    /// Begins the request `name` (caller, route and key) whose body has this fingerprint: 1 `PutItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn begin_answer(&self, name: &str, fingerprint: &str) -> Result<Begun, Error> {
        let now = Time::now();
        let fresh = domain::id::fresh();
        let begun = self.put_running(name, fingerprint, fresh, now, "attribute_not_exists(PK) OR expires_at <= :now");
        let Some(found) = begun.await? else {
            return Ok(Begun::Fresh(Try { seed: fresh, is_repeated: false }));
        };
        if found.fingerprint != fingerprint {
            return Ok(Begun::Mismatch);
        }
        // The SDK repeats a put whose answer was lost: the item may be this very request's own.
        if found.seed == fresh {
            return Ok(Begun::Fresh(Try { seed: fresh, is_repeated: false }));
        }
        if let Some(sealed) = found.answer {
            return Ok(Begun::Answered(Answered(sealed.0)));
        }
        if found.running_until > now.millis() {
            return Ok(Begun::Running);
        }
        // Whoever ran it is dead. The same seed, so that what it had created is found and not made twice.
        let condition = "attribute_not_exists(answer) AND running_until <= :now_ms";
        let taken = self.put_running(name, fingerprint, found.seed, now, condition).await?;
        Ok(match taken {
            None => Begun::Fresh(Try { seed: found.seed, is_repeated: true }),
            Some(_) => Begun::Running,
        })
    }

    /// Keeps the answer: 1 `PutItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn keep_answer(&self, name: &str, fingerprint: &str, seed: Uuid, sealed: Answered) -> Result<(), Error> {
        let mut item = running(fingerprint, seed, Time::now());
        item.insert("answer".to_owned(), AttributeValue::B(Blob::new(sealed.0)));
        self.put_answer(name, item).await
    }

    async fn put_answer(&self, name: &str, item: Item) -> Result<(), Error> {
        let sent = self
            .table
            .client
            .put_item()
            .table_name(&*self.table.name)
            .set_item(Some(keyed(&keys::answer(name), item)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send();
        sent.await.map(drop).map_err(unavailable)
    }

    /// Lets a request that did not complete be tried again at once, with the same seed: the next try finds what this one
    /// created, and creates nothing twice.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn release_answer(&self, name: &str, fingerprint: &str, seed: Uuid) -> Result<(), Error> {
        let mut item = running(fingerprint, seed, Time::now());
        item.insert("running_until".to_owned(), number(0));
        self.put_answer(name, item).await
    }

    /// Forgets a request that was refused for a reason that passes, and of which no try has created anything.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn forget_answer(&self, name: &str) -> Result<(), Error> {
        let sent = self
            .table
            .client
            .delete_item()
            .table_name(&*self.table.name)
            .set_key(Some(keys::answer(name).attributes()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send();
        sent.await.map(drop).map_err(unavailable)
    }

    /// Puts the item of a running request, or answers the one that is in its way.
    async fn put_running(
        &self,
        name: &str,
        fingerprint: &str,
        seed: Uuid,
        now: Time,
        condition: &str,
    ) -> Result<Option<Kept>, Error> {
        let mut request = self
            .table
            .client
            .put_item()
            .table_name(&*self.table.name)
            .set_item(Some(keyed(&keys::answer(name), running(fingerprint, seed, now))))
            .condition_expression(condition)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        request = if condition.contains(":now_ms") {
            request.expression_attribute_values(":now_ms", number(now.millis()))
        } else {
            request.expression_attribute_values(":now", number(now.seconds()))
        };
        match request.send().await {
            Ok(_) => Ok(None),
            Err(failure) => match failure.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(found)) => found
                    .item()
                    .cloned()
                    .map(from_item)
                    .transpose()?
                    .map(Some)
                    .ok_or_else(|| Error::Unavailable("a kept answer went while it was looked at".into())),
                Some(_) | None => Err(unavailable(failure)),
            },
        }
    }
}

/// The item as it is read back.
#[derive(Debug, serde::Deserialize)]
struct Kept {
    fingerprint: String,
    seed: Uuid,
    running_until: i64,
    answer: Option<Sealed>,
}

/// Bytes of a DynamoDB binary.
#[derive(Debug)]
struct Sealed(Vec<u8>);

impl<'de> serde::Deserialize<'de> for Sealed {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl serde::de::Visitor<'_> for Bytes {
            type Value = Sealed;

            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Sealed, E> {
                Ok(Sealed(bytes.to_vec()))
            }

            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Sealed, E> {
                Ok(Sealed(bytes))
            }
        }
        deserializer.deserialize_byte_buf(Bytes)
    }
}

fn running(fingerprint: &str, seed: Uuid, now: Time) -> Item {
    Item::from([
        ("fingerprint".to_owned(), string(fingerprint)),
        ("seed".to_owned(), string(seed.as_hyphenated())),
        ("running_until".to_owned(), number(now.plus(RUNNING).millis())),
        ("expires_at".to_owned(), number(now.plus(KEPT).seconds())),
    ])
}
