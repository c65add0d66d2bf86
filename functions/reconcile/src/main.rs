//! The `reconcile` function in Lambda, started by a schedule.

use std::time::Duration;

use aws_sdk_cognitoidentityprovider::Client;
use domain::Time;
use edge::{App, Clients, Settings};
use files::Files;
use identity::Identity;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

/// How long jobs may take in one run: a minute less than the function.
const BUDGET: Duration = Duration::from_secs(4 * 60);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::init_logs();
    let (settings, clients) = (Settings::from_env()?, Clients::from_env());
    let files = Files::new(aws_sdk_s3::Client::new(&clients.config), Settings::bucket_from_env()?);
    let store = App::store_of(&settings.table, &clients);
    let identity = Identity::new(Client::new(&clients.config), &settings.pool);
    let system = (&store, &identity, &files);
    let run = async |event: LambdaEvent<Value>| {
        let handling = reconcile::handle(system, &event.payload, Time::now().plus(BUDGET));
        // Boxed, since the compiler gives up on a future of this depth.
        Ok::<_, Error>(Box::pin(handling).await?)
    };
    lambda_runtime::run(service_fn(run)).await
}
