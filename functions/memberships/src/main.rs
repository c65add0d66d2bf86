//! The `memberships` function in Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), edge::RunError> {
    edge::run(&[], |start| Ok(memberships::router().with_state(start.app.clone()))).await
}
