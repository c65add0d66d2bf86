//! The `dialects` function in Lambda.

use edge::{App, Clients, Settings};
use files::Files;
use identity::Identity;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    edge::init_logs();
    let (settings, clients) = (Settings::from_env()?, Clients::from_env());
    let app = App::new(&settings, &clients);
    let identity = Identity::new(aws_sdk_cognitoidentityprovider::Client::new(&clients.config), &settings.pool);
    let files = Files::new(aws_sdk_s3::Client::new(&clients.config), Settings::bucket_from_env()?);
    app.warm().await;
    let router = dialects::router().with_state(dialects::State { app: app.clone(), identity, files });
    edge::serve(edge::wrap(router, &app, dialects::DIALECTS)).await
}
