//! Each action, and what it leaves under `/v1`.

use serde_json::{Value, json};

use super::{Calls, clogin};

#[tokio::test(flavor = "multi_thread")]
async fn create_makes_a_person_with_its_fields_its_metadata_and_a_password() {
    let calls = Calls::start().await;
    let doc = json!({ "username": "ana.lopez", "password": "correct horse battery", "main_email": "ana@example.com",
        "org_name": "Café Sur", "first_name": "Ana", "last_name": "López", "application_date": "2026-11-21" });
    let made = calls.done(json!({ "action": "create", "doc": doc })).await;
    let number = clogin(&made);
    let info = json!({ "clogin_id": number.to_string(), "group_id": calls.group.to_string(), "connected_to": number.to_string() });
    assert_eq!((&made["user_info"], &made["meta_info"]["u_name"]), (&info, &json!("Ana López")));
    assert_eq!((&made["meta_info"]["total_balance"], &made["meta_info"]["status_id"]), (&json!("0.00"), &json!("0")));
    let user = calls.user("ana@example.com").await;
    let fields = ["username", "name", "last_name"].map(|name| user[name].clone());
    assert_eq!(fields, [json!("ana.lopez"), json!("Ana"), json!("López")]);
    assert_eq!(user["metadata"], json!({ "org_name": "Café Sur", "application_date": "2026-11-21" }));
    assert_eq!(user["number"], number);
    let login =
        json!({ "email": "ana@example.com", "password": "correct horse battery", "segment_id": calls.world.segment });
    assert_eq!(calls.world.muster.post("/v1/auth/login", login).send().await.status, 200);
    let history = calls.world.read(&format!("/v1/users/{}/history", user["id"].as_str().unwrap())).await;
    let last = history["data"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&last["actor"], &last["actor_name"]),
        (&json!({ "type": "key", "id": calls.id }), &json!("Íñigo Ruiz"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blank_username_becomes_the_e_mail_if_that_is_free_and_is_else_made_up() {
    let calls = Calls::start().await;
    calls.world.user(json!({ "username": "taken@example.com" })).await;
    for (email, own) in [("free@example.com", true), ("taken@example.com", false)] {
        let made = calls.done(json!({ "action": "create", "doc": { "username": "", "main_email": email } })).await;
        let username = made["meta_info"]["u_name"].as_str().unwrap();
        assert_eq!(username == email, own, "{username}");
        assert!(!username.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn update_writes_form_fields_by_name_and_never_system_fields() {
    let calls = Calls::start().await;
    let person = calls.person("ana@example.com").await;
    let doc = json!({ "first_name": "Eva", "last_name": "", "phone": 525512345678_u64, "shoe_size": 38, "hobbies": ["tea", 2],
        "org_name": "Sur" });
    calls.done(json!({ "action": "update", "clogin_id": person.to_string(), "doc": doc.to_string() })).await;
    let user = calls.user("ana@example.com").await;
    let own = ["name", "last_name", "phone"].map(|name| user[name].clone());
    // Without a country and a calling code, nobody knows which number that is.
    assert_eq!(own, [json!("Eva"), Value::Null, Value::Null]);
    assert_eq!(user["phone_display"], "525512345678");
    assert_eq!(user["metadata"], json!({ "shoe_size": 38, "hobbies": ["tea", 2], "org_name": "Sur" }));
    calls.done(json!({ "action": "update", "clogin_id": person, "doc": { "shoe_size": null } })).await;
    assert_eq!(calls.user("ana@example.com").await["metadata"], json!({ "hobbies": ["tea", 2], "org_name": "Sur" }));
    for name in
        ["status", "status_id", "clogin_id", "id", "number", "version", "partner_id", "metadata", "password", "_x"]
    {
        let reply = calls.send(json!({ "action": "update", "clogin_id": person, "doc": { name: "1" } })).await;
        let expected = (400, format!("{name} is a system field, which no form writes"));
        assert_eq!(super::refused(&reply), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn add_product_subscribes_and_meta_info_tells_the_sums() {
    let calls = Calls::start().await;
    let person = calls.person("ana@example.com").await;
    let products = format!("/v1/segments/{}/products", calls.world.segment);
    let made = async |body: Value| crate::world::id(&calls.world.muster.made(&calls.world.ana, &products, body).await);
    let one = made(json!({ "title": "Course", "value": "499.90", "currency": "MXN" })).await;
    made(json!({ "title": "Book", "reference_id": "17", "value": "10.5", "currency": "MXN" })).await;
    made(json!({ "title": "Free" })).await;
    made(json!({ "title": "Other" })).await;
    let list = json!([{ "p_id": one, "q": "2" }, { "p_id": 17, "q": 3 }, { "name": "free" }]);
    let added =
        calls.done(json!({ "action": "add_product", "clogin_id": person, "doc": { "product_list": list } })).await;
    let meta = &added["meta_info"];
    let sums =
        ["total_order", "total_paid", "total_balance", "total_forms", "completed_forms"].map(|name| meta[name].clone());
    assert_eq!(sums, [json!("1031.30"), json!("0.00"), json!("1031.30"), json!("3"), json!("0")]);
    let user = calls.user("ana@example.com").await;
    let path =
        format!("/v1/segments/{}/subscriptions?filter[user_id]={}", calls.world.segment, user["id"].as_str().unwrap());
    let subscriptions = calls.world.read(&path).await["data"].as_array().unwrap().clone();
    let mut quantities: Vec<_> = subscriptions.iter().map(|one| one["quantity"].as_u64().unwrap()).collect();
    quantities.sort_unstable();
    assert_eq!(quantities, [1, 2, 3]);
    let info = calls
        .done(json!({ "action": "get_info", "clogin_id": person, "doc": { "_userproducts": 1, "_userforms": 1 } }))
        .await;
    let shown = info["doc"]["_userproducts"].as_array().unwrap();
    let course = shown.iter().find(|product| product["name"] == "Course").unwrap();
    assert_eq!((&course["p_id"], &course["q"], &course["value"]), (&json!(one), &json!("2"), &json!("499.90")));
    assert_eq!(info["doc"]["_userforms"].as_array().unwrap().len(), 3);
    for (list, status, msg) in [
        (json!([{ "p_id": "none" }]), 400, "product_list[0] is no product of this group"),
        (json!([{ "name": "Unheard of" }, { "p_id": "none" }]), 400, "product_list[1] is no product of this group"),
        (json!([{ "name": "Other" }, { "q": 1 }]), 400, "product_list[1] is no product of this group"),
        (json!([{ "p_id": one, "q": 0 }]), 400, "product_list[0].q must be a whole number from 1 to 1000000"),
        (json!([{ "p_id": one }]), 409, "product_list[0] has this product already"),
        (json!([{ "name": "Other" }, { "p_id": 17 }]), 409, "product_list[1] has this product already"),
        (json!([{ "name": "Other" }, { "name": "Other" }]), 409, "product_list[1] has this product already"),
        (json!([]), 400, "product_list must be an object, or an array of 1 to 20 objects"),
        (json!([{ "name": "New" }, { "name": "NÉW" }]), 409, "product_list[1] has this product already"),
    ] {
        let reply =
            calls.send(json!({ "action": "add_product", "clogin_id": person, "doc": { "product_list": list } })).await;
        assert_eq!(super::refused(&reply), (status, msg.to_owned()), "{list}");
    }
    assert_eq!(calls.world.read(&path).await["page"]["total_items"], 3, "a list is added as a whole or not at all");
    assert_eq!(calls.private_products().await, Vec::<Value>::new(), "nothing is created for a list that is refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn named_product_that_does_not_exist_is_created_once_and_is_private() {
    let calls = Calls::start().await;
    let mut people = Vec::new();
    for nth in 0..10 {
        people.push(calls.person(&format!("p{nth}@example.com")).await);
    }
    let add = |person: &u64| {
        let list = json!({ "name": "Gala dinner", "q": "2", "price": 40.5 });
        let body = json!({ "action": "add_product", "clogin_id": person, "doc": { "product_list": list } });
        calls.call("/calls/users/", body).send()
    };
    let replies = crate::races::all(people.iter().map(add)).await;
    for reply in &replies {
        let sums = (&reply.body["success"], &reply.body["meta_info"]["total_order"]);
        assert_eq!(sums, (&json!(true), &json!("81.00")), "{reply:?}");
    }
    let products = calls.private_products().await;
    assert_eq!(
        (products.len(), &products[0]["title"], &products[0]["value"]),
        (1, &json!("Gala dinner"), &json!("40.5"))
    );
    let again = json!([{ "name": "gala DINNER", "price": 99 }, { "name": "Taxi" }]);
    let eve = calls.person("eve@example.com").await;
    let added = json!({ "action": "add_product", "clogin_id": eve, "doc": { "product_list": again } });
    assert_eq!(
        calls.done(added).await["meta_info"]["total_order"],
        "99.00",
        "the product that exists, at the price that is sent"
    );
    assert_eq!(calls.private_products().await.len(), 2);
    // Lists leave it out, and it can be made an offer like any other.
    let path = format!("/v1/segments/{}/products", calls.world.segment);
    assert_eq!(calls.world.read(&path).await["data"], json!([]));
    let one = format!("{path}/{}", products[0]["id"].as_str().unwrap());
    let taken = calls.world.send("PATCH", &one, json!({ "title": "TAXI" })).await;
    assert_eq!(crate::world::refused(&taken), crate::world::as_refused((409, "/title", "taken")));
    assert_eq!(calls.world.send("PATCH", &one, json!({ "private": false })).await.status, 200);
    assert_eq!(calls.world.read(&path).await["data"][0]["title"], "Gala dinner");
    assert_eq!(calls.private_products().await.len(), 1);
    let same = json!({ "title": "Táxi", "private": true });
    let same = calls.world.send("POST", &path, same).await;
    assert_eq!(crate::world::refused(&same), crate::world::as_refused((409, "/title", "taken")));
}

#[tokio::test(flavor = "multi_thread")]
async fn users_of_a_group_are_listed_in_pages() {
    let calls = Calls::start().await;
    let parent = calls.person("ana@example.com").await;
    let child = json!({ "action": "create_child", "connected_to": parent, "doc": { "first_name": "Eva" } });
    let child = clogin(&calls.done(child).await);
    // A user of `/v1` gets its number here, and one who is locked is left out.
    calls.world.user(json!({ "email": "leo@example.com" })).await;
    let out = calls.person("out@example.com").await;
    let status = json!({ "action": "create", "doc": { "status_name": "Out", "is_excluded": "1" } });
    assert_eq!(calls.call("/calls/statuses/", status).send().await.body["status_id"], 1);
    calls.done(json!({ "action": "set_status", "clogin_id": out, "status_id": "1", "doc": [] })).await;
    let list = async |doc: Value| {
        let reply = calls.send(json!({ "action": "get_user_list", "doc": doc })).await;
        assert_eq!((reply.status.as_u16(), &reply.body["success"]), (200, &json!(true)), "{reply:?}");
        reply.body
    };
    let all = list(json!([])).await;
    assert_eq!((&all["total"], &all["meta_info"], &all["user_info"]), (&json!(3), &json!({}), &json!({})));
    let rows = all["users"].as_array().unwrap();
    let names: Vec<_> = rows.iter().map(|row| row["meta_info"]["u_name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Ana", "Eva", "leo@example.com"]);
    let connected: Vec<_> = rows.iter().map(|row| row["user_info"]["connected_to"].as_str().unwrap()).collect();
    let own = rows[2]["user_info"]["clogin_id"].as_str().unwrap();
    assert_eq!(connected, [parent.to_string(), parent.to_string(), own.to_owned()]);
    for row in rows {
        let clogin_id = row["user_info"]["clogin_id"].as_str().unwrap();
        let info = calls.done(json!({ "action": "get_info", "clogin_id": clogin_id, "doc": [] })).await;
        assert_eq!(*row, json!({ "user_info": info["user_info"], "meta_info": info["meta_info"] }));
    }
    let second = list(json!({ "page": "2", "limit": 1 })).await;
    assert_eq!(
        (&second["total"], &second["users"], second["users"].as_array().unwrap().len()),
        (&json!(3), &json!([rows[1]]), 1)
    );
    assert_eq!(rows[1]["user_info"]["clogin_id"], child.to_string());
    assert_eq!(list(json!({ "page": 9 })).await["users"], json!([]));
    for (doc, msg) in [
        (json!({ "limit": 101 }), "limit must be a whole number from 1 to 100"),
        (json!({ "page": 0 }), "page must be a whole number from 1 to 1000000"),
    ] {
        let reply = calls.send(json!({ "action": "get_user_list", "doc": doc })).await;
        assert_eq!(super::refused(&reply), (400, msg.to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_that_was_added_is_told_as_it_is_read_later() {
    let calls = Calls::start().await;
    let person = calls.person("ana@example.com").await;
    let user = calls.user("ana@example.com").await["id"].clone();
    calls.world.member(json!({ "user_id": user, "approval": "APPROVED" })).await;
    let product = calls.world.product().await;
    for list in [json!([{ "p_id": product, "q": 2 }]), json!([{ "p_id": calls.priced("9.99").await }])] {
        let added =
            calls.done(json!({ "action": "add_product", "clogin_id": person, "doc": { "product_list": list } })).await;
        let info = calls.done(json!({ "action": "get_info", "clogin_id": person })).await;
        assert_eq!(added["meta_info"], info["meta_info"], "the member of before is the subscriber of now");
        assert_eq!(info["meta_info"]["completed_forms"], "1");
    }
}

impl Calls {
    /// The private products of the segment.
    async fn private_products(&self) -> Vec<Value> {
        let path = format!("/v1/segments/{}/products?private=true", self.world.segment);
        self.world.read(&path).await["data"].as_array().unwrap().clone()
    }

    /// The id of a new product of this value.
    async fn priced(&self, value: &str) -> String {
        let product = json!({ "title": value, "value": value, "currency": "MXN" });
        let products = format!("/v1/segments/{}/products", self.world.segment);
        crate::world::id(&self.world.muster.made(&self.world.ana, &products, product).await)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn add_email_is_recorded_masked_and_sends_nothing() {
    let calls = Calls::start().await;
    let person = calls.person("ana@example.com").await;
    // What has changed is told to the bus, which is no e-mail.
    let sent = || calls.world.muster.outbox(None).into_iter().filter(|sent| sent.kind != "event").count();
    let before = sent();
    let email = json!({ "from": "hello@example.com", "to": ["ana@example.com", "eva@example.com"], "subject": "Welcome",
        "body": "Line one\nsecret line", "cc": "", "bcc": "x@example.com;y@example.com" });
    calls.done(json!({ "action": "add_email", "clogin_id": person, "doc": { "email_list": [email] } })).await;
    let user = calls.user("ana@example.com").await;
    let path = format!("/v1/users/{}/history", user["id"].as_str().unwrap());
    let last = calls.world.read(&path).await["data"][0].clone();
    let kept = json!([{ "field": "email_list", "old": null, "new": { "from": "h•••o@example.com", "to": "a•••@example.com, e•••@example.com",
        "subject": "Welcome", "body": "•••", "cc": null, "bcc": "x•••@example.com, y•••@example.com" } }]);
    assert_eq!((&last["action"], &last["changes"]), (&json!("emails_recorded"), &kept));
    assert!(!calls.world.muster.whole_table().await.contains("secret line"));
    assert_eq!(sent(), before, "nothing is sent");
    let reply = calls
        .send(json!({ "action": "add_email", "clogin_id": person, "doc": { "email_list": [{ "subject": "x" }] } }))
        .await;
    assert_eq!(super::refused(&reply), (400, "email_list[0].to is required".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_excluded_status_locks_until_it_is_removed() {
    let calls = Calls::start().await;
    let person = calls.person("ana@example.com").await;
    let made = calls
        .call(
            "/calls/statuses",
            json!({ "action": "create", "doc": { "status_name": "On hold", "color": "#800000", "is_excluded": 1 } }),
        )
        .send()
        .await;
    assert_eq!(
        (made.status.as_u16(), &made.body["success"], &made.body["status_id"]),
        (200, &json!(true), &json!(1)),
        "{made:?}"
    );
    let set = calls.done(json!({ "action": "set_status", "clogin_id": person, "doc": { "status_id": "1" } })).await;
    assert_eq!(
        (&set["effected_users"], &set["meta_info"]["status_id"], &set["meta_info"]["status_name"]),
        (&json!(1), &json!("1"), &json!("On hold"))
    );
    assert_eq!(calls.user("ana@example.com").await, Value::Null, "left out of lists");
    let info = calls.done(json!({ "action": "get_info", "clogin_id": person, "doc": { "main_email": 1 } })).await;
    assert_eq!(info["doc"], json!({ "main_email": "ana@example.com" }));
    let set = calls.done(json!({ "action": "set_status", "clogin_id": person, "doc": { "status_id": 0 } })).await;
    assert_eq!(set["meta_info"]["status_id"], "0");
    assert_eq!(calls.user("ana@example.com").await["status_id"], Value::Null);
    for (doc, expected) in [
        (json!({}), "status_id is required"),
        (json!({ "status_id": 9 }), "status_id is no status of this group"),
        (json!({ "status_id": "x" }), "status_id must be the number of a status, or 0 for none"),
    ] {
        let reply = calls.send(json!({ "action": "set_status", "clogin_id": person, "doc": doc })).await;
        assert_eq!(super::refused(&reply), (400, expected.to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn get_info_tells_what_its_flags_ask_for() {
    let calls = Calls::start().await;
    let doc = json!({ "main_email": "ana@example.com", "first_name": "Ana", "org_name": "Sur" });
    let person = clogin(&calls.done(json!({ "action": "create", "doc": doc })).await);
    let info = calls.done(json!({ "action": "get_info", "clogin_id": person, "doc": { "_allfields": 1 } })).await;
    let all = json!({ "main_email": "ana@example.com", "username": "ana@example.com", "first_name": "Ana", "org_name": "Sur" });
    assert_eq!(info["doc"], all);
    let asked = json!({ "first_name": true, "org_name": "1", "last_name": 1, "main_email": 0 });
    let info = calls.done(json!({ "action": "get_info", "clogin_id": person, "doc": asked })).await;
    assert_eq!(info["doc"], json!({ "first_name": "Ana", "org_name": "Sur", "last_name": null }));
    let empty =
        json!({ "_usercart": 1, "_userpayments": "true", "_userproducts": "1", "_userforms": true, "_family": 0 });
    let info = calls.done(json!({ "action": "get_info", "clogin_id": person, "doc": empty })).await;
    let expected = json!({ "_userproducts": [], "_userforms": [], "_usercart": [], "_userpayments": [] });
    assert_eq!(info["doc"], expected);
    let nothing = calls.done(json!({ "action": "get_info", "clogin_id": person })).await;
    assert_eq!(nothing["doc"], json!({}));
}
