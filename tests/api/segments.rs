//! Segments and their catalogs.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::races::all;
use crate::system::Muster;
use crate::world::{World, as_refused, column, id, refused};

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_is_made_read_changed_and_deleted() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let body = json!({ "name": "Card users", "role": "consumer", "managed_by": "Ana",
        "settings": { "required_user_fields": ["email", "phone"] } });
    let made = muster.post("/v1/segments", body).by(&ana).send().await;
    assert_eq!((made.status.as_u16(), made.header("etag")), (201, "\"1\""), "{made:?}");
    let path = made.header("location").to_owned();
    assert_eq!(path, format!("/v1/segments/{}", id(&made.body)));
    let settings = json!({ "required_user_fields": ["email", "phone"], "document_checks": "format",
        "refuse_payment_cards": false, "magic_link_url": null, "field_mappings": null, "self_purge": false,
        "password_min_length": null, "country": null, "identification_scope": "segment" });
    assert_eq!(
        (&made.body["owner_id"], &made.body["number"], &made.body["status"], &made.body["settings"]),
        (&json!(ana.id), &json!(1), &json!(true), &settings)
    );
    let read = muster.get(&path).by(&ana).send().await;
    assert_eq!((read.status.as_u16(), &read.text), (200, &made.text));
    let known = muster.get(&path).by(&ana).header("if-none-match", "\"1\"").send().await;
    assert_eq!((known.status.as_u16(), known.text.as_str()), (304, ""));

    let patch = json!({ "managed_by": null, "settings": { "document_checks": "checksum" }, "status": false });
    let stale = muster.patch(&path, patch.clone()).by(&ana).header("if-match", "\"7\"").send().await;
    assert_eq!(stale.status, 412);
    let changed = muster.patch(&path, patch).by(&ana).header("if-match", "\"1\"").send().await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"2\""));
    let settings = json!({ "required_user_fields": ["email", "phone"], "document_checks": "checksum",
        "refuse_payment_cards": false, "magic_link_url": null, "field_mappings": null, "self_purge": false,
        "password_min_length": null, "country": null, "identification_scope": "segment" });
    assert_eq!(
        (&changed.body["managed_by"], &changed.body["role"], &changed.body["status"], &changed.body["settings"]),
        (&json!(null), &json!("consumer"), &json!(false), &settings)
    );
    assert_eq!(muster.get(&path).by(&ana).send().await.text, changed.text);

    assert_eq!(muster.delete(&path).by(&ana).header("if-match", "\"1\"").send().await.status, 412);
    assert_eq!(muster.delete(&path).by(&ana).header("if-match", "\"2\"").send().await.status, 204);
    for call in [muster.get(&path), muster.delete(&path), muster.patch(&path, json!({ "name": "x" }))] {
        assert_eq!(call.by(&ana).send().await.status, 404);
    }
    let listed = muster.get("/v1/segments").by(&ana).send().await;
    assert_eq!((&listed.body["data"], &listed.body["page"]["total_items"]), (&json!([]), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_with_a_segment_is_told_at_once() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let body = json!({ "role": {}, "managed_by": "", "shipping_address_id": "x", "status": "on", "number": 3,
        "settings": { "required_user_fields": ["points"], "colour": 1 } });
    let reply = muster.post("/v1/segments", body).by(&ana).send().await;
    let pointers: BTreeSet<_> = reply.errors().into_iter().map(|(pointer, _)| pointer).collect();
    let expected = [
        "/managed_by",
        "/name",
        "/number",
        "/role",
        "/settings/colour",
        "/settings/required_user_fields/0",
        "/shipping_address_id",
        "/status",
    ];
    assert_eq!((reply.status.as_u16(), pointers), (400, expected.map(str::to_owned).into()));
    assert!(muster.items("S#").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn parcels_go_to_an_address_of_the_owner() {
    let muster = Muster::start().await;
    let (ana, eve) = (muster.ana().await, muster.ana().await);
    let (mine, hers) = (muster.address(&ana, "Home").await, muster.address(&eve, "Home").await);
    let with = |address: &str| json!({ "name": "S", "shipping_address_id": address });
    let made = muster.made(&ana, "/v1/segments", with(&mine)).await;
    assert_eq!(made["shipping_address_id"], mine);
    let path = format!("/v1/segments/{}", id(&made));
    let refusal = as_refused((400, "/shipping_address_id", "unknown"));
    assert_eq!(refused(&muster.post("/v1/segments", with(&hers)).by(&ana).send().await), refusal);
    let patch = json!({ "shipping_address_id": hers });
    assert_eq!(refused(&muster.patch(&path, patch).by(&ana).send().await), refusal);
    let cleared = muster.patch(&path, json!({ "shipping_address_id": null })).by(&ana).send().await;
    assert_eq!(cleared.body["shipping_address_id"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_count_up_in_an_account_whatever_the_crowd_and_none_comes_back() {
    let muster = Muster::start().await;
    let (ana, eve) = (muster.ana().await, muster.ana().await);
    let made = all((0..20).map(|_| muster.post("/v1/segments", json!({ "name": "S" })).by(&ana).send())).await;
    let failed: Vec<_> = made.iter().filter(|reply| reply.status != 201).collect();
    assert!(failed.is_empty(), "{failed:?}");
    let numbers: BTreeSet<_> = made.iter().map(|reply| reply.body["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=20).collect());
    let last = made.iter().find(|reply| reply.body["number"] == 20).unwrap();
    assert_eq!(muster.delete(last.header("location")).by(&ana).send().await.status, 204);
    assert_eq!(muster.made(&ana, "/v1/segments", json!({ "name": "S" })).await["number"], 21);
    assert_eq!(muster.made(&eve, "/v1/segments", json!({ "name": "S" })).await["number"], 1);
    let listed = muster.get("/v1/segments?page[size]=100").by(&ana).send().await;
    assert_eq!(listed.body["page"]["total_items"], 20);
    assert_eq!(column(&listed, "id").len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_creation_is_one() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let make = async |name: &str| {
        muster.post("/v1/segments", json!({ "name": name })).by(&ana).header("idempotency-key", "k").send().await
    };
    let (first, again) = (make("S").await, make("S").await);
    assert_eq!((first.status.as_u16(), &first.text), (201, &again.text));
    assert_eq!((again.header("idempotency-replayed"), again.header("location")), ("true", first.header("location")));
    assert_eq!(make("T").await.status, 422);
    assert_eq!(muster.get("/v1/segments").by(&ana).send().await.body["page"]["total_items"], 1);
    assert_eq!(muster.made(&ana, "/v1/segments", json!({ "name": "T" })).await["number"], 2, "none was used up");
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_are_found_by_their_fields_and_sorted() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    for (name, role, status) in
        [("Águila", json!("consumer"), true), ("beta", json!("operator"), false), ("Ábaco", json!(null), true)]
    {
        let body = json!({ "name": name, "role": role, "status": status });
        muster.made(&ana, "/v1/segments", body).await;
    }
    for (query, names) in [
        ("sort=name", vec!["Ábaco", "Águila", "beta"]),
        ("sort=-name", vec!["beta", "Águila", "Ábaco"]),
        ("sort=role", vec!["Águila", "beta", "Ábaco"]),
        ("sort=-role", vec!["beta", "Águila", "Ábaco"]),
        ("sort=-number", vec!["Ábaco", "beta", "Águila"]),
        ("filter[name]=AGUILA", vec!["Águila"]),
        ("filter[name]=a*", vec!["Águila", "Ábaco"]),
        ("filter[role]=consumer,operator", vec!["Águila", "beta"]),
        ("filter[status]=true&filter[name]=ab*", vec!["Ábaco"]),
        ("filter[number][gte]=2", vec!["beta", "Ábaco"]),
        ("filter[number][gt]=1&filter[number][lt]=3", vec!["beta"]),
        ("filter[created_at][lt]=2020-01-01T00:00:00Z", vec![]),
    ] {
        let found = muster.get(&format!("/v1/segments?{query}")).by(&ana).send().await;
        assert_eq!(column(&found, "name"), names, "{query}");
        assert_eq!(found.body["page"]["total_items"], names.len(), "{query}");
    }
    for (query, pointer) in [
        ("filter[colour]=red", "/filter[colour]"),
        ("filter[status]=on", "/filter[status]"),
        ("filter[name][gte]=a", "/filter[name][gte]"),
        ("sort=status", "/sort"),
        ("include=fields", "/include"),
    ] {
        let reply = muster.get(&format!("/v1/segments?{query}")).by(&ana).send().await;
        assert_eq!((reply.status.as_u16(), reply.errors()[0].0.as_str()), (400, pointer), "{query}");
    }
    let told = muster.get("/v1/segments?filter[colour]=red").by(&ana).send().await;
    let message = told.body["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("managed_by") && message.contains("number"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_a_deleted_segment_goes_and_its_keys_open_nothing() {
    let world = World::start().await;
    let (_, secret) = world.key(&["read", "write", "admin"]).await;
    let member = world.member(json!({ "name": "Ana" })).await;
    let segment = format!("/v1/segments/{}", world.segment);
    world.muster.made(&world.ana, &format!("{segment}/catalogs"), json!({ "name": "C", "options": [] })).await;
    assert_eq!(world.call("DELETE", &segment).send().await.status, 204);
    for path in [segment.clone(), format!("{segment}/keys"), format!("{segment}/catalogs")] {
        assert_eq!(world.get(&path).await.status, 404, "{path}");
    }
    for path in [world.path(""), member] {
        world.until(&path, |reply| reply.status == 404).await;
    }
    for _ in 0..300 {
        let left = [world.muster.items("S#").await, world.muster.items("M#").await, world.muster.items("E#").await];
        if left.concat().is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    for prefix in ["S#", "M#", "E#", "X#", "C#M#"] {
        let left = world.muster.items(prefix).await;
        let left: Vec<_> = left.iter().filter(|pk| !pk.starts_with("C#M#email")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
    let dead = world.muster.get(&world.path("")).token(&secret).send().await;
    assert_eq!(dead.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalog_is_made_read_replaced_and_deleted() {
    let world = World::start().await;
    let catalogs = format!("/v1/segments/{}/catalogs", world.segment);
    let options = json!([{ "key": "b", "value": "B" }, { "key": "a", "value": "A", "status": false }]);
    let made = world.send("POST", &catalogs, json!({ "name": "Banks", "options": options })).await;
    assert_eq!((made.status.as_u16(), made.header("etag")), (201, "\"1\""), "{made:?}");
    let path = made.header("location").to_owned();
    assert_eq!(made.body["options"][0], json!({ "key": "b", "value": "B", "status": true }), "in the order given");
    assert_eq!(world.get(&path).await.text, made.text);
    assert_eq!(world.call("GET", &path).header("if-none-match", "\"1\"").send().await.status, 304);
    let new = json!({ "name": "Bancos", "options": [{ "key": "c", "value": "C" }] });
    assert_eq!(world.call("PUT", &path).json(new.clone()).header("if-match", "\"2\"").send().await.status, 412);
    let replaced = world.call("PUT", &path).json(new).header("if-match", "\"1\"").send().await;
    assert_eq!((replaced.status.as_u16(), &replaced.body["version"]), (200, &json!(2)), "{replaced:?}");
    assert_eq!(replaced.body["options"], json!([{ "key": "c", "value": "C", "status": true }]));
    let partial = world.send("PUT", &path, json!({ "name": "x" })).await;
    assert_eq!(refused(&partial), as_refused((400, "/options", "required")), "a PUT replaces all");
    world.muster.made(&world.ana, &catalogs, json!({ "name": "árbol", "options": [] })).await;
    assert_eq!(column(&world.get(&format!("{catalogs}?sort=name")).await, "name"), ["árbol", "Bancos"]);
    assert_eq!(column(&world.get(&format!("{catalogs}?filter[name]=ba*")).await, "name"), ["Bancos"]);
    assert_eq!(world.call("DELETE", &path).header("if-match", "\"1\"").send().await.status, 412);
    assert_eq!(world.call("DELETE", &path).send().await.status, 204);
    for method in ["GET", "DELETE"] {
        assert_eq!(world.call(method, &path).send().await.status, 404);
    }
    assert_eq!(world.send("PATCH", &path, json!({})).await.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalog_that_is_asked_from_changes_only_as_far_as_its_answers_hold() {
    let world = World::start().await;
    let catalogs = format!("/v1/segments/{}/catalogs", world.segment);
    let of = |keys: &[&str]| {
        let options: Vec<_> = keys.iter().map(|key| json!({ "key": key, "value": key })).collect();
        json!({ "name": "Banks", "options": options })
    };
    let catalog = world.muster.made(&world.ana, &catalogs, of(&["a", "b", "c"])).await;
    let path = format!("{catalogs}/{}", id(&catalog));
    world.field("bank", "dropdown", json!({ "catalog_id": catalog["id"], "required": true })).await;
    world.field("others", "multiple", json!({ "catalog_id": catalog["id"] })).await;
    let mut members = Vec::new();
    for answers in [json!({ "bank": "a", "others": ["b", "c"] }), json!({ "bank": "b" }), json!({ "bank": "c" })] {
        members.push(world.member(json!({ "answers": answers })).await);
    }
    assert_eq!(world.send("PUT", &path, of(&["c", "b", "a", "d"])).await.status, 200, "none is gone");
    let conflict = world.send("PUT", &path, of(&["c", "d"])).await;
    assert_eq!(refused(&conflict), as_refused((409, "", "affects_members")));
    // Two chose one of them as their bank, and one of these chose one among the others too.
    let message = conflict.body["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("3 members") && message.contains("force=true"), "{message}");
    assert_eq!(world.read(&path).await["options"].as_array().unwrap().len(), 4, "nothing has changed");
    assert_eq!(world.send("PUT", &format!("{path}?force=maybe"), of(&["c"])).await.status, 400);
    assert_eq!(world.send("PUT", &format!("{path}?force=true"), of(&["c", "d"])).await.status, 200);
    let first = world.read(&members[0]).await;
    assert_eq!((&first["answers"], &first["missing_fields"]), (&json!({}), &json!(["bank"])));
    let last = world.read(&members[2]).await;
    assert_eq!((&last["answers"], &last["missing_fields"]), (&json!({ "bank": "c" }), &json!([])));
    let used = world.call("DELETE", &path).send().await;
    assert_eq!(refused(&used), as_refused((409, "", "in_use")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalog_of_more_memberships_than_a_transaction_takes_changes_too() {
    let world = World::start().await;
    let segment = format!("/v1/segments/{}", world.segment);
    let of = |key: &str| json!({ "name": "C", "options": [{ "key": key, "value": "A" }] });
    let catalog = id(&world.muster.made(&world.ana, &format!("{segment}/catalogs"), of("a")).await);
    for _ in 0..101 {
        let club = world.muster.made(&world.ana, &format!("{segment}/memberships"), json!({ "name": "M" })).await;
        let field = json!({ "key": "a", "name": "A", "type": "dropdown", "catalog_id": catalog });
        world.muster.made(&world.ana, &format!("/v1/memberships/{}/fields", id(&club)), field).await;
    }
    let path = format!("{segment}/catalogs/{catalog}");
    assert_eq!(world.send("PUT", &path, of("b")).await.status, 200);
    assert_eq!(world.read(&path).await["options"][0]["key"], "b");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_with_a_catalog_is_told_at_once() {
    let world = World::start().await;
    let catalogs = format!("/v1/segments/{}/catalogs", world.segment);
    let options = json!([{ "key": "", "value": "x" }, { "value": "x" }, { "key": "b", "value": "x", "color": 1 }]);
    let reply = world.send("POST", &catalogs, json!({ "name": null, "options": options, "tag": 1 })).await;
    let pointers: BTreeSet<_> = reply.errors().into_iter().map(|(pointer, _)| pointer).collect();
    let expected = ["/name", "/options/0/key", "/options/1/key", "/options/2/color", "/tag"];
    assert_eq!((reply.status.as_u16(), pointers), (400, expected.map(str::to_owned).into()));
    let twice = json!({ "name": "C", "options": [{ "key": "a", "value": "x" }, { "key": "a", "value": "y" }] });
    assert_eq!(refused(&world.send("POST", &catalogs, twice).await), as_refused((400, "/options/1", "repeated")));
    let empty: Vec<Value> = column(&world.get(&catalogs).await, "id");
    assert!(empty.is_empty());
}
