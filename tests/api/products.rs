//! Products: what a segment offers to subscribe to.

use std::collections::BTreeSet;

use serde_json::json;

use crate::races::all;
use crate::world::{World, as_refused, column, id, refused};

pub(crate) fn path(world: &World) -> String {
    format!("/v1/segments/{}/products", world.segment)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_made_read_changed_and_deleted() {
    let world = World::start().await;
    let body = json!({ "reference_id": "c1", "title": "Pottery", "value": 499.9, "currency": "MXN", "period": "P1Y",
        "membership_id": world.membership });
    let made = world.send("POST", &path(&world), body).await;
    assert_eq!((made.status.as_u16(), made.header("etag")), (201, "\"1\""), "{made:?}");
    let one = made.header("location").to_owned();
    assert_eq!(one, format!("{}/{}", path(&world), id(&made.body)));
    for (field, value) in [
        ("segment_id", json!(world.segment)),
        ("membership_id", json!(world.membership)),
        ("value", json!("499.9")),
        ("lifetime", json!(false)),
        ("status", json!(true)),
        ("description", json!(null)),
    ] {
        assert_eq!(made.body[field], value, "{field}");
    }
    assert_eq!(world.get(&one).await.text, made.text);
    assert_eq!(world.call("GET", &one).header("if-none-match", "\"1\"").send().await.status, 304);
    let patch = json!({ "value": "500", "reference_id": null, "lifetime": true, "period": null });
    assert_eq!(world.call("PATCH", &one).json(patch.clone()).header("if-match", "\"2\"").send().await.status, 412);
    let changed = world.call("PATCH", &one).json(patch).header("if-match", "\"1\"").send().await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"2\""), "{changed:?}");
    assert_eq!(world.get(&one).await.text, changed.text);
    assert_eq!(world.call("DELETE", &one).header("if-match", "\"1\"").send().await.status, 412);
    assert_eq!(world.call("DELETE", &one).header("if-match", "\"2\"").send().await.status, 204);
    assert_eq!(world.get(&one).await.status, 404);
    for prefix in [format!("C#S#{}#", world.segment), format!("X#O#{}#", world.segment)] {
        assert!(world.muster.items(&prefix).await.is_empty(), "{prefix}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_without_a_membership_gets_one_of_its_own() {
    let world = World::start().await;
    let made = world.muster.made(&world.ana, &path(&world), json!({ "title": "Pottery" })).await;
    let own = format!("/v1/memberships/{}", made["membership_id"].as_str().unwrap());
    let membership = world.read(&own).await;
    assert_eq!(
        [&membership["name"], &membership["segment_id"], &membership["self_enrolment"]],
        [&json!("Pottery"), &json!(world.segment), &json!(false)]
    );
    let listed = world.get(&format!("/v1/segments/{}/memberships?filter[name]=pottery", world.segment)).await;
    assert_eq!(column(&listed, "id"), [made["membership_id"].clone()]);
    assert!(membership.get("product_count").is_none());
    // As long as a product names it, it stays.
    let one = format!("{}/{}", path(&world), id(&made));
    assert_eq!(refused(&world.call("DELETE", &own).send().await), as_refused((409, "", "in_use")));
    assert_eq!(refused(&world.call("DELETE", &own).header("if-match", "*").send().await).0, 409);
    assert_eq!(world.call("DELETE", &one).send().await.status, 204);
    assert_eq!(world.get(&own).await.status, 200);
    assert_eq!(world.call("DELETE", &own).header("if-match", "\"7\"").send().await.status, 412);
    assert_eq!(world.call("DELETE", &own).send().await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_membership_of_a_product_is_one_of_its_segment_and_stays() {
    let world = World::start().await;
    let other = world.muster.made(&world.ana, "/v1/segments", json!({ "name": "Other" })).await;
    let others = format!("/v1/segments/{}/memberships", id(&other));
    let others = id(&world.muster.made(&world.ana, &others, json!({ "name": "Other" })).await);
    let refusal = as_refused((400, "/membership_id", "unknown"));
    for wrong in [others.as_str(), &world.segment] {
        let body = json!({ "title": "T", "membership_id": wrong });
        assert_eq!(refused(&world.send("POST", &path(&world), body).await), refusal);
    }
    let body = json!({ "title": "T", "membership_id": world.membership });
    let one = format!("{}/{}", path(&world), id(&world.muster.made(&world.ana, &path(&world), body).await));
    for wrong in [json!(others), json!(null)] {
        let reply = world.send("PATCH", &one, json!({ "membership_id": wrong })).await;
        assert_eq!(refused(&reply), as_refused((400, "/membership_id", "immutable")));
    }
    let same = json!({ "membership_id": world.membership, "title": "U" });
    assert_eq!(world.send("PATCH", &one, same).await.body["title"], "U");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_with_a_product_is_told_at_once() {
    let world = World::start().await;
    let body = json!({ "reference_id": "", "description": 1, "period": "monthly", "value": "1,50", "currency": "pesos",
        "lifetime": "no", "status": 1, "membership_id": "x", "price": 1 });
    let reply = world.send("POST", &path(&world), body).await;
    let found: BTreeSet<_> = reply.errors().into_iter().collect();
    let expected = [
        ("/reference_id", "too_short"),
        ("/title", "required"),
        ("/description", "invalid_type"),
        ("/period", "invalid_period"),
        ("/value", "invalid_number"),
        ("/currency", "too_long"),
        ("/lifetime", "invalid_type"),
        ("/status", "invalid_type"),
        ("/membership_id", "invalid_id"),
        ("/price", "unknown"),
    ];
    let expected = expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned()));
    assert_eq!((reply.status.as_u16(), found), (400, expected.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_products_with_one_reference_id_one_is_made_with_one_membership() {
    let world = World::start().await;
    let path = path(&world);
    let body = |nth: usize| json!({ "title": format!("p{nth}"), "reference_id": "one" });
    let replies = all((0..50).map(|nth| world.send("POST", &path, body(nth)))).await;
    let made: Vec<_> = replies.iter().filter(|reply| reply.status == 201).collect();
    assert_eq!(made.len(), 1);
    let refusal = as_refused((409, "/reference_id", "taken"));
    assert_eq!(replies.iter().filter(|reply| refused(reply) == refusal).count(), 49, "{replies:?}");
    assert_eq!(
        column(&world.get(&format!("{path}?filter[reference_id]=one")).await, "id"),
        [made[0].body["id"].clone()]
    );
    let memberships = world.read(&format!("/v1/segments/{}/memberships", world.segment)).await;
    assert_eq!(memberships["page"]["total_items"], 2, "the world's, and the one product's own");
}

#[tokio::test(flavor = "multi_thread")]
async fn products_are_found_by_anything() {
    let world = World::start().await;
    for (title, value, currency, lifetime) in [
        ("Ánfora", json!("9.50"), json!("MXN"), true),
        ("bowl", json!("10"), json!("BRL"), false),
        ("Cup", json!(null), json!(null), false),
    ] {
        let body = json!({ "title": title, "value": value, "currency": currency, "lifetime": lifetime,
            "reference_id": title, "status": title != "Cup", "membership_id": world.membership });
        world.muster.made(&world.ana, &path(&world), body).await;
    }
    for (query, expected) in [
        ("", vec!["Ánfora", "bowl", "Cup"]),
        ("sort=-title", vec!["Cup", "bowl", "Ánfora"]),
        ("sort=value", vec!["Ánfora", "bowl", "Cup"]),
        ("sort=-value", vec!["bowl", "Ánfora", "Cup"]),
        ("filter[value][gte]=9.5&filter[value][lt]=10", vec!["Ánfora"]),
        ("filter[title]=anf*", vec!["Ánfora"]),
        ("filter[reference_id]=bowl", vec!["bowl"]),
        ("filter[currency]=MXN,BRL&sort=-id", vec!["bowl", "Ánfora"]),
        ("filter[lifetime]=false&filter[status]=true", vec!["bowl"]),
        (&format!("filter[membership_id]={}", world.membership), vec!["Ánfora", "bowl", "Cup"]),
        (&format!("filter[membership_id]={}", world.segment), vec![]),
    ] {
        let reply = world.get(&format!("{}?{query}", path(&world))).await;
        assert_eq!(column(&reply, "title"), expected, "{query}");
        assert_eq!(reply.body["page"]["total_items"], expected.len(), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_membership_goes_or_a_product_comes_to_name_it_and_never_both() {
    let world = World::start().await;
    let (path, membership) = (path(&world), world.path(""));
    let making = (0..10).map(|nth| {
        let body = json!({ "title": format!("p{nth}"), "membership_id": world.membership });
        world.send("POST", &path, body)
    });
    let mut calls: Vec<std::pin::Pin<Box<dyn Future<Output = crate::system::Reply>>>> = Vec::new();
    making.for_each(|call| calls.push(Box::pin(call)));
    (0..5).for_each(|_| calls.push(Box::pin(world.call("DELETE", &membership).send())));
    let replies = all(calls).await;
    let made = replies.iter().filter(|reply| reply.status == 201).count();
    let stays = world.get(&membership).await.status == 200;
    assert_eq!(made, if stays { 10 } else { 0 }, "{replies:?}");
    assert_eq!(world.read(&path).await["page"]["total_items"], made);
}
