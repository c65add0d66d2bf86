//! One emulator on a free port, with the pool that Muster uses and an SDK client for it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use aws_sdk_cognitoidentityprovider::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cognitoidentityprovider::types::{AttributeType, AuthFlowType, AuthenticationResultType};
use aws_sdk_cognitoidentityprovider::{Client, Config};
use local_cognito::{Cognito, Message, Options};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) const POOL: &str = "local_muster";
pub(crate) const CLIENT: &str = "local";
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const EMAIL: &str = "ada@example.com";

pub(crate) struct System {
    pub(crate) cognito: Cognito,
    pub(crate) sdk: Client,
    pub(crate) base: String,
    outbox: Arc<Mutex<Vec<Message>>>,
    server: JoinHandle<()>,
}

impl System {
    pub(crate) async fn start() -> Self {
        Self::open(None).await
    }

    pub(crate) async fn open(data: Option<PathBuf>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let options = Options { data, issuer_base: base.clone(), fixed_code: None, region: "local".to_owned() };
        let outbox = Arc::new(Mutex::new(Vec::new()));
        let sent = outbox.clone();
        let cognito = Cognito::open(options, Arc::new(move |message| sent.lock().unwrap().push(message))).unwrap();
        cognito.ensure_pool(POOL, CLIENT, None).unwrap();
        let router = cognito.router();
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("local"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .endpoint_url(&base)
            .build();
        let sdk = Client::from_conf(config);
        Self { cognito, sdk, base, outbox, server }
    }

    /// The last message to `to`.
    pub(crate) fn message(&self, to: &str) -> Option<Message> {
        let outbox = self.outbox.lock().unwrap();
        outbox.iter().rev().find(|message| message.to == to).cloned()
    }

    pub(crate) fn code(&self) -> String {
        self.message(EMAIL).unwrap().code.unwrap()
    }

    /// A code that is not `right`.
    pub(crate) fn other_than(right: &str) -> String {
        if right == "000000" { "000001".to_owned() } else { "000000".to_owned() }
    }

    pub(crate) async fn sign_up(&self, username: &str) {
        let email = AttributeType::builder().name("email").value(EMAIL).build().unwrap();
        self.sdk
            .sign_up()
            .client_id(CLIENT)
            .username(username)
            .password(PASSWORD)
            .user_attributes(email)
            .send()
            .await
            .unwrap();
    }

    pub(crate) async fn confirm(&self, username: &str, code: &str) -> Result<(), String> {
        let request = self.sdk.confirm_sign_up().client_id(CLIENT);
        named(request.username(username).confirmation_code(code).send().await).map(|_| ())
    }

    /// Signed up and confirmed.
    pub(crate) async fn user(&self, username: &str) {
        self.sign_up(username).await;
        self.confirm(username, &self.code()).await.unwrap();
    }

    pub(crate) async fn log_in(&self, username: &str, password: &str) -> Result<AuthenticationResultType, String> {
        let request = self.sdk.initiate_auth().client_id(CLIENT).auth_flow(AuthFlowType::UserPasswordAuth);
        let request = request.auth_parameters("USERNAME", username).auth_parameters("PASSWORD", password);
        named(request.send().await).map(|answer| answer.authentication_result.unwrap())
    }

    pub(crate) async fn refresh(&self, tokens: &AuthenticationResultType) -> Result<AuthenticationResultType, String> {
        let request = self.sdk.initiate_auth().client_id(CLIENT).auth_flow(AuthFlowType::RefreshTokenAuth);
        let request = request.auth_parameters("REFRESH_TOKEN", tokens.refresh_token().unwrap());
        named(request.send().await).map(|answer| answer.authentication_result.unwrap())
    }

    pub(crate) async fn whoami(&self, tokens: &AuthenticationResultType) -> Result<String, String> {
        let request = self.sdk.get_user().access_token(tokens.access_token().unwrap());
        named(request.send().await).map(|user| user.username)
    }
}

impl Drop for System {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The error as `Type: message`.
pub(crate) fn named<T, E, R>(result: Result<T, SdkError<E, R>>) -> Result<T, String>
where
    E: ProvideErrorMetadata,
{
    result.map_err(|error| format!("{}: {}", error.code().unwrap_or("?"), error.message().unwrap_or("?")))
}

/// Asserts that something was refused with this type, and that its message holds `says`.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, String>, kind: &str, says: &str) {
    let error = result.unwrap_err();
    assert!(error.starts_with(&format!("{kind}: ")) && error.contains(says), "{error}");
}

/// A token's claims, unverified.
pub(crate) fn claims(token: &str) -> Value {
    jsonwebtoken::dangerous::insecure_decode::<Value>(token).unwrap().claims
}
