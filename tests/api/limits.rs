//! Rate limits.

use local::Options;
use serde_json::{Value, json};

use crate::system::{Muster, PASSWORD};

async fn strict() -> Muster {
    Muster::with(Options { rate_limit_factor: 1, ..Options::default() }).await
}

/// Waits where the minute is nearly over, since the next one counts anew.
pub(crate) async fn within_a_minute() {
    let left = 60 - u64::try_from(domain::Time::now().seconds()).unwrap() % 60;
    if left < 10 {
        tokio::time::sleep(std::time::Duration::from_secs(left)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_can_be_tried_ten_times_a_minute() {
    let muster = strict().await;
    within_a_minute().await;
    let ana = muster.ana().await;
    let mut statuses = Vec::new();
    for _ in 0..25 {
        statuses.push(muster.login(&ana.email.to_uppercase(), "wrong password").await.status.as_u16());
    }
    let tried = statuses.iter().filter(|status| **status == 401).count();
    // A minute may end in the middle, which gives another ten.
    assert!(tried == 10 || tried == 20, "{statuses:?}");
    let limited = muster.login(&ana.email, PASSWORD).await;
    if limited.status == 429 {
        assert_eq!(limited.body["code"], "rate_limited");
        let wait: u64 = limited.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&wait));
        assert!(limited.header("ratelimit-policy").contains("\"login-account\";q=10;w=60"));
        assert!(limited.header("ratelimit").contains("\"login-account\";r=0;"));
    }
    let unknown = muster.login("nobody@example.com", PASSWORD).await;
    assert_eq!(unknown.status, 401, "another account has its own ten");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_has_one_account_by_whatever_name_and_wherever_its_password_is_tried() {
    let muster = strict().await;
    within_a_minute().await;
    let ana = muster.ana().await;
    let patch = json!({ "username": "ana", "identification": { "type": "DNI", "value": "20.123.456" } });
    assert_eq!(muster.patch("/v1/users/me", patch).by(&ana).send().await.status, 200);
    let login = |mut who: Value| {
        who["password"] = "wrong password".into();
        muster.post("/v1/auth/login", who)
    };
    let restore = format!("/v1/users/{}/restoration", ana.id);
    let change = json!({ "old_password": "wrong password", "new_password": "staple battery horse" });
    let mut statuses = Vec::new();
    for _ in 0..5 {
        for call in [
            login(json!({ "email": ana.email })),
            login(json!({ "username": "ANA" })),
            login(json!({ "document": { "type": "DNI", "value": "20123456" } })),
            muster.post(&restore, json!({ "password": "wrong password" })),
            muster.post("/v1/users/me/password", change.clone()).by(&ana),
        ] {
            statuses.push(call.send().await.status.as_u16());
        }
    }
    assert_eq!(statuses.iter().filter(|status| **status != 429).count(), 10, "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_exists_is_told_to_one_address_sixty_times_a_minute_whoever_asks() {
    let muster = strict().await;
    within_a_minute().await;
    let askers = [muster.ana().await, muster.ana().await, muster.ana().await];
    let mut told = 0;
    // 25 for each, who alone may ask 30 times.
    for nth in 0..75 {
        let asked = muster.get("/v1/users/exists?email=nobody@example.com").by(&askers[nth % 3]).send().await;
        assert!(matches!(asked.status.as_u16(), 200 | 429), "{asked:?}");
        told += u32::from(asked.status == 200);
    }
    assert_eq!(told, 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_ups_of_one_address_are_limited() {
    let muster = strict().await;
    within_a_minute().await;
    let mut made = 0;
    for nth in 0..25 {
        let body = json!({ "email": format!("a{nth}@example.com"), "name": "A", "password": PASSWORD });
        let reply = muster.post("/v1/users", body).send().await;
        assert!(matches!(reply.status.as_u16(), 201 | 429), "{reply:?}");
        made += u32::from(reply.status == 201);
    }
    assert!(made == 10 || made == 20, "{made}");
}

#[tokio::test(flavor = "multi_thread")]
async fn idempotency_keys_of_visitors_are_counted_before_anything_is_written_for_them() {
    let muster = strict().await;
    within_a_minute().await;
    let mut statuses = Vec::new();
    for nth in 0..70 {
        let call = muster.post("/v1/segments", json!({ "name": "A" })).header("idempotency-key", &format!("key-{nth}"));
        statuses.push(call.send().await.status.as_u16());
    }
    assert_eq!((statuses[0], statuses[69]), (401, 429), "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 60, "{statuses:?}");
    let ana = muster.ana().await;
    let call = muster.post("/v1/segments", json!({ "name": "A" })).by(&ana).header("idempotency-key", "own");
    assert_eq!(call.send().await.status, 201, "who has a credential is no visitor");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_is_told_what_is_left_and_then_refused() {
    let muster = strict().await;
    within_a_minute().await;
    let ana = muster.ana().await;
    let mut passed = 0;
    let mut last = None;
    for _ in 0..1300 {
        let reply = muster.get("/v1/users/me").by(&ana).send().await;
        assert!(reply.header("ratelimit-policy").contains("\"credential\";q=600;w=60"));
        if reply.status == 429 {
            last = Some(reply);
            break;
        }
        passed += 1;
    }
    let refused = last.unwrap();
    assert!(refused.header("ratelimit").contains("r=0"));
    assert!((600..=1200).contains(&passed), "{passed}");
    let leases = muster.items("R#").await;
    assert!(leases.len() <= 6, "a limit costs a fraction of a write: {leases:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_one_credential_does_not_use_up_its_minute_at_once() {
    let muster = strict().await;
    within_a_minute().await;
    let ana = muster.ana().await;
    let calls = (0..200).map(|_| muster.get("/v1/users/me").by(&ana).send());
    let refused = crate::races::all(calls).await.iter().filter(|reply| reply.status == 429).count();
    assert_eq!(refused, 0);
}
