//! The bus: Amazon EventBridge, where a deployment names one.

use std::fmt;
use std::sync::Arc;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use domain::{Error, Event};

/// Where all events of all segments go.
#[derive(Clone)]
pub enum Bus {
    /// Nowhere.
    None,
    /// To EventBridge: source `muster`, the type as detail type, the `CloudEvents` event as detail.
    EventBridge {
        /// The client.
        client: Client,
        /// The bus.
        name: String,
    },
    /// To whoever looks, on a machine that has no EventBridge.
    Shown(Arc<dyn Fn(&Event) + Send + Sync>),
}

impl fmt::Debug for Bus {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => out.write_str("None"),
            Self::EventBridge { name, .. } => write!(out, "EventBridge({name})"),
            Self::Shown(_) => out.write_str("Shown"),
        }
    }
}

impl Bus {
    /// Puts an event on the bus.
    pub(crate) async fn put(&self, event: &Event) -> Result<(), Error> {
        let (client, name) = match self {
            Self::None => return Ok(()),
            Self::Shown(show) => {
                show(event);
                return Ok(());
            }
            Self::EventBridge { client, name } => (client, name),
        };
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(name)
            .source("muster")
            .detail_type(event.kind.to_string())
            .detail(event.cloud_event().to_string())
            .time(DateTime::from_millis(event.created_at.millis()))
            .build();
        let put = client.put_events().entries(entry).send().await;
        let put = put.map_err(|failure| Error::Unavailable(Box::new(failure.into_service_error())))?;
        match put.entries().iter().find_map(|entry| entry.error_code()) {
            None => Ok(()),
            Some(code) => Err(Error::Unavailable(format!("EventBridge refused an event: {code}").into())),
        }
    }
}
