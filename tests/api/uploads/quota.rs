//! Quotas of uploads: each caller has its own, and nobody uses up another's.

use local::Options;
use serde_json::json;

use super::samples::PNG;
use super::sent::upload;
use crate::system::{Ana, Muster};
use crate::world::World;

/// Begins a photo: the status, and the seconds to wait.
async fn begin(world: &World, by: &Ana) -> (u16, u64) {
    let body = json!({
        "segment_id": world.segment, "purpose": "photo", "filename": "a.png", "content_type": "image/png", "size": 5,
    });
    let reply = world.muster.post("/v1/uploads", body).by(by).send().await;
    (reply.status.as_u16(), reply.header("retry-after").parse().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn user_that_exceeds_its_quota_waits_and_nobody_else_does() {
    let options = Options { rate_limit_factor: 1, ..Options::default() };
    let world = World::on(Muster::with(options).await, json!({ "name": "Club" })).await;
    let (eva, other) = (world.segment_user().await, world.segment_user().await);
    // A file that has arrived is pending no more.
    let photo = json!({ "segment_id": world.segment, "purpose": "photo", "content_type": "image/png" });
    upload((&world.muster, &eva), photo, PNG).await;
    let mut begun = 0;
    let refused = loop {
        match begin(&world, &eva).await {
            (201, _) => begun += 1,
            refused => break refused,
        }
    };
    // A new quarter of an hour may begin meanwhile.
    assert!((50..=100).contains(&begun), "{begun}");
    assert!(refused.0 == 429 && (1..=15 * 60).contains(&refused.1), "{refused:?}");
    assert_eq!(begin(&world, &other).await.0, 201, "another user has a quota of its own");
    assert_eq!(begin(&world, &world.ana).await.0, 201, "and so has the team");
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_of_a_day_are_counted() {
    let options = Options { rate_limit_factor: 1, ..Options::default() };
    let world = World::on(Muster::with(options).await, json!({ "name": "Club" })).await;
    // 100 GiB of files to import, of 512 MiB each, are 200.
    let body = json!({
        "segment_id": world.segment, "purpose": "import", "filename": "a.csv", "content_type": "text/csv",
        "size": 512 * 1024 * 1024,
    });
    for nth in 0..=200 {
        let reply = world.muster.post("/v1/uploads", body.clone()).by(&world.ana).send().await;
        let expected = if nth < 200 { 201 } else { 429 };
        assert_eq!(reply.status, expected, "{nth} {reply:?}");
    }
    let (_, key) = world.key(&["write"]).await;
    assert_eq!(world.muster.post("/v1/uploads", body).token(&key).send().await.status, 201, "a key has its own");
}
