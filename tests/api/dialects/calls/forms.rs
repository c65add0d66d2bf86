//! What forms write, in all the ways in which their clients write it.

use serde_json::{Value, json};

use super::{Calls, clogin, refused};
use crate::system::Reply;

impl Calls {
    /// A call with a body of another type, whose text names the group as `GROUP`.
    async fn raw(&self, kind: &str, text: &str) -> Reply {
        let call = self.world.muster.call("POST", "/calls/users").header("api-id", &self.id);
        let text = text.replace("GROUP", &self.group.to_string());
        call.header("api-token", &self.token).raw(kind, text).send().await
    }

    /// The form fields of a person that are set.
    async fn form(&self, person: u64) -> Value {
        let info = json!({ "action": "get_info", "clogin_id": person, "doc": { "_allfields": 1 } });
        self.done(info).await["doc"].clone()
    }

    async fn update(&self, person: u64, doc: Value) -> Value {
        self.done(json!({ "action": "update", "clogin_id": person, "doc": doc })).await
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test(flavor = "multi_thread")]
async fn phone_without_a_calling_code_is_one_of_the_segment_or_the_users_country() {
    let calls = Calls::start().await;
    let of_argentina = json!({ "main_email": "a@example.com", "phone": "011 4321-1234", "operation_country": "arg" });
    let argentine = clogin(&calls.done(json!({ "action": "create", "doc": of_argentina })).await);
    assert_eq!(calls.user("a@example.com").await["phone"], "+541143211234");
    calls.update(argentine, json!({ "phone": "(011) 4321-9999" })).await;
    assert_eq!(calls.user("a@example.com").await["phone"], "+541143219999");
    let segment = format!("/v1/segments/{}", calls.world.segment);
    let settings = json!({ "settings": { "country": "MEX" } });
    assert_eq!(calls.world.send("PATCH", &segment, settings).await.status, 200);
    let doc = json!({ "main_email": "b@example.com", "phone": "55 1234 5678" });
    let parent = clogin(&calls.done(json!({ "action": "create", "doc": doc })).await);
    let doc = json!({ "main_email": "c@example.com", "phone": 5512345679_u64 });
    calls.done(json!({ "action": "create_child", "connected_to": parent, "doc": doc })).await;
    calls.update(argentine, json!({ "phone": "55 1234 5670" })).await;
    for (email, phone, display) in [
        ("a@example.com", "+525512345670", "55 1234 5670"),
        ("b@example.com", "+525512345678", "55 1234 5678"),
        ("c@example.com", "+525512345679", "5512345679"),
    ] {
        let user = calls.user(email).await;
        assert_eq!((&user["phone"], &user["phone_display"]), (&json!(phone), &json!(display)), "{email}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn form_field_that_does_not_fit_the_users_own_stays_form_text() {
    let calls = Calls::start().await;
    let person = calls.person("ana@example.com").await;
    let unfit = json!({ "identification": "X1", "gender": "F", "birthdate": "12/31/1999", "language": "Spanish",
        "nationality": "Mexican", "legal_address": ["Calle 1"] });
    let mut doc = unfit.clone();
    doc.as_object_mut()
        .unwrap()
        .extend(json!({ "city": "Madrid", "state": 7, "country": "Spain" }).as_object().unwrap().clone());
    calls.update(person, doc.clone()).await;
    let mut expected = doc.clone();
    for (name, value) in
        [("main_email", "ana@example.com"), ("username", "ana@example.com"), ("first_name", "Ana"), ("state", "7")]
    {
        expected[name] = json!(value);
    }
    let info = calls.form(person).await;
    assert_eq!(info, expected);
    let user = calls.user("ana@example.com").await;
    assert_eq!((&user["metadata"], &user["city"]), (&unfit, &json!({ "code": null, "name": "Madrid" })));
    let named = json!({ "action": "get_info", "clogin_id": person, "doc": { "gender": 1, "city": 1, "state": 1 } });
    assert_eq!(calls.done(named).await["doc"], json!({ "gender": "F", "city": "Madrid", "state": "7" }));
    // What fits takes the place of what did not, and the other way round.
    let fit = json!({ "identification": { "type": "DOCUMENT", "value": "1" }, "gender": "male", "birthdate": "1999-12-31",
        "language": "es", "nationality": "mex", "legal_address": { "city": "Madrid" }, "city": { "code": "M", "name": "Madrid" } });
    calls.update(person, fit).await;
    let user = calls.user("ana@example.com").await;
    let own = ["gender", "birthdate", "language", "nationality", "metadata"].map(|name| user[name].clone());
    assert_eq!(own, [json!("MALE"), json!("1999-12-31"), json!("es"), json!("MEX"), json!({})]);
    assert_eq!(calls.form(person).await["city"], json!({ "code": "M", "name": "Madrid" }));
    calls.update(person, json!({ "gender": "no answer" })).await;
    assert_eq!(
        (&calls.form(person).await["gender"], &calls.user("ana@example.com").await["gender"]),
        (&json!("no answer"), &Value::Null)
    );
    let wrong = json!({ "action": "update", "clogin_id": person, "doc": { "identification": { "type": "CURP", "value": "X" } } });
    assert_eq!(calls.send(wrong).await.status, 400, "an object is meant for the field");
    let created = json!({ "main_email": "eva@example.com", "gender": "female", "city": "Lima", "birthdate": "May 5" });
    calls.done(json!({ "action": "create", "doc": created })).await;
    let user = calls.user("eva@example.com").await;
    let own = ["gender", "city", "birthdate", "metadata"].map(|name| user[name].clone());
    assert_eq!(
        own,
        [json!("FEMALE"), json!({ "code": null, "name": "Lima" }), Value::Null, json!({ "birthdate": "May 5" })]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn text_of_a_form_has_the_form_of_all_text_from_outside() {
    let calls = Calls::start().await;
    let person = calls.person("ana@example.com").await;
    let doc = json!({ " org_name ": "  Sur\u{a0}", "notes": " a\r\nb ", "list": [" x ", { "y": " jose\u{301} " }], "blank": [" "] });
    calls.update(person, doc).await;
    let expected = json!({ "org_name": "Sur", "notes": "a\r\nb", "list": ["x", { "y": "josé" }], "blank": [""] });
    assert_eq!(calls.user("ana@example.com").await["metadata"], expected);
    for (value, message) in [
        (
            json!("\u{200b}"),
            "org_name must have no invisible or bidirectional control characters such as U+200B; remove them",
        ),
        (
            json!(["\u{202e}x"]),
            "org_name must have no invisible or bidirectional control characters such as U+200B; remove them",
        ),
        (json!({ "a": "x\u{0}" }), "org_name must have no control characters; remove them"),
    ] {
        for body in [
            json!({ "action": "update", "clogin_id": person, "doc": { "org_name": value } }),
            json!({ "action": "create", "doc": { "main_email": "x@example.com", "org_name": value } }),
        ] {
            assert_eq!(refused(&calls.send(body).await), (400, message.to_owned()), "{value}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_of_a_form_keep_their_digits() {
    let calls = Calls::start().await;
    let person = calls.person("ana@example.com").await;
    let body = format!(r#"{{"action":"update","group_id":GROUP,"clogin_id":{person},"doc":{{"a":1E5,"b":[1.50]}}}}"#);
    assert_eq!(calls.raw("application/json", &body).await.status, 200);
    // The document as JSON text.
    let body =
        format!(r#"{{"action":"update","group_id":GROUP,"clogin_id":{person},"doc":"{{\"c\":2E0,\"d\":1.0}}"}}"#);
    assert_eq!(calls.raw("application/json", &body).await.status, 200);
    let body =
        format!(r#"{{"action":"get_info","group_id":GROUP,"clogin_id":{person},"doc":{{"_allfields":1,"a":1}}}}"#);
    let info = calls.raw("application/json", &body).await;
    for digits in [r#""a":1E5"#, r#""b":[1.50]"#, r#""c":2E0"#, r#""d":1.0"#] {
        assert!(info.text.contains(digits), "{digits} {}", info.text);
    }
    let body = format!(
        r#"{{"action":"add_product","group_id":GROUP,"clogin_id":{person},"doc":{{"product_list":{{"name":"x","q":2e0,"price":1E2}}}}}}"#
    );
    let added = calls.raw("application/json", &body).await;
    assert_eq!(added.body["meta_info"]["total_order"], "200.00", "{added:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nested_values_may_be_json_text_and_a_blank_document_is_empty() {
    let calls = Calls::start().await;
    let person = calls.person("ana@example.com").await;
    let form = |fields: &[(&str, &str)]| {
        let own = [("group_id", calls.group.to_string()), ("clogin_id", person.to_string())];
        let mut url = reqwest::Url::parse("http://localhost").unwrap();
        url.query_pairs_mut().extend_pairs(own).extend_pairs(fields);
        url.query().unwrap().to_owned()
    };
    let list = r#"[{"name":"x","q":1,"price":"5"}]"#;
    for (fields, order) in [
        (vec![("action", "add_product"), ("doc[product_list]", list)], "5.00"),
        (vec![("action", "add_product"), ("doc[product_list][0]", r#"{"name":"y","price":2}"#)], "7.00"),
        (vec![("action", "add_email"), ("doc[email_list]", r#"{"to":"b@example.com"}"#)], "7.00"),
        (vec![("action", "get_info"), ("doc[]", "")], "7.00"),
        (vec![("action", "get_info"), ("doc", "null")], "7.00"),
        (vec![("action", "update"), ("doc", "[]")], "7.00"),
    ] {
        let reply = calls.raw(FORM, &form(&fields)).await;
        let told = (reply.status.as_u16(), &reply.body["meta_info"]["total_order"]);
        assert_eq!(told, (200, &json!(order)), "{fields:?} {reply:?}");
    }
    let version = calls.user("ana@example.com").await["version"].clone();
    for doc in [
        json!([""]),
        json!([]),
        json!({}),
        json!(null),
        json!("null"),
        json!("{}"),
        json!({ "password": "", "status": null }),
    ] {
        calls.update(person, doc.clone()).await;
        calls.done(json!({ "action": "get_info", "clogin_id": person, "doc": doc })).await;
    }
    assert_eq!(calls.user("ana@example.com").await["version"], version, "nothing was sent");
    for doc in [json!("5"), json!([1]), json!("x"), json!(true)] {
        let reply = calls.send(json!({ "action": "get_info", "clogin_id": person, "doc": doc })).await;
        assert_eq!(refused(&reply), (400, "doc must be an object".to_owned()), "{doc}");
    }
    let text = json!({ "action": "update", "clogin_id": person, "doc": { "notes": "{\"a\":1}" } });
    calls.done(text).await;
    assert_eq!(calls.form(person).await["notes"], "{\"a\":1}", "a form field is what it is");
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_take_numbers() {
    let calls = Calls::start().await;
    let person = calls.person("ana@example.com").await;
    let status = json!({ "action": "create", "doc": { "status_name": 2026, "color": "#FA0" } });
    assert_eq!(calls.call("/calls/statuses", status).send().await.status, 200);
    let statuses = calls.world.read(&format!("/v1/segments/{}/statuses", calls.world.segment)).await["data"].clone();
    assert_eq!((&statuses[0]["name"], &statuses[0]["color"]), (&json!("2026"), &json!("#ffaa00")));
    let email = json!({ "to": 1, "from": 2, "subject": 5, "body": 5, "cc": [3] });
    calls.done(json!({ "action": "add_email", "clogin_id": person, "doc": { "email_list": email } })).await;
    let list = json!({ "name": 5, "p_id": 0, "q": "1", "price": 5 });
    calls.done(json!({ "action": "add_product", "clogin_id": person, "doc": { "product_list": list } })).await;
    calls.update(person, json!({ "username": 7, "first_name": 8, "last_name": 9 })).await;
    let form = calls.form(person).await;
    assert_eq!([&form["username"], &form["first_name"], &form["last_name"]], [&json!("7"), &json!("8"), &json!("9")]);
    calls.done(json!({ "action": "set_status", "clogin_id": person, "status_id": 1 })).await;
    let removed =
        calls.done(json!({ "action": "set_status", "clogin_id": person, "doc": { "status_id": false } })).await;
    assert_eq!(removed["meta_info"]["status_id"], "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_listed_from_a_starting_position_on() {
    let calls = Calls::start().await;
    for nth in 0..5 {
        calls.person(&format!("p{nth}@example.com")).await;
    }
    let listed = async |doc: Value| {
        let reply = calls.send(json!({ "action": "get_user_list", "doc": doc })).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let row = |row: &Value| row["user_info"]["clogin_id"].as_str().unwrap().to_owned();
        reply.body["users"].as_array().unwrap().iter().map(row).collect::<Vec<_>>()
    };
    let all = listed(json!({})).await;
    for (doc, from, to) in [
        (json!({ "starting_position": 0 }), 0, 5),
        (json!({ "starting_position": "1" }), 0, 5),
        (json!({ "starting_position": 2 }), 2, 5),
        (json!({ "starting_position": 0, "limit": 2 }), 0, 2),
        (json!({ "starting_position": 2, "limit": 2 }), 2, 4),
        (json!({ "starting_position": 1, "limit": 2 }), 0, 2),
        (json!({ "starting_position": 3, "limit": 2 }), 2, 4),
        (json!({ "starting_position": 50 }), 5, 5),
    ] {
        assert_eq!(listed(doc.clone()).await, all[from..to], "{doc}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn key_that_only_writes_gets_answers_of_the_documented_shape() {
    let calls = Calls::start().await;
    let parent = calls.person("ana@example.com").await;
    let (id, token) = calls.world.muster.key(&calls.world.ana, "/v1/keys", &["write"]).await;
    let writer = Calls { id, token, ..calls };
    for body in [
        json!({ "action": "create", "doc": { "main_email": "eva@example.com" } }),
        json!({ "action": "create_child", "connected_to": parent, "doc": {} }),
        json!({ "action": "update", "clogin_id": parent, "doc": { "first_name": "Eva" } }),
        json!({ "action": "add_product", "clogin_id": parent, "doc": { "product_list": { "name": "x" } } }),
        json!({ "action": "set_status", "clogin_id": parent, "doc": { "status_id": 0 } }),
    ] {
        let reply = writer.send(body.clone()).await;
        assert_eq!((reply.status.as_u16(), &reply.body["meta_info"]), (200, &json!({})), "{body} {reply:?}");
        let names: Vec<_> = reply.body["user_info"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["clogin_id", "group_id", "connected_to"], "{body}");
        assert!(reply.body["success"] == true && reply.body["msg"].is_string(), "{reply:?}");
        assert!(!reply.text.contains("Eva") && !reply.text.contains("example.com"), "{}", reply.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_buyer_owes_the_price_that_was_sent() {
    let calls = Calls::start().await;
    let products = format!("/v1/segments/{}/products", calls.world.segment);
    let course = json!({ "title": "Course", "reference_id": "17", "value": "10.5", "currency": "MXN" });
    calls.world.muster.made(&calls.world.ana, &products, course).await;
    let mut nth = 0;
    for (list, order) in [
        (json!({ "name": "Gala", "price": 60 }), "60.00"),
        (json!({ "name": "gala", "price": "70.50", "q": 2 }), "141.00"),
        (json!({ "p_id": 17, "price": 8 }), "8.00"),
        (json!({ "name": "course", "price": "0", "q": 3 }), "0.00"),
        (json!({ "p_id": 17 }), "10.50"),
        (json!({ "p_id": 17, "price": "" }), "10.50"),
        (json!([{ "p_id": 17, "price": 20 }, { "name": "Gala", "price": 1 }]), "21.00"),
    ] {
        nth += 1;
        let person = calls.person(&format!("p{nth}@example.com")).await;
        let added = json!({ "action": "add_product", "clogin_id": person, "doc": { "product_list": list } });
        assert_eq!(calls.done(added).await["meta_info"]["total_order"], order, "{list}");
        let info = json!({ "action": "get_info", "clogin_id": person, "doc": { "_userproducts": 1 } });
        let info = calls.done(info).await;
        assert_eq!(info["meta_info"]["total_order"], order, "{list}");
        if let Some(price) = list["price"].as_str().filter(|price| !price.is_empty()) {
            assert_eq!(info["doc"]["_userproducts"][0]["value"], price);
        }
    }
    let person = calls.person("last@example.com").await;
    for (list, msg) in [
        (json!({ "p_id": 17, "price": -1 }), "product_list[0].price"),
        (json!([{ "name": "x" }, { "name": "Gala", "price": "a lot" }]), "product_list[1].price"),
        (json!({ "name": "x".repeat(101), "price": 1 }), "product_list[0].name"),
    ] {
        let reply =
            calls.send(json!({ "action": "add_product", "clogin_id": person, "doc": { "product_list": list } })).await;
        let (status, told) = refused(&reply);
        assert!(status == 400 && told.starts_with(&format!("{msg} must ")), "{told}");
    }
}
