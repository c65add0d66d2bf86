//! Lock-out cannot be used against others: a stranger's wrong tries slow the stranger.

use aws_sdk_dynamodb::types::AttributeValue;
use local::Options;
use serde_json::{Value, json};

use crate::limits::within_a_minute;
use crate::system::{Ana, Muster, PASSWORD, Reply};

const STRANGER: u8 = 66;
const OTHER_DEVICE: u8 = 7;

async fn strict() -> Muster {
    let muster = Muster::with(Options { rate_limit_factor: 1, ..Options::default() }).await;
    within_a_minute().await;
    muster
}

async fn post_from(muster: &Muster, host: u8, path: &str, body: Value) -> Reply {
    muster.call_from(host, "POST", path).json(body).send().await
}

/// Sends a request from one address until it is refused for its number: how often it was let through.
async fn hammer(muster: &Muster, host: u8, path: &str, body: &Value) -> usize {
    for nth in 0..100 {
        let reply = post_from(muster, host, path, body.clone()).await;
        if reply.status == 429 {
            assert!(!reply.header("retry-after").is_empty(), "{reply:?}");
            return nth;
        }
    }
    panic!("{path} is never refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_wrong_passwords_refuse_the_stranger_alone() {
    let muster = strict().await;
    let ana = muster.ana().await;
    let right = json!({ "email": ana.email, "password": PASSWORD });
    let wrong = json!({ "email": ana.email, "password": "wrong password" });
    assert_eq!(hammer(&muster, STRANGER, "/v1/auth/login", &wrong).await, 10);
    let restore = format!("/v1/users/{}/restoration", ana.id);
    let refused = post_from(&muster, STRANGER, &restore, json!({ "password": PASSWORD })).await;
    assert_eq!(refused.status, 429, "the same account by another route");
    for host in [1, OTHER_DEVICE] {
        assert_eq!(post_from(&muster, host, "/v1/auth/login", right.clone()).await.status, 200, "{host}");
    }
    let unknown = json!({ "email": "nobody@example.com", "password": "wrong password" });
    assert_eq!(hammer(&muster, STRANGER + 1, "/v1/auth/login", &unknown).await, 10, "nor is it told who exists");
    let change = json!({ "old_password": PASSWORD, "new_password": "staple battery horse" });
    assert_eq!(muster.post("/v1/users/me/password", change).by(&ana).send().await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_failed_twenty_times_waits_for_tomorrow() {
    let muster = strict().await;
    let ana = muster.ana().await;
    let wrong = json!({ "email": ana.email, "password": "wrong password" });
    let unknown = json!({ "email": "nobody@example.com", "password": "wrong password" });
    for body in [&wrong, &unknown] {
        assert_eq!(hammer(&muster, STRANGER, "/v1/auth/login", body).await, 10);
    }
    // As if the minute were over: only the failures of the day remain.
    for item in muster.items_with("lent").await {
        muster.delete_item(&item).await;
    }
    for body in [&wrong, &unknown] {
        let reply = post_from(&muster, STRANGER, "/v1/auth/login", body.clone()).await;
        assert_eq!(reply.status, 401, "a new minute has another ten");
        let left = hammer(&muster, STRANGER, "/v1/auth/login", body).await;
        assert_eq!(left, 9);
    }
    for item in muster.items_with("lent").await {
        muster.delete_item(&item).await;
    }
    for body in [&wrong, &unknown] {
        let reply = post_from(&muster, STRANGER, "/v1/auth/login", body.clone()).await;
        assert_eq!(reply.status, 429, "twenty failures are a day's");
    }
    assert_eq!(muster.login(&ana.email, PASSWORD).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_wrong_codes_refuse_the_stranger_alone() {
    let muster = strict().await;
    let ana = muster.ana().await;
    let asked = post_from(&muster, OTHER_DEVICE, "/v1/auth/recovery", json!({ "email": ana.email })).await;
    assert_eq!(asked.status, 202);
    let code = muster.recovery_code(&ana.email);
    let wrong = if code == "000000" { "111111" } else { "000000" };
    let confirm =
        |email: &str, code: &str| json!({ "email": email, "code": code, "new_password": "staple battery horse" });
    let path = "/v1/auth/recovery/confirm";
    let mut refusals = Vec::new();
    for (host, email) in [(STRANGER, ana.email.as_str()), (STRANGER + 1, "nobody@example.com")] {
        let reply = post_from(&muster, host, path, confirm(email, wrong)).await;
        refusals.push((reply.status, reply.errors()));
        assert_eq!(hammer(&muster, host, path, &confirm(email, wrong)).await, 4);
    }
    assert_eq!(refusals[0], refusals[1], "nor is it told who exists");
    assert_eq!(hammer(&muster, STRANGER + 2, "/v1/auth/recovery", &json!({ "email": ana.email })).await, 3);
    let done = post_from(&muster, OTHER_DEVICE, path, confirm(&ana.email, &muster.recovery_code(&ana.email))).await;
    assert_eq!(done.status, 204, "{done:?}");
    assert_eq!(muster.login(&ana.email, "staple battery horse").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn made_up_keys_count_to_their_source() {
    let muster = strict().await;
    let ana = muster.ana().await;
    let (_, secret) = muster.key(&ana, "/v1/keys", &["read"]).await;
    let made_up = format!("mk_{}", "A".repeat(secret.len() - 3));
    let call = |host: u8, key: &str| muster.call_from(host, "GET", "/v1/segments").header("x-api-key", key).send();
    let mut statuses = Vec::new();
    for _ in 0..70 {
        statuses.push(call(STRANGER, &made_up).await.status.as_u16());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 60, "{statuses:?}");
    assert_eq!(statuses.last(), Some(&429));
    assert_eq!(call(OTHER_DEVICE, &made_up).await.status, 401);
    for host in [STRANGER, OTHER_DEVICE] {
        assert_eq!(call(host, &secret).await.status, 200, "a key that there is counts for itself");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn past_a_crowds_failures_known_sources_go_on() {
    let muster = strict().await;
    let ana = muster.ana().await;
    let right = json!({ "email": ana.email, "password": PASSWORD });
    let unknown = json!({ "email": "nobody@example.com", "password": PASSWORD });
    for email in [ana.email.as_str(), "nobody@example.com"] {
        let wrong = json!({ "email": email, "password": "wrong password" });
        assert_eq!(post_from(&muster, STRANGER, "/v1/auth/login", wrong).await.status, 401);
    }
    muster.age("failures", AttributeValue::N("199".to_owned())).await;
    assert_eq!(post_from(&muster, OTHER_DEVICE, "/v1/auth/login", right.clone()).await.status, 200);
    muster.age("failures", AttributeValue::N("200".to_owned())).await;
    for (host, body, status) in [
        (1, &right, 200),
        (OTHER_DEVICE, &right, 200),
        (OTHER_DEVICE + 1, &right, 429),
        (STRANGER, &right, 429),
        (1, &unknown, 429),
        (STRANGER, &unknown, 429),
    ] {
        let reply = post_from(&muster, host, "/v1/auth/login", body.clone()).await;
        assert_eq!(reply.status, status, "{host} {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_code_outlives_strangers_and_newer_codes_but_no_password() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let ask = json!({ "email": ana.email });
    let path = "/v1/auth/recovery/confirm";
    let confirm = |code: &str, password: &str| json!({ "email": ana.email, "code": code, "new_password": password });
    assert_eq!(muster.post("/v1/auth/recovery", ask.clone()).send().await.status, 202);
    let first = muster.recovery_code(&ana.email);
    for nth in 0..12 {
        let guess = format!("{:06}", (first.parse::<u32>().unwrap() + nth + 1) % 1_000_000);
        assert_eq!(post_from(&muster, STRANGER, path, confirm(&guess, "staple battery horse")).await.status, 400);
        assert_eq!(post_from(&muster, STRANGER, "/v1/auth/recovery", ask.clone()).await.status, 202);
    }
    let last = muster.recovery_code(&ana.email);
    let name = muster.post(path, confirm(&first, "correct horse ana")).send().await;
    assert_eq!(name.errors(), [("/new_password".to_owned(), "weak_password".to_owned())]);
    let wrong = muster.post(path, confirm("wrong", "correct horse ana")).send().await;
    assert_eq!(wrong.errors(), [("/code".to_owned(), "incorrect".to_owned())], "the name is nobody's business");
    assert_eq!(muster.get("/v1/users/me").by(&ana).send().await.status, 200, "nothing has changed until here");
    assert_eq!(muster.post(path, confirm(&first, "staple battery horse")).send().await.status, 204);
    assert_eq!(muster.post(path, confirm(&first, "a third password")).send().await.status, 400, "once");
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let change = json!({ "old_password": "staple battery horse", "new_password": "battery staple horse" });
    let ana = Ana::of(ana.email.clone(), &muster.login(&ana.email, "staple battery horse").await);
    assert_eq!(muster.post("/v1/users/me/password", change).by(&ana).send().await.status, 204);
    assert_eq!(muster.post(path, confirm(&last, "a third password")).send().await.status, 400);
    assert_eq!(muster.login(&ana.email, "battery staple horse").await.status, 200);
}

/// A session that tries passwords of its own user: whoever has stolen a token gets no more tries than a login has.
#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_token_tries_no_more_passwords_than_a_login() {
    let muster = strict().await;
    let ana: Ana = muster.ana().await;
    let change = json!({ "old_password": "wrong password", "new_password": "staple battery horse" });
    let mut statuses = Vec::new();
    for _ in 0..12 {
        let call = muster.call_from(STRANGER, "POST", "/v1/users/me/password").by(&ana);
        statuses.push(call.json(change.clone()).send().await.status.as_u16());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 400).count(), 10, "{statuses:?}");
    let right = json!({ "old_password": PASSWORD, "new_password": "staple battery horse" });
    assert_eq!(muster.post("/v1/users/me/password", right).by(&ana).send().await.status, 204);
}
