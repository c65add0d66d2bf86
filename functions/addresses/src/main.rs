//! The `addresses` function in Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    edge::run(&[], |start| Ok(addresses::router().with_state(start.app.clone()))).await
}
