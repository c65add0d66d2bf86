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
    let again = create(named.clone(), json!([eva, { "email": "new@example.com" }])).await;
    assert_eq!(again["created"][0], json!({ "index": 0, "id": user, "existing": true }));
    assert_eq!((&again["created"][1]["existing"], &again["failed"]), (&Value::Null, &json!([])), "{again}");
    let path = format!("/v1/segments/{}/subscriptions?filter[user_id]={}", world.segment, user.as_str().unwrap());
    assert_eq!(world.read(&path).await["data"].as_array().unwrap().len(), 2);
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
