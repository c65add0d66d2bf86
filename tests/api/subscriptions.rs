//! Subscriptions: members who came from a product.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::races::all;
use crate::world::{World, as_refused, column, id, refused};

fn path(world: &World) -> String {
    format!("/v1/segments/{}/subscriptions", world.segment)
}

impl World {
    /// How many subscriptions a product has, as Muster counts them.
    async fn counted(&self, product: &str) -> u64 {
        let mut sum = 0;
        for shard in 0..8 {
            let item = self.muster.item(&format!("S#{}", self.segment), &format!("Q#{product}#{shard}")).await;
            sum += item["subscription_count"].as_n().unwrap().parse::<u64>().unwrap();
        }
        sum
    }

    async fn subscribed(&self, user: &str, product: &str) -> Value {
        self.muster.made(&self.ana, &path(self), json!({ "user_id": user, "product_id": product })).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_made_read_changed_and_deleted() {
    let world = World::start().await;
    let (user, product) = (world.user(json!({})).await, world.product().await);
    let body = json!({ "user_id": user, "product_id": product, "reference_id": 5, "price": 450.5, "expires_at": "2027-01-01T00:00:00Z" });
    let made = world.send("POST", &path(&world), body).await;
    assert_eq!((made.status.as_u16(), made.header("etag")), (201, "\"1\""), "{made:?}");
    let one = made.header("location").to_owned();
    assert_eq!(one, format!("/v1/subscriptions/{}", id(&made.body)));
    for (field, value) in [
        ("segment_id", json!(world.segment)),
        ("membership_id", json!(world.membership)),
        ("user_id", json!(user)),
        ("product_id", json!(product)),
        ("reference_id", json!("5")),
        ("quantity", json!(1)),
        ("price", json!("450.5")),
        ("status", json!("ACTIVE")),
        ("starts_at", json!(null)),
        ("expires_at", json!("2027-01-01T00:00:00.000Z")),
        ("last_payment_at", json!(null)),
    ] {
        assert_eq!(made.body[field], value, "{field}");
    }
    assert_eq!(world.get(&one).await.text, made.text);
    assert_eq!(world.call("GET", &one).header("if-none-match", "\"1\"").send().await.status, 304);
    // It is a member, and the other way round.
    let member = format!("/v1/members/{}", id(&made.body));
    let as_member = world.read(&member).await;
    for field in ["user_id", "product_id", "reference_id", "quantity", "price", "status", "expires_at", "version"] {
        assert_eq!(as_member[field], made.body[field], "{field}");
    }
    assert!(as_member["number"].as_str().is_some_and(|number| number.len() == 8));
    world.award(&member, 5).await;
    assert_eq!(world.get(&one).await.header("etag"), "\"2\"");

    let patch =
        json!({ "quantity": 3, "status": "INACTIVE", "expires_at": null, "last_payment_at": "2026-01-01T00:00:00Z" });
    assert_eq!(world.call("PATCH", &one).json(patch.clone()).header("if-match", "\"1\"").send().await.status, 412);
    let changed = world.call("PATCH", &one).json(patch).header("if-match", "\"2\"").send().await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"3\""), "{changed:?}");
    assert_eq!(world.get(&one).await.text, changed.text);
    let as_member = world.read(&member).await;
    assert_eq!([&as_member["quantity"], &as_member["points"]], [&json!(3), &json!(5)]);
    for fixed in ["user_id", "product_id"] {
        let reply = world.send("PATCH", &one, json!({ fixed: world.segment })).await;
        assert_eq!(refused(&reply), as_refused((400, &format!("/{fixed}"), "immutable")));
    }
    assert_eq!(world.call("DELETE", &one).header("if-match", "\"2\"").send().await.status, 412);
    assert_eq!(world.counted(&product).await, 1);
    assert_eq!(world.call("DELETE", &one).send().await.status, 204);
    for gone in [&one, &member] {
        assert_eq!(world.get(gone).await.status, 404);
    }
    assert_eq!(
        (world.counted(&product).await, &world.read(&path(&world)).await["page"]["total_items"]),
        (0, &json!(0))
    );
    assert!(world.muster.items(&format!("X#R#{}#", world.segment)).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_with_a_subscription_is_told_at_once() {
    let world = World::start().await;
    let body =
        json!({ "user_id": "x", "quantity": 0, "status": "ON", "expires_at": "tomorrow", "price": -1, "cost": 1 });
    let reply = world.send("POST", &path(&world), body).await;
    let pointers: BTreeSet<_> = reply.errors().into_iter().map(|(pointer, _)| pointer).collect();
    let expected = ["/user_id", "/product_id", "/quantity", "/status", "/expires_at", "/price", "/cost"];
    assert_eq!((reply.status.as_u16(), pointers), (400, expected.map(str::to_owned).into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_users_of_the_segment_subscribe_and_only_to_its_products() {
    let world = World::start().await;
    let eve = world.muster.ana().await;
    let other = world.muster.made(&world.ana, "/v1/segments", json!({ "name": "Other" })).await;
    let products = format!("/v1/segments/{}/products", id(&other));
    let others = id(&world.muster.made(&world.ana, &products, json!({ "title": "T" })).await);
    let (user, product) = (world.user(json!({})).await, world.product().await);
    let unknown = |pointer: &str| (pointer.to_owned(), "unknown".to_owned());
    for (user, product, expected) in [
        (&eve.id, &product, vec![unknown("/user_id")]),
        (&user, &others, vec![unknown("/product_id")]),
        (&world.segment, &world.segment, vec![unknown("/user_id"), unknown("/product_id")]),
    ] {
        let reply = world.send("POST", &path(&world), json!({ "user_id": user, "product_id": product })).await;
        assert_eq!((reply.status.as_u16(), reply.errors()), (400, expected));
    }
    // Nor by way of the members.
    let body = |product: &str| json!({ "user_id": user, "product_id": product });
    let own = format!("/v1/segments/{}/products", world.segment);
    let own = id(&world.muster.made(&world.ana, &own, json!({ "title": "Of another membership" })).await);
    for wrong in [&others, &own, &world.segment] {
        let reply = world.send("POST", &world.path("/members"), body(wrong)).await;
        assert_eq!(refused(&reply), as_refused((400, "/product_id", "unknown")));
    }
    let nobody = world.send("POST", &world.path("/members"), json!({ "product_id": product })).await;
    assert_eq!(refused(&nobody), as_refused((400, "/user_id", "required")));
    let read = world.read(&path(&world)).await;
    assert_eq!(read["page"]["total_items"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_with_a_product_is_a_subscription_however_it_came_to_it() {
    let world = World::start().await;
    let (user, product, second) = (world.user(json!({})).await, world.product().await, world.product().await);
    let member = world.member(json!({ "user_id": user, "product_id": product })).await;
    let one = member.replace("members", "subscriptions");
    assert_eq!(world.read(&one).await["quantity"], 1);
    assert_eq!((world.counted(&product).await, world.counted(&second).await), (1, 0));
    assert_eq!(world.send("PATCH", &member, json!({ "product_id": second })).await.status, 200);
    assert_eq!((world.counted(&product).await, world.counted(&second).await), (0, 1));
    let nobodys = world.send("PATCH", &member, json!({ "user_id": null })).await;
    assert_eq!(refused(&nobodys), as_refused((400, "/user_id", "required")));
    for (query, found) in [(&product, 0), (&second, 1)] {
        let listed = world.get(&format!("{}?filter[product_id]={query}", path(&world))).await;
        assert_eq!(column(&listed, "id").len(), found);
    }
    assert_eq!(world.send("PATCH", &member, json!({ "product_id": null })).await.status, 200);
    assert_eq!(world.counted(&second).await, 0);
    assert_eq!(world.get(&one).await.status, 404);
    for method in ["PATCH", "DELETE"] {
        assert_eq!(world.call(method, &one).json(json!({ "quantity": 2 })).send().await.status, 404, "{method}");
    }
    assert_eq!(world.read(&path(&world)).await["page"]["total_items"], 0);
    assert!(world.muster.items(&format!("X#R#{}#", world.segment)).await.is_empty());
    // Who is a member already goes on as a subscriber, with what it has.
    world.award(&member, 7).await;
    let made = world.subscribed(&user, &product).await;
    assert_eq!(format!("/v1/members/{}", id(&made)), member);
    let after = world.read(&member).await;
    assert_eq!([&after["points"], &after["product_id"]], [&json!(7), &json!(product)]);
    assert_eq!(world.counted(&product).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_subscriptions_of_one_user_to_one_product_one_is_made() {
    let world = World::start().await;
    let (user, product, second) = (world.user(json!({})).await, world.product().await, world.product().await);
    let (path, refusal) = (path(&world), as_refused((409, "/user_id", "taken")));
    let body = |product: &str| json!({ "user_id": user, "product_id": product });
    let replies = all((0..50).map(|_| world.send("POST", &path, body(&product)))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 1);
    assert_eq!(replies.iter().filter(|reply| refused(reply) == refusal).count(), 49, "{replies:?}");
    assert_eq!(world.counted(&product).await, 1);
    assert_eq!(refused(&world.send("POST", &path, body(&second)).await), refusal, "both are of one membership");
    // Another product has a membership of its own.
    let products = format!("/v1/segments/{}/products", world.segment);
    let other = id(&world.muster.made(&world.ana, &products, json!({ "title": "Other" })).await);
    let made = world.subscribed(&user, &other).await;
    assert_ne!(made["membership_id"], json!(world.membership));
    let listed = world.get(&format!("{path}?filter[user_id]={user}")).await;
    assert_eq!(column(&listed, "product_id"), [json!(product), json!(other)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_with_subscriptions_stays_whatever_the_crowd() {
    let world = World::start().await;
    let product = world.product().await;
    let one = format!("/v1/segments/{}/products/{product}", world.segment);
    let mut users = Vec::new();
    for _ in 0..20 {
        users.push(world.user(json!({})).await);
    }
    let path = path(&world);
    let subscribing =
        users.iter().map(|user| world.send("POST", &path, json!({ "user_id": user, "product_id": product })));
    let deleting = (0..5).map(|_| world.send("DELETE", &one, Value::Null));
    let mut calls: Vec<std::pin::Pin<Box<dyn Future<Output = crate::system::Reply>>>> = Vec::new();
    subscribing.for_each(|call| calls.push(Box::pin(call)));
    deleting.for_each(|call| calls.push(Box::pin(call)));
    let replies = all(calls).await;
    let made = replies.iter().filter(|reply| reply.status == 201).count();
    if world.get(&one).await.status == 200 {
        assert_eq!((made, world.counted(&product).await), (20, 20), "{replies:?}");
        assert_eq!(refused(&world.call("DELETE", &one).send().await), as_refused((409, "", "in_use")));
    } else {
        assert_eq!(made, 0, "{replies:?}");
    }
    assert_eq!(world.read(&path).await["page"]["total_items"], made);
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_are_found_by_anything() {
    let world = World::start().await;
    let (gold, tin) = (world.product().await, world.product().await);
    let mut users = Vec::new();
    for (nth, (product, status, expires)) in [
        (&gold, "ACTIVE", json!("2027-01-01T00:00:00Z")),
        (&tin, "BLOCKED", json!("2026-06-01T00:00:00Z")),
        (&gold, "ACTIVE", json!(null)),
    ]
    .into_iter()
    .enumerate()
    {
        let user = world.user(json!({})).await;
        let body = json!({ "user_id": user, "product_id": product, "status": status, "expires_at": expires,
            "reference_id": format!("r{nth}"), "starts_at": format!("2026-0{}-01T00:00:00Z", nth + 1) });
        world.muster.made(&world.ana, &path(&world), body).await;
        users.push(user);
    }
    // Who has no product is none.
    world.member(json!({ "name": "Nobody" })).await;
    for (query, expected) in [
        ("", vec!["r0", "r1", "r2"]),
        ("sort=-created_at", vec!["r2", "r1", "r0"]),
        ("sort=expires_at", vec!["r1", "r0", "r2"]),
        ("sort=-starts_at", vec!["r2", "r1", "r0"]),
        ("sort=-status,-expires_at", vec!["r1", "r0", "r2"]),
        ("filter[status]=ACTIVE", vec!["r0", "r2"]),
        ("filter[status]=ACTIVE&sort=-expires_at", vec!["r0", "r2"]),
        ("filter[reference_id]=r1", vec!["r1"]),
        ("filter[expires_at][gte]=2026-06-01T00:00:00Z&filter[expires_at][lt]=2027-01-01T00:00:00Z", vec!["r1"]),
        ("filter[expires_at][lte]=2027-01-01T00:00:00Z&filter[status]=ACTIVE", vec!["r0"]),
        ("filter[starts_at][gt]=2026-01-15T00:00:00Z", vec!["r1", "r2"]),
        ("filter[last_payment_at][gt]=2020-01-01T00:00:00Z", vec![]),
        (&format!("filter[product_id]={gold}"), vec!["r0", "r2"]),
        (&format!("filter[product_id]={gold}&filter[user_id]={}", users[2]), vec!["r2"]),
        (&format!("filter[user_id]={}", world.ana.id), vec![]),
        ("page[size]=1&page[number]=2", vec!["r1"]),
    ] {
        let reply = world.get(&format!("{}?{query}", path(&world))).await;
        assert_eq!(column(&reply, "reference_id"), expected, "{query}");
        if !query.contains("page") {
            assert_eq!(reply.body["page"]["total_items"], expected.len(), "{query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_subscribes_sees_it_and_changes_nothing_of_it() {
    let world = World::start().await;
    let product = world.product().await;
    let made = world.subscribed(&world.ana.id, &product).await;
    let one = format!("/v1/subscriptions/{}", id(&made));
    let eve = world.muster.ana().await;
    // As a user who has enrolled itself is one: a member of somebody else's membership.
    let open = json!({ "self_enrolment": true });
    assert_eq!(world.send("PATCH", &world.path(""), open).await.status, 200);
    let hers = world.muster.post(&world.path("/members"), json!({})).by(&eve).send().await;
    let hers = format!("/v1/members/{}", id(&hers.body));
    let patch = world.send("PATCH", &hers, json!({ "product_id": product })).await;
    assert_eq!(patch.status, 200, "{patch:?}");
    let hers = hers.replace("members", "subscriptions");
    let by_eve = async |method: &str, path: &str, body: Value| {
        let call = world.muster.call(method, path).by(&eve);
        if body.is_null() { call } else { call.json(body) }.send().await.status.as_u16()
    };
    assert_eq!(by_eve("GET", &hers, Value::Null).await, 200);
    assert_eq!(by_eve("PATCH", &hers, json!({ "quantity": 9 })).await, 403);
    assert_eq!(by_eve("DELETE", &hers, Value::Null).await, 403);
    for (method, path, body) in [
        ("GET", &one, Value::Null),
        ("PATCH", &one, json!({ "quantity": 9 })),
        ("DELETE", &one, Value::Null),
        ("GET", &path(&world), Value::Null),
        ("POST", &path(&world), json!({ "user_id": eve.id, "product_id": product })),
    ] {
        assert_eq!(by_eve(method, path, body).await, 404, "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_goes_with_the_user_who_is_purged() {
    let world = World::open().await;
    let (eve, product) = (world.muster.ana().await, world.product().await);
    let joined = world.muster.post(&world.path("/members"), json!({})).by(&eve).send().await;
    let member = format!("/v1/members/{}", id(&joined.body));
    assert_eq!(world.send("PATCH", &member, json!({ "product_id": product })).await.status, 200);
    assert_eq!(world.counted(&product).await, 1);
    assert_eq!(world.muster.delete("/v1/users/me?purge=true").by(&eve).send().await.status, 204);
    assert_eq!((world.counted(&product).await, world.get(&member).await.status.as_u16()), (0, 404));
    assert_eq!(world.read(&path(&world)).await["page"]["total_items"], 0);
    let product = format!("/v1/segments/{}/products/{product}", world.segment);
    assert_eq!(world.call("DELETE", &product).send().await.status, 204);
}
