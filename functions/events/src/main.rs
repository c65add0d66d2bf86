//! The `events` function in Lambda, called by the table's stream and by a schedule.

use std::time::Duration;

use domain::Time;
use edge::{App, Clients, Settings};
use events::{Bus, Events, Sender};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

/// Less than the function's timeout: what is under way then ends.
const AT_MOST: Duration = Duration::from_secs(40);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::init_logs();
    let clients = Clients::from_env();
    let store = App::store_of(&Settings::table_from_env()?, &clients);
    let bus = match Settings::event_bus_from_env() {
        Some(name) => Bus::EventBridge { client: aws_sdk_eventbridge::Client::new(&clients.config), name },
        None => Bus::None,
    };
    let events = Events::new(store, bus, Sender::to_the_internet());
    let run = |event: LambdaEvent<Value>| {
        let events = events.clone();
        async move { events.handle(event.payload, Time::now().plus(AT_MOST)).await.map_err(|error| error.to_string()) }
    };
    lambda_runtime::run(service_fn(run)).await
}
