//! Memberships and their levels.

use local::Meter;
use serde_json::{Value, json};

use crate::races::all;
use crate::system::Muster;
use crate::world::{World, as_refused, column, id, refused};

#[tokio::test(flavor = "multi_thread")]
async fn a_membership_is_made_read_changed_and_deleted() {
    let world = World::start().await;
    let memberships = format!("/v1/segments/{}/memberships", world.segment);
    let made = world.send("POST", &memberships, json!({ "name": "Gold" })).await;
    assert_eq!((made.status.as_u16(), made.header("etag")), (201, "\"1\""), "{made:?}");
    let path = made.header("location").to_owned();
    assert_eq!(path, format!("/v1/memberships/{}", id(&made.body)));
    assert_eq!(
        [&made.body["self_enrolment"], &made.body["status"], &made.body["segment_id"]],
        [&json!(false), &json!(true), &json!(world.segment)]
    );
    assert_eq!(world.get(&path).await.text, made.text);
    assert_eq!(world.call("GET", &path).header("if-none-match", "\"1\"").send().await.status, 304);
    let patch = json!({ "name": "Oro", "self_enrolment": true });
    assert_eq!(world.call("PATCH", &path).json(patch.clone()).header("if-match", "\"2\"").send().await.status, 412);
    let changed = world.call("PATCH", &path).json(patch).header("if-match", "\"1\"").send().await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"2\""));
    assert_eq!((&changed.body["name"], &changed.body["self_enrolment"]), (&json!("Oro"), &json!(true)));
    assert_eq!(world.call("DELETE", &path).header("if-match", "\"1\"").send().await.status, 412);
    assert_eq!(world.call("DELETE", &path).header("if-match", "\"2\"").send().await.status, 204);
    for method in ["GET", "DELETE"] {
        assert_eq!(world.call(method, &path).send().await.status, 404);
    }
    let bad = world.send("POST", &memberships, json!({ "self_enrolment": "yes", "levels": [] })).await;
    let mut pointers: Vec<_> = bad.errors().into_iter().map(|(pointer, _)| pointer).collect();
    pointers.sort();
    assert_eq!(
        (bad.status.as_u16(), pointers),
        (400, ["/levels", "/name", "/self_enrolment"].map(str::to_owned).into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_creation_is_one() {
    let world = World::start().await;
    let level = json!({ "name": "L", "number": 1, "from_point": 0, "to_point": 9 });
    let field = json!({ "key": "a", "name": "A", "type": "string" });
    for (path, body) in [
        (format!("/v1/segments/{}/memberships", world.segment), json!({ "name": "Again" })),
        (world.path("/levels"), level),
        (world.path("/fields"), field),
        (world.path("/members"), json!({ "name": "Ana" })),
        (format!("/v1/segments/{}/catalogs", world.segment), json!({ "name": "C", "options": [] })),
    ] {
        let before = world.read(&path).await["page"]["total_items"].as_u64().unwrap();
        let send = async |body: &Value| {
            world.call("POST", &path).json(body.clone()).header("idempotency-key", "k").send().await
        };
        let (first, again) = (send(&body).await, send(&body).await);
        assert_eq!((first.status.as_u16(), &first.text), (201, &again.text), "{path}");
        assert_eq!(again.header("idempotency-replayed"), "true");
        let mut other = body.clone();
        other["name"] = json!("Other");
        assert_eq!(send(&other).await.status, 422, "{path}");
        assert_eq!(world.read(&path).await["page"]["total_items"], before + 1, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memberships_are_found_by_their_fields_and_sorted() {
    let world = World::start().await;
    let memberships = format!("/v1/segments/{}/memberships", world.segment);
    for (name, open) in [("Ágata", true), ("bronce", false), ("Ámbar", true)] {
        world.muster.made(&world.ana, &memberships, json!({ "name": name, "self_enrolment": open })).await;
    }
    for (query, names) in [
        ("", vec!["Club", "Ágata", "bronce", "Ámbar"]),
        ("sort=name", vec!["Ágata", "Ámbar", "bronce", "Club"]),
        ("sort=-created_at&page[size]=2", vec!["Ámbar", "bronce"]),
        ("filter[self_enrolment]=true&sort=-name", vec!["Ámbar", "Ágata"]),
        ("filter[name]=ag*", vec!["Ágata"]),
        ("filter[status]=false", vec![]),
    ] {
        assert_eq!(column(&world.get(&format!("{memberships}?{query}")).await, "name"), names, "{query}");
    }
    assert_eq!(world.get(&format!("{memberships}?sort=status")).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_is_made_read_changed_and_deleted() {
    let world = World::start().await;
    let level = json!({ "name": "Gold", "number": 3, "from_point": 201, "to_point": 300,
        "image": "https://example.com/gold.png", "background_color": "#FFD700", "text_color": "#000000" });
    let made = world.send("POST", &world.path("/levels"), level).await;
    assert_eq!((made.status.as_u16(), made.header("etag")), (201, "\"1\""), "{made:?}");
    let path = made.header("location").to_owned();
    assert_eq!(path, world.path(&format!("/levels/{}", id(&made.body))));
    assert_eq!(world.get(&path).await.text, made.text);
    assert_eq!(world.call("GET", &path).header("if-none-match", "*").send().await.status, 304);
    let patch = json!({ "image": null, "to_point": 320 });
    assert_eq!(world.call("PATCH", &path).json(patch.clone()).header("if-match", "\"9\"").send().await.status, 412);
    let changed = world.send("PATCH", &path, patch).await;
    assert_eq!(
        (&changed.body["image"], &changed.body["to_point"], &changed.body["version"], &changed.body["name"]),
        (&json!(null), &json!(320), &json!(2), &json!("Gold"))
    );
    let backwards = world.send("PATCH", &path, json!({ "from_point": 321 })).await;
    assert_eq!(refused(&backwards), as_refused((400, "/to_point", "out_of_range")));
    assert_eq!(world.call("DELETE", &path).header("if-match", "\"1\"").send().await.status, 412);
    assert_eq!(world.call("DELETE", &path).send().await.status, 204);
    for method in ["GET", "DELETE"] {
        assert_eq!(world.call(method, &path).send().await.status, 404);
    }
    let bad = json!({ "number": 1.5, "from_point": -1, "to_point": "9", "text_color": "red", "colour": 1 });
    let bad = world.send("POST", &world.path("/levels"), bad).await;
    let mut pointers: Vec<_> = bad.errors().into_iter().map(|(pointer, _)| pointer).collect();
    pointers.sort();
    let expected = ["/colour", "/from_point", "/name", "/number", "/text_color", "/to_point"];
    assert_eq!((bad.status.as_u16(), pointers), (400, expected.map(str::to_owned).into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn levels_share_neither_number_nor_points() {
    let world = World::start().await;
    for (number, from, to) in [(1, 0, 100), (2, 101, 200), (4, 301, 400)] {
        world.level(number, from, to).await;
    }
    let level =
        |number: u32, from: i64, to: i64| json!({ "name": "L", "number": number, "from_point": from, "to_point": to });
    for (body, expected) in [
        (level(2, 201, 300), vec![("/number", "taken")]),
        (level(3, 200, 300), vec![("/from_point", "overlap")]),
        (level(3, 201, 301), vec![("/from_point", "overlap")]),
        (level(3, 0, 500), vec![("/from_point", "overlap"); 3]),
        (level(1, 50, 60), vec![("/number", "taken"), ("/from_point", "overlap")]),
    ] {
        let reply = world.send("POST", &world.path("/levels"), body.clone()).await;
        let expected: Vec<_> = expected.iter().map(|(at, code)| ((*at).to_owned(), (*code).to_owned())).collect();
        assert_eq!((reply.status.as_u16(), reply.errors()), (409, expected), "{body}");
    }
    let third = world.path(&format!("/levels/{}", world.level(3, 201, 300).await));
    for (patch, at) in [(json!({ "number": 4 }), "/number"), (json!({ "to_point": 301 }), "/from_point")] {
        let reply = world.send("PATCH", &third, patch).await;
        assert_eq!((reply.status.as_u16(), reply.errors()[0].0.as_str()), (409, at));
    }
    assert_eq!(world.send("PATCH", &third, json!({ "from_point": 250, "number": 3 })).await.status, 200);
    assert_eq!(column(&world.get(&world.path("/levels")).await, "number"), [1, 2, 3, 4]);
    let other = world
        .muster
        .made(&world.ana, &format!("/v1/segments/{}/memberships", world.segment), json!({ "name": "O" }))
        .await;
    let elsewhere = world.send("POST", &format!("/v1/memberships/{}/levels", id(&other)), level(1, 0, 100)).await;
    assert_eq!(elsewhere.status, 201, "another membership has levels of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_levels_that_exclude_one_another_one_is_made() {
    let world = World::start().await;
    // Each of these has a point or the number in common with each other one.
    let level = |nth: i64| json!({ "name": "L", "number": nth % 2, "from_point": nth, "to_point": 100 + nth });
    let path = world.path("/levels");
    let replies = all((0..20).map(|nth| world.send("POST", &path, level(nth)))).await;
    let statuses: Vec<_> = replies.iter().map(|reply| reply.status.as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 19, "{statuses:?}");
    assert_eq!(world.read(&path).await["page"]["total_items"], 1);

    let made = all((1..=20).map(|nth| {
        let level = json!({ "name": "L", "number": 10 + nth, "from_point": 1000 * nth, "to_point": 1000 * nth + 999 });
        world.send("POST", &path, level)
    }));
    let failed: Vec<_> = made.await.into_iter().filter(|reply| reply.status != 201).collect();
    assert!(failed.is_empty(), "those that are apart are all made: {failed:?}");

    let both = column(&world.get(&format!("{path}?sort=-number&page[size]=2")).await, "id");
    let moved = all(both.iter().map(|level| {
        let patch = json!({ "from_point": 50_000, "to_point": 50_001 });
        world.send("PATCH", &format!("{path}/{}", level.as_str().unwrap()), patch)
    }));
    let mut statuses: Vec<_> = moved.await.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_fields_with_one_key_one_is_made() {
    let world = World::start().await;
    let path = world.path("/fields");
    let replies =
        all((0..20).map(|_| world.send("POST", &path, json!({ "key": "a", "name": "A", "type": "string" })))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 1);
    let lost = replies.iter().filter(|reply| refused(reply) == as_refused((409, "/key", "taken")));
    assert_eq!(lost.count(), 19);
    assert_eq!(world.read(&path).await["page"]["total_items"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_that_a_field_is_for_stays() {
    let world = World::start().await;
    let level = world.level(1, 0, 9).await;
    let path = world.path(&format!("/levels/{level}"));
    let field = world.field("a", "string", json!({ "level_ids": [level] })).await;
    let used = world.call("DELETE", &path).send().await;
    assert_eq!(refused(&used), as_refused((409, "", "in_use")));
    let replies = all([
        world.send("DELETE", &path, Value::Null),
        world.send("PATCH", &field, json!({ "level_ids": [] })),
        world.send("PATCH", &field, json!({ "level_ids": [level] })),
    ]);
    assert!(replies.await.iter().all(|reply| reply.status.as_u16() < 500));
    let there = world.get(&path).await.status == 200;
    let named = world.read(&field).await["level_ids"] != json!([]);
    assert!(there || !named, "a field is for a level that is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn levels_come_with_their_fields_in_order_and_in_one_query() {
    let meter = Meter::default();
    let options = local::Options { interceptor: Some(meter.interceptor()), ..local::Options::default() };
    let muster = Muster::with(options).await;
    let ana = muster.ana().await;
    let segment = muster.made(&ana, "/v1/segments", json!({ "name": "S" })).await;
    let club = muster.made(&ana, &format!("/v1/segments/{}/memberships", id(&segment)), json!({ "name": "C" })).await;
    let path = |rest: &str| format!("/v1/memberships/{}{rest}", id(&club));
    let mut levels = Vec::new();
    for number in 1..=3 {
        let level =
            json!({ "name": "L", "number": 10 - number, "from_point": 100 * number, "to_point": 100 * number + 99 });
        levels.push(id(&muster.made(&ana, &path("/levels"), level).await));
    }
    for (key, position, of, status) in [
        ("last", json!(9), vec![], true),
        ("first", json!(-5), vec![], true),
        ("some", json!(2), vec![&levels[0], &levels[2]], true),
        ("off", json!(1), vec![], false),
        ("none", json!(null), vec![], true),
    ] {
        let field = json!({ "key": key, "name": key, "type": "string", "position": position, "level_ids": of,
            "status": status });
        muster.made(&ana, &path("/fields"), field).await;
    }
    meter.take();
    let reply = muster.get(&path("/levels?include=fields")).by(&ana).send().await;
    let cost = meter.take();
    assert!(cost.operations.contains("1 Query") && cost.rounds == 1, "{cost:?}");
    assert_eq!(column(&reply, "number"), [7, 8, 9], "by their numbers");
    let keys: Vec<Vec<_>> = column(&reply, "fields")
        .iter()
        .map(|fields| {
            fields.as_array().unwrap().iter().map(|field| field["key"].as_str().unwrap().to_owned()).collect()
        })
        .collect();
    assert_eq!(
        keys,
        [vec!["first", "none", "some", "last"], vec!["first", "none", "last"], vec!["first", "none", "some", "last"]]
    );
    let plain = muster.get(&path("/levels")).by(&ana).send().await;
    assert!(plain.body["data"][0].get("fields").is_none());
    assert_eq!(muster.get(&path("/levels?include=members")).by(&ana).send().await.status, 400);
    assert_eq!(column(&muster.get(&path("/levels?sort=from_point")).by(&ana).send().await, "number"), [9, 8, 7]);
    let listed = muster.get(&path("/fields")).by(&ana).send().await;
    assert_eq!(column(&listed, "key"), ["first", "none", "off", "some", "last"]);
    let of_level = muster.get(&path(&format!("/fields?filter[level_ids]={}", levels[0]))).by(&ana).send().await;
    assert_eq!(column(&of_level, "key"), ["some"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_membership_can_be_read_by_whoever_is_signed_in_and_a_closed_one_cannot() {
    let world = World::open().await;
    let eve = world.muster.ana().await;
    let level = world.level(1, 0, 9).await;
    let field = world.field("a", "string", json!({})).await;
    let paths = [
        world.path(""),
        world.path("/levels?include=fields"),
        world.path(&format!("/levels/{level}")),
        world.path("/fields"),
        field,
    ];
    let statuses = async || {
        let mut statuses = Vec::new();
        for path in &paths {
            statuses.push(world.muster.get(path).by(&eve).send().await.status.as_u16());
        }
        statuses
    };
    assert_eq!(statuses().await, [200; 5]);
    for (method, path, body) in [
        ("PATCH", world.path(""), json!({ "name": "Mine" })),
        ("DELETE", world.path(""), Value::Null),
        ("POST", world.path("/levels"), json!({ "name": "L", "number": 2, "from_point": 10, "to_point": 11 })),
        ("DELETE", paths[2].clone(), Value::Null),
        ("PATCH", paths[4].clone(), json!({ "required": true })),
        ("GET", world.path("/ranking"), Value::Null),
        ("GET", format!("/v1/segments/{}/memberships", world.segment), Value::Null),
    ] {
        let call = world.muster.call(method, &path).by(&eve);
        let reply = if body.is_null() { call } else { call.json(body) }.send().await;
        assert_eq!(reply.status, 404, "{method} {path}");
    }
    for closed in [json!({ "self_enrolment": false }), json!({ "self_enrolment": true, "status": false })] {
        assert_eq!(world.send("PATCH", &world.path(""), closed).await.status, 200);
        assert_eq!(statuses().await, [404; 5]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_a_deleted_membership_goes() {
    let world = World::start().await;
    world.level(1, 0, 9).await;
    world.field("a", "string", json!({ "unique": true, "searchable": true })).await;
    let member = world.member(json!({ "answers": { "a": "x" } })).await;
    world.award(&member, 5).await;
    assert_eq!(world.call("DELETE", &world.path("")).send().await.status, 204);
    for path in [
        world.path(""),
        world.path("/levels"),
        world.path("/fields"),
        world.path("/members"),
        world.path("/ranking"),
        member.clone(),
    ] {
        assert_eq!(world.get(&path).await.status, 404, "{path}");
    }
    let gone = async || {
        let of = [
            format!("M#{}", world.membership),
            format!("X#M#{}", world.membership),
            format!("C#M#{}", world.membership),
            "E#".to_owned(),
        ];
        let mut left = Vec::new();
        for prefix in of {
            left.extend(world.muster.items(&prefix).await);
        }
        left
    };
    for _ in 0..300 {
        if gone().await.is_empty() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("left over: {:?}", gone().await);
}
