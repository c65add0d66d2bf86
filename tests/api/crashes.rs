//! `kill -9` of the functions' process before and after each call that a request makes to DynamoDB or Cognito. What
//! is left is completed, or taken back, by the next call or by the reconciler.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use edge::SignUpMode;
use local::Options;
use serde_json::{Value, json};

use crate::killed::{cut_off, points};
use crate::system::{Ana, Muster, PASSWORD};

const NEW_PASSWORD: &str = "staple battery horse";

/// A system whose reconciler does nothing by itself.
pub(crate) async fn still() -> Muster {
    still_for(SignUpMode::Open).await
}

async fn still_for(sign_up: SignUpMode) -> Muster {
    Muster::with(Options { sign_up, reconcile_every: Duration::from_secs(3600), ..Options::default() }).await
}

impl Muster {
    /// Makes every pending change look abandoned: as if its lease had passed.
    pub(crate) async fn leases_pass(&self) {
        self.age("pending_at", AttributeValue::S("2026-01-01T00:00:00.000Z".to_owned())).await;
    }

    /// Makes every running request look abandoned.
    pub(crate) async fn running_ends(&self) {
        self.age("running_until", AttributeValue::N("0".to_owned())).await;
    }

    /// Makes the second pass in which all sessions of a user have ended; a login would wait for that.
    pub(crate) async fn seconds_pass(&self) {
        self.age("sessions_from", AttributeValue::N("0".to_owned())).await;
    }

    /// Runs the reconciler once, after the leases have passed; nothing may stay pending.
    pub(crate) async fn reconcile(&self) {
        self.leases_pass().await;
        let functions = self.functions.acting_as("Reconcile");
        reconcile::sweep(&functions.app.store, &functions.identity).await.unwrap();
        let table = &self.wiring.table;
        // The job that looks for traces of a purged user is no change that was cut off.
        let condition = "attribute_exists(pending) AND NOT begins_with(PK, :traces)";
        let left = self.dynamodb().scan().table_name(table).filter_expression(condition);
        let traces = AttributeValue::S("J#erase_traces#".to_owned());
        let left = left.expression_attribute_values(":traces", traces).send().await;
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
        let muster = still_for(SignUpMode::First).await;
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
async fn a_sign_up_over_one_never_verified_cut_off_anywhere_leaves_one_user() {
    let mut cut = 0;
    for point in points() {
        let muster = still_for(SignUpMode::First).await;
        let old = muster.sign_up("ana@example.com").await;
        muster.a_day_passes().await;
        let body = json!({ "email": "ana@example.com", "name": "Ana", "password": NEW_PASSWORD });
        if cut_off(&muster, point, &("POST", "/v1/users", body.clone(), None)).await == Err(201) {
            break;
        }
        cut += 1;
        muster.leases_pass().await;
        // Whatever is left over of the two, somebody else can sign up, unless the new one is whole.
        let next = muster.post("/v1/users", body).send().await;
        let whole = muster.login("ana@example.com", NEW_PASSWORD).await.status == 403;
        assert!(whole && matches!(next.status.as_u16(), 201 | 403 | 409), "{point:?}: {next:?}");
        muster.reconcile().await;
        assert_eq!(muster.counts().await, (1, 1, 1), "{point:?}");
        assert!(!muster.identities().await.contains(&old), "{point:?}");
    }
    assert!(cut >= 20, "{cut} points");
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
        assert!(matches!(again.status.as_u16(), 200 | 400), "{point:?}: {again:?}");
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
        muster.seconds_pass().await;
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
        muster.seconds_pass().await;
        let old = muster.login(&ana.email, PASSWORD).await.status;
        let new = muster.login(&ana.email, NEW_PASSWORD).await.status;
        assert_ne!(old, new, "{point:?}");
    }
    assert!(cut >= 8, "{cut} points");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_email_cut_off_anywhere_gets_the_codes_if_the_table_has_it() {
    let (mut cut, mut moved) = (0, Vec::new());
    for point in points() {
        let muster = still().await;
        let ana = muster.ana().await;
        let asked = muster.patch("/v1/users/me", json!({ "email": "new@example.com" })).by(&ana).send().await;
        assert_eq!(asked.status, 200, "{asked:?}");
        let body = json!({ "code": muster.code("new@example.com") });
        let path = "/v1/users/me/email/verification";
        if cut_off(&muster, point, &("POST", path, body, Some(&ana.access))).await == Err(200) {
            break;
        }
        cut += 1;
        muster.leases_pass().await;
        if cut % 2 == 0 {
            muster.reconcile().await;
        }
        // The next call of the user itself completes it, as the reconciler would.
        let next = muster.patch("/v1/users/me", json!({ "last_name": "L" })).by(&ana).send().await;
        assert_eq!(next.status, 200, "{point:?}");
        let email = next.body["email"].as_str().unwrap();
        assert_eq!(muster.items("C#").await.len(), 1, "{point:?}");
        muster.post("/v1/auth/recovery", json!({ "email": email })).send().await;
        assert_eq!(muster.outbox(Some(email)).last().unwrap().kind, "recovery", "{point:?}");
        moved.push(email == "new@example.com");
        if email == ana.email {
            // What was cut off can be done again.
            assert_eq!(next.body["pending_email"], "new@example.com", "{point:?}");
            let again = muster.email_moves(&ana, "new@example.com").await;
            assert_eq!(again.status, 200, "{point:?}: {again:?}");
        }
        muster.reconcile().await;
    }
    assert!(cut >= 6 && moved.contains(&true) && moved.contains(&false), "{cut} points {moved:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_a_new_email_cut_off_anywhere_can_be_repeated() {
    let mut cut = 0;
    for point in points() {
        let muster = still().await;
        let ana = muster.ana().await;
        let body = json!({ "email": "new@example.com", "current_password": PASSWORD });
        if cut_off(&muster, point, &("PATCH", "/v1/users/me", body, Some(&ana.access))).await == Err(200) {
            break;
        }
        cut += 1;
        let me = muster.get("/v1/users/me").by(&ana).send().await;
        assert_eq!(me.body["email"], json!(ana.email), "{point:?}");
        let moved = muster.email_moves(&ana, "new@example.com").await;
        assert_eq!((moved.status.as_u16(), &moved.body["email"]), (200, &json!("new@example.com")), "{point:?}");
        muster.reconcile().await;
    }
    assert!(cut >= 6, "{cut} points");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_cut_off_anywhere_is_done_or_can_be_repeated() {
    let (mut cut, mut done) = (0, Vec::new());
    for point in points() {
        let muster = still().await;
        let ana = muster.ana().await;
        assert_eq!(muster.email_moves(&ana, "new@example.com").await.status, 200);
        let (path, token) = muster.undo_link(&ana.email);
        let body = json!({ "token": token });
        if cut_off(&muster, point, &("POST", &path, body.clone(), None)).await == Err(204) {
            break;
        }
        cut += 1;
        muster.reconcile().await;
        let again = muster.post(&path, body).send().await;
        done.push(again.status == 400);
        assert!(matches!(again.status.as_u16(), 204 | 400), "{point:?}: {again:?}");
        muster.reconcile().await;
        muster.seconds_pass().await;
        assert_eq!(muster.login(&ana.email, PASSWORD).await.status, 200, "{point:?}");
        assert_eq!(muster.login("new@example.com", PASSWORD).await.status, 401, "{point:?}");
        muster.post("/v1/auth/recovery", json!({ "email": ana.email })).send().await;
        assert_eq!(muster.outbox(Some(&ana.email)).last().unwrap().kind, "recovery", "{point:?}");
    }
    assert!(cut >= 6 && done.contains(&true) && done.contains(&false), "{cut} points {done:?}");
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
        muster.running_ends().await;
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
