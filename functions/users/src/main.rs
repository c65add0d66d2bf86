//! The `users` function in Lambda.

use aws_sdk_cognitoidentityprovider::Client;
use edge::{Settings, Start};
use identity::Identity;
use mail::Mail;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), edge::RunError> {
    edge::run(&[], |Start { settings, clients, app }| {
        let identity = Identity::new(Client::new(&clients.config), &settings.pool);
        let mail = Mail::new(aws_sdk_sesv2::Client::new(&clients.config), Settings::mail_from_env());
        Ok(users::router().with_state(users::State { app: app.clone(), identity, mail }))
    })
    .await
}
