//! Access tokens for keys, by OAuth 2.0 client credentials.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Time;
use serde_json::{Value, json};

use crate::system::{Call, Reply};
use crate::world::{World, id};

/// A key of the segment as a client: its id and secret.
async fn client(world: &World, scopes: &[&str]) -> (String, String) {
    world.key(scopes).await
}

fn token_call<'a>(world: &'a World, form: &str) -> Call<'a> {
    world.muster.call("POST", "/v1/oauth/token").raw("application/x-www-form-urlencoded", form)
}

/// A token of a client, whose scope is narrowed where one is given.
async fn token(world: &World, (id, secret): &(String, String), scope: Option<&str>) -> String {
    let mut body = json!({ "grant_type": "client_credentials", "client_id": id, "client_secret": secret });
    if let Some(scope) = scope {
        body["scope"] = scope.into();
    }
    let reply = world.muster.post("/v1/oauth/token", body).send().await;
    assert_eq!((reply.status.as_u16(), &reply.body["token_type"]), (200, &json!("Bearer")), "{reply:?}");
    reply.body["access_token"].as_str().unwrap().to_owned()
}

async fn revoke(world: &World, (id, secret): &(String, String), token: &str) -> Reply {
    let body = json!({ "token": token, "client_id": id, "client_secret": secret });
    world.muster.post("/v1/oauth/revoke", body).send().await
}

async fn status(world: &World, token: &str) -> u16 {
    world.muster.get(&world.path("")).token(token).send().await.status.as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_gets_a_token_by_basic_form_or_json() {
    let world = World::start().await;
    let (id, secret) = client(&world, &["read", "write"]).await;
    let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}&unknown=1&scope=");
    let json = json!({ "grant_type": "client_credentials", "client_id": id, "client_secret": secret });
    for call in [
        token_call(&world, "grant_type=client_credentials").header("authorization", &basic),
        token_call(&world, &form),
        world.muster.post("/v1/oauth/token", json),
    ] {
        let reply = call.send().await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!((&reply.body["expires_in"], &reply.body["scope"]), (&json!(3600), &json!("read write")));
        assert!(reply.header("cache-control").contains("no-store"));
        let token = reply.body["access_token"].as_str().unwrap();
        for call in [
            world.muster.get(&world.path("")).token(token),
            world.muster.get(&world.path("")).header("x-api-key", token),
        ] {
            assert_eq!(call.send().await.status, 200, "it works wherever the key does");
        }
        let listed = world.muster.get("/b2b/User/getUser").token(token).send().await;
        assert_eq!(listed.status, 200, "{listed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_those_of_rfc_6749() {
    let world = World::start().await;
    let (id, secret) = client(&world, &["read"]).await;
    let (_, other) = client(&world, &["read"]).await;
    let form = |grant: &str, id: &str, secret: &str, scope: &str| {
        format!("grant_type={grant}&client_id={id}&client_secret={secret}&scope={scope}")
    };
    for (form, status, error) in [
        (form("client_credentials", &id, &other, ""), 401, "invalid_client"),
        (form("client_credentials", &id, "mk_nonsense", ""), 401, "invalid_client"),
        ("grant_type=client_credentials".to_owned(), 401, "invalid_client"),
        (form("password", &id, &secret, ""), 400, "unsupported_grant_type"),
        (form("", &id, &secret, ""), 400, "invalid_request"),
        (form("client_credentials", &id, &secret, "read+admin"), 400, "invalid_scope"),
        (form("client_credentials", &id, &secret, "everything"), 400, "invalid_scope"),
    ] {
        let reply = token_call(&world, &form).send().await;
        assert_eq!((reply.status.as_u16(), &reply.body["error"]), (status, &json!(error)), "{form}: {reply:?}");
        assert!(reply.body["error_description"].is_string() && !reply.text.contains(&secret), "{reply:?}");
        let challenge = if status == 401 { "Basic realm=\"muster\"" } else { "" };
        assert_eq!((reply.header("www-authenticate"), reply.header("cache-control")), (challenge, "no-store"));
    }
    let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    let both = token_call(&world, &form("client_credentials", &id, &secret, "")).header("authorization", &basic);
    assert_eq!(both.send().await.body["error"], "invalid_request");
    let contradicting = token_call(&world, "grant_type=client_credentials&client_id=another");
    let contradicting = contradicting.header("authorization", &basic).send().await;
    assert_eq!(contradicting.body["error"], "invalid_request", "{contradicting:?}");
    let agreeing = token_call(&world, &format!("grant_type=client_credentials&client_id={id}"));
    assert_eq!(agreeing.header("authorization", &basic).send().await.status, 200);
    let twice = format!("{}&scope=read&scope=read", form("client_credentials", &id, &secret, ""));
    let twice = token_call(&world, &twice).send().await;
    assert_eq!((twice.status.as_u16(), &twice.body["error"]), (400, &json!("invalid_request")), "{twice:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_does_no_more_than_its_scope() {
    let world = World::start().await;
    let client = client(&world, &["read", "write", "admin"]).await;
    let narrow = token(&world, &client, Some("write")).await;
    let members = world.path("/members");
    let new = || world.muster.post(&members, json!({ "name": "Ana" })).header("idempotency-key", "one");
    let whole = new().token(&client.1).send().await;
    assert_eq!((whole.status.as_u16(), &whole.body["name"]), (201, &json!("Ana")));
    let least = new().token(&narrow).send().await;
    assert_eq!(least.status, 201, "{least:?}");
    assert!(least.body.get("name").is_none() && least.header("idempotency-replayed").is_empty(), "{least:?}");
    assert_eq!(status(&world, &narrow).await, 403);
    let keys = format!("/v1/segments/{}/keys", world.segment);
    assert_eq!(world.muster.get(&keys).token(&narrow).send().await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_ends_with_its_key_its_owner_and_its_hour() {
    let world = World::start().await;
    let client = client(&world, &["read"]).await;
    let of_key = token(&world, &client, None).await;
    assert_eq!(status(&world, &of_key).await, 200);
    world.muster.set_status(&world.ana.id, "BLOCKED").await;
    assert_eq!(status(&world, &of_key).await, 401);
    world.muster.set_status(&world.ana.id, "ACTIVE").await;
    let key = format!("/v1/segments/{}/keys/{}", world.segment, client.0);
    assert_eq!(world.call("DELETE", &key).send().await.status, 204);
    assert_eq!(status(&world, &of_key).await, 401);
    let soon = Time::now().plus(Duration::from_secs(2)).to_string();
    let body = json!({ "name": "Short", "scopes": ["read"], "expires_at": soon });
    let short = world.muster.made(&world.ana, &format!("/v1/segments/{}/keys", world.segment), body).await;
    let client = (id(&short), short["secret"].as_str().unwrap().to_owned());
    let short = token(&world, &client, None).await;
    assert_eq!(status(&world, &short).await, 200);
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    assert_eq!(status(&world, &short).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_is_rejected_and_others_go_on() {
    let world = World::start().await;
    let (first, second) = (client(&world, &["read"]).await, client(&world, &["read"]).await);
    let (one, two, other) =
        (token(&world, &first, None).await, token(&world, &first, None).await, token(&world, &second, None).await);
    for nothing in ["nonsense", "mt_nonsense", &other, &first.1] {
        let reply = revoke(&world, &first, nothing).await;
        assert_eq!((reply.status.as_u16(), &reply.body), (200, &json!({})), "{nothing}");
    }
    assert_eq!(status(&world, &other).await, 200, "a client revokes its own tokens only");
    assert_eq!(revoke(&world, &(first.0.clone(), second.1.clone()), &one).await.body["error"], "invalid_client");
    assert_eq!(revoke(&world, &first, &one).await.status, 200);
    assert_eq!([status(&world, &one).await, status(&world, &two).await], [401, 200]);
    for action in ["token.issued", "token.revoked"] {
        let listed =
            world.get(&format!("/v1/segments/{}/audit?action={action}&actor={}", world.segment, first.0)).await;
        assert!(!listed.body["data"].as_array().unwrap().is_empty(), "{action}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_issued_after_many_were_revoked_is_valid_at_once() {
    let world = World::start().await;
    let client = client(&world, &["read"]).await;
    let mut old = String::new();
    for _ in 0..=100 {
        old = token(&world, &client, None).await;
        assert_eq!(revoke(&world, &client, &old).await.status, 200);
    }
    let fresh = token(&world, &client, None).await;
    assert_eq!([status(&world, &old).await, status(&world, &fresh).await], [401, 200]);
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_tokens_are_rejected() {
    let world = World::start().await;
    let client = client(&world, &["read"]).await;
    let token = token(&world, &client, None).await;
    for at in (3..token.len()).step_by(7) {
        let mut forged: Vec<char> = token.chars().collect();
        forged[at] = if forged[at] == 'A' { 'B' } else { 'A' };
        let forged: String = forged.into_iter().collect();
        assert_eq!(status(&world, &forged).await, 401, "character {at}");
        assert_eq!(status(&world, &token[..at]).await, 401, "cut at {at}");
    }
    assert!(!world.muster.whole_table().await.contains(&token[3..20]), "a token is kept nowhere");
    assert_eq!(Value::Null, world.muster.get(&world.path("")).token("mt_").send().await.body["id"]);
}
