//! Keys: what programs reach a segment, or an account, with.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Time;
use serde_json::{Value, json};

use crate::world::{World, as_refused, column, id, refused};

/// Where the keys of the world's segment are.
fn keys(world: &World) -> String {
    format!("/v1/segments/{}/keys", world.segment)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_shown_once_and_kept_as_a_hash() {
    let world = World::start().await;
    for path in [keys(&world), "/v1/keys".to_owned()] {
        let made = world.send("POST", &path, json!({ "name": "Site", "scopes": ["write", "read"] })).await;
        assert_eq!(made.status, 201, "{made:?}");
        let (id, secret) = (id(&made.body), made.body["secret"].as_str().unwrap());
        assert_eq!(made.header("location"), format!("{path}/{id}"));
        assert!(secret.starts_with("mk_") && secret.len() == 89, "{secret}");
        assert_eq!(made.body["scopes"], json!(["read", "write"]));
        let prefix = made.body["prefix"].as_str().unwrap();
        assert!(secret.starts_with(prefix) && prefix.len() == 11);

        let listed = world.get(&path).await;
        assert_eq!((column(&listed, "prefix"), column(&listed, "secret")), (vec![json!(prefix)], vec![Value::Null]));
        let holder = if path == "/v1/keys" { format!("U#{}", world.ana.id) } else { format!("S#{}", world.segment) };
        let item = world.muster.item(&holder, &format!("K#{id}")).await;
        let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, secret.as_bytes()));
        assert_eq!(item["hash"].as_s().unwrap(), &hash);
        let table = world.muster.whole_table().await;
        assert!(!table.contains(secret) && !table.contains(&secret[11..]), "the table has the secret");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_creation_shows_the_same_secret_and_makes_one_key() {
    let world = World::start().await;
    let make = async || {
        let call = world.call("POST", &keys(&world)).json(json!({ "name": "Site", "scopes": ["read"] }));
        call.header("idempotency-key", "k").send().await
    };
    let (first, again) = (make().await, make().await);
    assert_eq!((first.status.as_u16(), &first.text), (201, &again.text));
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert!(!world.muster.whole_table().await.contains(first.body["secret"].as_str().unwrap()));
    assert_eq!(world.read(&keys(&world)).await["page"]["total_items"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_what_its_scopes_say_and_no_more() {
    let world = World::start().await;
    let member = world.member(json!({ "name": "Ana" })).await;
    let (segment, members) = (format!("/v1/segments/{}", world.segment), world.path("/members"));
    for (scope, method, path, body) in [
        ("read", "GET", segment.clone(), Value::Null),
        ("read", "GET", format!("{segment}/catalogs"), Value::Null),
        ("read", "GET", format!("{segment}/memberships"), Value::Null),
        ("read", "GET", world.path(""), Value::Null),
        ("read", "GET", world.path("/levels"), Value::Null),
        ("read", "GET", world.path("/fields"), Value::Null),
        ("read", "GET", members.clone(), Value::Null),
        ("read", "GET", world.path("/ranking"), Value::Null),
        ("read", "GET", member.clone(), Value::Null),
        ("read", "GET", format!("{member}/answers"), Value::Null),
        ("read", "GET", format!("{member}/points"), Value::Null),
        ("read", "GET", format!("{member}/ranking"), Value::Null),
        ("write", "POST", members, json!({ "name": "B" })),
        ("write", "PATCH", member.clone(), json!({ "name": "C" })),
        ("write", "PUT", format!("{member}/answers"), json!({})),
        ("write", "POST", format!("{member}/points"), json!({ "delta": 1, "reason": "x" })),
        ("write", "DELETE", member.clone(), Value::Null),
        ("admin", "PATCH", segment.clone(), json!({ "name": "T" })),
        ("admin", "GET", format!("{segment}/keys"), Value::Null),
        ("admin", "POST", format!("{segment}/keys"), json!({ "name": "x", "scopes": ["admin"] })),
        ("admin", "POST", format!("{segment}/catalogs"), json!({ "name": "x", "options": [] })),
        ("admin", "POST", format!("{segment}/memberships"), json!({ "name": "x" })),
        ("admin", "PATCH", world.path(""), json!({ "name": "T" })),
        ("admin", "POST", world.path("/levels"), json!({ "name": "x", "number": 1, "from_point": 0, "to_point": 1 })),
        ("admin", "POST", world.path("/fields"), json!({ "key": "x", "name": "x", "type": "string" })),
    ] {
        let send = async |secret: &str| {
            let call = world.muster.call(method, &path).token(secret);
            if body.is_null() { call } else { call.json(body.clone()) }.send().await
        };
        let others: Vec<_> = ["read", "write", "admin"].into_iter().filter(|other| *other != scope).collect();
        let (_, without) = world.key(&others).await;
        let reply = send(&without).await;
        assert_eq!((reply.status.as_u16(), &reply.body["code"]), (403, &json!("forbidden")), "{method} {path}");
        assert!(reply.body["detail"].as_str().unwrap().contains(scope), "{reply:?}");
        let (_, with) = world.key(&[scope]).await;
        let reply = send(&with).await;
        assert!(reply.status.is_success(), "{method} {path} {reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_sent_in_one_of_two_headers_and_nothing_else_passes() {
    let world = World::start().await;
    let (_, secret) = world.key(&["read"]).await;
    let path = world.path("");
    let get = || world.muster.get(&path);
    assert_eq!(get().token(&secret).send().await.status, 200);
    assert_eq!(get().header("x-api-key", &secret).send().await.status, 200);
    assert_eq!(get().header("x-api-key", &secret).token(&secret).send().await.status, 401, "one credential");
    assert_eq!(get().header("x-api-key", &world.ana.access).send().await.status, 401, "no token is a key");
    let changed = |at: usize| {
        let mut bytes = secret.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    // In turn: the random part, the key's id, the account's, the segment's.
    for at in [3, 20, 30, 50, 70] {
        assert_eq!(get().token(&changed(at)).send().await.status, 401, "{at}");
    }
    for wrong in ["mk_", "mk_x", &secret[..88], &format!("{secret}A"), &secret.to_uppercase(), &secret[3..]] {
        assert_eq!(get().token(wrong).send().await.status, 401, "{wrong}");
        assert_eq!(get().header("x-api-key", wrong).send().await.status, 401, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_opens_nothing_at_once() {
    let world = World::start().await;
    let (first, secret) = world.key(&["read"]).await;
    let (_, other) = world.key(&["read"]).await;
    assert_eq!(world.muster.get(&world.path("")).token(&secret).send().await.status, 200);
    let path = format!("{}/{first}", keys(&world));
    assert_eq!(world.call("DELETE", &format!("/v1/keys/{first}")).send().await.status, 404, "it is no account's key");
    assert_eq!(world.call("DELETE", &path).send().await.status, 204);
    assert_eq!(world.muster.get(&world.path("")).token(&secret).send().await.status, 401);
    assert_eq!(world.call("DELETE", &path).send().await.status, 404);
    assert_eq!(world.muster.get(&world.path("")).token(&other).send().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_ends_when_it_was_said_to() {
    let world = World::start().await;
    let make = async |expires_at: Value| {
        let body = json!({ "name": "Short", "scopes": ["read"], "expires_at": expires_at });
        world.muster.made(&world.ana, &keys(&world), body).await
    };
    let soon = Time::now().plus(Duration::from_secs(2)).to_string();
    let key = make(json!(soon)).await;
    assert_eq!(key["expires_at"], soon);
    let secret = key["secret"].as_str().unwrap();
    let status = async || world.muster.get(&world.path("")).token(secret).send().await.status.as_u16();
    assert_eq!(status().await, 200);
    while Time::now().to_string() < soon {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(status().await, 401);
    assert_eq!(make(json!(null)).await["expires_at"], Value::Null);
    let reply = world.send("POST", &keys(&world), json!({ "name": 1, "scopes": [], "expires_at": "soon" })).await;
    let pointers: Vec<_> = reply.errors().into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!((reply.status.as_u16(), pointers), (400, ["/name", "/scopes", "/expires_at"].map(str::to_owned).into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_noted_when_a_key_was_used_to_five_minutes() {
    let world = World::start().await;
    let (id, secret) = world.key(&["read"]).await;
    let used = async || column(&world.get(&keys(&world)).await, "last_used_at")[0].clone();
    let wait = || world.muster.get(&world.path("")).token(&secret);
    assert_eq!(used().await, Value::Null);
    let before = Time::now().to_string();
    assert_eq!(wait().send().await.status, 200);
    let first = used().await;
    assert!(first.as_str().is_some_and(|at| at >= before.as_str()), "{first} {before}");
    assert_eq!(wait().send().await.status, 200);
    assert_eq!(used().await, first, "not each time");
    let long_ago = Time::now().minus(Duration::from_secs(301)).to_string();
    world.muster.age("last_used_at", AttributeValue::S(long_ago.clone())).await;
    assert_eq!(wait().send().await.status, 200);
    assert!(used().await.as_str().is_some_and(|at| at > long_ago.as_str()));
    assert_eq!(world.call("DELETE", &format!("{}/{id}", keys(&world))).send().await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_the_account_opens_every_segment_and_one_of_a_segment_its_own() {
    let world = World::start().await;
    let other = world.muster.made(&world.ana, "/v1/segments", json!({ "name": "Other" })).await;
    let other = format!("/v1/segments/{}", id(&other));
    let own = format!("/v1/segments/{}", world.segment);
    let (_, of_account) = world.muster.key(&world.ana, "/v1/keys", &["read", "admin"]).await;
    let (_, of_segment) = world.key(&["read", "write", "admin"]).await;
    let status = async |secret: &str, method: &str, path: &str, body: Value| {
        let call = world.muster.call(method, path).token(secret);
        if body.is_null() { call } else { call.json(body) }.send().await.status.as_u16()
    };
    let name = || json!({ "name": "New" });
    for (method, path, body, account, segment) in [
        ("GET", own.as_str(), Value::Null, 200, 200),
        ("GET", &other, Value::Null, 200, 404),
        ("PATCH", &other, name(), 200, 404),
        ("GET", &format!("{other}/keys"), Value::Null, 200, 404),
        ("GET", "/v1/segments", Value::Null, 200, 403),
        ("POST", "/v1/segments", name(), 201, 403),
        ("GET", "/v1/keys", Value::Null, 200, 403),
        ("POST", "/v1/keys", json!({ "name": "x", "scopes": ["read"] }), 201, 403),
        ("DELETE", &format!("/v1/keys/{}", world.segment), Value::Null, 404, 403),
        ("GET", "/v1/users/me", Value::Null, 404, 404),
        ("DELETE", &format!("/v1/users/{}", world.ana.id), Value::Null, 404, 404),
        ("GET", &format!("/v1/users/{}/addresses", world.ana.id), Value::Null, 404, 404),
    ] {
        assert_eq!(status(&of_account, method, path, body.clone()).await, account, "account: {method} {path}");
        assert_eq!(status(&of_segment, method, path, body).await, segment, "segment: {method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_dead_once_their_owner_is_shut_out_or_deleted() {
    let world = World::start().await;
    let (_, of_segment) = world.key(&["read"]).await;
    let (_, of_account) = world.muster.key(&world.ana, "/v1/keys", &["read"]).await;
    let statuses = async || {
        let of = async |secret: &str| world.muster.get(&world.path("")).token(secret).send().await.status.as_u16();
        [of(&of_segment).await, of(&of_account).await]
    };
    assert_eq!(statuses().await, [200, 200]);
    world.muster.set_status(&world.ana.id, "BLOCKED").await;
    assert_eq!(statuses().await, [401, 401]);
    world.muster.set_status(&world.ana.id, "ACTIVE").await;
    assert_eq!(statuses().await, [200, 200]);
    assert_eq!(world.call("DELETE", "/v1/users/me").send().await.status, 204);
    assert_eq!(statuses().await, [401, 401]);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_listed_by_name_and_prefix() {
    let world = World::start().await;
    let mut prefixes = Vec::new();
    for name in ["Zeta", "álbum", "Beta"] {
        let key = world.muster.made(&world.ana, &keys(&world), json!({ "name": name, "scopes": ["read"] })).await;
        prefixes.push(key["prefix"].as_str().unwrap().to_owned());
    }
    let listed = async |query: &str| column(&world.get(&format!("{}?{query}", keys(&world))).await, "name");
    assert_eq!(listed("").await, ["Zeta", "álbum", "Beta"]);
    assert_eq!(listed("sort=name").await, ["álbum", "Beta", "Zeta"]);
    assert_eq!(listed(&format!("filter[prefix]={}", prefixes[1])).await, ["álbum"]);
    assert_eq!(listed("filter[name]=b*").await, ["Beta"]);
    assert!(column(&world.get("/v1/keys").await, "id").is_empty(), "those of a segment are not the account's");
    let wrong = world.send("POST", "/v1/keys", json!({ "name": "x", "scopes": ["all"], "prefix": "mk_" })).await;
    assert_eq!(refused(&wrong), as_refused((400, "/scopes", "invalid_choice")));
    assert_eq!(wrong.errors().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_gives_no_more_than_it_has() {
    let world = World::start().await;
    let soon = domain::Time::now().plus(std::time::Duration::from_secs(3600)).to_string();
    let body = json!({ "name": "Site", "scopes": ["read", "admin"], "expires_at": soon });
    let mine = world.call("POST", &keys(&world)).json(body).send().await;
    let mine = mine.body["secret"].as_str().unwrap();
    for (scopes, ends, status) in [
        (json!(["read"]), json!(soon), 201),
        (json!(["read", "admin"]), json!(soon), 201),
        (json!(["write"]), json!(soon), 403),
        (json!(["read"]), Value::Null, 403),
        (json!(["read"]), json!("2999-01-01T00:00:00.000Z"), 403),
    ] {
        let body = json!({ "name": "Other", "scopes": scopes, "expires_at": ends });
        let reply = world.muster.post(&keys(&world), body.clone()).token(mine).send().await;
        assert_eq!(reply.status, status, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn descendants_of_a_revoked_key_end_with_it_on_every_route() {
    let world = World::start().await;
    let scopes = json!(["read", "write", "admin"]);
    let create = async |path: &str, token: &str| {
        let body = json!({ "name": "Child", "scopes": scopes });
        let reply = world.muster.post(path, body).token(token).send().await;
        assert_eq!(reply.status, 201, "{reply:?}");
        (id(&reply.body), reply.body["secret"].as_str().unwrap().to_owned(), reply.body["created_by"].clone())
    };
    let (root, secret, by) = create("/v1/keys", &world.ana.access).await;
    assert_eq!(by, json!({ "type": "user", "id": world.ana.id }));
    let (child, child_secret, by) = create("/v1/keys", &secret).await;
    assert_eq!(by, json!({ "type": "key", "id": root }));
    let (_, grandchild, by) = create(&keys(&world), &child_secret).await;
    assert_eq!(by, json!({ "type": "key", "id": child }));
    let (_, other, _) = create("/v1/keys", &world.ana.access).await;
    let paths = [
        world.path(""),
        keys(&world),
        format!("/v1/segments/{}", world.segment),
        format!("/flows/segment/{}", world.segment),
    ];
    let statuses = async |token: &str| {
        let mut statuses = Vec::new();
        for path in &paths {
            statuses.push(world.muster.get(path).token(token).send().await.status.as_u16());
        }
        statuses
    };
    for token in [&secret, &child_secret, &grandchild, &other] {
        assert!(!statuses(token).await.contains(&401));
    }
    assert_eq!(world.muster.delete(&format!("/v1/keys/{root}")).by(&world.ana).send().await.status, 204);
    for token in [&secret, &child_secret, &grandchild] {
        assert_eq!(statuses(token).await, [401; 4]);
    }
    assert!(!statuses(&other).await.contains(&401), "another key of the same user goes on");
    assert!(column(&world.get(&keys(&world)).await, "id").is_empty());
    let left = world.muster.whole_table().await;
    assert!(!left.contains("KC#") && !left.contains("revoked_keys"), "nothing is left of the tree");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_on_the_account_rejects_descendants_that_are_not_deleted_yet() {
    let world = World::start().await;
    let body = json!({ "name": "Key", "scopes": ["read", "admin"] });
    let root = world.muster.made(&world.ana, "/v1/keys", body.clone()).await;
    let child = world.muster.post(&keys(&world), body).token(root["secret"].as_str().unwrap()).send().await.body;
    let (root, secret) = (id(&root), child["secret"].as_str().unwrap().to_owned());
    let status = async || world.muster.get(&world.path("")).token(&secret).send().await.status.as_u16();
    assert_eq!(status().await, 200);
    // As if whoever revoked it had been cut off before the descendants were deleted.
    let update = world.muster.dynamodb().update_item().table_name(&world.muster.wiring.table);
    let update =
        update.key("PK", AttributeValue::S(format!("U#{}", world.ana.id))).key("SK", AttributeValue::S("U".into()));
    let update = update.update_expression("ADD revoked_keys :key");
    update.expression_attribute_values(":key", AttributeValue::Ss(vec![root.clone()])).send().await.unwrap();
    assert_eq!(status().await, 401);
    let store = &world.muster.functions.app.store;
    let (scope, root): (_, domain::KeyId) =
        (domain::AuditScope::of_account(world.ana.id.parse().unwrap()), root.parse().unwrap());
    let act = domain::Act::by_itself("test");
    let audit = domain::AuditEntry::new(domain::AuditAction::KeyRevoked, scope, root, act);
    store.end_child_keys(root, &audit).await.unwrap();
    let ended = world.get(&format!("/v1/audit?action=key.revoked&target={}", id(&child))).await;
    assert_eq!(column(&ended, "id").len(), 1, "the end of each is on record: {ended:?}");
    assert_eq!(status().await, 401);
    assert!(!world.muster.whole_table().await.contains("revoked_keys"));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_create_each_other_up_to_a_depth() {
    let world = World::start().await;
    let body = json!({ "name": "Key", "scopes": ["admin", "read"] });
    let mut token = world.ana.access.clone();
    let mut statuses = Vec::new();
    for _ in 0..10 {
        let reply = world.muster.post("/v1/keys", body.clone()).token(&token).send().await;
        statuses.push(reply.status.as_u16());
        if let Some(secret) = reply.body["secret"].as_str() {
            token = secret.to_owned();
        }
    }
    assert_eq!(statuses, [201, 201, 201, 201, 201, 201, 201, 201, 201, 409]);
}
