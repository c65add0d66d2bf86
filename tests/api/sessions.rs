//! Sessions: refresh tokens that rotate, and where a user is signed in.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Time;
use serde_json::{Value, json};

use crate::system::{Ana, Muster, PASSWORD, Reply};
use crate::world::{World, id};

async fn refresh(muster: &Muster, token: &str) -> Reply {
    muster.post("/v1/auth/refresh", json!({ "refresh_token": token })).send().await
}

fn text(reply: &Reply, name: &str) -> String {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body[name].as_str().unwrap().to_owned()
}

/// Makes what was replaced until now have been replaced more than a minute ago.
async fn a_minute_passes(muster: &Muster) {
    let earlier = (Time::now().seconds() - 61).to_string();
    for key in muster.items_with("replaced").await {
        let table = &muster.wiring.table;
        let read = muster.dynamodb().get_item().table_name(table).set_key(Some(key.clone())).send().await.unwrap();
        let replaced = read.item.unwrap()["replaced"].as_m().unwrap().clone();
        let aged = replaced.into_keys().map(|generation| (generation, AttributeValue::N(earlier.clone())));
        let update = muster.dynamodb().update_item().table_name(table).set_key(Some(key));
        let update = update.update_expression("SET replaced = :aged");
        let update = update.expression_attribute_values(":aged", AttributeValue::M(aged.collect()));
        update.send().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refresh_gives_another_token_and_a_copy_used_later_ends_the_session() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let other = Ana::of(ana.email.clone(), &muster.login(&ana.email, PASSWORD).await);
    let first = refresh(&muster, &ana.refresh).await;
    assert_eq!(first.body["expires_in"], 3600);
    let second = text(&first, "refresh_token");
    assert_ne!(second, ana.refresh);
    // At the same time it is good for all who have it, and they go on with the same one.
    assert_ne!(text(&refresh(&muster, &ana.refresh).await, "refresh_token"), ana.refresh);
    let third = refresh(&muster, &second).await;
    let (access, third) = (text(&third, "access_token"), text(&third, "refresh_token"));
    assert_eq!(refresh(&muster, &ana.refresh).await.status, 200, "it has its minute, whatever came after it");
    a_minute_passes(&muster).await;
    assert_eq!(muster.get("/v1/users/me").token(&access).send().await.status, 200);
    assert_eq!(refresh(&muster, &second).await.status, 401);
    assert_eq!(muster.get("/v1/users/me").token(&access).send().await.status, 401, "somebody has a copy");
    assert_eq!(refresh(&muster, &third).await.status, 401);
    assert_eq!(refresh(&muster, &other.refresh).await.status, 200, "no other session has");
    let audit = muster.get("/v1/audit?action=session.reused").by(&other).send().await;
    assert_eq!(
        (audit.body["data"][0]["result"].as_str(), audit.body["data"].as_array().unwrap().len()),
        (Some("failed"), 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_token_that_was_given_refreshes() {
    let muster = Muster::start().await;
    let (ana, eve) = (muster.ana().await, muster.ana().await);
    let (head, tail) = ana.refresh.split_at(40);
    let forged = [
        format!("{head}A{}", &tail[1..]),
        ana.refresh[..ana.refresh.len() - 4].to_owned(),
        "rt_".to_owned(),
        "rt_AAAA".to_owned(),
        ana.access.clone(),
    ];
    for token in forged.iter().filter(|token| **token != ana.refresh) {
        assert_eq!(refresh(&muster, token).await.status, 401);
    }
    let body = json!({ "refresh_token": ana.refresh, "user_id": eve.id });
    assert_eq!(muster.post("/v1/auth/refresh", body).send().await.status, 401);
    assert_eq!(refresh(&muster, &ana.refresh).await.status, 200);
    for item in [format!("U#{}", ana.id), format!("U#{}", eve.id)] {
        assert!(!muster.whole_table().await.contains("of_cognito"), "{item}: no token is kept");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_sees_where_it_is_signed_in_and_ends_that() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let login = json!({ "email": ana.email, "password": PASSWORD });
    let call = muster.call_from(7, "POST", "/v1/auth/login").header("user-agent", "A phone").json(login.clone());
    let phone = Ana::of(ana.email.clone(), &call.send().await);
    let tablet = Ana::of(ana.email.clone(), &muster.post("/v1/auth/login", login).send().await);
    let listed = muster.get("/v1/users/me/sessions").by(&ana).send().await;
    let rows = listed.body["data"].as_array().unwrap().clone();
    assert_eq!(listed.body["page"]["total_items"], 3, "{listed:?}");
    let current: Vec<_> = rows.iter().map(|row| row["current"].clone()).collect();
    assert_eq!(current, [json!(false), json!(false), json!(true)], "newest first");
    assert_eq!((&rows[1]["address"], &rows[1]["agent"]), (&json!("127.0.0.7"), &json!("A phone")));
    for name in ["id", "created_at", "last_used_at"] {
        assert!(rows[1][name].is_string(), "{name}");
    }
    assert!(!listed.text.contains("token"), "{}", listed.text);
    let path = format!("/v1/users/{}/sessions/{}", ana.id, rows[1]["id"].as_str().unwrap());
    assert_eq!(muster.delete(&path).by(&ana).send().await.status, 204);
    assert_eq!(muster.get("/v1/users/me").by(&phone).send().await.status, 401);
    assert_eq!(refresh(&muster, &phone.refresh).await.status, 401);
    assert_eq!(muster.delete(&path).by(&ana).send().await.status, 404, "it has ended");
    assert_eq!(muster.delete("/v1/users/me/sessions").by(&ana).send().await.status, 204);
    assert_eq!(muster.get("/v1/users/me").by(&tablet).send().await.status, 401);
    assert_eq!(refresh(&muster, &tablet.refresh).await.status, 401);
    let left = muster.get("/v1/users/me/sessions").by(&ana).send().await;
    assert_eq!((&left.body["page"]["total_items"], &left.body["data"][0]["current"]), (&json!(1), &json!(true)));
    assert_eq!(refresh(&muster, &ana.refresh).await.status, 200);
    assert_eq!(muster.login(&ana.email, PASSWORD).await.status, 200, "a new one begins at once");
    let audit = muster.get("/v1/audit?action=session.revoked").by(&ana).send().await;
    assert_eq!(audit.body["data"].as_array().unwrap().len(), 2);
    assert_eq!(muster.delete("/v1/users/me?purge=true").by(&ana).send().await.status, 204);
    assert!(muster.items(&format!("U#{}", ana.id)).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_end_with_the_password_and_with_logging_out() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let there = Ana::of(ana.email.clone(), &muster.login(&ana.email, PASSWORD).await);
    let out = muster.post("/v1/auth/logout", json!({ "refresh_token": there.refresh })).by(&there).send().await;
    assert_eq!(out.status, 204);
    let count =
        async |ana: &Ana| muster.get("/v1/users/me/sessions").by(ana).send().await.body["page"]["total_items"].clone();
    assert_eq!(count(&ana).await, 1);
    muster.login(&ana.email, PASSWORD).await;
    assert_eq!(count(&ana).await, 2);
    let change = json!({ "old_password": PASSWORD, "new_password": "staple battery horse" });
    assert_eq!(muster.post("/v1/users/me/password", change).by(&ana).send().await.status, 204);
    assert_eq!(count(&ana).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_a_segment_sees_and_ends_the_sessions_of_its_users() {
    let world = World::start().await;
    let muster = &world.muster;
    let user = world.user(json!({ "email": "user@example.com", "password": PASSWORD })).await;
    let login = json!({ "email": "user@example.com", "password": PASSWORD, "segment_id": world.segment });
    let login = async || Ana::of(String::new(), &muster.post("/v1/auth/login", login.clone()).send().await);
    let (one, two) = (login().await, login().await);
    let path = format!("/v1/users/{user}/sessions");
    let (_, reader) = world.key(&["read"]).await;
    let (_, writer) = world.key(&["read", "write"]).await;
    let listed = muster.get(&path).token(&reader).send().await;
    assert_eq!(listed.body["page"]["total_items"], 2, "{listed:?}");
    assert!(listed.body["data"].as_array().unwrap().iter().all(|row| row["current"] == false));
    let first = format!("{path}/{}", id(&listed.body["data"][1]));
    assert_eq!(muster.delete(&first).token(&reader).send().await.status, 403);
    assert_eq!(muster.delete(&path).token(&reader).send().await.status, 403);
    let stranger = muster.ana().await;
    for (method, path) in [("GET", &path), ("DELETE", &path), ("DELETE", &first)] {
        assert_eq!(muster.call(method, path).by(&stranger).send().await.status, 404, "{method} {path}");
    }
    assert_eq!(muster.delete(&first).token(&writer).send().await.status, 204);
    assert_eq!(muster.get("/v1/users/me").by(&one).send().await.status, 401);
    assert_eq!(muster.get("/v1/users/me").by(&two).send().await.status, 200);
    assert_eq!(world.call("DELETE", &path).send().await.status, 204);
    assert_eq!(muster.get("/v1/users/me").by(&two).send().await.status, 401);
    assert_eq!(world.read(&path).await["page"]["total_items"], Value::from(0));
}
