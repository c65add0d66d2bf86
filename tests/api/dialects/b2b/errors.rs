//! Every error of the table, word for word, in JSON and in XML; and whose things are whose.

use axum::http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;

use super::{B2b, error, told, user};
use crate::faults::{Phase, Plan, Verdict, functions_behind};
use crate::system::{Call, Muster};
use crate::world::World;

/// A user that can be created.
const NEW: &str =
    r#"[{"username": "x", "name": "X", "languageId": 14284, "email": "x@example.com", "businessPartnerId": "home"}]"#;

/// Each route of the dialect, as a request that would be good.
const ROUTES: [(&str, &str, &str); 11] = [
    ("GET", "/User/getUser", ""),
    ("GET", "/User/updateFrom?date=2020-01-01", ""),
    ("POST", "/User/create", NEW),
    ("PUT", "/User/update/erp-1", r#"{"name": "X"}"#),
    ("DELETE", "/User/delete/erp-1", ""),
    ("GET", "/DeletedHistory/getDeleted", ""),
    ("GET", "/Language/getLanguage", ""),
    ("GET", "/BusinessPartner/getBPartner", ""),
    ("POST", "/BusinessPartner/create", r#"{"commercialName": "X"}"#),
    ("PUT", "/BusinessPartner/update/p-1", r#"{"role": "x"}"#),
    ("DELETE", "/BusinessPartner/delete/p-1", ""),
];

fn asked<'a>(muster: &'a Muster, (method, path, body): (&str, &str, &str)) -> Call<'a> {
    let call = muster.call(method, &format!("/b2b{path}"));
    if body.is_empty() { call } else { call.raw("application/json", body) }
}

/// A user and a partner to be named.
async fn furnished() -> B2b {
    let b2b = B2b::start().await;
    b2b.user("erp-1").await;
    let partner = json!({ "idRemote": "p-1", "commercialName": "P" });
    assert_eq!(b2b.send("POST", "/BusinessPartner/create", partner).await.status, 201);
    b2b
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_credential_that_holds_each_route_is_unauthorized() {
    let b2b = furnished().await;
    let (id, revoked) = b2b.world.key(&["read", "write", "admin"]).await;
    let path = format!("/v1/segments/{}/keys/{id}", b2b.world.segment);
    assert_eq!(b2b.world.call("DELETE", &path).send().await.status, 204);
    let swapped = format!("{}x", &b2b.key[..b2b.key.len() - 1]);
    for route in ROUTES {
        for token in [None, Some("nonsense"), Some(&*revoked), Some(&*swapped)] {
            let call = asked(&b2b.world.muster, route);
            let call = if let Some(token) = token { call.token(token) } else { call };
            let reply = call.header("x-segment-id", &b2b.world.segment).send().await;
            assert_eq!(told(&reply), error(401, "Unauthorized."), "{route:?} {token:?}");
        }
        let reply = asked(&b2b.world.muster, route).header("accept", "application/xml").send().await;
        let expected =
            r#"<?xml version="1.0" encoding="UTF-8"?><export><code>401</code><error>Unauthorized.</error></export>"#;
        assert_eq!((reply.status.as_u16(), reply.text.as_str()), (401, expected), "{route:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_another_segments_is_not_there() {
    let b2b = furnished().await;
    let user = b2b.get("/User/getUser").await["data"][0]["id"].as_str().unwrap().to_owned();
    let other = World::start().await;
    let elsewhere = b2b.world.muster.made(&b2b.world.ana, "/v1/segments", json!({ "name": "Other" })).await;
    let elsewhere = elsewhere["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/segments/{elsewhere}/keys");
    let (_, neighbour) = b2b.world.muster.key(&b2b.world.ana, &path, &["read", "write", "admin"]).await;
    for (method, path, body) in [
        ("GET", "/User/getUser?id={id}", ""),
        ("PUT", "/User/update/{id}", r#"{"name": "X"}"#),
        ("DELETE", "/User/delete/{id}", ""),
    ] {
        for id in [&*user, "erp-1"] {
            let path = path.replace("{id}", id);
            let expected = error(404, &format!("No entity found for User with {id}."));
            let reply = asked(&b2b.world.muster, (method, &path, body)).token(&neighbour).send().await;
            assert_eq!(told(&reply), expected, "{method} {path}");
            // The same account, which names the other segment.
            let call = asked(&b2b.world.muster, (method, &path, body)).by(&b2b.world.ana);
            let reply = call.header("x-segment-id", &elsewhere).send().await;
            assert_eq!(told(&reply), expected, "{method} {path}");
        }
    }
    let stranger = b2b.world.muster.ana().await;
    for route in ROUTES.iter().filter(|(_, path, _)| !path.contains("Language")) {
        let call = asked(&b2b.world.muster, *route).by(&stranger).header("x-segment-id", &b2b.world.segment);
        let reply = call.send().await;
        assert_eq!(reply.status, 404, "{route:?} {reply:?}");
        // A key opens its own segment alone.
        let reply = asked(&b2b.world.muster, *route).token(&b2b.key).header("x-segment-id", &elsewhere).send().await;
        assert_eq!(reply.status, 404, "{route:?} {reply:?}");
    }
    let abroad = asked(&other.muster, ROUTES[0]).token(&b2b.key).send().await;
    assert_eq!(told(&abroad), error(401, "Unauthorized."), "a key of another deployment");
    assert_eq!(b2b.get("/User/getUser").await["data"][0]["name"], "Ana");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_names_no_segment_has_no_connection() {
    let b2b = furnished().await;
    // Of one segment a name is not needed.
    b2b.world.muster.made(&b2b.world.ana, "/v1/segments", json!({ "name": "Another" })).await;
    for route in ROUTES.iter().filter(|(_, path, _)| !path.contains("Language")) {
        let reply = asked(&b2b.world.muster, *route).by(&b2b.world.ana).send().await;
        let expected = match route.0 {
            "GET" => error(400, "Parameter X-Segment-Id is required"),
            _ => error(500, "Invalid connection name, you cannot insert in default"),
        };
        assert_eq!(told(&reply), expected, "{route:?}");
        let empty = asked(&b2b.world.muster, *route).by(&b2b.world.ana).header("x-segment-id", "").send().await;
        assert_eq!(told(&empty), expected, "{route:?}");
        let named = asked(&b2b.world.muster, *route).by(&b2b.world.ana).header("x-segment-id", &b2b.world.segment);
        assert!(named.send().await.status.is_success(), "{route:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_parameter_is_told_by_its_name_here() {
    let b2b = furnished().await;
    let one = |field: &str, value: Value| {
        let mut user = user("new");
        user[field] = value;
        json!([user])
    };
    for (path, expected) in [
        ("/User/updateFrom", error(400, "Parameter date is required")),
        ("/User/updateFrom?date=", error(400, "Parameter date is required")),
        (
            "/User/updateFrom?date=soon",
            error(400, "Parameter date must be a day or a time, such as 2026-01-31 or 2026-01-31 09:30:00"),
        ),
        ("/User/getUser?page=0", error(400, "Parameter page must be a whole number from 1 to 1000000")),
        ("/User/getUser?pageSize=0", error(400, "Parameter pageSize must be a whole number from 1 to 500")),
        ("/User/getUser?id=nobody", error(404, "No entity found for User with nobody.")),
        ("/User/getUser?id=%00%23", error(404, "No entity found for User with \u{0}#.")),
    ] {
        assert_eq!(told(&b2b.call("GET", path).send().await), expected, "{path}");
    }
    for (body, expected) in [
        (one("email", json!("")), error(400, "Parameter email is required")),
        (one("username", Value::Null), error(400, "Parameter username is required")),
        (json!([{}]), error(400, "Parameter username is required")),
        (one("languageId", Value::Null), error(400, "Parameter languageId is required")),
        (one("businessPartnerId", json!("")), error(400, "Parameter businessPartnerId is required")),
        (
            one("email", json!("nonsense")),
            error(400, "Parameter email must be an e-mail address such as ana@example.com"),
        ),
        (one("idRemote", json!([1])), error(400, "Parameter idRemote must be a string")),
        (
            one("dateValid", json!("soon")),
            error(400, "Parameter dateValid must be a day or a time, such as 2026-01-31 or 2026-01-31 09:30:00"),
        ),
        (one("languageId", json!([1])), error(400, "Parameter languageId must be the id of a language")),
        (one("active", json!("maybe")), error(400, "Parameter active must be true or false")),
        (one("languageId", json!(1)), error(404, "No entity found for Language with 1.")),
        (one("businessPartnerId", json!("p-9")), error(404, "No entity found for BusinessPartner with p-9.")),
        (one("email", json!("ERP-1@example.com")), error(409, "Duplicate entry => Care with email and username")),
        (one("username", json!("User.ERP-1")), error(409, "Duplicate entry => Care with email and username")),
        (json!({}), error(400, "Parameter username is required")),
        (json!("x"), error(400, "The body must be an array of users.")),
        (json!([]), error(400, "The body must have 1 to 100 users.")),
    ] {
        let reply = b2b.send("POST", "/User/create", body.clone()).await;
        assert_eq!(told(&reply), expected, "{body}");
    }
    b2b.user("erp-2").await;
    let taken = b2b.send("PUT", "/User/update/erp-2", json!({ "email": "erp-1@example.com" })).await;
    assert_eq!(told(&taken), error(409, "Duplicate entry => Care with email and username"));
    for field in ["username", "name", "languageId", "email", "businessPartnerId"] {
        for unset in [json!(null), json!(" ")] {
            let cleared = b2b.send("PUT", "/User/update/erp-2", json!({ field: unset, "dateValid": null })).await;
            assert_eq!(told(&cleared), error(400, &format!("Parameter {field} is required")));
        }
    }
    let kept = b2b.get("/User/getUser?id=erp-2").await["data"][0].clone();
    assert_eq!((&kept["name"], &kept["language"]["code"]), (&json!("Ana"), &json!("es")));
    assert_eq!(b2b.get("/User/getUser").await["pagination"]["totalItems"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_edge_refuses_is_told_in_the_dialects_shape() {
    let b2b = furnished().await;
    for (method, path, accept, status) in
        [("GET", "/User/nothing", "application/json", 404), ("PATCH", "/User/getUser", "application/json", 405)]
    {
        let reply = b2b.call(method, path).header("accept", accept).send().await;
        assert_eq!((reply.status.as_u16(), &reply.body["code"]), (status, &json!(status)), "{path} {accept}");
        assert!(reply.body["error"].as_str().is_some_and(|text| !text.is_empty()), "{reply:?}");
    }
    for accept in
        ["text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "text/html", "xml", "*", "application/json;q=0"]
    {
        let reply = b2b.call("GET", "/User/getUser").header("accept", accept).send().await;
        assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "application/json"), "{accept}");
    }
    let reply = b2b.call("GET", "/User/getUser").header("accept", "application/xml;q=.9").send().await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "application/xml; charset=utf-8"));
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>";
    for kind in ["application/xml", "text/xml", "multipart/mixed; boundary=x"] {
        let reply = b2b.call("POST", "/User/create").raw(kind, bomb).send().await;
        assert_eq!((reply.status.as_u16(), &reply.body["code"]), (415, &json!(415)), "{kind}: nobody reads XML here");
    }
    let reply = b2b.call("POST", "/User/create").raw("application/json", bomb).send().await;
    assert_eq!(reply.status, 400, "{reply:?}");
    let reply = b2b.call("GET", "/User/getUser?id=9").header("accept", "application/xml").send().await;
    let expected = "<export><code>404</code><error>No entity found for User with 9.</error></export>";
    assert!(reply.text.ends_with(expected), "{}", reply.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_does_not_answer_and_too_many_requests_are_told_in_their_words() {
    let b2b = furnished().await;
    let plan: Plan = Arc::new(|_, _, phase| match phase {
        Phase::Before => Verdict::Answer(StatusCode::INTERNAL_SERVER_ERROR, json!({ "__type": "InternalServerError" })),
        Phase::After => Verdict::Pass,
    });
    let url = functions_behind(&b2b.world.muster, plan).await;
    let sent =
        reqwest::Client::new().get(format!("{url}/b2b/User/getUser")).bearer_auth(&b2b.key).send().await.unwrap();
    let status = sent.status().as_u16();
    let body: Value = serde_json::from_str(&sent.text().await.unwrap()).unwrap();
    assert_eq!((status, body), error(500, "Database connection failed."));
    let limited = Muster::with(local::Options { rate_limit_factor: 1, ..local::Options::default() }).await;
    let world = World::on(limited, json!({ "name": "Club" })).await;
    let (_, key) = world.key(&["read"]).await;
    let mut last = None;
    for _ in 0..2_000 {
        let reply = asked(&world.muster, ("GET", "/Language/getLanguage?pageSize=1", "")).token(&key).send().await;
        if reply.status == 429 {
            last = Some(reply);
            break;
        }
    }
    let last = last.expect("a limit");
    assert_eq!(told(&last), error(429, "Too Many Requests"));
    assert!(!last.header("retry-after").is_empty());
}
