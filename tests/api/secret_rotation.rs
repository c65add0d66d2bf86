//! The sealing secret is rotated while all goes on.

use domain::WebhookId;
use edge::{HookSecret, Keyring};
use local::Functions;
use serde_json::json;

use crate::world::World;

/// Rotates as an operator does: which version seals.
async fn rotate(world: &World) -> u64 {
    let rotated = reqwest::Client::new().post(format!("{}/_local/secret-rotation", world.muster.url)).send().await;
    let answer: serde_json::Value = serde_json::from_str(&rotated.unwrap().text().await.unwrap()).unwrap();
    answer["version"].as_u64().unwrap()
}

/// The path of the next page of the segment's users.
async fn next(world: &World) -> String {
    let page = world.read(&format!("/v1/segments/{}/users?page[size]=1", world.segment)).await;
    page["links"]["next"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_former_version_has_sealed_still_opens() {
    let world = World::start().await;
    for _ in 0..3 {
        world.user(json!({})).await;
    }
    let webhook = WebhookId::fresh();
    let secret = HookSecret::fresh().unwrap();
    let sealed = secret.seal(&world.muster.functions.app, webhook).await.unwrap();
    let mut cursors = vec![next(&world).await];
    for version in 2..=4 {
        assert_eq!(rotate(&world).await, version);
        // Another process, which reads the secrets only now.
        let fresh = Keyring::new(world.muster.functions.app.store.clone());
        let opened = HookSecret::open(&fresh, webhook, &sealed).await.unwrap();
        assert_eq!(opened.map(|opened| opened.reveal()), Some(secret.reveal()));
        cursors.push(next(&world).await);
    }
    for cursor in &cursors {
        assert_eq!(world.get(cursor).await.status, 200, "{cursor}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_knows_an_older_version_opens_what_a_newer_one_seals() {
    let world = World::start().await;
    let (old, webhook) = (Keyring::new(world.muster.functions.app.store.clone()), WebhookId::fresh());
    old.warm().await.unwrap();
    rotate(&world).await;
    let beside = Functions::connect(&world.muster.wiring);
    let secret = HookSecret::fresh().unwrap();
    let sealed = secret.seal(&beside.app, webhook).await.unwrap();
    let opened = HookSecret::open(&old, webhook, &sealed).await.unwrap();
    assert_eq!(opened.map(|opened| opened.reveal()), Some(secret.reveal()));
    assert!(HookSecret::open(&old, WebhookId::fresh(), &sealed).await.unwrap().is_none(), "for its webhook alone");
    for broken in ["", "AA==", "////////", &sealed[..20]] {
        assert!(HookSecret::open(&old, webhook, broken).await.unwrap().is_none(), "{broken}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_rotations_at_once_each_adds_a_version_or_is_refused() {
    let world = World::start().await;
    let store = world.muster.functions.app.store.clone();
    let rings: Vec<_> = (0..8).map(|_| Keyring::new(store.clone())).collect();
    let rotated = futures_util::future::join_all(rings.iter().map(Keyring::rotate)).await;
    let mut versions: Vec<_> = rotated.into_iter().flatten().collect();
    versions.sort_unstable();
    assert!(!versions.is_empty() && versions.windows(2).all(|two| two[0] < two[1]), "{versions:?}");
    assert_eq!(store.deployment_secrets().await.unwrap().current, *versions.last().unwrap());
}
