//! A request with a hanging call ends before its function does, and the same request completes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::crashes::still;
use crate::faults::{Phase, Plan, Verdict, wiring_behind};
use crate::system::{Ana, Muster, PASSWORD};
use crate::world::id;

/// How long a function may run here: a call is given up after a fifth of it.
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(3);

/// Functions whose calls hang from the `first` on, once they have been carried out or before.
async fn functions_that_hang(muster: &Muster, first: usize, phase: Phase) -> (String, Arc<AtomicUsize>) {
    let calls = Arc::<AtomicUsize>::default();
    let seen = calls.clone();
    let plan: Plan = Arc::new(move |_, number, at| {
        seen.fetch_max(number + 1, Ordering::SeqCst);
        if number >= first && at == phase { Verdict::Silence } else { Verdict::Pass }
    });
    let wiring = local::Wiring { function_timeout: FUNCTION_TIMEOUT, ..wiring_behind(muster, plan).await };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = local::Functions::connect(&wiring).router();
    tokio::spawn(local::serve(listener, router, std::future::pending()));
    (url, calls)
}

/// A request that makes something, with its key.
struct Creation {
    path: String,
    body: Value,
    by: Option<String>,
    key: String,
}

impl Creation {
    async fn send(&self, url: &str) -> reqwest::Response {
        let mut call = reqwest::Client::new().post(format!("{url}{}", self.path)).header("idempotency-key", &self.key);
        if let Some(token) = &self.by {
            call = call.bearer_auth(token);
        }
        call.header("content-type", "application/json").body(self.body.to_string()).send().await.unwrap()
    }
}

/// Lets each call of a creation hang in turn, and those after it, and repeats the creation where nothing hangs.
async fn each_call_may_hang(muster: &Muster, least: usize, creation: impl Fn(usize) -> Creation) {
    let attempts = (0..least).flat_map(|first| [(first, Phase::Before), (first, Phase::After)]).enumerate();
    let attempt = async |(nth, (first, phase))| {
        let creation = creation(nth);
        let (url, calls) = functions_that_hang(muster, first, phase).await;
        let reply = creation.send(&url).await;
        let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
        let body: Value = serde_json::from_str(&reply.text().await.unwrap()).unwrap_or_default();
        if calls.load(Ordering::SeqCst) > first {
            assert_eq!((status, body["code"].as_str()), (503, Some("unavailable")), "call {first} {phase:?}: {body}");
            assert!(headers.contains_key("retry-after"), "{headers:?}");
        }
        (creation, first, phase)
    };
    let attempts: Vec<_> = attempts.collect();
    let mut stopped = Vec::new();
    for some in attempts.chunks(6) {
        stopped.extend(join_all(some.iter().map(|one| attempt(*one))).await);
    }
    muster.running_ends().await;
    muster.leases_pass().await;
    for (creation, first, phase) in stopped {
        let reply = creation.send(&muster.url).await;
        let status = reply.status().as_u16();
        let body: Value = serde_json::from_str(&reply.text().await.unwrap()).unwrap();
        assert_eq!(status, 201, "call {first} {phase:?}: {body}");
    }
}

fn email(nth: usize) -> String {
    format!("hangs{nth}@example.com")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_up_with_a_hanging_call_is_503_and_completed_by_its_key() {
    let muster = still().await;
    let sign_up = |nth| Creation {
        path: "/v1/users".to_owned(),
        body: json!({ "email": email(nth), "name": "Ana", "password": PASSWORD }),
        by: None,
        key: format!("key-{nth}"),
    };
    each_call_may_hang(&muster, 7, sign_up).await;
    for nth in 0..14 {
        let code = muster.code(&email(nth));
        let login = muster.login(&email(nth), PASSWORD).await;
        let user = login.body["user_id"].as_str().unwrap();
        let verified = muster.post(&format!("/v1/users/{user}/verification"), json!({ "code": code })).send().await;
        assert_eq!(verified.status, 200, "{verified:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_with_a_hanging_call_is_503_and_completed_by_its_key() {
    let muster = still().await;
    let ana: Ana = muster.ana().await;
    let segment = id(&muster.made(&ana, "/v1/segments", json!({ "name": "Club" })).await);
    let create = |nth| Creation {
        path: format!("/v1/segments/{segment}/users"),
        body: json!({ "email": email(nth), "password": PASSWORD }),
        by: Some(ana.access.clone()),
        key: format!("key-{nth}"),
    };
    each_call_may_hang(&muster, 8, create).await;
    let users = muster.get(&format!("/v1/segments/{segment}/users?page[size]=100")).by(&ana).send().await;
    assert_eq!(users.body["page"]["total_items"], 16, "{users:?}");
    for nth in 0..16 {
        let login = json!({ "email": email(nth), "password": PASSWORD, "segment_id": segment });
        assert_eq!(muster.post("/v1/auth/login", login).send().await.status, 200, "{nth}");
    }
}
