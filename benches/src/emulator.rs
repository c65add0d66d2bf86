//! A DynamoDB in memory, its table, and what its calls consume.

use crate::Failure;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue as Value;
use dynoxide::{AttributeValue, Database, ImportOptions};
use local::Meter;
use store::{Item, Store, Table};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// The table's name.
const TABLE: &str = "muster";

/// The emulator, which ends with this.
pub struct Emulator {
    /// What speaks to it.
    pub store: Store,
    /// What its calls consume.
    pub meter: Meter,
    database: Database,
    /// Without it the server stops, and lets go of the database.
    _running: oneshot::Sender<()>,
}

impl Emulator {
    /// Starts one with an empty table.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn start() -> Result<Self, Failure> {
        let database = Database::memory()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (running, stopped) = oneshot::channel();
        let stopped = async move { drop(stopped.await) };
        tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database.clone(), stopped));
        let meter = Meter::default();
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("local", "local-secret", None, None, "local"))
            .endpoint_url(url)
            .interceptor(meter.interceptor());
        let store = Store::new(Table::new(config, TABLE));
        store.ensure_table().await?;
        Ok(Self { store, meter, database, _running: running })
    }

    /// Puts many items past the protocol.
    ///
    /// # Errors
    /// Where an item is none of DynamoDB's.
    pub fn fill(&self, items: impl IntoIterator<Item = Item>) -> Result<(), Failure> {
        let plain = |item: Item| item.into_iter().map(|(name, value)| Ok((name, plain(value)?))).collect();
        let items = items.into_iter().map(plain).collect::<Result<_, Failure>>()?;
        self.database.import_items(TABLE, items, ImportOptions::default())?;
        Ok(())
    }
}

/// A value of the SDK's as the emulator has it.
fn plain(value: Value) -> Result<AttributeValue, Failure> {
    if let Value::S(text) = value {
        Ok(AttributeValue::S(text))
    } else if let Value::N(number) = value {
        Ok(AttributeValue::N(number))
    } else if let Value::Bool(on) = value {
        Ok(AttributeValue::BOOL(on))
    } else if let Value::Null(is) = value {
        Ok(AttributeValue::NULL(is))
    } else if let Value::L(values) = value {
        Ok(AttributeValue::L(values.into_iter().map(plain).collect::<Result<_, _>>()?))
    } else if let Value::M(entries) = value {
        let entries = entries.into_iter().map(|(name, value)| Ok((name, plain(value)?)));
        Ok(AttributeValue::M(entries.collect::<Result<_, Failure>>()?))
    } else {
        Err(format!("No row has {value:?}.").into())
    }
}
