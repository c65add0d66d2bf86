//! What ends with a user's validity and with a segment's activity: every credential, at once, and for as long as it lasts.

use serde_json::{Value, json};

use crate::isolation::{Isolated, Route, unchanged};
use crate::routes::is_public;
use crate::system::{Ana, PASSWORD, Reply};
use crate::world::World;

const PAST: &str = "2026-01-01T00:00:00.000Z";

/// What puts a user out of use without ending it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Expired,
    SegmentInactive,
}

const CAUSES: [Cause; 2] = [Cause::Expired, Cause::SegmentInactive];

impl Cause {
    fn code(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::SegmentInactive => "segment_inactive",
        }
    }

    async fn begins(self, world: &World, user: &str) {
        self.set(world, user, json!(PAST), false).await;
    }

    async fn ends(self, world: &World, user: &str) {
        self.set(world, user, Value::Null, true).await;
    }

    async fn set(self, world: &World, user: &str, until: Value, active: bool) {
        let (path, body) = match self {
            Self::Expired => (format!("/v1/users/{user}"), json!({ "valid_until": until })),
            Self::SegmentInactive => (format!("/v1/segments/{}", world.segment), json!({ "status": active })),
        };
        let changed = world.send("PATCH", &path, body).await;
        assert_eq!(changed.status, 200, "{changed:?}");
    }
}

async fn log_in(world: &World, password: &str) -> Reply {
    let login = json!({ "email": "eva@example.com", "password": password, "segment_id": world.segment });
    world.muster.post("/v1/auth/login", login).send().await
}

async fn eva(world: &World) -> (String, Ana) {
    let user = world.user(json!({ "email": "eva@example.com", "password": PASSWORD })).await;
    (user, Ana::of("eva@example.com".to_owned(), &log_in(world, PASSWORD).await))
}

fn is_refused(reply: &Reply, code: &str) {
    assert_eq!((reply.status.as_u16(), &reply.body["code"]), (401, &json!(code)), "{reply:?}");
    assert_eq!(reply.header("www-authenticate"), "Bearer", "{reply:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_credential_of_a_user_stops_at_once_and_comes_back() {
    for cause in CAUSES {
        let world = World::start().await;
        let (user, own) = eva(&world).await;
        let link = world.call("POST", &format!("/v1/users/{user}/magic-link")).send().await.body["token"].clone();
        let recovery = json!({ "email": "eva@example.com", "segment_id": world.segment });
        assert_eq!(world.muster.post("/v1/auth/recovery", recovery.clone()).send().await.status, 202);
        let (code, sent) = (world.muster.recovery_code("eva@example.com"), world.muster.outbox(None).len());
        cause.begins(&world, &user).await;

        is_refused(&world.muster.get("/v1/users/me").by(&own).send().await, cause.code());
        is_refused(&log_in(&world, PASSWORD).await, cause.code());
        is_refused(&log_in(&world, "a wrong password").await, "unauthenticated");
        let refresh = json!({ "refresh_token": own.refresh });
        is_refused(&world.muster.post("/v1/auth/refresh", refresh.clone()).send().await, cause.code());
        let redeem =
            async |token: &Value| world.muster.post("/v1/auth/magic-link", json!({ "token": token })).send().await;
        is_refused(&redeem(&link).await, cause.code());
        let forged = edge::LinkToken::fresh(user.parse().unwrap()).unwrap();
        is_refused(&redeem(&json!(forged.reveal())).await, "unauthenticated");
        assert_eq!(world.muster.post("/v1/auth/recovery", recovery).send().await.status, 202);
        let mails = world.muster.outbox(Some("eva@example.com"));
        assert_eq!(mails.iter().filter(|mail| mail.kind == "recovery").count(), 1, "{sent}: no code is sent");
        let confirm = json!({
            "email": "eva@example.com", "segment_id": world.segment, "code": code, "new_password": "staple battery horse",
        });
        let confirmed = world.muster.post("/v1/auth/recovery/confirm", confirm).send().await;
        assert_eq!(confirmed.status, 400, "{confirmed:?}");

        cause.ends(&world, &user).await;
        assert_eq!(world.muster.get("/v1/users/me").by(&own).send().await.status, 200);
        assert_eq!(world.muster.post("/v1/auth/refresh", refresh).send().await.status, 200);
        assert_eq!(log_in(&world, PASSWORD).await.status, 200, "{cause:?}: the old password holds");
        assert_eq!(redeem(&link).await.status, 200, "{cause:?}: the link was not used up");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_private_route_refuses_an_expired_user() {
    let isolated = Isolated::start().await;
    let (user, own) = eva(&isolated.world).await;
    Cause::Expired.begins(&isolated.world, &user).await;
    every_route_refuses(&isolated, &own.access, "expired").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_private_route_refuses_the_users_and_keys_of_an_inactive_segment() {
    let isolated = Isolated::start().await;
    let world = &isolated.world;
    let (user, own) = eva(world).await;
    let (_, key) = world.key(&["read", "write", "admin"]).await;
    let (_, account) = world.muster.key(&world.ana, "/v1/keys", &["read", "write", "admin"]).await;
    for credential in [&key, &account] {
        world.muster.get("/v1/users/me").token(credential).send().await;
    }
    Cause::SegmentInactive.begins(world, &user).await;
    every_route_refuses(&isolated, &own.access, "segment_inactive").await;
    every_route_refuses(&isolated, &key, "segment_inactive").await;
    let unknown = format!("{}x", &key[..key.len() - 1]);
    is_refused(&world.muster.get("/v1/languages").token(&unknown).send().await, "unauthenticated");

    let path = format!("/v1/segments/{}", world.segment);
    for manager in [&world.ana.access, &account] {
        assert_eq!(world.muster.get(&path).token(manager).send().await.status, 200, "the owner still manages it");
        let users = world.muster.get(&format!("{path}/users")).token(manager).send().await;
        assert_eq!(users.status, 200, "{users:?}");
    }
    let active = world.muster.patch(&path, json!({ "status": true })).token(&account).send().await;
    assert_eq!(active.status, 200, "{active:?}");
    for credential in [&key, &own.access] {
        assert_eq!(world.muster.get("/v1/languages").token(credential).send().await.status, 200);
    }
}

async fn every_route_refuses(isolated: &Isolated, credential: &str, code: &str) {
    let muster = &isolated.world.muster;
    let before = muster.lasting().await;
    let is_for_sessions = |route: &Route| route.name == "POST /v1/auth/logout" && credential.starts_with("mk_");
    for route in isolated.routes.iter().filter(|route| !is_for_sessions(route)) {
        let reply = route.call(muster).token(credential).send().await;
        assert_eq!((reply.status.as_u16(), &reply.body["code"]), (401, &json!(code)), "{} {reply:?}", route.name);
    }
    unchanged(&before, &muster.lasting().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_an_owner_whose_validity_has_ended_stop() {
    let world = World::start().await;
    let keys = [world.key(&["read"]).await.1, world.muster.key(&world.ana, "/v1/keys", &["read"]).await.1];
    let until = aws_sdk_dynamodb::types::AttributeValue::S(PAST.to_owned());
    let set = world.muster.dynamodb().update_item().table_name(&world.muster.wiring.table);
    let set = set.key("PK", aws_sdk_dynamodb::types::AttributeValue::S(format!("U#{}", world.ana.id)));
    let set = set.key("SK", aws_sdk_dynamodb::types::AttributeValue::S("U".to_owned()));
    set.update_expression("SET valid_until = :until")
        .expression_attribute_values(":until", until)
        .send()
        .await
        .unwrap();
    for credential in keys.iter().chain([&world.ana.access]) {
        is_refused(&world.muster.get("/v1/languages").token(credential).send().await, "expired");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_user_whose_validity_has_ended_restores_itself_by_its_password() {
    let world = World::start().await;
    let (_, key) = world.key(&["read"]).await;
    let me = format!("/v1/users/{}", world.ana.id);
    let ended = world.send("PATCH", &me, json!({ "valid_until": PAST })).await;
    assert_eq!(ended.status, 200, "{ended:?}");
    let login = json!({ "email": world.ana.email, "password": PASSWORD });
    is_refused(&world.muster.post("/v1/auth/login", login.clone()).send().await, "expired");
    is_refused(&world.muster.get("/v1/languages").token(&key).send().await, "expired");
    let restore = async |password: &str| {
        world.muster.post(&format!("{me}/restoration"), json!({ "password": password })).send().await
    };
    is_refused(&restore("a wrong password").await, "unauthenticated");
    let restored = restore(PASSWORD).await;
    assert_eq!((restored.status.as_u16(), &restored.body["valid_until"]), (200, &Value::Null), "{restored:?}");
    assert_eq!(world.muster.post("/v1/auth/login", login).send().await.status, 200);
    assert_eq!(world.muster.get("/v1/languages").token(&key).send().await.status, 200);
    assert_eq!(restore(PASSWORD).await.status, 409, "there is nothing to restore");
    let audit = world.get("/v1/audit?action=user.validity_changed").await;
    assert_eq!(audit.body["data"].as_array().unwrap().len(), 2, "{audit:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reads_of_every_dialect_stop_with_the_segment() {
    let world = World::start().await;
    let user = world.user(json!({})).await;
    let (_, key) = world.key(&["read", "write", "admin"]).await;
    let mut answered = Vec::new();
    for (_, path, _) in dialects::documents() {
        let document = world.muster.get(path).send().await.body;
        for (path, item) in document["paths"].as_object().unwrap() {
            let is_private = |operation: &Value| !is_public(operation);
            if item.get("get").is_some_and(is_private) && !path.contains('{') {
                let reply = world.muster.get(path).token(&key).send().await;
                if reply.status.is_success() && !reply.text.contains("error") {
                    answered.push(path.clone());
                }
            }
        }
    }
    assert!(!answered.is_empty());
    Cause::SegmentInactive.begins(&world, &user).await;
    let account = world.muster.key(&world.ana, "/v1/keys", &["read", "write", "admin"]).await.1;
    for path in answered {
        let reply = world.muster.get(&path).token(&key).send().await;
        assert!(!reply.status.is_success() || reply.text.contains("error"), "{path}: {reply:?}");
        // Languages are of no segment.
        if path.contains("anguage") {
            continue;
        }
        let reply = world.muster.get(&path).token(&account).header("x-segment-id", &world.segment).send().await;
        assert!(!reply.status.is_success() || reply.text.contains("error"), "{path}: {reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inactive_segment_gets_no_new_links_from_its_owner_either() {
    let world = World::start().await;
    let user = world.user(json!({})).await;
    let number = world.call("POST", &format!("/v1/users/{user}/number")).send().await.body["number"].clone();
    let group = world.read(&format!("/v1/segments/{}", world.segment)).await["number"].clone();
    let (key, secret) = world.muster.key(&world.ana, "/v1/keys", &["read", "write", "admin"]).await;
    Cause::SegmentInactive.begins(&world, &user).await;
    let login = json!({ "action": "login", "group_id": group, "clogin_id": number, "doc": {} });
    let login = world.muster.post("/calls/users", login).header("api-id", &key).header("api-token", &secret);
    assert_eq!(login.send().await.status, 401);
    let link = world.call("POST", &format!("/v1/users/{user}/magic-link")).send().await;
    assert_eq!((link.status.as_u16(), &link.body["errors"][0]["code"]), (409, &json!("not_active")), "{link:?}");
}
