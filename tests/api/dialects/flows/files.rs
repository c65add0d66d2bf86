//! Files that come within the body.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::{Value, json};

use super::memberships::membership;
use super::{call, made, read};
use crate::system::{Ana, Muster};
use crate::uploads::samples::PDF;

async fn sent(muster: &Muster, by: &Ana, segment: &str, body: Value) -> String {
    let reply = call(muster, by, ("POST", &format!("/flows/upload/{segment}")), body, 201).await;
    let id = reply.body["uuid"].as_str().unwrap().to_owned();
    assert_eq!(reply.body, json!({ "uuid": id }));
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_the_owner_is_of_the_segment_and_one_of_a_member_its_own() {
    let muster = Muster::start().await;
    let (ana, carla) = (muster.ana().await, muster.ana().await);
    let (segment, membership) = membership(&muster, &ana).await;
    let pdf = json!({ "mime": "application/pdf", "file": STANDARD.encode(PDF) });
    let upload = sent(&muster, &ana, &segment, pdf.clone()).await;
    let shown = read(&muster, &ana, &format!("/v1/uploads/{upload}")).await;
    assert_eq!((&shown["status"], &shown["member_id"]), (&json!("AVAILABLE"), &Value::Null), "it was waited for");
    assert_eq!((&shown["size"], &shown["filename"]), (&json!(PDF.len()), &json!("file.pdf")));

    let path = format!("/flows/upload/{segment}");
    call(&muster, &carla, ("POST", &path), pdf, 404).await;
    let member = made(&muster, &carla, "/flows/membership-user", json!({ "membership_id": membership })).await;
    let url = json!({ "mime": "pdf", "file": format!("data:application/pdf;base64,{}", STANDARD_NO_PAD.encode(PDF)) });
    let upload = sent(&muster, &carla, &segment, url).await;
    let shown = read(&muster, &carla, &format!("/v1/uploads/{upload}")).await;
    assert_eq!((&shown["status"], &shown["member_id"]), (&json!("AVAILABLE"), &json!(member)));

    let field = json!({ "membership_id": membership, "name": "Certificate", "type": "url" });
    let field = made(&muster, &ana, "/flows/membership-custom-field", field).await;
    for (answer, status) in
        [(json!(upload), 201), (json!("https://example.com/a.pdf"), 201), (json!(member), 400), (json!("a.pdf"), 400)]
    {
        let stack = json!({
            "membership_user_id": member, "custom_fields": [{ "membership_custom_field_id": field, "answer": answer }]
        });
        let reply = call(&muster, &carla, ("POST", "/flows/membership-custom-field-answer/stack"), stack, status).await;
        let rows = read(&muster, &carla, &format!("/flows/membership-custom-field-answer/list/{member}")).await;
        assert_eq!(rows[0]["answer"] == answer, status == 201, "{reply:?} {rows}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_file_or_too_large_or_not_what_it_says_is_refused() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let (segment, _) = membership(&muster, &ana).await;
    let path = format!("/flows/upload/{segment}");
    let large = STANDARD.encode(vec![7; 4 * 1024 * 1024 + 1]);
    for (body, status, message) in [
        (
            json!({ "mime": "exe", "file": "AAAA" }),
            400,
            "mime must be cer, key, or one of image/png, image/jpeg, application/pdf, application/x-x509-ca-cert, application/pkcs8, text/csv, application/x-ndjson",
        ),
        (json!({ "mime": "key" }), 400, "file is required: the file in base64"),
        (json!({ "mime": "key", "file": "***" }), 400, "file must be base64"),
        (
            json!({ "mime": "png", "file": STANDARD.encode(PDF) }),
            400,
            "The file holds application/pdf, and not image/png as was declared.",
        ),
        (json!({ "mime": "png", "file": large }), 400, "file must have at most 4 MiB"),
        (
            json!({ "mime": "png", "file": "A".repeat(5_900_000) }),
            413,
            "The body is larger than it may be: 256 KiB, or a file of 4 MiB where one is uploaded.",
        ),
    ] {
        let reply = call(&muster, &ana, ("POST", &path), body, status).await;
        assert_eq!(reply.body, json!({ "message": message }));
    }
    let largest = STANDARD.encode([PDF, &vec![b' '; 4 * 1024 * 1024 - PDF.len()]].concat());
    let body = json!({ "mime": "application/pdf", "file": largest }).to_string();
    let send = || {
        let call = muster.call("POST", &path).raw("application/json", body.clone());
        call.by(&ana).header("idempotency-key", "k").send()
    };
    let (reply, again) = (send().await, send().await);
    assert_eq!((reply.status.as_u16(), reply.body), (201, again.body));
    let other = json!({ "name": "A".repeat(300 * 1024) });
    call(&muster, &ana, ("POST", "/flows/segment"), other, 413).await;
}
