//! Bad input: a 4xx that names the field, nothing stored, never a 5xx.

use serde_json::{Value, json};

use crate::system::{Ana, Muster, PASSWORD, Reply};
use crate::world::World;

/// Every route that takes a body, with one that is accepted.
fn bodies(ana: &Ana) -> Vec<(&'static str, String, Value)> {
    let change = json!({ "old_password": PASSWORD, "new_password": "staple battery horse" });
    let confirm = json!({ "email": ana.email, "code": "0", "new_password": "staple battery horse" });
    vec![
        ("POST", "/v1/users".to_owned(), json!({ "email": "b@example.com", "name": "B", "password": PASSWORD })),
        ("POST", format!("/v1/users/{}/verification", ana.id), json!({ "code": "0" })),
        ("POST", format!("/v1/users/{}/restoration", ana.id), json!({ "password": "0" })),
        ("POST", "/v1/users/me/password".to_owned(), change),
        ("PATCH", "/v1/users/me".to_owned(), json!({ "name": "B" })),
        ("POST", "/v1/users/me/addresses".to_owned(), json!({ "alias": "B" })),
        ("POST", "/v1/auth/login".to_owned(), json!({ "email": ana.email, "password": "0" })),
        ("POST", "/v1/auth/refresh".to_owned(), json!({ "refresh_token": "0" })),
        ("POST", "/v1/auth/logout".to_owned(), json!({ "refresh_token": "0" })),
        ("POST", "/v1/auth/recovery".to_owned(), json!({ "email": ana.email })),
        ("POST", "/v1/auth/recovery/confirm".to_owned(), confirm),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_json_object_is_refused_by_every_route() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let malformed = malformed();
    let before = muster.items("").await.len();
    for (method, path, _) in bodies(&ana) {
        for raw in &malformed {
            let reply = muster.call(method, &path).raw("application/json", raw.clone()).by(&ana).send().await;
            assert_eq!(
                (reply.status.as_u16(), &reply.body["code"]),
                (400, &json!("malformed")),
                "{method} {path} {raw:.40?}"
            );
        }
        for other in no_objects() {
            let reply = muster.call(method, &path).json(other.clone()).by(&ana).send().await;
            assert_eq!(
                (reply.status.as_u16(), &reply.body["code"]),
                (400, &json!("invalid")),
                "{method} {path} {other}"
            );
        }
    }
    assert_eq!(muster.items("U#").await.len() + muster.items("C#").await.len(), 6 - 1, "{before}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_refuses_the_wrong_kind_of_value_by_name() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let wrong = wrong();
    for (method, path, body) in bodies(&ana) {
        for field in body.as_object().unwrap().keys() {
            for value in &wrong {
                let mut body = body.clone();
                body[field] = value.clone();
                let reply = muster.call(method, &path).json(body).by(&ana).send().await;
                named(&reply, &format!("/{field}"));
            }
            let mut unknown = body.clone();
            unknown["no/such~field"] = json!(1);
            let reply = muster.call(method, &path).json(unknown).by(&ana).send().await;
            assert_eq!(reply.errors(), [("/no~1such~0field".to_owned(), "unknown".to_owned())], "{method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_rule_of_a_user_and_an_address_names_its_field() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let long = "x".repeat(10_000);
    for (path, field, value) in [
        ("/v1/users/me", "email", json!("not an e-mail")),
        ("/v1/users/me", "email", json!(null)),
        ("/v1/users/me", "name", json!(null)),
        ("/v1/users/me", "birthdate", json!("2023-02-29")),
        ("/v1/users/me", "birthdate", json!("29/02/2024")),
        ("/v1/users/me", "valid_until", json!("tomorrow")),
        ("/v1/users/me", "phone", json!("call me")),
        ("/v1/users/me", "gender", json!("female")),
        ("/v1/users/me", "nationality", json!("MX")),
        ("/v1/users/me", "language", json!("español")),
        ("/v1/users/me", "username", json!("with space")),
        ("/v1/users/me", "metadata", json!({ "a": "x".repeat(9000) })),
        ("/v1/users/me", "metadata", json!([1])),
        ("/v1/users/me", "country", json!({ "iso": "MX" })),
        ("/v1/users/me", "identification", json!({ "type": "DNI" })),
        ("/v1/users/me", "identification", json!({ "type": "dni", "value": "1" })),
        ("/v1/users/me", "identification", json!({ "type": "DNI", "value": "12#34" })),
        ("/v1/users/me", "version", json!(7)),
        ("/v1/users/me/addresses", "latitude", json!(91)),
        ("/v1/users/me/addresses", "latitude", json!("north")),
        ("/v1/users/me/addresses", "longitude", json!(-180.5)),
        ("/v1/users/me/addresses", "is_billing", json!("true")),
        ("/v1/users/me/addresses", "status", json!(1)),
        ("/v1/users/me/addresses", "zip_code", json!(true)),
        ("/v1/users/me/addresses", "references", json!(long)),
        ("/v1/users/me/addresses", "user_id", json!(ana.id)),
    ] {
        let method = if path == "/v1/users/me" { "PATCH" } else { "POST" };
        let reply = muster.call(method, path).json(json!({ field: value })).by(&ana).send().await;
        named(&reply, &format!("/{field}"));
        assert!(reply.text.len() < 2_000, "an answer does not repeat what was sent");
    }
    let me = muster.get("/v1/users/me").by(&ana).send().await;
    assert_eq!(me.body["version"], 2);
    assert_eq!(muster.get("/v1/users/me/addresses").by(&ana).send().await.body["page"]["total_items"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_errors_of_a_body_come_at_once() {
    let muster = Muster::start().await;
    let body =
        json!({ "email": "x", "password": "short", "birthdate": "2023-02-30", "country": { "code": {} }, "colour": 1 });
    let reply = muster.post("/v1/users", body).send().await;
    let mut pointers: Vec<_> = reply.errors().into_iter().map(|(pointer, _)| pointer).collect();
    pointers.sort();
    assert_eq!(pointers, ["/birthdate", "/colour", "/country/code", "/email", "/name", "/password"]);
}

/// The pointers of the errors of a reply, or of a row of a batch.
fn pointers(problem: &Value) -> Vec<&str> {
    let mut pointers: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    pointers.sort_unstable();
    pointers
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_the_body_the_segment_and_the_country_come_at_once() {
    let world = World::start().await;
    let users = format!("/v1/segments/{}/users", world.segment);
    let settings = json!({ "settings": { "required_user_fields": ["email", "name"], "password_min_length": 12 } });
    let segment = format!("/v1/segments/{}", world.segment);
    assert_eq!(world.send("PATCH", &segment, settings).await.status, 200);
    let body = json!({
        "email": "x", "operation_country": "BRA", "birthdate": "2023-02-30", "password": "short-one",
        "identification": { "type": "DNI", "value": "12345678" },
        "legal_address": { "street_name": 1, "zip_code": "1" }, "colour": 1
    });
    let expected = [
        "/birthdate",
        "/colour",
        "/email",
        "/identification/type",
        "/legal_address/street_name",
        "/legal_address/zip_code",
        "/name",
        "/password",
    ];
    let alone = world.send("POST", &users, body.clone()).await;
    assert_eq!(pointers(&alone.body), expected, "{alone:?}");
    let batch = world.send("POST", &format!("{users}/batch"), json!({ "users": [body] })).await;
    assert_eq!(pointers(&batch.body["results"][0]["error"]), expected, "{batch:?}");
    let batch = json!({ "users": [{ "email": "ana@example.com", "name": "A" }, body], "atomic": true });
    let together = world.send("POST", &format!("{users}/batch"), batch).await;
    let placed: Vec<_> = expected.iter().map(|pointer| format!("/users/1{pointer}")).collect();
    assert_eq!(pointers(&together.body), placed, "{together:?}");

    let no_objects = json!({ "users": [{ "email": "ana@example.com", "name": "A" }, 5, null], "atomic": true });
    let no_objects = world.send("POST", &format!("{users}/batch"), no_objects).await;
    assert_eq!(pointers(&no_objects.body), ["/users/1", "/users/2"], "{no_objects:?}");

    let ana = world.muster.made(&world.ana, &users, json!({ "email": "ana@example.com", "name": "Ana" })).await;
    let path = format!("/v1/users/{}", ana["id"].as_str().unwrap());
    let mut patch = body.clone();
    patch.as_object_mut().unwrap().extend([("name".to_owned(), Value::Null)]);
    patch.as_object_mut().unwrap().remove("password");
    let patched = world.send("PATCH", &path, patch).await;
    // A member of the patch with an error is not applied, so that its other parts wait.
    let is_patched = |pointer: &&str| !["/password", "/legal_address/zip_code"].contains(pointer);
    let of_patch: Vec<_> = expected.into_iter().filter(is_patched).collect();
    assert_eq!(pointers(&patched.body), of_patch, "{patched:?}");
    assert_eq!(world.read(&path).await, ana);
    assert_eq!(world.read(&users).await["page"]["total_items"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_of_what_follows_from_a_field_with_an_error() {
    let world = World::start().await;
    let users = format!("/v1/segments/{}/users", world.segment);
    for (body, expected) in [
        // Which documents a country has is not known before the country is.
        (
            json!({ "email": "a@example.com", "operation_country": "BR", "identification": { "type": "CPF", "value": "1" } }),
            "/operation_country",
        ),
        (json!({ "email": " " }), "/email"),
        (json!({ "email": "a@example.com", "status": "ASLEEP", "status_reason": "TIRED" }), "/status"),
        (json!({ "email": "a@example.com", "status_reason": "TIRED" }), "/status_reason"),
        (json!({ "email": "a@example.com", "phone": "12", "phone_display": "12" }), "/phone"),
    ] {
        let refused = world.send("POST", &users, body.clone()).await;
        assert_eq!(pointers(&refused.body), [expected], "{body} {refused:?}");
    }
    let requires = json!({ "settings": { "required_user_fields": ["email", "name", "legal_address"] } });
    assert_eq!(world.send("PATCH", &format!("/v1/segments/{}", world.segment), requires).await.status, 200);
    for (body, expected) in [
        // A child needs none of the required fields.
        (json!({ "email": "a@example.com", "parent_id": "nobody" }), "/parent_id"),
        (json!({ "email": "a@example.com", "name": "A", "legal_address": { "city": null } }), "/legal_address"),
    ] {
        let refused = world.send("POST", &users, body.clone()).await;
        assert_eq!(pointers(&refused.body), [expected], "{body} {refused:?}");
    }
    let peruvian = json!({ "email": "a@example.com", "name": "A", "legal_address": { "city": "Lima" },
        "operation_country": "PER", "identification": { "type": "DNI", "value": "12345678" } });
    let path = format!("/v1/users/{}", world.muster.made(&world.ana, &users, peruvian).await["id"].as_str().unwrap());
    let patch = json!({ "identification": { "type": "X", "value": "1" }, "operation_country": "BRA" });
    let refused = world.send("PATCH", &path, patch).await;
    // The document of before is not judged in place of the one that cannot be read.
    assert_eq!(pointers(&refused.body), ["/identification/type", "/legal_address/zip_code"], "{refused:?}");
    for (body, expected) in [
        (json!({ "key": "bank", "name": "Bank", "type": "dropdown", "options": 1 }), "/options"),
        (json!({ "key": "bank", "name": "Bank", "type": "dropdown", "catalog_id": 1 }), "/catalog_id"),
        (json!({ "key": "bank", "name": "Bank", "type": "drop" }), "/type"),
    ] {
        let refused = world.send("POST", &world.path("/fields"), body.clone()).await;
        assert_eq!(pointers(&refused.body), [expected], "{body} {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_a_member_and_its_answers_come_at_once() {
    let world = World::start().await;
    let settings = json!({ "settings": { "refuse_payment_cards": true } });
    assert_eq!(world.send("PATCH", &world.path(""), settings).await.status, 200);
    world.field("bank", "string", json!({ "required": true })).await;
    world.field("income", "number", json!({})).await;
    let (foreign, card) = (domain::UserId::fresh(), "4111111111111111");
    let body = json!({ "name": 1, "starts_at": "never", "card_number": card, "user_id": foreign,
        "answers": { "income": "much", "other": 1 }, "colour": 1 });
    let refused = world.send("POST", &world.path("/members"), body).await;
    let expected = ["/answers/income", "/answers/other", "/card_number", "/colour", "/name", "/starts_at", "/user_id"];
    assert_eq!(pointers(&refused.body), expected, "{refused:?}");
    let member = world.member(json!({ "name": "Ana" })).await;
    let patch = json!({ "name": 1, "starts_at": "never", "card_number": card, "user_id": foreign,
        "level_id": domain::LevelId::fresh(), "colour": 1 });
    let refused = world.send("PATCH", &member, patch).await;
    let expected = ["/card_number", "/colour", "/level_id", "/name", "/starts_at", "/user_id"];
    assert_eq!(pointers(&refused.body), expected, "{refused:?}");
    assert_eq!(world.read(&member).await["version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_unknown_fields_make_no_large_answer() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let many: serde_json::Map<_, _> = (0..20_000).map(|nth| (format!("f{nth}"), json!(1))).collect();
    let call = muster.patch("/v1/users/me", Value::Object(many)).by(&ana).header("idempotency-key", "k");
    let reply = call.send().await;
    assert_eq!(reply.status, 400);
    assert!(reply.text.len() < 20_000, "{}", reply.text.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_are_none_name_nothing() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    for id in NO_IDS.into_iter().chain(["me%00", "0199d2a45c0070008000000000000001"]) {
        for path in
            [format!("/v1/users/{id}"), format!("/v1/users/{id}/addresses"), format!("/v1/users/me/addresses/{id}")]
        {
            let reply = muster.get(&path).by(&ana).send().await;
            assert_eq!(reply.status, 404, "{path}");
        }
        let path = format!("/v1/users/{id}/verification");
        assert_eq!(muster.post(&path, json!({ "code": "1" })).send().await.status, 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_out_of_range_or_unknown_are_refused_by_name() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let of_addresses = [("sort=alias", "/sort"), ("sort=id,,", "/sort"), ("filter[alias]=x", "/filter[alias]")];
    for (query, pointer) in WRONG_QUERIES.into_iter().chain(of_addresses) {
        let reply = muster.get(&format!("/v1/users/me/addresses?{query}")).by(&ana).send().await;
        named(&reply, pointer);
    }
    for (method, path) in
        [("GET", "/v1/users/me"), ("PATCH", "/v1/users/me"), ("POST", "/v1/users"), ("POST", "/v1/auth/login")]
    {
        let reply = muster.call(method, &format!("{path}?colour=red")).json(json!({})).by(&ana).send().await;
        named(&reply, "/colour");
    }
    assert_eq!(muster.delete("/v1/users/me?purge=yes").by(&ana).send().await.status, 400);
    assert_eq!(muster.delete("/v1/users/me?force=true").by(&ana).send().await.status, 400);
    assert_eq!(muster.get("/v1/users/me").by(&ana).send().await.status, 200);
}

/// What is no JSON, or more of it than is read.
pub(crate) fn malformed() -> Vec<Vec<u8>> {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let nested = format!("{}1{}", "{\"a\":".repeat(500), "}".repeat(500));
    let short = [&b""[..], b"{", b"nonsense", b"\xff\xfe{}", b"{\"a\":\"\xc3\x28\"}", b"{} {}", b"NaN"];
    short.into_iter().chain([deep.as_bytes(), nested.as_bytes()]).map(<[u8]>::to_vec).collect()
}

/// JSON that is no object.
pub(crate) fn no_objects() -> [Value; 6] {
    [json!(null), json!(1), json!("x"), json!(true), json!([1]), json!([[]])]
}

/// What hardly any field takes.
pub(crate) fn wrong() -> [Value; 6] {
    [json!({}), json!([]), json!(""), json!("x".repeat(10_000)), json!("a\u{0}b"), json!("\u{1b}[2J")]
}

/// Parts of paths that are nobody's id.
pub(crate) const NO_IDS: [&str; 8] = ["x", "%23", "%2F", "a%2Fb", "U%23x", "..%2F..", "%F0%9F%92%A9", "%FF"];

/// Queries that no list takes, and what is wrong with each.
pub(crate) const WRONG_QUERIES: [(&str, &str); 11] = [
    ("page[size]=0", "/page[size]"),
    ("page[size]=101", "/page[size]"),
    ("page[size]=-1", "/page[size]"),
    ("page[size]=ten", "/page[size]"),
    ("page[size]=10&page[size]=11", "/page[size]"),
    ("page[number]=0", "/page[number]"),
    ("page[number]=99999999999999999999", "/page[number]"),
    ("page=1", "/page"),
    ("limit=1", "/limit"),
    ("sort=", "/sort"),
    ("%00=1", "/\u{0}"),
];

/// The one thing that is wrong is the field, or something in it; but for ids of the example, which are nobody's.
pub(crate) fn named(reply: &Reply, pointer: &str) {
    assert_eq!(reply.status, 400, "{pointer}: {reply:?}");
    let is_named = |found: &str| found == pointer || found.starts_with(&format!("{pointer}/"));
    assert!(reply.errors().iter().any(|(found, _)| is_named(found)), "{pointer}: {reply:?}");
    for (found, code) in reply.errors() {
        assert!(is_named(&found) || code == "unknown", "{pointer}: {reply:?}");
    }
}
