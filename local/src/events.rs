//! What the table's stream and a schedule call: the `events` function.

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::Time;
use dynoxide::Database;
use events::Events;
use serde_json::{Value, json};

/// So often a stretch of the stream is sent again that fails, before it is passed by.
const TRIES: u32 = 5;

/// The stream of a table.
pub(crate) struct Stream {
    pub(crate) database: Database,
    pub(crate) table: String,
    /// Where it is kept how far it was read: what comes after that is read again by whoever starts next.
    pub(crate) reached: Option<PathBuf>,
}

/// A stretch of a stream, and the place after it.
type Stretch = (Vec<Value>, Option<String>);

impl Stream {
    /// Calls the function with each stretch of the stream, in order.
    pub(crate) async fn follow(self, events: Events, every: Duration) {
        let mut at = self.reached.as_deref().and_then(|file| std::fs::read_to_string(file).ok());
        loop {
            tokio::time::sleep(every).await;
            let (records, next) = match self.read(at.clone()).await {
                Ok(stretch) => stretch,
                Err(error) => {
                    tracing::warn!(cause = %error, "the table's stream could not be read; tried again");
                    // A place that is not there any more, as after the data was taken away.
                    at = None;
                    continue;
                }
            };
            if next.is_none() || (records.is_empty() && at == next) {
                continue;
            }
            send(&events, records).await;
            if let (Some(file), Some(place)) = (&self.reached, &next) {
                keep(file, place);
            }
            at = next;
        }
    }

    async fn read(&self, at: Option<String>) -> Result<Stretch, String> {
        let (database, table) = (self.database.clone(), self.table.clone());
        let read = tokio::task::spawn_blocking(move || stretch(&database, &table, at));
        read.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }
}

/// Whatever the emulator says.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn stretch(database: &Database, table: &str, at: Option<String>) -> Result<Stretch, Failure> {
    let at = match at {
        Some(at) => at,
        None => beginning(database, table)?,
    };
    let read = database.get_records(serde_json::from_value(json!({ "ShardIterator": at, "Limit": 100 }))?)?;
    let mut read = serde_json::to_value(read)?;
    let records = read.get_mut("Records").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
    Ok((records, read.get("NextShardIterator").and_then(Value::as_str).map(str::to_owned)))
}

/// The place before all that the stream has.
fn beginning(database: &Database, table: &str) -> Result<String, Failure> {
    let streams = database.list_streams(serde_json::from_value(json!({ "TableName": table }))?)?;
    let stream = at(&serde_json::to_value(streams)?, "/Streams/0/StreamArn")?;
    let described = database.describe_stream(serde_json::from_value(json!({ "StreamArn": stream }))?)?;
    let shard = at(&serde_json::to_value(described)?, "/StreamDescription/Shards/0/ShardId")?;
    let asked = json!({ "StreamArn": stream, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON" });
    let iterator = serde_json::to_value(database.get_shard_iterator(serde_json::from_value(asked)?)?)?;
    at(&iterator, "/ShardIterator")
}

/// A text of what the emulator answers.
fn at(answer: &Value, place: &str) -> Result<String, Failure> {
    let text = answer.pointer(place).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| format!("the emulator answers no {place}").into())
}

/// Calls the function with records, as often as it takes.
async fn send(events: &Events, mut records: Vec<Value>) {
    let mut tries = 0;
    while !records.is_empty() {
        let answer = events.handle(json!({ "Records": records }), Time::now()).await.unwrap_or_default();
        let Some(failed) = answer.pointer("/batchItemFailures/0/itemIdentifier") else { return };
        let is_failed = |record: &Value| record.pointer("/dynamodb/SequenceNumber") == Some(failed);
        let Some(first) = records.iter().position(is_failed) else { return };
        records.drain(..first);
        tries = if first > 0 { 1 } else { tries + 1 };
        if tries >= TRIES {
            tracing::error!("an event could not be sent, and is passed by");
            records.remove(0);
            tries = 0;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Keeps how far the stream was read. Where that fails, some events are sent once more, as they may be anyway.
fn keep(file: &Path, place: &str) {
    let new = file.with_extension("new");
    if let Err(error) = std::fs::write(&new, place).and_then(|()| std::fs::rename(&new, file)) {
        tracing::warn!(%error, "how far the stream was read could not be kept");
    }
}

/// The schedule that calls the function for what is due.
pub async fn deliver(events: Events, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    loop {
        ticks.tick().await;
        if let Err(error) = events.handle(Value::Null, Time::now().plus(Duration::from_secs(40))).await {
            tracing::warn!(cause = ?error, "what is due could not be sent; tried again");
        }
    }
}
