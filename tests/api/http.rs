//! HTTP as clients speak it: charsets, content codings, JSON as it is written.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use serde_json::{Value, json};

use crate::system::{Call, Reply};
use crate::world::{World, id};

fn gzip(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_ref()).unwrap();
    encoder.finish().unwrap()
}

fn zlib(text: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn deflate(text: &str) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

impl World {
    fn users_path(&self) -> String {
        format!("/v1/segments/{}/users", self.segment)
    }

    /// A request for a new user of the segment, whose body is yet to come.
    fn new_user(&self) -> Call<'_> {
        self.call("POST", &self.users_path())
    }

    /// Creates a user by this very body.
    async fn create_by(&self, body: impl Into<Vec<u8>>) -> Reply {
        self.new_user().raw("application/json", body).send().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn charset_of_a_body_is_utf8_however_it_is_written() {
    let world = World::start().await;
    for (nth, kind) in [
        "application/json",
        "application/json; charset=\"utf-8\"",
        "application/json;charset=UTF8",
        "Application/JSON; Charset=\"UTF-8\"",
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({ "email": format!("u{nth}@example.com") }).to_string();
        assert_eq!(world.new_user().raw(kind, body).send().await.status, 201, "{kind}");
    }
    for kind in ["application/json; charset=\"latin1\"", "application/json; charset=utf-16"] {
        assert_eq!(world.new_user().raw(kind, "{}").send().await.status, 415, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_may_be_compressed() {
    let world = World::start().await;
    let body = |name: &str| json!({ "email": format!("{name}@example.com") }).to_string();
    for (name, coding, bytes) in [
        ("a", "gzip", gzip(body("a"))),
        ("b", "deflate", zlib(&body("b"))),
        ("c", "deflate", deflate(&body("c"))),
        ("d", "GZIP, identity", gzip(body("d"))),
        ("e", "identity", body("e").into_bytes()),
    ] {
        let call = world.new_user().raw("application/json", bytes).header("content-encoding", coding);
        let reply = call.send().await;
        assert_eq!(
            (reply.status.as_u16(), &reply.body["email"]),
            (201, &json!(format!("{name}@example.com"))),
            "{coding}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_route_decompresses_bodies() {
    let world = World::start().await;
    let coded = async |call: Call<'_>, kind: &str, body: &str| -> Reply {
        call.raw(kind, gzip(body)).header("content-encoding", "gzip").send().await
    };
    let patch =
        coded(world.call("PATCH", "/v1/users/me"), "application/merge-patch+json", "{\"last_name\":\"B\"}").await;
    assert_eq!((patch.status.as_u16(), &patch.body["last_name"]), (200, &json!("B")));
    let login = json!({ "email": world.ana.email, "password": crate::system::PASSWORD }).to_string();
    let login = coded(world.muster.call("POST", "/v1/auth/login"), "application/json", &login).await;
    assert_eq!(login.status, 200, "{login:?}");
    // A route whose body may be left out.
    let user = world.user(json!({ "email": "eva@example.com" })).await;
    let link = coded(world.call("POST", &format!("/v1/users/{user}/magic-link")), "application/json", "{}").await;
    assert_eq!(link.status, 200, "{link:?}");
    // A form.
    let (key, secret) = world.key(&["read"]).await;
    let form = format!("grant_type=client_credentials&client_id={key}&client_secret={secret}");
    let token = coded(world.muster.call("POST", "/v1/oauth/token"), "application/x-www-form-urlencoded", &form).await;
    assert_eq!(token.status, 200, "{token:?}");
    // A dialect.
    let created = coded(world.call("POST", "/flows/segment"), "application/json", "{\"name\":\"Gzipped\"}").await;
    assert_eq!(created.status, 201, "{created:?}");
    assert_eq!(world.read(&format!("/v1/segments/{}", id(&created.body))).await["name"], "Gzipped");
    let refused = world.call("POST", "/flows/segment").raw("application/json", "{}").header("content-encoding", "br");
    assert_eq!(refused.send().await.status, 415);
}

#[tokio::test(flavor = "multi_thread")]
async fn idempotency_compares_what_was_compressed() {
    let world = World::start().await;
    let body = json!({ "email": "ana@example.com" }).to_string();
    let send = async |bytes: Vec<u8>, coding: &str| {
        let call = world.new_user().raw("application/json", bytes).header("idempotency-key", "k1");
        call.header("content-encoding", coding).send().await
    };
    let first = send(gzip(&body), "gzip").await;
    assert_eq!(first.status, 201, "{first:?}");
    for (bytes, coding) in [(zlib(&body), "deflate"), (body.clone().into_bytes(), "identity"), (gzip(&body), "gzip")] {
        let again = send(bytes, coding).await;
        assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (201, "true"), "{coding}");
        assert_eq!(again.body["id"], first.body["id"]);
    }
    assert_eq!(send(gzip("{}"), "gzip").await.status, 422);
    assert_eq!(send(gzip("{}"), "zstd").await.status, 415);
}

#[tokio::test(flavor = "multi_thread")]
async fn bombs_broken_data_and_other_codings_are_refused() {
    let world = World::start().await;
    let bomb = |size: usize| gzip(format!("{{\"email\":\"x@example.com\"{}}}", " ".repeat(size)));
    for (coding, bytes, status, code) in [
        ("gzip", bomb(300 * 1024), 413, "payload_too_large"),
        ("gzip", bomb(100_000_000), 413, "payload_too_large"),
        ("gzip", b"{\"email\":\"x@example.com\"}".to_vec(), 400, "malformed"),
        ("gzip", gzip("{}")[..12].to_vec(), 400, "malformed"),
        ("br", gzip("{}"), 415, "unsupported_media_type"),
        ("gzip, gzip", gzip(gzip("{}")), 415, "unsupported_media_type"),
    ] {
        let call = world.new_user().raw("application/json", bytes).header("content-encoding", coding);
        let reply = call.send().await;
        assert_eq!((reply.status.as_u16(), &reply.body["code"]), (status, &json!(code)), "{coding}: {reply:?}");
        let accepted = if status == 415 { "gzip, deflate" } else { "" };
        assert_eq!(reply.header("accept-encoding"), accepted, "{coding}");
    }
    let media_type = world.new_user().raw("text/plain", "{}").send().await;
    assert_eq!((media_type.status.as_u16(), media_type.header("accept-encoding")), (415, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_keep_their_digits() {
    let world = World::start().await;
    let metadata = "{\"a\":1E3,\"b\":[1.50,{\"c\":-2e-07}],\"d\":1e+3}";
    for (nth, digits) in ["1E3", "1e3", "1E+03", "1.50", "100000000000000000000000", "0.10E-5"].into_iter().enumerate()
    {
        let body = format!("{{\"email\":\"u{nth}@example.com\",\"reference_id\":{digits},\"metadata\":{metadata}}}");
        let created = world.create_by(body).await;
        assert_eq!((created.status.as_u16(), &created.body["reference_id"]), (201, &json!(digits)), "{created:?}");
        let path = format!("/v1/users/{}", created.body["id"].as_str().unwrap());
        let (read, listed) = (world.get(&path).await, world.get(&world.users_path()).await);
        let changes = world.get(&format!("{}/changes?since=2020-01-01T00:00:00Z", world.users_path())).await;
        let patch = format!("{{\"metadata\":{{\"e\":{digits}}}}}");
        let patched = world.call("PATCH", &path).raw("application/json", patch).send().await;
        for answer in [&created, &read, &listed, &changes] {
            assert!(answer.text.contains(metadata), "{answer:?}");
        }
        assert!(patched.text.contains(&format!("\"d\":1e+3,\"e\":{digits}}}")), "{patched:?}");
    }
    world.field("income", "number", json!({})).await;
    for written in ["1.5e1", "1E1", "12.50", "25E-1"] {
        let body = format!("{{\"answers\":{{\"income\":{written}}}}}");
        let member = world.call("POST", &world.path("/members")).raw("application/json", body).send().await;
        assert!(member.text.contains(&format!("\"answers\":{{\"income\":{written}}}")), "{member:?}");
        assert!(member.text.contains("\"answers_display\":{}"), "{member:?}");
        let address = format!("{{\"latitude\":{written},\"longitude\":0}}");
        let address = world.call("POST", "/v1/users/me/addresses").raw("application/json", address).send().await;
        assert!(address.text.contains(&format!("\"latitude\":{written},")), "{address:?}");
    }
    let line = "{\"email\":\"row@example.com\",\"reference_id\":7E2,\"metadata\":{\"a\":7E2}}\n";
    let created = world.create_by(line).await;
    assert_eq!(created.body["reference_id"], "7E2");
}

#[tokio::test(flavor = "multi_thread")]
async fn name_that_an_object_repeats_is_refused() {
    let world = World::start().await;
    let repeated = |pointer: &str| vec![(pointer.to_owned(), "repeated".to_owned())];
    for (body, pointer) in [
        ("{\"email\":\"x@example.com\",\"email\":\"y@example.com\"}", "/email"),
        ("{\"email\":\"x@example.com\",\"\\u0065mail\":null}", "/email"),
        ("{\"email\":\"x@example.com\",\"metadata\":{\"a\":[{\"b\":1,\"b\":1}]}}", "/metadata/a/0/b"),
    ] {
        let reply = world.create_by(body).await;
        assert_eq!((reply.status.as_u16(), reply.errors()), (400, repeated(pointer)), "{body}");
    }
    let fine = "{\"email\":\"x@example.com\",\"metadata\":{\"email\":1,\"a\":[{\"b\":1},{\"b\":1}]}}";
    assert_eq!(world.create_by(fine).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn byte_order_mark_before_json_is_ignored() {
    let world = World::start().await;
    assert_eq!(world.create_by("\u{feff}{\"email\":\"x@example.com\"}").await.status, 201);
    let twice = world.create_by("\u{feff}\u{feff}{\"email\":\"y@example.com\"}").await;
    assert_eq!((twice.status.as_u16(), &twice.body["code"]), (400, &json!("malformed")));
}

/// The bytes of an answer, and how they are coded.
async fn fetch(world: &World, path: &str, accept: &str) -> (Vec<u8>, String, String) {
    let http = reqwest::Client::new();
    let mut request = http.get(format!("{}{path}", world.muster.url)).bearer_auth(&world.ana.access);
    if !accept.is_empty() {
        request = request.header("accept-encoding", accept);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    let header = |name: &str| {
        let values = response.headers().get_all(name).iter().map(|value| value.to_str().unwrap());
        values.collect::<Vec<_>>().join(", ")
    };
    let (coding, vary) = (header("content-encoding"), header("vary"));
    (response.bytes().await.unwrap().to_vec(), coding, vary)
}

fn decoded(bytes: &[u8], coding: &str) -> Value {
    let mut text = Vec::new();
    match coding {
        "gzip" => drop(flate2::read::GzDecoder::new(bytes).read_to_end(&mut text).unwrap()),
        "br" => brotli::BrotliDecompress(&mut &*bytes, &mut text).unwrap(),
        _ => text.extend_from_slice(bytes),
    }
    serde_json::from_slice(&text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_documents_are_compressed() {
    let world = World::start().await;
    for nth in 0..20 {
        world.user(json!({ "reference_id": format!("r{nth}"), "name": "Ana" })).await;
    }
    let documents = dialects::documents().into_iter().map(|(_, path, _)| path.to_owned());
    for path in documents.chain([world.users_path(), "/openapi.json".to_owned()]) {
        let (plain, coding, vary) = fetch(&world, &path, "").await;
        assert_eq!(coding, "", "{path}");
        assert!(plain.len() > 1024 && vary.contains("accept-encoding"), "{path} {vary}");
        for (accept, expected) in [("gzip", "gzip"), ("br;q=0.9, gzip;q=0.5", "br"), ("gzip, deflate, br", "br")] {
            let (small, coding, vary) = fetch(&world, &path, accept).await;
            assert_eq!(coding, expected, "{path} {accept}");
            assert!(small.len() * 2 < plain.len() && vary.contains("accept-encoding"), "{path} {accept}");
            assert_eq!(decoded(&small, &coding), decoded(&plain, ""), "{path} {accept}");
        }
        assert_eq!(fetch(&world, &path, "identity, deflate").await.1, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn small_lists_and_answers_with_secrets_are_not_compressed() {
    let world = World::start().await;
    let (_, coding, vary) = fetch(&world, "/v1/segments", "gzip").await;
    assert!(coding.is_empty() && vary.contains("accept-encoding"), "fewer than 1024 bytes");
    let login = json!({ "email": world.ana.email, "password": crate::system::PASSWORD });
    let login = world.muster.post("/v1/auth/login", login).header("accept-encoding", "gzip, br").send().await;
    assert_eq!((login.status.as_u16(), login.header("content-encoding")), (200, ""));
    assert!(login.text.len() > 1024 && login.body["access_token"].is_string());
    let fields = json!({ "email": "eva@example.com", "metadata": { "a": "x".repeat(2000) } });
    let user = world.user(fields).await;
    let (_, coding, _) = fetch(&world, &format!("/v1/users/{user}"), "gzip").await;
    assert_eq!(coding, "", "one object");
}

#[tokio::test(flavor = "multi_thread")]
async fn plus_that_is_not_escaped_is_a_plus() {
    let world = World::start().await;
    let user = json!({ "email": "a+b@example.com", "username": "u+1", "reference_id": "r+1", "tax_condition": "t+1" });
    let user = world.user(user).await;
    let path = world.users_path();
    for filter in [
        "filter[email]=a+b@example.com",
        "filter[username]=u+1",
        "filter[username]=u+*",
        "filter[reference_id]=r+1",
        "filter[tax_condition]=t+1",
        "filter[created_at][gte]=2026-11-30T00:00:00+02:00",
        "filter[updated_at][gte]=2026-11-30T00:00:00+02:00",
    ] {
        let found = world.get(&format!("{path}?{filter}")).await;
        assert_eq!(found.body["data"][0]["id"], json!(user), "{filter} {found:?}");
    }
    let changes =
        world.get(&format!("/v1/segments/{}/users/changes?since=2026-11-30T00:00:00+02:00", world.segment)).await;
    assert_eq!(changes.status, 200, "{changes:?}");
    let audit = world.get("/v1/audit?since=2026-11-30T00:00:00+02:00").await;
    assert_eq!(audit.status, 200, "{audit:?}");
    for asked in ["email=a+b@example.com", "username=u+1"] {
        let exists = world.get(&format!("/v1/users/exists?segment_id={}&{asked}", world.segment)).await;
        assert_eq!(exists.body, json!({ "exists": true }), "{asked}");
    }
    // Who escapes a space means a space.
    let spaced = world.user(json!({ "reference_id": "r 2" })).await;
    let found = world.get(&format!("{path}?filter[reference_id]=r+2")).await;
    assert_eq!(found.body["data"][0]["id"], json!(spaced), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_name_what_they_take() {
    let world = World::start().await;
    for field in ["name", "email", "username", "reference_id", "phone", "identification_value"] {
        let reply = world.get(&format!("{}?filter[{field}]=*ui*", world.users_path())).await;
        assert_eq!(reply.errors(), [(format!("/filter[{field}]"), "invalid_filter".to_owned())], "{reply:?}");
        assert!(reply.text.contains("whole value") && reply.text.contains("abc*"), "{reply:?}");
    }
    let since = world.get("/v1/audit?since=yesterday").await;
    assert_eq!(since.errors(), [("/since".to_owned(), "invalid_time".to_owned())]);
    let deep = format!("{{\"email\":\"deep@example.com\",\"metadata\":{}1{}}}", "{\"a\":".repeat(200), "}".repeat(200));
    let deep = world.create_by(deep).await;
    assert!(deep.status == 400 && deep.text.contains("127 levels deep; flatten it"), "{deep:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn change_that_is_wrong_is_told_before_its_precondition() {
    let world = World::start().await;
    let user = world.user(json!({ "phone": "+525512345678" })).await;
    let mixed = json!({ "phone_display": "99 9999 9999" });
    for (path, wrong) in [
        (format!("/v1/users/{user}"), mixed),
        (format!("/v1/segments/{}", world.segment), json!({ "settings": { "password_min_length": 1 } })),
    ] {
        let reply = world.call("PATCH", &path).json(wrong).header("if-match", "\"99\"").send().await;
        assert_eq!(reply.status, 400, "{reply:?}");
        let stale = world.call("PATCH", &path).json(json!({})).header("if-match", "\"99\"").send().await;
        assert_eq!(stale.status, 412, "{stale:?}");
    }
}
