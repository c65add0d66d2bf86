//! Who may call, and what is refused.

use serde_json::{Value, json};

use super::{Calls, refused};

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_known_by_its_id_and_its_secret_and_by_nothing_else() {
    let calls = Calls::start().await;
    let world = &calls.world;
    let (other, other_token) = world.muster.key(&world.ana, "/v1/keys", &["read", "write"]).await;
    let stranger = world.muster.ana().await;
    let (foreign, foreign_token) = world.muster.key(&stranger, "/v1/keys", &["read", "write", "admin"]).await;
    let (revoked, revoked_token) = world.muster.key(&world.ana, "/v1/keys", &["read", "write"]).await;
    assert_eq!(world.call("DELETE", &format!("/v1/keys/{revoked}")).send().await.status, 204);
    let person = calls.person("ana@example.com").await;
    let bodies = [
        ("/calls/users", json!({ "action": "get_info", "group_id": calls.group, "clogin_id": person })),
        (
            "/calls/users",
            json!({ "action": "create", "group_id": calls.group, "doc": { "main_email": "x@example.com" } }),
        ),
        ("/calls/users", json!({ "action": "nothing", "group_id": calls.group })),
        ("/calls/users", json!({})),
        ("/calls/statuses", json!({ "action": "create", "group_id": calls.group, "doc": { "status_name": "X" } })),
    ];
    for (path, body) in &bodies {
        for (id, token) in [
            ("", ""),
            (&*calls.id, ""),
            ("", &*calls.token),
            (&*calls.id, "nonsense"),
            (&*calls.token, &*calls.id),
            (&*other, &*calls.token),
            (&*calls.id, &*other_token),
            (&*revoked, &*revoked_token),
            (&*calls.id, &*world.ana.access),
            (&*calls.id, &*foreign_token),
        ] {
            let mut call = world.muster.call("POST", path).json(body.clone());
            for (name, value) in [("api-id", id), ("api-token", token)] {
                call = if value.is_empty() { call } else { call.header(name, value) };
            }
            let reply = call.send().await;
            assert_eq!(refused(&reply).0, 401, "{body} {id} {reply:?}");
        }
        // A bearer token alone is none of the three headers.
        let reply = world.call("POST", path).json(body.clone()).send().await;
        assert_eq!(refused(&reply).0, 401, "{reply:?}");
    }
    // Another organization has no such group, and no such person.
    let mut abroad = Calls { id: foreign, token: foreign_token, ..calls };
    for body in [
        json!({ "action": "get_info", "clogin_id": person }),
        json!({ "action": "create", "doc": { "main_email": "x@example.com" } }),
        json!({ "action": "set_status", "clogin_id": person, "doc": { "status_id": 0 } }),
    ] {
        let expected = (404, "group_id is no group of this organization".to_owned());
        assert_eq!(refused(&abroad.send(body).await), expected);
    }
    abroad.id = String::new();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_needs_the_scope_and_opens_the_whole_account() {
    let calls = Calls::start().await;
    let person = calls.person("ana@example.com").await;
    let world = &calls.world;
    let (id, token) = world.muster.key(&world.ana, "/v1/keys", &["read"]).await;
    let (segment_id, segment_token) = world.key(&["read", "write", "admin"]).await;
    let doc = json!({ "main_email": "x@example.com", "first_name": "X", "status_id": 0, "status_name": "X",
        "product_list": [{ "name": "x" }], "email_list": [{ "to": "x@example.com" }] });
    for action in ["create", "create_child", "login", "update", "add_product", "add_email", "get_info", "set_status"] {
        let doc = match action {
            "update" => json!({ "first_name": "X" }),
            "create" | "create_child" => json!({ "main_email": "x@example.com" }),
            _ => doc.clone(),
        };
        let body = json!({ "action": action, "group_id": calls.group, "clogin_id": person, "connected_to": person, "doc": doc });
        let call = |id: &str, token: &str| {
            world.muster.post("/calls/users", body.clone()).header("api-id", id).header("api-token", token).send()
        };
        let reply = call(&id, &token).await;
        assert_eq!(reply.status, if action == "get_info" { 200 } else { 403 }, "{action} {reply:?}");
        let reply = call(&segment_id, &segment_token).await;
        assert_eq!(refused(&reply).0, 403, "{action} {reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_by_its_name() {
    let calls = Calls::start().await;
    let person = calls.person("ana@example.com").await;
    for (body, status, msg) in wrong(person).into_iter().chain(wrong_forms(person)) {
        assert_eq!(refused(&calls.send(body.clone()).await), (status, msg.to_owned()), "{body}");
    }
}

/// What is wrong about a call on this person, and how it is told.
fn wrong(person: u64) -> Vec<(Value, u16, &'static str)> {
    vec![
        (json!({ "action": "get_info" }), 400, "clogin_id is required"),
        (json!({ "action": "update", "doc": { "a": 1 } }), 400, "clogin_id is required"),
        (json!({ "action": "get_info", "clogin_id": 1 }), 404, "clogin_id is nobody's in this group"),
        (json!({ "action": "get_info", "clogin_id": 0 }), 400, "clogin_id is required"),
        (json!({ "action": "create_child", "connected_to": "0" }), 400, "connected_to is required"),
        (
            json!({ "action": "get_info", "clogin_id": person, "group_id": 99 }),
            404,
            "group_id is no group of this organization",
        ),
        (
            json!({ "action": "get_info", "clogin_id": "x" }),
            400,
            "clogin_id must be a whole number from 1 to 2147483647",
        ),
        (
            json!({ "action": "get_info", "clogin_id": person, "group_id": 1.5 }),
            400,
            "group_id must be a whole number from 1 to 2147483647",
        ),
        (json!({ "action": "get_info", "clogin_id": person, "group_id": "" }), 400, "group_id is required"),
        (json!({ "clogin_id": person }), 400, "action is required"),
        (json!({ "action": "get_info", "clogin_id": person, "doc": [1] }), 400, "doc must be an object"),
        (json!({ "action": "get_info", "clogin_id": person, "doc": "{" }), 400, "doc must be an object"),
        (
            json!({ "action": "get_info", "clogin_id": person, "submit_forms": "maybe" }),
            400,
            "submit_forms must be true or false",
        ),
        (
            json!({ "action": "get_info", "clogin_id": person, "disable_email_sending": [] }),
            400,
            "disable_email_sending must be true or false",
        ),
        (
            json!({ "action": "fly", "clogin_id": person }),
            400,
            "action must be one of create, create_child, login, update, add_product, add_email, get_info, set_status, \
             get_user_list",
        ),
    ]
}

/// What is wrong about the form of a call, and how it is told.
fn wrong_forms(person: u64) -> Vec<(Value, u16, &'static str)> {
    vec![
        (json!({ "action": "create", "doc": {} }), 400, "main_email is required in this segment"),
        (
            json!({ "action": "create", "doc": { "main_email": "nonsense" } }),
            400,
            "main_email must be an e-mail address such as ana@example.com",
        ),
        (
            json!({ "action": "create", "doc": { "main_email": "ANA@example.com" } }),
            409,
            "main_email is taken by another user; choose another one",
        ),
        (
            json!({ "action": "update", "clogin_id": person, "doc": { "first_name": [1] } }),
            400,
            "first_name must be a string",
        ),
        (
            json!({ "action": "update", "clogin_id": person, "doc": { "phone": "0".repeat(41) } }),
            400,
            "phone must have at most 40 characters; shorten it",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_statuses_and_requests_of_no_use_are_refused() {
    let calls = Calls::start().await;
    for (path, body, status) in [
        ("/calls/statuses", json!({ "action": "delete", "doc": {} }), 400),
        ("/calls/statuses", json!({ "action": "create", "doc": { "color": "#800000" } }), 400),
        ("/calls/statuses", json!({ "action": "create", "doc": { "status_name": "A", "color": "red" } }), 400),
        ("/calls/statuses", json!({ "action": "create", "doc": { "status_name": "A", "is_excluded": 2 } }), 400),
        ("/calls/nothing", json!({}), 404),
    ] {
        assert_eq!(refused(&calls.call(path, body.clone()).send().await).0, status, "{body}");
    }
    let world = &calls.world;
    let authorized = |method: &str| {
        world.muster.call(method, "/calls/users").header("api-id", &calls.id).header("api-token", &calls.token)
    };
    assert_eq!(refused(&authorized("GET").send().await).0, 405);
    assert_eq!(refused(&authorized("POST").raw("text/xml", "<a/>").send().await).0, 415);
    assert_eq!(refused(&authorized("POST").raw("application/json", "{").send().await).0, 400);
    let same = json!({ "action": "create", "doc": { "status_name": "Same" } });
    let first = calls.call("/calls/statuses", same.clone()).send().await;
    assert_eq!((first.status.as_u16(), &first.body["user_info"]), (200, &Value::from(serde_json::Map::new())));
    let msg = "status_name is another status's name; choose another one".to_owned();
    assert_eq!(refused(&calls.call("/calls/statuses", same).send().await), (409, msg));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_of_another_group_is_nobody_in_this_one() {
    let calls = Calls::start().await;
    let world = &calls.world;
    let person = calls.person("ana@example.com").await;
    let other = world.muster.made(&world.ana, "/v1/segments", json!({ "name": "Other" })).await["number"].clone();
    for action in ["login", "update", "add_product", "add_email", "get_info", "set_status"] {
        let doc = json!({ "first_name": "X", "status_id": 0 });
        let reply = calls.send(json!({ "action": action, "group_id": other, "clogin_id": person, "doc": doc })).await;
        assert_eq!(refused(&reply), (404, "clogin_id is nobody's in this group".to_owned()), "{action}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_set_is_left_out_null_empty_or_nobodys_number() {
    let calls = Calls::start().await;
    let unset = [json!(null), json!(""), json!(0), json!("0"), json!(false), json!("false")];
    for (nth, unset) in unset.into_iter().enumerate() {
        let body = json!({ "action": "create", "clogin_id": unset, "connected_to": unset, "submit_forms": null,
            "disable_email_sending": "", "other": [1], "doc": { "main_email": format!("{nth}@example.com"), "password": 8273640195u64 } });
        let made = calls.done(body).await;
        assert_eq!(made["user_info"]["connected_to"], made["user_info"]["clogin_id"]);
    }
    let login = json!({ "email": "0@example.com", "password": "8273640195", "segment_id": calls.world.segment });
    assert_eq!(calls.world.muster.post("/v1/auth/login", login).send().await.status, 200, "digits are a password too");
    let body =
        json!({ "action": "get_info", "group_id": calls.group, "clogin_id": calls.person("a@example.com").await });
    for name in ["", " "] {
        let call = calls.world.muster.post("/calls/users", body.clone()).header("api-id", &calls.id);
        let reply = call.header("api-token", &calls.token).header("api-user", name).send().await;
        assert_eq!(reply.status, 200, "a name that is empty is none: {reply:?}");
    }
    let status = json!({ "action": "create", "doc": { "status_name": "A", "color": "", "is_excluded": "" } });
    let status = calls.call("/calls/statuses", status).send().await;
    assert_eq!(status.status, 200, "{status:?}");
    let status = json!({ "action": "create", "doc": { "status_name": "" } });
    assert_eq!(
        refused(&calls.call("/calls/statuses", status).send().await),
        (400, "status_name is required".to_owned())
    );
}
