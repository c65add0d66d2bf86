//! The `arrivals` function in Lambda, started by S3 when a file has arrived, and by `GuardDuty` when it was scanned.

use arrivals::Arrivals;
use aws_sdk_s3::Client;
use edge::{App, Clients, Settings};
use files::Files;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::init_logs();
    let (table, clients) = (Settings::table_from_env()?, Clients::from_env());
    let files = Files::new(Client::new(&clients.file_config()), Settings::bucket_from_env()?);
    let store = App::store_of(&table, &clients);
    let arrivals = Arrivals { store, files, scanned: Settings::malware_scan_from_env()? };
    let handle = |event: LambdaEvent<Value>| async { Ok::<_, Error>(arrivals.handle(event.payload).await?) };
    lambda_runtime::run(service_fn(handle)).await
}
