//! What routes of the things of a segment cost: statuses, partners, products and the
//! subscriptions to these.

use serde_json::{Value, json};

use crate::costs::Costs;
use crate::member_costs::Owner;
use crate::world::id;

/// Measures each route.
pub(crate) async fn measure(costs: &mut Costs, owner: &Owner) {
    owner.of(costs, "GET /v1/languages", "/v1/languages", Value::Null).await;
    statuses(costs, owner).await;
    partners(costs, owner).await;
    products(costs, owner).await;
}

async fn statuses(costs: &mut Costs, owner: &Owner) {
    let path = format!("{}/statuses", owner.segment);
    let made = owner.of(costs, "POST /v1/segments/{segment}/statuses", &path, json!({ "name": "New" })).await;
    owner.of(costs, "GET /v1/segments/{segment}/statuses", &path, Value::Null).await;
    let one = format!("{path}/{}", id(&made));
    let route = "/v1/segments/{segment}/statuses/{status}";
    owner.of(costs, &format!("GET {route}"), &one, Value::Null).await;
    owner.of(costs, &format!("PATCH {route}"), &one, json!({ "color": "#000000" })).await;
    owner.of(costs, &format!("PATCH {route}, name"), &one, json!({ "name": "Old" })).await;
    owner.of(costs, &format!("DELETE {route}"), &one, Value::Null).await;
}

async fn partners(costs: &mut Costs, owner: &Owner) {
    let path = format!("{}/partners", owner.segment);
    let body = json!({ "commercial_name": "A", "reference_id": "a" });
    let made = owner.of(costs, "POST /v1/segments/{segment}/partners", &path, body).await;
    let route = "GET /v1/segments/{segment}/partners";
    owner.of(costs, route, &path, Value::Null).await;
    let filter = format!("{path}?filter[reference_id]=a");
    owner.of(costs, &format!("{route}, filter on reference_id"), &filter, Value::Null).await;
    let one = format!("{path}/{}", id(&made));
    let route = "/v1/segments/{segment}/partners/{partner}";
    owner.of(costs, &format!("GET {route}"), &one, Value::Null).await;
    owner.of(costs, &format!("PATCH {route}"), &one, json!({ "commercial_name": "B" })).await;
    owner.of(costs, &format!("PATCH {route}, reference_id"), &one, json!({ "reference_id": "b" })).await;
    owner.of(costs, &format!("DELETE {route}"), &one, Value::Null).await;
}

async fn products(costs: &mut Costs, owner: &Owner) {
    let path = format!("{}/products", owner.segment);
    let route = "POST /v1/segments/{segment}/products";
    let body = json!({ "title": "A", "reference_id": "a", "value": "1.50", "currency": "MXN" });
    let made = owner.of(costs, &format!("{route}, with a membership of its own"), &path, body).await;
    let body = json!({ "title": "A", "membership_id": made["membership_id"] });
    let other = owner.of(costs, route, &path, body).await;
    let route = "GET /v1/segments/{segment}/products";
    owner.of(costs, route, &path, Value::Null).await;
    subscriptions(costs, owner, &id(&made)).await;
    let one = format!("{path}/{}", id(&made));
    let route = "/v1/segments/{segment}/products/{product}";
    owner.of(costs, &format!("GET {route}"), &one, Value::Null).await;
    owner.of(costs, &format!("PATCH {route}"), &one, json!({ "value": "2.50" })).await;
    owner.of(costs, &format!("DELETE {route}"), &one, Value::Null).await;
    // What is measured later finds the segment as it was.
    for rest in
        [format!("{path}/{}", id(&other)), format!("/v1/memberships/{}", made["membership_id"].as_str().unwrap())]
    {
        assert_eq!(costs.muster.delete(&rest).by(&owner.user).send().await.status, 204);
    }
}

async fn subscriptions(costs: &mut Costs, owner: &Owner, product: &str) {
    let path = format!("{}/subscriptions", owner.segment);
    let body = json!({ "user_id": owner.user.id, "product_id": product });
    let made = owner.of(costs, "POST /v1/segments/{segment}/subscriptions", &path, body).await;
    let route = "GET /v1/segments/{segment}/subscriptions";
    owner.of(costs, route, &path, Value::Null).await;
    let filter = format!("{path}?filter[user_id]={}", owner.user.id);
    owner.of(costs, &format!("{route}, filter on user_id"), &filter, Value::Null).await;
    let ending = format!("{path}?filter[status]=ACTIVE&filter[expires_at][lt]=2030-01-01T00:00:00Z");
    owner.of(costs, &format!("{route}, those that end"), &ending, Value::Null).await;
    let one = format!("/v1/subscriptions/{}", id(&made));
    let route = "/v1/subscriptions/{subscription}";
    owner.of(costs, &format!("GET {route}"), &one, Value::Null).await;
    owner.of(costs, &format!("PATCH {route}"), &one, json!({ "expires_at": "2027-01-01T00:00:00Z" })).await;
    owner.of(costs, &format!("PATCH {route}, status"), &one, json!({ "status": "INACTIVE" })).await;
    owner.of(costs, &format!("DELETE {route}"), &one, Value::Null).await;
}
