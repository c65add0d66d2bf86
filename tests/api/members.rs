//! Members: who joins how, answers, unique answers, and what a member may do itself.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::races::all;
use crate::system::{Ana, Reply};
use crate::world::{World, as_refused, column, id, refused};

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_made_read_changed_and_deleted() {
    let world = World::start().await;
    world.field("bank", "string", json!({ "required": true })).await;
    let body = json!({ "name": "Ana", "last_name": "López", "phone": "+5215512345678", "card_number": 5204165000000001_u64,
        "origin": "web", "starts_at": "2026-01-01T00:00:00Z" });
    let made = world.send("POST", &world.path("/members"), body).await;
    assert_eq!((made.status.as_u16(), made.header("etag")), (201, "\"1\""), "{made:?}");
    let path = made.header("location").to_owned();
    assert_eq!(path, format!("/v1/members/{}", id(&made.body)));
    for (field, value) in [
        ("membership_id", json!(world.membership)),
        ("segment_id", json!(world.segment)),
        ("user_id", json!(null)),
        ("level_id", json!(null)),
        ("status", json!("ACTIVE")),
        ("approval", json!("PENDING")),
        ("points", json!(0)),
        ("card_number", json!("5204165000000001")),
        ("starts_at", json!("2026-01-01T00:00:00.000Z")),
        ("answers", json!({})),
        ("missing_fields", json!(["bank"])),
    ] {
        assert_eq!(made.body[field], value, "{field}");
    }
    assert_eq!(world.get(&path).await.text, made.text);
    assert_eq!(world.call("GET", &path).header("if-none-match", "\"1\"").send().await.status, 304);
    let patch = json!({ "approval": "APPROVED", "phone": null, "status": null });
    assert_eq!(world.call("PATCH", &path).json(patch.clone()).header("if-match", "\"2\"").send().await.status, 412);
    let changed = world.call("PATCH", &path).json(patch).header("if-match", "\"1\"").send().await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"2\""), "{changed:?}");
    assert_eq!(
        [&changed.body["approval"], &changed.body["phone"], &changed.body["status"], &changed.body["name"]],
        [&json!("APPROVED"), &json!(null), &json!("ACTIVE"), &json!("Ana")]
    );
    assert_eq!(world.get(&path).await.text, changed.text);
    assert_eq!(world.call("DELETE", &path).header("if-match", "\"1\"").send().await.status, 412);
    assert_eq!(world.call("DELETE", &path).header("if-match", "\"2\"").send().await.status, 204);
    for (method, path) in [
        ("GET", path.clone()),
        ("DELETE", path.clone()),
        ("GET", format!("{path}/answers")),
        ("GET", format!("{path}/points")),
        ("GET", format!("{path}/ranking")),
    ] {
        assert_eq!(world.call(method, &path).send().await.status, 404, "{method} {path}");
    }
    assert_eq!(world.read(&world.path("/members")).await["page"]["total_items"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_with_a_member_is_told_at_once() {
    let world = World::start().await;
    let body = json!({ "name": 7, "phone": "x", "status": "active", "approval": 1, "level_id": "x", "user_id": 1,
        "starts_at": "2026-02-30T00:00:00Z", "points": 5, "number": "12345678", "answers": [] });
    let reply = world.send("POST", &world.path("/members"), body.clone()).await;
    let pointers: BTreeSet<_> = reply.errors().into_iter().map(|(pointer, _)| pointer).collect();
    let expected: BTreeSet<_> = body.as_object().unwrap().keys().map(|key| format!("/{key}")).collect();
    assert_eq!((reply.status.as_u16(), pointers), (400, expected));
    let member = world.member(json!({})).await;
    let read_only =
        json!({ "points": 5, "number": "12345678", "answers": {}, "missing_fields": [], "segment_id": null });
    let reply = world.send("PATCH", &member, read_only.clone()).await;
    assert_eq!((reply.status.as_u16(), reply.errors().len()), (400, read_only.as_object().unwrap().len()), "{reply:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_member_has_a_number_of_eight_digits_of_its_own() {
    let world = World::start().await;
    let path = world.path("/members");
    let made = all((0..30).map(|_| world.send("POST", &path, json!({})))).await;
    let numbers: BTreeSet<_> = made.iter().map(|reply| reply.body["number"].as_str().unwrap().to_owned()).collect();
    assert_eq!(numbers.len(), 30);
    assert!(numbers.iter().all(|number| number.len() == 8 && number.bytes().all(|byte| byte.is_ascii_digit())));
    assert_eq!(world.muster.items(&format!("C#M#{}#number#", world.membership)).await.len(), 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_a_user_of_the_segment_or_its_owner_and_only_once() {
    let world = World::start().await;
    let eve = world.muster.ana().await;
    let path = world.path("/members");
    for user in [eve.id.clone(), world.segment.clone()] {
        let reply = world.send("POST", &path, json!({ "user_id": user })).await;
        assert_eq!(refused(&reply), as_refused((400, "/user_id", "unknown")));
    }
    let member = world.member(json!({ "user_id": world.ana.id })).await;
    let again = world.send("POST", &path, json!({ "user_id": world.ana.id })).await;
    assert_eq!(refused(&again), as_refused((409, "/user_id", "taken")));
    let other = world.member(json!({})).await;
    let moved = world.send("PATCH", &other, json!({ "user_id": world.ana.id })).await;
    assert_eq!(refused(&moved), as_refused((409, "/user_id", "taken")));
    let moved = world.send("PATCH", &other, json!({ "user_id": eve.id })).await;
    assert_eq!(refused(&moved), as_refused((400, "/user_id", "unknown")));
    assert_eq!(world.send("PATCH", &member, json!({ "user_id": null })).await.status, 200);
    assert_eq!(world.send("PATCH", &other, json!({ "user_id": world.ana.id })).await.status, 200, "free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_merge_and_a_member_is_their_version() {
    let world = World::start().await;
    for key in ["a", "b", "c"] {
        world.field(key, "string", json!({})).await;
    }
    let member = world.member(json!({ "answers": { "a": "1", "b": "2" } })).await;
    let path = format!("{member}/answers");
    let read = world.get(&path).await;
    assert_eq!((&read.body, read.header("etag")), (&json!({ "a": "1", "b": "2" }), "\"1\""));
    assert_eq!(world.call("GET", &path).header("if-none-match", "\"1\"").send().await.status, 304);
    let change = json!({ "b": null, "c": "3" });
    let stale = world.call("PUT", &path).json(change.clone()).header("if-match", "\"2\"").send().await;
    assert_eq!(stale.status, 412);
    let written = world.call("PUT", &path).json(change).header("if-match", "\"1\"").send().await;
    assert_eq!((&written.body, written.header("etag")), (&json!({ "a": "1", "c": "3" }), "\"2\""), "{written:?}");
    assert_eq!(world.read(&member).await["answers"], json!({ "a": "1", "c": "3" }));
    let patched = world.send("PATCH", &member, json!({ "name": "Ana" })).await;
    assert_eq!(patched.body["answers"], json!({ "a": "1", "c": "3" }), "a patch leaves them alone");
    let crowd = all(["a", "b", "c"].map(|key| world.send("PUT", &path, json!({ key: "new" })))).await;
    assert!(crowd.iter().all(|reply| reply.status == 200), "{crowd:?}");
    assert_eq!(world.read(&path).await, json!({ "a": "new", "b": "new", "c": "new" }), "none is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_two_members_have_the_same_unique_answer() {
    let world = World::start().await;
    world.field("mail", "email", json!({ "unique": true })).await;
    world.field("rfc", "rfc", json!({ "unique": true })).await;
    world.field("size", "number", json!({ "unique": true })).await;
    let first =
        world.member(json!({ "answers": { "mail": "Ana@Example.com", "rfc": "A&Ñ000229AA0", "size": 1.5 } })).await;
    let all = json!({ "mail": "ana@example.COM", "rfc": "a&ñ-000229-aa0", "size": "1.50" });
    let joining = world.send("POST", &world.path("/members"), json!({ "answers": all })).await;
    let taken = |at: &str| -> Vec<_> {
        ["mail", "rfc", "size"].iter().map(|key| (format!("{at}/{key}"), "taken".to_owned())).collect()
    };
    let mut errors = joining.errors();
    errors.sort();
    assert_eq!((joining.status.as_u16(), errors), (409, taken("/answers")));
    let second = world.member(json!({})).await;
    let answering = world.send("PUT", &format!("{second}/answers"), all.clone()).await;
    let mut errors = answering.errors();
    errors.sort();
    assert_eq!((answering.status.as_u16(), errors), (409, taken("")));
    let own = world.send("PUT", &format!("{first}/answers"), json!({ "mail": "ANA@example.com" })).await;
    assert_eq!(own.status, 200, "its own is not taken: {own:?}");
    let freed = world.send("PUT", &format!("{first}/answers"), json!({ "mail": null, "size": 2 })).await;
    assert_eq!(freed.status, 200);
    let one = json!({ "mail": "ana@example.com", "size": 1.5 });
    assert_eq!(world.send("PUT", &format!("{second}/answers"), one).await.status, 200);
    assert_eq!(world.call("DELETE", &first).send().await.status, 204);
    let rest = world.send("PUT", &format!("{second}/answers"), json!({ "rfc": "A&Ñ000229AA0" })).await;
    assert_eq!(rest.status, 200, "a deleted member has none: {rest:?}");
    assert_eq!(world.muster.items(&format!("C#M#{}#answers.", world.membership)).await.len(), 3);
}

async fn enrol(world: &World, by: &Ana, body: Value) -> Reply {
    world.muster.post(&world.path("/members"), body).by(by).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_enrols_itself_writes_what_is_its_own() {
    let world = World::open().await;
    world.field("bank", "string", json!({ "required": true })).await;
    let (eve, bob) = (world.muster.ana().await, world.muster.ana().await);
    for (field, value) in [
        ("user_id", json!(bob.id)),
        ("level_id", json!(null)),
        ("status", json!("ACTIVE")),
        ("approval", json!("APPROVED")),
        ("product_id", json!("p")),
        ("starts_at", json!(null)),
        ("points", json!(9)),
    ] {
        let reply = enrol(&world, &eve, json!({ field: value })).await;
        assert_eq!(refused(&reply), as_refused((400, &format!("/{field}"), "unknown")));
    }
    let body = json!({ "name": "Eve", "last_name": "E", "phone": "+5215512345678", "card_number": "1", "origin": "web",
        "answers": { "bank": "bbva" } });
    let made = enrol(&world, &eve, body).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(
        [&made.body["user_id"], &made.body["approval"], &made.body["status"], &made.body["answers"]],
        [&json!(eve.id), &json!("PENDING"), &json!("ACTIVE"), &json!({ "bank": "bbva" })]
    );
    assert_eq!(refused(&enrol(&world, &eve, json!({})).await), as_refused((409, "/user_id", "taken")));
    let (_, key) = world.muster.key(&eve, "/v1/keys", &["read", "write", "admin"]).await;
    let by_key = world.muster.post(&world.path("/members"), json!({})).token(&key).send().await;
    assert_eq!(by_key.status, 404, "a key is nobody who enrols itself");
    for closed in [json!({ "self_enrolment": false }), json!({ "self_enrolment": true, "status": false })] {
        assert_eq!(world.send("PATCH", &world.path(""), closed).await.status, 200);
        assert_eq!(enrol(&world, &bob, json!({})).await.status, 404);
        assert_eq!(world.muster.get(&world.path("/members")).by(&bob).send().await.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_reads_answers_and_patches_itself_and_no_more() {
    let world = World::open().await;
    world.field("bank", "string", json!({})).await;
    let (eve, bob) = (world.muster.ana().await, world.muster.ana().await);
    let eves = format!("/v1/members/{}", id(&enrol(&world, &eve, json!({ "name": "Eve" })).await.body));
    let bobs = format!("/v1/members/{}", id(&enrol(&world, &bob, json!({ "name": "Bob" })).await.body));
    let by = async |who: &Ana, method: &str, path: &str, body: Value| {
        let call = world.muster.call(method, path).by(who);
        if body.is_null() { call } else { call.json(body) }.send().await
    };
    let patch = json!({ "name": "Eva", "phone": "+5215512345678", "card_number": "9", "origin": "app" });
    for (method, rest, body) in [
        ("GET", "", Value::Null),
        ("PATCH", "", patch),
        ("GET", "/answers", Value::Null),
        ("PUT", "/answers", json!({ "bank": "bbva" })),
        ("GET", "/points", Value::Null),
        ("GET", "/ranking", Value::Null),
    ] {
        let own = by(&eve, method, &format!("{eves}{rest}"), body.clone()).await;
        assert_eq!(own.status, 200, "{method} {rest} {own:?}");
        let other = by(&eve, method, &format!("{bobs}{rest}"), body).await;
        assert_eq!(other.status, 404, "{method} {rest}");
    }
    for (field, value) in [
        ("level_id", json!(null)),
        ("approval", json!("APPROVED")),
        ("status", json!("ACTIVE")),
        ("user_id", json!(bob.id)),
        ("product_id", json!("p")),
        ("expires_at", json!("2030-01-01T00:00:00Z")),
    ] {
        let reply = by(&eve, "PATCH", &eves, json!({ field: value })).await;
        assert_eq!(refused(&reply), as_refused((400, &format!("/{field}"), "unknown")));
    }
    let award = json!({ "delta": 100, "reason": "Mine" });
    assert_eq!(by(&eve, "POST", &format!("{eves}/points"), award.clone()).await.status, 403);
    assert_eq!(by(&eve, "DELETE", &eves, Value::Null).await.status, 403);
    assert_eq!(by(&eve, "POST", &format!("{bobs}/points"), award).await.status, 404);
    assert_eq!(by(&eve, "DELETE", &bobs, Value::Null).await.status, 404);
    assert_eq!(by(&eve, "GET", &world.path("/ranking"), Value::Null).await.status, 404);
    let after = world.read(&eves).await;
    assert_eq!(
        [&after["name"], &after["points"], &after["approval"], &after["answers"]["bank"]],
        [&json!("Eva"), &json!(0), &json!("PENDING"), &json!("bbva")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_finds_itself_alone_in_the_list() {
    let world = World::open().await;
    let (eve, bob, new) = (world.muster.ana().await, world.muster.ana().await, world.muster.ana().await);
    enrol(&world, &eve, json!({ "name": "Eve" })).await;
    enrol(&world, &bob, json!({ "name": "Bob" })).await;
    let list = async |who: &Ana, query: &str| {
        let reply = world.muster.get(&world.path(&format!("/members?{query}"))).by(who).send().await;
        assert_eq!(reply.body["page"]["total_items"], column(&reply, "name").len(), "{query}");
        column(&reply, "name")
    };
    for query in ["", "sort=-name", "filter[name]=e*", "filter[status]=ACTIVE", &format!("filter[user_id]={}", eve.id)]
    {
        assert_eq!(list(&eve, query).await, ["Eve"], "{query}");
    }
    for query in ["filter[name]=Bob", &format!("filter[user_id]={}", bob.id)] {
        assert!(list(&eve, query).await.is_empty(), "{query}");
    }
    // All that are named must be met: no list of ids gets around it.
    let both = format!("filter[user_id]={},{}", bob.id, eve.id);
    assert_eq!(list(&eve, &both).await, ["Eve"]);
    assert!(list(&new, "").await.is_empty());
    assert_eq!(list(&world.ana, "sort=name").await, ["Bob", "Eve"]);
    let found = world.get(&world.path("/members?filter[name]=Eve")).await;
    let eves = format!("/v1/members/{}", column(&found, "id")[0].as_str().unwrap());
    assert_eq!(world.send("PATCH", &eves, json!({ "status": "BLOCKED" })).await.status, 200);
    assert_eq!(world.muster.get(&world.path("/members")).by(&eve).send().await.status, 403, "who is shut out");
}
