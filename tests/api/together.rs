//! Users who are made together: all of them stand, or none, whatever cuts the request off and wherever.

use aws_sdk_dynamodb::types::AttributeValue;
use axum::http::StatusCode;
use domain::Time;
use serde_json::{Value, json};
use std::sync::Arc;

use crate::crashes::still;
use crate::faults::{Phase, Plan, Verdict, functions_behind};
use crate::killed::{cut_off, points};
use crate::recount::agrees;
use crate::system::PASSWORD;
use crate::world::{World, as_refused, refused};

async fn world() -> World {
    World::on(still().await, json!({ "name": "Club" })).await
}

fn users(world: &World) -> String {
    format!("/v1/segments/{}/users", world.segment)
}

fn batch(world: &World) -> String {
    format!("{}/batch", users(world))
}

fn body(emails: &[&str]) -> Value {
    let users: Vec<_> = emails.iter().map(|email| json!({ "email": format!("{email}@example.com") })).collect();
    json!({ "users": users, "atomic": true })
}

impl World {
    /// How many users the segment has, deleted ones included.
    async fn user_count(&self) -> (u64, u64) {
        let total = async |path: String| self.read(&path).await["page"]["total_items"].as_u64().unwrap();
        (total(users(self)).await, total(format!("{}/deleted", users(self))).await)
    }

    /// Does every job that is there, as the reconciler does when it is due.
    async fn jobs_are_done(&self) {
        self.muster.leases_pass().await;
        let functions = self.muster.functions.acting_as("Reconcile");
        let system = (&functions.app.store, &functions.identity, &functions.files);
        reconcile::jobs::run(system, Time::now().plus(std::time::Duration::from_secs(60))).await.unwrap();
        self.muster.reconcile().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_are_made_and_what_is_wrong_with_one_makes_none() {
    let world = world().await;
    let many: Vec<_> = (0..100).map(|nth| format!("u{nth}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let made = world.send("POST", &batch(&world), body(&many)).await;
    assert_eq!(made.status, 200, "{made:?}");
    let results = made.body["results"].as_array().unwrap();
    assert!(results.iter().enumerate().all(|(nth, one)| one["index"] == nth && one["status"] == 201), "{made:?}");
    for (emails, pointer) in
        [(["a", "u7"], "/users/1/email"), (["b", "B"], "/users/1/email"), (["u1", "c"], "/users/0/email")]
    {
        let reply = world.send("POST", &batch(&world), body(&emails)).await;
        assert_eq!(refused(&reply), as_refused((409, pointer, "taken")), "{emails:?}");
    }
    let mut wrong = body(&["d", "e"]);
    wrong["users"][1]["gender"] = json!("X");
    let reply = world.send("POST", &batch(&world), wrong).await;
    assert_eq!(refused(&reply), as_refused((400, "/users/1/gender", "invalid_choice")));
    let mut unknown = body(&["d", "e"]);
    unknown["users"][1]["partner_id"] = json!(domain::UserId::fresh());
    let reply = world.send("POST", &batch(&world), unknown).await;
    assert_eq!(refused(&reply), as_refused((400, "/users/1/partner_id", "unknown")), "found only while it is written");
    assert_eq!(world.user_count().await, (100, 0));
    world.jobs_are_done().await;
    assert_eq!(world.user_count().await, (100, 0), "nothing is left to be undone");
    agrees(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_cut_off_anywhere_is_whole_or_nothing_in_the_end() {
    let (mut cut, mut ends) = (0, Vec::new());
    for point in points() {
        let world = world().await;
        let mut three = body(&["a", "b", "c"]);
        three["users"][1]["password"] = json!(PASSWORD);
        let keyed = format!("{}#k", batch(&world));
        if cut_off(&world.muster, point, &("POST", &keyed, three.clone(), Some(&world.ana.access))).await == Err(200) {
            break;
        }
        cut += 1;
        world.muster.running_ends().await;
        if cut % 2 == 0 {
            // Nobody asks again.
            world.jobs_are_done().await;
            let (active, deleted) = world.user_count().await;
            assert!(matches!((active, deleted), (0 | 3, 0)), "{point:?}: {active} {deleted}");
            assert_eq!(world.muster.items("J#undo").await, Vec::<String>::new(), "{point:?}");
            ends.push(active);
        } else {
            world.muster.leases_pass().await;
            let then = AttributeValue::S("2026-01-01T00:00:00.000Z".to_owned());
            world.muster.age("begun_at", then).await;
            let call = world.call("POST", &batch(&world)).json(three).header("idempotency-key", "k");
            let again = call.send().await;
            assert_eq!(again.status, 200, "{point:?}: {again:?}");
            world.jobs_are_done().await;
            assert_eq!(world.user_count().await, (3, 0), "{point:?}: who was told that they are made keeps them");
        }
        agrees(&world).await;
    }
    assert!(cut >= 12 && ends.contains(&0) && ends.contains(&3), "{cut} points {ends:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_undoes_a_batch_and_whoever_ends_it_never_both_succeed() {
    let world = world().await;
    let made = world.send("POST", &batch(&world), body(&["a", "b"])).await;
    let first: domain::UserId = made.body["results"][0]["id"].as_str().unwrap().parse().unwrap();
    let store = &world.muster.functions.app.store;
    let record = store.user(first).await.unwrap().unwrap();
    let (user, owner) = (record.user.clone(), record.owner_id.unwrap());
    let act = domain::Act::of(domain::Actor::System, "test");
    let new = |email: &str| {
        let fields = domain::UserFields { email: Some(domain::Email::parse(email).unwrap()), ..Default::default() };
        domain::User::of_segment(domain::UserId::fresh(), user.segment_id.unwrap(), fields, Time::now())
    };
    for taken in [true, false] {
        let one = new(&format!("{taken}@example.com"));
        let entry = domain::Entry::between(None, &one, domain::Action::Created, act);
        let (_, whole) = store.create_first(&one, owner, &entry, &[one.id]).await.unwrap();
        assert!(store.jobs("undo").await.unwrap().is_empty(), "nobody does it within a minute");
        if taken {
            let then = Time::now().minus(std::time::Duration::from_secs(120)).to_string();
            for attribute in ["pending_at", "begun_at"] {
                world.muster.age(attribute, AttributeValue::S(then.clone())).await;
            }
            assert!(store.take_job(store::Job::Undo(one.id)).await.unwrap().is_some());
            assert!(store.resume(one.id).await.is_err(), "who comes back is told to wait");
        }
        assert_eq!(store.stand(whole).await.unwrap(), !taken);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_on_our_side_leaves_all_or_none() {
    for failing in 1..12 {
        let world = world().await;
        let transactions = std::sync::atomic::AtomicUsize::new(0);
        let plan: Plan = Arc::new(move |operation, _, phase| {
            let counts = operation == "TransactWriteItems" && phase == Phase::Before;
            let nth = if counts { transactions.fetch_add(1, std::sync::atomic::Ordering::SeqCst) } else { usize::MAX };
            // The SDK tries three times.
            if (failing..failing + 3).contains(&nth) {
                let body = json!({ "__type": "InternalServerError" });
                return Verdict::Answer(StatusCode::INTERNAL_SERVER_ERROR, body);
            }
            Verdict::Pass
        });
        let url = functions_behind(&world.muster, plan).await;
        let call = reqwest::Client::new().post(format!("{url}{}", batch(&world))).bearer_auth(&world.ana.access);
        let call = call.header("content-type", "application/json").body(body(&["a", "b", "c"]).to_string());
        let status = call.send().await.unwrap().status().as_u16();
        world.jobs_are_done().await;
        let (active, deleted) = world.user_count().await;
        assert_eq!((active, deleted), (if status == 200 { 3 } else { 0 }, 0), "{failing}: {status}");
        agrees(&world).await;
    }
}
