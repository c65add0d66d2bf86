//! Logging in, refreshing, logging out, recovering.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::system::{Ana, Muster, PASSWORD};

#[tokio::test(flavor = "multi_thread")]
async fn a_user_signs_up_verifies_logs_in_and_refreshes() {
    let muster = Muster::start().await;
    let id = muster.sign_up("Ana@Example.com").await;
    let early = muster.login("ana@example.com", PASSWORD).await;
    assert_eq!((early.status.as_u16(), &early.body["code"]), (403, &json!("unverified")));
    assert_eq!(early.body["user_id"], id.as_str(), "who knows the password learns whom to verify");
    let code = muster.code("Ana@Example.com");
    let verified = muster.post(&format!("/v1/users/{id}/verification"), json!({ "code": code })).send().await;
    assert_eq!(verified.status, 200);
    let ana = Ana::of("Ana@Example.com".to_owned(), &verified);
    let me = muster.get("/v1/users/me").by(&ana).send().await;
    assert_eq!((&me.body["email"], &me.body["status"]), (&json!("Ana@Example.com"), &json!("ACTIVE")));
    let login = muster.login("ANA@example.COM", PASSWORD).await;
    assert_eq!((login.status.as_u16(), &login.body["token_type"]), (200, &json!("Bearer")));
    assert_eq!(login.body["expires_in"], 3600);
    for user_id in [Value::Null, json!(ana.id)] {
        let body = json!({ "refresh_token": ana.refresh, "user_id": user_id });
        let fresh = muster.post("/v1/auth/refresh", body).send().await;
        assert_eq!(fresh.status, 200);
        let access = fresh.body["access_token"].as_str().unwrap();
        assert_eq!(muster.get("/v1/users/me").token(access).send().await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_code_is_right_once() {
    let muster = Muster::start().await;
    let id = muster.sign_up("ana@example.com").await;
    let path = format!("/v1/users/{id}/verification");
    let code = muster.code("ana@example.com");
    let wrong = if code == "000000" { "111111" } else { "000000" };
    let refused = muster.post(&path, json!({ "code": wrong })).send().await;
    assert_eq!((refused.status.as_u16(), refused.errors()), (400, vec![("/code".to_owned(), "incorrect".to_owned())]));
    assert_eq!(muster.post(&path, json!({ "code": code })).send().await.status, 200);
    assert_eq!(muster.post(&path, json!({ "code": code })).send().await.status, 400, "a second time proves nothing");
    let unknown = "/v1/users/0199d2a4-5c00-7000-8000-000000000001/verification";
    let nobody = muster.post(unknown, json!({ "code": code })).send().await;
    assert_eq!((nobody.status.as_u16(), nobody.errors()), (400, refused.errors()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resent_code_replaces_the_former_one() {
    let muster = Muster::start().await;
    let id = muster.sign_up("ana@example.com").await;
    let first = muster.code("ana@example.com");
    let again = muster.call("POST", &format!("/v1/users/{id}/verification/resend")).send().await;
    assert_eq!(again.status, 202);
    let second = muster.code("ana@example.com");
    assert_eq!(muster.outbox(Some("ana@example.com")).len(), 2);
    let path = format!("/v1/users/{id}/verification");
    if first != second {
        assert_eq!(muster.post(&path, json!({ "code": first })).send().await.status, 400);
    }
    assert_eq!(muster.post(&path, json!({ "code": second })).send().await.status, 200);
    let unknown = "/v1/users/0199d2a4-5c00-7000-8000-000000000001/verification/resend";
    assert_eq!(muster.call("POST", unknown).send().await.status, 202, "the answer tells nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_logs_in_by_username_and_by_document_however_it_is_written() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let patch = json!({ "username": "Ana.Lopez", "identification": { "type": "RUT", "value": "12.345.678-k" } });
    assert_eq!(muster.patch("/v1/users/me", patch).by(&ana).send().await.status, 200);
    for who in [
        json!({ "username": "ana.lopez" }),
        json!({ "document": { "type": "RUT", "value": "12345678K" } }),
        json!({ "document": { "type": "RUT", "value": "12 345 678-k" } }),
    ] {
        let mut body = who.clone();
        body["password"] = PASSWORD.into();
        let login = muster.post("/v1/auth/login", body).send().await;
        assert_eq!((login.status.as_u16(), &login.body["user_id"]), (200, &json!(ana.id)), "{who}");
    }
    let two = json!({ "username": "ana.lopez", "email": ana.email, "password": PASSWORD });
    assert_eq!(muster.post("/v1/auth/login", two).send().await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_an_unknown_user_and_a_blocked_user_look_the_same() {
    let muster = Muster::start().await;
    let (known, blocked) = (muster.ana().await, muster.ana().await);
    muster.sign_up("unverified@example.com").await;
    muster.set_status(&blocked.id, "BLOCKED").await;
    let cases = [
        (known.email.as_str(), "wrong password"),
        ("nobody@example.com", PASSWORD),
        (blocked.email.as_str(), PASSWORD),
        ("unverified@example.com", "wrong password"),
    ];
    let mut bodies = Vec::new();
    let mut times = vec![Vec::new(); cases.len()];
    // The least times: whatever else the machine does only ever adds to one. More rounds come closer to it.
    let least = |times: &[Vec<Duration>]| -> Vec<Duration> {
        times.iter().filter_map(|times| times.iter().min().copied()).collect()
    };
    // A look-up that was left out, or a hash, would show as a factor, not as a few per cent.
    let alike = |least: &[Duration]| *least.iter().max().unwrap() < *least.iter().min().unwrap() * 2;
    for round in 0..90 {
        if round >= 15 && alike(&least(&times)) {
            break;
        }
        for (case, (email, password)) in cases.iter().enumerate() {
            let began = now();
            let mut reply = muster.login(email, password).await;
            times[case].push(began.elapsed());
            assert_eq!(reply.status, 401);
            reply.body["instance"] = Value::Null;
            if round == 0 {
                bodies.push(reply.body);
            }
        }
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:?}");
    assert!(alike(&least(&times)), "the times tell the cases apart: {:?}", least(&times));
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_ends_the_session_at_once_and_no_other() {
    let muster = Muster::start().await;
    let here = muster.ana().await;
    let there = Ana::of(here.email.clone(), &muster.login(&here.email, PASSWORD).await);
    let out = muster.post("/v1/auth/logout", json!({ "refresh_token": here.refresh })).by(&here).send().await;
    assert_eq!(out.status, 204);
    assert_eq!(muster.get("/v1/users/me").by(&here).send().await.status, 401);
    let refresh = |ana: &Ana| muster.post("/v1/auth/refresh", json!({ "refresh_token": ana.refresh }));
    assert_eq!(refresh(&here).send().await.status, 401);
    assert_eq!(muster.get("/v1/users/me").by(&there).send().await.status, 200);
    assert_eq!(refresh(&there).send().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_with_another_ones_refresh_token_ends_ones_own_session_and_revokes_that_token() {
    let muster = Muster::start().await;
    let (ana, eve) = (muster.ana().await, muster.ana().await);
    let out = muster.post("/v1/auth/logout", json!({ "refresh_token": eve.refresh })).by(&ana).send().await;
    assert_eq!(out.status, 204);
    let refresh = |ana: &Ana| muster.post("/v1/auth/refresh", json!({ "refresh_token": ana.refresh }));
    assert_eq!(muster.get("/v1/users/me").by(&ana).send().await.status, 401);
    assert_eq!(refresh(&ana).send().await.status, 401, "its own token is of no use, though nobody revoked it");
    assert_eq!(refresh(&eve).send().await.status, 401);
    assert_eq!(muster.get("/v1/users/me").by(&eve).send().await.status, 200, "the other session goes on until then");
    assert_eq!(muster.login(&eve.email, PASSWORD).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_log_out_together_all_end() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let mut sessions = vec![ana.clone()];
    for _ in 0..7 {
        sessions.push(Ana::of(ana.email.clone(), &muster.login(&ana.email, PASSWORD).await));
    }
    let outs = sessions
        .iter()
        .map(|session| muster.post("/v1/auth/logout", json!({ "refresh_token": session.refresh })).by(session).send());
    assert!(crate::races::all(outs).await.iter().all(|reply| reply.status == 204));
    for session in &sessions {
        assert_eq!(muster.get("/v1/users/me").by(session).send().await.status, 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn recovery_sets_a_new_password_and_ends_all_sessions() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let asked = muster.post("/v1/auth/recovery", json!({ "email": ana.email.to_uppercase() })).send().await;
    assert_eq!(asked.status, 202);
    let unknown = muster.post("/v1/auth/recovery", json!({ "email": "nobody@example.com" })).send().await;
    assert_eq!((unknown.status, unknown.text), (asked.status, asked.text));
    assert!(muster.outbox(Some("nobody@example.com")).is_empty());
    let sent = muster.outbox(Some(&ana.email)).last().unwrap().clone();
    assert_eq!(sent.kind, "recovery");
    let confirm = |email: &str, code: &str, password: &str| {
        let body = json!({ "email": email, "code": code, "new_password": password });
        muster.post("/v1/auth/recovery/confirm", body)
    };
    let code = sent.code.unwrap();
    let wrong = if code == "000000" { "111111" } else { "000000" };
    let refused = confirm(&ana.email, wrong, "staple battery horse").send().await;
    let nobody = confirm("nobody@example.com", &code, "staple battery horse").send().await;
    assert_eq!((refused.status.as_u16(), refused.errors()), (400, nobody.errors()));
    assert_eq!(confirm(&ana.email, &code, "staple battery horse").send().await.status, 204);
    assert_eq!(muster.get("/v1/users/me").by(&ana).send().await.status, 401);
    assert_eq!(muster.post("/v1/auth/refresh", json!({ "refresh_token": ana.refresh })).send().await.status, 401);
    assert_eq!(muster.login(&ana.email, PASSWORD).await.status, 401);
    let again = muster.login(&ana.email, "staple battery horse").await;
    assert_eq!(again.status, 200);
    assert_eq!(confirm(&ana.email, &code, "staple battery horse 2").send().await.status, 400, "single use");
    let history = muster.get("/v1/users/me/history").by(&Ana::of(ana.email, &again)).send().await;
    assert_eq!(history.body["data"][0]["action"], "password_changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_expire() {
    let muster = Muster::start().await;
    let id = muster.sign_up("late@example.com").await;
    let code = muster.code("late@example.com");
    muster.clock_advances(Duration::from_secs(25 * 60 * 60));
    let late = muster.post(&format!("/v1/users/{id}/verification"), json!({ "code": code })).send().await;
    assert_eq!(late.errors(), [("/code".to_owned(), "incorrect".to_owned())]);
}

#[expect(clippy::disallowed_methods, reason = "how long an answer took")]
fn now() -> Instant {
    Instant::now()
}
