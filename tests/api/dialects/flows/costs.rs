//! What the routes of `/flows` cost, for `costs.rs`: at most one read more than the routes that they stand for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::costs::Costs;
use crate::system::{Ana, PASSWORD};
use crate::uploads::samples::PDF;
use crate::world::id;

/// Each route, and the one of `/v1` that it stands for.
const STANDS_FOR: [(&str, &str); 33] = [
    ("GET /flows/user/available", "GET /v1/users/exists"),
    ("POST /flows/user", "POST /v1/users"),
    ("POST /flows/user/validate-code", "POST /v1/users/{user}/verification"),
    ("GET /flows/user/{id}", "GET /v1/users/{user}"),
    ("PUT /flows/user/{id}", "PATCH /v1/users/{user}"),
    ("DELETE /flows/user/{id}", "DELETE /v1/users/{user}"),
    ("POST /flows/user/change-password/{id}", "POST /v1/users/{user}/password"),
    ("POST /flows/login", "POST /v1/auth/login"),
    ("POST /flows/login/refresh", "POST /v1/auth/refresh"),
    ("POST /flows/login/recover", "POST /v1/auth/recovery"),
    ("POST /flows/login/recover/confirm", "POST /v1/auth/recovery/confirm"),
    ("POST /flows/address", "POST /v1/users/{user}/addresses"),
    ("GET /flows/address/{id}", "GET /v1/users/{user}/addresses/{address}"),
    ("PUT /flows/address/{id}", "PATCH /v1/users/{user}/addresses/{address}"),
    ("DELETE /flows/address/{id}", "DELETE /v1/users/{user}/addresses/{address}"),
    ("GET /flows/address/list/{owner_id}", "GET /v1/users/{user}/addresses"),
    ("POST /flows/segment", "POST /v1/segments"),
    ("GET /flows/segment/{id}", "GET /v1/segments/{segment}"),
    ("PUT /flows/segment/{id}", "PATCH /v1/segments/{segment}"),
    ("DELETE /flows/segment/{id}", "DELETE /v1/segments/{segment}"),
    ("GET /flows/segment/list/{owner_id}", "GET /v1/segments"),
    ("POST /flows/membership", "POST /v1/segments/{segment}/memberships"),
    ("DELETE /flows/membership/{id}", "DELETE /v1/memberships/{membership}"),
    ("GET /flows/membership/list/{segment_id}", "GET /v1/segments/{segment}/memberships"),
    ("POST /flows/membership-level", "POST /v1/memberships/{membership}/levels"),
    ("DELETE /flows/membership-level/{id}", "DELETE /v1/memberships/{membership}/levels/{level}"),
    ("GET /flows/membership-level/list/{membership_id}", "GET /v1/memberships/{membership}/levels"),
    ("POST /flows/membership-custom-field", "POST /v1/memberships/{membership}/fields"),
    ("GET /flows/membership-custom-field/{id}", "GET /v1/memberships/{membership}/fields/{field}"),
    ("DELETE /flows/membership-custom-field/{id}", "DELETE /v1/memberships/{membership}/fields/{field}"),
    ("GET /flows/membership-custom-field/list/{membership_id}", "GET /v1/memberships/{membership}/fields"),
    ("POST /flows/membership-user", "POST /v1/memberships/{membership}/members"),
    ("GET /flows/membership-user/{id}", "GET /v1/members/{member}"),
];

/// And those whose counterpart depends on what is asked.
const AND_FOR: [(&str, &str); 4] = [
    ("PUT /flows/membership-custom-field/{id}", "PATCH /v1/memberships/{membership}/fields/{field}, newly required"),
    (
        "GET /flows/membership-user/list/{membership_id}?user_id=",
        "GET /v1/memberships/{membership}/members, filter on user_id",
    ),
    ("POST /flows/membership-custom-field-answer/stack", "PUT /v1/members/{member}/answers"),
    ("GET /flows/membership-custom-field-answer/list/{membership_user_id}", "GET /v1/members/{member}/answers"),
];

/// Measures each route. The routes of `/v1` have been measured before.
pub(crate) async fn measure(costs: &mut Costs) {
    let ana = costs.muster.ana().await;
    // The 128th request of a minute borrows for all that follow.
    for _ in 0..128 {
        costs.muster.get("/v1/users/me").by(&ana).send().await;
    }
    public(costs).await;
    addresses(costs, &ana).await;
    let segment =
        costs.of("POST /flows/segment", ("POST", "/flows/segment", json!({ "name": "S" })), Some(&ana), 201).await;
    let segment = id(&segment);
    segments(costs, &ana, &segment).await;
    let new = json!({ "segment_id": segment, "name": "Card" });
    let membership = id(&costs.of("POST /flows/membership", ("POST", "/flows/membership", new), Some(&ana), 201).await);
    configuration(costs, &ana, &membership).await;
    members(costs, &ana, (&segment, &membership)).await;
    ending(costs, &ana, (&segment, &membership)).await;
    for (route, stands_for) in STANDS_FOR.into_iter().chain(AND_FOR) {
        costs.reads_at_most_one_more(route, &[stands_for], 0);
    }
    // The file is checked before the answer is there.
    let may = costs.reads("POST /v1/uploads") + costs.reads("arrivals") + 1;
    assert!(costs.reads("POST /flows/upload/{segment_id}") <= may);
    // Of somebody of another account the segment is read too.
    assert!(costs.reads("POST /flows/upload/{segment_id}, by a member") <= may + 1);
}

async fn public(costs: &mut Costs) {
    let free = ("GET", "/flows/user/available?key=flows@example.com", Value::Null);
    costs.of("GET /flows/user/available", free, None, 404).await;
    let new = json!({ "email": "flows@example.com", "name": "New", "password": PASSWORD });
    let user = id(&costs.of("POST /flows/user", ("POST", "/flows/user", new), None, 201).await);
    let code = json!({ "verification_code": costs.muster.code("flows@example.com"), "user_id": user });
    let path = "/flows/user/validate-code";
    let tokens = costs.of("POST /flows/user/validate-code", ("POST", path, code), None, 200).await;
    let login = json!({ "email": "flows@example.com", "password": PASSWORD });
    costs.of("POST /flows/login", ("POST", "/flows/login", login), None, 200).await;
    let refresh = json!({ "refresh_token": tokens["refresh_token"], "user_id": user });
    costs.of("POST /flows/login/refresh", ("POST", "/flows/login/refresh", refresh), None, 200).await;
    let recover = ("POST", "/flows/login/recover", json!({ "email": "flows@example.com" }));
    costs.of("POST /flows/login/recover", recover, None, 200).await;
    let code = costs.muster.code("flows@example.com");
    let new = json!({ "email": "flows@example.com", "code": code, "password": "staple battery horse" });
    let confirm = ("POST", "/flows/login/recover/confirm", new);
    costs.of("POST /flows/login/recover/confirm", confirm, None, 200).await;
}

async fn addresses(costs: &mut Costs, ana: &Ana) {
    let by = Some(ana);
    let new = ("POST", "/flows/address", json!({ "owner_id": ana.id, "alias": "Home" }));
    let path = format!("/flows/address/{}", id(&costs.of("POST /flows/address", new, by, 201).await));
    costs.of("GET /flows/address/{id}", ("GET", &path, Value::Null), by, 200).await;
    costs.of("PUT /flows/address/{id}", ("PUT", &path, json!({ "alias": "Flat" })), by, 200).await;
    let list = format!("/flows/address/list/{}", ana.id);
    costs.of("GET /flows/address/list/{owner_id}", ("GET", &list, Value::Null), by, 200).await;
    costs.of("DELETE /flows/address/{id}", ("DELETE", &path, Value::Null), by, 200).await;
}

async fn segments(costs: &mut Costs, ana: &Ana, segment: &str) {
    let (by, path) = (Some(ana), format!("/flows/segment/{segment}"));
    costs.of("GET /flows/segment/{id}", ("GET", &path, Value::Null), by, 200).await;
    costs.of("PUT /flows/segment/{id}", ("PUT", &path, json!({ "role": "consumer" })), by, 200).await;
    let list = format!("/flows/segment/list/{}", ana.id);
    costs.of("GET /flows/segment/list/{owner_id}", ("GET", &list, Value::Null), by, 200).await;
    let pdf = json!({ "mime": "pdf", "file": STANDARD.encode(PDF) });
    let upload = format!("/flows/upload/{segment}");
    costs.of("POST /flows/upload/{segment_id}", ("POST", &upload, pdf), by, 201).await;
}

async fn configuration(costs: &mut Costs, ana: &Ana, membership: &str) {
    let by = Some(ana);
    let level = json!({ "membership_id": membership, "name": "L", "number_level": 1, "from_point": 0, "to_point": 9 });
    let level = ("POST", "/flows/membership-level", level);
    let level =
        format!("/flows/membership-level/{}", id(&costs.of("POST /flows/membership-level", level, by, 201).await));
    let list = format!("/flows/membership-level/list/{membership}");
    costs.of("GET /flows/membership-level/list/{membership_id}", ("GET", &list, Value::Null), by, 200).await;
    costs.of("DELETE /flows/membership-level/{id}", ("DELETE", &level, Value::Null), by, 200).await;
    let field = json!({ "membership_id": membership, "name": "F", "type": "string" });
    let field = ("POST", "/flows/membership-custom-field", field);
    let field = id(&costs.of("POST /flows/membership-custom-field", field, by, 201).await);
    let field = format!("/flows/membership-custom-field/{field}");
    costs.of("GET /flows/membership-custom-field/{id}", ("GET", &field, Value::Null), by, 200).await;
    costs.of("PUT /flows/membership-custom-field/{id}", ("PUT", &field, json!({ "required": true })), by, 200).await;
    let list = format!("/flows/membership-custom-field/list/{membership}");
    costs.of("GET /flows/membership-custom-field/list/{membership_id}", ("GET", &list, Value::Null), by, 200).await;
    costs.of("DELETE /flows/membership-custom-field/{id}", ("DELETE", &field, Value::Null), by, 200).await;
}

async fn members(costs: &mut Costs, ana: &Ana, (segment, membership): (&str, &str)) {
    let by = Some(ana);
    let carla = costs.muster.ana().await;
    for _ in 0..8 {
        costs.muster.get("/v1/users/me").by(&carla).send().await;
    }
    let field = json!({ "membership_id": membership, "name": "F", "type": "string" });
    let field = costs.muster.post("/flows/membership-custom-field", field).by(ana).send().await.body;
    let new = json!({ "membership_id": membership, "user_id": carla.id, "name": "Carla" });
    let new = ("POST", "/flows/membership-user", new);
    let member = id(&costs.of("POST /flows/membership-user", new, Some(&carla), 201).await);
    let path = format!("/flows/membership-user/{member}");
    costs.of("GET /flows/membership-user/{id}", ("GET", &path, Value::Null), by, 200).await;
    let list = format!("/flows/membership-user/list/{membership}?user_id={}", carla.id);
    let route = "GET /flows/membership-user/list/{membership_id}?user_id=";
    costs.of(route, ("GET", &list, Value::Null), by, 200).await;
    let answer = json!([{ "membership_custom_field_id": field["id"], "answer": "A" }]);
    let answer = json!({ "membership_user_id": member, "custom_fields": answer });
    let stack = "/flows/membership-custom-field-answer/stack";
    costs.of("POST /flows/membership-custom-field-answer/stack", ("POST", stack, answer), by, 201).await;
    let list = format!("/flows/membership-custom-field-answer/list/{member}");
    let route = "GET /flows/membership-custom-field-answer/list/{membership_user_id}";
    costs.of(route, ("GET", &list, Value::Null), by, 200).await;
    let pdf = json!({ "mime": "pdf", "file": STANDARD.encode(PDF) });
    let upload = format!("/flows/upload/{segment}");
    costs.of("POST /flows/upload/{segment_id}, by a member", ("POST", &upload, pdf), Some(&carla), 201).await;
}

async fn ending(costs: &mut Costs, ana: &Ana, (segment, membership): (&str, &str)) {
    let by = Some(ana);
    let list = format!("/flows/membership/list/{segment}");
    costs.of("GET /flows/membership/list/{segment_id}", ("GET", &list, Value::Null), by, 200).await;
    let path = format!("/flows/membership/{membership}");
    costs.of("DELETE /flows/membership/{id}", ("DELETE", &path, Value::Null), by, 200).await;
    costs
        .of("DELETE /flows/segment/{id}", ("DELETE", &format!("/flows/segment/{segment}"), Value::Null), by, 200)
        .await;
    let itself = format!("/flows/user/{}", ana.id);
    costs.of("GET /flows/user/{id}", ("GET", &itself, Value::Null), by, 200).await;
    costs.of("PUT /flows/user/{id}", ("PUT", &itself, json!({ "name": "B" })), by, 200).await;
    let password = json!({ "old_password": PASSWORD, "new_password": "staple battery horse" });
    let path = format!("/flows/user/change-password/{}", ana.id);
    costs.of("POST /flows/user/change-password/{id}", ("POST", &path, password), by, 200).await;
    costs.of("DELETE /flows/user/{id}", ("DELETE", &itself, Value::Null), by, 200).await;
}
