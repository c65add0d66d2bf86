//! `kill -9` in the middle of what spans a segment's users and Cognito, and what a deleted segment leaves: nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::crashes::still;
use crate::faults::{Phase, Plan, Verdict, functions_behind};
use crate::killed::{cut_off, points};
use crate::recount::{Item, agrees, text};
use crate::system::{Muster, PASSWORD, Reply};
use crate::world::{World, id};

const NEW_PASSWORD: &str = "staple battery horse";

async fn world() -> World {
    World::on(still().await, json!({ "name": "Club" })).await
}

fn users(world: &World) -> String {
    format!("/v1/segments/{}/users", world.segment)
}

impl World {
    pub(crate) async fn logs_in(&self, email: &str, password: &str) -> Reply {
        let login = json!({ "email": email, "password": password, "segment_id": self.segment });
        self.muster.call("POST", "/v1/auth/login").json(login).send().await
    }

    /// The users of the segment who have an identity in Cognito.
    async fn with_identity(&self) -> Vec<String> {
        let mut identities = self.muster.identities().await;
        identities.retain(|user| *user != self.ana.id);
        identities
    }
}

/// A user with a login: its id.
async fn eva(world: &World) -> String {
    let body = json!({ "email": "eva@example.com", "password": PASSWORD });
    id(&world.muster.made(&world.ana, &users(world), body).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_with_a_password_cut_off_anywhere_is_completed_by_the_same_request_or_left_whole() {
    let mut cut = 0;
    for point in points() {
        let world = world().await;
        let body = json!({ "email": "eva@example.com", "name": "Eva", "password": PASSWORD });
        let keyed = format!("{}#k", users(&world));
        if cut_off(&world.muster, point, &("POST", &keyed, body.clone(), Some(&world.ana.access))).await == Err(201) {
            break;
        }
        cut += 1;
        world.muster.running_ends().await;
        world.muster.leases_pass().await;
        if cut % 2 == 0 {
            world.muster.reconcile().await;
        }
        let again = world.call("POST", &users(&world)).json(body).header("idempotency-key", "k").send().await;
        assert_eq!(again.status, 201, "{point:?}: {again:?}");
        world.muster.reconcile().await;
        world.muster.seconds_pass().await;
        assert_eq!(world.logs_in("eva@example.com", PASSWORD).await.status, 200, "{point:?}");
        assert_eq!(world.with_identity().await, [id(&again.body)], "{point:?}");
        assert_eq!(world.read(&users(&world)).await["page"]["total_items"], 1, "{point:?}");
        agrees(&world).await;
    }
    assert!(cut >= 12, "{cut} points");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_set_by_the_manager_cut_off_anywhere_can_be_set_again() {
    let (mut cut, mut held) = (0, Vec::new());
    for point in points() {
        let world = world().await;
        let user = world.muster.made(&world.ana, &users(&world), json!({ "email": "eva@example.com" })).await;
        let path = format!("/v1/users/{}/password", id(&user));
        let body = |password: &str| json!({ "new_password": password });
        if cut_off(&world.muster, point, &("POST", &path, body(PASSWORD), Some(&world.ana.access))).await == Err(204) {
            break;
        }
        cut += 1;
        world.muster.leases_pass().await;
        if cut % 2 == 0 {
            world.muster.reconcile().await;
            world.muster.seconds_pass().await;
            held.push(world.logs_in("eva@example.com", PASSWORD).await.status == 200);
        }
        assert_eq!(world.send("POST", &path, body(NEW_PASSWORD)).await.status, 204, "{point:?}");
        world.muster.seconds_pass().await;
        assert_eq!(world.logs_in("eva@example.com", PASSWORD).await.status, 401, "{point:?}");
        assert_eq!(world.logs_in("eva@example.com", NEW_PASSWORD).await.status, 200, "{point:?}");
        world.muster.reconcile().await;
        agrees(&world).await;
    }
    assert!(cut >= 8 && held.contains(&true) && held.contains(&false), "{cut} points {held:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_of_a_user_cut_off_anywhere_is_completed_once_it_has_begun() {
    let mut ends = Vec::new();
    for point in points() {
        let world = world().await;
        let user = eva(&world).await;
        let path = format!("/v1/users/{user}");
        let purge = format!("{path}?purge=true");
        if cut_off(&world.muster, point, &("DELETE", &purge, Value::Null, Some(&world.ana.access))).await == Err(204) {
            break;
        }
        // The next one who wants it gone, or the reconciler.
        world.muster.leases_pass().await;
        let next = if ends.len() % 2 == 0 { Some(world.call("DELETE", &purge).send().await) } else { None };
        let begun = world.get(&path).await.body["status"] != "ACTIVE";
        world.muster.reconcile().await;
        if let Some(next) = next {
            assert!(matches!(next.status.as_u16(), 204 | 404), "{point:?}: {next:?}");
        }
        assert_eq!(world.get(&path).await.status == 404, begun, "{point:?}");
        assert_eq!(world.with_identity().await.is_empty(), begun, "{point:?}");
        assert_eq!(world.muster.items(&format!("U#{user}")).await.is_empty(), begun, "{point:?}");
        agrees(&world).await;
        ends.push(begun);
    }
    assert!(ends.len() >= 8 && ends.contains(&true) && ends.contains(&false), "{ends:?}");
}

/// Holds the first call of an operation until it is told to go on: the plan, what tells that it is reached, what to tell.
fn held(what: &'static str) -> (Plan, Arc<Notify>, Arc<Notify>) {
    let (reached, go_on) = <(Arc<Notify>, Arc<Notify>)>::default();
    let (here, told) = (reached.clone(), go_on.clone());
    let first = AtomicBool::new(true);
    let plan: Plan = Arc::new(move |operation, _, phase| {
        if operation == what && phase == Phase::Before && first.swap(false, Ordering::SeqCst) {
            here.notify_one();
            return Verdict::Until(told.clone());
        }
        Verdict::Pass
    });
    (plan, reached, go_on)
}

/// A call of the owner to functions elsewhere, on its way: its status.
fn sent(url: &str, world: &World, (method, path, body): (&str, &str, Value)) -> JoinHandle<u16> {
    let call = reqwest::Client::new().request(method.parse().unwrap(), format!("{url}{path}"));
    let call = call.bearer_auth(&world.ana.access).header("content-type", "application/json").body(body.to_string());
    tokio::spawn(async move { call.send().await.unwrap().status().as_u16() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_while_the_manager_sets_a_password_leaves_no_identity() {
    for what in ["AdminCreateUser", "AdminSetUserPassword"] {
        let world = world().await;
        let user = id(&world.muster.made(&world.ana, &users(&world), json!({ "email": "eva@example.com" })).await);
        let (plan, reached, go_on) = held(what);
        let url = functions_behind(&world.muster, plan).await;
        let path = format!("/v1/users/{user}/password");
        let setting = sent(&url, &world, ("POST", &path, json!({ "new_password": PASSWORD })));
        reached.notified().await;
        assert_eq!(world.call("DELETE", &format!("/v1/users/{user}?purge=true")).send().await.status, 204);
        go_on.notify_one();
        let status = setting.await.unwrap();
        assert_eq!((status, world.with_identity().await), (404, Vec::new()), "{what}");
        assert!(world.muster.items(&format!("U#{user}")).await.is_empty());
        agrees(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_email_that_changes_while_a_first_password_is_set_is_the_one_that_codes_go_to() {
    let world = world().await;
    let user = id(&world.muster.made(&world.ana, &users(&world), json!({ "email": "old@example.com" })).await);
    let path = format!("/v1/users/{user}");
    let (plan, reached, go_on) = held("TransactWriteItems");
    let url = functions_behind(&world.muster, plan).await;
    let changing = sent(&url, &world, ("PATCH", &path, json!({ "email": "new@example.com" })));
    reached.notified().await;
    let password = json!({ "new_password": PASSWORD });
    assert_eq!(world.send("POST", &format!("{path}/password"), password).await.status, 204);
    go_on.notify_one();
    assert_eq!(changing.await.unwrap(), 200);
    assert_eq!(world.read(&path).await["email"], "new@example.com");
    let (pool, cognito) = (&world.muster.wiring.pool_id, world.muster.cognito());
    let found = cognito.admin_get_user().user_pool_id(pool).username(&user).send().await.unwrap();
    let email = found.user_attributes().iter().find(|attribute| attribute.name() == "email");
    assert_eq!(email.and_then(|attribute| attribute.value()), Some("new@example.com"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_segment_takes_its_users_along_with_all_that_was_kept_of_them() {
    let world = world().await;
    let before: Vec<_> = keys(&world.muster).await;
    let mut ids = Vec::new();
    for nth in 0..12 {
        let mut body = json!({
            "email": format!("u{nth}@example.com"), "username": format!("u{nth}"), "reference_id": format!("r{nth}"),
            "name": "Zoë", "gender": "OTHER",
        });
        if nth % 4 == 0 {
            body["password"] = json!(PASSWORD);
        }
        if nth == 3 {
            body["parent_id"] = json!(ids[2]);
        }
        ids.push(id(&world.muster.made(&world.ana, &users(&world), body).await));
    }
    for (user, query) in [(&ids[0], ""), (&ids[5], ""), (&ids[6], "?purge=true")] {
        assert_eq!(world.call("DELETE", &format!("/v1/users/{user}{query}")).send().await.status, 204);
    }
    assert_eq!(world.read(&format!("{}/changes", users(&world))).await["data"].as_array().unwrap().len(), 12);
    assert_eq!(world.with_identity().await.len(), 3);
    assert_eq!(world.call("DELETE", &format!("/v1/segments/{}", world.segment)).send().await.status, 204);
    world.muster.work().await;
    assert_eq!(world.with_identity().await, Vec::<String>::new());
    let left = keys(&world.muster).await;
    // The job stays until whatever request was under way has ended; events, and what the segment itself was, for 30 days.
    let stays = |key: &String| ["J#", "Y#", "K#"].iter().any(|prefix| key.starts_with(prefix));
    let left: Vec<_> = left.into_iter().filter(|key| !before.contains(key) && !stays(key)).collect();
    let of_them =
        left.iter().filter(|key| ids.iter().any(|id| key.contains(id.as_str())) || key.contains(&world.segment));
    assert_eq!(of_them.collect::<Vec<_>>(), Vec::<&String>::new());
    let claims: Vec<_> = left.iter().filter(|key| key.starts_with("C#S#")).collect();
    assert!(claims.is_empty(), "{claims:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_deleted_while_its_password_was_being_set_comes_back() {
    let world = world().await;
    let user = id(&world.muster.made(&world.ana, &users(&world), json!({ "email": "eva@example.com" })).await);
    let store = &world.muster.functions.app.store;
    let record = store.user(user.parse().unwrap()).await.unwrap().unwrap();
    store.begin(&record, store::PendingKind::Password).await.unwrap();
    assert_eq!(world.call("DELETE", &format!("/v1/users/{user}")).send().await.status, 204);
    let restored = world.call("POST", &format!("/v1/users/{user}/restoration")).send().await;
    assert_eq!((restored.status.as_u16(), &restored.body["status"]), (200, &json!("ACTIVE")), "{restored:?}");
    world.muster.reconcile().await;
    agrees(&world).await;
}

/// Both parts of every key.
async fn keys(muster: &Muster) -> Vec<String> {
    let key = |item: &Item| format!("{} {}", text(item, "PK"), text(item, "SK"));
    muster.all_items().await.iter().map(key).collect()
}
