//! Subscriptions and products.

use serde_json::{Value, json};

use super::{Platform, as_failed, failed};

#[tokio::test(flavor = "multi_thread")]
async fn a_student_is_subscribed_and_its_subscription_changed() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let (user, product) = platform.student().await;
    let body = json!({
        "product_id": product, "user_id": user, "payment_last_date": "2026-11-01", "expiration_date": "2027-11-01 12:00:00",
        "reference_id": 5
    });
    let made = platform.send("POST", "/users/create/user-subscription", body.clone()).await;
    let subscription = &made.body["subscription"];
    assert_eq!(made.status, 200, "{made:?}");
    for (field, value) in [
        ("tenant_id", json!(world.segment)),
        ("active", json!(1)),
        ("user_id", json!(user)),
        ("package_id", json!(product)),
        ("reference_id", json!("5")),
        ("payment_last_date", json!("2026-11-01 00:00:00")),
        ("expiration_date", json!("2027-11-01 12:00:00")),
    ] {
        assert_eq!(subscription[field], value, "{field}");
    }
    let again = platform.send("POST", "/users/create/user-subscription", body).await;
    assert_eq!(failed(&again), as_failed(409, "user_id", "taken"));
    let path = format!("/v1/subscriptions/{}", subscription["id"].as_str().unwrap());
    assert_eq!(world.read(&path).await["last_payment_at"], "2026-11-01T00:00:00.000Z");
    for (change, field, expected) in [
        (json!({ "active": 0 }), "status", json!("INACTIVE")),
        (json!({ "active": "1" }), "status", json!("ACTIVE")),
        (json!({ "payment_last_date": "2026-12-01" }), "last_payment_at", json!("2026-12-01T00:00:00.000Z")),
        (json!({}), "expires_at", json!("2027-11-01T12:00:00.000Z")),
        (json!({ "expiration_date": "" }), "expires_at", Value::Null),
    ] {
        let mut body = change.clone();
        body["product_id"] = json!(product);
        body["user_id"] = json!(user);
        let changed = platform.send("PUT", "/users/update/user-subscription", body).await;
        assert_eq!(changed.status, 200, "{changed:?}");
        assert_eq!(world.read(&path).await[field], expected, "{change}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn product_is_named_by_its_number_as_text_or_number_or_by_its_id() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let (user, _) = platform.student().await;
    let product = json!({ "title": "Course", "reference_id": "2352153" });
    let product = world.muster.made(&world.ana, &format!("/v1/segments/{}/products", world.segment), product).await;
    let (mut method, mut path) = ("POST", "/users/create/user-subscription");
    let writings = [json!("2352153"), json!(2_352_153), json!(" 2352153 "), product["id"].clone()];
    let in_lists = [json!(["2352153"]), json!({ "0": 2_352_153 }), json!(["", product["id"]])];
    for (nth, named) in writings.into_iter().chain(in_lists).enumerate() {
        let (id, active) = (format!(" {user} "), ["true", "0"][nth % 2]);
        let body = json!({ "product_id": named, "user_id": id, "active": active });
        let reply = platform.send(method, path, body).await;
        assert_eq!(reply.status, 200, "{named} {reply:?}");
        let subscription = &reply.body["subscription"];
        assert_eq!((&subscription["product_id"], &subscription["package_id"]), (&json!("2352153"), &product["id"]));
        // A subscription that is inactive can be bought again.
        (method, path) = match active {
            "true" => ("PUT", "/users/update/user-subscription"),
            _ => ("POST", "/users/create/user-subscription"),
        };
    }
    for (named, code) in [
        (json!("9999"), "unknown"),
        (json!(true), "invalid_type"),
        (json!(" "), "required"),
        (json!([""]), "required"),
        (json!(["2352153", "9999"]), "too_long"),
    ] {
        let body = json!({ "product_id": named, "user_id": user });
        for (method, path) in [("POST", "/users/create/user-subscription"), ("PUT", "/users/update/user-subscription")]
        {
            let reply = platform.send(method, path, body.clone()).await;
            assert_eq!(failed(&reply), as_failed(400, "product_id", code), "{method} {named}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_needs_a_product_and_a_student_of_the_platform() {
    let platform = Platform::start().await;
    let (user, product) = platform.student().await;
    let other = platform.world.product().await;
    let nobody = domain::UserId::fresh().to_string();
    let subscribed = json!({ "product_id": product, "user_id": user });
    assert_eq!(platform.send("POST", "/users/create/user-subscription", subscribed).await.status, 200);
    let (create, update) = (("POST", "/users/create/user-subscription"), ("PUT", "/users/update/user-subscription"));
    for ((method, path), body, expected) in [
        (create, json!({}), as_failed(400, "user_id", "required")),
        (create, json!({ "product_id": product, "user_id": nobody }), as_failed(404, "", "")),
        (create, json!({ "product_id": nobody, "user_id": user }), as_failed(400, "product_id", "unknown")),
        (
            create,
            json!({ "product_id": product, "user_id": user, "expiration_date": "soon" }),
            as_failed(400, "expiration_date", "invalid_time"),
        ),
        (create, json!({ "product_id": other, "user_id": user }), as_failed(409, "user_id", "taken")),
        (update, json!({ "user_id": user }), as_failed(400, "product_id", "required")),
        (update, json!({ "product_id": nobody, "user_id": user }), as_failed(400, "product_id", "unknown")),
        (update, json!({ "product_id": product, "user_id": nobody }), as_failed(404, "", "")),
        (update, json!({ "product_id": other, "user_id": user }), as_failed(404, "", "")),
        (
            update,
            json!({ "product_id": product, "user_id": user, "active": 2 }),
            as_failed(400, "active", "invalid_choice"),
        ),
        (
            update,
            json!({ "product_id": product, "user_id": user, "payment_last_date": true }),
            as_failed(400, "payment_last_date", "invalid_time"),
        ),
    ] {
        assert_eq!(failed(&platform.send(method, path, body.clone()).await), expected, "{method} {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn products_are_listed_page_by_page() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let products = format!("/v1/segments/{}/products", world.segment);
    let whole = json!({
        "title": "Pottery", "description": "Twelve evenings.", "period": "P1Y", "value": "499.90", "currency": "BRL",
        "lifetime": true, "reference_id": "course-1"
    });
    let first = world.muster.made(&world.ana, &products, whole).await;
    for nth in 0..4 {
        world.muster.made(&world.ana, &products, json!({ "title": format!("T{nth}"), "status": false })).await;
    }
    let page = platform.get("/products/all-products?per_page=2").await;
    assert_eq!(page.status, 200, "{page:?}");
    for (field, value) in [
        ("id", &first["id"]),
        ("product_id", &json!("course-1")),
        ("title", &json!("Pottery")),
        ("description", &json!("Twelve evenings.")),
        ("period", &json!("P1Y")),
        ("value", &serde_json::from_str("499.90").unwrap()),
        ("lifetime", &json!(1)),
        ("status", &json!("active")),
        ("type", &Value::Null),
        ("checkout", &Value::Null),
        ("trial", &Value::Null),
        ("interval", &Value::Null),
        ("reference_id", &json!("course-1")),
    ] {
        assert_eq!(page.body["data"][0][field], *value, "{field}");
    }
    let second = &page.body["data"][1];
    assert_eq!((&second["status"], &second["value"]), (&json!("inactive"), &Value::Null));
    assert_eq!(second["product_id"], second["id"], "a product without a number");
    let (mut page, mut titles) = (page, Vec::new());
    loop {
        titles.extend(page.body["data"].as_array().unwrap().iter().map(|row| row["title"].clone()));
        let (next, cursor) = (&page.body["links"]["next"], &page.body["meta"]["next_cursor"]);
        let Some(cursor) = cursor.as_str() else {
            assert_eq!(*next, Value::Null);
            break;
        };
        let next = next.as_str().unwrap().to_owned();
        assert_eq!(
            next,
            format!("?per_page=2&cursor={cursor}"),
            "relative to the address, whose tokens it does not repeat"
        );
        // A cursor is good in either form.
        let headers = platform.by_headers("GET", &format!("/products/all-products{next}")).send().await;
        page = platform.get(&format!("/products/all-products{next}")).await;
        assert_eq!(headers.body["data"], page.body["data"]);
    }
    assert_eq!(titles, ["Pottery", "T0", "T1", "T2", "T3"]);
    let third = platform.get("/products/all-products?page=3&per_page=2").await;
    assert_eq!((&third.body["data"][0]["title"], &third.body["links"]["next"]), (&json!("T3"), &Value::Null));
    let both = platform.get("/products/all-products?page=1&cursor=x").await;
    let told = both.body["message"].as_str().unwrap();
    assert!(told.contains("cursor cannot go together with page;"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_ignore_blank_and_unknown_parameters() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let (user, product) = platform.student().await;
    let subscribed = json!({ "product_id": product, "user_id": user });
    assert_eq!(platform.send("POST", "/users/create/user-subscription", subscribed).await.status, 200);
    let ranking = format!("/ranking?membership_id={}", world.membership);
    let one = format!("/ranking/{user}?");
    let paths = ["/products/all-products?", "/ranking?", &ranking, &one];
    let secret = format!("{}=1", platform.plat);
    for query in [
        "per_page=",
        "per_page=%20",
        "per_page=%205%20",
        "cursor=",
        "page=&cursor=+",
        "membership_id=",
        "membership_id=%20&per_page=5",
        "_=123",
        "limit=5&sort=x",
        "status=active",
        "page[size]=0&filter[status]=x",
        &secret,
    ] {
        for path in paths {
            let (plain, reply) = (platform.get(path).await, platform.get(&format!("{path}&{query}")).await);
            assert_eq!((reply.status, &reply.text), (plain.status, &plain.text), "{path} {query}");
            assert!(path == one || reply.status == 200, "{path} {query} {reply:?}");
        }
    }
}
