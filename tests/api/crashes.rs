//! `kill -9` of the functions' process before and after each call that a request makes to DynamoDB or Cognito. What
//! is left is completed, or taken back, by the next call or by the reconciler.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use local::{Endpoints, Functions, Options, Wiring};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::faults::{Phase, Plan, Verdict, wiring_behind};
use crate::system::{Ana, Muster, PASSWORD};

const NEW_PASSWORD: &str = "staple battery horse";

/// The child: the functions alone, in a process that can be killed. It is a test so that the test's own binary can
/// be started as one.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "not a test: the process that the crash tests start and kill"]
async fn the_functions_as_a_process() {
    #[expect(clippy::disallowed_methods, reason = "how the parent tells where the emulators are")]
    let Ok(wiring) = std::env::var("MUSTER_CRASH_WIRING") else { return };
    let wiring: Value = serde_json::from_str(&wiring).unwrap();
    let text = |name: &str| wiring[name].as_str().unwrap().to_owned();
    let functions = Functions::connect(&Wiring {
        endpoints: Endpoints { dynamodb: text("dynamodb"), s3: text("s3"), cognito: text("cognito") },
        region: text("region"),
        credentials: (text("key"), text("secret")),
        table: text("table"),
        bucket: text("bucket"),
        malware_scan: false,
        pool_id: text("pool"),
        client_id: text("client"),
        issuer: text("issuer"),
        sign_up: if wiring["first"] == true { edge::SignUpMode::First } else { edge::SignUpMode::Open },
        rate_limit_factor: 1000,
        interceptor: None,
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    eprintln!("LISTENING http://{}", listener.local_addr().unwrap());
    // Ends by itself, should its parent be gone.
    let end = tokio::time::sleep(Duration::from_secs(60));
    local::serve(listener, functions.router(), end).await.unwrap();
}

/// Starts the child over these emulators: it, and its URL.
async fn child(wiring: &Wiring) -> (Child, String) {
    let told = json!({
        "dynamodb": wiring.endpoints.dynamodb, "s3": wiring.endpoints.s3, "cognito": wiring.endpoints.cognito,
        "region": wiring.region, "key": wiring.credentials.0, "secret": wiring.credentials.1, "table": wiring.table, "bucket": wiring.bucket,
        "pool": wiring.pool_id, "client": wiring.client_id, "issuer": wiring.issuer, "first": wiring.sign_up == edge::SignUpMode::First,
    });
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["crashes::the_functions_as_a_process", "--exact", "--ignored", "--nocapture"])
        .env("MUSTER_CRASH_WIRING", told.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let url = loop {
        let line = lines.next_line().await.unwrap().unwrap();
        if let Some((_, url)) = line.split_once("LISTENING ") {
            break url.to_owned();
        }
    };
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (child, url)
}

/// Sends the request to a child that is killed at the `nth` call: whether it was, or else the answer's status.
async fn cut_off(muster: &Muster, (nth, phase): (usize, Phase), request: &Request<'_>) -> Result<(), u16> {
    let victim: Arc<Mutex<Option<Child>>> = Arc::default();
    let prey = victim.clone();
    let plan: Plan = Arc::new(move |_, number, at| {
        if (number, at) != (nth, phase) {
            return Verdict::Pass;
        }
        if let Some(child) = prey.lock().unwrap().as_mut() {
            child.start_kill().unwrap();
        }
        Verdict::Silence
    });
    let wiring = wiring_behind(muster, plan).await;
    let (child, url) = child(&wiring).await;
    *victim.lock().unwrap() = Some(child);
    let (method, path, body, token) = request;
    let (path, key) = path.split_once('#').map_or((*path, None), |(path, key)| (path, Some(key)));
    let mut call = reqwest::Client::new().request(method.parse().unwrap(), format!("{url}{path}"));
    if let Some(token) = token {
        call = call.bearer_auth(token);
    }
    if !body.is_null() {
        call = call.header("content-type", "application/json").body(body.to_string());
    }
    if let Some(key) = key {
        call = call.header("idempotency-key", key);
    }
    let answered = call.send().await.map(|reply| reply.status().as_u16());
    let child = victim.lock().unwrap().take();
    if let Some(mut child) = child {
        child.kill().await.unwrap();
    }
    answered.map_or(Ok(()), Err)
}

/// Method, path (behind a `#` an `Idempotency-Key`), body, token.
type Request<'a> = (&'a str, &'a str, Value, Option<&'a str>);

/// Every point at which a request can be cut off, as long as there is one more call to cut off at.
fn points() -> impl Iterator<Item = (usize, Phase)> {
    (0..40).flat_map(|nth| [(nth, Phase::Before), (nth, Phase::After)])
}

/// A system whose reconciler does nothing by itself.
async fn still() -> Muster {
    Muster::with(Options { reconcile_every: Duration::from_secs(3600), ..Options::default() }).await
}

impl Muster {
    /// Makes every pending change look abandoned: as if its lease had passed.
    async fn leases_pass(&self) {
        let table = &self.wiring.table;
        let found =
            self.dynamodb().scan().table_name(table).filter_expression("attribute_exists(pending)").send().await;
        for item in found.unwrap().items() {
            let at = AttributeValue::S("2026-01-01T00:00:00.000Z".to_owned());
            let aged = self.dynamodb().update_item().table_name(table).update_expression("SET pending_at = :at");
            let aged = aged.key("PK", item["PK"].clone()).key("SK", item["SK"].clone());
            aged.expression_attribute_values(":at", at).send().await.unwrap();
        }
    }

    /// Runs the reconciler once, after the leases have passed; nothing may stay pending.
    async fn reconcile(&self) {
        self.leases_pass().await;
        let functions = &self.functions;
        reconcile::sweep(&functions.app.store, &functions.identity).await.unwrap();
        let table = &self.wiring.table;
        let left = self.dynamodb().scan().table_name(table).filter_expression("attribute_exists(pending)").send().await;
        assert_eq!(left.unwrap().count(), 0, "something stays pending");
    }

    /// Users, claims and identities, which must go together.
    async fn counts(&self) -> (usize, usize, usize) {
        let users = self.items("U#").await;
        let mut distinct = users.clone();
        distinct.dedup();
        (distinct.len(), self.items("C#").await.len(), self.identities().await.len())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_up_cut_off_anywhere_is_completed_by_the_next_one() {
    let mut cut = 0;
    for point in points() {
        let muster = still().await;
        let body = json!({ "email": "ana@example.com", "name": "Ana", "password": PASSWORD });
        if cut_off(&muster, point, &("POST", "/v1/users", body, None)).await == Err(201) {
            break;
        }
        cut += 1;
        muster.leases_pass().await;
        let again = json!({ "email": "ANA@example.com", "name": "Ana", "password": NEW_PASSWORD });
        let reply = muster.post("/v1/users", again).send().await;
        // What had reached Cognito is whole: its code was sent, and the first password holds.
        let password = match reply.status.as_u16() {
            201 => NEW_PASSWORD,
            status => {
                assert_eq!(status, 409, "{point:?}");
                PASSWORD
            }
        };
        assert_eq!(muster.counts().await, (1, 1, 1), "{point:?}");
        let waits = muster.login("ana@example.com", password).await;
        assert_eq!(waits.status, 403, "{point:?}");
        let id = waits.body["user_id"].as_str().unwrap();
        let code = muster.outbox(None).last().unwrap().code.clone();
        let verified = muster.post(&format!("/v1/users/{id}/verification"), json!({ "code": code })).send().await;
        assert_eq!(verified.status, 200, "{point:?}");
    }
    assert!(cut >= 8, "{cut} points");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_sign_up_cut_off_anywhere_does_not_close_the_deployment() {
    for point in points() {
        let options = Options {
            sign_up: edge::SignUpMode::First,
            reconcile_every: Duration::from_secs(3600),
            ..Options::default()
        };
        let muster = Muster::with(options).await;
        let body = json!({ "email": "ana@example.com", "name": "Ana", "password": PASSWORD });
        if cut_off(&muster, point, &("POST", "/v1/users", body, None)).await == Err(201) {
            break;
        }
        muster.leases_pass().await;
        let other = json!({ "email": "eve@example.com", "name": "Eve", "password": PASSWORD });
        let status = muster.post("/v1/users", other).send().await.status;
        let whole = muster.login("ana@example.com", PASSWORD).await.status == 403;
        assert_eq!(status.as_u16(), if whole { 403 } else { 201 }, "{point:?}");
        assert_eq!(muster.counts().await, (1, 1, 1), "{point:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_up_cut_off_anywhere_is_completed_or_taken_back_by_the_reconciler() {
    let mut ends = Vec::new();
    for point in points() {
        let muster = still().await;
        let body = json!({ "email": "ana@example.com", "name": "Ana", "password": PASSWORD });
        if cut_off(&muster, point, &("POST", "/v1/users", body.clone(), None)).await == Err(201) {
            break;
        }
        muster.reconcile().await;
        let counts = muster.counts().await;
        assert!(matches!(counts, (0, 0, 0) | (1, 1, 1)), "{point:?}: {counts:?}");
        let again = muster.post("/v1/users", body).send().await.status;
        assert_eq!(again, if counts.0 == 1 { 409 } else { 201 }, "{point:?}");
        ends.push(counts.0);
    }
    assert!(ends.contains(&0) && ends.contains(&1), "{ends:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_cut_off_anywhere_ends_in_a_login() {
    let mut cut = 0;
    for point in points() {
        let muster = still().await;
        let id = muster.sign_up("ana@example.com").await;
        let code = muster.code("ana@example.com");
        let path = format!("/v1/users/{id}/verification");
        if cut_off(&muster, point, &("POST", &path, json!({ "code": code }), None)).await == Err(200) {
            break;
        }
        cut += 1;
        let again = muster.post(&path, json!({ "code": code })).send().await;
        assert!(matches!(again.status.as_u16(), 200 | 409), "{point:?}: {again:?}");
        let login = muster.login("ana@example.com", PASSWORD).await;
        assert_eq!(login.status, 200, "{point:?}");
        let me = muster.get("/v1/users/me").by(&Ana::of(String::new(), &login)).send().await;
        assert_eq!((me.status.as_u16(), &me.body["status"]), (200, &json!("ACTIVE")), "{point:?}");
    }
    assert!(cut >= 8, "{cut} points");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_cut_off_anywhere_is_completed_by_logging_in() {
    for point in points() {
        let muster = still().await;
        let id = muster.sign_up("ana@example.com").await;
        let code = muster.code("ana@example.com");
        let path = format!("/v1/users/{id}/verification");
        if cut_off(&muster, point, &("POST", &path, json!({ "code": code }), None)).await == Err(200) {
            break;
        }
        let login = muster.login("ana@example.com", PASSWORD).await;
        assert!(matches!(login.status.as_u16(), 200 | 403), "{point:?}: {login:?}");
        if login.status == 200 {
            let me = muster.get("/v1/users/me").by(&Ana::of(String::new(), &login)).send().await;
            assert_eq!(me.status, 200, "{point:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_change_cut_off_anywhere_leaves_one_password_and_is_told() {
    let mut changed = Vec::new();
    for point in points() {
        let muster = still().await;
        let ana = muster.ana().await;
        let body = json!({ "old_password": PASSWORD, "new_password": NEW_PASSWORD });
        if cut_off(&muster, point, &("POST", "/v1/users/me/password", body, Some(&ana.access))).await == Err(204) {
            break;
        }
        muster.reconcile().await;
        let old = muster.login(&ana.email, PASSWORD).await;
        let new = muster.login(&ana.email, NEW_PASSWORD).await;
        assert_ne!(old.status, new.status, "{point:?}: one of the two holds");
        let login = if new.status == 200 { new } else { old };
        let ana = Ana::of(ana.email, &login);
        let history = muster.get("/v1/users/me/history").by(&ana).send().await;
        let action = history.body["data"][0]["action"].as_str().unwrap().to_owned();
        let holds = muster.login(&ana.email, NEW_PASSWORD).await.status == 200;
        assert!(!holds || action.starts_with("password_change"), "{point:?}: a new password without a word: {action}");
        changed.push(holds);
        let again =
            json!({ "old_password": if holds { NEW_PASSWORD } else { PASSWORD }, "new_password": "a third password" });
        assert_eq!(muster.post("/v1/users/me/password", again).by(&ana).send().await.status, 204, "{point:?}");
    }
    assert!(changed.contains(&true) && changed.contains(&false), "{changed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_cut_off_anywhere_leaves_one_password() {
    let mut cut = 0;
    for point in points() {
        let muster = still().await;
        let ana = muster.ana().await;
        muster.post("/v1/auth/recovery", json!({ "email": ana.email })).send().await;
        let body =
            json!({ "email": ana.email, "code": muster.recovery_code(&ana.email), "new_password": NEW_PASSWORD });
        if cut_off(&muster, point, &("POST", "/v1/auth/recovery/confirm", body, None)).await == Err(204) {
            break;
        }
        cut += 1;
        muster.reconcile().await;
        let old = muster.login(&ana.email, PASSWORD).await.status;
        let new = muster.login(&ana.email, NEW_PASSWORD).await.status;
        assert_ne!(old, new, "{point:?}");
    }
    assert!(cut >= 8, "{cut} points");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_email_cut_off_anywhere_gets_the_codes_if_the_table_has_it() {
    let mut cut = 0;
    for point in points() {
        let muster = still().await;
        let ana = muster.ana().await;
        let body = json!({ "email": "new@example.com" });
        if cut_off(&muster, point, &("PATCH", "/v1/users/me", body, Some(&ana.access))).await == Err(200) {
            break;
        }
        cut += 1;
        muster.leases_pass().await;
        // The next call of the user itself completes it, as the reconciler would.
        let next = muster.patch("/v1/users/me", json!({ "last_name": "L" })).by(&ana).send().await;
        assert_eq!(next.status, 200, "{point:?}");
        let email = next.body["email"].as_str().unwrap();
        assert_eq!(muster.items("C#").await.len(), 1, "{point:?}");
        muster.post("/v1/auth/recovery", json!({ "email": email })).send().await;
        assert_eq!(muster.outbox(Some(email)).last().unwrap().kind, "recovery", "{point:?}");
        muster.reconcile().await;
    }
    assert!(cut >= 6, "{cut} points");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_cut_off_anywhere_is_done_or_not_done() {
    let mut ends = Vec::new();
    for point in points() {
        let muster = still().await;
        let ana = muster.ana().await;
        if cut_off(&muster, point, &("DELETE", "/v1/users/me", Value::Null, Some(&ana.access))).await == Err(204) {
            break;
        }
        muster.reconcile().await;
        let there = muster.login(&ana.email, PASSWORD).await.status == 200;
        assert_eq!(muster.get("/v1/users/me").by(&ana).send().await.status == 200, there, "{point:?}");
        assert_eq!(muster.items("C#").await.len(), usize::from(there), "{point:?}");
        ends.push(there);
    }
    assert!(ends.contains(&true) && ends.contains(&false), "{ends:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_cut_off_anywhere_is_completed_once_it_has_begun() {
    let mut ends = Vec::new();
    for point in points() {
        let muster = still().await;
        let ana = muster.ana().await;
        muster.address(&ana, "Home").await;
        if cut_off(&muster, point, &("DELETE", "/v1/users/me?purge=true", Value::Null, Some(&ana.access))).await
            == Err(204)
        {
            break;
        }
        let gone = muster.get("/v1/users/me").by(&ana).send().await.status == 401;
        muster.reconcile().await;
        let expected = if gone { (0, 0, 0) } else { (1, 1, 1) };
        assert_eq!(muster.counts().await, expected, "{point:?}");
        assert_eq!(muster.login(&ana.email, PASSWORD).await.status == 200, !gone, "{point:?}");
        ends.push(gone);
    }
    assert!(ends.contains(&true) && ends.contains(&false), "{ends:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_a_key_that_was_cut_off_anywhere_happens_once() {
    let mut cut = 0;
    for point in points() {
        let muster = still().await;
        let ana = muster.ana().await;
        let path = "/v1/users/me/addresses";
        let body = json!({ "alias": "Home" });
        let keyed = ("POST", "/v1/users/me/addresses#k", body.clone(), Some(ana.access.as_str()));
        if cut_off(&muster, point, &keyed).await == Err(201) {
            break;
        }
        cut += 1;
        running_ends(&muster, &muster.wiring.table).await;
        let again = muster.post(path, body).by(&ana).header("idempotency-key", "k").send().await;
        assert_eq!(again.status, 201, "{point:?}: {again:?}");
        let listed = muster.get(path).by(&ana).send().await;
        assert_eq!(
            (&listed.body["page"]["total_items"], listed.body["data"].as_array().unwrap().len()),
            (&json!(1), 1),
            "{point:?}"
        );
        assert_eq!(listed.body["data"][0]["id"], again.body["id"], "{point:?}");
    }
    assert!(cut >= 8, "{cut} points");
}

/// Makes every running request look abandoned.
async fn running_ends(muster: &Muster, table: &str) {
    let found =
        muster.dynamodb().scan().table_name(table).filter_expression("attribute_exists(running_until)").send().await;
    for item in found.unwrap().items() {
        let aged = muster.dynamodb().update_item().table_name(table).update_expression("SET running_until = :zero");
        let aged = aged.key("PK", item["PK"].clone()).key("SK", item["SK"].clone());
        aged.expression_attribute_values(":zero", AttributeValue::N("0".to_owned())).send().await.unwrap();
    }
}
