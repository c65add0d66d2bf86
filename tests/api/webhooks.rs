//! Events reach the webhooks that want them: signed, at least once, tried again where they are not taken, and nobody who
//! must not be called is.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::events::{Bus, Events, Sender};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use aws_sdk_dynamodb::types::AttributeValue;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Time;
use local::Options;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::elsewhere::record;
use crate::system::Muster;
use crate::world::{World, as_refused, column, id, refused};

mod replays;

/// What a receiver was sent.
#[derive(Debug, Clone)]
struct Got {
    headers: HeaderMap,
    body: String,
}

/// Somebody who is sent events, and answers as it is told, and then 204.
#[derive(Clone, Default)]
struct Receiver {
    url: String,
    got: Arc<Mutex<Vec<Got>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

impl Receiver {
    async fn start(answers: &[u16]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let answers = Arc::new(Mutex::new(answers.iter().copied().collect()));
        let receiver = Self { url, answers, got: Arc::default() };
        let take = async |State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes| {
            let body = String::from_utf8(body.to_vec()).unwrap();
            receiver.got.lock().unwrap().push(Got { headers, body });
            StatusCode::from_u16(receiver.answers.lock().unwrap().pop_front().unwrap_or(204)).unwrap()
        };
        let router = Router::new().route("/hook", post(take)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    /// Waits until it was sent so many.
    async fn has(&self, count: usize) -> Vec<Got> {
        for _ in 0..400 {
            if self.got().len() >= count {
                return self.got();
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{count} were not sent: {:?}", self.got());
    }
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Whether one of its signatures is that of this secret.
    fn is_signed_by(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let text = format!("{}.{}.{}", self.header("webhook-id"), self.header("webhook-timestamp"), self.body);
        let expected = format!("v1,{}", STANDARD.encode(sign(&Key::new(HMAC_SHA256, &key), text.as_bytes())));
        self.header("webhook-signature").split(' ').any(|signature| signature == expected)
    }
}

impl World {
    fn under(&self, rest: &str) -> String {
        format!("/v1/segments/{}{rest}", self.segment)
    }

    /// A webhook of the segment: its path and its secret.
    async fn webhook(&self, url: &str, types: &[&str]) -> (String, String) {
        let body = json!({ "url": url, "event_types": types });
        let made = self.muster.made(&self.ana, &self.under("/webhooks"), body).await;
        (self.under(&format!("/webhooks/{}", id(&made))), made["secret"].as_str().unwrap().to_owned())
    }

    /// The path of the newest event.
    async fn newest(&self) -> String {
        let told = self.get(&self.under("/events")).await;
        self.under(&format!("/events/{}", column(&told, "id")[0].as_str().unwrap()))
    }

    /// Waits until the one delivery of an event is as far as this: the delivery.
    async fn delivered(&self, event: &str, status: &str, attempts: u64) -> Value {
        let is = |delivery: &Value| delivery["status"] == status && delivery["attempts"] == attempts;
        self.until(event, |reply| is(&reply.body["deliveries"][0])).await.body["deliveries"][0].clone()
    }
}

/// A world in which nothing is sent but by hand.
async fn still() -> World {
    let never = Duration::from_secs(3600);
    let options = Options { stream_every: never, deliver_every: never, ..Options::default() };
    World::on(Muster::with(options).await, json!({ "name": "Club" })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_sent_to_the_webhooks_that_want_it_signed_as_standard_webhooks_has_it() {
    let world = World::start().await;
    let (users, members) = (Receiver::start(&[]).await, Receiver::start(&[]).await);
    let (_, secret) = world.webhook(&users.url, &["muster.user.*"]).await;
    world.webhook(&members.url, &["muster.member.created"]).await;
    let user = world.user(json!({ "name": "Rosalinda" })).await;
    let got = users.has(1).await.remove(0);
    assert_eq!(got.header("content-type"), "application/cloudevents+json; charset=utf-8");
    assert!(got.is_signed_by(&secret) && !got.is_signed_by("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    let sent: i64 = got.header("webhook-timestamp").parse().unwrap();
    assert!((Time::now().seconds() - sent).abs() < 60);
    let event = got.event();
    assert_eq!(event["id"], got.header("webhook-id"));
    assert_eq!((&event["specversion"], &event["type"]), (&json!("1.0"), &json!("muster.user.created")));
    assert_eq!(event["source"], world.under(""));
    assert_eq!(event["subject"], format!("users/{user}"));
    assert_eq!(event["data"]["version"], 1);
    assert!(!got.body.contains("Rosalinda") && !got.body.contains("example.com"), "{}", got.body);
    let told = world.newest().await;
    world.delivered(&told, "DELIVERED", 1).await;
    world.member(json!({ "name": "Eva" })).await;
    assert_eq!(members.has(1).await[0].event()["type"], "muster.member.created");
    assert_eq!((users.got().len(), members.got().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_shown_once_and_its_follower_signs_beside_it() {
    let world = World::start().await;
    let receiver = Receiver::start(&[]).await;
    let (webhook, first) = world.webhook(&receiver.url, &["muster.user.created"]).await;
    for path in [webhook.clone(), world.under("/webhooks")] {
        assert!(!world.read(&path).await.to_string().contains("secret"), "{path}");
    }
    let renew = async || {
        let reply = world.call("POST", &format!("{webhook}/secret")).send().await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.body["secret"].as_str().unwrap().to_owned()
    };
    let second = renew().await;
    world.user(json!({})).await;
    let got = receiver.has(1).await.remove(0);
    assert!(got.is_signed_by(&first) && got.is_signed_by(&second), "both hold for a day");
    assert_eq!(got.header("webhook-signature").split(' ').count(), 2);
    let third = renew().await;
    world.user(json!({})).await;
    let got = receiver.has(2).await.remove(1);
    assert!(got.is_signed_by(&third) && got.is_signed_by(&second) && !got.is_signed_by(&first));
    let store = &world.muster.functions.app.store;
    let webhook = webhook.rsplit('/').next().unwrap().parse().unwrap();
    let before = store.webhook(world.segment.parse().unwrap(), webhook).await.unwrap();
    let mut after = before.clone();
    after.secrets[1].until = Some(Time::now());
    store.change_webhook(&before, &after, None).await.unwrap();
    world.user(json!({})).await;
    let got = receiver.has(3).await.remove(2);
    assert!(got.is_signed_by(&third) && !got.is_signed_by(&second), "the day is over");
    let kept = world.muster.whole_table().await;
    for secret in [first, second, third] {
        assert!(!kept.contains(secret.trim_start_matches("whsec_")), "secrets are kept sealed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_is_tried_again_later_with_the_same_id() {
    let world = World::start().await;
    let receiver = Receiver::start(&[500, 302]).await;
    world.webhook(&receiver.url, &["muster.user.created"]).await;
    world.user(json!({})).await;
    let event = world.newest().await;
    let failed = world.delivered(&event, "PENDING", 1).await;
    assert_eq!(failed["last_result"], "500");
    let next: Time = serde_json::from_value(failed["next_at"].clone()).unwrap();
    let waits = next.millis() - serde_json::from_value::<Time>(failed["updated_at"].clone()).unwrap().millis();
    assert!((4_000..=6_000).contains(&waits), "{waits}");
    world.muster.leases_pass().await;
    let failed = world.delivered(&event, "PENDING", 2).await;
    assert_eq!(failed["last_result"], "302", "no redirect is followed");
    world.muster.leases_pass().await;
    world.delivered(&event, "DELIVERED", 3).await;
    let ids: Vec<_> = receiver.got().iter().map(|got| got.header("webhook-id").to_owned()).collect();
    assert!(ids.len() == 3 && ids.windows(2).all(|pair| pair[0] == pair[1]), "{ids:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_fails_holds_up_nothing_and_what_is_dead_is_found_and_replayed() {
    let world = World::start().await;
    let (bad, good) = (Receiver::start(&[503; 9]).await, Receiver::start(&[]).await);
    let (failing, _) = world.webhook(&bad.url, &["muster.user.created"]).await;
    world.webhook(&good.url, &["muster.member.created"]).await;
    world.user(json!({})).await;
    let event = world.newest().await;
    world.member(json!({ "name": "Eva" })).await;
    good.has(1).await;
    for attempts in 1..9 {
        world.delivered(&event, "PENDING", attempts).await;
        world.muster.leases_pass().await;
    }
    let dead = world.delivered(&event, "DEAD", 9).await;
    assert_eq!((&dead["last_result"], &dead["next_at"]), (&json!("503"), &Value::Null));
    let failed = world.under("/events?filter[delivery]=failed");
    let found = world.until(&failed, |reply| reply.body["page"]["total_items"] == 1).await;
    assert_eq!(column(&found, "type"), ["muster.user.created"]);
    let webhook = failing.rsplit('/').next().unwrap();
    let replayed = world.send("POST", &format!("{event}/replay"), json!({ "webhook_id": webhook })).await;
    assert_eq!((replayed.status.as_u16(), &replayed.body["deliveries"]), (202, &json!(1)));
    world.delivered(&event, "DELIVERED", 1).await;
    assert_eq!(world.read(&failed).await["page"]["total_items"], 0);
    let other =
        world.send("POST", &format!("{event}/replay"), json!({ "webhook_id": domain::WebhookId::fresh() })).await;
    assert_eq!(refused(&other), as_refused((400, "/webhook_id", "unknown")));
}

#[tokio::test(flavor = "multi_thread")]
async fn receivers_that_hang_delay_their_own_events_alone() {
    let world = World::start().await;
    // Connections are accepted by the system, and never answered.
    let deaf = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", deaf.local_addr().unwrap());
    for _ in 0..10 {
        world.webhook(&url, &["muster.user.created"]).await;
    }
    let receiver = Receiver::start(&[]).await;
    world.webhook(&receiver.url, &["muster.user.created"]).await;
    let mut waits = Vec::new();
    for nth in 1..=12 {
        let began = Time::now();
        world.user(json!({})).await;
        receiver.has(nth).await;
        waits.push(Time::now().millis() - began.millis());
    }
    // The first event of a webhook that hangs is waited for; from then on it is known.
    let late = waits.iter().filter(|wait| **wait > 2_000).count();
    assert!(late <= 2, "{waits:?}");
    assert!(waits.iter().all(|wait| *wait < 8_000), "{waits:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_is_sent_nothing_more() {
    let world = World::start().await;
    let receiver = Receiver::start(&[410]).await;
    let (webhook, _) = world.webhook(&receiver.url, &["muster.user.created"]).await;
    world.user(json!({})).await;
    world.until(&webhook, |reply| reply.body["status"] == "DISABLED").await;
    let event = world.newest().await;
    world.muster.leases_pass().await;
    let dead = world.delivered(&event, "DEAD", 1).await;
    assert_eq!(dead["last_result"], "disabled");
    world.user(json!({})).await;
    world.muster.leases_pass().await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(receiver.got().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_and_not_noted_is_sent_once_more_and_what_is_broken_comes_again_alone() {
    let world = still().await;
    let receiver = Receiver::start(&[]).await;
    world.webhook(&receiver.url, &["muster.user.created"]).await;
    world.user(json!({})).await;
    let event = world.newest().await.rsplit('/').next().unwrap().to_owned();
    let item = world.muster.item(&format!("Y#{}", world.segment), &format!("Y#{event}")).await;
    let events = world.muster.functions.events(Bus::None);
    let good = record(&item, "1");
    // As where whoever had sent it died before it said so.
    for _ in 0..2 {
        let answer = events.handle(json!({ "Records": [good] }), Time::now()).await.unwrap();
        assert_eq!(answer, json!({ "batchItemFailures": [] }));
    }
    let got = receiver.has(2).await;
    assert_eq!(got[0].header("webhook-id"), got[1].header("webhook-id"));
    let mut broken = record(&item, "2");
    broken["dynamodb"]["NewImage"]["id"] = json!({ "S": "nonsense" });
    let answer = events.handle(json!({ "Records": [good, broken, good] }), Time::now()).await.unwrap();
    assert_eq!(answer, json!({ "batchItemFailures": [{ "itemIdentifier": "2" }] }));
    assert_eq!(receiver.has(3).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_the_internet_at_large_is_called() {
    let world = still().await;
    let receiver = Receiver::start(&[]).await;
    let by_name = receiver.url.replace("http://127.0.0.1", "https://localhost");
    world.webhook(&receiver.url, &[]).await;
    world.webhook(&by_name, &[]).await;
    let event = world.newest().await;
    let replayed = world.call("POST", &format!("{event}/replay")).send().await;
    assert_eq!(replayed.body["deliveries"], 2, "{replayed:?}");
    let store = world.muster.functions.app.store.clone();
    let events = Events::new(store, Bus::None, Sender::to_the_internet());
    events.handle(Value::Null, Time::now().plus(Duration::from_secs(20))).await.unwrap();
    let deliveries = world.read(&event).await["deliveries"].clone();
    for delivery in deliveries.as_array().unwrap() {
        assert_eq!((&delivery["attempts"], &delivery["last_result"]), (&json!(1), &json!("forbidden_address")));
    }
    assert!(receiver.got().is_empty());
    // And a deployment takes no such URL.
    let app = world.muster.functions.app.clone();
    let router = webhooks::router().with_state(webhooks::State { app: app.clone(), anywhere: false });
    let router = edge::wrap(router, &app, &[]);
    for (url, status) in [("https://example.com/hook", 201), ("http://example.com/", 400), ("https://10.0.0.1/", 400)] {
        let request = Request::post(world.under("/webhooks")).header("content-type", "application/json");
        let request = request.header("authorization", format!("Bearer {}", world.ana.access));
        let request = request.body(Body::from(json!({ "url": url }).to_string())).unwrap();
        assert_eq!(router.clone().oneshot(request).await.unwrap().status(), status, "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_changed_and_deleted_and_a_segment_has_at_most_twenty() {
    let world = still().await;
    let (webhook, _) = world.webhook("https://example.com/a", &[]).await;
    let changed =
        world.send("PATCH", &webhook, json!({ "event_types": ["muster.user.*"], "status": "DISABLED" })).await;
    assert_eq!((changed.status.as_u16(), &changed.body["version"]), (200, &json!(2)), "{changed:?}");
    let unknown = world.send("PATCH", &webhook, json!({ "event_types": ["muster.person.*"] })).await;
    assert_eq!(refused(&unknown), as_refused((400, "/event_types/0", "invalid_choice")));
    for nth in 1..20 {
        world.webhook(&format!("https://example.com/{nth}"), &[]).await;
    }
    let path = world.under("/webhooks");
    let more = world.send("POST", &path, json!({ "url": "https://example.com/more" })).await;
    assert_eq!(refused(&more), as_refused((409, "", "too_many")));
    assert_eq!(world.call("DELETE", &webhook).send().await.status, 204);
    assert_eq!(world.get(&webhook).await.status, 404);
    world.webhook("https://example.com/more", &[]).await;
    assert_eq!(world.read(&path).await["page"]["total_items"], 20);
    let renamed = world.send("PATCH", &world.under(""), json!({ "name": "Still counted" })).await;
    assert_eq!(renamed.status, 200);
    assert_eq!(world.send("POST", &path, json!({ "url": "https://example.com/b" })).await.status, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_to_be_sent_to_a_webhook_that_is_deleted_is_forgotten() {
    let world = World::start().await;
    let receiver = Receiver::start(&[500]).await;
    let (webhook, _) = world.webhook(&receiver.url, &["muster.user.created"]).await;
    world.user(json!({})).await;
    let event = world.newest().await;
    world.delivered(&event, "PENDING", 1).await;
    assert_eq!(world.call("DELETE", &webhook).send().await.status, 204);
    world.muster.leases_pass().await;
    world.until(&event, |reply| reply.body["deliveries"] == json!([])).await;
    assert_eq!(receiver.got().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_machine_events_are_shown_with_all_else_that_would_go_out() {
    let world = World::start().await;
    let user = world.user(json!({})).await;
    for _ in 0..200 {
        let sent = world.muster.outbox(Some(&world.under("")));
        if let Some(event) = sent.iter().find(|sent| sent.body.contains(&format!("users/{user}"))) {
            assert_eq!(event.kind, "event");
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the event was not shown");
}

/// An attribute as the stream has it, of those that an event has.
pub(crate) fn attribute(value: &AttributeValue) -> Value {
    if let AttributeValue::L(list) = value {
        return json!({ "L": list.iter().map(attribute).collect::<Vec<_>>() });
    }
    if let AttributeValue::M(map) = value {
        let map: serde_json::Map<_, _> = map.iter().map(|(name, value)| (name.clone(), attribute(value))).collect();
        return json!({ "M": map });
    }
    if let AttributeValue::N(number) = value {
        return json!({ "N": number });
    }
    json!({ "S": value.as_s().unwrap() })
}
