//! `local` changes and refuses requests and responses as API Gateway and Lambda do.

use std::collections::BTreeSet;

use domain::PublicUrl;
use local::Options;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::dialects::platform::Platform;
use crate::system::Muster;
use crate::world::{World, id};

/// Ids of other systems with characters that paths have a meaning for.
const HARD_IDS: [&str; 9] = ["A/1", "50%", "%41", "a?b", "a#b", "a b", "é", "a+b&c=d", "-;:@!$'()*,[]{}|\\^`\"<>"];

/// The same, which clients or API Gateway cannot pass on in a path.
const HARDER_IDS: [&str; 4] = ["/A", "A/", "A//1", ".."];

fn encode(text: &str) -> String {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~".contains(&byte);
    text.bytes()
        .map(|byte| if unreserved(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn reference_ids_with_any_character_work_in_platform() {
    let platform = Platform::start().await;
    for reference in HARD_IDS.into_iter().chain(HARDER_IDS) {
        let user = platform.world.user(json!({ "reference_id": reference })).await;
        let (path, query) = (encode(reference), format!("?reference_id={}", encode(reference)));
        let mut paths = vec![format!("show-reference{query}")];
        if HARD_IDS.contains(&reference) {
            paths.push(format!("show-reference/{path}"));
        }
        for path in paths {
            let path = format!("/users/{path}");
            for call in [platform.call("GET", &path), platform.by_headers("GET", &path)] {
                let shown = call.send().await;
                assert_eq!(
                    (shown.status.as_u16(), &shown.body["id"]),
                    (200, &json!(user)),
                    "{reference:?} {path}: {shown:?}"
                );
            }
        }
        let gone = platform.by_headers("DELETE", &format!("/users/destroy-reference-id{query}")).send().await;
        assert_eq!(gone.status, 200, "{reference:?}: {gone:?}");
    }
    let user = platform.world.user(json!({ "email": "a/b%c?d#e@example.com" })).await;
    let shown = platform.by_headers("GET", "/users/show-email/a%2Fb%25c%3Fd%23e%40example.com").send().await;
    assert_eq!((shown.status.as_u16(), &shown.body["id"]), (200, &json!(user)), "{shown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn remote_ids_with_any_character_work_in_b2b() {
    let world = World::start().await;
    let (_, key) = world.key(&["read", "write", "admin"]).await;
    for reference in HARD_IDS.into_iter().chain(HARDER_IDS) {
        let user = world.user(json!({ "reference_id": reference, "name": "Ana" })).await;
        let (path, query) = (format!("/{}", encode(reference)), format!("?id={}", encode(reference)));
        let forms: &[&str] = if HARD_IDS.contains(&reference) { &[&path, &query] } else { &[&query] };
        for form in forms {
            let call = world.muster.call("PUT", &format!("/b2b/User/update{form}")).token(&key);
            let changed = call.json(json!({ "name": "Eva" })).send().await;
            assert_eq!(
                (changed.status.as_u16(), &changed.body["id"]),
                (200, &json!(user)),
                "{reference:?}: {changed:?}"
            );
        }
        let deleted = world.muster.call("DELETE", &format!("/b2b/User/delete{}", forms[0])).token(&key).send().await;
        assert_eq!((deleted.status.as_u16(), &deleted.body["id"]), (200, &json!(user)), "{reference:?}: {deleted:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decoded_path_reaches_no_other_route() {
    let world = World::start().await;
    let user = world.user(json!({})).await;
    assert_eq!(
        world.get(&format!("/v1/users%2F{user}")).await.status,
        200,
        "API Gateway decodes it before a route is found"
    );
    for path in ["/v1/users%252F", "/v1/users/%25", "/v1/users/..%2Fme", "/v1/users/%3Fa", "/v1/users/%00"] {
        assert_eq!(world.get(path).await.status, 404, "{path}");
    }
}

/// Sends bytes as they are: the status line and all that follows.
async fn send_raw(muster: &Muster, request: &[u8]) -> String {
    let mut stream = tokio::net::TcpStream::connect(muster.url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raw_query_that_does_not_parse_is_400_for_everybody() {
    let muster = Muster::start().await;
    for query in [&b"a=\xc3\xa9"[..], b"filter[name]=\xff", b"a=b#c"] {
        for path in ["/v1/languages", "/flows/segment/list/x", "/b2b/User/getUser", "/platform/ranking", "/nowhere"] {
            let head = [format!("GET {path}?").as_bytes(), query, b" HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"]
                .concat();
            let answer = send_raw(&muster, &head).await;
            let status = answer.get(..12).unwrap();
            // An HTTP server may cut off a fragment, which no client sends.
            let is_expected = status == "HTTP/1.1 400" || (query.contains(&b'#') && status != "HTTP/1.1 500");
            assert!(is_expected, "{path} {query:?}: {answer}");
        }
    }
    assert_eq!(muster.get("/health").send().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_have_at_most_10_mb() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    // Muster answers with a problem; API Gateway with a message.
    for (megabytes, message) in [(3, None), (11, Some("Request Entity Too Large"))] {
        let body = json!({ "alias": "x".repeat(megabytes * 1024 * 1024) }).to_string();
        let call =
            reqwest::Client::new().post(format!("{}/v1/users/me/addresses", muster.url)).bearer_auth(&ana.access);
        let reply = call.header("content-type", "application/json").body(body).send().await.unwrap();
        assert_eq!(reply.status(), 413, "{megabytes} MB: {reply:?}");
        let body: Value = serde_json::from_str(&reply.text().await.unwrap()).unwrap();
        assert_eq!(body["message"].as_str(), message);
        assert_eq!(body["code"].is_string(), message.is_none());
    }
}

/// Walks over all pages: how many rows each has, and the ids of all.
async fn walk(world: &World, first: &str, link: &str) -> (Vec<usize>, Vec<String>) {
    let (mut path, mut sizes, mut ids) = (Some(first.to_owned()), Vec::new(), Vec::new());
    while let Some(at) = path {
        let page = world.get(&at).await;
        assert_eq!(page.status, 200, "{page:?}");
        assert!(page.text.len() <= 5_500_000, "{} bytes", page.text.len());
        let rows = page.body["data"].as_array().unwrap();
        sizes.push(rows.len());
        ids.extend(rows.iter().map(id));
        path = page.body["links"][link].as_str().map(str::to_owned);
    }
    (sizes, ids)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_more_than_lambda_takes_ends_early() {
    let world = World::start().await;
    for nth in 0..30 {
        world.field(&format!("f{nth}"), "text", json!({})).await;
    }
    let mut made = BTreeSet::new();
    for _ in 0..17 {
        let member = world.member(json!({})).await;
        for half in [0..15, 15..30] {
            let answers: Value = half.map(|nth| (format!("f{nth}"), Value::from("€".repeat(4000)))).collect();
            assert_eq!(world.send("PUT", &format!("{member}/answers"), answers).await.status, 200);
        }
        made.insert(member.rsplit('/').next().unwrap().to_owned());
    }
    for path in ["/members?page[size]=17", "/members?page[size]=17&page[number]=1"] {
        let (sizes, ids) = walk(&world, &world.path(path), "next").await;
        assert_eq!(sizes, [15, 2], "{path}");
        assert_eq!(ids.iter().cloned().collect::<BTreeSet<_>>(), made);
        assert_eq!(ids.len(), 17);
    }
    // Back from the last row: the pages have the same rows.
    let last = world.get(&world.path("/members?page[size]=1")).await;
    let mut at = last;
    while let Some(next) = at.body["links"]["next"].as_str().map(str::to_owned) {
        at = world.get(&next).await;
    }
    let back = at.body["links"]["prev"].as_str().unwrap().replace("page%5Bsize%5D=1", "page%5Bsize%5D=17");
    let (sizes, ids) = walk(&world, &back, "prev").await;
    assert_eq!((sizes, ids.iter().collect::<BTreeSet<_>>().len()), (vec![15, 1], 16));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_custom_domain_may_have_a_base_path() {
    let url = PublicUrl::parse("https://example.com/muster/v2").unwrap();
    let muster = Muster::with(Options { public_url: Some(url), ..Options::default() }).await;
    let ana = muster.ana().await;
    let created = muster.post("/muster/v2/v1/segments", json!({ "name": "Club" })).by(&ana).send().await;
    assert_eq!(created.status, 201, "{created:?}");
    let location = created.headers["location"].to_str().unwrap();
    assert_eq!(location, format!("/muster/v2/v1/segments/{}", id(&created.body)));
    assert_eq!(muster.get(location).by(&ana).send().await.status, 200);
    muster.made(&ana, "/v1/segments", json!({ "name": "Other" })).await;
    let page = muster.get("/muster/v2/v1/segments?page[size]=1").by(&ana).send().await;
    let next = page.body["links"]["next"].as_str().unwrap();
    assert!(next.starts_with("/muster/v2/v1/segments?"), "{next}");
    assert!(page.headers["link"].to_str().unwrap().contains(next));
    assert_eq!(muster.get(next).by(&ana).send().await.status, 200);
    // The same by the API's own name.
    let page = muster.get("/v1/segments?page[size]=1").by(&ana).send().await;
    assert!(page.body["links"]["next"].as_str().unwrap().starts_with("/v1/segments?"), "{page:?}");
    let document = muster.get("/muster/v2/openapi.json").send().await;
    assert_eq!(document.body["servers"][0]["url"], "/muster/v2");
    let docs = muster.get("/muster/v2/docs/swagger-initializer.js").send().await;
    assert!(docs.text.contains("\"../openapi.json\""), "{}", docs.text);
    for path in ["/musters/v2/health", "/muster/health", "/muster/v2/muster/v2/health"] {
        assert_eq!(muster.get(path).send().await.status, 404, "{path}");
    }
}
