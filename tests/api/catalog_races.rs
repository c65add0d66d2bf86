//! Catalogs that change or go while custom fields come to name them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::faults::{Phase, Plan, Verdict, functions_behind};
use crate::races::all;
use crate::system::Reply;
use crate::world::{World, as_refused, id, refused};

/// A catalog with two choices: its id and its path.
async fn catalog(world: &World) -> (String, String) {
    let catalogs = format!("/v1/segments/{}/catalogs", world.segment);
    let options = json!([{ "key": "a", "value": "A" }, { "key": "b", "value": "B" }]);
    let made = id(&world.muster.made(&world.ana, &catalogs, json!({ "name": "C", "options": options })).await);
    (made.clone(), format!("{catalogs}/{made}"))
}

/// What makes a field that names a catalog.
fn field(key: &str, catalog: &str) -> Value {
    json!({ "key": key, "name": key, "type": "dropdown", "catalog_id": catalog })
}

/// Sends a request whose transaction waits until `meanwhile` has come to its end: status and first error of its answer.
async fn held(
    world: &World,
    (method, path, body): (&str, &str, Value),
    meanwhile: impl Future<Output = ()>,
) -> (u16, String, String) {
    let (reached, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (here, told, first) = (reached.clone(), go_on.clone(), AtomicBool::new(true));
    let plan: Plan = Arc::new(move |operation, _, phase| {
        if operation == "TransactWriteItems" && phase == Phase::Before && first.swap(false, Ordering::SeqCst) {
            here.notify_one();
            return Verdict::Until(told.clone());
        }
        Verdict::Pass
    });
    let url = functions_behind(&world.muster, plan).await;
    let call = reqwest::Client::new().request(method.parse().unwrap(), format!("{url}{path}"));
    let call = call.bearer_auth(&world.ana.access).header("content-type", "application/json");
    let call = tokio::spawn(call.body(if body.is_null() { String::new() } else { body.to_string() }).send());
    reached.notified().await;
    meanwhile.await;
    go_on.notify_one();
    let reply = call.await.unwrap().unwrap();
    let status = reply.status().as_u16();
    let body: Value = serde_json::from_str(&reply.text().await.unwrap()).unwrap_or_default();
    let text = |name: &str| body["errors"][0][name].as_str().unwrap_or_default().to_owned();
    (status, text("pointer"), text("code"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_cannot_name_a_catalog_that_goes_before_it_is_written() {
    let world = World::start().await;
    let gone = async |path: String| assert_eq!(world.call("DELETE", &path).send().await.status, 204);
    let (one, path) = catalog(&world).await;
    let made = ("POST", &*world.path("/fields"), field("bank", &one));
    assert_eq!(held(&world, made, gone(path)).await, as_refused((400, "/catalog_id", "unknown")));

    let options = json!([{ "key": "a", "value": "A" }]);
    let bank = world.field("bank", "dropdown", json!({ "options": options })).await;
    let (other, path) = catalog(&world).await;
    let change = ("PATCH", &*bank, json!({ "options": null, "catalog_id": other }));
    assert_eq!(held(&world, change, gone(path)).await, as_refused((400, "/catalog_id", "unknown")));
    assert_eq!(world.read(&bank).await["options"][0]["key"], "a");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalog_stays_that_a_field_comes_to_name_before_it_goes() {
    let world = World::start().await;
    for (nth, version) in [None, Some("1")].into_iter().enumerate() {
        let (one, path) = catalog(&world).await;
        let key = format!("bank{nth}");
        let made = async { drop(world.made("/fields", field(&key, &one)).await) };
        assert_eq!(held(&world, ("DELETE", &path, Value::Null), made).await, as_refused((409, "", "in_use")));
        let call = world.call("DELETE", &path);
        let call = if let Some(version) = version { call.header("if-match", &format!("\"{version}\"")) } else { call };
        assert_eq!(refused(&call.send().await), as_refused((409, "", "in_use")), "it still has its version");
        assert_eq!(world.read(&path).await["version"], 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_that_is_chosen_before_the_catalog_loses_it_is_counted() {
    let world = World::start().await;
    let (one, path) = catalog(&world).await;
    let less = json!({ "name": "C", "options": [{ "key": "b", "value": "B" }] });
    let chosen = async {
        world.made("/fields", field("bank", &one)).await;
        world.member(json!({ "answers": { "bank": "a" } })).await;
    };
    assert_eq!(held(&world, ("PUT", &path, less), chosen).await, as_refused((409, "", "affects_members")));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_field_ever_names_a_catalog_that_is_gone() {
    let world = World::start().await;
    let options = json!([{ "key": "a", "value": "A" }]);
    let other = json!({ "name": "Other" });
    let other = world.muster.made(&world.ana, &format!("/v1/segments/{}/memberships", world.segment), other).await;
    let others = format!("/v1/memberships/{}/fields", id(&other));
    let changing = json!({ "key": "changing", "name": "C", "type": "dropdown", "options": options });
    let changing = format!("{others}/{}", id(&world.muster.made(&world.ana, &others, changing).await));
    for round in 0..40 {
        let (catalog, path) = catalog(&world).await;
        let replies = all([
            world.send("POST", &world.path("/fields"), field(&format!("a{round}"), &catalog)),
            world.send("POST", &others, field(&format!("b{round}"), &catalog)),
            world.send("PATCH", &changing, json!({ "options": null, "catalog_id": catalog })),
            world.send("DELETE", &path, Value::Null),
        ]);
        let replies = replies.await;
        let (naming, gone) = replies.split_at(3);
        let there = world.get(&path).await.status == 200;
        let is_named = |reply: &Reply| reply.status.is_success();
        assert_eq!(there, naming.iter().any(is_named), "{round}: {replies:?}");
        assert_eq!(gone[0].status, if there { 409 } else { 204 }, "{round}: {replies:?}");
        let refusals = naming.iter().filter(|reply| !is_named(reply));
        for refusal in refusals {
            assert_eq!(refused(refusal), as_refused((400, "/catalog_id", "unknown")), "{round}");
        }
        let back = world.send("PATCH", &changing, json!({ "options": options, "catalog_id": null })).await;
        assert_eq!(back.status, 200, "{back:?}");
    }
}
