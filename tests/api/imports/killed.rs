//! Imports and exports that are cut off, again and again, and seen while they run.

use std::time::Duration;

use domain::Time;
use serde_json::{Value, json};
use transfers::Step;

use super::{counts, still};
use crate::faults::Phase;
use crate::uploads::cut::Cut;
use crate::world::World;

fn soon() -> Time {
    Time::now().plus(Duration::from_secs(60))
}

/// Runs what is to be done, cut off at later and later calls, until it is over: how often it was cut off.
async fn cut_off_often(world: &World, path: &str) -> usize {
    let (mut cuts, mut nth) = (0, 0);
    loop {
        let phase = if cuts % 2 == 0 { Phase::Before } else { Phase::After };
        let cut = Cut::at((nth, phase));
        let done = cut.transfers(&world.muster).run(soon()).await;
        if done.is_ok() && !cut.has_cut() {
            return cuts;
        }
        cuts += 1;
        // The first calls one by one, then by leaps that meet rows in all places.
        nth += if nth < 7 { 1 } else { 29 + cuts * 3 };
        assert!(nth < 100_000, "{path} comes to no end");
    }
}

/// What is the same of two imports of the same rows.
fn same(report: &[Value]) -> Vec<Value> {
    report
        .iter()
        .map(|row| json!([row["row"], row["line"], row["status"], row["errors"], row["id"].is_null()]))
        .collect()
}

/// 310 rows, of which some are wrong; long ones, so that they make several batches.
fn table() -> String {
    let long = "long ".repeat(1_400);
    let mut file = "email,reference_id,metadata.note\n".to_owned();
    for nth in 0..310 {
        match nth % 50 {
            7 => file.push_str("nonsense,,X\n"),
            // One that is there already.
            31 => file.push_str("a3@example.com,,Again\n"),
            _ => file.push_str(&format!("a{nth}@example.com,r{nth},\"Note\n{nth} {long}\"\n")),
        }
    }
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_cut_off_anywhere_comes_to_the_same_end() {
    let world = still().await;
    let path = world.imported("csv", &table(), json!({})).await;
    let cuts = cut_off_often(&world, &path).await;
    let import = world.read(&path).await;
    assert_eq!(import["status"], "COMPLETED", "{import}");
    assert!(cuts >= 10, "{cuts} {import}");
    assert_eq!(counts(&import), [297, 0, 0, 13], "{import}");
    let (users, report) = (world.users().await, world.report(&path).await);
    assert_eq!(users.len(), 297);
    let untouched = still().await;
    let other = untouched.imported("csv", &table(), json!({})).await;
    untouched.muster.functions.transfers().run(soon()).await.unwrap();
    assert_eq!(counts(&untouched.read(&other).await), counts(&import));
    assert_eq!(same(&untouched.report(&other).await), same(&report));
    let written = |user: &Value| json!([user["email"], user["reference_id"], user["metadata"], user["version"]]);
    let others = untouched.users().await;
    assert_eq!(users.values().map(written).collect::<Vec<_>>(), others.values().map(written).collect::<Vec<_>>());
    let left = world.muster.items("V#").await;
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_cut_off_anywhere_are_counted_once() {
    let world = still().await;
    let first: String = (0..60).map(|nth| format!("a{nth}@example.com,r{nth},Name\n")).collect();
    world.imported("csv", &format!("email,reference_id,name\n{first}"), json!({})).await;
    world.muster.functions.transfers().run(soon()).await.unwrap();
    // Of each four one is as it was, one another, one new, and one comes twice.
    let mut file = "reference_id,email,name\n".to_owned();
    for nth in 0..60 {
        match nth % 4 {
            0 => file.push_str(&format!("r{nth},,Name\n")),
            1 => file.push_str(&format!("r{nth},,Other\n")),
            2 => file.push_str(&format!("n{nth},n{nth}@example.com,New\n")),
            _ => file.push_str(&format!("r{nth},,Once\nr{nth},,Twice\n")),
        }
    }
    let path = world.imported("csv", &file, json!({ "match": "reference_id" })).await;
    let cuts = cut_off_often(&world, &path).await;
    assert!(cuts >= 8, "{cuts}");
    let import = world.read(&path).await;
    assert_eq!(counts(&import), [15, 45, 15, 0], "{import}");
    let users = world.users().await;
    assert_eq!(
        (users.len(), &users["a3@example.com"]["name"], &users["a3@example.com"]["version"]),
        (75, &json!("Twice"), &json!(3))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_steps_of_the_state_machine_can_come_twice_and_in_any_order() {
    let world = still().await;
    let file: String = (0..1100).map(|nth| format!("{{\"email\":\"a{nth}@example.com\"}}\n")).collect();
    let path = world.imported("ndjson", &file, json!({ "dry_run": true })).await;
    let id = path.rsplit('/').next().unwrap();
    let transfers = world.muster.functions.transfers();
    let step = async |step: &str, more: Value| {
        let mut event = json!({ "step": step, "segment_id": world.segment, "id": id });
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let step: Step = serde_json::from_value(event).unwrap();
        transfers.step(step, soon()).await
    };
    let prepared = step("prepare", json!({})).await.unwrap();
    assert_eq!(step("prepare", json!({})).await.unwrap(), prepared);
    let running = world.read(&path).await;
    assert_eq!(
        (&running["status"], &running["total_rows"], counts(&running)),
        (&json!("RUNNING"), &json!(1100), [0; 4])
    );
    let batches = files::ObjectKey::batches(id.parse().unwrap());
    assert_eq!(prepared.batches.as_deref(), Some(batches.as_str()));
    let batches: Vec<Value> = serde_json::from_slice(&transfers.files.get(&batches).await.unwrap()).unwrap();
    assert_eq!(batches.len(), 3);
    step("batch", json!({ "batch": batches[2] })).await.unwrap();
    assert_eq!(counts(&world.read(&path).await), [100, 0, 0, 0], "it can be seen while it runs");
    assert!(step("finish", json!({})).await.is_err());
    for nth in [0, 2, 1, 0] {
        step("batch", json!({ "batch": batches[nth] })).await.unwrap();
    }
    assert_eq!(counts(&world.read(&path).await), [1100, 0, 0, 0]);
    step("finish", json!({})).await.unwrap();
    step("finish", json!({})).await.unwrap();
    step("batch", json!({ "batch": batches[1] })).await.unwrap();
    step("fail_import", json!({})).await.unwrap();
    let import = world.read(&path).await;
    assert_eq!((&import["status"], counts(&import)), (&json!("COMPLETED"), [1100, 0, 0, 0]));
    let rows: Vec<_> = world.report(&path).await.iter().map(|row| row["row"].as_u64().unwrap()).collect();
    assert_eq!(rows, (1..=1100).collect::<Vec<_>>());
}
