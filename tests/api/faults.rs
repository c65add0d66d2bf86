//! A proxy in front of an emulator, which fails where a test says so.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use local::{Functions, Wiring};
use serde_json::json;
use tokio::sync::Notify;

use crate::system::{Muster, PASSWORD};
use crate::world::World;

/// Decides over each call: the operation's name, its number, and whether it has been carried out yet.
pub(crate) type Plan = Arc<dyn Fn(&str, usize, Phase) -> Verdict + Send + Sync>;

/// When a plan is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Before,
    After,
}

/// What becomes of a call.
#[derive(Debug, Clone)]
pub(crate) enum Verdict {
    /// It goes on.
    Pass,
    /// It is answered so, without going on.
    Answer(StatusCode, serde_json::Value),
    /// It is never answered.
    Silence,
    /// It waits until it is told to go on.
    Until(Arc<Notify>),
}

/// Starts a proxy in front of `target`, which numbers the calls: its URL.
async fn proxy(target: &str, plan: Plan, calls: Arc<AtomicUsize>) -> String {
    let (target, client) = (target.to_owned(), reqwest::Client::new());
    let forward = move |request: Request| {
        let (target, client, plan) = (target.clone(), client.clone(), plan.clone());
        let number = calls.fetch_add(1, Ordering::SeqCst);
        async move { forward(&target, &client, (&plan, number), request).await }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(forward)).await });
    url
}

async fn forward(target: &str, client: &reqwest::Client, (plan, number): (&Plan, usize), request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let operation = parts.headers.get("x-amz-target").map_or("", |target| target.to_str().unwrap());
    let operation = operation.rsplit('.').next().unwrap().to_owned();
    if let Some(answer) = judged(plan(&operation, number, Phase::Before)).await {
        return answer;
    }
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let path = parts.uri.path_and_query().unwrap().as_str();
    let mut headers = parts.headers;
    headers.remove("host");
    let sent =
        client.request(parts.method, format!("{target}{path}")).headers(headers).body(body).send().await.unwrap();
    let (status, headers) = (sent.status(), sent.headers().clone());
    let body = sent.bytes().await.unwrap();
    if let Some(answer) = judged(plan(&operation, number, Phase::After)).await {
        return answer;
    }
    let mut response = (status, Body::from(body)).into_response();
    for name in ["content-type", "x-amzn-errortype", "x-amz-crc32", "x-amzn-requestid"] {
        if let Some(value) = headers.get(name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

async fn judged(verdict: Verdict) -> Option<Response> {
    match verdict {
        Verdict::Pass => None,
        Verdict::Answer(status, body) => {
            let kind = [("content-type", "application/x-amz-json-1.0")];
            Some((status, kind, body.to_string()).into_response())
        }
        Verdict::Silence => std::future::pending().await,
        Verdict::Until(told) => {
            told.notified().await;
            None
        }
    }
}

/// The functions of a system, reaching DynamoDB and Cognito through a plan: their URL.
pub(crate) async fn functions_behind(muster: &Muster, plan: Plan) -> String {
    let wiring = wiring_behind(muster, plan).await;
    let functions = Functions::connect(&wiring);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(local::serve(listener, functions.router(), std::future::pending()));
    url
}

/// The wiring of a system with a plan between.
pub(crate) async fn wiring_behind(muster: &Muster, plan: Plan) -> Wiring {
    let mut wiring = muster.wiring.clone();
    let calls = Arc::<AtomicUsize>::default();
    wiring.endpoints.dynamodb = proxy(&wiring.endpoints.dynamodb, plan.clone(), calls.clone()).await;
    wiring.endpoints.cognito = proxy(&wiring.endpoints.cognito, plan, calls).await;
    wiring
}

/// DynamoDB's answer to a transaction that met another one.
pub(crate) fn contended() -> Verdict {
    canceled("TransactionConflict")
}

/// DynamoDB's answer to a transaction whose first write could not be made.
fn canceled(why: &str) -> Verdict {
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{why}, None]"),
        "CancellationReasons": [{ "Code": why, "Message": "What could not be" }, { "Code": "None" }]
    });
    Verdict::Answer(StatusCode::BAD_REQUEST, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_meets_another_is_tried_again() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let left = Arc::new(Mutex::new(3));
    let plan: Plan = Arc::new(move |operation, _, phase| {
        let mut left = left.lock().unwrap();
        if operation == "TransactWriteItems" && phase == Phase::Before && *left > 0 {
            *left -= 1;
            return contended();
        }
        Verdict::Pass
    });
    let url = functions_behind(&muster, plan).await;
    let sent = reqwest::Client::new().post(format!("{url}/v1/users/me/addresses")).bearer_auth(&ana.access);
    let sent = sent.header("content-type", "application/json").body(r#"{"alias":"Home"}"#).send().await.unwrap();
    assert_eq!(sent.status(), 201);
    let listed = muster.get("/v1/users/me/addresses").by(&ana).send().await;
    assert_eq!(listed.body["page"]["total_items"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stays_contended_or_does_not_answer_is_503_and_says_when_to_come_back() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let always: Plan = Arc::new(|operation, _, phase| match (operation, phase) {
        ("TransactWriteItems", Phase::Before) => contended(),
        _ => Verdict::Pass,
    });
    let down: Plan = Arc::new(|operation, _, _| match operation {
        "GetItem" => Verdict::Answer(
            StatusCode::INTERNAL_SERVER_ERROR,
            json!({ "__type": "InternalServerError", "message": "secret detail" }),
        ),
        _ => Verdict::Pass,
    });
    for plan in [always, down] {
        let url = functions_behind(&muster, plan).await;
        let sent = reqwest::Client::new().post(format!("{url}/v1/users/me/addresses")).bearer_auth(&ana.access);
        let sent = sent.header("content-type", "application/json").body("{}").send().await.unwrap();
        assert_eq!((sent.status().as_u16(), sent.headers()["retry-after"].to_str().unwrap()), (503, "1"));
        assert_eq!(sent.headers()["content-type"], "application/problem+json");
        assert!(!sent.text().await.unwrap().contains("secret detail"));
    }
    assert_eq!(muster.get("/v1/users/me/addresses").by(&ana).send().await.body["page"]["total_items"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_meets_others_all_the_time_is_503_before_the_function_ends() {
    let world = World::start().await;
    let always: Plan = Arc::new(|operation, _, phase| match (operation, phase) {
        ("TransactWriteItems", Phase::Before) => canceled("ConditionalCheckFailed"),
        _ => Verdict::Pass,
    });
    let url = functions_behind(&world.muster, always).await;
    let began = domain::Time::now();
    let paths = [format!("/v1/segments/{}", world.segment), world.path("")];
    let sent = paths.map(|path| {
        let sent = reqwest::Client::new().patch(format!("{url}{path}")).bearer_auth(&world.ana.access);
        tokio::spawn(sent.header("content-type", "application/json").body(r#"{"name":"N"}"#).send())
    });
    for sent in sent {
        let reply = sent.await.unwrap().unwrap();
        assert_eq!((reply.status().as_u16(), reply.headers()["retry-after"].to_str().unwrap()), (503, "1"));
    }
    assert!(domain::Time::now() < began.plus(Duration::from_secs(10)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_in_the_middle_of_a_password_change_leaves_nothing() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let (reached, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (here, told) = (reached.clone(), go_on.clone());
    let plan: Plan = Arc::new(move |operation, _, phase| {
        if operation == "ChangePassword" && phase == Phase::After {
            here.notify_one();
            return Verdict::Until(told.clone());
        }
        Verdict::Pass
    });
    let url = functions_behind(&muster, plan).await;
    let body = json!({ "old_password": crate::system::PASSWORD, "new_password": "staple battery horse" });
    let call = reqwest::Client::new().post(format!("{url}/v1/users/me/password")).bearer_auth(&ana.access);
    let call = call.header("content-type", "application/json").body(body.to_string()).send();
    let changing = tokio::spawn(call);
    reached.notified().await;
    assert_eq!(muster.delete("/v1/users/me?purge=true").by(&ana).send().await.status, 204);
    go_on.notify_one();
    changing.await.unwrap().unwrap();
    assert!(muster.items("U#").await.is_empty() && muster.items("C#").await.is_empty());
    assert!(muster.identities().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_email_that_meets_another_change_is_told_so_and_not_of_another_version() {
    let world = crate::world::World::start().await;
    let user = world.user(json!({ "password": PASSWORD })).await;
    let (muster, ana) = (&world.muster, &world.ana);
    let (reached, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (here, told) = (reached.clone(), go_on.clone());
    let plan: Plan = Arc::new(move |operation, _, phase| {
        if operation == "TransactWriteItems" && phase == Phase::Before {
            here.notify_one();
            return Verdict::Until(told.clone());
        }
        Verdict::Pass
    });
    let url = functions_behind(muster, plan).await;
    let patch = |body: serde_json::Value, url: &str| {
        let call = reqwest::Client::new().patch(format!("{url}/v1/users/{user}")).bearer_auth(&ana.access);
        let call = call.header("content-type", "application/json").header("if-match", "\"2\"");
        call.body(body.to_string()).send()
    };
    let changing = tokio::spawn(patch(json!({ "email": "new@example.com" }), &url));
    reached.notified().await;
    let store = &muster.functions.app.store;
    let record = store.user(user.parse().unwrap()).await.unwrap().unwrap();
    let begun = store.begin(&record, store::PendingKind::Password).await.unwrap();
    go_on.notify_one();
    let met = changing.await.unwrap().unwrap();
    let (status, body) = (met.status().as_u16(), met.text().await.unwrap());
    assert!(status == 409 && body.contains("in_progress"), "{status}: {body}");
    assert!(store.end(&begun).await.unwrap());
    let changed = patch(json!({ "email": "new@example.com" }), &muster.url).await.unwrap();
    assert_eq!(changed.status(), 200, "it was still the version that was named");
    let stale = patch(json!({ "email": "newer@example.com" }), &muster.url).await.unwrap();
    assert_eq!(stale.status(), 412);
}

/// The table does what transactions ask for, and then says that it could not.
pub(crate) fn lost() -> Plan {
    Arc::new(|operation, _, phase| match (operation, phase) {
        ("TransactWriteItems", Phase::After) => Verdict::Answer(
            StatusCode::BAD_REQUEST,
            json!({ "__type": "com.amazonaws.dynamodb.v20120810#RequestLimitExceeded", "message": "later" }),
        ),
        _ => Verdict::Pass,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_makes_nothing_twice_under_one_key() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let url = functions_behind(&muster, lost()).await;
    let call = reqwest::Client::new().post(format!("{url}/v1/users/me/addresses")).bearer_auth(&ana.access);
    let call =
        call.header("content-type", "application/json").header("idempotency-key", "k").body(r#"{"alias":"Home"}"#);
    assert_eq!(call.send().await.unwrap().status(), 503);
    let again =
        muster.post("/v1/users/me/addresses", json!({ "alias": "Home" })).by(&ana).header("idempotency-key", "k");
    assert_eq!(again.send().await.status, 201);
    let listed = muster.get("/v1/users/me/addresses").by(&ana).send().await;
    assert_eq!((&listed.body["page"]["total_items"], listed.body["data"].as_array().unwrap().len()), (&json!(1), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_makes_no_thing_of_a_segment_twice() {
    let world = World::start().await;
    let product = world.product().await;
    let url = functions_behind(&world.muster, lost()).await;
    for (rest, body) in [
        ("statuses", json!({ "name": "New" })),
        ("partners", json!({ "commercial_name": "A", "reference_id": "a" })),
        ("products", json!({ "title": "A", "reference_id": "a" })),
        ("subscriptions", json!({ "user_id": world.ana.id, "product_id": product })),
    ] {
        let path = format!("/v1/segments/{}/{rest}", world.segment);
        let call = reqwest::Client::new().post(format!("{url}{path}")).bearer_auth(&world.ana.access);
        let call = call.header("content-type", "application/json").header("idempotency-key", rest);
        assert_eq!(call.body(body.to_string()).send().await.unwrap().status(), 503, "{rest}");
        let again = world.call("POST", &path).json(body).header("idempotency-key", rest).send().await;
        assert_eq!(again.status, 201, "{rest} {again:?}");
        let read = world.get(again.header("location")).await;
        assert_eq!((read.status.as_u16(), &read.text), (200, &again.text), "{rest}");
    }
    for (rest, count) in [("statuses", 1), ("partners", 1), ("products", 2), ("subscriptions", 1), ("memberships", 2)] {
        let listed = world.read(&format!("/v1/segments/{}/{rest}", world.segment)).await;
        assert_eq!(listed["page"]["total_items"], count, "{rest}");
    }
}
