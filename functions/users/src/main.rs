//! The `users` function in Lambda.

use aws_sdk_cognitoidentityprovider::Client;
use edge::{App, Clients, Settings};
use identity::Identity;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    edge::init_logs();
    let (settings, clients) = (Settings::from_env()?, Clients::from_env());
    let app = App::new(&settings, &clients);
    let identity = Identity::new(Client::new(&clients.config), &settings.pool);
    app.warm().await;
    let router = users::router().with_state(users::State { app: app.clone(), identity });
    edge::serve(edge::wrap(router, &app, &[])).await
}
