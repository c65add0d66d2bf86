//! The `imports` function in Lambda.

use edge::{Settings, Start};
use files::Files;
use imports::{Machine, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), edge::RunError> {
    edge::run(&[], |Start { clients, app, .. }| {
        let files = Files::new(aws_sdk_s3::Client::new(&clients.config), Settings::bucket_from_env()?);
        let client = aws_sdk_sfn::Client::new(&clients.config);
        let machine = Machine::StepFunctions { client, arn: Settings::state_machine_from_env()? };
        Ok(imports::router().with_state(State { app: app.clone(), files, machine }))
    })
    .await
}
