//! What a function prints has no credential and nothing personal in it, whatever is asked, and whatever fails.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::StatusCode;
use domain::DeveloperFields;
use domain::field::Body as _;
use reqwest::{Client, Method};
use serde_json::json;

use crate::faults::{Plan, Verdict, wiring_behind};
use crate::killed::child;
use crate::system::{Ana, Muster, PASSWORD};
use crate::walk::{Operation, list_operations};
use crate::world::id;

/// What stands where a token is expected, and is none.
const WRONG: &str = "mk_WRONGTOKENwrongtokenWRONGTOKENwrongtoken";

/// One call in four is said to have failed.
fn failing() -> Plan {
    let calls = AtomicUsize::new(0);
    Arc::new(move |_, _, _| match calls.fetch_add(1, Ordering::Relaxed) % 8 {
        3 => Verdict::Answer(StatusCode::BAD_REQUEST, json!({ "__type": "ValidationException", "message": "no" })),
        _ => Verdict::Pass,
    })
}

/// Somebody with all kinds of credentials, of a segment that is there.
struct Somebody {
    ana: Ana,
    segment: String,
    /// The id of the key of the account.
    key: String,
    developer: String,
    /// The user's token, the account's key, the segment's, and what is none.
    tokens: [String; 4],
}

impl Somebody {
    async fn new(muster: &Muster) -> Self {
        let ana = muster.ana().await;
        let segment = id(&muster.made(&ana, "/v1/segments", json!({ "name": "S" })).await);
        let scopes = ["read", "write", "admin"];
        let (key, account) = muster.key(&ana, "/v1/keys", &scopes).await;
        let (_, own) = muster.key(&ana, &format!("/v1/segments/{segment}/keys"), &scopes).await;
        let developer = muster.made(&ana, "/v1/developers", DeveloperFields::example()).await;
        let token =
            muster.post("/platform/generate-token", json!({ "user_id": developer["id"] })).by(&ana).send().await;
        let developer = token.body["token"].as_str().unwrap().to_owned();
        let tokens = [ana.access.clone(), account, own, WRONG.to_owned()];
        Self { ana, segment, key, developer, tokens }
    }

    /// Calls an operation with one of the tokens wherever a credential may stand: what came of it.
    async fn call(&self, url: &str, operation: &Operation, token: &str) -> Option<(u16, String)> {
        let Operation { method, path, body, .. } = operation;
        let developer = if token == WRONG { WRONG } else { &self.developer };
        let filled = path.split('/').map(|part| match part {
            "{dev}" => developer,
            "{plat}" => token,
            "{segment}" | "{segment_id}" => &self.segment,
            part if part.starts_with('{') => "0199d2a4-5c00-7000-8000-0000000000aa",
            part => part,
        });
        let filled = filled.collect::<Vec<_>>().join("/");
        let call = Client::new().request(method.clone(), format!("{url}{filled}")).bearer_auth(token);
        let call = call.header("x-segment-id", &self.segment).header("x-developer-token", developer);
        let call = call.header("x-platform-token", token).header("api-id", &self.key).header("api-token", token);
        let call = match body {
            Some(body) => call.header("content-type", "application/json").body(body.to_string()),
            None => call,
        };
        // A route that loses its connection has printed why.
        let answer = call.send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.unwrap_or_default()))
    }
}

/// What is secret in an answer: tokens that were made, and secrets of keys and webhooks.
fn secrets(answer: &str) -> impl Iterator<Item = String> {
    let parts = answer.split(|one: char| !one.is_ascii_alphanumeric() && !"_-.+/=".contains(one));
    let is_secret = |part: &&str| {
        part.len() > 30 && ["eyJ", "mk_", "dv_", "ml_", "whsec_"].iter().any(|mark| part.starts_with(mark))
    };
    parts.filter(is_secret).map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_password_or_address_stands_in_anything_that_is_printed() {
    let muster = Muster::start().await;
    let mut operations = list_operations(&muster).await;
    // What ends a session or a segment comes last.
    operations.sort_by_key(|one| (one.method == Method::DELETE, one.path.ends_with("/logout")));
    let mut told = BTreeSet::from([PASSWORD, "@example.com", "+5215512345678", WRONG].map(str::to_owned));
    let (mut printed, mut done) = (String::new(), BTreeSet::new());
    for plan in [Arc::new(|_: &str, _, _| Verdict::Pass) as Plan, failing()] {
        let (_child, url, prints) = child(&wiring_behind(&muster, plan).await).await;
        for nth in 0..4 {
            let somebody = Somebody::new(&muster).await;
            told.extend(somebody.tokens.clone());
            told.extend([&somebody.developer, &somebody.ana.email, &somebody.ana.refresh].map(String::clone));
            for operation in &operations {
                let Some((status, answer)) = somebody.call(&url, operation, &somebody.tokens[nth]).await else {
                    continue;
                };
                told.extend(secrets(&answer));
                // What the examples make is taken by then.
                if status < 300 || status == 409 {
                    done.extend(operation.path.split('/').nth(1).map(str::to_owned));
                }
            }
        }
        printed.push_str(&prints.text());
    }
    assert!(printed.matches("\"answered\"").count() >= operations.len() * 4, "{printed}");
    assert!(printed.contains("\"failed\""), "nothing has failed, so that nothing was told of it");
    for prefix in ["v1", "flows", "platform", "identity", "b2b", "calls"] {
        assert!(done.contains(prefix), "nothing was done under /{prefix}: {done:?}");
    }
    for secret in told {
        let line = printed.lines().find(|line| line.contains(&secret));
        assert!(line.is_none(), "{secret} stands in {line:?}");
    }
}
