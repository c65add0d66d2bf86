//! The `transfers` function in Lambda, called by the state machine step by step.

use std::time::Duration;

use aws_sdk_s3::Client;
use domain::Time;
use edge::{App, Clients, Settings};
use files::Files;
use imports::Machine;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use transfers::{Step, Transfers};

/// How long a step may go on beginning something new: some minutes less than the function.
const BUDGET: Duration = Duration::from_secs(10 * 60);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::init_logs();
    let (table, clients) = (Settings::table_from_env()?, Clients::from_env());
    let files = Files::new(Client::new(&clients.file_config()), Settings::bucket_from_env()?);
    let retention = Settings::export_retention_from_env()?;
    let transfers = Transfers { store: App::store_of(&table, &clients), files, retention };
    let client = aws_sdk_sfn::Client::new(&clients.config);
    let machine = Machine::StepFunctions { client, arn: Settings::state_machine_from_env()? };
    let handle = |event: LambdaEvent<Step>| async {
        if matches!(event.payload, Step::Look) {
            start(&transfers, &machine).await?;
        }
        Ok::<_, Error>(transfers.step(event.payload, Time::now().plus(BUDGET)).await?)
    };
    lambda_runtime::run(service_fn(handle)).await
}

/// Starts what was left before it could be started. What runs already, or has run, is not started again.
async fn start(transfers: &Transfers, machine: &Machine) -> Result<(), domain::Error> {
    for (kind, segment, id) in transfers.left().await? {
        machine.start(kind, segment, id).await?;
        tracing::info!(kind, %id, "started what had been cut off");
    }
    Ok(())
}
