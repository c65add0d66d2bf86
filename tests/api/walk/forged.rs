//! Forged tokens and mutated keys open no private operation of any document.

use domain::{KeyId, UserId};
use serde_json::json;

use super::{Credentials, Victim, list_operations, new_developer};
use crate::isolation::unchanged;
use crate::system::PASSWORD;
use crate::tokens::{Forge, claims, encode_part, unsigned_token};

/// Sends every private operation with each of the credentials, which must all be 401 and change nothing.
async fn assert_all_refused(victim: &Victim, credentials: &[Credentials]) {
    let operations = list_operations(&victim.world.muster).await;
    let before = victim.world.muster.lasting().await;
    let mut wrong = Vec::new();
    for operation in operations.iter().filter(|operation| !operation.public && !is_document(&operation.path)) {
        for credentials in credentials {
            let (call, _) = victim.call(operation, credentials);
            let reply = call.send().await;
            if reply.status != 401 {
                wrong
                    .push(format!("{} {} by {}: {}", operation.method, operation.path, credentials.name, reply.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    unchanged(&before, &victim.world.muster.lasting().await);
}

/// Whether the operation serves a document that is public on purpose.
fn is_document(path: &str) -> bool {
    path.ends_with("openapi.json") || path == "/health"
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_tokens_open_no_operation_of_any_document() {
    let victim = Victim::start().await;
    let (muster, ana) = (&victim.world.muster, &victim.world.ana);
    let forge = Forge::new();
    let good = claims(muster, ana);
    let login = muster.login(&ana.email, PASSWORD).await;
    let mut tokens = vec![
        ("another's signature".to_owned(), forge.token("k1", &good)),
        ("the id token".to_owned(), login.body["id_token"].as_str().unwrap().to_owned()),
        ("the refresh token".to_owned(), ana.refresh.clone()),
        ("no signature".to_owned(), unsigned_token(&good)),
        ("a cut signature".to_owned(), ana.access[..ana.access.len() - 8].to_owned()),
        ("nonsense".to_owned(), "nonsense".to_owned()),
    ];
    tokens.extend(forge.confused_tokens(&good).map(|token| ("the public key as a secret".to_owned(), token)));
    let parts: Vec<_> = login.body["access_token"].as_str().unwrap().split('.').map(str::to_owned).collect();
    for (name, value) in [
        ("username", json!(victim.ids["user"])),
        ("sub", json!(victim.ids["user"])),
        ("exp", json!(good["exp"].as_i64().unwrap() + 10)),
    ] {
        let mut changed = good.clone();
        changed[name] = value;
        tokens.push((format!("{name} changed"), format!("{}.{}.{}", parts[0], encode_part(&changed), parts[2])));
    }
    let developer = new_developer(muster, ana).await;
    let credentials: Vec<_> = tokens
        .iter()
        .map(|(name, token)| Credentials {
            developer: developer.clone(),
            key_id: victim.ids["key"].clone(),
            segment: Some(victim.ids["segment"].clone()),
            ..Credentials::new(name, token)
        })
        .collect();
    assert_all_refused(&victim, &credentials).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mutated_keys_open_no_operation_of_any_document() {
    let victim = Victim::start().await;
    let (muster, ana) = (&victim.world.muster, &victim.world.ana);
    let developer = new_developer(muster, ana).await;
    let scopes = ["read", "write", "admin"];
    let mut credentials = Vec::new();
    for path in ["/v1/keys".to_owned(), format!("/v1/segments/{}/keys", victim.ids["segment"])] {
        let (key_id, secret) = muster.key(ana, &path, &scopes).await;
        for (name, token) in mutate_key(&secret) {
            credentials.push(Credentials {
                developer: developer.clone(),
                key_id: key_id.clone(),
                segment: Some(victim.ids["segment"].clone()),
                ..Credentials::new(&format!("{path} {name}"), &token)
            });
        }
    }
    let made_up = edge::KeySecret::fresh(KeyId::fresh(), ana.id.parse::<UserId>().unwrap(), None).unwrap();
    credentials.push(Credentials::new("a made-up key of the account", made_up.reveal()));
    assert_all_refused(&victim, &credentials).await;
}

/// Secrets that are nearly this one.
fn mutate_key(secret: &str) -> Vec<(String, String)> {
    let mut mutated = vec![
        ("cut".to_owned(), secret[..secret.len() - 1].to_owned()),
        ("longer".to_owned(), format!("{secret}A")),
        ("in capitals".to_owned(), format!("mk_{}", secret.trim_start_matches("mk_").to_uppercase())),
    ];
    let characters: Vec<char> = secret.chars().collect();
    for place in (3..characters.len()).step_by(characters.len() / 9) {
        let mut changed = characters.clone();
        changed[place] = if changed[place] == 'A' { 'B' } else { 'A' };
        mutated.push((format!("changed at {place}"), changed.into_iter().collect()));
    }
    mutated.retain(|(_, one)| one != secret);
    mutated
}

#[tokio::test(flavor = "multi_thread")]
async fn spent_credentials_open_no_operation_of_any_document() {
    let victim = Victim::start().await;
    let (muster, ana) = (&victim.world.muster, &victim.world.ana);
    let developer = new_developer(muster, ana).await;
    let mut spent = Vec::new();
    for keys in ["/v1/keys".to_owned(), format!("/v1/segments/{}/keys", victim.ids["segment"])] {
        let (key, secret) = muster.key(ana, &keys, &["read", "write", "admin"]).await;
        assert_eq!(victim.world.call("DELETE", &format!("{keys}/{key}")).send().await.status, 204);
        spent.push((format!("a revoked key of {keys}"), secret, key));
    }
    let session = muster.login(&ana.email, PASSWORD).await;
    let (access, refresh) = (&session.body["access_token"], &session.body["refresh_token"]);
    let logout = muster.post("/v1/auth/logout", json!({ "refresh_token": refresh })).token(access.as_str().unwrap());
    assert_eq!(logout.send().await.status, 204);
    spent.push(("a session that was signed out".to_owned(), access.as_str().unwrap().to_owned(), String::new()));
    for (nth, end) in [json!({ "status": "BLOCKED" }), json!({})].into_iter().enumerate() {
        let email = format!("spent{nth}@example.com");
        let user = victim.world.user(json!({ "email": email, "password": PASSWORD })).await;
        let login = json!({ "email": email, "password": PASSWORD, "segment_id": victim.ids["segment"] });
        let login = muster.post("/v1/auth/login", login).send().await;
        let path = format!("/v1/users/{user}");
        let ended = match end.as_object().unwrap().is_empty() {
            true => victim.world.call("DELETE", &path).send().await,
            false => victim.world.send("PATCH", &path, end).await,
        };
        assert!(ended.status.is_success(), "{ended:?}");
        let token = login.body["access_token"].as_str().unwrap().to_owned();
        spent.push((format!("a user that was ended as {nth}"), token, String::new()));
    }
    let credentials: Vec<_> = spent
        .iter()
        .map(|(name, token, key_id)| Credentials {
            developer: developer.clone(),
            key_id: key_id.clone(),
            segment: Some(victim.ids["segment"].clone()),
            ..Credentials::new(name, token)
        })
        .collect();
    assert_all_refused(&victim, &credentials).await;
}
