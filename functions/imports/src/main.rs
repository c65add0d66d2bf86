//! The `imports` function in Lambda.

use edge::{App, Clients, Settings};
use files::Files;
use imports::{Machine, State};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    edge::init_logs();
    let (settings, clients) = (Settings::from_env()?, Clients::from_env());
    let app = App::new(&settings, &clients);
    let files = Files::new(aws_sdk_s3::Client::new(&clients.config), Settings::bucket_from_env()?);
    let client = aws_sdk_sfn::Client::new(&clients.config);
    let machine = Machine::StepFunctions { client, arn: Settings::state_machine_from_env()? };
    app.warm().await;
    let router = imports::router().with_state(State { app: app.clone(), files, machine });
    edge::serve(edge::wrap(router, &app, &[])).await
}
