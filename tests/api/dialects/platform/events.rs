//! The events of `/platform`, replayed as Lambda would hand them over.

use std::collections::BTreeSet;

use domain::DeveloperFields;
use domain::field::Body as _;
use serde_json::json;

use super::Platform;
use crate::events::{events, replay};
use crate::world::id;

/// Some of what events were written with.
const USER: &str = "0199d2a4-5c00-7000-8000-000000000002";
const PRODUCT: &str = "0199d2a4-5c00-7000-8000-000000000d01";
const NOTIFICATION: &str = "0199d2a4-5c00-7000-8000-00000000b001";
const DEVELOPER: &str = "0199d2a4-5c00-7000-8000-00000000de01";

#[tokio::test(flavor = "multi_thread")]
async fn each_route_has_an_event_that_reaches_it() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let developer = id(&world.muster.made(&world.ana, "/v1/developers", DeveloperFields::example()).await);
    let mut reached = BTreeSet::new();
    for (name, event) in events().into_iter().filter(|(name, _)| name.starts_with("platform-")) {
        let document = json!({ "type": "DOCUMENT", "value": "39053344705" });
        let student = json!({ "email": "ana.lopez@example.com", "reference_id": "crm-1", "identification": document });
        let user = world.user(student).await;
        let product = world.product().await;
        if ["platform-update-subscription", "platform-read-ranking"].contains(&name.as_str()) {
            let path = format!("/v1/segments/{}/subscriptions", world.segment);
            world.muster.made(&world.ana, &path, json!({ "user_id": user, "product_id": product })).await;
        }
        let path = format!("/v1/segments/{}/notifications", world.segment);
        let begun = id(&world.send("POST", &path, json!({ "title": "A", "body": "B" })).await.body);
        let event = [
            (NOTIFICATION, begun.as_str()),
            (USER, user.as_str()),
            (PRODUCT, &product),
            (DEVELOPER, &developer),
            ("ACCESS_TOKEN", &world.ana.access),
            ("DEVELOPER_TOKEN", &platform.dev),
            ("PLATFORM_TOKEN", &platform.plat),
        ]
        .iter()
        .fold(event.to_string(), |event, (before, now)| event.replace(before, now));
        let (status, body) = replay(&world.muster, &event).await;
        let expected = if name == "platform-create-push" { 202 } else { 200 };
        assert_eq!(status, expected, "{name} {body}");
        reached.insert(name.clone());
        world.call("DELETE", &format!("/v1/users/{user}?purge=true")).send().await;
    }
    let document = world.muster.get("/openapi/platform.json").send().await.body;
    let in_headers = document["paths"].as_object().unwrap().iter().filter(|(path, _)| !path.ends_with("/{plat}"));
    let routes: usize = in_headers.map(|(_, item)| item.as_object().unwrap().len()).sum();
    assert_eq!(reached.len(), routes);
}
