//! Many at once at the members of one membership: sums are exact, and what is counted equals what is there.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::races::all;
use crate::world::{World, as_refused, column, refused};

/// Every item of the table.
async fn items(world: &World) -> Vec<HashMap<String, AttributeValue>> {
    let (mut items, mut start) = (Vec::new(), None);
    loop {
        let scan = world.muster.dynamodb().scan().table_name(&world.muster.wiring.table).consistent_read(true);
        let read = scan.set_exclusive_start_key(start).send().await.unwrap();
        items.extend(read.items.unwrap_or_default());
        start = read.last_evaluated_key;
        if start.is_none() {
            return items;
        }
    }
}

fn text(item: &HashMap<String, AttributeValue>, name: &str) -> String {
    item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
}

/// The sums of the numbers in all items of a partition.
fn counted(items: &[HashMap<String, AttributeValue>], pk: &str) -> BTreeMap<String, i64> {
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for item in items.iter().filter(|item| text(item, "PK") == pk) {
        for (name, value) in item {
            if let Ok(number) = value.as_n() {
                *sums.entry(name.clone()).or_default() += number.parse::<i64>().unwrap();
            }
        }
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}

/// Counts all members again, and compares entries, counters, claims, levels and ranking with that.
async fn agrees(world: &World) {
    let (items, membership) = (items(world).await, &world.membership);
    let members: Vec<_> = items.iter().filter(|item| text(item, "SK") == "E").collect();
    let (mut buckets, mut tallies): (BTreeMap<String, i64>, BTreeMap<String, i64>) = Default::default();
    for member in &members {
        let level = text(member, "level_id");
        let level = if level.is_empty() { "~".to_owned() } else { level };
        *buckets.entry(format!(".{level}.{}", text(member, "status"))).or_default() += 1;
        let mut tally = |name: String| *tallies.entry(name).or_default() += 1;
        tally(".all".to_owned());
        if level != "~" {
            tally(format!(".level:{level}"));
        }
        for key in member["answers"].as_m().unwrap().keys() {
            tally(format!(".answered:{key}"));
        }
    }
    assert_eq!(counted(&items, &format!("N#M#{membership}")), buckets);
    assert_eq!(counted(&items, &format!("T#M#{membership}")), tallies);
    let ids: Vec<_> = members.iter().map(|member| text(member, "id")).collect();
    let mut entries: BTreeMap<String, usize> = BTreeMap::new();
    for item in items.iter().filter(|item| text(item, "PK").starts_with(&format!("X#M#{membership}#"))) {
        let place = text(item, "SK");
        let id = place.split('\u{1}').nth(1).unwrap().to_owned();
        assert!(ids.contains(&id), "an entry of nobody: {} {place}", text(item, "PK"));
        *entries.entry(id).or_default() += 1;
    }
    let of_each: Vec<_> = entries.values().collect();
    assert!(entries.len() == members.len() && of_each.windows(2).all(|two| two[0] == two[1]), "{entries:?}");
    for claim in items.iter().filter(|item| text(item, "PK").starts_with(&format!("C#M#{membership}#"))) {
        assert!(ids.contains(&text(claim, "member_id")), "a claim of nobody: {claim:?}");
    }
    ranked(world, &members).await;
}

async fn ranked(world: &World, members: &[&HashMap<String, AttributeValue>]) {
    let mut points: Vec<i64> = members.iter().map(|member| member["points"].as_n().unwrap().parse().unwrap()).collect();
    points.sort_unstable_by(|one, other| other.cmp(one));
    let ranking = world.get(&world.path("/ranking?page[size]=100")).await;
    assert_eq!(column(&ranking, "points"), points);
    let position = |of: &i64| points.iter().filter(|other| *other > of).count() + 1;
    assert_eq!(column(&ranking, "position"), points.iter().map(position).collect::<Vec<_>>());
    assert_eq!(ranking.body["page"]["total_items"], points.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_members_with_one_unique_answer_one_joins() {
    let world = World::start().await;
    world.field("mail", "email", json!({ "unique": true, "searchable": true })).await;
    let path = world.path("/members");
    let body = |nth: u32| {
        let mail = if nth.is_multiple_of(2) { "one@example.com" } else { "ONE@example.com" };
        json!({ "name": format!("m{nth}"), "answers": { "mail": mail } })
    };
    let replies = all((0..100).map(|nth| world.send("POST", &path, body(nth)))).await;
    let won: Vec<_> = replies.iter().filter(|reply| reply.status == 201).collect();
    assert_eq!(won.len(), 1);
    let lost = replies.iter().filter(|reply| refused(reply) == as_refused((409, "/answers/mail", "taken")));
    assert_eq!(lost.count(), 99);
    for (prefix, count) in [("#answers.mail#", 1), ("#number#", 1)] {
        assert_eq!(world.muster.items(&format!("C#M#{}{prefix}", world.membership)).await.len(), count, "{prefix}");
    }
    agrees(&world).await;
    let found = world.get(&world.path("/members?filter[answers.mail]=one@example.com")).await;
    assert_eq!(column(&found, "id"), [won[0].body["id"].clone()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_members_who_all_change_to_one_unique_answer_one_gets_it() {
    let world = World::start().await;
    world.field("nick", "string", json!({ "unique": true })).await;
    let path = world.path("/members");
    let made = all((0..30).map(|nth| world.send("POST", &path, json!({ "answers": { "nick": format!("n{nth}") } }))));
    let members: Vec<_> = made.await.iter().map(|reply| reply.header("location").to_owned()).collect();
    let replies =
        all(members.iter().map(|member| world.send("PUT", &format!("{member}/answers"), json!({ "nick": "the one" }))));
    let replies = replies.await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    assert_eq!(replies.iter().filter(|reply| refused(reply) == as_refused((409, "/nick", "taken"))).count(), 29);
    assert_eq!(world.muster.items(&format!("C#M#{}#answers.nick#", world.membership)).await.len(), 30);
    agrees(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_awards_to_one_member_are_all_counted() {
    let world = World::start().await;
    for number in 0..5_u32 {
        world.level(number, i64::from(number) * 1000, i64::from(number) * 1000 + 999).await;
    }
    let member = world.member(json!({ "name": "Ana" })).await;
    let path = format!("{member}/points");
    let replies = all((1..=100).map(|delta| world.send("POST", &path, json!({ "delta": delta, "reason": "x" })))).await;
    let failed: Vec<_> = replies.iter().filter(|reply| reply.status != 201).collect();
    assert!(failed.is_empty(), "{} failed: {:?}", failed.len(), failed[0]);
    let read = world.read(&member).await;
    assert_eq!(read["points"], 5050);
    let fifth = world.get(&world.path("/levels?filter[number]=4")).await;
    assert_eq!(read["level_id"], column(&fifth, "id")[0], "beyond the last one it stays there");
    let ledger = world.get(&format!("{path}?page[size]=100")).await;
    let mut deltas: Vec<_> = column(&ledger, "delta").iter().map(|delta| delta.as_i64().unwrap()).collect();
    deltas.sort_unstable();
    assert_eq!(deltas, (1..=100).collect::<Vec<_>>());
    assert_eq!(ledger.body["page"]["total_items"], 100);
    // Each row's points are those of the row before it and its own, in the order in which they were written.
    let mut rows: Vec<(i64, i64)> = replies
        .iter()
        .map(|reply| (reply.body["points"].as_i64().unwrap(), reply.body["delta"].as_i64().unwrap()))
        .collect();
    rows.sort_unstable();
    assert!(rows.windows(2).all(|two| two[1].0 == two[0].0 + two[1].1), "{rows:?}");
    agrees(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_awards_to_a_hundred_members_are_all_counted() {
    let world = World::start().await;
    world.level(1, 0, 50).await;
    world.level(2, 51, 1000).await;
    let path = world.path("/members");
    let made = all((0..100).map(|nth| world.send("POST", &path, json!({ "name": format!("m{nth}") })))).await;
    assert!(made.iter().all(|reply| reply.status == 201));
    let awards = made.iter().enumerate().map(|(nth, reply)| {
        let award = json!({ "delta": nth + 1, "reason": "x" });
        world.send("POST", &format!("{}/points", reply.header("location")), award)
    });
    let awards = all(awards).await;
    let failed: Vec<_> = awards.iter().filter(|reply| reply.status != 201).collect();
    assert!(failed.is_empty(), "{} failed: {:?}", failed.len(), failed[0]);
    let members = world.get(&format!("{path}?page[size]=100&sort=points")).await;
    assert_eq!(column(&members, "points"), (1..=100).map(Value::from).collect::<Vec<_>>());
    for (level, count) in [(1, 50), (2, 50)] {
        let level = column(&world.get(&world.path(&format!("/levels?filter[number]={level}"))).await, "id");
        let found = world.get(&format!("{path}?filter[level_id]={}", level[0].as_str().unwrap())).await;
        assert_eq!(found.body["page"]["total_items"], count);
    }
    agrees(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_that_change_and_go_while_points_come_leave_nothing_wrong() {
    let world = World::start().await;
    world.level(1, 0, 9).await;
    world.level(2, 10, 99).await;
    world.field("city", "string", json!({ "searchable": true })).await;
    let mut members = Vec::new();
    for nth in 0..10 {
        members.push(world.member(json!({ "name": format!("m{nth}"), "answers": { "city": "a" } })).await);
    }
    let changes = members.iter().enumerate().flat_map(|(nth, member)| {
        let last = if nth % 2 == 0 {
            world.send("DELETE", member, Value::Null)
        } else {
            world.send("DELETE", &format!("{member}/none"), Value::Null)
        };
        [
            world.send("POST", &format!("{member}/points"), json!({ "delta": 7, "reason": "x" })),
            world.send("PATCH", member, json!({ "name": "changed", "status": "BLOCKED" })),
            world.send("PUT", &format!("{member}/answers"), json!({ "city": "b" })),
            world.send("POST", &format!("{member}/points"), json!({ "delta": 7, "reason": "y" })),
            last,
        ]
    });
    let replies = all(changes).await;
    assert!(replies.iter().all(|reply| reply.status.is_success() || reply.status == 404), "{replies:?}");
    let left = world.get(&world.path("/members?filter[points]=14&filter[answers.city]=b&filter[status]=BLOCKED")).await;
    assert_eq!(column(&left, "name"), vec![json!("changed"); 5]);
    assert_eq!(world.read(&world.path("/members")).await["page"]["total_items"], 5);
    agrees(&world).await;
}
