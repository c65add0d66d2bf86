//! What is written: users made all or none, changed, deleted.

use serde_json::{Value, json};

use super::{B2b, error, told, user};

#[tokio::test(flavor = "multi_thread")]
async fn an_array_is_made_whole_or_not_at_all() {
    let b2b = B2b::start().await;
    b2b.user("taken").await;
    let mut same = user("new");
    same["email"] = json!("TAKEN@example.com");
    let twice = user("a");
    for rows in [json!([user("a"), user("b"), same]), json!([twice, twice])] {
        let refused = b2b.send("POST", "/User/create", rows).await;
        assert_eq!(told(&refused), error(409, "Duplicate entry => Care with email and username"));
        assert_eq!(b2b.get("/User/getUser").await["pagination"]["totalItems"], 1);
    }
    let mut remote = user("c");
    remote["idRemote"] = json!("taken");
    let refused = b2b.send("POST", "/User/create", json!([user("a"), remote])).await;
    assert_eq!(told(&refused), error(409, "Duplicate entry => Care with idRemote"));
    let made = b2b.send("POST", "/User/create", json!([user("a"), user("b")])).await;
    assert_eq!((made.status.as_u16(), made.body.as_array().unwrap().len()), (201, 2), "{made:?}");
    assert_eq!((&made.body[0]["idRemote"], &made.body[1]["idRemote"]), (&json!("a"), &json!("b")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_changed_by_either_id_and_what_is_left_out_stays() {
    let b2b = B2b::start().await;
    let id = b2b.user("erp-1").await;
    let changed = b2b
        .send("PUT", &format!("/User/update/{id}"), json!({ "name": "Eva", "username": 12345, "idRemote": "other" }))
        .await;
    assert_eq!(told(&changed), (200, json!({ "id": id, "idRemote": "erp-1" })), "idRemote is not changed");
    let off = b2b.send("PUT", "/User/update/erp-1", json!({ "active": "0", "dateValid": "2027-01-01" })).await;
    assert_eq!(off.status, 200, "{off:?}");
    let shown = b2b.get("/User/getUser?id=erp-1").await["data"][0].clone();
    let part = ["name", "username", "email", "status", "active", "dateValid"].map(|name| shown[name].clone());
    let expected = [
        json!("Eva"),
        json!("12345"),
        json!("erp-1@example.com"),
        json!("BLOCKED"),
        json!(false),
        json!("2027-01-01T00:00:00.000Z"),
    ];
    assert_eq!(part, expected);
    assert_eq!(b2b.world.read(&format!("/v1/users/{id}")).await["status"], "BLOCKED");
    let unset = b2b.send("PUT", "/User/update/erp-1", json!({ "active": 1, "dateValid": "" })).await;
    assert_eq!(unset.status, 200, "{unset:?}");
    let shown = b2b.get("/User/getUser?id=erp-1").await["data"][0].clone();
    assert_eq!((&shown["active"], &shown["dateValid"]), (&json!(true), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_object_and_an_array_of_one_are_the_same() {
    let b2b = B2b::start().await;
    let created = b2b.send("POST", "/User/create", user("erp-1")).await;
    let id = created.body[0]["id"].clone();
    assert_eq!(told(&created), (201, json!([{ "id": id, "idRemote": "erp-1" }])));
    let changed = b2b.send("PUT", "/User/update/erp-1", json!([{ "name": "Eva" }])).await;
    assert_eq!(told(&changed), (200, json!({ "id": id, "idRemote": "erp-1" })));
    assert_eq!(b2b.get("/User/getUser?id=erp-1").await["data"][0]["name"], "Eva");
    let changed = b2b.send("PUT", "/BusinessPartner/update/home", json!([{ "role": "supplier" }])).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(b2b.get("/BusinessPartner/getBPartner").await["data"][0]["role"], "supplier");
    for path in ["/User/update/erp-1", "/BusinessPartner/update/home"] {
        for body in [json!([]), json!([{}, {}]), json!([1]), json!("x")] {
            let refused = b2b.send("PUT", path, body.clone()).await;
            assert_eq!(told(&refused), error(400, "The body must be an object."), "{path} {body}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_can_be_made_inactive() {
    let b2b = B2b::start().await;
    let mut new = user("erp-1");
    new["active"] = json!(false);
    let made = b2b.send("POST", "/User/create", json!([new])).await;
    let v1 = b2b.world.read(&format!("/v1/users/{}", made.body[0]["id"].as_str().unwrap())).await;
    assert_eq!((&v1["status"], &v1["version"]), (&json!("BLOCKED"), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_user_gives_its_values_up_and_can_come_back_unless_they_are_taken() {
    let b2b = B2b::start().await;
    let (id, other) = (b2b.user("erp-1").await, b2b.user("erp-2").await);
    let gone = b2b.call("DELETE", "/User/delete/erp-1").send().await;
    assert_eq!(told(&gone), (200, json!({ "id": id })));
    assert_eq!(b2b.call("DELETE", &format!("/User/delete/{other}")).send().await.status, 200);
    let history = b2b.get("/DeletedHistory/getDeleted").await;
    let rows = history["data"].as_array().unwrap();
    let deleted = b2b.world.read(&format!("/v1/users/{id}")).await;
    let expected = json!({ "id": id, "columnId": id, "columnIdRemote": "erp-1", "table": "User", "createdAt": deleted["updated_at"] });
    assert_eq!((rows.len(), &rows[0], &history["pagination"]["totalItems"]), (2, &expected, &json!(2)));
    for by in [id.as_str(), "erp-1"] {
        for (method, path) in [("GET", "/User/getUser?id="), ("PUT", "/User/update/"), ("DELETE", "/User/delete/")] {
            let call = b2b.call(method, &format!("{path}{by}"));
            let reply = if method == "PUT" { call.json(json!({ "name": "X" })) } else { call }.send().await;
            assert_eq!(told(&reply), error(404, &format!("No entity found for User with {by}.")), "{method}");
        }
    }
    let again = b2b.user("erp-1").await;
    assert_ne!(again, id);
    let restore = |id: &str| format!("/v1/users/{id}/restoration");
    let refused = b2b.world.call("POST", &restore(&id)).send().await;
    assert_eq!(refused.status, 409, "somebody has its e-mail by now: {refused:?}");
    assert_eq!(b2b.world.call("POST", &restore(&other)).send().await.status, 200);
    assert_eq!(b2b.get("/DeletedHistory/getDeleted").await["pagination"]["totalItems"], 1);
    assert_eq!(b2b.get("/User/getUser?id=erp-2").await["data"][0]["id"], other);
}
