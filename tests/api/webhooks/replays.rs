//! The events of a time are sent again.

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use serde_json::json;

use super::{Receiver, still};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_time_is_replayed_to_all_that_want_its_events() {
    let world = World::start().await;
    for _ in 0..3 {
        world.user(json!({})).await;
    }
    let receiver = Receiver::start(&[]).await;
    world.webhook(&receiver.url, &["muster.user.*"]).await;
    let range = json!({ "since": "2026-01-01T00:00:00Z" });
    let replayed = world.send("POST", &world.under("/events/replay"), range).await;
    assert_eq!(replayed.body, json!({ "deliveries": 3, "next_since": null }), "{replayed:?}");
    let mut ids: Vec<_> = receiver.has(3).await.iter().map(|got| got.header("webhook-id").to_owned()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    let range = json!({ "since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z" });
    let replayed = world.send("POST", &world.under("/events/replay"), range).await;
    assert_eq!(replayed.body["deliveries"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_looks_at_so_many_events_and_says_where_to_go_on() {
    let world = still().await;
    world.webhook("https://example.com/", &["muster.member.*"]).await;
    world.user(json!({})).await;
    let event = world.newest().await.rsplit('/').next().unwrap().to_owned();
    let mut item = world.muster.item(&format!("Y#{}", world.segment), &format!("Y#{event}")).await;
    for _ in 0..204 {
        let puts = (0..25).map(|_| {
            let id = domain::EventId::fresh();
            item.insert("SK".to_owned(), AttributeValue::S(format!("Y#{id}")));
            item.insert("id".to_owned(), AttributeValue::S(id.to_string()));
            let put = PutRequest::builder().set_item(Some(item.clone())).build().unwrap();
            WriteRequest::builder().put_request(put).build()
        });
        let write =
            world.muster.dynamodb().batch_write_item().request_items(&world.muster.wiring.table, puts.collect());
        write.send().await.unwrap();
    }
    // The last of all is the one that is wanted.
    world.member(json!({ "name": "Eva" })).await;
    let (mut since, mut deliveries) = (json!("2026-01-01T00:00:00Z"), Vec::new());
    while !since.is_null() {
        let replayed = world.send("POST", &world.under("/events/replay"), json!({ "since": since })).await;
        assert_eq!(replayed.status, 202, "{replayed:?}");
        deliveries.push(replayed.body["deliveries"].clone());
        since = replayed.body["next_since"].clone();
    }
    assert_eq!(deliveries, [0, 1]);
}
