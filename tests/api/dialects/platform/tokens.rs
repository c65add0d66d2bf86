//! Both tokens, in either form; and what registers who has them.

use domain::DeveloperFields;
use domain::field::Body as _;
use serde_json::{Value, json};

use super::{Platform, ROUTES, as_failed, failed, token};
use crate::system::Call;
use crate::world::id;

/// A request with its body, if it has one.
fn with<'a>(call: Call<'a>, body: &Value) -> Call<'a> {
    if body.is_null() { call } else { call.json(body.clone()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_developer_is_registered_and_its_new_token_ends_the_former_one() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let mut body = DeveloperFields::example();
    body["corporation_cnpj"] = json!(11_222_333_000_181_u64);
    body["extra"] = json!("ignored");
    let made = world.send("POST", "/platform/register", body.clone()).await;
    assert_eq!(made.status, 200, "{made:?}");
    let [user] = made.body.as_array().unwrap().as_slice() else { panic!("{made:?}") };
    assert_eq!(user.as_object().unwrap().keys().next().unwrap(), "id");
    assert_eq!((&user["corporation_cnpj"], &user["app_name"]), (&json!("11222333000181"), &json!("Enrolment")));
    assert_eq!(world.read(&format!("/v1/developers/{}", id(user))).await["email"], body["email"]);
    let new = async || {
        let given = world.send("POST", "/platform/generate-token", json!({ "user_id": user["id"] })).await;
        given.body["token"].as_str().unwrap().to_owned()
    };
    let (first, second) = (new().await, new().await);
    let path = "/platform/products/all-products";
    for (dev, expected) in [(&first, 401), (&second, 200)] {
        assert_eq!(world.muster.get(&format!("{path}/{dev}/{}", platform.plat)).send().await.status, expected);
    }
    for field in DeveloperFields::NAMES {
        let mut body = body.clone();
        body[*field] = json!("");
        let reply = world.send("POST", "/platform/register", body).await;
        assert_eq!(failed(&reply), as_failed(400, field, "required"));
    }
    for (body, expected) in [
        (json!({}), as_failed(400, "user_id", "required")),
        (json!({ "user_id": "x" }), as_failed(400, "user_id", "invalid_id")),
        (json!({ "user_id": world.ana.id }), as_failed(404, "", "")),
    ] {
        assert_eq!(failed(&world.send("POST", "/platform/generate-token", body).await), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_alone_registers_developers() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let (_, admin) = world.muster.key(&world.ana, "/v1/keys", &["admin"]).await;
    let (_, reader) = world.muster.key(&world.ana, "/v1/keys", &["read"]).await;
    for (credential, expected) in
        [(admin.as_str(), 200), (&reader, 403), (&platform.plat, 403), (&platform.dev, 401), ("nonsense", 401)]
    {
        let call = world.muster.post("/platform/register", DeveloperFields::example());
        assert_eq!(call.token(credential).send().await.status, expected, "{credential:.3}");
    }
    assert_eq!(failed(&world.muster.post("/platform/register", json!({})).send().await), as_failed(401, "", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_route_takes_both_tokens_in_its_path_or_in_headers_and_tells_neither() {
    let platform = Platform::start().await;
    let (mut user, product) = platform.student().await;
    for in_path in [true, false] {
        for nth in 0..ROUTES.len() {
            let (method, path, body) = platform.routes(&user, &product).swap_remove(nth);
            let call = if in_path { platform.call(method, &path) } else { platform.by_headers(method, &path) };
            let reply = with(call, &body).send().await;
            assert_eq!(reply.status, if path == "/push" { 202 } else { 200 }, "{method} {path} {reply:?}");
            let told = format!("{reply:?}");
            assert!(!told.contains(&platform.dev) && !told.contains(&platform.plat), "{told}");
            if method == "DELETE" {
                user = platform.student().await.0;
            }
        }
        assert_eq!(platform.call("DELETE", "/users/destroy-email/new@example.com").send().await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_tokens_are_401_on_every_route_and_change_nothing() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let (user, product) = platform.student().await;
    let eve = world.muster.ana().await;
    let hers = world.muster.made(&eve, "/v1/segments", json!({ "name": "Hers" })).await;
    let her_plat =
        world.muster.key(&eve, &format!("/v1/segments/{}/keys", id(&hers)), &["read", "write", "admin"]).await.1;
    let her_dev = token(&world.muster, &eve.access).await;
    let gone = world.muster.made(&world.ana, "/v1/developers", DeveloperFields::example()).await;
    let gone_dev = world.send("POST", "/platform/generate-token", json!({ "user_id": gone["id"] })).await;
    let gone_dev = gone_dev.body["token"].as_str().unwrap().to_owned();
    assert_eq!(world.call("DELETE", &format!("/v1/developers/{}", id(&gone))).send().await.status, 204);
    let (revoked, old) = world.key(&["read", "write", "admin"]).await;
    assert_eq!(
        world.call("DELETE", &format!("/v1/segments/{}/keys/{revoked}", world.segment)).send().await.status,
        204
    );
    let (dev, plat) = (platform.dev.as_str(), platform.plat.as_str());
    // The first use of a key is noted.
    for pair in [(dev, plat), (&her_dev, &her_plat)] {
        let path = format!("/platform/products/all-products/{}/{}", pair.0, pair.1);
        assert_eq!(world.muster.get(&path).send().await.status, 200);
    }
    let before = world.muster.lasting().await;
    for (dev, plat) in [
        (plat, dev),
        (dev, &old),
        (&gone_dev, plat),
        (&her_dev, plat),
        (dev, &her_plat),
        ("dv_nonsense", plat),
        (dev, "mk_nonsense"),
        ("nonsense", "nonsense"),
        (plat, plat),
        (dev, dev),
    ] {
        for (method, path, body) in platform.routes(&user, &product) {
            let in_path = world.muster.call(method, &format!("/platform{path}/{dev}/{plat}"));
            let in_headers = world.muster.call(method, &format!("/platform{path}"));
            for call in [in_path, in_headers.header("x-developer-token", dev).header("x-platform-token", plat)] {
                let reply = with(call, &body).send().await;
                assert_eq!(failed(&reply), as_failed(401, "", ""), "{method} {path} {dev:.4} {plat:.4}");
            }
        }
    }
    for (method, path, body) in platform.routes(&user, &product) {
        let call = || with(world.muster.call(method, &format!("/platform{path}")), &body);
        for call in [
            call(),
            call().header("x-platform-token", plat),
            call().header("x-developer-token", dev),
            call().token(plat),
        ] {
            assert_eq!(failed(&call.send().await), as_failed(401, "", ""), "{method} {path}");
        }
    }
    assert_eq!(world.muster.lasting().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_segments_students_are_absent() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let (user, product) = platform.student().await;
    let subscribed = json!({ "product_id": product, "user_id": user });
    assert_eq!(platform.send("POST", "/users/create/user-subscription", subscribed).await.status, 200);
    let other = world.muster.made(&world.ana, "/v1/segments", json!({ "name": "Other" })).await;
    let keys = format!("/v1/segments/{}/keys", id(&other));
    let plat = world.muster.key(&world.ana, &keys, &["read", "write", "admin"]).await.1;
    let own = |path: &str, rest: &str| format!("/platform{path}/{}/{plat}{rest}", platform.dev);
    assert_eq!(world.muster.get(&own("/products/all-products", "")).send().await.body["data"], json!([]));
    let before = world.muster.lasting().await;
    for (method, path, body) in platform.routes(&user, &product) {
        // What names nothing of a segment means the own one.
        if ["/users/create", "/products/all-products", "/push"].contains(&&*path) {
            continue;
        }
        let reply = with(world.muster.call(method, &own(&path, "")), &body).send().await;
        // What a body names of another segment is wrong there; what a path names is absent.
        let expected = if path.contains("user-subscription") { 400 } else { 404 };
        assert_eq!(failed(&reply).0, expected, "{method} {path} {reply:?}");
    }
    let membership = own("/ranking", &format!("?membership_id={}", world.membership));
    assert_eq!(world.muster.get(&membership).send().await.status, 404);
    assert_eq!(world.muster.lasting().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_does_what_its_scopes_say() {
    let platform = Platform::start().await;
    let (user, product) = platform.student().await;
    for (scope, others) in [("read", ["write", "admin"]), ("write", ["read", "admin"]), ("admin", ["read", "write"])] {
        let plat = platform.world.key(&others).await.1;
        for (method, path, body) in platform.routes(&user, &product) {
            let needs = match method {
                "GET" => "read",
                "DELETE" => "admin",
                _ if path.ends_with("/magic-link") => "admin",
                _ => "write",
            };
            if needs != scope {
                continue;
            }
            let call = platform.world.muster.call(method, &format!("/platform{path}/{}/{plat}", platform.dev));
            assert_eq!(failed(&with(call, &body).send().await), as_failed(403, "", ""), "{method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_told_in_the_same_shape() {
    let platform = Platform::start().await;
    for (method, path, expected) in [
        ("GET", "/nothing", 404),
        ("PATCH", "/users/show-id/x", 405),
        ("GET", "/users/show-id/x", 404),
        ("GET", "/users/show-email/nobody", 404),
        ("GET", "/users/show-reference/%00", 404),
        ("GET", "/users/show-document/--", 404),
        ("GET", "/products/all-products?colour=red", 400),
        ("GET", "/products/all-products?cursor=x", 400),
        ("GET", "/products/all-products?per_page=1000", 400),
        ("POST", "/users/create", 415),
    ] {
        let reply = platform.call(method, path).send().await;
        assert_eq!(failed(&reply).0, expected, "{method} {path} {reply:?}");
        assert!(!reply.text.contains(&platform.plat) && !reply.text.contains(&platform.dev));
    }
}
