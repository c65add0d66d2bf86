//! The `webhooks` function in Lambda.

use edge::{App, Clients, Settings};
use webhooks::State;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    edge::init_logs();
    let app = App::new(&Settings::from_env()?, &Clients::from_env());
    app.warm().await;
    let router = webhooks::router().with_state(State { app: app.clone(), anywhere: false });
    edge::serve(edge::wrap(router, &app, &[])).await
}
