//! Sends events: to EventBridge, and to the webhooks of their segments.
//!
//! The table's stream calls it with what was written, in the order in which each item was, until it says that it is done;
//! so an event is sent at least once, and twice where a crash comes between the sending and its note. What a webhook does
//! not take is noted as a delivery that is to be tried again, and does not hold up what comes after it; a schedule calls
//! for those that are due.

use domain::event::EventType;
use domain::{Error, Event, Time};
use edge::Keyring;
use serde_json::{Value, json};
use store::Store;

mod bus;
mod deliver;
mod due;
mod send;

pub use bus::Bus;
pub use send::Sender;

/// Where events go.
#[derive(Debug, Clone)]
pub struct Events {
    store: Store,
    bus: Bus,
    sender: Sender,
    /// The deployment's secrets, which have sealed those of webhooks.
    keyring: Keyring,
    failing: deliver::Failing,
}

impl Events {
    /// Sends the events of `store`.
    #[must_use]
    pub fn new(store: Store, bus: Bus, sender: Sender) -> Self {
        Self { keyring: Keyring::new(store.clone()), store, bus, sender, failing: deliver::Failing::default() }
    }

    /// Does what it was called for: records of the stream, or the command to rotate the deployment's secret, or else what is
    /// due, until `end`. Answers which records are to come again, or which version of the secret seals now.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where what is due cannot be read.
    pub async fn handle(&self, call: Value, end: Time) -> Result<Value, Error> {
        if call.get("command").is_some_and(|command| command == "rotate_secret") {
            let version = self.keyring.rotate().await?;
            tracing::info!(version, "rotated the deployment's secret");
            return Ok(json!({ "version": version }));
        }
        match call.get("Records").and_then(Value::as_array) {
            Some(records) => Ok(self.stream(records).await),
            None => self.due(end).await.map(|()| Value::Null),
        }
    }

    /// Sends the events of a stretch of the stream. From the first that fails on all come again.
    async fn stream(&self, records: &[Value]) -> Value {
        let number = |place: usize| records.get(place).and_then(|record| record.pointer("/dynamodb/SequenceNumber"));
        match self.send(records).await {
            Ok(()) => json!({ "batchItemFailures": [] }),
            Err((place, error)) => {
                let number = number(place);
                tracing::error!(cause = ?error, ?number, "an event could not be sent; it comes again");
                json!({ "batchItemFailures": [{ "itemIdentifier": number }] })
            }
        }
    }

    /// Sends the events that records tell of, to the bus in their order and then to webhooks: the place of the first record
    /// that fails.
    async fn send(&self, records: &[Value]) -> Result<(), (usize, Error)> {
        let (mut events, mut places, mut outcome) = (Vec::new(), Vec::new(), Ok(()));
        for (place, record) in records.iter().enumerate() {
            let event = match told(record) {
                Ok(None) => continue,
                // First, so that a bus that is out of order does not make webhooks get it again and again.
                Ok(Some(event)) => self.bus.put(&event).await.map(|()| event),
                Err(error) => Err(error),
            };
            match event {
                Ok(event) => {
                    events.push(event);
                    places.push(place);
                }
                Err(error) => {
                    outcome = Err((place, error));
                    break;
                }
            }
        }
        let delivered = self.deliver(&events).await;
        delivered.map_err(|(nth, error)| (places.get(nth).copied().unwrap_or_default(), error)).and(outcome)
    }
}

/// The event that a record of the stream tells, if it tells of one.
fn told(record: &Value) -> Result<Option<Event>, Error> {
    let Some(image) = record.pointer("/dynamodb/NewImage") else { return Ok(None) };
    let kind = image.pointer("/type/S").and_then(Value::as_str);
    let is_new = record.get("eventName").is_some_and(|name| name == "INSERT");
    if !is_new || !kind.is_some_and(|kind| kind.starts_with(EventType::PREFIX)) {
        return Ok(None);
    }
    let item: serde_dynamo::Item = serde_json::from_value(image.clone()).map_err(Error::internal)?;
    serde_dynamo::from_item(item).map(Some).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_tells_of_no_event_is_passed_by_and_one_that_is_broken_is_told() {
        let record = |name: &str, kind: &str| json!({ "eventName": name, "dynamodb": { "NewImage": { "type": { "S": kind }, "PK": { "S": "a" } } } });
        assert!(matches!(told(&record("MODIFY", "muster.user.created")), Ok(None)));
        assert!(matches!(told(&record("INSERT", "string")), Ok(None)));
        assert!(matches!(told(&json!({ "eventName": "REMOVE", "dynamodb": {} })), Ok(None)));
        assert!(told(&record("INSERT", "muster.user.created")).is_err());
    }
}
