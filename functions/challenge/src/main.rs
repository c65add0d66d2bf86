//! The `challenge` function in Lambda: Cognito's define, create and verify triggers.

use edge::{App, Clients, Settings};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::init_logs();
    let table = Settings::table_from_env()?;
    let store = App::store_of(&table, &Clients::from_env());
    let answer = |event: LambdaEvent<Value>| async {
        Ok::<_, Error>(challenge::answer(&store, &edge::random_code, event.payload).await?)
    };
    lambda_runtime::run(service_fn(answer)).await
}
