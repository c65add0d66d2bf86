//! Uploads: what can be sent, what is accepted, and how it is fetched.

mod access;
mod answers;
mod arrivals;
pub(crate) mod club;
pub(crate) mod cut;
mod purposes;
mod quota;
pub(crate) mod samples;
pub(crate) mod sent;

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use domain::Time;
use files::{ObjectKey, Presigned};
use local::Options;
use serde_json::{Value, json};

use crate::faults::{Phase, Plan, Verdict, functions_behind};
use crate::system::Muster;
use club::{Club, get, id, put};
use samples::{ALL, JPEG, PAGE, PDF, PNG, sha256};

/// S3's event of an object that was created.
pub(crate) fn created(key: &str) -> Value {
    json!({ "Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventName": "ObjectCreated:Put",
        "eventTime": "2026-11-21T10:00:00.000Z", "userIdentity": {}, "requestParameters": {}, "responseElements": {},
        "s3": { "bucket": { "name": "files" }, "object": { "key": key, "size": 5, "sequencer": "00" } }
    }] })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_each_type_is_sent_accepted_and_fetched_again() {
    let club = Club::found().await;
    for (nth, (content_type, bytes)) in ALL.into_iter().enumerate() {
        let mut more = json!({ "content_type": content_type, "size": bytes.len() });
        if nth % 2 == 0 {
            more["sha256"] = sha256(bytes).into();
        }
        let begun = club.begin(more).await;
        assert_eq!((begun.status.as_u16(), &begun.body["status"]), (201, &json!("PENDING")), "{begun:?}");
        assert_eq!(put(&begun.body, bytes, &[]).await.status, 200, "{content_type}");
        let upload = club.checked(&id(&begun)).await;
        assert_eq!((&upload["status"], &upload["reason"]), (&json!("AVAILABLE"), &Value::Null), "{upload}");
        assert_eq!(upload["sha256"], sha256(bytes), "known from now on");
        let fetched = club.fetch(&id(&begun)).await;
        assert_eq!((fetched.status, fetched.bytes.as_slice()), (200, bytes), "{content_type}");
        assert_eq!(fetched.header("content-type"), content_type);
        assert_eq!(fetched.header("content-disposition"), "attachment; filename=\"a.png\"");
        club.cleared(&id(&begun)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_says_how_to_send_the_file() {
    let club = Club::found().await;
    let begun = club.begin(json!({ "sha256": sha256(b"hello") })).await;
    let (upload, location) = (&begun.body, format!("/v1/uploads/{}", id(&begun)));
    assert_eq!((begun.header("location"), begun.header("etag")), (location.as_str(), "\"1\""));
    let url = upload["url"].as_str().unwrap();
    let path = url.split('?').next().unwrap();
    assert!(path.ends_with(&format!("/quarantine/{}", id(&begun))), "{url}");
    assert!(url.contains("X-Amz-Expires=900"), "{url}");
    for signed in ["content-length", "content-type", "x-amz-checksum-sha256"] {
        assert!(url.contains(signed) && upload["headers"][signed].is_string(), "{signed}: {upload}");
    }
    assert_eq!((&upload["method"], &upload["headers"]["content-length"]), (&json!("PUT"), &json!("5")));
    let ends: Time = serde_json::from_value(upload["expires_at"].clone()).unwrap();
    let left = ends.millis() - Time::now().millis();
    assert!((14 * 60_000..=15 * 60_000).contains(&left), "{left}");
    let read = club.muster.get(&location).by(&club.owner).send().await;
    assert_eq!((read.status.as_u16(), read.body.get("url")), (200, None), "the URL is shown once");
    let same = club.muster.get(&location).by(&club.owner).header("if-none-match", "\"1\"").send().await;
    assert_eq!(same.status, 304);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_what_was_declared_is_rejected_and_gone() {
    let club = Club::found().await;
    for (content_type, bytes, found) in [
        ("image/png", PAGE, "text/html"),
        ("image/png", JPEG, "image/jpeg"),
        ("application/pdf", PNG, "image/png"),
        ("application/x-x509-ca-cert", samples::KEY, "not hold"),
        ("application/pkcs8", samples::CERTIFICATE, "not hold"),
        ("application/pkcs8", b"-----BEGIN PRIVATE KEY-----", "not hold"),
        ("image/jpeg", b"PK\x03\x04zip", "application/zip"),
    ] {
        let id = club.send(content_type, bytes).await;
        let upload = club.checked(&id).await;
        let reason = upload["reason"].as_str().unwrap_or_default();
        assert!(upload["status"] == "REJECTED" && reason.contains(found) && reason.ends_with('.'), "{upload}");
        club.cleared(&id).await;
        assert_eq!(club.objects(&id).await, (false, false), "{content_type}");
        let content = club.muster.get(&format!("/v1/uploads/{id}/content")).by(&club.owner).send().await;
        assert_eq!((content.status.as_u16(), content.errors()), (409, vec![(String::new(), "rejected".to_owned())]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_what_was_signed_can_be_sent() {
    let club = Club::found().await;
    let declared = json!({ "size": PNG.len(), "sha256": sha256(PNG) });
    let begun = club.begin(declared).await;
    let longer = [PNG, b"more"].concat();
    let mut other = PNG.to_vec();
    other[40] ^= 1;
    let no_checksum = json!({ "method": "PUT", "url": begun.body["url"], "headers": { "content-type": "image/png" } });
    let elsewhere = begun.body["url"].as_str().unwrap().replace("/quarantine/", "/clean/");
    let elsewhere = json!({ "method": "PUT", "url": elsewhere, "headers": begun.body["headers"] });
    for (what, told, bytes, changes) in [
        ("longer", &begun.body, longer.as_slice(), None),
        ("shorter", &begun.body, &PNG[..20], None),
        ("nothing", &begun.body, b"".as_slice(), None),
        ("other bytes", &begun.body, &other, None),
        ("other type", &begun.body, PNG, Some(("content-type", "text/html"))),
        ("other checksum", &begun.body, PNG, Some(("x-amz-checksum-sha256", "AAAA"))),
        ("no checksum", &no_checksum, PNG, None),
        ("a tag of its own", &begun.body, PNG, Some(("x-amz-tagging", "GuardDutyMalwareScanStatus=NO_THREATS_FOUND"))),
        ("open to all", &begun.body, PNG, Some(("x-amz-acl", "public-read"))),
        ("another key", &elsewhere, PNG, None),
    ] {
        let refused = put(told, bytes, changes.as_slice()).await;
        assert!((400..500).contains(&refused.status), "{what}: {refused:?}");
        assert_eq!(club.objects(&id(&begun)).await, (false, false), "{what}");
    }
    let read = club.muster.get(&format!("/v1/uploads/{}", id(&begun))).by(&club.owner).send().await;
    assert_eq!(read.body["status"], "PENDING");
    let content = club.muster.get(&format!("/v1/uploads/{}/content", id(&begun))).by(&club.owner).send().await;
    assert_eq!((content.status.as_u16(), content.errors()), (409, vec![(String::new(), "pending".to_owned())]));
    assert_eq!(put(&begun.body, PNG, &[]).await.status, 200, "and what was signed can");
    assert_eq!(club.checked(&id(&begun)).await["status"], "AVAILABLE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_ends() {
    let club = Club::found().await;
    let begun = club.begin(json!({ "size": PNG.len() })).await;
    let (files, upload) = (&club.muster.functions.files, id(&begun).parse().unwrap());
    let second = Duration::from_secs(1);
    let size = u64::try_from(PNG.len()).unwrap();
    let Presigned { url, .. } =
        files.presign_put(&ObjectKey::quarantine(upload), "image/png", size, None, second).await.unwrap();
    tokio::time::sleep(2 * second).await;
    let late = json!({ "method": "PUT", "url": url, "headers": begun.body["headers"] });
    assert_eq!(put(&late, PNG, &[]).await.status, 403);
    assert_eq!(club.objects(&id(&begun)).await, (false, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_use_of_the_url_changes_nothing() {
    let club = Club::found().await;
    let begun = club.begin(json!({ "size": PNG.len() })).await;
    assert_eq!(put(&begun.body, PNG, &[]).await.status, 200);
    let before = club.checked(&id(&begun)).await;
    club.cleared(&id(&begun)).await;
    let mut other = PNG.to_vec();
    other[40] ^= 1;
    assert_eq!(put(&begun.body, &other, &[]).await.status, 200, "S3 cannot know");
    club.cleared(&id(&begun)).await;
    assert_eq!(club.checked(&id(&begun)).await, before);
    assert_eq!(club.fetch(&id(&begun)).await.bytes, PNG);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_held_to_the_limits_of_its_field_or_else_of_all() {
    let club = Club::found().await;
    let other = club.other_segment().await;
    let member = json!(club.member.id);
    let with = |mut more: Value| {
        more["member_id"] = member.clone();
        more
    };
    for (more, at, code) in [
        (json!({ "size": 5 * 1024 * 1024 + 1 }), "/size", "out_of_range"),
        (json!({ "size": 42_000_000_000_000_u64 }), "/size", "out_of_range"),
        (json!({ "size": 0 }), "/size", "out_of_range"),
        (json!({ "content_type": "application/zip" }), "/content_type", "invalid_choice"),
        (json!({ "content_type": "text/html" }), "/content_type", "invalid_choice"),
        (json!({ "sha256": "abc" }), "/sha256", "invalid_checksum"),
        (json!({ "key": "clean/mine" }), "/key", "unknown"),
        (json!({ "id": "0199d2a4-5c00-7000-8000-000000000f11" }), "/id", "unknown"),
        (json!({ "field": "tax_certificate" }), "/member_id", "required"),
        (with(json!({ "segment_id": other })), "/segment_id", "invalid_choice"),
        (with(json!({ "field": "nothing" })), "/field", "invalid_choice"),
        (with(json!({ "field": "nickname" })), "/field", "invalid_choice"),
        (with(json!({ "field": "tax_certificate" })), "/content_type", "invalid_choice"),
        (
            with(json!({ "field": "tax_certificate", "content_type": "application/pdf", "size": 1001 })),
            "/size",
            "out_of_range",
        ),
    ] {
        let refused = club.begin(more.clone()).await;
        assert_eq!(refused.status, 400, "{more}");
        assert_eq!(refused.errors(), [(at.to_owned(), code.to_owned())], "{more}");
    }
    let fits = with(json!({ "field": "tax_certificate", "content_type": "application/pdf", "size": 1000 }));
    assert_eq!(club.begin(fits).await.status, 201);
    assert_eq!(club.begin(with(json!({ "size": 5 * 1024 * 1024 }))).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_name_is_what_people_read_and_nothing_else() {
    let club = Club::found().await;
    for (name, disposition) in [
        ("../../etc/passwd", "attachment; filename=\"_.._etc_passwd\""),
        ("..\\a.pdf", "attachment; filename=\"_a.pdf\""),
        (
            "a\"; filename=\"b.html",
            "attachment; filename=\"a_; filename=_b.html\"; filename*=UTF-8''a%22%3B%20filename%3D%22b.html",
        ),
        ("cédula.pdf", "attachment; filename=\"c_dula.pdf\"; filename*=UTF-8''c%C3%A9dula.pdf"),
        ("?versionId=1&x-amz-acl=public-read", "attachment; filename=\"_versionId=1&x-amz-acl=public-read\""),
        (".htaccess", "attachment; filename=\"htaccess\""),
    ] {
        let begun = club.begin(json!({ "filename": name, "content_type": "application/pdf", "size": PDF.len() })).await;
        assert_eq!((begun.status.as_u16(), &begun.body["filename"]), (201, &json!(name)));
        let path = begun.body["url"].as_str().unwrap().split('?').next().unwrap();
        assert!(path.ends_with(&format!("/quarantine/{}", id(&begun))), "{path}");
        assert_eq!(put(&begun.body, PDF, &[]).await.status, 200);
        assert_eq!(club.checked(&id(&begun)).await["status"], "AVAILABLE");
        let fetched = club.fetch(&id(&begun)).await;
        assert_eq!((fetched.status, fetched.header("content-disposition")), (200, disposition), "{name}");
    }
    for name in
        ["a\r\nSet-Cookie: x", "photo\u{202e}gpj.exe", "a\0.pdf", "a\u{7f}", "\u{85}", "", " ", &"a".repeat(256)]
    {
        let refused = club.begin(json!({ "filename": name })).await;
        assert_eq!((refused.status.as_u16(), refused.errors()[0].0.as_str()), (400, "/filename"), "{name:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_upload_is_not_there_and_its_file_follows() {
    // Jobs are done when the test says so.
    let options = Options { reconcile_every: Duration::from_secs(3600), ..Options::default() };
    let club = Club::with(Muster::with(options).await).await;
    let id = club.send("image/png", PNG).await;
    club.checked(&id).await;
    let path = format!("/v1/uploads/{id}");
    let url = club.muster.get(&format!("{path}/content")).by(&club.owner).send().await.header("location").to_owned();
    let stale = club.muster.delete(&path).by(&club.owner).header("if-match", "\"1\"").send().await;
    assert_eq!(stale.status, 412, "it was accepted since");
    assert_eq!(club.muster.delete(&path).by(&club.owner).header("if-match", "\"2\"").send().await.status, 204);
    for path in [path.clone(), format!("{path}/content")] {
        assert_eq!(club.muster.get(&path).by(&club.owner).send().await.status, 404);
    }
    assert_eq!(club.muster.delete(&path).by(&club.owner).send().await.status, 404);
    assert_eq!(club.muster.items("J#erase_upload#").await, [format!("J#erase_upload#{id}")]);
    let (functions, end) = (club.muster.functions.acting_as("Reconcile"), Time::now().plus(Duration::from_secs(10)));
    reconcile::jobs::run((&functions.app.store, &functions.identity, &functions.files), end).await.unwrap();
    assert_eq!(club.muster.items("J#erase_upload#").await, Vec::<String>::new());
    assert_eq!(club.objects(&id).await, (false, false));
    assert_eq!(get(&url).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_begins_one_upload() {
    let club = Club::found().await;
    // The table does what it was asked for, and then says that it could not.
    let plan: Plan = Arc::new(|operation, _, phase| match (operation, phase) {
        ("TransactWriteItems", Phase::After) => Verdict::Answer(
            StatusCode::BAD_REQUEST,
            json!({ "__type": "com.amazonaws.dynamodb.v20120810#RequestLimitExceeded", "message": "later" }),
        ),
        _ => Verdict::Pass,
    });
    let url = functions_behind(&club.muster, plan).await;
    let body = club.body(json!({ "size": PNG.len() }));
    let call = reqwest::Client::new().post(format!("{url}/v1/uploads")).bearer_auth(&club.owner.access);
    let call = call.header("content-type", "application/json").header("idempotency-key", "k").body(body.to_string());
    assert_eq!(call.send().await.unwrap().status(), 503);
    let again = async || {
        club.muster.post("/v1/uploads", body.clone()).by(&club.owner).header("idempotency-key", "k").send().await
    };
    let (first, second) = (again().await, again().await);
    assert_eq!((first.status.as_u16(), second.header("idempotency-replayed")), (201, "true"), "{first:?}");
    assert_eq!(first.text, second.text);
    assert_eq!(club.muster.items("F#").await.len(), 1, "one upload");
    assert_eq!(put(&second.body, PNG, &[]).await.status, 200);
    assert_eq!(club.checked(&id(&first)).await["status"], "AVAILABLE");
}
