//! The `auth` function in Lambda.

use aws_sdk_cognitoidentityprovider::Client;
use edge::Start;
use identity::Identity;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), edge::RunError> {
    edge::run(&[], |Start { settings, clients, app }| {
        let identity = Identity::new(Client::new(&clients.config), &settings.pool);
        Ok(auth::router().with_state(auth::State { app: app.clone(), identity, mail: mail::Mail::default() }))
    })
    .await
}
