//! What was deleted: listed as it was, by those who manage it, until what it belonged to is gone too.

use serde_json::{Value, json};

use crate::crashes::still;
use crate::system::Ana;
use crate::world::World;

/// The names in a list of what was deleted.
async fn deleted(world: &World, by: &Ana, list: &str, parameters: &str) -> Vec<Value> {
    let reply = world.muster.get(&format!("{list}?deleted=true{parameters}")).by(by).send().await;
    assert_eq!(reply.status, 200, "{list}: {reply:?}");
    reply.body["data"].as_array().unwrap().iter().map(|row| row.get("alias").unwrap_or(&row["name"]).clone()).collect()
}

/// One of a list, made and deleted: what it was.
async fn gone(world: &World, list: &str, new: Value) -> Value {
    let made = world.muster.made(&world.ana, list, new).await;
    let list = if list.ends_with("/memberships") { "/v1/memberships" } else { list };
    let path = format!("{list}/{}", made["id"].as_str().unwrap());
    assert_eq!(world.call("DELETE", &path).send().await.status, 204, "{path}");
    assert_eq!(world.get(&path).await.status, 404, "{path}");
    made
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_is_listed_as_it_was_to_those_who_manage_it_alone() {
    let world = World::start().await;
    let memberships = format!("/v1/segments/{}/memberships", world.segment);
    let field = |key: &str| json!({ "key": key, "name": key, "type": "string" });
    let level = |name: &str, number: u32| {
        let from = number * 10;
        json!({ "name": name, "number": number, "from_point": from, "to_point": from + 9 })
    };
    let bea = world.muster.ana().await;
    let (levels, fields) = (world.path("/levels"), world.path("/fields"));
    for (list, news, flows) in [
        ("/v1/users/me/addresses", [json!({ "alias": "b" }), json!({ "alias": "a" })], "address/list/{me}"),
        ("/v1/segments", [json!({ "name": "b" }), json!({ "name": "a" })], "segment/list/{me}"),
        (&memberships, [json!({ "name": "b" }), json!({ "name": "a" })], "membership/list/{segment}"),
        (&levels, [level("b", 1), level("a", 2)], "membership-level/list/{membership}"),
        (&fields, [field("b"), field("a")], "membership-custom-field/list/{membership}"),
    ] {
        let before = world.get(list).await.body;
        assert!(deleted(&world, &world.ana, list, "").await.is_empty(), "{list}");
        let [first, second] = news;
        let first = gone(&world, list, first).await;
        gone(&world, list, second).await;
        assert_eq!(world.get(list).await.body["data"], before["data"], "{list}");
        assert_eq!(deleted(&world, &world.ana, list, "&sort=id").await, ["b", "a"], "{list}");
        assert_eq!(deleted(&world, &world.ana, list, "&sort=-created_at&page[size]=1").await, ["a"], "{list}");
        let rows = world.get(&format!("{list}?deleted=true&sort=id")).await;
        assert_eq!((&rows.body["data"][0], &rows.body["page"]["total_items"]), (&first, &json!(2)), "{list}");
        assert_eq!(world.get(&format!("{list}?deleted=perhaps")).await.status, 400, "{list}");

        let flows = flows.replace("{me}", &world.ana.id).replace("{segment}", &world.segment);
        let flows = format!("/flows/{}?removed=true", flows.replace("{membership}", &world.membership));
        let removed = world.get(&flows).await;
        assert_eq!(removed.header("x-total-results"), "2", "{flows}: {removed:?}");
        for (row, name) in removed.body.as_array().unwrap().iter().zip(["b", "a"]) {
            assert_eq!((row.get("alias").unwrap_or(&row["name"]), &row["removed"]), (&json!(name), &json!(true)));
        }
        let page = world.get(&format!("{flows}&no_items=1&page=2")).await;
        assert_eq!((page.body[0]["id"].as_str(), page.header("x-total-pages")), (removed.body[1]["id"].as_str(), "2"));

        let others = world.muster.get(&format!("{list}?deleted=true")).by(&bea).send().await;
        let own = list.contains("/me/") || list == "/v1/segments";
        assert_eq!(others.status, if own { 200 } else { 404 }, "{list}");
        assert!(!own || others.body["data"] == json!([]), "{list}: {others:?}");
        assert!(matches!(world.muster.get(&flows).by(&bea).send().await.status.as_u16(), 403 | 404), "{flows}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_goes_with_what_it_belonged_to() {
    let world = World::on(still().await, json!({ "name": "Club" })).await;
    let segment = format!("/v1/segments/{}", world.segment);
    gone(&world, "/v1/users/me/addresses", json!({ "alias": "Home" })).await;
    gone(&world, &format!("{segment}/memberships"), json!({ "name": "Other" })).await;
    gone(&world, &world.path("/fields"), json!({ "key": "a", "name": "a", "type": "string" })).await;
    let kept = async || world.muster.items("K#").await;
    assert_eq!(kept().await.len(), 3);
    assert_eq!(world.call("DELETE", &world.path("")).send().await.status, 204);
    world.muster.work().await;
    assert_eq!(kept().await.len(), 3, "the membership is kept, and what was its own is not: {:?}", kept().await);
    assert_eq!(world.call("DELETE", &segment).send().await.status, 204);
    world.muster.work().await;
    assert_eq!(kept().await.len(), 2, "the segment is kept, with the address: {:?}", kept().await);
    assert_eq!(world.call("DELETE", "/v1/users/me?purge=true").send().await.status, 204);
    world.muster.work().await;
    assert_eq!(kept().await, Vec::<String>::new());
}
