//! Developers: those whom an account registers, and those who register themselves and call with its keys.

use domain::DeveloperFields;
use domain::field::Body as _;
use serde_json::{Value, json};

use crate::dialects::platform::open_developer;
use crate::system::Reply;
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
async fn token_is_not_stored_and_opens_nothing_by_itself() {
    let world = World::start().await;
    let made = world.muster.made(&world.ana, "/v1/developers", DeveloperFields::example()).await;
    let path = format!("/v1/developers/{}", id(&made));
    let given = world.call("POST", &format!("{path}/token")).send().await;
    let token = given.body["token"].as_str().unwrap();
    assert!(given.status == 200 && token.starts_with("dv_") && token.len() == 86, "{given:?}");
    assert_eq!(world.read(&path).await, made, "nothing of it is shown again");
    let table = world.muster.whole_table().await;
    assert!(!table.contains(token) && !table.contains(&token[11..]), "the table has the token");
    for call in [world.muster.get(&path).token(token), world.muster.get(&path).header("x-api-key", token)] {
        assert_eq!(call.send().await.status, 401);
    }
}

/// A look-up by a developer's token and the key of a segment.
async fn look_up(world: &World, developer: &str, key: &str) -> Reply {
    let call = world.muster.get("/platform/products/all-products").header("x-developer-token", developer);
    call.header("x-platform-token", key).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn developer_of_no_account_is_listed_once_it_calls_and_can_be_banned() {
    let world = World::start().await;
    let eve = world.muster.ana().await;
    let hers = id(&world.muster.made(&eve, "/v1/segments", json!({ "name": "Hers" })).await);
    let her_key = world.muster.key(&eve, &format!("/v1/segments/{hers}/keys"), &["read"]).await.1;
    let (_, key) = world.key(&["read"]).await;
    let (developer, token) = open_developer(&world.muster).await;
    let one = format!("/v1/developers/{developer}");
    assert_eq!(world.get(&one).await.status, 404);
    for _ in 0..2 {
        assert_eq!(look_up(&world, &token, &key).await.status, 200);
    }
    let listed = world.read(&one).await;
    assert_eq!((&listed["account_id"], &listed["banned_at"]), (&Value::Null, &Value::Null), "{listed}");
    assert!(listed["first_used_at"].is_string() && listed["app_name"] == "Enrolment", "{listed}");
    assert_eq!(column(&world.get("/v1/developers").await, "id"), [json!(developer)]);
    assert_eq!(column(&world.muster.get("/v1/developers").by(&eve).send().await, "id"), [] as [Value; 0]);
    for (method, body) in [("PATCH", json!({ "name": "Eva" })), ("DELETE", Value::Null)] {
        let reply = world.send(method, &one, body).await;
        assert_eq!(reply.status, 403, "{reply:?}");
    }
    for _ in 0..2 {
        let banned = world.call("PUT", &format!("{one}/ban")).send().await;
        assert!(banned.status == 200 && banned.body["banned_at"].is_string(), "{banned:?}");
        assert_eq!(banned.body["version"], 2);
    }
    assert_eq!(look_up(&world, &token, &key).await.status, 401);
    assert_eq!(look_up(&world, &open_token(&world, &developer).await, &key).await.status, 401);
    assert_eq!(look_up(&world, &token, &her_key).await.status, 200, "a ban is of one account");
    let stale = world.call("DELETE", &format!("{one}/ban")).header("if-match", "\"1\"").send().await;
    assert_eq!(stale.status, 412);
    let lifted = world.call("DELETE", &format!("{one}/ban")).send().await;
    assert_eq!((lifted.status.as_u16(), &lifted.body["banned_at"]), (200, &Value::Null), "{lifted:?}");
    assert_eq!(look_up(&world, &token, &key).await.status, 200);
    let audit = world.get("/v1/audit").await;
    let actions: Vec<_> = audit.body["data"].as_array().unwrap().iter().map(|row| row["action"].clone()).collect();
    let acts = ["developer.first_used", "developer.banned", "developer.unbanned"];
    for act in acts {
        assert_eq!(actions.iter().filter(|action| **action == act).count(), 1, "{act} {actions:?}");
    }
}

/// A token that a developer asks for itself.
async fn open_token(world: &World, developer: &str) -> String {
    let given = world.muster.post("/platform/generate-token", json!({ "user_id": developer })).send().await;
    given.body["token"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn own_developer_is_of_its_account_only_and_can_be_banned_too() {
    let world = World::start().await;
    let (_, key) = world.key(&["read"]).await;
    let made = world.muster.made(&world.ana, "/v1/developers", DeveloperFields::example()).await;
    assert_eq!(made["first_used_at"], Value::Null);
    let (one, token) = (format!("/v1/developers/{}", id(&made)), open_token(&world, &id(&made)).await);
    let eve = world.muster.ana().await;
    let hers = id(&world.muster.made(&eve, "/v1/segments", json!({ "name": "Hers" })).await);
    let her_key = world.muster.key(&eve, &format!("/v1/segments/{hers}/keys"), &["read"]).await.1;
    assert_eq!(look_up(&world, &token, &her_key).await.status, 401);
    assert_eq!(look_up(&world, &token, &key).await.status, 200);
    let used = world.read(&one).await;
    assert!(used["first_used_at"].is_string() && used["version"] == 2, "{used}");
    assert_eq!(world.call("PUT", &format!("{one}/ban")).send().await.status, 200);
    assert_eq!(look_up(&world, &token, &key).await.status, 401);
    assert_eq!(world.call("DELETE", &one).send().await.status, 204);
    let gone = world.muster.post("/platform/generate-token", json!({ "user_id": made["id"] })).send().await;
    assert_eq!(gone.status, 404);
    let left = world.muster.lasting().await;
    assert!(!left.iter().any(|item| item.contains("app_desc")), "{left:?}");
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
    let table = world.muster.whole_table().await;
    assert!(!table.contains("app_desc") && !table.contains("DR#"), "{table}");
}
