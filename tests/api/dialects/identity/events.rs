//! The events of `/identity`, replayed as Lambda would hand them over.

use serde_json::json;

use super::Cards;
use crate::events::{events, replay};

/// What events were written with.
const USER: &str = "0199d2a4-5c00-7000-8000-000000000002";
const SEGMENT: &str = "0199d2a4-5c00-7000-8000-0000000005e6";

#[tokio::test(flavor = "multi_thread")]
async fn each_route_has_an_event_that_reaches_it() {
    let cards = Cards::start().await;
    let user = cards.world.user(json!({})).await;
    let (key, secret) = cards.world.key(&["read"]).await;
    let document = cards.world.muster.get("/openapi/identity.json").send().await.body;
    let routes: usize =
        document["paths"].as_object().unwrap().values().map(|item| item.as_object().unwrap().len()).sum();
    let mut reached = 0;
    for (name, event) in events().into_iter().filter(|(name, _)| name.starts_with("identity-")) {
        let event = event.to_string().replace(USER, &user).replace(SEGMENT, &cards.world.segment);
        let fitted = event.replace("ACCESS_TOKEN", &cards.world.ana.access);
        let fitted = fitted.replace("KEY_ID", &key).replace("KEY_SECRET", &secret);
        let (status, body) = replay(&cards.world.muster, &fitted).await;
        assert!([200, 201].contains(&status), "{name} {status} {body}");
        assert_eq!(replay(&cards.world.muster, &event).await.0, 401, "{name}");
        reached += 1;
    }
    assert_eq!(reached, routes);
}
