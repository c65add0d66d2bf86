//! The `webhooks` function in Lambda.

use edge::{App, Clients, Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    edge::init_logs();
    let app = App::new(&Settings::from_env()?, &Clients::from_env());
    app.warm().await;
    edge::serve(edge::wrap(webhooks::router().with_state(app.clone()), &app, &[])).await
}
