//! Points: the ledger, the level that follows them, the ranking.

use serde_json::{Value, json};

use crate::world::{World, as_refused, column, id, refused};

/// Five levels of a hundred points, the first from 0.
async fn five_levels(world: &World) -> Vec<String> {
    let mut levels = vec![world.level(1, 0, 100).await];
    for number in 2..=5_u32 {
        levels.push(world.level(number, i64::from(number) * 100 - 99, i64::from(number) * 100).await);
    }
    levels
}

#[tokio::test(flavor = "multi_thread")]
async fn an_award_has_a_reason_and_a_row_in_the_ledger() {
    let world = World::start().await;
    let levels = five_levels(&world).await;
    let member = world.member(json!({})).await;
    assert_eq!(world.read(&member).await["level_id"], json!(levels[0]), "0 points are a level's too");
    let mut total = 0;
    for (delta, level) in [(100, 0), (1, 1), (399, 4), (7, 4), (-407, 0), (-100, 0), (301, 3)] {
        let reply = world.send("POST", &format!("{member}/points"), json!({ "delta": delta, "reason": "Why" })).await;
        total += delta;
        assert_eq!((reply.status.as_u16(), reply.header("location")), (201, format!("{member}/points").as_str()));
        assert_eq!(
            [&reply.body["delta"], &reply.body["points"], &reply.body["level_id"], &reply.body["reason"]],
            [&json!(delta), &json!(total), &json!(levels[level]), &json!("Why")]
        );
        assert_eq!(reply.body["actor"], json!({ "type": "user", "id": world.ana.id }), "{reply:?}");
        let read = world.read(&member).await;
        assert_eq!((&read["points"], &read["level_id"]), (&json!(total), &json!(levels[level])));
    }
    for (body, at, code) in [
        (json!({ "delta": -302, "reason": "x" }), "/delta", "out_of_range"),
        (json!({ "delta": 9_007_199_254_740_992_i64, "reason": "x" }), "/delta", "out_of_range"),
        (json!({ "delta": 1.5, "reason": "x" }), "/delta", "out_of_range"),
        (json!({ "delta": "5", "reason": "x" }), "/delta", "invalid_type"),
        (json!({ "delta": 5 }), "/reason", "required"),
        (json!({ "delta": 5, "reason": "" }), "/reason", "too_short"),
        (json!({ "delta": 5, "reason": "x", "points": 1 }), "/points", "unknown"),
    ] {
        let reply = world.send("POST", &format!("{member}/points"), body.clone()).await;
        assert_eq!(refused(&reply), as_refused((400, at, code)), "{body}");
    }
    let ledger = world.get(&format!("{member}/points")).await;
    assert_eq!(column(&ledger, "delta"), [301, -100, -407, 7, 399, 1, 100], "newest first");
    assert_eq!(ledger.body["page"]["total_items"], 7);
    let mut page = world.get(&format!("{member}/points?sort=created_at&page[size]=3")).await;
    let mut seen = column(&page, "delta");
    while let Some(next) = page.body["links"]["next"].as_str() {
        page = world.get(next).await;
        seen.extend(column(&page, "delta"));
    }
    assert_eq!(seen, [100, 1, 399, 7, -407, -100, 301]);
    assert_eq!(world.get(&format!("{member}/points?filter[delta]=7")).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_award_that_is_repeated_counts_once() {
    let world = World::start().await;
    let member = world.member(json!({})).await;
    let send = async |delta: i64| {
        let call = world.call("POST", &format!("{member}/points")).json(json!({ "delta": delta, "reason": "x" }));
        call.header("idempotency-key", "k").send().await
    };
    let (first, again) = (send(5).await, send(5).await);
    assert_eq!((first.status.as_u16(), &first.text), (201, &again.text));
    assert_eq!(send(6).await.status, 422);
    assert_eq!(world.read(&member).await["points"], 5);
    assert_eq!(world.read(&format!("{member}/points")).await["page"]["total_items"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_is_reached_by_its_points() {
    let world = World::start().await;
    let levels = five_levels(&world).await;
    let made = world.made("/members", json!({ "level_id": levels[2] })).await;
    assert_eq!((&made["points"], &made["level_id"]), (&json!(201), &json!(levels[2])));
    let member = format!("/v1/members/{}", id(&made));
    world.award(&member, 10).await;
    let same = world.send("PATCH", &member, json!({ "level_id": levels[2] })).await;
    assert_eq!(same.body["points"], 211, "it is there already");
    let moved = world.send("PATCH", &member, json!({ "level_id": levels[1], "name": "Ana" })).await;
    assert_eq!((&moved.body["points"], &moved.body["level_id"]), (&json!(101), &json!(levels[1])), "{moved:?}");
    let ledger = world.get(&format!("{member}/points")).await;
    assert_eq!(column(&ledger, "delta"), [-110, 10, 201]);
    assert_eq!(column(&ledger, "points"), [101, 211, 201]);
    let cleared = world.send("PATCH", &member, json!({ "level_id": null })).await;
    assert_eq!(refused(&cleared), as_refused((400, "/level_id", "required")));
    let off = world.path(&format!("/levels/{}", levels[3]));
    assert_eq!(world.send("PATCH", &off, json!({ "status": false })).await.status, 200);
    for level in [&levels[3], &world.segment] {
        let reply = world.send("PATCH", &member, json!({ "level_id": level })).await;
        assert_eq!(refused(&reply), as_refused((400, "/level_id", "unknown")));
        let reply = world.send("POST", &world.path("/members"), json!({ "level_id": level })).await;
        assert_eq!(refused(&reply), as_refused((400, "/level_id", "unknown")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_follow_levels_that_come_change_and_go() {
    let world = World::start().await;
    let member = world.member(json!({ "name": "Ana" })).await;
    world.award(&member, 150).await;
    let level = async || world.read(&member).await["level_id"].clone();
    assert_eq!(level().await, Value::Null);
    let low = world.level(1, 0, 100).await;
    assert_eq!(level().await, json!(low), "between two levels it is at the lower one");
    let high = world.level(2, 101, 200).await;
    assert_eq!(level().await, json!(high));
    let found = |level: &str| world.path(&format!("/members?filter[level_id]={level}"));
    world.until(&found(&high), |reply| column(reply, "name") == ["Ana"]).await;
    let path = world.path(&format!("/levels/{high}"));
    assert_eq!(world.send("PATCH", &path, json!({ "from_point": 151 })).await.status, 200);
    assert_eq!(level().await, json!(low));
    world.until(&found(&low), |reply| column(reply, "name") == ["Ana"]).await;
    assert_eq!(world.send("PATCH", &path, json!({ "from_point": 101 })).await.status, 200);
    assert_eq!(level().await, json!(high));
    assert_eq!(world.call("DELETE", &path).send().await.status, 204);
    assert_eq!(level().await, json!(low));
    world.until(&found(&low), |reply| column(reply, "name") == ["Ana"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ranking_has_exact_positions_and_equals_share_one() {
    let world = World::start().await;
    let points = [300, 5, 300, 70_000, 0, 5, 5, 256, 255, 9_007_199_254_740_992_i64];
    let mut members = Vec::new();
    for (nth, points) in points.iter().enumerate() {
        let member = world.member(json!({ "name": format!("m{nth}") })).await;
        if *points > 0 {
            world.award(&member, *points).await;
        }
        members.push(member);
    }
    let position = |of: i64| points.iter().filter(|other| **other > of).count() + 1;
    for (member, points) in members.iter().zip(points) {
        let reply = world.get(&format!("{member}/ranking")).await;
        // It changes with the points of others, of which its member's version says nothing.
        assert_eq!((reply.status.as_u16(), reply.headers.get("etag")), (200, None));
        let rank = reply.body;
        assert_eq!((&rank["position"], &rank["points"]), (&json!(position(points)), &json!(points)));
        assert_eq!(rank["member_id"], member.strip_prefix("/v1/members/").unwrap());
        assert!(rank.get("answers").is_none() && rank.get("phone").is_none(), "a ranking shows little: {rank}");
    }
    let mut sorted = points.to_vec();
    sorted.sort_unstable_by(|one, other| other.cmp(one));
    for sort in ["-points", "points"] {
        if sort == "points" {
            sorted.reverse();
        }
        for size in [1, 2, 3, 4, 10, 100] {
            let mut page = world.get(&world.path(&format!("/ranking?sort={sort}&page[size]={size}"))).await;
            let (mut seen, mut positions) = (column(&page, "points"), column(&page, "position"));
            while let Some(next) = page.body["links"]["next"].as_str() {
                page = world.get(next).await;
                seen.extend(column(&page, "points"));
                positions.extend(column(&page, "position"));
            }
            assert_eq!(seen, sorted, "{sort} {size}");
            let expected: Vec<_> = sorted.iter().map(|points| position(*points)).collect();
            assert_eq!(positions, expected, "{sort} {size}");
        }
    }
    for (number, expected) in [(1, [1, 2, 3]), (2, [3, 5, 6]), (3, [7, 7, 7])] {
        let page = world.get(&world.path(&format!("/ranking?page[size]=3&page[number]={number}"))).await;
        assert_eq!(
            (column(&page, "position"), &page.body["page"]["total_items"]),
            (expected.map(Value::from).into(), &json!(10))
        );
    }
    assert_eq!(world.get(&world.path("/ranking?sort=name")).await.status, 400);
    assert_eq!(world.call("DELETE", &members[9]).send().await.status, 204);
    assert_eq!(world.read(&format!("{}/ranking", members[3])).await["position"], 1);
}
