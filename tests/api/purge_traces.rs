//! A purge reaches what others have made of a user: exports, imports, reports, notifications and kept answers.

use std::time::Duration;

use local::Options;
use serde_json::{Value, json};

use crate::recount::text;
use crate::system::Muster;
use crate::uploads::club::get;
use crate::world::{World, id};

const KEY: &str = "purge-traces-1";

/// A world whose transfers are done at once, and whose jobs are left to the test.
async fn started() -> World {
    let (transfer_every, reconcile_every) = (Duration::from_millis(50), Duration::from_secs(3600));
    let options = Options { transfer_every, reconcile_every, ..Options::default() };
    World::on(Muster::with(options).await, json!({ "name": "Club" })).await
}

impl World {
    fn in_segment(&self, rest: &str) -> String {
        format!("/v1/segments/{}/{rest}", self.segment)
    }

    /// Makes an export and waits for its end: its path.
    async fn export(&self, body: Value) -> String {
        let path = self.in_segment(&format!(
            "exports/{}",
            id(&self.muster.made(&self.ana, &self.in_segment("exports"), body).await)
        ));
        self.until(&path, |reply| reply.body["status"] == "COMPLETED").await;
        path
    }

    /// The keys of all objects of the bucket.
    async fn objects(&self) -> Vec<String> {
        let wiring = &self.muster.wiring;
        let s3 = aws_sdk_s3::config::Builder::from(&wiring.config()).endpoint_url(&wiring.endpoints.s3).build();
        let listed = aws_sdk_s3::Client::from_conf(s3).list_objects_v2().bucket(&wiring.bucket).send().await.unwrap();
        listed.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
    }
}

/// Creates the user by a request that is kept.
async fn create(world: &World) -> crate::system::Reply {
    let body = json!({ "email": "zzqxkw@example.com", "name": "Zzqxkwname", "reference_id": "zzqxkw-1" });
    world.call("POST", &world.in_segment("users")).header("idempotency-key", KEY).json(body).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_reaches_what_others_have_made_of_a_user() {
    let world = started().await;
    let other = world.user(json!({ "email": "other@example.com" })).await;
    let before = world.export(json!({ "format": "ndjson" })).await;
    let user = id(&create(&world).await.body);
    let mut exports = Vec::new();
    for body in [
        json!({ "format": "ndjson" }),
        json!({ "format": "csv", "fields": ["id"] }),
        json!({ "format": "csv", "fields": ["name"] }),
        json!({ "format": "csv", "filters": { "email": "zzqxkw@example.com" } }),
    ] {
        exports.push(world.export(body).await);
    }
    let file = "email,name\nzzqxkw@example.com,Zzqxkwlater\n";
    let import = world.imported("csv", file, json!({ "match": "email" })).await;
    world.until(&import, |reply| reply.body["status"] == "COMPLETED").await;
    let later = domain::Time::now().plus(Duration::from_secs(3600));
    let message = json!({ "title": "Hello", "body": "World", "user_ids": [user, other], "schedule": later });
    let scheduled = world.send("POST", &world.in_segment("notifications"), message).await;
    assert_eq!(scheduled.status, 202, "{scheduled:?}");
    assert_eq!(world.call("POST", &format!("/v1/users/{user}/magic-link")).send().await.status, 200);
    assert_eq!(create(&world).await.header("idempotency-replayed"), "true");

    assert_eq!(world.call("DELETE", &format!("/v1/users/{user}?purge=true")).send().await.status, 204);
    world.muster.work().await;

    for path in exports.iter().chain([&import]) {
        assert_eq!(world.get(path).await.status, 404, "{path}");
    }
    for item in world.muster.all_items().await {
        let (told, pk) = (format!("{item:?}").to_lowercase(), text(&item, "PK").to_owned());
        assert!(!told.contains("zzqxkw"), "{item:?}");
        // Tombstones, and the audit (decision 35).
        let named = ["G#", "Y#", "AS#", "AU#"].iter().any(|prefix| pk.starts_with(prefix));
        assert!(named || !told.contains(&user), "{item:?}");
    }
    let kept = before.rsplit('/').next().unwrap();
    assert_eq!(world.objects().await, [format!("exports/{kept}")], "the export from before the user stays");
    let kept = get(world.get(&format!("{before}/content")).await.header("location")).await;
    assert!(String::from_utf8(kept.bytes).unwrap().contains("other@example.com"));
    let recipients = world.muster.all_items().await;
    let recipients: Vec<_> = recipients.iter().filter(|item| text(item, "SK").starts_with("PT#")).collect();
    assert!(recipients.len() == 1 && format!("{recipients:?}").contains(&other), "{recipients:?}");

    let replayed = create(&world).await;
    assert_eq!((replayed.status.as_u16(), &replayed.body["code"]), (410, &json!("gone")), "{replayed:?}");
    assert_eq!(create(&world).await.status, 201, "the key is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_answer_that_names_nobody_who_was_purged_is_given_again() {
    let world = started().await;
    let (one, two) = (world.user(json!({})).await, world.user(json!({})).await);
    let rename = |user: String| {
        let body = json!({ "name": "Eva" });
        world.call("PATCH", &format!("/v1/users/{user}")).header("idempotency-key", KEY).json(body).send()
    };
    assert_eq!((rename(one.clone()).await.status.as_u16(), rename(two.clone()).await.status.as_u16()), (200, 200));
    assert_eq!(world.call("DELETE", &format!("/v1/users/{one}?purge=true")).send().await.status, 204);
    assert_eq!(rename(two).await.header("idempotency-replayed"), "true");
    assert_eq!(rename(one).await.status, 410);
}
