//! Card users created, read, changed, blocked; mappings; who may.

use serde_json::{Value, json};

use super::{Cards, USERS, as_failed, failed};
use crate::world::id;

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_created_and_read_with_what_was_sent() {
    let cards = Cards::start().await;
    let world = &cards.world;
    let partner = json!({ "commercial_name": "A" });
    let partner = world.muster.made(&world.ana, &format!("/v1/segments/{}/partners", world.segment), partner).await;
    let sent = json!({
        "name": "Ana", "surname": "López", "identification_type": "DNI", "identification_value": "20.123.456",
        "birthdate": "1990-02-28", "gender": "FEMALE", "email": "ana@example.com", "phone": "+5491123456789",
        "tax_identification_type": "CUIL", "tax_identification_value": "20055361682", "nationality": "ARG",
        "tax_condition": "MONOTRIBUTO", "operation_country": "ARG", "company_id": partner["id"],
        "legal_address": {
            "street_name": "Avenida de Mayo", "street_number": "0137", "floor": "2", "apartment": "B", "zip_code": "01085",
            "neighborhood": "Monserrat", "city": "Buenos Aires", "region": "Tucumán", "additional_info": "Ring twice",
            "country": "ARG"
        }
    });
    let made = cards.made(sent.clone()).await;
    for (field, value) in sent.as_object().unwrap() {
        let expected = if field == "identification_value" { &json!("20123456") } else { value };
        assert_eq!(made[field], *expected, "{field}");
    }
    let uuid = made["id"].as_str().unwrap().strip_prefix("usr-").unwrap();
    assert_eq!(made["client_id"], json!(format!("cli-{}", world.segment)));
    assert_eq!((&made["status"], &made["status_reason"]), (&json!("ACTIVE"), &Value::Null));
    let read = cards.get(&format!("{USERS}usr-{uuid}")).await;
    assert_eq!((read.status.as_u16(), &read.body["data"]), (200, &made));
    let own = world.read(&format!("/v1/users/{uuid}")).await;
    assert_eq!((&own["last_name"], &own["partner_id"]), (&json!("López"), &partner["id"]));
    assert_eq!(own["tax_identification"]["value"], "20055361682");
    // What `/v1` makes is read here.
    let theirs = world.user(json!({ "last_name": "Ruiz" })).await;
    assert_eq!(cards.get(&format!("{USERS}usr-{theirs}")).await.body["data"]["surname"], "Ruiz");
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_kept_as_their_digits_and_leading_zeros_stay() {
    let cards = Cards::start().await;
    let raw = r#"{ "data": { "email": "ana@example.com", "operation_country": "PER", "identification_type": "DNI",
        "identification_value": 12345678, "phone": 51987654321, "tax_condition": 7,
        "legal_address": { "street_number": 137, "zip_code": "00123", "floor": 2 }, "unknown": { "a": 1 } } }"#;
    let made = cards.call("POST", USERS).raw("application/json", raw).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    let data = &made.body["data"];
    for (pointer, value) in [
        ("/identification_value", "12345678"),
        ("/phone", "51987654321"),
        ("/tax_condition", "7"),
        ("/legal_address/street_number", "137"),
        ("/legal_address/zip_code", "00123"),
        ("/legal_address/floor", "2"),
    ] {
        assert_eq!(data.pointer(pointer), Some(&json!(value)), "{pointer}");
    }
    assert!(data.get("unknown").is_none());
    let zeros = json!({ "email": "b@example.com", "operation_country": "PER", "identification_type": "DNI",
        "identification_value": "00000001" });
    assert_eq!(cards.made(zeros).await["identification_value"], "00000001");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named_as_it_was_sent() {
    let cards = Cards::start().await;
    let world = &cards.world;
    let taken = json!({ "email": "ana@example.com", "operation_country": "ARG", "identification_type": "DNI",
        "identification_value": "20123456" });
    cards.made(taken).await;
    let with = |more: Value| {
        let mut data = json!({ "email": "new@example.com", "operation_country": "ARG" });
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        data
    };
    for (data, expected) in [
        (json!({}), as_failed(400, &[("/data/email", "required"), ("/data/operation_country", "required")])),
        (
            with(json!({ "email": "", "operation_country": null })),
            as_failed(400, &[("/data/email", "required"), ("/data/operation_country", "required")]),
        ),
        (with(json!({ "surname": true })), as_failed(400, &[("/data/surname", "invalid_type")])),
        (with(json!({ "gender": "F" })), as_failed(400, &[("/data/gender", "invalid_choice")])),
        (with(json!({ "birthdate": "28/02/1990" })), as_failed(400, &[("/data/birthdate", "invalid_date")])),
        (with(json!({ "operation_country": "AR" })), as_failed(400, &[("/data/operation_country", "invalid_country")])),
        (with(json!({ "identification_type": "DNI" })), as_failed(400, &[("/data/identification_value", "required")])),
        (
            with(json!({ "identification_value": "20123457" })),
            as_failed(400, &[("/data/identification_type", "required")]),
        ),
        (
            with(json!({ "identification_type": "DNI", "identification_value": "1" })),
            as_failed(400, &[("/data/identification_value", "invalid_document")]),
        ),
        (
            with(json!({ "tax_identification_type": "CPF", "tax_identification_value": "1" })),
            as_failed(400, &[("/data/tax_identification_type", "invalid_choice")]),
        ),
        (
            with(json!({ "legal_address": { "region": "Texas" } })),
            as_failed(400, &[("/data/legal_address/region", "invalid_choice")]),
        ),
        (with(json!({ "company_id": "x" })), as_failed(400, &[("/data/company_id", "invalid_id")])),
        (with(json!({ "email": "ANA@example.com" })), as_failed(409, &[("/data/email", "taken")])),
        (
            with(json!({ "identification_type": "DNI", "identification_value": "20.123.456" })),
            as_failed(409, &[("/data/identification_value", "taken")]),
        ),
    ] {
        assert_eq!(failed(&cards.send("POST", USERS, data.clone()).await), expected, "{data}");
    }
    for (body, expected) in [
        (json!({}), as_failed(400, &[("/data/email", "required"), ("/data/operation_country", "required")])),
        (json!({ "data": null }), as_failed(400, &[("/data", "invalid_type")])),
        (json!({ "data": [] }), as_failed(400, &[("/data", "invalid_type")])),
        (json!([]), as_failed(400, &[("", "invalid_type")])),
    ] {
        assert_eq!(failed(&cards.call("POST", USERS).json(body).send().await), expected);
    }
    // The rest is as the segment says.
    let settings = json!({ "settings": { "required_user_fields": ["email", "last_name", "identification"] } });
    assert_eq!(world.send("PATCH", &format!("/v1/segments/{}", world.segment), settings).await.status, 200);
    let reply = cards.send("POST", USERS, with(json!({}))).await;
    let expected = as_failed(400, &[("/data/surname", "required"), ("/data/identification_value", "required")]);
    assert_eq!(failed(&reply), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_user_may_be_blocked_with_a_reason_and_has_no_other_status() {
    let cards = Cards::start().await;
    let new = |nth: usize, more: Value| {
        let mut data = json!({ "email": format!("new{nth}@example.com"), "operation_country": "ARG" });
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        data
    };
    let blocked = json!({ "status": "BLOCKED", "status_reason": "CLIENT_INTERNAL_REASON" });
    let blocked = cards.made(new(1, blocked)).await;
    assert_eq!([&blocked["status"], &blocked["status_reason"]], ["BLOCKED", "CLIENT_INTERNAL_REASON"]);
    let active = cards.made(new(2, json!({ "status": "ACTIVE", "status_reason": "X" }))).await;
    assert_eq!([&active["status"], &active["status_reason"]], [&json!("ACTIVE"), &Value::Null]);
    for (more, expected) in [
        (json!({ "status": "BLOCKED" }), ("/data/status_reason", "required")),
        (json!({ "status": "DELETED" }), ("/data/status", "invalid_choice")),
        (json!({ "status": 5 }), ("/data/status", "invalid_choice")),
        (json!({ "status": [] }), ("/data/status", "invalid_choice")),
        (json!({ "status": "BLOCKED", "status_reason": [1] }), ("/data/status_reason", "invalid_type")),
    ] {
        let refused = cards.send("POST", USERS, new(3, more.clone())).await;
        assert_eq!(failed(&refused), as_failed(400, &[expected]), "{more}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_read_in_either_of_two_places() {
    let cards = Cards::start().await;
    let refused = cards
        .send("POST", USERS, json!({ "email": "ana@example.com", "operation_country": "ARG", "gender": "F" }))
        .await
        .body;
    let detail = json!({ "code": "invalid_choice", "detail": refused["errors"][0]["detail"] });
    assert_eq!(refused["error"], json!({ "details": [detail] }), "{refused}");
    let both = json!({ "email": "ana@example.com", "operation_country": "ARG", "birthdate": "28/02/1990",
        "tax_identification_type": "CPF", "tax_identification_value": "1" });
    let expected = [("/data/birthdate", "invalid_date"), ("/data/tax_identification_type", "invalid_choice")];
    assert_eq!(failed(&cards.send("POST", USERS, both).await), as_failed(400, &expected));
    let absent = cards.get(&format!("{USERS}usr-{}", domain::UserId::fresh())).await.body;
    assert_eq!(absent["error"]["details"], absent["errors"], "{absent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_changed_blocked_and_let_in_again() {
    let cards = Cards::start().await;
    let made = cards
        .made(json!({ "email": "ana@example.com", "operation_country": "ARG", "identification_type": "DNI",
        "identification_value": "20123456", "surname": "López" }))
        .await;
    let path = format!("{USERS}{}", made["id"].as_str().unwrap());
    for (change, field, expected) in [
        (json!({ "surname": "Ruiz", "unknown": 1 }), "surname", json!("Ruiz")),
        (json!({ "identification_value": 20_123_457 }), "identification_value", json!("20123457")),
        (json!({ "surname": "" }), "surname", Value::Null),
        (json!({ "identification_type": null, "identification_value": null }), "identification_type", Value::Null),
        (json!({ "legal_address": { "region": "Salta", "zip_code": 4400 } }), "legal_address", json!("4400")),
        (
            json!({ "status": "BLOCKED", "status_reason": "CLIENT_INTERNAL_REASON" }),
            "status_reason",
            json!("CLIENT_INTERNAL_REASON"),
        ),
        (json!({ "status": "ACTIVE" }), "status_reason", Value::Null),
        // Clients send the reason with each change.
        (json!({ "name": "Eva", "status_reason": "CLIENT_INTERNAL_REASON" }), "status_reason", Value::Null),
        (json!({ "birthdate": "1990-05-3" }), "birthdate", json!("1990-05-03")),
        (json!({ "birthdate": "1990/5/03" }), "birthdate", json!("1990-05-03")),
    ] {
        let changed = cards.send("PATCH", &path, change.clone()).await;
        assert_eq!(changed.status, 200, "{changed:?}");
        let found = &changed.body["data"][field];
        assert_eq!(if field == "legal_address" { &found["zip_code"] } else { found }, &expected, "{change}");
        let status = change.get("status").cloned().unwrap_or(json!("ACTIVE"));
        assert_eq!(changed.body["data"]["status"], status, "{change}");
        assert_eq!(cards.get(&path).await.body, changed.body);
    }
    for (change, expected) in [
        (json!({ "email": null }), as_failed(400, &[("/data/email", "required")])),
        (json!({ "operation_country": "" }), as_failed(400, &[("/data/operation_country", "required")])),
        (json!({ "status": "DELETED" }), as_failed(400, &[("/data/status", "invalid_transition")])),
        (json!({ "status": "SLEEPING" }), as_failed(400, &[("/data/status", "invalid_choice")])),
    ] {
        assert_eq!(failed(&cards.send("PATCH", &path, change.clone()).await), expected, "{change}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_data_is_the_user_itself_and_the_last_slash_may_be_left_out() {
    let cards = Cards::start().await;
    let body = json!({
        "name": "Ana", "surname": "López", "identification_type": "RG", "identification_value": 42_345_678,
        "birthdate": "1998-08-20", "gender": "MALE", "email": "ana@example.com", "phone": "1123456789", "nationality": "BRA",
        "tax_condition": "VAT_REGISTERED", "tax_identification_type": null, "tax_identification_value": null,
        "legal_address": {
            "street_name": "Rua A", "street_number": 300, "floor": 1, "apartment": "A", "zip_code": "04545041",
            "neighborhood": "Centro", "city": "Recife", "region": "PE", "additional_info": "B", "country": "BRA"
        },
        "operation_country": "BRA"
    });
    let made = cards.call("POST", "/identity/users/v1").json(body).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    let data = &made.body["data"];
    assert_eq!((&data["identification_value"], &data["status"]), (&json!("42345678"), &json!("ACTIVE")));
    assert_eq!(
        (&data["legal_address"]["floor"], &data["legal_address"]["zip_code"]),
        (&json!("1"), &json!("04545041"))
    );
    let path = format!("{USERS}{}", data["id"].as_str().unwrap());
    let block = json!({ "status": "BLOCKED", "status_reason": "CLIENT_INTERNAL_REASON" });
    for (change, status) in [(block, "BLOCKED"), (json!({ "status": "ACTIVE" }), "ACTIVE")] {
        let changed = cards.call("PATCH", &path).json(change).send().await;
        assert_eq!((changed.status.as_u16(), &changed.body["data"]["status"]), (200, &json!(status)), "{changed:?}");
    }
    for list in ["/identity/users/v1?filter[email]=ana@example.com", "/identity/users/v1/?"] {
        let listed = cards.get(list).await;
        assert_eq!(listed.body["data"][0]["id"], data["id"], "{list} {listed:?}");
    }
    let unknown = cards.get("/identity/users/v1?filter[mail]=x").await;
    assert_eq!(failed(&unknown), as_failed(400, &[("filter[mail]", "unknown")]));
    let wrong = cards.call("POST", "/identity/users/v1").json(json!({ "email": "b@example.com" })).send().await;
    assert_eq!(failed(&wrong), as_failed(400, &[("/data/operation_country", "required")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deleted_elsewhere_is_not_there() {
    let cards = Cards::start().await;
    let user = cards.made(json!({ "email": "ana@example.com", "operation_country": "ARG" })).await;
    let path = format!("{USERS}{}", user["id"].as_str().unwrap());
    let gone = format!("/v1/users/{}", user["id"].as_str().unwrap().strip_prefix("usr-").unwrap());
    assert_eq!(cards.call("DELETE", &gone).send().await.status, 204);
    assert_eq!(failed(&cards.get(&path).await), as_failed(404, &[("", "not_found")]));
    let changed = cards.send("PATCH", &path, json!({ "name": "Ana" })).await;
    assert_eq!(failed(&changed), as_failed(404, &[("", "not_found")]));
    assert_eq!(cards.get(USERS).await.body["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_with_one_idempotency_key_one_makes_a_user() {
    let cards = Cards::start().await;
    let data = json!({ "data": { "email": "ana@example.com", "operation_country": "ARG" } });
    let send = || cards.call("POST", USERS).header("x-idempotency-key", "k").json(data.clone()).send();
    let replies = futures_util::future::join_all((0..8).map(|_| send())).await;
    let made: Vec<_> = replies.iter().filter(|reply| reply.status == 201).collect();
    assert!(!made.is_empty(), "{replies:?}");
    assert!(made.iter().all(|reply| reply.text == made[0].text), "{replies:?}");
    // Who came while it was made may come again.
    let others = replies.iter().filter(|reply| reply.status != 201);
    assert!(others.into_iter().all(|reply| reply.status == 409), "{replies:?}");
    assert_eq!(cards.get(USERS).await.body["data"].as_array().unwrap().len(), 1);
    assert_eq!(send().await.text, made[0].text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_idempotency_header_is_honoured_on_post_and_patch() {
    let cards = Cards::start().await;
    let data = json!({ "data": { "email": "ana@example.com", "operation_country": "ARG" } });
    let send = async |method: &str, path: &str, body: &Value| {
        cards.call(method, path).header("x-idempotency-key", "k").json(body.clone()).send().await
    };
    let (first, again) = (send("POST", USERS, &data).await, send("POST", USERS, &data).await);
    assert_eq!((first.status.as_u16(), &first.text), (201, &again.text));
    assert_eq!(again.header("idempotency-replayed"), "true");
    let other = json!({ "data": { "email": "other@example.com", "operation_country": "ARG" } });
    assert_eq!(failed(&send("POST", USERS, &other).await), as_failed(422, &[("", "idempotency_mismatch")]));
    let path = format!("{USERS}{}", first.body["data"]["id"].as_str().unwrap());
    let patch = json!({ "data": { "name": "Ana" } });
    let (first, again) = (send("PATCH", &path, &patch).await, send("PATCH", &path, &patch).await);
    assert_eq!((first.status.as_u16(), &first.text), (200, &again.text));
    let other = json!({ "data": { "name": "Eva" } });
    assert_eq!(failed(&send("PATCH", &path, &other).await), as_failed(422, &[("", "idempotency_mismatch")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn mappings_are_replaced_as_a_whole_and_stand_in_the_segments_settings() {
    let cards = Cards::start().await;
    let path = format!("{USERS}custom-fields/mappings");
    assert_eq!(cards.get(&path).await.body, json!({ "data": [] }));
    let mappings = json!([
        { "key": "company", "display_name": "Company", "type": "string", "more": 1 },
        { "key": 7, "display_name": "Hired on", "type": "date" }
    ]);
    let kept = json!([
        { "key": "company", "display_name": "Company", "type": "string" },
        { "key": "7", "display_name": "Hired on", "type": "date" }
    ]);
    for body in [mappings.clone(), json!({ "data": mappings })] {
        let made = cards.call("POST", &path).json(body).send().await;
        assert_eq!((made.status.as_u16(), &made.body["data"]), (200, &kept), "{made:?}");
    }
    let segment = format!("/v1/segments/{}", cards.world.segment);
    assert_eq!(cards.world.read(&segment).await["settings"]["field_mappings"], kept);
    let one = json!([{ "key": "a", "display_name": "A", "type": "string" }]);
    let patch = json!({ "settings": { "field_mappings": one } });
    assert_eq!(cards.world.send("PATCH", &segment, patch).await.status, 200);
    assert_eq!(cards.get(&path).await.body["data"], one);
    for (body, expected) in [
        (
            json!([{ "key": "a" }]),
            as_failed(400, &[("/data/0/display_name", "required"), ("/data/0/type", "required")]),
        ),
        (json!({ "key": "a" }), as_failed(400, &[("/data", "invalid_type")])),
        (json!([one[0], one[0]]), as_failed(400, &[("/data/1", "repeated")])),
    ] {
        assert_eq!(failed(&cards.call("POST", &path).json(body).send().await), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn others_find_nothing_and_wrong_credentials_are_told_so() {
    let cards = Cards::start().await;
    let world = &cards.world;
    let user = cards.made(json!({ "email": "ana@example.com", "operation_country": "ARG" })).await;
    let one = format!("{USERS}{}", user["id"].as_str().unwrap());
    let mappings = format!("{USERS}custom-fields/mappings");
    let data = json!({ "data": { "email": "b@example.com", "operation_country": "ARG" } });
    let routes = [
        ("POST", USERS, data.clone()),
        ("GET", USERS, Value::Null),
        ("GET", &one, Value::Null),
        ("PATCH", &one, data),
        ("GET", &mappings, Value::Null),
        ("POST", &mappings, json!([])),
    ];
    let eve = world.muster.ana().await;
    let hers = id(&world.muster.made(&eve, "/v1/segments", json!({ "name": "Hers" })).await);
    let her_key = world.muster.key(&eve, &format!("/v1/segments/{hers}/keys"), &["read", "write", "admin"]).await.1;
    let (revoked, old) = world.key(&["read"]).await;
    assert_eq!(
        world.call("DELETE", &format!("/v1/segments/{}/keys/{revoked}", world.segment)).send().await.status,
        204
    );
    let account = world.muster.key(&world.ana, "/v1/keys", &["read", "write", "admin"]).await.1;
    let nothing = world.key(&["read"]).await.1;
    for (method, path, body) in &routes {
        let call = |token: Option<&str>| {
            let call = world.muster.call(method, path);
            let call = if body.is_null() { call } else { call.json(body.clone()) };
            if let Some(token) = token { call.token(token) } else { call }
        };
        for wrong in [None, Some("nonsense"), Some(old.as_str())] {
            assert_eq!(
                failed(&call(wrong).send().await),
                as_failed(401, &[("", "unauthenticated")]),
                "{method} {path}"
            );
        }
        let foreign = call(Some(&eve.access)).header("x-segment-id", &world.segment).send().await;
        assert_eq!(failed(&foreign), as_failed(404, &[("", "not_found")]), "{method} {path}");
        if *path == one {
            for token in [&her_key, &cards.key] {
                let path = path.replace("usr-", "");
                let named = if token == &her_key { (*path).to_owned() } else { path.clone() };
                let call = world.muster.call(method, &named).token(token);
                let call = if body.is_null() { call } else { call.json(body.clone()) };
                assert_eq!(failed(&call.send().await).0, 404);
            }
            assert_eq!(failed(&call(Some(&her_key)).send().await), as_failed(404, &[("", "not_found")]));
        }
        let unnamed = call(Some(&account)).send().await;
        assert_eq!(failed(&unnamed), as_failed(400, &[("/X-Segment-Id", "required")]), "{method} {path}");
        if *method != "GET" {
            assert_eq!(failed(&call(Some(&nothing)).send().await).0, 403, "{method} {path}");
        }
    }
    for segment in [world.segment.clone(), format!("cli-{}", world.segment)] {
        let named = world.muster.get(USERS).token(&account).header("x-segment-id", &segment).send().await;
        assert_eq!((named.status.as_u16(), &named.body["data"]), (200, &json!([user])));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_told_in_the_same_shape() {
    let cards = Cards::start().await;
    let user = cards.made(json!({ "email": "ana@example.com", "operation_country": "ARG" })).await;
    let one = format!("{USERS}{}", user["id"].as_str().unwrap());
    for (method, path, expected) in
        [("GET", "/identity/nothing", 404), ("DELETE", one.as_str(), 405), ("GET", "/identity/users/v1/usr-x", 404)]
    {
        assert_eq!(failed(&cards.call(method, path).send().await).0, expected, "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn object_in_place_of_a_value_is_refused() {
    let cards = Cards::start().await;
    let user = json!({ "email": "ana@example.com", "operation_country": "ARG" });
    for name in
        ["operation_country", "name", "gender", "birthdate", "nationality", "tax_condition", "identification_value"]
    {
        let mut user = user.clone();
        user[name] = json!({});
        let reply = cards.send("POST", USERS, user).await;
        assert_eq!(reply.status, 400, "{name} {reply:?}");
        assert!(failed(&reply).1.iter().any(|(place, _)| *place == format!("/data/{name}")), "{name} {reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reason_of_a_block_cannot_be_taken_away() {
    let cards = Cards::start().await;
    let user = cards.made(json!({ "email": "ana@example.com", "operation_country": "MEX" })).await;
    let path = format!("{USERS}{}", user["id"].as_str().unwrap());
    let block = json!({ "status": "BLOCKED", "status_reason": "CLIENT_INTERNAL_REASON" });
    assert_eq!(cards.send("PATCH", &path, block).await.status, 200);
    for reason in [json!(null), json!(" ")] {
        let reply = cards.send("PATCH", &path, json!({ "status_reason": reason })).await;
        assert_eq!(failed(&reply), (400, vec![("/data/status_reason".to_owned(), "required".to_owned())]), "{reply:?}");
    }
    let active = json!({ "status": "ACTIVE", "status_reason": null });
    assert_eq!(cards.send("PATCH", &path, active).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn document_is_shown_in_the_spelling_that_was_sent_last() {
    let cards = Cards::start().await;
    let ana = json!({ "email": "ana@example.com", "operation_country": "ARG", "identification_type": "DNI",
        "identification_value": "12.345.678" });
    let id = cards.made(ana).await["id"].as_str().unwrap().to_owned();
    let display = async || {
        let user = cards.world.read(&format!("/v1/users/{}", id.trim_start_matches("usr-"))).await;
        user["identification"]["display"].clone()
    };
    assert_eq!(display().await, "12.345.678");
    for (sent, shown) in [(json!("12 345 678"), "12 345 678"), (json!(12_345_678), "12345678")] {
        let reply = cards.send("PATCH", &format!("{USERS}{id}"), json!({ "identification_value": sent })).await;
        assert_eq!((reply.status.as_u16(), display().await), (200, json!(shown)), "{reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_with_leading_zeros_are_taken_as_numbers() {
    let cards = Cards::start().await;
    let body = "{\"data\":{\"email\":\"ana@example.com\",\"operation_country\":\"BRA\",\"phone\": 01199998888 ,\"legal_address\":{\"zip_code\":01310100}}}";
    let reply = cards.call("POST", USERS).raw("application/json", body).send().await;
    assert_eq!(reply.body["data"]["legal_address"]["zip_code"], "01310100", "{reply:?}");
    assert_eq!(reply.body["data"]["phone"], "01199998888", "{reply:?}");
}
