//! A DynamoDB for a test of this crate, and what its calls consume.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::FinalizerInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use dynoxide::{AttributeValue, Database, ImportOptions};

use crate::capacity::read_capacity;
use crate::keys::Key;
use crate::table::{Item, Table, keyed};

/// An emulator, its table, and a meter.
pub(crate) struct Emulator {
    pub(crate) table: Table,
    database: Database,
    meter: Meter,
}

impl Emulator {
    pub(crate) async fn start() -> Self {
        let database = Database::memory().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let served = database.clone();
        tokio::spawn(async move {
            drop(dynoxide::server::serve_with_shutdown(listener, served, std::future::pending()).await);
        });
        let meter = Meter::default();
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("local", "local-secret", None, None, "local"))
            .endpoint_url(url)
            .interceptor(meter.clone());
        let table = Table::new(config, "muster");
        crate::schema::ensure(&table).await.unwrap();
        Self { table, database, meter }
    }

    /// Read units since the last time.
    pub(crate) fn units(&self) -> f64 {
        std::mem::take(&mut *self.meter.0.lock().unwrap())
    }

    /// Puts many items past the protocol.
    pub(crate) fn fill(&self, items: impl Iterator<Item = (Key, Item)>) {
        let items =
            items.map(|(key, item)| keyed(&key, item).into_iter().map(|(name, value)| (name, plain(value))).collect());
        self.database.import_items("muster", items.collect(), ImportOptions::default()).unwrap();
    }
}

fn plain(value: aws_sdk_dynamodb::types::AttributeValue) -> AttributeValue {
    use aws_sdk_dynamodb::types::AttributeValue as Theirs;
    if let Theirs::S(text) = value {
        AttributeValue::S(text)
    } else if let Theirs::N(number) = value {
        AttributeValue::N(number)
    } else if let Theirs::Bool(on) = value {
        AttributeValue::BOOL(on)
    } else if let Theirs::Null(is) = value {
        AttributeValue::NULL(is)
    } else if let Theirs::M(entries) = value {
        AttributeValue::M(entries.into_iter().map(|(name, value)| (name, plain(value))).collect())
    } else if let Theirs::L(list) = value {
        AttributeValue::L(list.into_iter().map(plain).collect())
    } else {
        panic!("no test has {value:?}")
    }
}

/// Adds up what is read.
#[derive(Debug, Clone, Default)]
struct Meter(Arc<Mutex<f64>>);

#[dyn_dispatch_hint]
impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Ok(output)) = context.output_or_error() else { return Ok(()) };
        *self.0.lock().unwrap() += read_capacity(output).map_or(f64::NAN, |(_, capacity)| capacity.read_units);
        Ok(())
    }
}
