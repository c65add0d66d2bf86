//! What the actions cost, for `costs.rs`: at most one read more than the routes of `/v1` that they stand for, by a key.

use serde_json::{Value, json};

use crate::costs::Costs;
use crate::world::id;

const GET_USER: &str = "GET /v1/users/{user}, of a segment";

/// Each action, with the route that does it.
const STANDS_FOR: [(&str, &str); 10] = [
    ("POST /calls/users/, create", "POST /v1/segments/{segment}/users"),
    ("POST /calls/users/, create_child", "POST /v1/segments/{segment}/users, with a parent"),
    ("POST /calls/users/, login", "POST /v1/users/{user}/magic-link"),
    ("POST /calls/users/, update", "PATCH /v1/users/{user}, of a segment"),
    ("POST /calls/users/, add_product", "POST /v1/segments/{segment}/subscriptions"),
    ("POST /calls/users/, add_email", "POST /v1/users/{user}/emails"),
    ("POST /calls/users/, get_info", GET_USER),
    ("POST /calls/users/, set_status", "PATCH /v1/users/{user}, of a segment, status"),
    ("POST /calls/users/, get_user_list", "GET /v1/segments/{segment}/users"),
    ("POST /calls/statuses/, create", "POST /v1/segments/{segment}/statuses"),
];

/// Measures each action.
pub(crate) async fn measure(costs: &mut Costs) {
    let by = &costs.muster.ana().await;
    let segment = costs.muster.made(by, "/v1/segments", json!({ "name": "S" })).await;
    let product = json!({ "title": "Product" });
    let product = id(&costs.muster.made(by, &format!("/v1/segments/{}/products", id(&segment)), product).await);
    let (key, secret) = costs.muster.key(by, "/v1/keys", &["read", "write", "admin"]).await;
    // The 32nd request of a minute borrows for all that follow.
    for _ in 0..32 {
        costs.muster.get("/v1/keys").token(&secret).send().await;
    }
    costs.headers = vec![("api-id", key), ("api-token", secret)];
    let group = segment["number"].clone();
    let send = async |costs: &mut Costs, path: &str, mut body: Value| {
        body["group_id"] = group.clone();
        let removes = if body["doc"]["status_id"] == 0 { ", 0" } else { "" };
        let name = format!("POST {path}, {}{removes}", body["action"].as_str().unwrap());
        costs.of(&name, ("POST", path, body), None, 200).await
    };
    let users = "/calls/users/";
    let ana = json!({ "action": "create", "doc": { "main_email": "ana@example.com" } });
    let person = send(costs, users, ana).await["user_info"]["clogin_id"].clone();
    let status = json!({ "action": "create", "doc": { "status_name": "New" } });
    let status = send(costs, "/calls/statuses/", status).await["status_id"].clone();
    send(costs, users, json!({ "action": "get_user_list", "doc": {} })).await;
    for (action, doc) in [
        ("create_child", json!({})),
        ("update", json!({ "first_name": "Ana" })),
        ("add_email", json!({ "email_list": [{ "to": "ana@example.com" }] })),
        ("get_info", json!({ "_allfields": 1 })),
        ("login", json!({})),
        ("set_status", json!({ "status_id": status })),
        ("set_status", json!({ "status_id": 0 })),
        ("add_product", json!({ "product_list": [{ "p_id": product }] })),
    ] {
        let named = if action == "create_child" { "connected_to" } else { "clogin_id" };
        send(costs, users, json!({ "action": action, named: person, "doc": doc })).await;
    }
    // Of a subscriber `meta_info` tells what /v1 lists elsewhere.
    let subscriber = json!({ "action": "get_info", "group_id": segment["number"], "clogin_id": person });
    costs.of("POST /calls/users/, get_info, of a subscriber", ("POST", users, subscriber), None, 200).await;
    costs.headers.clear();
    for (route, stands_for) in STANDS_FOR {
        // A key costs one read more than the token by which these were measured.
        costs.reads_at_most_one_more(route, &[stands_for], 1);
    }
    let lists = [GET_USER, "GET /v1/segments/{segment}/subscriptions"];
    costs.reads_at_most_one_more("POST /calls/users/, get_info, of a subscriber", &lists, 1);
}
