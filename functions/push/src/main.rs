//! The `push` function in Lambda.

use edge::{App, Clients, Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    edge::init_logs();
    let (settings, clients) = (Settings::from_env()?, Clients::from_env());
    let app = App::new(&settings, &clients);
    app.warm().await;
    edge::serve(edge::wrap(push::router().with_state(app.clone()), &app, &[])).await
}
