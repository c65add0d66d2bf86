//! A user of a segment purges itself only where the segment allows it, and its owner sees that it has.

use serde_json::{Value, json};

use crate::crashes::still;
use crate::recount::agrees;
use crate::system::{Ana, PASSWORD};
use crate::world::World;

/// A user with a password and a session: who it is.
async fn eva(world: &World, name: &str) -> Ana {
    let email = format!("{name}@example.com");
    let body = json!({ "email": email, "name": "Zzqxkwname", "phone": "+525599887766", "password": PASSWORD });
    world.muster.made(&world.ana, &format!("/v1/segments/{}/users", world.segment), body).await;
    let login = json!({ "email": email, "password": PASSWORD, "segment_id": world.segment });
    Ana::of(email, &world.muster.post("/v1/auth/login", login).send().await)
}

async fn allow(world: &World, allowed: bool) {
    let patch = json!({ "settings": { "self_purge": allowed } });
    assert_eq!(world.send("PATCH", &format!("/v1/segments/{}", world.segment), patch).await.status, 200);
}

/// The rows of the deleted history.
async fn deleted(world: &World) -> Vec<Value> {
    let listed = world.read(&format!("/v1/segments/{}/users/deleted", world.segment)).await;
    let rows = listed["data"].as_array().unwrap().clone();
    assert_eq!(listed["page"]["total_items"], rows.len());
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_purges_itself_only_where_its_segment_allows_it() {
    let world = World::start().await;
    let (eva, eve) = (eva(&world, "eva").await, eva(&world, "eve").await);
    for path in ["/v1/users/me?purge=true".to_owned(), format!("/v1/users/{}?purge=true", eva.id)] {
        let refused = world.muster.delete(&path).by(&eva).send().await;
        assert_eq!((refused.status.as_u16(), &refused.body["code"]), (403, &json!("forbidden")), "{refused:?}");
    }
    assert_eq!(world.muster.get("/v1/users/me").by(&eva).send().await.status, 200, "nothing has happened");
    assert_eq!(world.muster.delete("/v1/users/me").by(&eva).send().await.status, 204, "softly it always may");
    assert_eq!(deleted(&world).await[0]["email"], "eva@example.com");
    allow(&world, true).await;
    assert_eq!(world.muster.delete("/v1/users/me?purge=true").by(&eve).send().await.status, 204);
    allow(&world, false).await;
    assert_eq!(deleted(&world).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_that_purges_itself_leaves_an_id_and_times_to_its_owner() {
    let world = World::on(still().await, json!({ "name": "Club" })).await;
    allow(&world, true).await;
    let eva = eva(&world, "zzqxkweva").await;
    let member = world.member(json!({ "user_id": eva.id, "name": "Zzqxkwmember" })).await;
    assert_eq!(world.muster.delete("/v1/users/me?purge=true").by(&eva).send().await.status, 204);
    world.muster.work().await;
    let rows = deleted(&world).await;
    let row = rows.first().and_then(Value::as_object).unwrap();
    let kept = ["id", "segment_id", "status", "version", "created_at", "updated_at"];
    for (name, value) in row {
        assert_eq!(kept.contains(&name.as_str()), !value.is_null(), "{name}: {value}");
    }
    assert_eq!((rows.len(), &row["id"], &row["status"]), (1, &json!(eva.id), &json!("DELETED")));
    // For all else the user is gone.
    let user = format!("/v1/users/{}", eva.id);
    assert_eq!(world.get(&user).await.status, 404);
    assert_eq!(world.get(&member).await.status, 404);
    assert_eq!(world.call("POST", &format!("{user}/restoration")).send().await.status, 404);
    assert_eq!(world.call("DELETE", &format!("{user}?purge=true")).send().await.status, 404);
    let changes = world.read(&format!("/v1/segments/{}/users/changes", world.segment)).await;
    assert_eq!((&changes["data"][0]["id"], &changes["data"][0]["user"]), (&json!(eva.id), &Value::Null));
    let table = format!("{:?}", world.muster.all_items().await).to_lowercase();
    assert!(!table.contains("zzqxkw") && !table.contains("5599887766"), "{table}");
    assert_eq!(world.muster.identities().await, [world.ana.id.as_str()]);
    agrees(&world).await;
    // Its e-mail is free, and what is left goes with the segment.
    world.user(json!({ "email": "zzqxkweva@example.com" })).await;
    assert_eq!(world.call("DELETE", &format!("/v1/segments/{}", world.segment)).send().await.status, 204);
    world.muster.work().await;
    assert_eq!(world.muster.items(&format!("U#{}", eva.id)).await, Vec::<String>::new());
    assert!(!format!("{:?}", world.muster.items("X#D#").await).contains(&world.segment));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_purges_leaves_nothing_to_itself() {
    let world = World::start().await;
    let user = world.user(json!({})).await;
    assert_eq!(world.call("DELETE", &format!("/v1/users/{user}?purge=true")).send().await.status, 204);
    assert_eq!(deleted(&world).await, Vec::<Value>::new());
}
