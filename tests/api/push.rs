//! Devices of users, and notifications to them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Time;
use local::Options;
use notifications::{Event, Sender};
use serde_json::{Value, json};

use crate::faults::Phase;
use crate::system::{Muster, Reply};
use crate::uploads::cut::Cut;
use crate::world::{World, as_refused, column, id, refused};

mod devices;
mod sns;

/// A world whose notifications are sent when a test says so.
async fn still() -> World {
    let still = Duration::from_secs(3600);
    let options = Options { transfer_every: still, reconcile_every: still, ..Options::default() };
    World::on(Muster::with(options).await, json!({ "name": "Club" })).await
}

/// What was sent, by the devices that got it; a clone shares it.
#[derive(Debug, Clone, Default)]
struct Sent(Arc<Mutex<BTreeMap<String, usize>>>);

impl Sent {
    /// A sender that only counts.
    fn sender(&self) -> Sender {
        let sent = self.clone();
        Sender::Outbox(Arc::new(move |device, _| {
            *sent.0.lock().unwrap().entry(device.id.to_string()).or_default() += 1;
            !device.fields.token.reveal().starts_with("dead")
        }))
    }

    fn devices(&self) -> Vec<String> {
        self.0.lock().unwrap().keys().cloned().collect()
    }

    /// How often each device got it.
    fn times(&self) -> Vec<usize> {
        self.0.lock().unwrap().values().copied().collect()
    }
}

fn soon() -> Time {
    Time::now().plus(Duration::from_secs(60))
}

impl World {
    fn notifications(&self) -> String {
        format!("/v1/segments/{}/notifications", self.segment)
    }

    /// A device of a user of the segment: its id.
    async fn device(&self, user: &str, token: &str) -> String {
        let body = json!({ "platform": "fcm", "token": token });
        id(&self.muster.made(&self.ana, &format!("/v1/users/{user}/devices"), body).await)
    }

    /// Begins a notification: its path.
    async fn notify(&self, more: Value) -> String {
        let mut body = json!({ "title": "Hello", "body": "Your card is ready." });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let reply = self.send("POST", &self.notifications(), body).await;
        assert_eq!(reply.status, 202, "{reply:?}");
        let path = format!("{}/{}", self.notifications(), id(&reply.body));
        assert_eq!(reply.header("location"), path);
        path
    }

    /// Makes whoever has a notification have had it for too long.
    async fn lease_ends(&self, path: &str) {
        let key = [format!("S#{}", self.segment), format!("PN#{}", path.rsplit('/').next().unwrap())];
        let [pk, sk] = key.map(AttributeValue::S);
        let update = self.muster.dynamodb().update_item().table_name(&self.muster.wiring.table).key("PK", pk);
        let update = update.key("SK", sk).update_expression("SET pending_at = :then");
        let update = update.condition_expression("attribute_exists(pending)");
        let then = AttributeValue::S(Time::from_millis(0).to_string());
        // Nobody has what is over.
        drop(update.expression_attribute_values(":then", then).send().await);
    }

    /// Sends what is due.
    async fn sending(&self, sent: &Sent) {
        self.muster.functions.notifications(sent.sender()).run(soon()).await.unwrap();
    }
}

/// The status and the counts of devices, sent and failed.
fn told(notification: &Value) -> (&str, [u64; 3]) {
    let count = |name: &str| notification[name].as_u64().unwrap();
    (notification["status"].as_str().unwrap(), [count("devices"), count("sent"), count("failed")])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_goes_to_the_devices_of_all_users_who_are_in_use() {
    let world = still().await;
    let (first, second) = (world.user(json!({})).await, world.user(json!({})).await);
    let (blocked, deleted) = (world.user(json!({})).await, world.user(json!({})).await);
    let mut expected = vec![
        world.device(&first, "first-phone").await,
        world.device(&first, "first-tablet").await,
        world.device(&second, "second-phone").await,
    ];
    expected.sort();
    for (user, token) in [(&blocked, "blocked-phone"), (&deleted, "deleted-phone"), (&world.ana.id, "masters-phone")] {
        world.device(user, token).await;
    }
    let other = world.muster.made(&world.ana, "/v1/segments", json!({ "name": "Other" })).await;
    let users = format!("/v1/segments/{}/users", id(&other));
    let stranger = id(&world.muster.made(&world.ana, &users, json!({ "email": "s@example.com" })).await);
    world.device(&stranger, "strangers-phone").await;
    let excluded = json!({ "name": "Excluded", "is_excluded": true });
    let excluded = world.muster.made(&world.ana, &format!("/v1/segments/{}/statuses", world.segment), excluded).await;
    let hidden = world.user(json!({ "status_id": excluded["id"] })).await;
    world.device(&hidden, "hidden-phone").await;
    assert_eq!(world.send("PATCH", &format!("/v1/users/{blocked}"), json!({ "status": "BLOCKED" })).await.status, 200);
    assert_eq!(world.call("DELETE", &format!("/v1/users/{deleted}")).send().await.status, 204);
    let path = world.notify(json!({ "data": { "screen": "card" } })).await;
    assert_eq!(told(&world.read(&path).await), ("SENDING", [0; 3]));
    let sent = Sent::default();
    world.sending(&sent).await;
    assert_eq!(sent.devices(), expected);
    let over = world.read(&path).await;
    assert_eq!(told(&over), ("SENT", [3, 3, 0]));
    assert!(over["started_at"].is_string() && over["finished_at"].is_string(), "{over}");
    assert_eq!((&over["user_count"], &over["data"]), (&Value::Null, &json!({ "screen": "card" })));
    world.sending(&sent).await;
    assert_eq!(sent.times(), [1, 1, 1], "what is over is not sent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_goes_to_those_whom_it_names_and_to_nobody_elsewhere() {
    let world = still().await;
    let mut users = Vec::new();
    let mut expected = Vec::new();
    for nth in 0..12 {
        let user = world.user(json!({})).await;
        let device = world.device(&user, &format!("phone-of-{nth}")).await;
        if nth != 7 {
            users.push(json!(user));
            expected.push(device);
        }
    }
    expected.sort();
    let other = world.muster.made(&world.ana, "/v1/segments", json!({ "name": "Other" })).await;
    let path = format!("/v1/segments/{}/users", id(&other));
    let stranger = id(&world.muster.made(&world.ana, &path, json!({ "email": "s@example.com" })).await);
    world.device(&stranger, "strangers-phone").await;
    let deleted = world.user(json!({})).await;
    assert_eq!(world.call("DELETE", &format!("/v1/users/{deleted}")).send().await.status, 204);
    let unreached = [stranger, world.ana.id.clone(), domain::UserId::fresh().to_string(), deleted];
    let named: Vec<_> = users.iter().cloned().chain(unreached.iter().map(|id| json!(id))).collect();
    let body = json!({ "title": "Hello", "body": "Your card is ready.", "user_ids": named });
    let notifications = format!("/v1/segments/{}/notifications", world.segment);
    let refused = world.send("POST", &notifications, body).await;
    let unknown: Vec<_> = (11..15).map(|nth| (format!("/user_ids/{nth}"), "unknown".to_owned())).collect();
    assert_eq!((refused.status.as_u16(), refused.errors()), (400, unknown), "{refused:?}");
    let path = world.notify(json!({ "user_ids": users })).await;
    assert_eq!(world.muster.lasting().await.iter().filter(|item| item.contains("PT#")).count(), 1);
    let sent = Sent::default();
    world.sending(&sent).await;
    assert_eq!(sent.devices(), expected);
    let over = world.read(&path).await;
    assert_eq!((told(&over), &over["user_count"]), (("SENT", [11, 11, 0]), &json!(11)));
    assert_eq!(world.muster.lasting().await.iter().filter(|item| item.contains("PT#")).count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_there_no_more_has_failed_and_goes() {
    let world = still().await;
    let user = world.user(json!({})).await;
    let (alive, dead) = (world.device(&user, "alive-phone").await, world.device(&user, "dead-phone").await);
    let (first, sent) = (world.notify(json!({})).await, Sent::default());
    world.sending(&sent).await;
    assert_eq!(told(&world.read(&first).await), ("SENT", [2, 1, 1]));
    assert_eq!(world.get(&format!("/v1/users/{user}/devices/{dead}")).await.status, 404);
    assert_eq!(column(&world.get(&format!("/v1/users/{user}/devices")).await, "id"), [json!(alive)]);
    let second = world.notify(json!({ "user_ids": [user] })).await;
    world.sending(&sent).await;
    assert_eq!(told(&world.read(&second).await), ("SENT", [1, 1, 0]));
    world.device(&user, "dead-phone").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_notification_is_sent_at_its_time_and_not_once_it_is_cancelled() {
    let world = World::start().await;
    let user = world.user(json!({})).await;
    let device = world.device(&user, "a-phone-of-ana").await;
    let soon = Time::now().plus(Duration::from_secs(4));
    let path = world.notify(json!({ "schedule": soon, "data": { "a": "b" } })).await;
    let cancelled = world.notify(json!({ "schedule": Time::now().plus(Duration::from_secs(5)) })).await;
    assert_eq!(told(&world.read(&path).await), ("SCHEDULED", [0; 3]));
    let before = world.read(&cancelled).await;
    let stale = world.call("DELETE", &cancelled).header("if-match", "\"7\"").send().await;
    assert_eq!(stale.status, 412);
    assert_eq!(world.call("DELETE", &cancelled).send().await.status, 204);
    let after = world.read(&cancelled).await;
    assert_eq!((told(&before), told(&after)), (("SCHEDULED", [0; 3]), ("CANCELLED", [0; 3])));
    let over = world.until(&path, |reply| reply.body["status"] == "SENT").await.body;
    assert_eq!(told(&over).1, [1, 1, 0]);
    assert!(over["started_at"].as_str() >= over["schedule"].as_str(), "{over}");
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let outbox = world.muster.get(&format!("/_local/outbox?to={device}")).send().await.body;
    let sent = outbox["data"].as_array().unwrap();
    assert_eq!((sent.len(), &sent[0]["kind"]), (1, &json!("push")), "{outbox}");
    let body: Value = serde_json::from_str(sent[0]["body"].as_str().unwrap()).unwrap();
    assert_eq!(body, json!({ "title": "Hello", "body": "Your card is ready.", "data": { "a": "b" } }));
    assert_eq!(told(&world.read(&cancelled).await), ("CANCELLED", [0; 3]));
    for path in [path, cancelled] {
        assert_eq!(world.call("DELETE", &path).send().await.status, 204, "what is over is forgotten");
        assert_eq!(world.get(&path).await.status, 404);
    }
    assert_eq!(world.read(&world.notifications()).await["page"]["total_items"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_notification_is_told_by_name() {
    let world = still().await;
    let send = async |more: Value| {
        let mut body = json!({ "title": "a", "body": "b" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.send("POST", &world.notifications(), body).await
    };
    let many: Vec<_> = (0..1001).map(|_| json!(domain::UserId::fresh())).collect();
    let day = Duration::from_secs(24 * 60 * 60);
    for (more, pointer, code) in [
        (json!({ "title": "" }), "/title", "too_short"),
        (json!({ "title": "x".repeat(101) }), "/title", "too_long"),
        (json!({ "body": null }), "/body", "invalid_type"),
        (json!({ "body": "x".repeat(501) }), "/body", "too_long"),
        (json!({ "data": { "a": 1 } }), "/data/a", "invalid_type"),
        (json!({ "data": { "aps": "x" } }), "/data/aps", "invalid_key"),
        (json!({ "data": { "": "x" } }), "/data/", "invalid_key"),
        (json!({ "user_ids": many }), "/user_ids", "too_long"),
        (json!({ "user_ids": ["x"] }), "/user_ids/0", "invalid_id"),
        (json!({ "schedule": "tomorrow" }), "/schedule", "invalid_time"),
        (json!({ "schedule": Time::now().minus(day) }), "/schedule", "out_of_range"),
        (json!({ "schedule": Time::now().plus(day * 367) }), "/schedule", "out_of_range"),
        (json!({ "sound": "x" }), "/sound", "unknown"),
    ] {
        assert_eq!(refused(&send(more).await), as_refused((400, pointer, code)));
    }
    assert_eq!(world.read(&world.notifications()).await["page"]["total_items"], 0);
    // Once it is being sent it cannot be called back.
    let path = world.notify(json!({ "user_ids": [], "data": null })).await;
    assert_eq!(refused(&world.call("DELETE", &path).send().await), as_refused((409, "", "sending")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_without_platforms_says_that_it_sends_nothing() {
    let world = still().await;
    let mut functions = world.muster.functions.clone();
    functions.app.push = false;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(local::serve(listener, functions.router(), std::future::pending()));
    let call = reqwest::Client::new().post(format!("{url}{}", world.notifications())).bearer_auth(&world.ana.access);
    let body = json!({ "title": "a", "body": "b" }).to_string();
    let reply = call.header("content-type", "application/json").body(body).send().await.unwrap();
    let (status, body) = (reply.status(), reply.text().await.unwrap());
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status.as_u16(), &body["errors"][0]["code"]), (409, &json!("push_off")), "{body}");
    assert!(body["detail"].as_str().unwrap().contains("operator"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_idempotency_key_is_the_same_notification() {
    let world = still().await;
    let send = async || -> Reply {
        let body = json!({ "title": "a", "body": "b" });
        world.call("POST", &world.notifications()).header("idempotency-key", "k").json(body).send().await
    };
    let (first, second) = (send().await, send().await);
    assert_eq!((first.status.as_u16(), second.status.as_u16(), &first.body), (202, 202, &second.body));
    assert_eq!(world.read(&world.notifications()).await["page"]["total_items"], 1);
}

/// 100 users with 20 devices each.
async fn two_thousand_devices(world: &World) -> Vec<String> {
    let mut users = Vec::new();
    for _ in 0..100 {
        users.push(world.user(json!({})).await);
    }
    let devices = users.iter().enumerate().map(async |(nth, user)| {
        for device in 0..20 {
            world.device(user, &format!("phone-{device}-of-{nth}")).await;
        }
    });
    futures_util::future::join_all(devices).await;
    users
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_devices_are_sent_to_page_by_page_wherever_it_is_cut_off() {
    let world = still().await;
    let users = two_thousand_devices(&world).await;
    for (named, page) in [(json!([]), 50), (json!(users), 100)] {
        let path = world.notify(json!({ "user_ids": named })).await;
        let (sent, mut cuts, mut nth) = (Sent::default(), 0, 0);
        loop {
            let cut = Cut::at((nth, if cuts % 2 == 0 { Phase::Before } else { Phase::After }));
            let (functions, _) = cut.functions(&world.muster, "Notifications");
            let done = functions.notifications(sent.sender()).run(soon()).await;
            if done.is_ok() && !cut.has_cut() {
                break;
            }
            cuts += 1;
            nth += if nth < 8 { 1 } else { 3 };
            // Whoever was cut off must be dead by now.
            world.lease_ends(&path).await;
        }
        assert!(cuts >= 10, "{cuts}");
        let over = world.read(&path).await;
        assert_eq!(told(&over), ("SENT", [2000, 2000, 0]), "{cuts} cuts");
        let times = sent.times();
        assert_eq!(times.len(), 2000);
        let again: usize = times.iter().map(|times| times - 1).sum();
        assert!(again <= cuts * page, "{again} again after {cuts} cuts: more than what was in flight");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_send_at_once_send_each_page_once() {
    let world = still().await;
    let users: Vec<_> = futures_util::future::join_all((0..30).map(async |nth| {
        let user = world.user(json!({})).await;
        world.device(&user, &format!("phone-of-{nth}")).await;
        world.device(&user, &format!("tablet-of-{nth}")).await;
        user
    }))
    .await;
    let (path, sent) = (world.notify(json!({ "user_ids": users })).await, Sent::default());
    let runs = (0..4).map(async |_| world.muster.functions.notifications(sent.sender()).run(soon()).await.unwrap());
    futures_util::future::join_all(runs).await;
    assert_eq!(told(&world.read(&path).await), ("SENT", [60, 60, 0]));
    assert_eq!(sent.times(), [1; 60]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_calls_the_function_names_the_notifications() {
    let event = |event: Value| serde_json::from_value::<Event>(event).unwrap().named();
    let (segment, notification) = (domain::SegmentId::fresh(), domain::NotificationId::fresh());
    let due = json!({ "segment_id": segment.to_string(), "id": notification.to_string() });
    assert_eq!(event(due), [(segment, notification)]);
    assert_eq!(event(json!({ "step": "look" })), []);
    let of = |sk: String| {
        json!({ "eventName": "INSERT", "dynamodb": {
        "Keys": { "PK": { "S": format!("S#{segment}") }, "SK": { "S": sk } }, "SequenceNumber": "1" } })
    };
    let records =
        json!({ "Records": [of(format!("PN#{notification}")), of(format!("PT#{notification}")), of("S".to_owned())] });
    assert_eq!(event(records), [(segment, notification)]);
}
