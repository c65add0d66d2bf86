//! The `dialects` function in Lambda.

use edge::{Settings, Start};
use files::Files;
use identity::Identity;
use mail::Mail;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), edge::RunError> {
    edge::run(dialects::DIALECTS, |Start { settings, clients, app }| {
        let identity = Identity::new(aws_sdk_cognitoidentityprovider::Client::new(&clients.config), &settings.pool);
        let files = Files::new(aws_sdk_s3::Client::new(&clients.config), Settings::bucket_from_env()?);
        let mail = Mail::new(aws_sdk_sesv2::Client::new(&clients.config), Settings::mail_from_env());
        Ok(dialects::router().with_state(dialects::State { app: app.clone(), identity, files, mail }))
    })
    .await
}
