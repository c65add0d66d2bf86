//! Both tokens, in either form; and what registers who has them.

use domain::field::Body as _;
use domain::{DeveloperFields, Time};
use local::Options;
use serde_json::{Value, json};

use super::{Platform, ROUTES, as_failed, failed, open_developer, token};
use crate::system::{Call, Muster};
use crate::world::{World, id};

/// A request with its body, if it has one.
fn with<'a>(call: Call<'a>, body: &Value) -> Call<'a> {
    if body.is_null() { call } else { call.json(body.clone()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn developer_registers_itself_and_its_former_tokens_stay_valid() {
    let platform = Platform::start().await;
    let muster = &platform.world.muster;
    let mut body = DeveloperFields::example();
    body["corporation_cnpj"] = json!(11_222_333_000_181_u64);
    body["phone"] = json!("(11) 98765-4321");
    body["extra"] = json!("ignored");
    let made = muster.post("/platform/register", body.clone()).send().await;
    assert_eq!(made.status, 200, "{made:?}");
    let [user] = made.body.as_array().unwrap().as_slice() else { panic!("{made:?}") };
    assert_eq!(user.as_object().unwrap().keys().next().unwrap(), "id");
    assert_eq!((&user["corporation_cnpj"], &user["app_name"]), (&json!("11222333000181"), &json!("Enrolment")));
    assert_eq!(user["phone"], "(11) 98765-4321");
    let new = async || {
        let named = json!({ "user_id": format!("{} ", user["id"].as_str().unwrap()) });
        let given = muster.post("/platform/generate-token", named).send().await;
        given.body["token"].as_str().unwrap().to_owned()
    };
    let first = new().await;
    let look_up = async |dev: &str| {
        let path = format!("/platform/products/all-products/{dev}/{}", platform.plat);
        muster.get(&path).send().await.status.as_u16()
    };
    let parallel = futures_util::future::join_all((0..98).map(|_| new())).await;
    let last = new().await;
    let distinct: std::collections::BTreeSet<_> = parallel.iter().chain([&first, &last]).collect();
    assert_eq!(distinct.len(), 100);
    for dev in [&first, &parallel[0], &parallel[97], &last] {
        assert_eq!(look_up(dev).await, 200);
    }
    let newest = new().await;
    assert_eq!((look_up(&first).await, look_up(&newest).await), (401, 200), "the newest 100 are valid");
    for field in DeveloperFields::NAMES {
        for blank in [json!(""), json!(" "), Value::Null] {
            let mut body = body.clone();
            body[*field] = blank;
            let reply = muster.post("/platform/register", body).send().await;
            assert_eq!(failed(&reply), as_failed(400, field, "required"));
        }
    }
    for (body, expected) in [
        (json!({}), as_failed(400, "user_id", "required")),
        (json!({ "user_id": "x" }), as_failed(400, "user_id", "invalid_id")),
        (json!({ "user_id": " " }), as_failed(400, "user_id", "required")),
        (json!({ "user_id": platform.world.ana.id }), as_failed(404, "", "")),
    ] {
        assert_eq!(failed(&muster.post("/platform/generate-token", body).send().await), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn developer_without_a_use_expires_after_thirty_days() {
    let platform = Platform::start().await;
    let muster = &platform.world.muster;
    let path = |dev: &str| format!("/platform/products/all-products/{dev}/{}", platform.plat);
    for (is_used, expected) in [(true, 200), (false, 401)] {
        let (developer, token) = open_developer(muster).await;
        if is_used {
            assert_eq!(muster.get(&path(&token)).send().await.status, 200);
        }
        let registration = format!("DR#{developer}");
        let item = muster.item(&registration, "DR").await;
        assert_eq!(item.contains_key("expires_at"), !is_used, "{item:?}");
        if !is_used {
            // DynamoDB may take two days to delete what has expired.
            muster.set_number((&registration, "DR"), "expires_at", Time::now().seconds() - 1).await;
        }
        assert_eq!(muster.get(&path(&token)).send().await.status, expected);
        let again = muster.post("/platform/generate-token", json!({ "user_id": developer })).send().await;
        assert_eq!(again.status, if is_used { 200 } else { 404 });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credential_makes_a_developer_of_the_account() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let (_, admin) = world.muster.key(&world.ana, "/v1/keys", &["admin"]).await;
    let (_, reader) = world.muster.key(&world.ana, "/v1/keys", &["read"]).await;
    for (credential, expected) in
        [(admin.as_str(), 200), (&reader, 403), (&platform.plat, 403), (&platform.dev, 200), ("nonsense", 200)]
    {
        let call = world.muster.post("/platform/register", DeveloperFields::example());
        let made = call.token(credential).send().await;
        assert_eq!(made.status, expected, "{credential:.3}");
        if expected == 200 {
            let named = json!({ "user_id": made.body[0]["id"] });
            let token = world.muster.post("/platform/generate-token", named).token(credential).send().await;
            assert_eq!(token.status, 200, "{credential:.3} {token:?}");
        }
    }
    let basic = world.muster.post("/platform/register", DeveloperFields::example());
    let basic = basic.header("authorization", "Basic YTpi").send().await;
    assert_eq!(basic.status, 200, "a header that is of no use is ignored: {basic:?}");
    let revoked = world.muster.key(&world.ana, "/v1/keys", &["admin"]).await;
    assert_eq!(world.call("DELETE", &format!("/v1/keys/{}", revoked.0)).send().await.status, 204);
    let open = world.muster.post("/platform/register", DeveloperFields::example()).token(&revoked.1).send().await;
    assert_eq!(open.status, 200, "{open:?}");
    let path = format!("/v1/developers/{}", id(&open.body[0]));
    assert_eq!(world.get(&path).await.status, 404, "a key that is revoked makes no developer of the account");
    let own = world.send("POST", "/platform/register", DeveloperFields::example()).await;
    let path = format!("/v1/developers/{}", id(&own.body[0]));
    assert_eq!(world.read(&path).await["account_id"], json!(world.ana.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn account_mode_demands_the_credential_of_an_account() {
    let account = edge::DeveloperRegistration::Account;
    let options = Options { developer_registration: account, ..Options::default() };
    let world = World::on(Muster::with(options).await, json!({ "name": "S" })).await;
    let registered = world.muster.post("/platform/register", DeveloperFields::example()).send().await;
    assert_eq!(failed(&registered), as_failed(401, "", ""));
    let nonsense = world.muster.post("/platform/register", DeveloperFields::example()).token("nonsense").send().await;
    assert_eq!(failed(&nonsense), as_failed(401, "", ""));
    let own = world.send("POST", "/platform/register", DeveloperFields::example()).await;
    let named = json!({ "user_id": own.body[0]["id"] });
    let stranger = world.muster.post("/platform/generate-token", named.clone()).send().await;
    assert_eq!(failed(&stranger), as_failed(401, "", ""));
    let eve = world.muster.ana().await;
    let foreign = world.muster.post("/platform/generate-token", named.clone()).by(&eve).send().await;
    assert_eq!(failed(&foreign), as_failed(404, "", ""));
    let token = world.send("POST", "/platform/generate-token", named).await;
    let dev = token.body["token"].as_str().unwrap();
    let (_, plat) = world.key(&["read"]).await;
    assert_eq!(world.muster.get(&format!("/platform/products/all-products/{dev}/{plat}")).send().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn registrations_and_tokens_are_limited_by_source() {
    let muster = Muster::with(Options { rate_limit_factor: 1, ..Options::default() }).await;
    let left = 60 - u64::try_from(Time::now().seconds()).unwrap() % 60;
    if left < 15 {
        tokio::time::sleep(std::time::Duration::from_secs(left)).await;
    }
    let register = async |host: u8| {
        let call = muster.call_from(host, "POST", "/platform/register").json(DeveloperFields::example());
        call.send().await
    };
    let mut developer = String::new();
    for _ in 0..5 {
        developer = id(&register(7).await.body[0]);
    }
    let refused = register(7).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after").is_empty()), (429, false));
    assert_eq!(register(8).await.status, 200);
    let given = muster.call_from(7, "POST", "/platform/generate-token").json(json!({ "user_id": developer }));
    assert!(given.send().await.header("ratelimit-policy").contains("\"developer-token\";q=600"));
}

#[tokio::test(flavor = "multi_thread")]
async fn token_of_a_segments_user_is_no_platform_token() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let (_, token) = open_developer(&world.muster).await;
    let user = world.user(json!({ "email": "eva@example.com", "password": crate::system::PASSWORD })).await;
    let login = json!({ "email": "eva@example.com", "password": crate::system::PASSWORD, "segment_id": world.segment });
    let access = world.muster.post("/v1/auth/login", login).send().await.body["access_token"].clone();
    let call = world.muster.get(&format!("/platform/users/show-id/{user}")).header("x-developer-token", &token);
    let reply = call.token(access.as_str().unwrap()).header("x-segment-id", &world.segment).send().await;
    assert_eq!(failed(&reply), as_failed(401, "", ""));
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
async fn path_with_one_token_is_401_and_looks_nobody_up() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let (user, product) = platform.student().await;
    // The first use of a key is noted.
    assert_eq!(platform.get("/ranking").await.status, 200);
    let before = world.muster.lasting().await;
    let mut seen = 0;
    for (method, path, body) in platform.routes(&user, &product) {
        for token in [&platform.dev, &platform.plat] {
            for path in [format!("/platform{path}/{token}"), format!("/platform{path}/{token}/")] {
                let reply = with(world.muster.call(method, &path), &body).send().await;
                assert_eq!(failed(&reply), as_failed(401, "", ""), "{method} {path} {reply:?}");
            }
        }
        seen += 1;
        // One more part of these paths names something.
        if path.starts_with("/ranking") || path.starts_with("/push") {
            continue;
        }
        // With both tokens elsewhere, one part too many of a path names nothing.
        let reply = with(platform.by_headers(method, &format!("{path}/x")), &body).send().await;
        assert_eq!(failed(&reply), as_failed(404, "", ""), "{method} {path} {reply:?}");
    }
    assert_eq!((seen, world.muster.lasting().await), (17, before));
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
        ("GET", "/products/all-products?cursor=x", 400),
        ("GET", "/products/all-products?per_page=1000", 400),
        ("POST", "/users/create", 400),
    ] {
        let reply = platform.call(method, path).send().await;
        assert_eq!(failed(&reply).0, expected, "{method} {path} {reply:?}");
        assert!(!reply.text.contains(&platform.plat) && !reply.text.contains(&platform.dev));
    }
}
