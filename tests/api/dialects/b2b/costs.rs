//! What the routes cost, for `costs.rs`: at most one read more than those of `/v1` that they stand for.

use serde_json::{Value, json};

use super::user;
use crate::costs::Costs;
use crate::system::{Ana, PASSWORD};
use crate::world::id;

/// Each route, with the one that it stands for.
const STANDS_FOR: [(&str, &str); 17] = [
    ("GET /b2b/User/getUser", "GET /v1/segments/{segment}/users"),
    ("GET /b2b/User/getUser, by local id, of the only segment", "GET /b2b/User/getUser, by local id"),
    ("GET /b2b/User/getUser, by local id", "GET /v1/users/{user}, of a segment"),
    ("GET /b2b/User/getUser, by remote id", "GET /v1/segments/{segment}/users, filter on e-mail"),
    ("GET /b2b/User/updateFrom", "GET /v1/segments/{segment}/users, sort by name"),
    ("POST /b2b/User/create", "POST /v1/segments/{segment}/users/batch, atomic"),
    ("PUT /b2b/User/update/{id}", "PATCH /v1/users/{user}, of a segment"),
    ("PUT /b2b/User/update/{id}, by remote id", "PATCH /v1/users/{user}, of a segment"),
    ("DELETE /b2b/User/delete/{id}", "DELETE /v1/users/{user}, of a segment"),
    ("DELETE /b2b/User/delete/{id}, by remote id", "DELETE /v1/users/{user}, of a segment"),
    ("GET /b2b/DeletedHistory/getDeleted", "GET /v1/segments/{segment}/users/deleted"),
    ("GET /b2b/Language/getLanguage", "GET /v1/languages"),
    ("GET /b2b/BusinessPartner/getBPartner", "GET /v1/segments/{segment}/partners"),
    ("GET /b2b/BusinessPartner/getBPartner, by id", "GET /v1/segments/{segment}/partners/{partner}"),
    ("POST /b2b/BusinessPartner/create", "POST /v1/segments/{segment}/partners"),
    ("PUT /b2b/BusinessPartner/update/{id}", "PATCH /v1/segments/{segment}/partners/{partner}"),
    ("DELETE /b2b/BusinessPartner/delete/{id}", "DELETE /v1/segments/{segment}/partners/{partner}"),
];

/// Measures each route.
pub(crate) async fn measure(costs: &mut Costs) {
    let by = &costs.muster.ana().await;
    // The 32nd request of a minute borrows for all that follow.
    for _ in 0..32 {
        costs.muster.get("/v1/users/me").by(by).send().await;
    }
    let segment = id(&costs.muster.made(by, "/v1/segments", json!({ "name": "S" })).await);
    costs.headers = vec![("x-segment-id", segment.clone())];
    let asked = &mut Asked { costs, by };
    partners(asked).await;
    users(asked).await;
    let other = json!({ "idRemote": "p-2", "commercialName": "P" });
    let other = costs.muster.post("/b2b/BusinessPartner/create", other).by(by).header("x-segment-id", &segment);
    other.send().await;
    let path = "/b2b/BusinessPartner/delete/p-2".to_owned();
    of(&mut Asked { costs, by }, "DELETE /b2b/BusinessPartner/delete/{id}", path, Value::Null).await;
    costs.headers.clear();
    only_segment(costs, by, &segment).await;
    for (route, stands_for) in STANDS_FOR {
        costs.reads_at_most_one_more(route, &[stands_for], 0);
    }
}

/// Logging in, and a list of the only segment that an account has.
async fn only_segment(costs: &mut Costs, by: &Ana, segment: &str) {
    let (id, secret) = costs.muster.key(by, &format!("/v1/segments/{segment}/keys"), &["read"]).await;
    for (name, username, password) in [("a key", id.as_str(), secret.as_str()), ("a master user", &by.email, PASSWORD)]
    {
        let body = json!({ "_username": username, "_password": password });
        costs.of(&format!("POST /b2b/login, by {name}"), ("POST", "/b2b/login", body), None, 200).await;
    }
    let listed = costs.muster.get("/b2b/User/getUser").by(by).send().await.body;
    let path = format!("/b2b/User/getUser?id={}", crate::world::id(&listed["data"][0]));
    let route = "GET /b2b/User/getUser, by local id, of the only segment";
    costs.of(route, ("GET", &path, Value::Null), Some(by), 200).await;
}

/// The routes, and who asks them.
struct Asked<'a> {
    costs: &'a mut Costs,
    by: &'a Ana,
}

async fn of(asked: &mut Asked<'_>, route: &str, path: String, body: Value) -> Value {
    let method = route.split(' ').next().unwrap();
    let status = if method == "POST" { 201 } else { 200 };
    asked.costs.of(route, (method, &path, body), Some(asked.by), status).await
}

async fn partners(costs: &mut Asked<'_>) {
    let partner = json!({ "idRemote": "p-1", "commercialName": "P" });
    let partners = "/b2b/BusinessPartner";
    of(costs, "POST /b2b/BusinessPartner/create", format!("{partners}/create"), partner).await;
    of(costs, "GET /b2b/BusinessPartner/getBPartner", format!("{partners}/getBPartner"), Value::Null).await;
    let route = "GET /b2b/BusinessPartner/getBPartner, by id";
    of(costs, route, format!("{partners}/getBPartner?id=p-1"), Value::Null).await;
    let route = "PUT /b2b/BusinessPartner/update/{id}";
    of(costs, route, format!("{partners}/update/p-1"), json!({ "role": "x" })).await;
}

async fn users(costs: &mut Asked<'_>) {
    let rows: Vec<_> = (0..10)
        .map(|nth| {
            let mut row = user(&format!("r{nth}"));
            row["businessPartnerId"] = json!("p-1");
            row
        })
        .collect();
    let made = of(costs, "POST /b2b/User/create", "/b2b/User/create".to_owned(), rows.into()).await;
    let local = |nth: usize| made[nth]["id"].as_str().unwrap().to_owned();
    of(costs, "GET /b2b/User/getUser", "/b2b/User/getUser?pageSize=3".to_owned(), Value::Null).await;
    let by_id = |id: &str| format!("/b2b/User/getUser?id={id}");
    of(costs, "GET /b2b/User/getUser, by local id", by_id(&local(0)), Value::Null).await;
    of(costs, "GET /b2b/User/getUser, by remote id", by_id("r0"), Value::Null).await;
    let from = "/b2b/User/updateFrom?date=2020-01-01&pageSize=3".to_owned();
    of(costs, "GET /b2b/User/updateFrom", from, Value::Null).await;
    let update = |id: &str| format!("/b2b/User/update/{id}");
    of(costs, "PUT /b2b/User/update/{id}", update(&local(0)), json!({ "name": "Eva" })).await;
    of(costs, "PUT /b2b/User/update/{id}, by remote id", update("r1"), json!({ "name": "Eva" })).await;
    let delete = |id: &str| format!("/b2b/User/delete/{id}");
    of(costs, "DELETE /b2b/User/delete/{id}", delete(&local(0)), Value::Null).await;
    of(costs, "DELETE /b2b/User/delete/{id}, by remote id", delete("r1"), Value::Null).await;
    of(costs, "GET /b2b/DeletedHistory/getDeleted", "/b2b/DeletedHistory/getDeleted".to_owned(), Value::Null).await;
    of(costs, "GET /b2b/Language/getLanguage", "/b2b/Language/getLanguage".to_owned(), Value::Null).await;
}
