//! Statuses that segments make up for their users.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;

use crate::races::all;
use crate::system::Muster;
use crate::world::{World, as_refused, column, id, refused};

impl Muster {
    /// Sets how many users name a thing of a segment, as their own transactions will.
    pub(crate) async fn set_user_count(&self, segment: &str, sk: &str, count: u32) {
        let key = |name: &str, value: String| (name.to_owned(), AttributeValue::S(value));
        let keys = [key("PK", format!("S#{segment}")), key("SK", sk.to_owned())];
        let update = self.dynamodb().update_item().table_name(&self.wiring.table).set_key(Some(keys.into()));
        let update = update.update_expression("SET user_count = :count");
        update.expression_attribute_values(":count", AttributeValue::N(count.to_string())).send().await.unwrap();
    }
}

fn path(world: &World) -> String {
    format!("/v1/segments/{}/statuses", world.segment)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_is_made_read_changed_and_deleted() {
    let world = World::start().await;
    let body = json!({ "name": "On hold", "color": "#FF00aa" });
    let made = world.send("POST", &path(&world), body).await;
    assert_eq!((made.status.as_u16(), made.header("etag")), (201, "\"1\""), "{made:?}");
    let one = made.header("location").to_owned();
    assert_eq!(one, format!("{}/{}", path(&world), id(&made.body)));
    for (field, value) in [
        ("segment_id", json!(world.segment)),
        ("number", json!(1)),
        ("name", json!("On hold")),
        ("color", json!("#ff00aa")),
        ("is_excluded", json!(false)),
    ] {
        assert_eq!(made.body[field], value, "{field}");
    }
    assert_eq!(world.get(&one).await.text, made.text);
    assert_eq!(world.call("GET", &one).header("if-none-match", "\"1\"").send().await.status, 304);
    let patch = json!({ "name": "Waiting", "color": null });
    assert_eq!(world.call("PATCH", &one).json(patch.clone()).header("if-match", "\"2\"").send().await.status, 412);
    let changed = world.call("PATCH", &one).json(patch).header("if-match", "\"1\"").send().await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"2\""), "{changed:?}");
    assert_eq!([&changed.body["name"], &changed.body["color"]], [&json!("Waiting"), &json!(null)]);
    assert_eq!(world.get(&one).await.text, changed.text);
    assert_eq!(world.call("DELETE", &one).header("if-match", "\"1\"").send().await.status, 412);
    assert_eq!(world.call("DELETE", &one).header("if-match", "\"2\"").send().await.status, 204);
    assert_eq!(world.get(&one).await.status, 404);
    assert!(world.muster.items(&format!("C#S#{}#", world.segment)).await.is_empty(), "no claim is left over");
    // Its number is nobody else's.
    assert_eq!(world.muster.made(&world.ana, &path(&world), json!({ "name": "On hold" })).await["number"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_with_a_status_is_told_at_once() {
    let world = World::start().await;
    let body = json!({ "name": "", "color": "red", "is_excluded": 1, "number": 3 });
    let reply = world.send("POST", &path(&world), body).await;
    let pointers: BTreeSet<_> = reply.errors().into_iter().map(|(pointer, _)| pointer).collect();
    let expected = ["/name", "/color", "/is_excluded", "/number"].map(str::to_owned);
    assert_eq!((reply.status.as_u16(), pointers), (400, expected.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_one_statuss_in_any_case_and_in_each_segment() {
    let world = World::start().await;
    let made = world.muster.made(&world.ana, &path(&world), json!({ "name": "Último aviso" })).await;
    let one = format!("{}/{}", path(&world), id(&made));
    let refusal = as_refused((409, "/name", "taken"));
    assert_eq!(refused(&world.send("POST", &path(&world), json!({ "name": "ÚLTIMO AVISO" })).await), refusal);
    let other = world.muster.made(&world.ana, &path(&world), json!({ "name": "Other" })).await;
    let other = format!("{}/{}", path(&world), id(&other));
    assert_eq!(refused(&world.send("PATCH", &other, json!({ "name": "último Aviso" })).await), refusal);
    assert_eq!(world.send("PATCH", &one, json!({ "name": "ÚLTIMO aviso" })).await.status, 200, "its own in other case");
    assert_eq!(world.send("PATCH", &one, json!({ "name": "Free" })).await.status, 200);
    assert_eq!(world.send("PATCH", &other, json!({ "name": "último aviso" })).await.status, 200, "it was given up");
    let segment = world.muster.made(&world.ana, "/v1/segments", json!({ "name": "Elsewhere" })).await;
    let elsewhere = format!("/v1/segments/{}/statuses", id(&segment));
    assert_eq!(world.muster.made(&world.ana, &elsewhere, json!({ "name": "Free" })).await["number"], 1);
    // What is elsewhere is not here.
    assert_eq!(world.get(&one.replace(&world.segment, &id(&segment))).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_statuses_with_one_name_one_is_made() {
    let world = World::start().await;
    let path = path(&world);
    let body = |nth: usize| json!({ "name": if nth.is_multiple_of(2) { "On hold" } else { "ON HOLD" } });
    let replies = all((0..50).map(|nth| world.send("POST", &path, body(nth)))).await;
    let made: Vec<_> = replies.iter().filter(|reply| reply.status == 201).collect();
    assert_eq!((made.len(), &made[0].body["number"]), (1, &json!(1)));
    let lost = replies.iter().filter(|reply| refused(reply) == as_refused((409, "/name", "taken")));
    assert_eq!(lost.count(), 49, "{replies:?}");
    assert_eq!(column(&world.get(&path).await, "id"), [made[0].body["id"].clone()]);
    assert_eq!(world.muster.items(&format!("C#S#{}#", world.segment)).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_count_up_whatever_the_crowd() {
    let world = World::start().await;
    let path = path(&world);
    let made = all((0..15).map(|nth| world.send("POST", &path, json!({ "name": format!("s{nth}") })))).await;
    let numbers: BTreeSet<_> = made.iter().filter_map(|reply| reply.body["number"].as_u64()).collect();
    assert_eq!(numbers, (1..=15).collect(), "{made:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_a_status_excludes_cannot_be_changed() {
    let world = World::start().await;
    let made = world.muster.made(&world.ana, &path(&world), json!({ "name": "Out", "is_excluded": true })).await;
    let one = format!("{}/{}", path(&world), id(&made));
    for patch in [json!({ "is_excluded": false }), json!({ "is_excluded": null })] {
        assert_eq!(refused(&world.send("PATCH", &one, patch).await), as_refused((409, "/is_excluded", "immutable")));
    }
    assert_eq!(world.send("PATCH", &one, json!({ "is_excluded": true, "name": "Gone" })).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_users_have_stays() {
    let world = World::start().await;
    let made = world.muster.made(&world.ana, &path(&world), json!({ "name": "Had" })).await;
    let (one, sk) = (format!("{}/{}", path(&world), id(&made)), format!("T#{}", id(&made)));
    world.muster.set_user_count(&world.segment, &sk, 2).await;
    for etag in ["\"1\"", "*"] {
        let reply = world.call("DELETE", &one).header("if-match", etag).send().await;
        assert_eq!(refused(&reply), as_refused((409, "", "in_use")));
    }
    // Changing it leaves the count alone, which nobody sees.
    let changed = world.send("PATCH", &one, json!({ "color": "#000000" })).await;
    assert!(changed.status == 200 && changed.body.get("user_count").is_none(), "{changed:?}");
    assert_eq!(refused(&world.call("DELETE", &one).send().await), as_refused((409, "", "in_use")));
    world.muster.set_user_count(&world.segment, &sk, 0).await;
    assert_eq!(world.call("DELETE", &one).send().await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_are_listed_by_anything() {
    let world = World::start().await;
    for (name, excluded) in [("b", false), ("C", true), ("á", false)] {
        world.muster.made(&world.ana, &path(&world), json!({ "name": name, "is_excluded": excluded })).await;
    }
    for (query, expected) in [
        ("", vec!["b", "C", "á"]),
        ("sort=name", vec!["á", "b", "C"]),
        ("sort=-number", vec!["á", "C", "b"]),
        ("filter[is_excluded]=false&sort=-name", vec!["b", "á"]),
        ("filter[name]=A", vec!["á"]),
        ("filter[number]=2", vec!["C"]),
        ("page[size]=1&page[number]=2", vec!["C"]),
    ] {
        assert_eq!(column(&world.get(&format!("{}?{query}", path(&world))).await, "name"), expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_is_made_again_by_one_request_is_one() {
    let world = World::start().await;
    let call = || world.call("POST", &path(&world)).header("idempotency-key", "k").json(json!({ "name": "One" }));
    let (first, again) = (call().send().await, call().send().await);
    assert_eq!((first.status.as_u16(), &first.text), (201, &again.text));
    assert_eq!(world.read(&path(&world)).await["page"]["total_items"], 1);
}
