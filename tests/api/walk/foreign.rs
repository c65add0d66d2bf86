//! Callers with good credentials of their own, who name the victim's things in every operation of every document: no
//! answer shows anything of the victim, nothing of the victim changes, and nothing new refers to it.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::{Credentials, MARKER, Operation, Victim, list_operations, new_developer};
use crate::system::{Ana, Call, Muster, PASSWORD};
use crate::world::id;

/// An account of somebody else, with a segment and a user of that.
struct Stranger {
    ana: Ana,
    segment: String,
    developer: String,
}

impl Stranger {
    async fn new(muster: &Muster) -> Self {
        let ana = muster.ana().await;
        let segment = id(&muster.made(&ana, "/v1/segments", json!({ "name": "Strange" })).await);
        let developer = new_developer(muster, &ana).await;
        Self { ana, segment, developer }
    }

    /// Credentials that are good in the stranger's own account: in its own segment, and with the victim's in the header.
    fn credentials(&self, victim: &Victim, name: &str, token: &str, key_id: &str) -> [Credentials; 2] {
        [&self.segment, &victim.ids["segment"]].map(|segment| Credentials {
            key_id: key_id.to_owned(),
            developer: self.developer.clone(),
            segment: Some(segment.clone()),
            ..Credentials::new(name, token)
        })
    }
}

/// Ids of things, and texts with the marker, that the owner of the victim reads.
async fn secrets_of(victim: &Victim, operations: &[Operation]) -> BTreeSet<String> {
    let owner = Credentials {
        segment: Some(victim.ids["segment"].clone()),
        ..Credentials::new("the owner", &victim.world.ana.access)
    };
    let mut secrets = BTreeSet::from([victim.world.ana.email.clone()]);
    for operation in operations.iter().filter(|operation| operation.method == Method::GET) {
        let (call, _) = victim.call(operation, &owner);
        let reply = call.send().await;
        if reply.status.is_success() && !operation.path.ends_with("openapi.json") {
            collect_secrets(&reply.body, &mut secrets);
        }
    }
    assert!(secrets.len() > 30, "the owner reads one of everything: {secrets:?}");
    secrets
}

fn collect_secrets(value: &Value, secrets: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.contains(MARKER) || is_id(text) => drop(secrets.insert(text.clone())),
        Value::Array(items) => items.iter().for_each(|item| collect_secrets(item, secrets)),
        Value::Object(fields) => fields.values().for_each(|field| collect_secrets(field, secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
}

/// Sends every operation by each of the callers.
async fn assert_nothing_reached(victim: &Victim, callers: &[Credentials]) {
    let muster = &victim.world.muster;
    let mut operations = list_operations(muster).await;
    // A session that ends itself would make the rest of the walk pass for nothing.
    operations.retain(|operation| !operation.path.ends_with("/logout") && !operation.path.contains("/sessions"));
    operations.sort_by_key(|operation| operation.method == Method::DELETE);
    let secrets = secrets_of(victim, &operations).await;
    let before = muster.lasting().await;
    let mut wrong = Vec::new();
    for credentials in callers {
        let mut answered = 0;
        for operation in &operations {
            let (call, sent) = victim.call(operation, credentials);
            let reply = call.send().await;
            answered += usize::from(reply.status.is_success());
            let shown = |secret: &&String| reply.text.contains(secret.as_str()) && !sent.contains(secret.as_str());
            if let Some(secret) = secrets.iter().find(shown) {
                let Operation { method, path, .. } = operation;
                wrong.push(format!("{method} {path} shows {secret} to {}: {}", credentials.name, reply.text));
            }
        }
        assert!(answered > 3, "{} can do nothing at all: {answered}", credentials.name);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_untouched(victim, &before, &muster.lasting().await);
}

/// The victim's items are as they were, and no new one refers to a thing of the victim.
fn assert_untouched(victim: &Victim, before: &[String], after: &[String]) {
    let of_victim =
        |item: &&String| victim.ids.values().chain([&victim.world.ana.id]).any(|id| item.contains(id.as_str()));
    let old: BTreeSet<_> = before.iter().collect();
    let new: BTreeSet<_> = after.iter().collect();
    let removed: Vec<_> = old.difference(&new).copied().filter(of_victim).collect();
    let added: Vec<_> = new.difference(&old).copied().filter(of_victim).collect();
    assert!(removed.is_empty() && added.is_empty(), "{removed:#?} became {added:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_reaches_nothing_by_any_operation() {
    let victim = Victim::start().await;
    let muster = &victim.world.muster;
    let stranger = Stranger::new(muster).await;
    let scopes = ["read", "write", "admin"];
    let (account_id, account) = muster.key(&stranger.ana, "/v1/keys", &scopes).await;
    let path = format!("/v1/segments/{}/keys", stranger.segment);
    let (segment_id, segment) = muster.key(&stranger.ana, &path, &scopes).await;
    let user = json!({ "email": "strange@example.com", "password": PASSWORD });
    muster.made(&stranger.ana, &format!("/v1/segments/{}/users", stranger.segment), user).await;
    let login = json!({ "email": "strange@example.com", "password": PASSWORD, "segment_id": stranger.segment });
    let user = muster.post("/v1/auth/login", login).send().await;
    let callers = [
        stranger.credentials(&victim, "another master", &stranger.ana.access, ""),
        stranger.credentials(&victim, "another account's key", &account, &account_id),
        stranger.credentials(&victim, "another segment's key", &segment, &segment_id),
        stranger.credentials(&victim, "a user of another account", user.body["access_token"].as_str().unwrap(), ""),
    ];
    assert_nothing_reached(&victim, callers.as_flattened()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn anonymous_callers_reach_nothing_by_any_operation() {
    let victim = Victim::start().await;
    let muster = &victim.world.muster;
    let operations = list_operations(muster).await;
    let secrets = secrets_of(&victim, &operations).await;
    let before = muster.lasting().await;
    for operation in &operations {
        let (path, nobody) = (&operation.path, Credentials::new("nobody", ""));
        let mut body = operation.body.clone();
        if let Some(body) = &mut body {
            victim.fill_body(body);
        }
        let call: Call<'_> = muster.call(operation.method.as_str(), &victim.fill_path(path, &nobody));
        let call = match &body {
            Some(body) => call.json(body.clone()),
            None => call,
        };
        let reply = call.send().await;
        let sent = format!("{} {body:?}", victim.fill_path(path, &nobody));
        let shown = secrets.iter().find(|secret| reply.text.contains(*secret) && !sent.contains(*secret));
        assert!(shown.is_none(), "{} {path} shows {shown:?}: {}", operation.method, reply.text);
        assert!(
            operation.public || reply.status == 401 || reply.status == 404,
            "{} {path} {reply:?}",
            operation.method
        );
    }
    assert_untouched(&victim, &before, &muster.lasting().await);
}
