//! The `reconcile` function in Lambda, started by a schedule.

use aws_sdk_cognitoidentityprovider::Client;
use edge::{App, Clients, Settings};
use identity::Identity;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::init_logs();
    let (settings, clients) = (Settings::from_env()?, Clients::from_env());
    let store = App::store_of(&settings.table, &clients);
    let identity = Identity::new(Client::new(&clients.config), &settings.pool);
    let run = |_: LambdaEvent<Value>| async {
        reconcile::sweep(&store, &identity).await?;
        Ok::<_, Error>(())
    };
    lambda_runtime::run(service_fn(run)).await
}
