//! Developers: who writes programs against an account's segments, each with a token of its own.

use domain::DeveloperFields;
use domain::field::Body as _;
use serde_json::{Value, json};

use crate::world::{World, as_refused, column, id, refused};

#[tokio::test(flavor = "multi_thread")]
async fn a_developer_is_registered_read_changed_and_deleted() {
    let world = World::start().await;
    let made = world.send("POST", "/v1/developers", DeveloperFields::example()).await;
    assert_eq!((made.status.as_u16(), &made.body["account_id"]), (201, &json!(world.ana.id)), "{made:?}");
    let one = format!("/v1/developers/{}", id(&made.body));
    assert_eq!(made.header("location"), one);
    assert_eq!(world.read(&one).await, made.body);
    assert_eq!(column(&world.get("/v1/developers?filter[app_name]=enrol*").await, "id"), [made.body["id"].clone()]);
    assert_eq!(column(&world.get("/v1/developers?filter[email]=eva@example.com").await, "id"), [] as [Value; 0]);
    let stale = world.call("PATCH", &one).header("if-match", "\"7\"").json(json!({ "name": "Eva" })).send().await;
    assert_eq!(stale.status, 412);
    let changed = world.send("PATCH", &one, json!({ "name": "Eva", "document": 12 })).await;
    assert_eq!((&changed.body["name"], &changed.body["document"]), (&json!("Eva"), &json!("12")), "{changed:?}");
    assert_eq!(
        refused(&world.send("PATCH", &one, json!({ "email": null })).await),
        as_refused((400, "/email", "invalid_type"))
    );
    assert_eq!(world.call("DELETE", &one).send().await.status, 204);
    for method in ["GET", "DELETE"] {
        assert_eq!(world.call(method, &one).send().await.status, 404);
    }
    assert_eq!(world.call("POST", &format!("{one}/token")).send().await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_a_developer_is_required() {
    let world = World::start().await;
    let example = DeveloperFields::example();
    for field in example.as_object().unwrap().keys() {
        let mut body = example.clone();
        body.as_object_mut().unwrap().remove(field);
        let reply = world.send("POST", "/v1/developers", body).await;
        assert_eq!(refused(&reply), as_refused((400, &format!("/{field}"), "required")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shown_once_kept_as_a_hash_and_opens_nothing_by_itself() {
    let world = World::start().await;
    let made = world.muster.made(&world.ana, "/v1/developers", DeveloperFields::example()).await;
    let path = format!("/v1/developers/{}", id(&made));
    let given = world.call("POST", &format!("{path}/token")).send().await;
    let token = given.body["token"].as_str().unwrap();
    assert!(given.status == 200 && token.starts_with("dv_") && token.len() == 67, "{given:?}");
    assert_eq!(world.read(&path).await, made, "nothing of it is shown again");
    let table = world.muster.whole_table().await;
    assert!(!table.contains(token) && !table.contains(&token[11..]), "the table has the token");
    for call in [world.muster.get(&path).token(token), world.muster.get(&path).header("x-api-key", token)] {
        assert_eq!(call.send().await.status, 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn developers_are_their_own_accounts_and_go_with_it() {
    let world = World::start().await;
    let made = world.muster.made(&world.ana, "/v1/developers", DeveloperFields::example()).await;
    let eve = world.muster.ana().await;
    let path = format!("/v1/developers/{}", id(&made));
    for (method, rest) in [("GET", ""), ("DELETE", ""), ("POST", "/token")] {
        assert_eq!(world.muster.call(method, &format!("{path}{rest}")).by(&eve).send().await.status, 404);
    }
    assert_eq!(column(&world.muster.get("/v1/developers").by(&eve).send().await, "id"), [] as [Value; 0]);
    let purge = world.call("DELETE", "/v1/users/me?purge=true").send().await;
    assert_eq!(purge.status, 204, "{purge:?}");
    assert!(!world.muster.whole_table().await.contains("app_desc"));
}
