//! The users of a segment: made, read, changed, blocked, deleted, restored and purged by who has the segment.

use serde_json::{Value, json};

use crate::world::{World, as_refused, id, refused};

/// The path of the users of the world's segment.
fn users(world: &World) -> String {
    format!("/v1/segments/{}/users", world.segment)
}

/// A new user, which must be taken: its path.
async fn user(world: &World, body: Value) -> String {
    format!("/v1/users/{}", id(&world.muster.made(&world.ana, &users(world), body).await))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_a_segment_is_made_read_changed_and_listed() {
    let world = World::start().await;
    let body = json!({
        "email": "Eva@Example.com", "name": "Eva", "last_name": "Núñez", "gender": "FEMALE",
        "operation_country": "CHL", "identification": { "type": "RUT", "value": "12.345.678-5" },
    });
    let path = user(&world, body.clone()).await;
    let read = world.read(&path).await;
    assert_eq!(
        (&read["status"], &read["segment_id"], &read["email"]),
        (&json!("ACTIVE"), &json!(world.segment), &json!("Eva@Example.com"))
    );
    assert_eq!(read["identification"], json!({ "type": "RUT", "value": "123456785", "display": "12.345.678-5" }));

    let again = world.send("POST", &users(&world), json!({ "email": "eva@example.COM" })).await;
    assert_eq!(refused(&again), as_refused((409, "/email", "taken")));
    let rut = json!({ "email": "other@example.com", "operation_country": "CHL", "identification": { "type": "RUT", "value": "12345678-5" } });
    assert_eq!(refused(&world.send("POST", &users(&world), rut).await), as_refused((409, "/identification", "taken")));
    let none = world.send("POST", &users(&world), json!({ "name": "Nobody" })).await;
    assert_eq!(refused(&none), as_refused((400, "/email", "required")));

    let changed = world.send("PATCH", &path, json!({ "last_name": "Ñandú", "phone": "+56912345678" })).await;
    assert_eq!((changed.status.as_u16(), changed.header("etag")), (200, "\"2\""), "{changed:?}");
    for filter in [
        "filter[last_name]=nan*",
        "filter[identification_value]=12.345.678-5",
        "filter[identification_type]=RUT&filter[gender]=FEMALE,MALE",
        "filter[status]=ACTIVE,BLOCKED&sort=status,-gender",
        "filter[phone]=%2B569*&sort=-email",
        "sort=identification_type,-identification_value",
    ] {
        let page = world.read(&format!("{}?{filter}", users(&world))).await;
        assert_eq!(
            (&page["data"][0]["last_name"], &page["page"]["total_items"]),
            (&json!("Ñandú"), &json!(1)),
            "{filter}"
        );
    }
    let none = world.read(&format!("{}?filter[gender]=MALE", users(&world))).await;
    assert_eq!(none["page"]["total_items"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_user_cannot_log_in_and_its_token_ends_at_once() {
    let world = World::start().await;
    let path = user(&world, json!({ "email": "eva@example.com", "password": "correct horse battery" })).await;
    let login = json!({ "email": "EVA@example.com", "password": "correct horse battery", "segment_id": world.segment });
    let tokens = world.muster.call("POST", "/v1/auth/login").json(login.clone()).send().await;
    assert_eq!(tokens.status, 200, "{tokens:?}");
    let bearer = format!("Bearer {}", tokens.body["access_token"].as_str().unwrap());
    let me = || world.muster.call("GET", "/v1/users/me").header("authorization", &bearer).send();
    assert_eq!(me().await.body["email"], "eva@example.com");
    let own = world.muster.call("PATCH", "/v1/users/me").header("authorization", &bearer);
    assert_eq!(own.json(json!({ "name": "Eva" })).send().await.status, 200);
    let own = world.muster.call("PATCH", "/v1/users/me").header("authorization", &bearer);
    assert_eq!(own.json(json!({ "reference_id": "x" })).send().await.status, 403);
    let others = world.muster.call("GET", &users(&world)).header("authorization", &bearer).send().await;
    assert_eq!(others.status, 404);

    let block = json!({ "status": "BLOCKED", "status_reason": "CLIENT_INTERNAL_REASON" });
    let blocked = world.send("PATCH", &path, block).await;
    assert_eq!(
        (&blocked.body["status"], &blocked.body["status_reason"]),
        (&json!("BLOCKED"), &json!("CLIENT_INTERNAL_REASON"))
    );
    assert_eq!(me().await.status, 401);
    assert_eq!(world.muster.call("POST", "/v1/auth/login").json(login.clone()).send().await.status, 401);
    let active = world.send("PATCH", &path, json!({ "status": "ACTIVE" })).await;
    assert_eq!((&active.body["status"], &active.body["status_reason"]), (&json!("ACTIVE"), &Value::Null));
    assert_eq!(me().await.status, 401, "what was blocked stays signed out");
    assert_eq!(world.muster.call("POST", "/v1/auth/login").json(login).send().await.status, 200);
    let history = world.read(&format!("{path}/history")).await;
    let actions: Vec<_> = history["data"].as_array().unwrap().iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions, ["unblocked", "blocked", "updated", "password_changed", "created"]);
    assert_eq!(history["data"][1]["actor"], json!({ "type": "user", "id": world.ana.id }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_user_frees_its_values_and_comes_back_if_they_are_still_free() {
    let world = World::start().await;
    let path = user(&world, json!({ "email": "eva@example.com", "reference_id": "r-1" })).await;
    assert_eq!(world.call("DELETE", &path).send().await.status, 204);
    assert_eq!(world.read(&users(&world)).await["page"]["total_items"], 0);
    let deleted = world.read(&format!("{}/deleted", users(&world))).await;
    assert_eq!(deleted["data"][0]["status"], "DELETED");
    let by_status = world.read(&format!("{}?filter[status]=DELETED", users(&world))).await;
    assert_eq!(by_status["data"], deleted["data"]);
    assert_eq!(refused(&world.send("PATCH", &path, json!({ "name": "x" })).await), as_refused((409, "", "deleted")));

    let taker = user(&world, json!({ "email": "eva@example.com" })).await;
    let restore = || world.call("POST", &format!("{path}/restoration")).send();
    assert_eq!(refused(&restore().await), as_refused((409, "/email", "taken")));
    assert_eq!(world.send("PATCH", &taker, json!({ "email": "new@example.com" })).await.status, 200);
    let restored = restore().await;
    assert_eq!((restored.status.as_u16(), &restored.body["status"]), (200, &json!("ACTIVE")), "{restored:?}");
    assert_eq!(refused(&restore().await), as_refused((409, "", "not_deleted")));
    assert_eq!(world.read(&users(&world)).await["page"]["total_items"], 2);
    assert_eq!(world.read(&format!("{}/deleted", users(&world))).await["page"]["total_items"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn families_are_one_level_deep_and_go_together() {
    let world = World::start().await;
    let parent = user(&world, json!({ "email": "p@example.com" })).await;
    let parent_id = parent.rsplit('/').next().unwrap().to_owned();
    let child = user(&world, json!({ "parent_id": parent_id, "name": "Kid" })).await;
    let child_id = child.rsplit('/').next().unwrap().to_owned();
    let family = world.read(&format!("{parent}/family")).await;
    assert_eq!((&family["parent"], &family["children"][0]["name"]), (&Value::Null, &json!("Kid")));
    assert_eq!(world.read(&format!("{child}/family")).await["parent"]["id"], json!(parent_id));

    let unknown = as_refused((400, "/parent_id", "unknown"));
    let grandchild = world.send("POST", &users(&world), json!({ "parent_id": child_id })).await;
    assert_eq!(refused(&grandchild), unknown);
    let cycle = world.send("PATCH", &parent, json!({ "parent_id": child_id })).await;
    assert_eq!(refused(&cycle), as_refused((409, "/parent_id", "has_children")));
    assert_eq!(
        refused(&world.send("PATCH", &child, json!({ "parent_id": child_id })).await),
        unknown,
        "its own parent"
    );

    assert_eq!(refused(&world.call("DELETE", &parent).send().await), as_refused((409, "", "has_children")));
    assert_eq!(world.call("DELETE", &format!("{parent}?cascade=true")).send().await.status, 204);
    assert_eq!(world.read(&users(&world)).await["page"]["total_items"], 0);
    let alone = world.call("POST", &format!("{child}/restoration")).send().await;
    assert_eq!(refused(&alone), as_refused((409, "/parent_id", "no_parent")));
    assert_eq!(world.call("POST", &format!("{parent}/restoration")).send().await.status, 200);
    assert_eq!(world.call("POST", &format!("{child}/restoration")).send().await.status, 200);
    assert_eq!(refused(&world.call("DELETE", &parent).send().await), as_refused((409, "", "has_children")));

    assert_eq!(world.call("DELETE", &child).send().await.status, 204);
    assert_eq!(world.call("DELETE", &format!("{parent}?purge=true")).send().await.status, 204);
    let orphan = world.call("POST", &format!("{child}/restoration")).send().await;
    assert_eq!((orphan.status.as_u16(), &orphan.body["parent_id"]), (200, &Value::Null), "{orphan:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_user_of_a_batch_stands_or_falls_alone() {
    let world = World::start().await;
    let mut users_sent: Vec<_> = (0..97).map(|n| json!({ "email": format!("u{n}@example.com") })).collect();
    users_sent.push(json!({ "email": "U5@example.com", "name": "Second" }));
    users_sent.push(json!({ "name": "No e-mail", "gender": "X" }));
    users_sent.push(json!({ "email": "last@example.com" }));
    let reply = world.send("POST", &format!("{}/batch", users(&world)), json!({ "users": users_sent })).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let results = reply.body["results"].as_array().unwrap();
    let statuses: Vec<_> = results.iter().map(|result| result["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses[..97], [201; 97]);
    assert_eq!(statuses[97..], [409, 400, 201]);
    assert_eq!(results[97]["error"]["errors"][0]["pointer"], "/email");
    assert_eq!(results[98]["error"]["errors"][0]["pointer"], "/gender");
    assert_eq!(world.read(&users(&world)).await["page"]["total_items"], 98);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_tell_each_user_once_with_its_latest_state_and_who_is_gone() {
    let world = World::start().await;
    let one = user(&world, json!({ "email": "one@example.com" })).await;
    let two = user(&world, json!({ "email": "two@example.com" })).await;
    let changes = |since: String| {
        let path = format!("{}/changes?{since}", users(&world));
        let world = &world;
        async move { world.read(&path).await }
    };
    let told = |page: &Value| -> Vec<(String, bool)> {
        let rows = page["data"].as_array().unwrap().iter();
        rows.map(|row| (format!("/v1/users/{}", row["id"].as_str().unwrap()), row["deleted"].as_bool().unwrap()))
            .collect()
    };
    let first = changes(String::new()).await;
    assert_eq!(told(&first), [(one.clone(), false), (two.clone(), false)]);
    let cursor = |page: &Value| format!("since={}", page["cursor"].as_str().unwrap());
    assert_eq!(told(&changes(cursor(&first)).await), []);
    let page = changes("page[size]=1".to_owned()).await;
    assert_eq!((told(&page), &page["has_more"]), (vec![(one.clone(), false)], &json!(true)));
    assert_eq!(told(&changes(cursor(&page)).await), [(two.clone(), false)]);

    assert_eq!(world.send("PATCH", &one, json!({ "name": "A" })).await.status, 200);
    assert_eq!(world.send("PATCH", &one, json!({ "name": "B" })).await.status, 200);
    assert_eq!(world.call("DELETE", &two).send().await.status, 204);
    let next = changes(cursor(&first)).await;
    assert_eq!(told(&next), [(one.clone(), false), (two.clone(), true)]);
    assert_eq!(next["data"][0]["user"]["name"], "B");
    assert_eq!(world.call("DELETE", &format!("{two}?purge=true")).send().await.status, 204);
    assert_eq!(told(&changes(cursor(&next)).await), [(two.clone(), true)]);
    let since = format!("since={}", first["data"][0]["changed_at"].as_str().unwrap());
    assert_eq!(told(&changes(since).await).len(), 2);
    let wrong = world.get(&format!("{}/changes?since=yesterday", users(&world))).await;
    assert_eq!(refused(&wrong), as_refused((400, "/since", "invalid_time")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_users_name_stays_and_who_is_excluded_is_shut_out_and_left_out() {
    let world = World::start().await;
    let segment = format!("/v1/segments/{}", world.segment);
    let made = |path: &str, body: Value| {
        let (path, world) = (format!("{segment}/{path}"), &world);
        async move { id(&world.muster.made(&world.ana, &path, body).await) }
    };
    let partner = made("partners", json!({ "commercial_name": "Acme" })).await;
    let locked = made("statuses", json!({ "name": "Locked", "is_excluded": true })).await;
    let open = made("statuses", json!({ "name": "Open" })).await;
    let body = json!({
        "email": "eva@example.com", "password": "correct horse battery", "partner_id": partner, "status_id": open,
    });
    let path = user(&world, body).await;
    let login = json!({ "email": "eva@example.com", "password": "correct horse battery", "segment_id": world.segment });
    let log_in = || world.muster.call("POST", "/v1/auth/login").json(login.clone()).send();
    let tokens = log_in().await;
    let bearer = format!("Bearer {}", tokens.body["access_token"].as_str().unwrap());
    let me = || world.muster.call("GET", "/v1/users/me").header("authorization", &bearer).send();
    assert_eq!(me().await.status, 200);
    for thing in [format!("partners/{partner}"), format!("statuses/{open}")] {
        let reply = world.call("DELETE", &format!("{segment}/{thing}")).send().await;
        assert_eq!(refused(&reply), as_refused((409, "", "in_use")), "{thing}");
    }
    let found = world.read(&format!("{}?filter[partner_id]={partner}&filter[status_id]={open}", users(&world))).await;
    assert_eq!(found["page"]["total_items"], 1);

    let excluded = world.send("PATCH", &path, json!({ "status_id": locked })).await;
    assert_eq!(excluded.body["status_id"], json!(locked), "{excluded:?}");
    assert_eq!((me().await.status.as_u16(), log_in().await.status.as_u16()), (401, 401));
    assert_eq!(world.read(&users(&world)).await["page"]["total_items"], 0);
    assert_eq!(world.read(&format!("{}?excluded=true", users(&world))).await["page"]["total_items"], 1);
    assert_eq!(world.read(&path).await["email"], "eva@example.com");

    assert_eq!(world.send("PATCH", &path, json!({ "status_id": null, "partner_id": null })).await.status, 200);
    assert_eq!(log_in().await.status, 200);
    assert_eq!(world.read(&users(&world)).await["page"]["total_items"], 1);
    for thing in [format!("partners/{partner}"), format!("statuses/{open}"), format!("statuses/{locked}")] {
        assert_eq!(world.call("DELETE", &format!("{segment}/{thing}")).send().await.status, 204, "{thing}");
    }
    for field in ["partner_id", "status_id"] {
        let unknown = world.send("PATCH", &path, json!({ field: partner })).await;
        assert_eq!(refused(&unknown), as_refused((400, &format!("/{field}"), "unknown")));
    }
}
