//! An inactive segment: no operation of a dialect reaches anything in it, for the owner and keys of the account neither.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Credentials, Operation, Victim, list_operations, new_developer};
use crate::isolation::unchanged;
use crate::system::{Ana, Muster};

/// Operations that concern no segment, the account, or the segment itself, which its owner can activate again.
const OUTSIDE: [&str; 8] = [
    "GET /b2b/Language/getLanguage",
    "POST /flows/address",
    "GET /flows/address/list/{owner_id}",
    "POST /flows/segment",
    "GET /flows/segment/list/{owner_id}",
    "GET /flows/segment/{id}",
    "PUT /flows/segment/{id}",
    "DELETE /flows/segment/{id}",
];

/// The actions of `POST /calls/users/`, of which the document shows one.
const ACTIONS: [&str; 9] = [
    "create",
    "create_child",
    "login",
    "update",
    "add_product",
    "add_email",
    "get_info",
    "set_status",
    "get_user_list",
];

/// The private operations of every dialect, each action of `/calls/users/` for itself.
async fn list_dialect_operations(muster: &Muster) -> Vec<Operation> {
    let mut operations = list_operations(muster).await;
    operations.retain(|one| !one.public && !one.path.starts_with("/v1/"));
    let calls = operations.iter().find(|one| one.path.trim_end_matches('/') == "/calls/users").unwrap().clone();
    operations.extend(ACTIONS.map(|action| {
        let body = json!({
            "action": action, "group_id": 1, "clogin_id": 1, "connected_to": 1,
            "doc": { "first_name": "Ana", "status_id": 0, "product_list": [], "email_list": [{ "from": "a@example.com",
                "to": "b@example.com", "subject": "Hi", "body": "Hi" }] },
        });
        Operation { body: Some(body), ..calls.clone() }
    }));
    operations.sort_by_key(|one| one.method == Method::DELETE);
    operations
}

#[tokio::test(flavor = "multi_thread")]
async fn dialects_reach_nothing_in_an_inactive_segment() {
    let victim = Victim::start().await;
    let (world, muster) = (&victim.world, &victim.world.muster);
    let (key_id, key) = muster.key(&world.ana, "/v1/keys", &["read", "write", "admin"]).await;
    let developer = new_developer(muster, &world.ana).await;
    let credentials = |name: &str, token: &str, key_id: String| Credentials {
        key_id,
        developer: developer.clone(),
        segment: Some(victim.ids["segment"].clone()),
        ..Credentials::new(name, token)
    };
    let callers =
        [credentials("the owner", &world.ana.access, String::new()), credentials("a key of the account", &key, key_id)];
    let path = format!("/v1/segments/{}", victim.ids["segment"]);
    let inactive = world.send("PATCH", &path, json!({ "status": false })).await;
    assert_eq!(inactive.status, 200, "{inactive:?}");
    let mut reached = Vec::new();
    for caller in &callers {
        for operation in list_dialect_operations(muster).await {
            let name = format!("{} {}", operation.method, operation.path);
            // Only keys call `calls`.
            if OUTSIDE.contains(&name.as_str()) || caller.key_id.is_empty() && name.contains("/calls/") {
                continue;
            }
            let (call, sent) = victim.call(&operation, caller);
            let reply = call.send().await;
            // `b2b` has one text for each status.
            if reply.status != 401 || !reply.text.contains("inactive") && !operation.path.starts_with("/b2b/") {
                reached.push(format!("{name} by {}: {sent}: {} {}", caller.name, reply.status, reply.text));
            }
        }
    }
    assert!(reached.is_empty(), "{reached:#?}");
    // What a dialect cannot do, `/v1` and the path of the segment itself can.
    let active = muster.call("PUT", &format!("/flows/segment/{}", victim.ids["segment"])).token(&key);
    let active = active.json(json!({ "status": true })).send().await;
    assert_eq!(active.status, 200, "{active:?}");
    for path in [format!("/flows/user/{}", victim.ids["user"]), "/b2b/User/getUser".to_owned()] {
        let again = muster.get(&path).token(&key).header("x-segment-id", &victim.ids["segment"]).send().await;
        assert_eq!(again.status, 200, "{path}: {again:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_of_other_accounts_reach_nothing_in_an_inactive_segment() {
    let victim = Victim::start().await;
    let (world, muster) = (&victim.world, &victim.world.muster);
    let open = world.send("PATCH", &world.path(""), json!({ "self_enrolment": true })).await;
    assert_eq!(open.status, 200, "{open:?}");
    let (eve, late) = (muster.ana().await, muster.ana().await);
    let members = world.path("/members");
    let joined = muster.post(&members, json!({ "name": "Eve" })).by(&eve).send().await;
    assert_eq!(joined.status, 201, "{joined:?}");
    let (membership, member) = (&victim.ids["membership"], joined.body["id"].as_str().unwrap());
    let upload = json!({ "segment_id": world.segment, "member_id": member, "filename": "a.pdf",
        "content_type": "application/pdf", "size": 5 });
    let begun = muster.post("/v1/uploads", upload.clone()).by(&eve).send().await;
    assert_eq!(begun.status, 201, "{begun:?}");
    let own = format!("/v1/uploads/{}", begun.body["id"].as_str().unwrap());
    let (reads, writes) = ("GET", "POST");
    let calls = [
        (&eve, reads, world.path(""), json!(null)),
        (&eve, reads, world.path("/levels"), json!(null)),
        (&eve, reads, members.clone(), json!(null)),
        (&eve, reads, format!("/v1/members/{member}"), json!(null)),
        (&eve, reads, format!("/v1/members/{member}/points"), json!(null)),
        (&eve, "PATCH", format!("/v1/members/{member}"), json!({ "name": "Eva" })),
        (&eve, "PUT", format!("/v1/members/{member}/answers"), json!({})),
        (&eve, reads, own.clone(), json!(null)),
        (&eve, "DELETE", own, json!(null)),
        (&eve, writes, "/v1/uploads".to_owned(), upload),
        (&late, writes, members, json!({ "name": "Late" })),
        (&eve, reads, format!("/flows/membership-level/list/{membership}"), json!(null)),
        (&eve, reads, format!("/flows/membership-custom-field/list/{membership}"), json!(null)),
        (&eve, reads, format!("/flows/membership-user/{member}"), json!(null)),
        (&eve, reads, format!("/flows/membership-user/list/{membership}"), json!(null)),
        (&eve, reads, format!("/flows/membership-custom-field-answer/list/{member}"), json!(null)),
        (
            &late,
            writes,
            "/flows/membership-user".to_owned(),
            json!({ "membership_id": membership, "user_id": late.id,
            "segment_id": world.segment, "name": "Late" }),
        ),
    ];
    let send = async |(by, method, path, body): &(&Ana, &str, String, Value)| {
        let call = muster.call(method, path).by(by);
        if body.is_null() { call.send().await } else { call.json(body.clone()).send().await }
    };
    for call in calls.iter().filter(|call| call.1 == reads) {
        let reply = send(call).await;
        assert_eq!(reply.status, 200, "{} {reply:?}", call.2);
    }
    let segment = format!("/v1/segments/{}", world.segment);
    assert_eq!(world.send("PATCH", &segment, json!({ "status": false })).await.status, 200);
    let before = muster.lasting().await;
    for call in &calls {
        let reply = send(call).await;
        assert!(reply.status == 401 && reply.text.contains("inactive"), "{} {} {reply:?}", call.1, call.2);
    }
    unchanged(&before, &muster.lasting().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_of_an_owner_names_its_inactive_segments_alone() {
    let victim = Victim::start().await;
    let world = &victim.world;
    let named = async || {
        let owner = world.muster.functions.app.store.user(world.ana.id.parse().unwrap()).await.unwrap().unwrap();
        owner.inactive_segments.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let created = world.muster.made(&world.ana, "/v1/segments", json!({ "name": "Second", "status": false })).await;
    let second = created["id"].as_str().unwrap().to_owned();
    assert_eq!(named().await, std::slice::from_ref(&second), "one that is created inactive");
    let first = format!("/v1/segments/{}", world.segment);
    let set = async |status: bool| {
        let changed = world.send("PATCH", &first, json!({ "status": status })).await;
        assert_eq!(changed.status, 200, "{changed:?}");
    };
    set(false).await;
    assert_eq!(named().await, [world.segment.clone(), second.clone()]);
    set(true).await;
    assert_eq!(named().await, std::slice::from_ref(&second));
    assert_eq!(world.call("DELETE", &format!("/v1/segments/{second}")).send().await.status, 204);
    assert!(named().await.is_empty(), "not one that is deleted");
}
