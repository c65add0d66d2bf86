//! What the routes of `/identity` cost, for `costs.rs`.

use serde_json::{Value, json};

use super::USERS;
use crate::costs::Costs;
use crate::system::Ana;
use crate::world::id;

/// Measures each route, asked by a key of the segment.
pub(crate) async fn measure(costs: &mut Costs) {
    let ana = costs.muster.ana().await;
    let segment = id(&costs.muster.made(&ana, "/v1/segments", json!({ "name": "S" })).await);
    let key = costs.muster.key(&ana, &format!("/v1/segments/{segment}/keys"), &["read", "write", "admin"]).await.1;
    tokens(costs, &ana, &segment).await;
    let by = Ana { access: key, ..ana };
    // The 128th request of a minute borrows for all that follow.
    for _ in 0..128 {
        costs.muster.get(&format!("/v1/segments/{segment}")).by(&by).send().await;
    }
    let of = "/identity/users/v1";
    let data = json!({ "data": { "email": "ana@example.com", "operation_country": "ARG" } });
    let made = costs.of(&format!("POST {of}/"), ("POST", USERS, data), Some(&by), 201).await;
    costs.of(&format!("GET {of}/"), ("GET", USERS, Value::Null), Some(&by), 200).await;
    let one = format!("{of}/{}", made["data"]["id"].as_str().unwrap());
    costs.of(&format!("GET {of}/{{id}}"), ("GET", &one, Value::Null), Some(&by), 200).await;
    let name = json!({ "data": { "name": "Ana" } });
    costs.of(&format!("PATCH {of}/{{id}}"), ("PATCH", &one, name), Some(&by), 200).await;
    let mappings = format!("{of}/custom-fields/mappings");
    let body = json!([{ "key": "a", "display_name": "A", "type": "string" }]);
    costs.of(&format!("POST {mappings}"), ("POST", &mappings, body), Some(&by), 200).await;
    costs.of(&format!("GET {mappings}"), ("GET", &mappings, Value::Null), Some(&by), 200).await;
    for (route, stands_for) in [
        ("POST /identity/oauth/token".to_owned(), "POST /v1/oauth/token"),
        ("POST /identity/oauth/token/revoke".to_owned(), "POST /v1/oauth/revoke"),
        (format!("POST {of}/"), "POST /v1/segments/{segment}/users"),
        (format!("GET {of}/"), "GET /v1/segments/{segment}/users"),
        (format!("GET {of}/{{id}}"), "GET /v1/users/{user}, of a segment"),
        (format!("PATCH {of}/{{id}}"), "PATCH /v1/users/{user}, of a segment"),
        (format!("POST {mappings}"), "PATCH /v1/segments/{segment}"),
        (format!("GET {mappings}"), "GET /v1/segments/{segment}"),
    ] {
        // Those were asked with a token; a key is one read more.
        costs.reads_at_most_one_more(&route, &[stands_for], 0);
    }
}

/// A token of a key, and its end.
async fn tokens(costs: &mut Costs, ana: &Ana, segment: &str) {
    let client = costs.muster.key(ana, &format!("/v1/segments/{segment}/keys"), &["read"]).await;
    let body = json!({ "client_id": client.0, "client_secret": client.1, "grant_type": "client_credentials" });
    let path = "/identity/oauth/token";
    let token = costs.of(&format!("POST {path}"), ("POST", path, body), None, 200).await;
    let path = "/identity/oauth/token/revoke";
    let body = json!({ "token": token["access_token"] });
    costs.of(&format!("POST {path}"), ("POST", path, body), None, 200).await;
}
