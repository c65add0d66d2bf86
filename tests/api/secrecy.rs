//! What a function prints has no credential and nothing personal in it, whatever is asked, and whatever fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::StatusCode;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::faults::{Plan, Verdict, wiring_behind};
use crate::killed::child;
use crate::system::{Muster, PASSWORD};

/// What stands where a token is expected, and is none.
const WRONG: &str = "mk_WRONGTOKENwrongtokenWRONGTOKENwrongtoken";

/// Every operation of every document: method, path, and the example of its body.
async fn operations(muster: &Muster) -> Vec<(Method, String, Option<Value>)> {
    let mut operations = Vec::new();
    let documents = std::iter::once("/openapi.json").chain(dialects::documents().into_iter().map(|(_, path, _)| path));
    for document in documents {
        let document = muster.get(document).send().await.body;
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let body = operation.get("requestBody").map(|body| {
                    let content = &body["content"]["application/json"];
                    let first = content["examples"].as_object().and_then(|all| all.values().next());
                    first.map_or_else(|| content["example"].clone(), |first| first["value"].clone())
                });
                operations.push((method.to_uppercase().parse().unwrap(), path.clone(), body));
            }
        }
    }
    operations
}

/// One call in four is said to have failed.
fn failing() -> Plan {
    let calls = AtomicUsize::new(0);
    Arc::new(move |_, _, _| match calls.fetch_add(1, Ordering::Relaxed) % 8 {
        3 => Verdict::Answer(StatusCode::BAD_REQUEST, json!({ "__type": "ValidationException", "message": "no" })),
        _ => Verdict::Pass,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_password_or_address_stands_in_anything_that_is_printed() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let segment = muster.made(&ana, "/v1/segments", json!({ "name": "S" })).await;
    let segment = segment["id"].as_str().unwrap().to_owned();
    let scopes = json!(["read", "write", "admin"]);
    let key = muster.made(&ana, "/v1/keys", json!({ "name": "K", "scopes": scopes })).await;
    let path = format!("/v1/segments/{segment}/keys");
    let own = muster.made(&ana, &path, json!({ "name": "K", "scopes": scopes })).await;
    let [key, own] = [key, own].map(|key| key["secret"].as_str().unwrap().to_owned());
    let developer = crate::dialects::platform::token(&muster, &ana.access).await;
    let tokens = [ana.access.as_str(), &key, &own, WRONG];
    let operations = operations(&muster).await;
    let mut printed = String::new();
    for plan in [Arc::new(|_: &str, _, _| Verdict::Pass) as Plan, failing()] {
        let (_child, url, prints) = child(&wiring_behind(&muster, plan).await).await;
        for token in tokens {
            for (method, path, body) in &operations {
                let id = "0199d2a4-5c00-7000-8000-0000000000aa";
                // One round with both tokens good.
                let dev = if token == own { &developer } else { token };
                let filled = path.split('/').map(|part| match part {
                    "{dev}" => dev,
                    "{plat}" => token,
                    "{segment}" | "{segment_id}" => &segment,
                    part if part.starts_with('{') => id,
                    part => part,
                });
                let filled = filled.collect::<Vec<_>>().join("/");
                let call = Client::new().request(method.clone(), format!("{url}{filled}")).bearer_auth(token);
                let call = call.header("x-segment-id", &segment).header("x-developer-token", dev);
                let call = call.header("x-platform-token", token).header("api-token", token);
                let call = match body {
                    Some(body) => call.header("content-type", "application/json").body(body.to_string()),
                    None => call,
                };
                // A route that loses its connection has printed why.
                drop(call.send().await);
            }
        }
        printed.push_str(&prints.text());
    }
    assert!(printed.matches("\"answered\"").count() >= operations.len() * tokens.len(), "{printed}");
    assert!(printed.contains("\"failed\""), "nothing has failed, so that nothing was told of it");
    let mut secrets = tokens.map(str::to_owned).to_vec();
    secrets.extend(
        [developer.as_str(), PASSWORD, &ana.email, &ana.refresh, "@example.com", "+5215512345678"].map(str::to_owned),
    );
    for secret in secrets {
        let line = printed.lines().find(|line| line.contains(&secret));
        assert!(line.is_none(), "{secret} stands in {line:?}");
    }
}
