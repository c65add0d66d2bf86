//! Partners: the businesses that users of a segment belong to; and the languages that there are.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::races::all;
use crate::world::{World, as_refused, column, id, refused};

fn path(world: &World) -> String {
    format!("/v1/segments/{}/partners", world.segment)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_is_made_read_changed_and_deleted() {
    let world = World::start().await;
    let body = json!({ "reference_id": 77, "commercial_name": "Café Sur", "tin": "0012", "role": "customer" });
    let made = world.send("POST", &path(&world), body).await;
    assert_eq!((made.status.as_u16(), made.header("etag")), (201, "\"1\""), "{made:?}");
    let one = made.header("location").to_owned();
    assert_eq!(one, format!("{}/{}", path(&world), id(&made.body)));
    for (field, value) in [
        ("segment_id", json!(world.segment)),
        ("reference_id", json!("77")),
        ("contact_name", json!(null)),
        ("tin", json!("0012")),
        ("status", json!(true)),
    ] {
        assert_eq!(made.body[field], value, "{field}");
    }
    assert_eq!(world.get(&one).await.text, made.text);
    assert_eq!(world.call("GET", &one).header("if-none-match", "\"1\"").send().await.status, 304);
    let patch = json!({ "reference_id": "78", "contact_name": "Eva", "tin": null, "status": false });
    assert_eq!(world.call("PATCH", &one).json(patch.clone()).header("if-match", "\"2\"").send().await.status, 412);
    let changed = world.call("PATCH", &one).json(patch).header("if-match", "\"1\"").send().await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"2\""), "{changed:?}");
    assert_eq!(world.get(&one).await.text, changed.text);
    for (query, found) in [("filter[reference_id]=77", 0), ("filter[reference_id]=78", 1), ("filter[status]=true", 0)] {
        assert_eq!(column(&world.get(&format!("{}?{query}", path(&world))).await, "id").len(), found, "{query}");
    }
    world.muster.set_user_count(&world.segment, &format!("B#{}", id(&made.body)), 1).await;
    assert_eq!(refused(&world.call("DELETE", &one).send().await), as_refused((409, "", "in_use")));
    world.muster.set_user_count(&world.segment, &format!("B#{}", id(&made.body)), 0).await;
    assert_eq!(world.call("DELETE", &one).header("if-match", "\"1\"").send().await.status, 412);
    assert_eq!(world.call("DELETE", &one).send().await.status, 204);
    assert_eq!(world.get(&one).await.status, 404);
    assert_eq!(world.read(&path(&world)).await["page"]["total_items"], 0);
    for prefix in [format!("C#S#{}#", world.segment), format!("X#P#{}#", world.segment)] {
        assert!(world.muster.items(&prefix).await.is_empty(), "{prefix}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_with_a_partner_is_told_at_once() {
    let world = World::start().await;
    let body = json!({ "reference_id": {}, "contact_name": "", "tin": true, "status": "on", "colour": 1 });
    let reply = world.send("POST", &path(&world), body).await;
    let pointers: BTreeSet<_> = reply.errors().into_iter().map(|(pointer, _)| pointer).collect();
    let expected = ["/reference_id", "/commercial_name", "/contact_name", "/tin", "/status", "/colour"];
    assert_eq!((reply.status.as_u16(), pointers), (400, expected.map(str::to_owned).into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_partners_with_one_reference_id_one_is_made() {
    let world = World::start().await;
    let path = path(&world);
    let body = |nth: usize| json!({ "commercial_name": format!("p{nth}"), "reference_id": "one" });
    let replies = all((0..50).map(|nth| world.send("POST", &path, body(nth)))).await;
    let made: Vec<_> = replies.iter().filter(|reply| reply.status == 201).collect();
    assert_eq!(made.len(), 1);
    let refusal = as_refused((409, "/reference_id", "taken"));
    assert_eq!(replies.iter().filter(|reply| refused(reply) == refusal).count(), 49, "{replies:?}");
    let listed = world.get(&format!("{path}?filter[reference_id]=one")).await;
    assert_eq!(column(&listed, "id"), [made[0].body["id"].clone()]);
    assert_eq!(world.read(&path).await["page"]["total_items"], 1);
    // A partner without one is in nobody's way; it may take it only once it is free.
    let other = world.muster.made(&world.ana, &path, json!({ "commercial_name": "Other" })).await;
    let other = format!("{path}/{}", id(&other));
    let patch = json!({ "reference_id": "one" });
    assert_eq!(refused(&world.send("PATCH", &other, patch.clone()).await), refusal);
    assert_eq!(world.call("DELETE", made[0].header("location")).send().await.status, 204);
    assert_eq!(world.send("PATCH", &other, patch).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn partners_are_found_by_anything() {
    let world = World::start().await;
    for (reference, name, role, on) in [
        (json!("r1"), "Ánfora", json!("customer"), true),
        (json!("r2"), "berlín", json!(null), false),
        (json!(null), "Zeta", json!("Supplier"), true),
    ] {
        let body = json!({ "reference_id": reference, "commercial_name": name, "contact_name": format!("C {name}"),
            "tin": format!("T-{name}"), "role": role, "status": on });
        world.muster.made(&world.ana, &path(&world), body).await;
    }
    for (query, expected) in [
        ("", vec!["Ánfora", "berlín", "Zeta"]),
        ("sort=-commercial_name", vec!["Zeta", "berlín", "Ánfora"]),
        ("sort=-reference_id", vec!["berlín", "Ánfora", "Zeta"]),
        ("sort=role", vec!["Ánfora", "Zeta", "berlín"]),
        ("filter[reference_id]=r2", vec!["berlín"]),
        ("filter[reference_id]=R2", vec![]),
        ("filter[reference_id]=r*&sort=-id", vec!["berlín", "Ánfora"]),
        ("filter[commercial_name]=an*,BERLIN", vec!["Ánfora", "berlín"]),
        ("filter[contact_name]=c%20zeta", vec!["Zeta"]),
        ("filter[tin]=T-Zeta", vec!["Zeta"]),
        ("filter[role]=supplier,CUSTOMER&filter[status]=true", vec!["Ánfora", "Zeta"]),
        ("filter[created_at][lt]=2020-01-01T00:00:00Z", vec![]),
    ] {
        let reply = world.get(&format!("{}?{query}", path(&world))).await;
        assert_eq!(column(&reply, "commercial_name"), expected, "{query}");
        assert_eq!(reply.body["page"]["total_items"], expected.len(), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn languages_are_listed_for_whoever_has_a_credential() {
    let world = World::start().await;
    let (_, key) = world.key(&["write"]).await;
    let listed = world.muster.get("/v1/languages?page[size]=3").token(&key).send().await;
    assert_eq!(column(&listed, "code"), ["aa", "ab", "ae"]);
    assert!(listed.body["page"]["total_items"].as_u64().unwrap() > 180, "{listed:?}");
    let next = world.muster.get(listed.body["links"]["next"].as_str().unwrap()).token(&key).send().await;
    assert_eq!(column(&next, "code"), ["af", "ak", "am"]);
    for (query, expected) in [
        ("filter[code]=es,pt&sort=-name", vec!["Spanish", "Portuguese"]),
        ("filter[iso]=spa", vec!["Spanish"]),
        ("filter[name]=SPAN*", vec!["Spanish"]),
        ("filter[code]=xx", vec![]),
    ] {
        assert_eq!(column(&world.get(&format!("/v1/languages?{query}")).await, "name"), expected, "{query}");
    }
    let spanish = &world.get("/v1/languages?filter[code]=es").await.body["data"][0];
    assert_eq!(*spanish, json!({ "id": 14_284, "code": "es", "iso": "spa", "name": "Spanish" }));
    assert_eq!(world.muster.call("GET", "/v1/languages").json(Value::Null).send().await.status, 401);
}
