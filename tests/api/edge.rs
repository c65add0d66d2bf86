//! The edge: headers that browsers obey, where links lead, and from where a request comes.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use edge::TrustedProxyHops;
use local::Options;
use serde_json::{Value, json};

use crate::dialects::platform::Platform;
use crate::limits::within_a_minute;
use crate::system::{Call, Muster, PASSWORD, Reply};
use crate::world::World;

/// A host that no answer may name.
const FORGED: &str = "forged.example";

/// The request as a client sends it that claims to have reached another host.
fn forged(call: Call<'_>) -> Call<'_> {
    call.header("host", FORGED)
        .header("x-forwarded-host", FORGED)
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-server", FORGED)
        .header("x-original-host", FORGED)
        .header("forwarded", &format!("host={FORGED};proto=https"))
}

fn is_clean(reply: &Reply) -> bool {
    !reply.text.contains(FORGED) && !format!("{:?}", reply.headers).contains(FORGED)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_names_a_host_that_the_client_claims() {
    let world = World::start().await;
    let documents = std::iter::once("/openapi.json").chain(dialects::documents().into_iter().map(|(_, path, _)| path));
    let mut operations = 0;
    for document in documents {
        let document = world.muster.get(document).send().await.body;
        for (path, item) in document["paths"].as_object().unwrap() {
            let filled = path.replace("{segment}", &world.segment).replace("{membership}", &world.membership);
            let filled = filled.replace("{user}", "me").replace(['{', '}'], "");
            for method in item.as_object().unwrap().keys().filter(|method| *method != "delete") {
                let call = world.call(&method.to_uppercase(), &filled);
                let call = if method == "get" { call } else { call.json(json!({})) };
                let reply = forged(call).send().await;
                assert!(is_clean(&reply), "{method} {path}: {reply:?}");
                operations += 1;
            }
        }
    }
    assert!(operations > 150, "{operations}");
}

#[tokio::test(flavor = "multi_thread")]
async fn absolute_links_lead_to_the_configured_address() {
    let world = World::start().await;
    let own = world.muster.url.clone();
    let user = world.user(json!({ "email": "eva@example.com" })).await;
    let link = forged(world.call("POST", &format!("/v1/users/{user}/magic-link"))).send().await;
    assert!(link.body["url"].as_str().is_some_and(|url| url.starts_with(&own)), "{link:?}");
    let (_, key) = world.key(&["read", "write", "admin"]).await;
    world.user(json!({})).await;
    let page = forged(world.muster.get("/b2b/User/getUser?pageSize=1").token(&key)).send().await;
    let next = page.body["pagination"]["nextPageUrl"].as_str().unwrap();
    assert!(next.starts_with(&format!("{own}/b2b/")), "{page:?}");
    let platform = Platform::of(world).await;
    let link = platform.call("POST", "/partners/magic-link").json(json!({ "email": "eva@example.com" }));
    let link = forged(link).send().await;
    assert!(link.body["url"].as_str().is_some_and(|url| url.starts_with(&own)), "{link:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_answer_carries_the_headers_that_browsers_obey() {
    let muster = Muster::start().await;
    // `Reply::check` asserts them for each answer of each test; these are the kinds that no handler writes.
    let preflight = muster.call("OPTIONS", "/v1/users/me").header("origin", "https://app.example.com");
    let preflight = preflight.header("access-control-request-method", "GET").send().await;
    assert!(!preflight.header("access-control-allow-methods").is_empty(), "{preflight:?}");
    let answers = [
        preflight,
        muster.get("/v1/nowhere").send().await,
        muster.call("PUT", "/v1/users").send().await,
        muster.call("POST", "/v1/users").raw("text/plain", "x").send().await,
        muster.call("POST", "/v1/users").raw("application/json", vec![b' '; 300 * 1024]).send().await,
        muster.get("/").send().await,
        muster.get("/health").send().await,
        muster.get("/openapi.json").send().await,
    ];
    for answer in &answers {
        let policy = answer.header("content-security-policy");
        assert_eq!(answer.header("x-request-id").len(), 36, "{answer:?}");
        assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{answer:?}");
    }
    let statuses = answers.each_ref().map(|answer| answer.status.as_u16());
    assert_eq!(statuses, [200, 404, 405, 415, 413, 307, 200, 200]);
    for path in ["/docs/", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"] {
        let policy = muster.get(path).send().await.header("content-security-policy").to_owned();
        assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{path}: {policy}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_text_of_the_docs_names_its_charset() {
    let muster = Muster::start().await;
    for path in ["/docs/", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/swagger-initializer.js"] {
        let reply = muster.get(path).send().await;
        let kind = reply.header("content-type");
        assert!(kind.starts_with("text/") && kind.to_lowercase().ends_with("charset=utf-8"), "{path}: {kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn swagger_ui_has_no_inline_script_and_keeps_no_token() {
    let muster = Muster::start().await;
    let page = muster.get("/docs/").send().await.text;
    for script in page.split("<script").skip(1) {
        let (attributes, rest) = script.split_once('>').unwrap();
        assert!(attributes.contains("src="), "{script}");
        assert!(rest.split("</script>").next().unwrap().trim().is_empty(), "{script}");
    }
    assert!(!page.contains("<style") && !page.contains(" onload="), "{page}");
    // The one style sheet within a script is that of the logo, and the policy names its hash.
    let style = ".logo_small_svg__cls-2{fill:#fff}.logo_small_svg__cls-3{fill:#85ea2d}";
    let preset = muster.get("/docs/swagger-ui-standalone-preset.js").send().await;
    assert!(preset.text.contains(style), "Swagger UI has another logo: compute the hash anew");
    let hash = STANDARD.encode(digest(&SHA256, style.as_bytes()));
    let policy = preset.header("content-security-policy");
    assert!(policy.contains(&format!("style-src 'self' 'sha256-{hash}';")), "{policy}");
    let start = muster.get("/docs/swagger-initializer.js").send().await.text;
    assert!(!start.contains("persistAuthorization\": true"), "{start}");
}

/// How many of `count` sign-ups are accepted, each with a header of its own.
async fn accepted(muster: &Muster, count: u8, header: impl Fn(u8) -> (&'static str, String)) -> u8 {
    let mut accepted = 0;
    for nth in 0..count {
        let email = format!("{}@example.com", domain::UserId::fresh());
        let body: Value = json!({ "email": email, "name": "A", "password": PASSWORD });
        let (name, value) = header(nth);
        let reply = muster.post("/v1/users", body).header(name, &value).send().await;
        accepted += u8::from(reply.status == 201);
    }
    accepted
}

async fn behind(hops: &str) -> Muster {
    let trusted_proxy_hops = TrustedProxyHops::parse(hops).unwrap();
    let muster = Muster::with(Options { rate_limit_factor: 1, trusted_proxy_hops, ..Options::default() }).await;
    within_a_minute().await;
    muster
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_trusted_proxy_no_header_changes_the_source() {
    let muster = behind("0").await;
    assert_eq!(accepted(&muster, 13, |nth| ("x-forwarded-for", format!("192.0.2.{nth}"))).await, 10);
    assert_eq!(accepted(&muster, 3, |nth| ("forwarded", format!("for=192.0.2.{nth}"))).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_trusted_proxy_the_address_counts_that_it_has_noted() {
    let muster = behind("1").await;
    let claimed = |nth: u8| ("x-forwarded-for", format!("198.51.100.{nth}, 192.0.2.1"));
    assert_eq!(accepted(&muster, 13, claimed).await, 10, "the client's own claims are not read");
    assert_eq!(accepted(&muster, 13, |nth| ("x-forwarded-for", format!("192.0.2.1, 198.51.100.{nth}"))).await, 13);
}
