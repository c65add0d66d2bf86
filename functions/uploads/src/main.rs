//! The `uploads` function in Lambda.

use aws_sdk_s3::Client;
use edge::{Settings, Start};
use files::Files;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), edge::RunError> {
    edge::run(&[], |Start { clients, app, .. }| {
        let files = Files::new(Client::new(&clients.config), Settings::bucket_from_env()?);
        let most_rows = uploads::MostRows(Settings::import_max_bytes_from_env()?);
        Ok(uploads::router().with_state(uploads::State { app: app.clone(), files, most_rows }))
    })
    .await
}
