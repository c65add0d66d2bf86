//! Custom fields: each type, the rules between their parts, and what changes do to answers.

use serde_json::{Value, json};

use crate::uploads::club::put;
use crate::uploads::samples::PDF;
use crate::world::{World, as_refused, column, id, refused};

/// The id of a file that has been checked.
async fn file(world: &World) -> String {
    let begin = json!({ "segment_id": world.segment, "filename": "a.pdf", "content_type": "application/pdf",
        "size": PDF.len() });
    let begun = world.muster.made(&world.ana, "/v1/uploads", begin).await;
    assert_eq!(put(&begun, PDF, &[]).await.status, 200);
    let path = format!("/v1/uploads/{}", id(&begun));
    world.until(&path, |reply| reply.body["status"] == "AVAILABLE").await;
    id(&begun)
}

/// Each type with an answer, how that is shown, and a bad answer.
fn types(file: &str) -> Vec<(&'static str, Value, Value, Value, &'static str)> {
    let text = |good: &str, bad: &str, code| (json!(good), json!(good), json!(bad), code);
    let document = |good: &str, shown: &str| (json!(good), json!(shown), json!("nonsense"), "invalid_document");
    let all = [
        ("dropdown", (json!("a"), json!("a"), json!("c"), "invalid_choice")),
        ("multiple", (json!(["b", "a"]), json!(["a", "b"]), json!("a"), "invalid_type")),
        ("number", (json!("-012.5"), json!(-12.5), json!("1e"), "invalid_number")),
        ("string", text("007.10", "a\nb", "control_character")),
        ("text", text("one\ntwo", "a\u{0}b", "control_character")),
        ("url", text("https://example.com/a", "example.com", "invalid_url")),
        ("link", text("https://example.com/a", "example.com", "invalid_url")),
        ("email", text("Ana@Example.com", "ana", "invalid_email")),
        ("boolean", (json!(false), json!(false), json!("false"), "invalid_type")),
        ("date", text("2024-02-29", "2025-02-29", "invalid_date")),
        ("phone", (json!("5215512345678"), json!("+5215512345678"), json!("55 1234"), "invalid_phone")),
        ("file", text(file, "a.pdf", "invalid_id")),
        ("curp", document("boxw310820hnerxn09", "BOXW310820HNERXN09")),
        ("rfc", document("a&ñ-000229-aa0", "A&Ñ000229AA0")),
        ("clabe", document("646180110400000007", "646180110400000007")),
        ("cpf", document("390.533.447-05", "39053344705")),
        ("cnpj", document("12.abc.345/01de-35", "12ABC34501DE35")),
        ("cuil", document("20-05536168-2", "20055361682")),
        ("nit", document("213.123.432-1", "2131234321")),
        ("ruc", document("10101174102", "10101174102")),
        ("rut", document("12.345-k", "12345K")),
    ];
    all.into_iter().map(|(kind, (good, shown, bad, code))| (kind, good, shown, bad, code)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_takes_its_answers_and_refuses_others_all_at_once() {
    let world = World::start().await;
    let file = file(&world).await;
    let (mut good, mut shown, mut bad, mut codes) = (json!({}), json!({}), json!({}), Vec::new());
    for (kind, right, seen, wrong, code) in types(&file) {
        let chooses = matches!(kind, "dropdown" | "multiple");
        let options = json!([{ "key": "a", "value": "A" }, { "key": "b", "value": "B" }]);
        world.field(kind, kind, if chooses { json!({ "options": options }) } else { json!({}) }).await;
        (good[kind], shown[kind], bad[kind]) = (right, seen, wrong);
        codes.push((format!("/{kind}"), code.to_owned()));
    }
    let document = world.muster.get("/openapi.json").send().await.body;
    let known = document["components"]["schemas"]["FieldType"]["enum"].as_array().unwrap();
    assert_eq!(known.len(), codes.len(), "every type is tried: {known:?}");
    let member = world.member(json!({ "answers": good })).await;
    let read = world.read(&member).await;
    assert_eq!((&read["answers"], &read["missing_fields"]), (&shown, &json!([])));
    assert_eq!(world.read(&format!("{member}/answers")).await, shown);
    let refused = world.send("PUT", &format!("{member}/answers"), bad.clone()).await;
    let (mut found, mut expected) = (refused.errors(), codes);
    found.sort();
    expected.sort();
    assert_eq!((refused.status.as_u16(), &found), (400, &expected));
    let joining = world.send("POST", &world.path("/members"), json!({ "answers": bad })).await;
    let mut found = joining.errors();
    found.sort();
    let expected: Vec<_> = expected.into_iter().map(|(at, code)| (format!("/answers{at}"), code)).collect();
    assert_eq!((joining.status.as_u16(), found), (400, expected));
    let after = world.read(&member).await;
    assert_eq!((&after["answers"], &after["version"]), (&shown, &read["version"]), "nothing was stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_is_made_read_changed_and_deleted() {
    let world = World::start().await;
    let body = json!({ "key": "age", "name": "Age", "type": "number", "position": 3, "tooltip": "Years", "tag": "t" });
    let made = world.send("POST", &world.path("/fields"), body).await;
    assert_eq!((made.status.as_u16(), made.header("etag")), (201, "\"1\""), "{made:?}");
    let path = made.header("location").to_owned();
    assert_eq!(path, world.path(&format!("/fields/{}", id(&made.body))));
    assert_eq!(
        [&made.body["required"], &made.body["unique"], &made.body["searchable"], &made.body["level_ids"]],
        [&json!(false), &json!(false), &json!(false), &json!([])]
    );
    assert_eq!(world.get(&path).await.text, made.text);
    assert_eq!(world.call("GET", &path).header("if-none-match", "\"1\"").send().await.status, 304);
    let patch = json!({ "tooltip": null, "required": true });
    let stale = world.call("PATCH", &path).json(patch.clone()).header("if-match", "\"2\"").send().await;
    assert_eq!(stale.status, 412);
    let changed = world.call("PATCH", &path).json(patch).header("if-match", "\"1\"").send().await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"2\""));
    assert_eq!((&changed.body["tooltip"], &changed.body["tag"]), (&json!(null), &json!("t")));
    let key = world.send("PATCH", &path, json!({ "key": "years" })).await;
    assert_eq!((key.status.as_u16(), key.errors()[0].0.as_str()), (400, "/key"), "a key is for ever");
    assert_eq!(world.call("DELETE", &path).header("if-match", "\"1\"").send().await.status, 412);
    assert_eq!(world.call("DELETE", &path).send().await.status, 204);
    for method in ["GET", "DELETE"] {
        assert_eq!(world.call(method, &path).send().await.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parts_of_a_field_go_together() {
    let world = World::start().await;
    let other = World::start().await;
    let far = other.level(1, 0, 9).await;
    let options = json!([{ "key": "a", "value": "A" }]);
    let catalogs = format!("/v1/segments/{}/catalogs", world.segment);
    let catalog = world.muster.made(&world.ana, &catalogs, json!({ "name": "C", "options": options })).await;
    let catalog = id(&catalog);
    world.field("taken", "string", json!({})).await;
    for (body, status, at, code) in [
        (json!({ "type": "dropdown" }), 400, "/options", "required"),
        (json!({ "type": "dropdown", "options": [] }), 400, "/options", "required"),
        (json!({ "type": "multiple", "options": options, "catalog_id": catalog }), 400, "/catalog_id", "exclusive"),
        (json!({ "type": "number", "options": options }), 400, "/options", "exclusive"),
        (json!({ "type": "number", "catalog_id": catalog }), 400, "/catalog_id", "exclusive"),
        (json!({ "type": "dropdown", "catalog_id": world.segment }), 400, "/catalog_id", "unknown"),
        (json!({ "type": "string", "level_ids": [far] }), 400, "/level_ids/0", "unknown"),
        (json!({ "type": "text", "searchable": true }), 400, "/searchable", "exclusive"),
        (json!({ "type": "file", "searchable": true }), 400, "/searchable", "exclusive"),
        (json!({ "type": "boolean", "unique": true }), 400, "/unique", "exclusive"),
        (json!({ "type": "dropdown", "options": options, "unique": true }), 400, "/unique", "exclusive"),
        (json!({ "type": "string", "max_size": 7 }), 400, "/max_size", "exclusive"),
        (json!({ "type": "file", "content_types": ["text/html"] }), 400, "/content_types/0", "invalid_choice"),
        (json!({ "type": "colour" }), 400, "/type", "invalid_choice"),
        (json!({ "type": "string", "key": "Key" }), 400, "/key", "invalid_key"),
        (json!({ "type": "string", "key": "a#b" }), 400, "/key", "invalid_key"),
        (json!({ "type": "string", "key": "taken" }), 409, "/key", "taken"),
        (json!({ "type": "string", "position": 1_000_001 }), 400, "/position", "out_of_range"),
    ] {
        let mut field = json!({ "key": "f", "name": "F" });
        field.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let reply = world.send("POST", &world.path("/fields"), field).await;
        assert_eq!(refused(&reply), as_refused((status, at, code)), "{body}");
    }
    assert_eq!(column(&world.get(&world.path("/fields")).await, "key"), ["taken"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_fields_can_be_searched_and_no_more() {
    let world = World::start().await;
    for nth in 0..30 {
        world.field(&format!("f{nth}"), "string", json!({ "searchable": true, "unique": nth < 10 })).await;
    }
    let more = json!({ "key": "more", "name": "M", "type": "string", "searchable": true });
    let reply = world.send("POST", &world.path("/fields"), more).await;
    assert_eq!(refused(&reply), as_refused((409, "/searchable", "too_many")));
    let answers = |word: &str| -> Value {
        let answers = (0..30).map(|nth| (format!("f{nth}"), json!(format!("{word} {nth}"))));
        Value::Object(answers.collect())
    };
    let product = world.product().await;
    let member = world
        .member(json!({ "name": "Ana", "last_name": "L", "phone": "+5215512345678", "card_number": "1",
        "user_id": world.ana.id, "origin": "web", "product_id": product, "answers": answers("one") }))
        .await;
    let found = world.get(&world.path("/members?filter[answers.f29]=one+29")).await;
    assert_eq!(column(&found, "name"), ["Ana"]);
    let all = world.send("PUT", &format!("{member}/answers"), answers("two")).await;
    assert!(all.status == 200 || refused(&all).2 == "too_many", "{all:?}");
    assert_eq!(world.call("DELETE", &member).send().await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_answers_do_not_survive_is_refused_with_their_number_unless_it_is_forced() {
    let world = World::start().await;
    let (low, high) = (world.level(1, 0, 9).await, world.level(2, 10, 99).await);
    let options = |keys: &[&str]| -> Value { keys.iter().map(|key| json!({ "key": key, "value": key })).collect() };
    let kind = world.field("kind", "string", json!({ "required": true })).await;
    let choice = world.field("choice", "dropdown", json!({ "options": options(&["a", "b", "c"]) })).await;
    let extra = world.field("extra", "string", json!({})).await;
    let level = world.field("level", "string", json!({})).await;
    let mut members = Vec::new();
    for (nth, choice) in ["a", "a", "b"].into_iter().enumerate() {
        let answers = json!({ "kind": format!("k{nth}"), "choice": choice, "level": "x" });
        members.push(world.member(json!({ "answers": answers })).await);
    }
    world.award(&members[2], 20).await;
    for (path, patch, count) in [
        (&kind, json!({ "type": "number" }), "3 members"),
        (&choice, json!({ "options": options(&["b", "c"]) }), "2 members"),
        (&choice, json!({ "options": options(&["a"]) }), "1 member "),
        (&extra, json!({ "required": true }), "3 members"),
        (&level, json!({ "level_ids": [low] }), "3 members"),
    ] {
        let reply = world.send("PATCH", path, patch.clone()).await;
        assert_eq!(refused(&reply), as_refused((409, "", "affects_members")), "{patch}");
        let message = reply.body["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(count) && message.contains("?force=true"), "{patch} {message}");
        assert_eq!(world.read(path).await["version"], 1, "nothing has changed");
    }
    assert_eq!(
        world.send("PATCH", &choice, json!({ "options": options(&["a", "b"]) })).await.status,
        200,
        "nobody chose c"
    );
    let forced = async |path: &str, patch: Value| {
        let reply = world.send("PATCH", &format!("{path}?force=true"), patch).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    };
    forced(&kind, json!({ "type": "number" })).await;
    forced(&choice, json!({ "options": options(&["b"]), "required": true })).await;
    forced(&extra, json!({ "required": true, "level_ids": [high] })).await;
    forced(&level, json!({ "level_ids": [low], "required": true })).await;
    let first = world.read(&members[0]).await;
    assert_eq!((&first["missing_fields"], &first["answers"]), (&json!(["kind", "choice"]), &json!({ "level": "x" })));
    let last = world.read(&members[2]).await;
    assert_eq!(last["missing_fields"], json!(["kind", "extra"]), "it is at the high level");
    // Answering is the way out.
    let answers = json!({ "kind": 7, "choice": "b" });
    assert_eq!(world.send("PUT", &format!("{}/answers", members[0]), answers).await.status, 200);
    assert_eq!(world.read(&members[0]).await["missing_fields"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_was_answered_never_becomes_unique() {
    let world = World::start().await;
    let field = world.field("a", "string", json!({})).await;
    let member = world.member(json!({ "answers": { "a": "x" } })).await;
    for path in [field.clone(), format!("{field}?force=true")] {
        let reply = world.send("PATCH", &path, json!({ "unique": true })).await;
        assert_eq!(refused(&reply), as_refused((409, "/unique", "affects_members")));
    }
    assert_eq!(world.send("PUT", &format!("{member}/answers"), json!({ "a": null })).await.status, 200);
    assert_eq!(world.send("PATCH", &field, json!({ "unique": true })).await.status, 200);
    world.member(json!({ "answers": { "a": "x" } })).await;
    let twin = world.send("PUT", &format!("{member}/answers"), json!({ "a": "x" })).await;
    assert_eq!(refused(&twin), as_refused((409, "/a", "taken")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_with_answers_is_deleted_by_force_alone_and_they_never_come_back() {
    let world = World::start().await;
    let field = world.field("a", "string", json!({ "searchable": true })).await;
    let one = world.member(json!({ "answers": { "a": "x" } })).await;
    let two = world.member(json!({ "answers": { "a": "x" } })).await;
    let reply = world.call("DELETE", &field).send().await;
    assert_eq!(refused(&reply), as_refused((409, "", "affects_members")));
    assert!(reply.body["errors"][0]["message"].as_str().unwrap().contains("2 members"));
    assert_eq!(world.call("DELETE", &format!("{field}?force=true")).send().await.status, 204);
    assert_eq!(world.read(&one).await["answers"], json!({}));
    assert_eq!(world.get(&world.path("/members?filter[answers.a]=x")).await.status, 400);
    // Another field may be called so once nobody has kept an answer; two would have the same unique one.
    let again = json!({ "key": "a", "name": "A", "type": "string", "unique": true, "searchable": true });
    let mut reply = world.send("POST", &world.path("/fields"), again.clone()).await;
    while reply.status != 201 {
        assert_eq!(refused(&reply), as_refused((409, "/key", "in_use")));
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        reply = world.send("POST", &world.path("/fields"), again.clone()).await;
    }
    for member in [&one, &two] {
        assert_eq!(world.read(member).await["answers"], json!({}));
    }
    let answers = json!({ "a": "x" });
    assert_eq!(world.send("PUT", &format!("{one}/answers"), answers.clone()).await.status, 200);
    let twin = world.send("PUT", &format!("{two}/answers"), answers).await;
    assert_eq!(refused(&twin), as_refused((409, "/a", "taken")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unique_answer_stays_its_members_while_it_is_not_asked() {
    let world = World::start().await;
    let (_low, high) = (world.level(1, 0, 9).await, world.level(2, 10, 99).await);
    let field = world.field("nick", "string", json!({ "unique": true, "level_ids": [high] })).await;
    let answers = json!({ "nick": "x" });
    let one = world.member(json!({ "level_id": high, "answers": answers })).await;
    world.award(&one, -10).await;
    let two = world.send("POST", &world.path("/members"), json!({ "level_id": high, "answers": answers })).await;
    assert_eq!(refused(&two), as_refused((409, "/answers/nick", "taken")));
    world.award(&one, 10).await;
    assert_eq!(world.read(&one).await["answers"], answers);
    world.award(&one, -10).await;
    assert_eq!(world.send("PATCH", &field, json!({ "unique": false })).await.status, 200);
    assert_eq!(
        world.send("POST", &world.path("/members"), json!({ "level_id": high, "answers": answers })).await.status,
        201
    );
    let unique = world.send("PATCH", &format!("{field}?force=true"), json!({ "unique": true })).await;
    assert_eq!(refused(&unique), as_refused((409, "/unique", "affects_members")));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_detour_over_another_type_makes_equal_answers_unique() {
    let world = World::start().await;
    let field = world.field("a", "string", json!({})).await;
    for _ in 0..2 {
        world.member(json!({ "answers": { "a": "x" } })).await;
    }
    assert_eq!(world.send("PATCH", &format!("{field}?force=true"), json!({ "type": "number" })).await.status, 200);
    world.until(&world.path("/members"), |reply| column(reply, "version") == [2, 2]).await;
    let back = json!({ "type": "string", "unique": true });
    let reply = world.send("PATCH", &format!("{field}?force=true"), back).await;
    assert_eq!(refused(&reply), as_refused((409, "/unique", "affects_members")));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_too_long_together_are_refused_and_none_is_lost() {
    let world = World::start().await;
    for nth in 0..40 {
        world.field(&format!("f{nth}"), "text", json!({})).await;
    }
    let member = world.member(json!({})).await;
    let mut kept = 0;
    loop {
        let answer = json!({ format!("f{kept}"): "€".repeat(4000) });
        let reply = world.send("PUT", &format!("{member}/answers"), answer).await;
        if reply.status != 200 {
            assert_eq!(refused(&reply), as_refused((400, "", "too_large")));
            break;
        }
        kept += 1;
    }
    assert!((30..40).contains(&kept), "{kept}");
    world.award(&member, 5).await;
    assert_eq!(world.read(&member).await["answers"].as_object().unwrap().len(), kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_asked_what_their_level_is_asked() {
    let world = World::start().await;
    let (_low, high) = (world.level(1, 0, 9).await, world.level(2, 10, 99).await);
    world.field("everybody", "string", json!({ "required": true, "position": 2 })).await;
    world.field("high", "string", json!({ "required": true, "level_ids": [high], "position": 1 })).await;
    let off = world.field("off", "string", json!({ "required": true, "status": false })).await;
    let member = world.member(json!({})).await;
    let missing = async || world.read(&member).await["missing_fields"].clone();
    assert_eq!(missing().await, json!(["everybody"]));
    let answers = format!("{member}/answers");
    for key in ["high", "off", "none"] {
        let reply = world.send("PUT", &answers, json!({ key: "x" })).await;
        assert_eq!(refused(&reply), as_refused((400, &format!("/{key}"), "unknown")));
        assert!(reply.body["errors"][0]["message"].as_str().unwrap().contains("everybody"));
    }
    world.award(&member, 10).await;
    assert_eq!(missing().await, json!(["high", "everybody"]), "in the order of the positions");
    assert_eq!(world.send("PUT", &answers, json!({ "high": "x", "everybody": "y" })).await.status, 200);
    assert_eq!(missing().await, json!([]));
    let on = world.send("PATCH", &off, json!({ "status": true })).await;
    assert_eq!(refused(&on), as_refused((409, "", "affects_members")));
    assert_eq!(world.send("PATCH", &format!("{off}?force=true"), json!({ "status": true })).await.status, 200);
    assert_eq!(missing().await, json!(["off"]));
}
