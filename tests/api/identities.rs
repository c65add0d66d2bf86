//! A user whose password or e-mail spans the table and Cognito: no wrong code, no cut and no lost identity leaves it
//! unusable.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::SegmentId;
use serde_json::{Value, json};

use crate::crashes::still;
use crate::killed::{cut_off, points};
use crate::races::all;
use crate::system::{Muster, PASSWORD, Reply};
use crate::world::World;

const NEW_PASSWORD: &str = "staple battery horse";

async fn world() -> World {
    World::on(still().await, json!({ "name": "Club" })).await
}

fn confirmation(email: &str, segment: Option<&str>, code: &str) -> Value {
    json!({ "email": email, "code": code, "new_password": NEW_PASSWORD, "segment_id": segment })
}

impl World {
    async fn item_of(&self, user: &str) -> HashMap<String, AttributeValue> {
        self.muster.item(&format!("U#{user}"), "U").await
    }

    /// Signs a user in by a new magic link: what its own record answers.
    async fn link_works(&self, user: &str) {
        let made = self.call("POST", &format!("/v1/users/{user}/magic-link")).send().await;
        assert_eq!(made.status, 200, "{made:?}");
        let signed_in = self.muster.post("/v1/auth/magic-link", json!({ "token": made.body["token"] })).send().await;
        assert_eq!(signed_in.status, 200, "{signed_in:?}");
        let token = signed_in.body["access_token"].as_str().unwrap();
        assert_eq!(self.muster.get("/v1/users/me").token(token).send().await.status, 200);
    }

    async fn email_changes(&self, user: &str) {
        let email = format!("{}@example.com", domain::UserId::fresh());
        let changed = self.send("PATCH", &format!("/v1/users/{user}"), json!({ "email": email })).await;
        assert_eq!((changed.status.as_u16(), &changed.body["email"]), (200, &json!(email)), "{changed:?}");
    }

    async fn blocking_works(&self, user: &str) {
        for status in ["BLOCKED", "ACTIVE"] {
            let changed = self.send("PATCH", &format!("/v1/users/{user}"), json!({ "status": status })).await;
            assert_eq!((changed.status.as_u16(), &changed.body["status"]), (200, &json!(status)), "{changed:?}");
        }
    }

    async fn password_works(&self, user: &str) {
        let set =
            self.send("POST", &format!("/v1/users/{user}/password"), json!({ "new_password": "a third password" }));
        assert_eq!(set.await.status, 204);
        self.muster.seconds_pass().await;
        let email = self.read(&format!("/v1/users/{user}")).await["email"].clone();
        let login = json!({ "email": email, "password": "a third password", "segment_id": self.segment });
        assert_eq!(self.muster.post("/v1/auth/login", login).send().await.status, 200);
    }

    /// Everything that spans the table and Cognito works for a user of the segment.
    async fn everything_works(&self, user: &str) {
        self.muster.seconds_pass().await;
        self.link_works(user).await;
        self.muster.leases_pass().await;
        self.blocking_works(user).await;
        self.email_changes(user).await;
        self.password_works(user).await;
        self.muster.reconcile().await;
        let gone = self.call("DELETE", &format!("/v1/users/{user}?purge=true")).send().await;
        assert_eq!(gone.status, 204, "{gone:?}");
        assert!(!self.muster.identities().await.contains(&user.to_owned()), "an identity without a user");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_recovery_code_changes_nothing_of_a_user_without_password() {
    let world = world().await;
    let user = world.user(json!({ "email": "eva@example.com" })).await;
    let before = world.item_of(&user).await;
    let unknown = world.muster.post("/v1/auth/recovery/confirm", confirmation("no@example.com", None, "123456"));
    let unknown = unknown.send().await;
    for code in ["123456", "", "x", "00000000000000000000"] {
        let body = confirmation("eva@example.com", Some(&world.segment), code);
        let refused = world.muster.post("/v1/auth/recovery/confirm", body).send().await;
        assert_eq!(refused.status, 400, "{code}: {refused:?}");
        if code == "123456" {
            assert_eq!(refused.errors(), unknown.errors());
        }
    }
    assert_eq!(world.item_of(&user).await, before);
    world.everything_works(&user).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anonymous_recovery_cut_off_anywhere_changes_nothing_of_a_user_without_password() {
    let mut cut = 0;
    for point in points() {
        let world = world().await;
        let user = world.user(json!({ "email": "eva@example.com" })).await;
        let before = world.item_of(&user).await;
        let body = confirmation("eva@example.com", Some(&world.segment), "123456");
        let done = cut_off(&world.muster, point, &("POST", "/v1/auth/recovery/confirm", body, None)).await;
        assert_eq!(world.item_of(&user).await, before, "{point:?}");
        if done == Err(400) {
            break;
        }
        cut += 1;
    }
    assert!(cut >= 8, "{cut} points");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_password_cut_off_anywhere_leaves_a_user_for_whom_everything_works() {
    let mut cut = 0;
    for point in points() {
        let world = world().await;
        let user = world.user(json!({})).await;
        let path = format!("/v1/users/{user}/password");
        let body = json!({ "new_password": PASSWORD });
        if cut_off(&world.muster, point, &("POST", &path, body, Some(&world.ana.access))).await == Err(204) {
            break;
        }
        cut += 1;
        world.muster.leases_pass().await;
        if cut % 2 == 0 {
            world.muster.reconcile().await;
        }
        world.everything_works(&user).await;
    }
    assert!(cut >= 8, "{cut} points");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_names_an_identity_which_does_not_exist_heals() {
    for pending in [None, Some("password"), Some("email")] {
        for operation in 0..5 {
            let world = world().await;
            let user = world.user(json!({})).await;
            world.break_record(&user, pending).await;
            match operation {
                0 => world.link_works(&user).await,
                1 => world.email_changes(&user).await,
                2 => world.blocking_works(&user).await,
                3 => world.password_works(&user).await,
                _ => world.muster.reconcile().await,
            }
            world.everything_works(&user).await;
        }
    }
}

impl World {
    /// Makes the record as an earlier version left it: a login that Cognito knows nothing of.
    async fn break_record(&self, user: &str, pending: Option<&str>) {
        let mut update = "SET has_login = :yes".to_owned();
        let set = self.muster.dynamodb().update_item().table_name(&self.muster.wiring.table);
        let mut set = set
            .key("PK", AttributeValue::S(format!("U#{user}")))
            .key("SK", AttributeValue::S("U".to_owned()))
            .expression_attribute_values(":yes", AttributeValue::Bool(true));
        if let Some(kind) = pending {
            update.push_str(", pending = :kind, pending_at = :at");
            let at = AttributeValue::S("2026-01-01T00:00:00.000Z".to_owned());
            set = set.expression_attribute_values(":kind", AttributeValue::S(kind.to_owned()));
            set = set.expression_attribute_values(":at", at);
        }
        set.update_expression(update).send().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_password_is_set_whatever_codes_strangers_try() {
    let world = World::start().await;
    let user = world.user(json!({ "email": "eva@example.com" })).await;
    let path = format!("/v1/users/{user}/password");
    let guess = || {
        let body = confirmation("eva@example.com", Some(&world.segment), "123456");
        world.muster.post("/v1/auth/recovery/confirm", body).send()
    };
    let set = async || {
        for _ in 0..20 {
            let set = world.send("POST", &path, json!({ "new_password": PASSWORD })).await;
            if set.status != 409 {
                return set;
            }
        }
        panic!("strangers keep the owner out");
    };
    let (set, guesses) = tokio::join!(set(), all((0..20).map(|_| guess())));
    assert_eq!(set.status, 204, "{set:?}");
    assert!(guesses.iter().all(|guess| matches!(guess.status.as_u16(), 400 | 429)), "{guesses:?}");
    world.everything_works(&user).await;
}

/// The kinds of users that an anonymous caller may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    WithoutPassword,
    WithPassword,
    Blocked,
    Deleted,
    Unverified,
    Unknown,
}

const KINDS: [Kind; 6] =
    [Kind::WithoutPassword, Kind::WithPassword, Kind::Blocked, Kind::Deleted, Kind::Unverified, Kind::Unknown];

/// Every anonymous route, with nothing right in it: method, path, body.
fn anonymous(user: &str, email: &str, segment: Option<&str>) -> Vec<(&'static str, String, Value)> {
    let forged = edge::LinkToken::fresh(user.parse().unwrap()).unwrap();
    let link = |token: &str| ("POST", "/v1/auth/magic-link".to_owned(), json!({ "token": token }));
    let at = |path: &str| format!("/v1/users/{user}/{path}");
    vec![
        ("POST", "/v1/auth/login".to_owned(), json!({ "email": email, "password": "wrong", "segment_id": segment })),
        ("POST", "/v1/auth/refresh".to_owned(), json!({ "refresh_token": "garbage", "user_id": user })),
        ("POST", "/v1/auth/recovery".to_owned(), json!({ "email": email, "segment_id": segment })),
        ("POST", "/v1/auth/recovery/confirm".to_owned(), confirmation(email, segment, "000001")),
        ("POST", "/v1/auth/recovery/confirm".to_owned(), confirmation(email, segment, "garbage ☂")),
        ("POST", at("verification"), json!({ "code": "000001" })),
        ("POST", at("verification"), json!({ "code": "garbage ☂" })),
        ("POST", at("verification/resend"), Value::Null),
        ("POST", at("restoration"), json!({ "password": "wrong wrong wrong" })),
        ("POST", at("email/undo"), json!({ "token": "garbage" })),
        ("POST", at("email/undo"), json!({ "token": edge::UndoToken::fresh(user.parse().unwrap()).unwrap().reveal() })),
        link("garbage"),
        link(forged.reveal()),
    ]
}

impl World {
    /// A user of a kind: its id, its e-mail and its segment.
    async fn of_kind(&self, kind: Kind) -> (String, String, Option<&str>) {
        let email = format!("{}@example.com", domain::UserId::fresh());
        let user = match kind {
            Kind::Unknown => domain::UserId::fresh().to_string(),
            Kind::Unverified => self.muster.sign_up(&email).await,
            Kind::WithoutPassword => self.user(json!({ "email": email })).await,
            Kind::WithPassword | Kind::Blocked | Kind::Deleted => {
                self.user(json!({ "email": email, "password": PASSWORD })).await
            }
        };
        let path = format!("/v1/users/{user}");
        match kind {
            Kind::Blocked => drop(self.send("PATCH", &path, json!({ "status": "BLOCKED" })).await),
            Kind::Deleted => drop(self.call("DELETE", &path).send().await),
            Kind::Unknown | Kind::Unverified | Kind::WithoutPassword | Kind::WithPassword => {}
        }
        (user, email, (kind != Kind::Unverified).then_some(self.segment.as_str()))
    }

    /// What a user of a kind can still do: its own life goes on as if nobody had called.
    async fn life_goes_on(&self, kind: Kind, user: &str, email: &str) {
        let path = format!("/v1/users/{user}");
        match kind {
            Kind::Unknown => return assert_eq!(self.get(&path).await.status, 404),
            Kind::Unverified => {
                let body = json!({ "code": self.muster.code(email) });
                let verified = self.muster.post(&format!("{path}/verification"), body).send().await;
                return assert_eq!(verified.status, 200, "{verified:?}");
            }
            Kind::Blocked => drop(self.send("PATCH", &path, json!({ "status": "ACTIVE" })).await),
            Kind::Deleted => drop(self.call("POST", &format!("{path}/restoration")).send().await),
            Kind::WithoutPassword | Kind::WithPassword => {}
        }
        if kind != Kind::WithoutPassword {
            self.muster.seconds_pass().await;
            let login = json!({ "email": email, "password": PASSWORD, "segment_id": self.segment });
            let login = self.muster.post("/v1/auth/login", login).send().await;
            assert_eq!(login.status, 200, "{kind:?}: {login:?}");
        }
        self.everything_works(user).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_wrong_from_a_stranger_changes_a_user_or_says_that_it_exists() {
    let world = world().await;
    let mut answers: HashMap<(String, String), Vec<(Kind, Reply)>> = HashMap::new();
    for kind in KINDS {
        let (user, email, segment) = world.of_kind(kind).await;
        let state = async || if kind == Kind::Unknown { HashMap::new() } else { world.item_of(&user).await };
        let before = state().await;
        for (method, path, body) in anonymous(&user, &email, segment) {
            let mut call = world.muster.call(method, &path);
            if !body.is_null() {
                call = call.json(body.clone());
            }
            let reply = call.send().await;
            assert!(reply.status != 409 && reply.status != 429, "{kind:?} {path}: {reply:?}");
            assert_eq!(state().await, before, "{kind:?} {path} {body}");
            let name = (path.replace(&user, "{user}"), body["code"].to_string());
            answers.entry(name).or_default().push((kind, reply));
        }
        world.life_goes_on(kind, &user, &email).await;
    }
    for (route, answers) in answers {
        let what = |reply: &Reply| (reply.status, reply.body["code"].clone(), reply.body["errors"].clone());
        let first = what(&answers[0].1);
        for (kind, reply) in &answers {
            assert_eq!(what(reply), first, "{route:?} tells {kind:?} apart");
        }
    }
}

/// A segment's id that does not exist is as good as an unknown user.
#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_in_an_unknown_segment_is_answered_as_any_other() {
    let muster = Muster::start().await;
    let segment = SegmentId::fresh().to_string();
    let recovery = json!({ "email": "eva@example.com", "segment_id": segment });
    assert_eq!(muster.post("/v1/auth/recovery", recovery).send().await.status, 202);
    let body = confirmation("eva@example.com", Some(&segment), "123456");
    assert_eq!(muster.post("/v1/auth/recovery/confirm", body).send().await.status, 400);
}

/// Sends an operator's command to the `reconcile` function.
async fn command(muster: &Muster, payload: Value) -> Result<Value, domain::Error> {
    let functions = muster.functions.acting_as("Reconcile");
    let end = domain::Time::now().plus(std::time::Duration::from_secs(60));
    reconcile::handle((&functions.app.store, &functions.identity, &functions.files), &payload, end).await
}

#[tokio::test(flavor = "multi_thread")]
async fn identities_without_a_user_are_found_and_removed_up_to_the_number_named() {
    let world = world().await;
    let (muster, eva) = (&world.muster, world.user(json!({ "email": "eva@example.com", "password": PASSWORD })).await);
    // As after a restore: Cognito has two more than the table, and one that is not Muster's.
    let pool = &muster.wiring.pool_id;
    let orphans = [domain::UserId::fresh().to_string(), domain::UserId::fresh().to_string()];
    for name in [orphans[0].as_str(), &orphans[1], "somebody"] {
        muster.cognito().admin_create_user().user_pool_id(pool).username(name).send().await.unwrap();
    }
    let exists =
        async |name: &str| muster.cognito().admin_get_user().user_pool_id(pool).username(name).send().await.is_ok();

    let young = command(muster, json!({ "command": "find_orphans" })).await.unwrap();
    assert_eq!((&young["checked"], &young["found"]), (&json!(0), &json!(0)), "what was created just now is left alone");
    let old = json!({ "command": "find_orphans", "older_than_minutes": u64::MAX });
    assert_eq!(command(muster, old).await.unwrap()["checked"], 0);
    let found = command(muster, json!({ "command": "find_orphans", "older_than_minutes": 0 })).await.unwrap();
    assert_eq!(found, json!({ "checked": 4, "found": 2, "removed": 0, "next": null }));
    for wrong in [json!({ "command": "remove_orphans" }), json!({ "command": "remove_orphans", "at_most": 0 })] {
        assert!(matches!(command(muster, wrong).await, Err(domain::Error::Invalid(_))));
    }
    assert!(matches!(command(muster, json!({ "command": "remove" })).await, Err(domain::Error::Invalid(_))));
    let remove = json!({ "command": "remove_orphans", "older_than_minutes": 0, "at_most": 1 });
    let one = command(muster, remove.clone()).await.unwrap();
    assert_eq!((&one["found"], &one["removed"]), (&json!(2), &json!(1)));
    let other = command(muster, remove.clone()).await.unwrap();
    assert_eq!((&other["found"], &other["removed"]), (&json!(1), &json!(1)));
    let none = command(muster, remove).await.unwrap();
    assert_eq!((&none["found"], &none["removed"]), (&json!(0), &json!(0)));
    assert_eq!([exists(&orphans[0]).await, exists(&orphans[1]).await, exists("somebody").await], [false, false, true]);
    let login = json!({ "email": "eva@example.com", "password": PASSWORD, "segment_id": world.segment });
    assert_eq!(muster.post("/v1/auth/login", login).send().await.status, 200, "{eva:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_over_identities_goes_on_where_its_time_ended() {
    let muster = still().await;
    for _ in 0..61 {
        let name = domain::UserId::fresh().to_string();
        muster.cognito().admin_create_user().user_pool_id(&muster.wiring.pool_id).username(name).send().await.unwrap();
    }
    let functions = muster.functions.acting_as("Reconcile");
    let system = (&functions.app.store, &functions.identity, &functions.files);
    let mut payload = json!({ "command": "find_orphans", "older_than_minutes": 0 });
    let first = reconcile::handle(system, &payload, domain::Time::from_millis(0)).await.unwrap();
    assert_eq!((&first["found"], first["next"].is_string()), (&json!(60), true), "{first}");
    payload["next"] = first["next"].clone();
    let rest = reconcile::handle(system, &payload, domain::Time::from_millis(0)).await.unwrap();
    assert_eq!(rest, json!({ "checked": 1, "found": 1, "removed": 0, "next": null }));
}
