//! Students in bulk.

use serde_json::{Value, json};

use super::{Platform, as_failed, failed};
use crate::system::PASSWORD;
use crate::world::id;

#[tokio::test(flavor = "multi_thread")]
async fn each_row_becomes_a_student_with_a_subscription_to_each_product() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let (product, course) = (world.product().await, json!({ "title": "Course" }));
    let course = world.muster.made(&world.ana, &format!("/v1/segments/{}/products", world.segment), course).await;
    let body = json!({
        "product_id": [product, course["id"]],
        "users": [
            { "name": "Ana", "last_name": "López", "email": "ana@example.com", "password": PASSWORD, "extra": 1,
              "document": "390.533.447-05", "phone": 5_511_987_654_321_u64, "reference_id": 7, "accession_date": "2026-11-01" },
            { "email": "eva@example.com", "name": "", "password": null, "document": 12_345 }
        ]
    });
    let made = platform.send("POST", "/users/create", body).await;
    assert_eq!((made.status.as_u16(), &made.body["failed"]), (200, &json!([])), "{made:?}");
    assert_eq!(made.body["message"], "2 created, 0 failed.");
    let ids: Vec<_> = made.body["created"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    let ana = world.read(&format!("/v1/users/{}", ids[0])).await;
    let identification = json!({ "type": "DOCUMENT", "value": "39053344705", "display": "390.533.447-05" });
    for (field, value) in [
        ("name", json!("Ana")),
        ("last_name", json!("López")),
        ("phone", json!("+5511987654321")),
        ("reference_id", json!("7")),
        ("identification", identification),
        ("status", json!("ACTIVE")),
    ] {
        assert_eq!(ana[field], value, "{field}");
    }
    let login = json!({ "email": "ana@example.com", "password": PASSWORD, "segment_id": world.segment });
    assert_eq!(world.muster.post("/v1/auth/login", login).send().await.status, 200);
    for (user, starts_at) in [(ids[0], json!("2026-11-01T00:00:00.000Z")), (ids[1], Value::Null)] {
        let path = format!("/v1/segments/{}/subscriptions?filter[user_id]={user}", world.segment);
        let found = world.read(&path).await;
        let found = found["data"].as_array().unwrap();
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|one| one["starts_at"] == starts_at && one["status"] == "ACTIVE"), "{found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_row_stands_or_falls_alone_and_says_why_in_these_clients_names() {
    let platform = Platform::start().await;
    platform.student().await;
    let product = platform.world.product().await;
    let rows = [
        (json!({ "email": "new@example.com" }), None),
        (json!({ "email": "NEW@example.com", "name": "Second" }), Some(("email", "taken"))),
        (json!({ "name": "Nobody" }), Some(("email", "required"))),
        (json!({ "email": "" }), Some(("email", "required"))),
        (json!({ "email": "nobody" }), Some(("email", "invalid_email"))),
        (json!({ "email": "b@example.com", "document": "12.345.678" }), Some(("document", "taken"))),
        (json!({ "email": "b@example.com", "document": "??" }), Some(("document", "invalid_document"))),
        (json!({ "email": "b@example.com", "document": true }), Some(("document", "invalid_type"))),
        (json!({ "email": "b@example.com", "reference_id": "crm-1" }), Some(("reference_id", "taken"))),
        (json!({ "email": "b@example.com", "phone": true }), Some(("phone", "invalid_type"))),
        (json!({ "email": "b@example.com", "password": "short" }), Some(("password", "too_short"))),
        (json!({ "email": "b@example.com", "accession_date": "01/11/2026" }), Some(("accession_date", "invalid_date"))),
        (json!("b@example.com"), Some(("", "invalid_type"))),
        (json!({ "email": "last@example.com", "document": "99" }), None),
    ];
    let users: Vec<_> = rows.iter().map(|(row, _)| row.clone()).collect();
    let reply = platform.send("POST", "/users/create", json!({ "product_id": product, "users": users })).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let created = reply.body["created"].as_array().unwrap().iter().map(|row| row["index"].as_u64().unwrap());
    assert_eq!(created.collect::<Vec<_>>(), [0, 13]);
    let mut failed = reply.body["failed"].as_array().unwrap().iter();
    for (index, (row, expected)) in rows.iter().enumerate() {
        let Some((field, code)) = expected else { continue };
        let told = failed.next().unwrap();
        let field = if field.is_empty() { Value::Null } else { json!(field) };
        assert_eq!((&told["index"], &told["field"], &told["code"]), (&json!(index), &field, &json!(code)), "{row}");
        assert!(told["message"].as_str().is_some_and(|message| !message.contains("identification")), "{told}");
    }
    assert!(failed.next().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn second_purchase_subscribes_the_student_who_exists() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let mut products = Vec::new();
    for number in ["123456789", "2352153"] {
        let product = json!({ "title": number, "reference_id": number });
        let path = format!("/v1/segments/{}/products", world.segment);
        products.push(id(&world.muster.made(&world.ana, &path, product).await));
    }
    let create = async |named: Value, users: Value| {
        let reply = platform.send("POST", "/users/create", json!({ "product_id": named, "users": users })).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body
    };
    let eva = json!({ "email": "Eva@example.com", "name": "Eva", "document": "123.456.789-10", "reference_id": "E1" });
    let first = create(json!("123456789"), json!([eva])).await;
    let user = first["created"][0]["id"].clone();
    // By the number and by the id it is one product.
    let named = json!([2_352_153, products[1]]);
    let mut order = eva.clone();
    order["reference_id"] = json!("E2");
    let again = create(named.clone(), json!([order, { "email": "new@example.com" }])).await;
    assert_eq!(again["created"][0], json!({ "index": 0, "id": user, "existing": true }));
    assert_eq!((&again["created"][1]["existing"], &again["failed"]), (&Value::Null, &json!([])), "{again}");
    let path = format!("/v1/segments/{}/subscriptions?filter[user_id]={}", world.segment, user.as_str().unwrap());
    let bought = world.read(&path).await["data"].clone();
    let references: Vec<_> = bought.as_array().unwrap().iter().map(|one| one["reference_id"].clone()).collect();
    assert_eq!(references, [Value::Null, json!("E2")], "the id of a second order is not lost");
    let third = create(named, json!([{ "email": "eva@example.com" }])).await;
    let failed = &third["failed"][0];
    assert_eq!((&failed["code"], &failed["field"]), (&json!("already_subscribed"), &json!("product_id")), "{third}");
    let whole = world.read(&format!("/v1/users/{}", user.as_str().unwrap())).await;
    assert_eq!(whole["version"], 1, "a second purchase changes nothing about the user");
    // The student is not subscribed twice by one request, and without a product there is nothing to buy.
    let other = json!({ "title": "Third", "reference_id": "3" });
    world.muster.made(&world.ana, &format!("/v1/segments/{}/products", world.segment), other).await;
    let twice = create(json!(["3"]), json!([eva, eva])).await;
    assert_eq!((&twice["created"][0]["existing"], &twice["failed"][0]["index"]), (&json!(true), &json!(1)), "{twice}");
    for (users, code) in
        [(json!([eva]), "taken"), (json!([{ "email": "x@example.com", "document": "12345678910" }]), "taken")]
    {
        assert_eq!(create(json!([]), users).await["failed"][0]["code"], code);
    }
    assert_eq!(world.call("DELETE", &format!("/v1/users/{}", user.as_str().unwrap())).send().await.status, 204);
    let deleted = create(json!(["3"]), json!([eva])).await;
    assert!(deleted["created"].as_array().unwrap().is_empty() || deleted["created"][0]["id"] != user, "{deleted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn second_purchase_ignores_fields_that_it_does_not_use() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let create = async |product: &str, users: Value| {
        let reply = platform.send("POST", "/users/create", json!({ "product_id": product, "users": users })).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body
    };
    let wrong = [
        ("password", json!("abc")),
        ("password", json!("1234567")),
        ("password", json!(true)),
        ("name", json!("x".repeat(150))),
        ("phone", json!("1".repeat(60))),
        ("document", json!("Ñ1")),
        ("reference_id", json!("x".repeat(200))),
        ("reference_id", json!("crm-1")),
        // Nothing is wrong with it, but the segment demands a name of new users.
        ("extra", json!(1)),
    ];
    let email = |nth: usize| format!("s{nth}@example.com");
    let rows: Vec<_> = (0..wrong.len()).map(|nth| json!({ "email": email(nth) })).collect();
    platform.student().await;
    let first = create(&world.product().await, json!(rows)).await;
    assert_eq!(first["failed"], json!([]));
    let settings = json!({ "settings": { "required_user_fields": ["name"] } });
    assert_eq!(world.send("PATCH", &format!("/v1/segments/{}", world.segment), settings).await.status, 200);
    let other = json!({ "title": "Other" });
    let other = id(&world.muster.made(&world.ana, &format!("/v1/segments/{}/products", world.segment), other).await);
    let mut rows: Vec<_> =
        wrong.iter().enumerate().map(|(nth, (field, value))| json!({ "email": email(nth), (*field): value })).collect();
    rows.push(json!({ "email": email(0), "name": true }));
    rows.push(json!({ "email": email(1), "accession_date": "soon" }));
    rows.push(json!({ "email": "new@example.com", "name": "New", "password": "abc" }));
    let again = create(&other, json!(rows)).await;
    let expected: Vec<_> = (0..wrong.len())
        .map(|nth| json!({ "index": nth, "id": first["created"][nth]["id"], "existing": true }))
        .collect();
    assert_eq!(again["created"], json!(expected), "{again}");
    let failed = again["failed"].as_array().unwrap();
    let failed: Vec<_> = failed.iter().map(|row| [&row["index"], &row["field"], &row["code"]]).collect();
    let nth = wrong.len();
    assert_eq!(
        json!(failed),
        json!([
            [nth, "email", "taken"],
            [nth + 1, "accession_date", "invalid_date"],
            [nth + 2, "password", "too_short"]
        ])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn subscription_that_is_over_is_bought_again() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let (user, product) = platform.student().await;
    let (create, update) = ("/users/create/user-subscription", "/users/update/user-subscription");
    let named = |more: Value| {
        let mut body = json!({ "product_id": product, "user_id": user });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let first = json!({ "payment_last_date": "2025-11-01", "reference_id": "order-1" });
    let first = platform.send("POST", create, named(first)).await.body["subscription"].clone();
    let path = format!("/v1/subscriptions/{}", id(&first));
    let again =
        json!({ "product_id": product, "users": [{ "email": "ana@example.com", "accession_date": "2026-11-01" }] });
    for over in [json!({ "active": 0 }), json!({ "expiration_date": "2026-11-01" })] {
        let ended = platform.send("PUT", update, named(over.clone())).await;
        assert_eq!((ended.status.as_u16(), &ended.body["subscription"]["active"]), (200, &json!(0)), "{ended:?}");
        let bought = platform.send("POST", "/users/create", again.clone()).await.body;
        assert_eq!(bought["created"], json!([{ "index": 0, "id": user, "existing": true }]), "{over} {bought}");
        let renewed = world.read(&path).await;
        for (field, value) in [("status", json!("ACTIVE")), ("starts_at", json!("2026-11-01T00:00:00.000Z"))] {
            assert_eq!(renewed[field], value, "{over}");
        }
        for field in ["expires_at", "last_payment_at", "reference_id"] {
            assert_eq!(renewed[field], Value::Null, "{field} of the former purchase");
        }
        assert_eq!(platform.send("PUT", update, named(over.clone())).await.status, 200);
        let dates =
            json!({ "payment_last_date": "2026-11-02", "expiration_date": "2099-01-01", "reference_id": "order-2" });
        let bought = platform.send("POST", create, named(dates)).await;
        assert_eq!(bought.status, 200, "{over} {bought:?}");
        let subscription = &bought.body["subscription"];
        for (field, value) in [
            ("id", first["id"].clone()),
            ("active", json!(1)),
            ("payment_last_date", json!("2026-11-02 00:00:00")),
            ("expiration_date", json!("2099-01-01 00:00:00")),
            ("reference_id", json!("order-2")),
        ] {
            assert_eq!(subscription[field], value, "{over} {field}");
        }
    }
    // What is not over is not bought twice, and who is shut out does not come in by a purchase.
    for status in ["ACTIVE", "BLOCKED"] {
        assert_eq!(world.send("PATCH", &path, json!({ "status": status })).await.status, 200);
        let refused = platform.send("POST", "/users/create", again.clone()).await.body;
        assert_eq!(refused["failed"][0]["code"], "already_subscribed", "{status} {refused}");
        let refused = platform.send("POST", create, named(json!({}))).await;
        assert_eq!(failed(&refused), as_failed(409, "user_id", "taken"), "{status}");
        assert_eq!(world.read(&path).await["status"], status);
    }
    let in_v1 = json!({ "status": "INACTIVE" });
    assert_eq!(world.send("PATCH", &path, in_v1).await.status, 200);
    let in_v1 = world.send("POST", &format!("/v1/segments/{}/subscriptions", world.segment), named(json!({}))).await;
    assert_eq!(in_v1.status, 409, "{in_v1:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_taken_in_each_of_their_writings_and_blank_items_are_none() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let product = world.product().await;
    let rows = |nth: usize| json!([{ "email": format!("p{nth}@example.com") }]);
    let none = [json!([""]), json!([" "]), json!([null]), json!([]), json!({})];
    let one = [json!(["", product]), json!({ "0": product }), json!(format!(" {product} "))];
    let named = none.into_iter().map(|named| (named, 0)).chain(one.into_iter().map(|named| (named, 1)));
    for (nth, (named, expected)) in named.enumerate() {
        let made = platform.send("POST", "/users/create", json!({ "product_id": named, "users": rows(nth) })).await;
        let user = made.body["created"][0]["id"].as_str().unwrap_or_else(|| panic!("{named} {made:?}"));
        let path = format!("/v1/segments/{}/subscriptions?filter[user_id]={user}", world.segment);
        assert_eq!(world.read(&path).await["data"].as_array().unwrap().len(), expected, "{named}");
    }
    let form = "product_id[]=&users[0][email]=form@example.com";
    let form = platform.call("POST", "/users/create").raw("application/x-www-form-urlencoded", form).send().await;
    assert_eq!(form.body["message"], "1 created, 0 failed.", "{form:?}");
    // As PHP sends an array.
    let part =
        |name: &str, text: &str| format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n");
    let parts = [part("product_id[0]", &product), part("users[0][email]", "parts@example.com")].concat() + "--x--\r\n";
    let parts = platform.call("POST", "/users/create").raw("multipart/form-data; boundary=x", parts).send().await;
    assert_eq!(parts.body["message"], "1 created, 0 failed.", "{parts:?}");
    for (nth, users, indexes) in [
        (0, json!({ "email": "u0@example.com" }), json!([0])),
        (1, json!({ "0": { "email": "u1@example.com" }, "1": { "email": "v1@example.com" } }), json!([0, 1])),
        (2, json!([null, { "email": "u2@example.com" }, "", { "email": "v2@example.com" }]), json!([1, 3])),
    ] {
        let made = platform.send("POST", "/users/create", json!({ "users": users })).await;
        let created = made.body["created"].as_array().unwrap_or_else(|| panic!("{nth} {made:?}"));
        assert_eq!(created.iter().map(|row| row["index"].clone()).collect::<Value>(), indexes, "{made:?}");
    }
    let unknown = platform.send("POST", "/users/create", json!({ "product_id": ["", "x"], "users": rows(99) })).await;
    assert_eq!(failed(&unknown), as_failed(400, "product_id.1", "unknown"));
}

#[tokio::test(flavor = "multi_thread")]
async fn blanks_are_none_and_numbers_are_text() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let row = json!({ "email": "eva@example.com", "name": "Eva", "last_name": " ", "document": "", "phone": null,
        "reference_id": 7, "password": " ", "accession_date": "" });
    let made = platform.send("POST", "/users/create", json!({ "product_id": " ", "users": [row] })).await;
    let user = world.read(&format!("/v1/users/{}", made.body["created"][0]["id"].as_str().unwrap())).await;
    for (field, value) in [("last_name", Value::Null), ("phone", Value::Null), ("reference_id", json!("7"))] {
        assert_eq!(user[field], value, "{field}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_whole_request_makes_nobody() {
    let platform = Platform::start().await;
    let (product, same) = (platform.world.product().await, platform.world.product().await);
    let one = json!([{ "email": "new@example.com" }]);
    let before = platform.world.read(&format!("/v1/segments/{}/users", platform.world.segment)).await;
    for (body, expected) in [
        (json!({}), as_failed(400, "users", "required")),
        (json!({ "users": [] }), as_failed(400, "users", "invalid_length")),
        (json!({ "users": vec![json!({}); 101] }), as_failed(400, "users", "invalid_length")),
        (json!({ "users": "all" }), as_failed(400, "users", "invalid_type")),
        (json!({ "users": ["", null] }), as_failed(400, "users", "invalid_length")),
        (json!({ "users": one, "product_id": ["x"] }), as_failed(400, "product_id.0", "unknown")),
        (json!({ "users": one, "product_id": [product, true] }), as_failed(400, "product_id.1", "invalid_type")),
        (json!({ "users": one, "product_id": platform.world.segment }), as_failed(400, "product_id.0", "unknown")),
        (json!({ "users": one, "product_id": [product, same] }), as_failed(400, "product_id", "exclusive")),
    ] {
        assert_eq!(failed(&platform.send("POST", "/users/create", body.clone()).await), expected, "{body}");
    }
    let after = platform.world.read(&format!("/v1/segments/{}/users", platform.world.segment)).await;
    assert_eq!(after["page"]["total_items"], before["page"]["total_items"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_with_its_idempotency_key_makes_nobody_twice() {
    let platform = Platform::start().await;
    let product = platform.world.product().await;
    let body = json!({ "product_id": [product], "users": [{ "email": "new@example.com" }] });
    let mut replies = Vec::new();
    for in_path in [true, false, true] {
        let call =
            if in_path { platform.call("POST", "/users/create") } else { platform.by_headers("POST", "/users/create") };
        replies.push(call.json(body.clone()).header("idempotency-key", "k").send().await.text);
    }
    assert!(replies.windows(2).all(|pair| pair[0] == pair[1]), "{replies:?}");
    let wrong = platform.world.muster.call("POST", "/platform/users/create").header("x-platform-token", &platform.plat);
    let wrong = wrong.header("x-developer-token", "dv_nonsense").json(body).header("idempotency-key", "k").send().await;
    assert_eq!(wrong.status, 401, "a kept answer is for those who hold both tokens");
}
