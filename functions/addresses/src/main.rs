//! The `addresses` function in Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), edge::RunError> {
    edge::run(&[], |start| Ok(addresses::router().with_state(start.app.clone()))).await
}
