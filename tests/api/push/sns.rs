//! How Amazon SNS is spoken to: over HTTP, to a server that answers as SNS does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_sdk_sns::config::retry::RetryConfig;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::routing::post;
use edge::PushApplications;
use notifications::{Notifications, Sender, Sns};
use serde_json::{Value, json};

use super::{soon, still, told};
use crate::world::World;

/// What SNS knows: its endpoints by their tokens, and what was asked of it.
#[derive(Debug, Clone, Default)]
struct Fake(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    endpoints: BTreeMap<String, bool>,
    asked: Vec<BTreeMap<String, String>>,
    /// Whether it answers at all.
    down: bool,
}

const ARN: &str = "arn:aws:sns:us-east-1:000000000000";

impl Fake {
    fn counted(&self, action: &str) -> usize {
        self.0.lock().unwrap().asked.iter().filter(|asked| asked["Action"] == action).count()
    }

    fn known<T>(&self, with: impl FnOnce(&mut Known) -> T) -> T {
        with(&mut self.0.lock().unwrap())
    }

    /// What sends through it; without Apple's sandbox.
    async fn notifications(&self, world: &World) -> Notifications {
        let router = axum::Router::new().route("/", post(answer)).with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(local::serve(listener, router, std::future::pending()));
        let clients = edge::Clients::without_tls(world.muster.wiring.config(), edge::FUNCTION_TIMEOUT);
        let config = aws_sdk_sns::config::Builder::from(&clients.config).endpoint_url(url);
        let client = config.retry_config(RetryConfig::disabled());
        let permissions = local::Permissions::new(&world.muster.wiring, Some("Notifications"));
        let client = aws_sdk_sns::Client::from_conf(client.interceptor(permissions.interceptor()).build());
        let application = |name: &str| Some(format!("{ARN}:app/{name}"));
        let applications =
            PushApplications { apns: application("APNS/muster"), apns_sandbox: None, fcm: application("GCM/muster") };
        world.muster.functions.notifications(Sender::Sns(Sns { client, applications }))
    }
}

async fn answer(State(fake): State<Fake>, Form(asked): Form<BTreeMap<String, String>>) -> (StatusCode, String) {
    let action = asked["Action"].clone();
    let mut known = fake.0.lock().unwrap();
    known.asked.push(asked.clone());
    let good = |inner: &str| {
        (StatusCode::OK, format!("<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>"))
    };
    let bad = |code: &str, message: &str| {
        let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>");
        (StatusCode::BAD_REQUEST, format!("<ErrorResponse>{error}<RequestId>r</RequestId></ErrorResponse>"))
    };
    if known.down {
        return (StatusCode::INTERNAL_SERVER_ERROR, String::new());
    }
    let token_of = |arn: &str| arn.rsplit('/').next().unwrap().to_owned();
    match action.as_str() {
        "CreatePlatformEndpoint" => {
            let token = asked["Token"].clone();
            if token.starts_with("wrong") {
                return bad("InvalidParameter", &format!("Invalid parameter: Token Reason: {token} is no token"));
            }
            let arn = format!("{ARN}:endpoint/GCM/muster/{token}");
            if known.endpoints.get(&token) == Some(&false) {
                let message = format!(
                    "Invalid parameter: Token Reason: Endpoint {arn} already exists with the same Token, but different attributes."
                );
                return bad("InvalidParameter", &message);
            }
            known.endpoints.insert(token, true);
            good(&format!("<EndpointArn>{arn}</EndpointArn>"))
        }
        "SetEndpointAttributes" => {
            known.endpoints.insert(token_of(&asked["EndpointArn"]), true);
            good("")
        }
        "DeleteEndpoint" => {
            known.endpoints.remove(&token_of(&asked["EndpointArn"]));
            good("")
        }
        "Publish" => match known.endpoints.get(&token_of(&asked["TargetArn"])) {
            Some(true) => good("<MessageId>m</MessageId>"),
            Some(false) => bad("EndpointDisabled", "Endpoint is disabled"),
            None => bad(
                "InvalidParameter",
                "Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified",
            ),
        },
        other => panic!("{other}"),
    }
}

impl World {
    async fn sent_out(&self, notifications: &Notifications) -> Value {
        let path = self.notify(json!({})).await;
        notifications.run(soon()).await.unwrap();
        self.read(&path).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_registered_once_and_published_to_in_the_form_of_each_platform() {
    let (world, fake) = (still().await, Fake::default());
    let user = world.user(json!({})).await;
    world.device(&user, "a-good-token").await;
    let notifications = fake.notifications(&world).await;
    for _ in 0..2 {
        assert_eq!(told(&world.sent_out(&notifications).await), ("SENT", [1, 1, 0]));
    }
    assert_eq!((fake.counted("CreatePlatformEndpoint"), fake.counted("Publish")), (1, 2));
    let published = fake.known(|known| known.asked.last().unwrap().clone());
    assert_eq!(published["MessageStructure"], "json");
    let message: Value = serde_json::from_str(&published["Message"]).unwrap();
    for platform in ["APNS", "APNS_SANDBOX", "GCM"] {
        assert!(message[platform].as_str().unwrap().contains("Your card is ready."), "{message}");
    }
    let created = fake.known(|known| known.asked[0].clone());
    assert_eq!(created["PlatformApplicationArn"], format!("{ARN}:app/GCM/muster"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_apple_and_google_no_longer_know_is_dropped_and_what_is_not_set_up_is_refused() {
    let (world, fake) = (still().await, Fake::default());
    let user = world.user(json!({})).await;
    for token in ["a-good-token", "disabled-token", "wrong-token-1", "deleted-token"] {
        world.device(&user, token).await;
    }
    let sandbox = json!({ "platform": "apns_sandbox", "token": "sandbox-token" });
    world.muster.made(&world.ana, &format!("/v1/users/{user}/devices"), sandbox).await;
    let notifications = fake.notifications(&world).await;
    assert_eq!(told(&world.sent_out(&notifications).await), ("SENT", [5, 3, 2]));
    let devices = format!("/v1/users/{user}/devices");
    assert_eq!(world.read(&devices).await["page"]["total_items"], 4, "what is no token is gone");
    fake.known(|known| {
        known.endpoints.insert("disabled-token".to_owned(), false);
        known.endpoints.remove("deleted-token");
    });
    assert_eq!(told(&world.sent_out(&notifications).await), ("SENT", [4, 2, 2]));
    assert_eq!(world.read(&devices).await["page"]["total_items"], 3, "what is disabled is gone");
    let endpoints = fake.known(|known| known.endpoints.clone());
    assert_eq!(endpoints.keys().map(String::as_str).collect::<Vec<_>>(), ["a-good-token", "deleted-token"]);
    // An endpoint that was left disabled works again once its app has registered the token anew.
    fake.known(|known| known.endpoints.insert("disabled-token".to_owned(), false));
    world.device(&user, "disabled-token").await;
    assert_eq!(told(&world.sent_out(&notifications).await), ("SENT", [4, 3, 1]));
    assert_eq!(fake.counted("SetEndpointAttributes"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_sns_does_not_answer_nothing_is_counted_and_it_is_sent_later() {
    let (world, fake) = (still().await, Fake::default());
    let user = world.user(json!({})).await;
    world.device(&user, "a-good-token").await;
    let notifications = fake.notifications(&world).await;
    let path = world.notify(json!({})).await;
    fake.known(|known| known.down = true);
    assert!(notifications.run(soon()).await.is_err());
    assert_eq!(told(&world.read(&path).await), ("SENDING", [0; 3]));
    fake.known(|known| known.down = false);
    world.lease_ends(&path).await;
    notifications.run(soon()).await.unwrap();
    assert_eq!(told(&world.read(&path).await), ("SENT", [1, 1, 0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_goes_with_its_device_however_that_goes() {
    let (world, fake) = (still().await, Fake::default());
    let (user, other, purged) = (world.user(json!({})).await, world.user(json!({})).await, world.user(json!({})).await);
    let deleted = world.device(&user, "deleted-phone").await;
    for (user, token) in
        [(&user, "moving-phone"), (&user, "kept-phone"), (&user, "other-phone"), (&purged, "purged-phone")]
    {
        world.device(user, token).await;
    }
    let notifications = fake.notifications(&world).await;
    assert_eq!(told(&world.sent_out(&notifications).await), ("SENT", [5, 5, 0]));
    let endpoints = || fake.known(|known| known.endpoints.keys().cloned().collect::<Vec<_>>());
    assert_eq!(endpoints().len(), 5);
    // By request, to another user, to another platform, and with its user.
    assert_eq!(world.call("DELETE", &format!("/v1/users/{user}/devices/{deleted}")).send().await.status, 204);
    world.device(&other, "moving-phone").await;
    let apple = json!({ "platform": "apns", "token": "other-phone" });
    world.muster.made(&world.ana, &format!("/v1/users/{user}/devices"), apple).await;
    assert_eq!(world.call("DELETE", &format!("/v1/users/{purged}?purge=true")).send().await.status, 204);
    fake.known(|known| known.down = true);
    assert!(notifications.run(soon()).await.is_err());
    assert_eq!(endpoints().len(), 5, "while SNS does not answer it is left to be done");
    fake.known(|known| known.down = false);
    notifications.run(soon()).await.unwrap();
    assert_eq!(endpoints(), ["kept-phone"]);
    assert_eq!(world.muster.items("DE#").await, [] as [String; 0]);
    let before = fake.counted("DeleteEndpoint");
    assert_eq!(told(&world.sent_out(&notifications).await), ("SENT", [3, 3, 0]), "who is left is registered anew");
    assert_eq!((endpoints().len(), fake.counted("DeleteEndpoint")), (3, before));
}
