//! The `webhooks` function in Lambda.

use webhooks::State;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), edge::RunError> {
    edge::run(&[], |start| Ok(webhooks::router().with_state(State { app: start.app.clone(), anywhere: false }))).await
}
