//! The `uploads` function in Lambda.

use aws_sdk_s3::Client;
use edge::{App, Clients, Settings};
use files::Files;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    edge::init_logs();
    let (settings, clients) = (Settings::from_env()?, Clients::from_env());
    let app = App::new(&settings, &clients);
    let files = Files::new(Client::new(&clients.config), Settings::bucket_from_env()?);
    app.warm().await;
    let most_rows = uploads::MostRows(Settings::import_max_bytes_from_env()?);
    let router = uploads::router().with_state(uploads::State { app: app.clone(), files, most_rows });
    edge::serve(edge::wrap(router, &app, &[])).await
}
