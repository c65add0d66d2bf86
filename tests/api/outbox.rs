//! Each change of what is in a segment writes its event, in its own transaction, and nothing of a person stands in it.

use domain::{Act, Actor, Event};
use serde_json::{Value, json};

use crate::system::{Muster, PASSWORD};
use crate::uploads::club::put;
use crate::uploads::samples::PDF;
use crate::world::{World, column, id};

impl World {
    /// The types of the events that were written since the last look, oldest first.
    async fn told(&self, seen: &mut usize) -> Vec<String> {
        let events = self.events().await;
        let new = events.get(*seen..).unwrap_or_default().iter().map(|event| event.kind.to_string()).collect();
        *seen = events.len();
        new
    }

    /// The events of the segment, oldest first.
    async fn events(&self) -> Vec<Event> {
        let mut path = format!("/v1/segments/{}/events?page[size]=100&sort=id", self.segment);
        let mut events = Vec::new();
        loop {
            let page = self.read(&path).await;
            events.extend(
                page["data"].as_array().unwrap().iter().map(|row| serde_json::from_value(row.clone()).unwrap()),
            );
            match page["links"]["next"].as_str() {
                Some(next) => path = next.to_owned(),
                None => return events,
            }
        }
    }

    async fn told_of(&self, seen: &mut usize, (method, path): (&str, &str), body: Value, expected: &[&str]) -> Value {
        let call = self.call(method, path);
        let reply = if body.is_null() { call.send().await } else { call.json(body).send().await };
        assert!(reply.status.is_success(), "{method} {path}: {reply:?}");
        assert_eq!(self.told(seen).await, expected, "{method} {path}");
        reply.body
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_of_a_user_makes_its_event() {
    let world = World::start().await;
    let seen = &mut world.events().await.len();
    let users = format!("/v1/segments/{}/users", world.segment);
    let email = json!({ "email": "a@example.com" });
    let user = id(&world.told_of(seen, ("POST", &users), email, &["muster.user.created"]).await);
    let user = format!("/v1/users/{user}");
    let change = |body| (("PATCH", user.as_str()), body);
    for ((call, body), told) in [
        (change(json!({ "name": "Ana" })), "updated"),
        (change(json!({ "status": "BLOCKED" })), "blocked"),
        (change(json!({ "status": "ACTIVE" })), "unblocked"),
        ((("POST", &format!("{user}/password")), json!({ "new_password": PASSWORD })), "updated"),
        ((("DELETE", &user), Value::Null), "deleted"),
        ((("POST", &format!("{user}/restoration")), Value::Null), "restored"),
        ((("DELETE", &format!("{user}?purge=true")), Value::Null), "purged"),
    ] {
        world.told_of(seen, call, body, &[&format!("muster.user.{told}")]).await;
    }
    let events = world.events().await;
    let versions: Vec<_> = events.iter().map(|event| event.version).collect();
    assert!(versions.windows(2).skip(1).all(|pair| pair[0] < pair[1]), "the end is the last: {versions:?}");
    let named = events.iter().find(|event| event.changed == ["name"]).unwrap();
    assert_eq!(named.actor, Actor::User(world.ana.id.parse().unwrap()));
    assert!(events.iter().any(|event| event.changed.contains(&"password".to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_address_of_a_segments_user_makes_its_event_and_none_of_a_master_users() {
    let world = World::start().await;
    let user = world.user(json!({})).await;
    let seen = &mut world.events().await.len();
    let path = format!("/v1/users/{user}/addresses");
    let two = json!([{ "alias": "Home" }, { "alias": "Work" }]);
    let made = world.told_of(seen, ("POST", &path), two, &["muster.address.created"; 2]).await;
    let one = format!("{path}/{}", id(&made["data"][0]));
    world.told_of(seen, ("PATCH", &one), json!({ "alias": "Old home" }), &["muster.address.updated"]).await;
    world.told_of(seen, ("DELETE", &one), Value::Null, &["muster.address.deleted"]).await;
    let last = world.events().await.pop().unwrap();
    assert_eq!(last.user_id.map(|id| id.to_string()), Some(user));
    let own = world.muster.address(&world.ana, "Home").await;
    world.told_of(seen, ("DELETE", &format!("/v1/users/me/addresses/{own}")), Value::Null, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_device_of_a_segments_user_makes_its_event_and_none_of_a_master_users() {
    let world = World::start().await;
    let (user, other) = (world.user(json!({})).await, world.user(json!({})).await);
    let seen = &mut world.events().await.len();
    let [path, others] = [&user, &other].map(|user| format!("/v1/users/{user}/devices"));
    let device = |more: &str| json!({ "platform": "fcm", "token": "a-phone-of-ana", "app_version": more });
    world.told_of(seen, ("POST", &path), device("1"), &["muster.device.created"]).await;
    world.told_of(seen, ("POST", &path), device("1"), &[]).await;
    world.told_of(seen, ("POST", &path), device("2"), &["muster.device.updated"]).await;
    assert_eq!(world.events().await.pop().unwrap().changed, ["app_version"]);
    let both = ["muster.device.deleted", "muster.device.created"];
    let taken = id(&world.told_of(seen, ("POST", &others), device("2"), &both).await);
    let users: Vec<_> = world.events().await.iter().rev().take(2).map(|event| event.user_id.unwrap()).collect();
    assert_eq!(users.iter().map(ToString::to_string).collect::<Vec<_>>(), [other.clone(), user.clone()]);
    let one = format!("{others}/{taken}");
    world.told_of(seen, ("DELETE", &one), Value::Null, &["muster.device.deleted"]).await;
    world.told_of(seen, ("POST", &path), device("3"), &["muster.device.created"]).await;
    let purged = ["muster.device.deleted", "muster.user.purged"];
    world.told_of(seen, ("DELETE", &format!("/v1/users/{user}?purge=true")), Value::Null, &purged).await;
    world.told_of(seen, ("POST", "/v1/users/me/devices"), device("1"), &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_status_of_a_notification_makes_its_event() {
    let world = World::start().await;
    let user = world.user(json!({})).await;
    let seen = &mut world.events().await.len();
    let path = format!("/v1/segments/{}/notifications", world.segment);
    let later = domain::Time::now().plus(std::time::Duration::from_secs(3600));
    let begun = json!({ "title": "Hello", "body": "Secret", "schedule": later });
    let begun = world.told_of(seen, ("POST", &path), begun, &["muster.notification.created"]).await;
    let one = format!("{path}/{}", id(&begun));
    world.told_of(seen, ("DELETE", &one), Value::Null, &["muster.notification.updated"]).await;
    let cancelled = world.events().await.pop().unwrap();
    assert_eq!(cancelled.changed, ["status", "finished_at"]);
    world.told_of(seen, ("DELETE", &one), Value::Null, &["muster.notification.deleted"]).await;
    let sent = json!({ "title": "Hello", "body": "Secret", "user_ids": [user] });
    let sent = id(&world.send("POST", &path, sent).await.body);
    world.until(&format!("{path}/{sent}"), |reply| reply.body["status"] == "SENT").await;
    assert_eq!(world.told(seen).await, ["muster.notification.created", "muster.notification.updated"]);
    assert_eq!(world.events().await.pop().unwrap().actor, Actor::System);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_of_the_things_of_a_segment_makes_its_event() {
    let world = World::start().await;
    let seen = &mut world.events().await.len();
    let segment = format!("/v1/segments/{}", world.segment);
    for (thing, path, new, change, method) in [
        ("catalog", "catalogs", json!({ "name": "C", "options": [] }), json!({ "name": "D", "options": [] }), "PUT"),
        ("status", "statuses", json!({ "name": "S" }), json!({ "name": "T" }), "PATCH"),
        ("partner", "partners", json!({ "commercial_name": "P" }), json!({ "tin": "1" }), "PATCH"),
    ] {
        let path = format!("{segment}/{path}");
        let told = |what: &str| format!("muster.{thing}.{what}");
        let made = world.told_of(seen, ("POST", &path), new, &[&told("created")]).await;
        let one = format!("{path}/{}", id(&made));
        world.told_of(seen, (method, &one), change, &[&told("updated")]).await;
        world.told_of(seen, ("DELETE", &one), Value::Null, &[&told("deleted")]).await;
    }
    let products = format!("{segment}/products");
    let both = ["muster.membership.created", "muster.product.created"];
    let made = world.told_of(seen, ("POST", &products), json!({ "title": "P" }), &both).await;
    let one = format!("{products}/{}", id(&made));
    world.told_of(seen, ("PATCH", &one), json!({ "title": "Q" }), &["muster.product.updated"]).await;
    world.told_of(seen, ("DELETE", &one), Value::Null, &["muster.product.deleted"]).await;
    world.told_of(seen, ("PATCH", &segment), json!({ "name": "T" }), &["muster.segment.updated"]).await;
    assert_eq!(world.call("DELETE", &segment).send().await.status, 204);
    let kept = world.muster.whole_table().await;
    assert!(kept.contains("muster.segment.deleted") && !kept.contains("muster.membership.deleted"));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_of_a_membership_and_its_members_makes_its_event() {
    let world = World::start().await;
    let seen = &mut world.events().await.len();
    let call = ("POST", &*world.path("/levels"));
    let level = json!({ "name": "L", "number": 1, "from_point": 0, "to_point": 9 });
    let level = id(&world.told_of(seen, call, level, &["muster.level.created"]).await);
    let level = world.path(&format!("/levels/{level}"));
    world.told_of(seen, ("PATCH", &level), json!({ "name": "M" }), &["muster.level.updated"]).await;
    let call = ("POST", &*world.path("/fields"));
    let field = json!({ "key": "city", "name": "City", "type": "string" });
    let field = id(&world.told_of(seen, call, field, &["muster.field.created"]).await);
    let field = world.path(&format!("/fields/{field}"));
    world.told_of(seen, ("PATCH", &field), json!({ "name": "Town" }), &["muster.field.updated"]).await;
    let call = ("POST", &*world.path("/members"));
    let member = id(&world.told_of(seen, call, json!({ "name": "Ana" }), &["muster.member.created"]).await);
    let member = format!("/v1/members/{member}");
    world.told_of(seen, ("PATCH", &member), json!({ "name": "Eva" }), &["muster.member.updated"]).await;
    let answers = format!("{member}/answers");
    world.told_of(seen, ("PUT", &answers), json!({ "city": "Lima" }), &["muster.member.updated"]).await;
    assert_eq!(world.events().await.pop().unwrap().changed, ["answers.city"]);
    let award = json!({ "delta": 5, "reason": "Test" });
    let points = format!("{member}/points");
    world.told_of(seen, ("POST", &points), award, &["muster.member.points_changed"]).await;
    world.told_of(seen, ("DELETE", &member), Value::Null, &["muster.member.deleted"]).await;
    world.told_of(seen, ("DELETE", &field), Value::Null, &["muster.field.deleted"]).await;
    world.told_of(seen, ("DELETE", &level), Value::Null, &["muster.level.deleted"]).await;
    let membership = world.path("");
    world.told_of(seen, ("PATCH", &membership), json!({ "name": "D" }), &["muster.membership.updated"]).await;
    world.told_of(seen, ("DELETE", &membership), Value::Null, &["muster.membership.deleted"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_told_as_itself_and_as_the_member_that_it_is() {
    let world = World::start().await;
    let (user, product) = (world.user(json!({})).await, world.product().await);
    let seen = &mut world.events().await.len();
    let path = format!("/v1/segments/{}/subscriptions", world.segment);
    let body = json!({ "user_id": user, "product_id": product });
    let both = |what: &str| [format!("muster.member.{what}"), format!("muster.subscription.{what}")];
    let told = both("created");
    let told: Vec<_> = told.iter().map(String::as_str).collect();
    let made = id(&world.told_of(seen, ("POST", &path), body, &told).await);
    let one = format!("/v1/subscriptions/{made}");
    let told = both("updated");
    let told: Vec<_> = told.iter().map(String::as_str).collect();
    world.told_of(seen, ("PATCH", &one), json!({ "reference_id": "a" }), &told).await;
    // What a subscription does not show is the member's alone.
    let member = format!("/v1/members/{made}");
    world.told_of(seen, ("PATCH", &member), json!({ "name": "Eva" }), &["muster.member.updated"]).await;
    let told = both("deleted");
    let told: Vec<_> = told.iter().map(String::as_str).collect();
    world.told_of(seen, ("DELETE", &one), Value::Null, &told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_tells_what_it_changes_and_a_purge_who_leaves() {
    let world = World::start().await;
    let low = world.level(1, 0, 9).await;
    let member = world.member(json!({ "name": "Ana" })).await;
    let seen = &mut world.events().await.len();
    let level = world.path(&format!("/levels/{low}"));
    world.told_of(seen, ("DELETE", &level), Value::Null, &["muster.level.deleted"]).await;
    let told = async || {
        let events = world.events().await;
        events.into_iter().find(|event| event.kind.to_string() == "muster.member.updated")
    };
    let moved = loop {
        world.muster.work().await;
        if let Some(moved) = told().await {
            break moved;
        }
    };
    assert_eq!((moved.actor, moved.changed.as_slice()), (Actor::System, ["level_id".to_owned()].as_slice()));
    assert_eq!(member, format!("/v1/members/{}", moved.subject_id));
    let user = world.user(json!({})).await;
    world.member(json!({ "user_id": user })).await;
    *seen = world.events().await.len();
    let purge = format!("/v1/users/{user}?purge=true");
    world.told_of(seen, ("DELETE", &purge), Value::Null, &["muster.member.deleted", "muster.user.purged"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_told_once_it_was_checked() {
    let world = World::start().await;
    for (bytes, status) in [(PDF, "available"), (b"not a document".as_slice(), "rejected")] {
        let seen = &mut world.events().await.len();
        let body = json!({ "segment_id": world.segment, "filename": "a.pdf", "content_type": "application/pdf",
            "size": bytes.len() });
        let begun = world.told_of(seen, ("POST", "/v1/uploads"), body, &[]).await;
        assert_eq!(put(&begun, bytes, &[]).await.status, 200);
        world.until(&format!("/v1/uploads/{}", id(&begun)), |reply| reply.body["status"] != "PENDING").await;
        assert_eq!(world.told(seen).await, [format!("muster.upload.{status}")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_makes_no_event() {
    let world = World::start().await;
    let user = format!("/v1/users/{}", world.user(json!({ "email": "a@example.com" })).await);
    let seen = &mut world.events().await.len();
    let users = format!("/v1/segments/{}/users", world.segment);
    let taken = world.send("POST", &users, json!({ "email": "a@example.com" })).await;
    let stale = world.call("PATCH", &user).header("if-match", "\"7\"").json(json!({ "name": "A" })).send().await;
    let invalid = world.send("PATCH", &user, json!({ "email": null })).await;
    assert_eq!((taken.status.as_u16(), stale.status.as_u16(), invalid.status.as_u16()), (409, 412, 400));
    assert!(world.told(seen).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_suppresses_the_event_and_nothing_else() {
    let world = World::start().await;
    let store = &world.muster.functions.app.store;
    let user = world.user(json!({})).await;
    let seen = &mut world.events().await.len();
    let before = store.user(user.parse().unwrap()).await.unwrap().unwrap();
    let after = before.user.next(domain::Time::now());
    let act = Act::of(Actor::System, "test").untold();
    let entry = domain::Entry::between(Some(&before.user), &after, domain::Action::Updated, act);
    store.change_user(&before, &after, &entry, store::Also::default()).await.unwrap();
    assert!(world.told(seen).await.is_empty());
    let history = world.get(&format!("/v1/users/{user}/history")).await;
    assert_eq!(column(&history, "request_id")[0], "test", "the history is written all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_leaves_nothing_of_a_person_in_events() {
    let world = World::start().await;
    let person = json!({ "email": "rosalinda@example.com", "name": "Rosalinda", "phone": "+5215512345678",
        "identification": { "type": "DNI", "value": "20123456" }, "operation_country": "ARG" });
    let user = world.user(person).await;
    world
        .told_of(
            &mut 0,
            ("PATCH", &format!("/v1/users/{user}")),
            json!({ "last_name": "Quispe" }),
            &["muster.membership.created", "muster.user.created", "muster.user.updated"],
        )
        .await;
    assert_eq!(world.call("DELETE", &format!("/v1/users/{user}?purge=true")).send().await.status, 204);
    let kept = world.muster.whole_table().await;
    assert!(kept.contains("muster.user.purged"));
    for of_person in ["osalinda", "Quispe", "5512345678", "20123456"] {
        assert!(!kept.contains(of_person), "{of_person}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_listed_by_type_subject_and_time() {
    let world = World::start().await;
    let user = world.user(json!({})).await;
    let member = world.member(json!({ "name": "Ana" })).await;
    let path = format!("/v1/segments/{}/events", world.segment);
    let all = world.get(&path).await;
    assert_eq!(column(&all, "type"), ["muster.member.created", "muster.user.created", "muster.membership.created"]);
    assert_eq!(all.body["page"]["total_items"], 3);
    let by = async |query: &str| column(&world.get(&format!("{path}?{query}")).await, "type");
    assert_eq!(by("filter[type]=muster.user.*").await, ["muster.user.created"]);
    assert_eq!(by("filter[type]=muster.user.created,muster.member.*&sort=id").await.len(), 2);
    assert_eq!(by(&format!("filter[subject_id]={user}")).await, ["muster.user.created"]);
    let at = all.body["data"][1]["created_at"].as_str().unwrap();
    assert!(by(&format!("filter[created_at][gte]={at}&sort=id")).await.contains(&json!("muster.member.created")));
    assert!(by("filter[created_at][lt]=2026-01-01T00:00:00Z").await.is_empty());
    assert!(by(&format!("filter[created_at][gt]={at}&filter[created_at][lt]={at}")).await.is_empty());
    let first = world.get(&format!("{path}?page[size]=2&sort=created_at")).await;
    let next = world.get(first.body["links"]["next"].as_str().unwrap()).await;
    assert_eq!(column(&next, "subject_id"), [member.rsplit('/').next().unwrap()]);
    let mut event = all.body["data"][1].clone();
    event["deliveries"] = json!([]);
    assert_eq!(world.read(&format!("{path}/{}", event["id"].as_str().unwrap())).await, event);
    assert_eq!(world.get(&format!("{path}/{}", domain::EventId::fresh())).await.status, 404);
    let other: &Muster = &world.muster;
    let stranger = other.ana().await;
    assert_eq!(other.get(&path).by(&stranger).send().await.status, 404);
}
