//! `Idempotency-Key`.

use serde_json::json;

use crate::system::{Muster, PASSWORD};

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_gets_the_first_answer_and_another_body_is_refused() {
    let muster = Muster::start().await;
    let (ana, eve) = (muster.ana().await, muster.ana().await);
    let send = async |who, alias: &str, key: &str| {
        muster
            .post("/v1/users/me/addresses", json!({ "alias": alias }))
            .by(who)
            .header("idempotency-key", key)
            .send()
            .await
    };
    let first = send(&ana, "Home", "k").await;
    let again = send(&ana, "Home", "k").await;
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), ("", "true"));
    assert_eq!((again.header("location"), again.header("etag")), (first.header("location"), first.header("etag")));
    assert_eq!(send(&ana, "Office", "k").await.body["code"], "idempotency_mismatch");
    assert_eq!(send(&eve, "Office", "k").await.status, 201, "another caller's key is another key");
    let list = muster.get("/v1/users/me/addresses").by(&ana).send().await;
    assert_eq!(list.body["page"]["total_items"], 1);
    for key in ["", &"x".repeat(256)] {
        assert_eq!(send(&ana, "Home", key).await.status, 400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_the_first_answer_too() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let taken = json!({ "email": ana.email, "name": "Eve", "password": PASSWORD });
    let send = async || muster.post("/v1/users", taken.clone()).header("idempotency-key", "k").send().await;
    assert_eq!(send().await.status, 409);
    assert_eq!(muster.delete("/v1/users/me").by(&ana).send().await.status, 204);
    let again = send().await;
    assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (409, "true"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_is_replayed_too_and_nobody_else_reads_what_is_kept() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let send = async |name: &str| {
        muster.patch("/v1/users/me", json!({ "name": name })).by(&ana).header("idempotency-key", "k").send().await
    };
    assert_eq!(send("Unmistakable").await.body["version"], 3);
    assert_eq!(send("Unmistakable").await.body["version"], 3);
    let kept = muster.dynamodb().scan().table_name(&muster.wiring.table).send().await.unwrap();
    let kept = kept.items().iter().find(|item| item["PK"].as_s().unwrap().starts_with("I#")).unwrap();
    let sealed = kept["answer"].as_b().unwrap().as_ref();
    assert!(!sealed.windows(12).any(|window| window == b"Unmistakable"));
    muster.set_status(&ana.id, "BLOCKED").await;
    assert_eq!(send("Unmistakable").await.status, 401, "who is shut out gets no answer of former days");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_replayed_but_never_a_refusal_that_may_pass() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let login = async |password: &str, key: &str| {
        let body = json!({ "email": ana.email, "password": password });
        muster.post("/v1/auth/login", body).header("idempotency-key", key).send().await
    };
    let first = login(PASSWORD, "k").await;
    assert_eq!(login(PASSWORD, "k").await.text, first.text);
    assert_eq!(login("staple battery horse", "l").await.status, 401);
    let change = json!({ "old_password": PASSWORD, "new_password": "staple battery horse" });
    assert_eq!(muster.post("/v1/users/me/password", change).by(&ana).send().await.status, 204);
    assert_eq!(login("staple battery horse", "l").await.status, 200);
    assert!(!muster.whole_table().await.contains(first.body["access_token"].as_str().unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_or_a_method_that_is_not_there_keeps_nothing() {
    let muster = Muster::start().await;
    for (method, path, status) in
        [("POST", "/v1/nowhere", 404), ("POST", "/v1/users/exists", 405), ("PATCH", "/health", 405)]
    {
        let reply = muster.call(method, path).json(json!({})).header("idempotency-key", "k").send().await;
        assert_eq!(reply.status, status, "{method} {path}");
    }
    assert!(muster.items("I#").await.is_empty());
}
