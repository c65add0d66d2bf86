//! The audit: each act is on record, for the owner alone, and says who, what, when, from where and with what result.

use std::time::Duration;

use domain::Time;
use serde_json::{Value, json};

use crate::system::{PASSWORD, Reply};
use crate::world::{World, column, id};

/// The path of the segment's audit.
fn of_segment(world: &World) -> String {
    format!("/v1/segments/{}/audit", world.segment)
}

/// The entries of one action in an audit.
async fn entries(world: &World, path: &str, action: &str) -> Vec<Value> {
    let reply = world.get(&format!("{path}?action={action}")).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body["data"].as_array().unwrap().clone()
}

async fn login(world: &World, body: Value) -> Reply {
    world.muster.post("/v1/auth/login", body).header("user-agent", "Test/1.0").send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn acts_of_a_segment_are_in_both_audits_with_actor_target_and_origin() {
    let world = World::start().await;
    let keys = format!("/v1/segments/{}/keys", world.segment);
    let body = json!({ "name": "Site", "scopes": ["read"] });
    let made = world.muster.post(&keys, body).by(&world.ana).header("user-agent", "Test/1.0").send().await;
    let key = id(&made.body);
    assert_eq!(world.call("DELETE", &format!("{keys}/{key}")).send().await.status, 204);
    for path in ["/v1/audit".to_owned(), of_segment(&world)] {
        let created = entries(&world, &path, "key.created").await;
        let created = created.first().unwrap();
        assert_eq!(created["actor"], json!({ "type": "user", "id": world.ana.id, "name": null }));
        assert_eq!(created["target"], json!({ "type": "key", "id": key }));
        assert_eq!((&created["segment_id"], &created["result"]), (&json!(world.segment), &json!("succeeded")));
        assert_eq!((&created["address"], &created["agent"]), (&json!("127.0.0.1"), &json!("Test/1.0")));
        assert_eq!(created["request_id"], made.header("x-request-id"));
        assert_eq!(entries(&world, &path, "key.revoked").await.len(), 1);
    }
    let of_account = world.muster.made(&world.ana, "/v1/keys", json!({ "name": "All", "scopes": ["read"] })).await;
    let listed = entries(&world, "/v1/audit", "key.created").await;
    assert_eq!(listed.iter().filter(|entry| entry["target"]["id"] == of_account["id"]).count(), 1);
    assert_eq!(entries(&world, &of_segment(&world), "key.created").await.len(), 1, "not the account's own");
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_is_newest_first_and_filtered_by_actor_target_and_time() {
    let world = World::start().await;
    let (first, secret) = world.key(&["read", "admin"]).await;
    let body = json!({ "name": "Child", "scopes": ["read"] });
    let keys = format!("/v1/segments/{}/keys", world.segment);
    let second = id(&world.muster.post(&keys, body).token(&secret).send().await.body);
    let path = of_segment(&world);
    let targets = async |query: &str| {
        let reply = world.get(&format!("{path}?{query}")).await;
        column(&reply, "target").into_iter().map(|target| target["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(targets("action=key.created").await, [second.clone(), first.clone()]);
    assert_eq!(targets(&format!("actor={first}")).await, std::slice::from_ref(&second));
    assert_eq!(targets(&format!("filter[target]={first}")).await, std::slice::from_ref(&first));
    assert_eq!(targets("action=key.created&page[size]=1&page[number]=2").await, std::slice::from_ref(&first));
    let (past, future) = (Time::now().minus(Duration::from_secs(60)), Time::now().plus(Duration::from_secs(60)));
    assert_eq!(targets(&format!("since={past}&until={future}&action=key.created")).await.len(), 2);
    assert!(targets(&format!("since={future}")).await.is_empty());
    assert!(targets(&format!("until={past}")).await.is_empty());
    let page = world.get(&format!("{path}?page[size]=1")).await;
    let next = world.get(page.body["links"]["next"].as_str().unwrap()).await;
    assert_ne!(column(&page, "id"), column(&next, "id"));
    for wrong in ["action=key.eaten", "since=yesterday", "color=red"] {
        assert_eq!(world.get(&format!("{path}?{wrong}")).await.status, 400, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_is_for_the_owner_and_keys_with_admin() {
    let world = World::start().await;
    let eve = world.muster.ana().await;
    let status = async |path: &str, token: &str| world.muster.get(path).token(token).send().await.status.as_u16();
    let (_, admin) = world.key(&["admin"]).await;
    let (_, other) = world.key(&["read", "write"]).await;
    let (_, account) = world.muster.key(&world.ana, "/v1/keys", &["admin"]).await;
    let path = of_segment(&world);
    for (token, segment, all) in [
        (&eve.access, 404, 200),
        (&admin, 200, 403),
        (&other, 403, 403),
        (&account, 200, 200),
        (&world.ana.access, 200, 200),
    ] {
        assert_eq!((status(&path, token).await, status("/v1/audit", token).await), (segment, all));
    }
    assert!(column(&world.muster.get("/v1/audit").by(&eve).send().await, "target").iter().all(|to| to["id"] == eve.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_are_on_record_and_unknown_names_leave_nothing() {
    let world = World::start().await;
    let (email, segment) = (&world.ana.email, &world.segment);
    let user = world.user(json!({ "email": "user@example.com", "password": PASSWORD })).await;
    assert_eq!(login(&world, json!({ "email": email, "password": PASSWORD })).await.status, 200);
    let wrong = login(&world, json!({ "email": email, "password": "wrong password" })).await;
    let of_user = |password: &str| json!({ "email": "user@example.com", "password": password, "segment_id": segment });
    assert_eq!(login(&world, of_user(PASSWORD)).await.status, 200);
    assert_eq!(login(&world, of_user("wrong password")).await.status, 401);
    let before = world.muster.items("A").await.len();
    let unknown = login(&world, json!({ "email": "nobody@example.com", "password": PASSWORD })).await;
    assert_eq!((unknown.status, &unknown.body["detail"]), (wrong.status, &wrong.body["detail"]));
    assert_eq!(world.muster.items("A").await.len(), before, "nothing is kept of a name that nobody has");
    let failed = entries(&world, "/v1/audit", "login.failed").await;
    let targets: Vec<_> = failed.iter().map(|entry| entry["target"]["id"].as_str().unwrap()).collect();
    assert_eq!(targets, [user.as_str(), &world.ana.id]);
    assert_eq!((&failed[0]["actor"]["type"], &failed[0]["result"]), (&json!("anonymous"), &json!("failed")));
    assert_eq!(failed[0]["agent"], "Test/1.0");
    let of_segment = entries(&world, &of_segment(&world), "login.succeeded").await;
    assert_eq!(of_segment.len(), 1);
    assert_eq!((&of_segment[0]["actor"]["id"], &of_segment[0]["target"]["id"]), (&json!(user), &json!(user)));
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_past_retention_are_not_listed_even_before_ttl() {
    let world = World::start().await;
    let account = world.ana.id.clone();
    let old = domain::AuditEntry {
        id: Time::now().minus(Duration::from_secs(91 * 24 * 60 * 60)).first_id().into(),
        ..domain::AuditEntry::new(
            domain::AuditAction::KeyCreated,
            domain::AuditScope::of_account(account.parse().unwrap()),
            domain::KeyId::fresh(),
            domain::Act::by_itself("test"),
        )
    };
    world.muster.functions.app.store.record_audit(&old).await.unwrap();
    assert!(entries(&world, "/v1/audit", "key.created").await.is_empty());
    let kept = world.muster.items("AU#").await.into_iter().filter(|pk| *pk == format!("AU#{account}")).count();
    let listed = column(&world.get("/v1/audit").await, "id").len();
    assert_eq!(kept, listed + 1, "the old one is in the table all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_proofs_recoveries_and_the_end_of_all_keys_are_on_record() {
    let world = World::start().await;
    let user = world.user(json!({ "email": "user@example.com", "password": PASSWORD })).await;
    let tokens = json!({ "email": "user@example.com", "password": PASSWORD, "segment_id": world.segment });
    let tokens = login(&world, tokens).await;
    let own = tokens.body["access_token"].as_str().unwrap();
    let me = format!("/v1/users/{user}");
    let send = async |method: &str, path: &str, body: Value| {
        world.muster.call(method, path).token(own).json(body).send().await.status.as_u16()
    };
    let change = json!({ "old_password": "a wrong password", "new_password": "staple battery horse" });
    assert_eq!(send("POST", &format!("{me}/password"), change).await, 400);
    let email = |password: &str| json!({ "email": "new@example.com", "current_password": password });
    assert_eq!(send("PATCH", &me, email("a wrong password")).await, 400);
    let recovery = |email: &str| json!({ "email": email, "segment_id": world.segment });
    for email in ["user@example.com", "nobody@example.com"] {
        assert_eq!(world.muster.post("/v1/auth/recovery", recovery(email)).send().await.status, 202);
    }
    // Ana signed in by the code that verified her e-mail.
    let signed_in = entries(&world, "/v1/audit", "login.succeeded").await;
    assert!(signed_in.iter().any(|entry| entry["target"]["id"] == world.ana.id), "{signed_in:?}");
    for (action, count, actor, result) in
        [("password.rejected", 2, "user", "failed"), ("recovery.requested", 1, "anonymous", "succeeded")]
    {
        for path in ["/v1/audit".to_owned(), of_segment(&world)] {
            let found = entries(&world, &path, action).await;
            assert_eq!(found.len(), count, "{action} in {path}");
            let one = &found[0];
            assert_eq!((&one["actor"]["type"], &one["result"]), (&json!(actor), &json!(result)), "{one}");
            assert_eq!(one["target"], json!({ "type": "user", "id": user }));
        }
    }
    let member_settings = json!({ "settings": { "keep_approval": true }, "self_enrolment": true });
    assert_eq!(world.send("PATCH", &world.path(""), member_settings).await.status, 200);
    let changed = entries(&world, &of_segment(&world), "settings.changed").await;
    assert_eq!(changed[0]["fields"], json!(["settings.keep_approval", "self_enrolment"]), "{changed:?}");
    assert_eq!(changed[0]["target"]["type"], "membership");
    let link = world.call("POST", &format!("{me}/magic-link")).send().await;
    for status in [200, 401] {
        let redeemed = world.muster.post("/v1/auth/magic-link", json!({ "token": link.body["token"] })).send().await;
        assert_eq!(redeemed.status, status);
    }
    assert_eq!(entries(&world, &of_segment(&world), "magic_link.rejected").await.len(), 1);
    let until = json!({ "valid_until": "2999-01-01T00:00:00.000Z" });
    assert_eq!(world.send("PATCH", &me, until).await.status, 200);
    assert_eq!(entries(&world, &of_segment(&world), "user.validity_changed").await.len(), 1);

    let change = json!({ "old_password": PASSWORD, "new_password": "staple battery horse" });
    let revoked = world.send("POST", "/v1/users/me/password?keys=revoke", change).await;
    assert_eq!(revoked.status, 204, "{revoked:?}");
    assert_eq!(entries(&world, "/v1/audit", "key.all_revoked").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn acts_on_users_webhooks_exports_links_and_settings_are_on_record() {
    let world = World::start().await;
    let segment = format!("/v1/segments/{}", world.segment);
    let user = world.user(json!({ "email": "user@example.com", "password": PASSWORD })).await;
    let one = format!("/v1/users/{user}");
    let send = async |method: &str, path: &str, body: Value| {
        let reply = world.send(method, path, body).await;
        assert!(reply.status.is_success(), "{method} {path}: {reply:?}");
        reply.body
    };
    let webhook = send("POST", &format!("{segment}/webhooks"), json!({ "url": "https://example.com/" })).await;
    let webhook = format!("{segment}/webhooks/{}", id(&webhook));
    send("PATCH", &webhook, json!({ "description": "A" })).await;
    send("POST", &format!("{webhook}/secret"), json!({})).await;
    assert_eq!(world.call("DELETE", &webhook).send().await.status, 204);
    let export = send("POST", &format!("{segment}/exports"), json!({ "format": "csv" })).await;
    let link = send("POST", &format!("{one}/magic-link"), json!({})).await;
    for made in [&export, &link] {
        assert_eq!(made["created_by"], json!({ "type": "user", "id": world.ana.id }));
    }
    let token = json!({ "token": link["token"] });
    assert_eq!(world.muster.post("/v1/auth/magic-link", token).send().await.status, 200);
    send("PATCH", &one, json!({ "status": "BLOCKED" })).await;
    send("PATCH", &one, json!({ "status": "ACTIVE" })).await;
    send("PATCH", &one, json!({ "email": "other@example.com" })).await;
    send("PATCH", &segment, json!({ "status": false })).await;
    send("PATCH", &segment, json!({ "status": true })).await;
    send("PATCH", &segment, json!({ "settings": { "required_user_fields": ["email", "name"] } })).await;
    assert_eq!(world.call("DELETE", &one).send().await.status, 204);
    assert_eq!(world.call("POST", &format!("{one}/restoration")).send().await.status, 200);
    assert_eq!(world.call("DELETE", &format!("{one}?purge=true")).send().await.status, 204);
    for action in [
        "webhook.created",
        "webhook.changed",
        "webhook.secret_renewed",
        "webhook.deleted",
        "export.started",
        "magic_link.created",
        "magic_link.redeemed",
        "user.blocked",
        "user.unblocked",
        "email.changed",
        "user.deleted",
        "user.restored",
        "user.purged",
    ] {
        for path in ["/v1/audit".to_owned(), of_segment(&world)] {
            assert_eq!(entries(&world, &path, action).await.len(), 1, "{action} in {path}");
        }
    }
    let settings = entries(&world, &of_segment(&world), "settings.changed").await;
    assert_eq!(settings.len(), 3);
    assert_eq!(settings[0]["fields"], json!(["settings.required_user_fields"]));
    assert_eq!(settings[2]["fields"], json!(["status"]));
    let whole = world.get(&format!("{}?page[size]=100", of_segment(&world))).await.text;
    for personal in ["example.com", PASSWORD] {
        assert!(!whole.contains(personal), "{personal}");
    }
}
