//! Presigned URLs: exactly what was signed, by the right key, in time.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use files::Presigned;

use crate::support::{Answer, BUCKET, System, answer, code, hour, past, presigned, send};

/// The SHA-256 of `hello`.
const HELLO: &str = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";

/// An upload of `hello` as plain text.
async fn upload(client: Client, key: &str) -> Presigned {
    let request = client.put_object().bucket(BUCKET).key(key).content_type("text/plain");
    let request = request.content_length(5).checksum_sha256(HELLO);
    presigned(&request.presigned(hour()).await.unwrap())
}

async fn refused(system: &System, sent: Answer, status: u16, code: &str) {
    assert_eq!((sent.status, sent.code()), (status, code), "{sent:?}");
    assert_eq!(system.content("a").await, None);
}

#[tokio::test]
async fn exactly_what_was_signed_is_stored() {
    let system = System::start().await;
    let sent = send(&upload(system.client(), "a").await, &[], "hello").await;
    assert_eq!(sent.status, 200, "{sent:?}");
    assert_eq!(sent.header("etag"), "\"5d41402abc4b2a76b9719d911017c592\"");
    assert_eq!(system.content("a").await.as_deref(), Some(b"hello".as_slice()));
}

#[tokio::test]
async fn another_length_is_refused() {
    let system = System::start().await;
    let put = upload(system.client(), "a").await;
    refused(&system, send(&put, &[], "hello!").await, 403, "SignatureDoesNotMatch").await;
    refused(&system, send(&put, &[], "hell").await, 403, "SignatureDoesNotMatch").await;
    refused(&system, send(&put, &[], "").await, 403, "SignatureDoesNotMatch").await;
}

#[tokio::test]
async fn another_type_is_refused() {
    let system = System::start().await;
    let put = upload(system.client(), "a").await;
    refused(&system, send(&put, &[("content-type", "text/html")], "hello").await, 403, "SignatureDoesNotMatch").await;
}

#[tokio::test]
async fn another_content_is_refused_and_not_kept() {
    let system = System::start().await;
    let put = upload(system.client(), "a").await;
    refused(&system, send(&put, &[], "olleh").await, 400, "BadDigest").await;
}

#[tokio::test]
async fn another_checksum_is_refused() {
    let system = System::start().await;
    let put = upload(system.client(), "a").await;
    let other = [("x-amz-checksum-sha256", "ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs=")];
    refused(&system, send(&put, &other, "a    ").await, 403, "SignatureDoesNotMatch").await;
}

#[tokio::test]
async fn headers_that_were_not_signed_are_refused() {
    let system = System::start().await;
    let put = upload(system.client(), "a").await;
    for header in [
        ("x-amz-acl", "public-read"),
        ("x-amz-meta-owner", "someone"),
        ("x-amz-tagging", "checked=true"),
        ("x-amz-storage-class", "GLACIER"),
        ("x-amz-copy-source", "files/other"),
        ("content-md5", "XUFAKrxLKna5cZ2REBfFkg=="),
    ] {
        let sent = send(&put, &[header], "hello").await;
        assert!(sent.body.contains("There were headers present in the request which were not signed"), "{sent:?}");
        refused(&system, sent, 403, "AccessDenied").await;
    }
}

#[tokio::test]
async fn a_header_that_was_signed_must_be_sent() {
    let system = System::start().await;
    let put = upload(system.client(), "a").await;
    let bare = Presigned { headers: vec![], ..put };
    refused(&system, send(&bare, &[], "hello").await, 403, "SignatureDoesNotMatch").await;
}

#[tokio::test]
async fn an_expired_url_is_refused() {
    let system = System::start().await;
    let request = system.client().put_object().bucket(BUCKET).key("a").presigned(past()).await.unwrap();
    let sent = send(&presigned(&request), &[], "hello").await;
    assert!(sent.body.contains("Request has expired"), "{sent:?}");
    refused(&system, sent, 403, "AccessDenied").await;
}

#[tokio::test]
async fn a_url_cannot_outlive_a_week() {
    let system = System::start().await;
    let put = upload(system.client(), "a").await;
    let longer = Presigned { url: put.url.replace("X-Amz-Expires=3600", "X-Amz-Expires=604801"), ..put };
    refused(&system, send(&longer, &[], "hello").await, 400, "AuthorizationQueryParametersError").await;
}

#[tokio::test]
async fn other_credentials_and_regions_are_refused() {
    let system = System::start().await;
    let put = upload(system.client_as("local", "guessed", "us-east-1"), "a").await;
    refused(&system, send(&put, &[], "hello").await, 403, "SignatureDoesNotMatch").await;
    let put = upload(system.client_as("other", "secret", "us-east-1"), "a").await;
    refused(&system, send(&put, &[], "hello").await, 403, "InvalidAccessKeyId").await;
    let put = upload(system.client_as("local", "secret", "eu-west-1"), "a").await;
    refused(&system, send(&put, &[], "hello").await, 400, "AuthorizationQueryParametersError").await;
}

#[tokio::test]
async fn other_credentials_and_regions_are_refused_in_a_header_too() {
    let system = System::start().await;
    for (access_key, secret, region, expected) in [
        ("local", "guessed", "us-east-1", "SignatureDoesNotMatch"),
        ("other", "secret", "us-east-1", "InvalidAccessKeyId"),
        ("local", "secret", "eu-west-1", "AuthorizationHeaderMalformed"),
    ] {
        let client = system.client_as(access_key, secret, region);
        let put = client.put_object().bucket(BUCKET).key("a").body(ByteStream::from_static(b"hello"));
        assert_eq!(code(put.send().await), expected);
        assert_eq!(system.content("a").await, None);
    }
}

#[tokio::test]
async fn a_second_signature_is_refused() {
    let system = System::start().await;
    let put = upload(system.client(), "a").await;
    let authorization =
        "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
    refused(&system, send(&put, &[("authorization", authorization)], "hello").await, 400, "InvalidArgument").await;
}

#[tokio::test]
async fn a_url_is_for_one_method_and_one_key() {
    let system = System::start().await;
    let put = upload(system.client(), "b").await;
    let other_key = Presigned { url: put.url.replace("/b?", "/a?"), ..put.clone() };
    refused(&system, send(&other_key, &[], "hello").await, 403, "SignatureDoesNotMatch").await;
    system.put("b", "kept").await;
    let delete = Presigned { method: "DELETE".to_owned(), ..put };
    refused(&system, send(&delete, &[], "hello").await, 403, "SignatureDoesNotMatch").await;
    assert_eq!(system.content("b").await.as_deref(), Some(b"kept".as_slice()));
}

#[tokio::test]
async fn a_content_that_is_not_the_signed_payload_is_refused() {
    let system = System::start().await;
    let payload = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let request = system.client().put_object().bucket(BUCKET).key("a").customize();
    let request = request.mutate_request(move |request| {
        request.headers_mut().insert("x-amz-content-sha256", payload);
    });
    let put = presigned(&request.presigned(hour()).await.unwrap());
    refused(&system, send(&put, &[], "olleh").await, 400, "XAmzContentSHA256Mismatch").await;
    assert_eq!(send(&put, &[], "hello").await.status, 200);
}

#[tokio::test]
async fn a_body_of_undeclared_length_is_refused() {
    let system = System::start().await;
    let request = system.client().put_object().bucket(BUCKET).key("a").presigned(hour()).await.unwrap();
    let put = presigned(&request);
    let path = put.url.split_once(&system.address.to_string()).unwrap().1;
    let host = system.address;
    let head =
        format!("PUT {path} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
    let sent = system.raw(&format!("{head}5\r\nhello\r\n0\r\n\r\n"), false).await;
    assert!(sent.starts_with("HTTP/1.1 501"), "{sent}");
    assert_eq!(system.content("a").await, None);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_kept() {
    let system = System::start().await;
    let request = system.client().put_object().bucket(BUCKET).key("a").presigned(hour()).await.unwrap();
    let put = presigned(&request);
    let path = put.url.split_once(&system.address.to_string()).unwrap().1;
    let head = format!("PUT {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: 10\r\n\r\nhello", system.address);
    let sent = system.raw(&head, true).await;
    assert!(!sent.starts_with("HTTP/1.1 200"), "{sent}");
    assert_eq!(system.content("a").await, None);
}

#[tokio::test]
async fn the_sender_of_a_large_refused_upload_gets_the_answer() {
    let system = System::start().await;
    let put = upload(system.client(), "a").await;
    let path = put.url.split_once(&system.address.to_string()).unwrap().1;
    let headers = format!("Host: {}\r\nContent-Length: 20000000\r\nConnection: close\r\n\r\n", system.address);
    // All of it is written before anything is read.
    let request = format!("PUT {path} HTTP/1.1\r\n{headers}{}", "0".repeat(20_000_000));
    let sent = system.raw(&request, false).await;
    assert!(sent.starts_with("HTTP/1.1 403"), "{sent}");
}

#[tokio::test]
async fn requests_without_a_signature_are_refused() {
    let system = System::start().await;
    system.put("b", "secret").await;
    let url = format!("http://{}/{BUCKET}/b", system.address);
    let sent = answer(reqwest::get(&url).await.unwrap()).await;
    assert_eq!((sent.status, sent.code()), (403, "AccessDenied"), "{sent:?}");
    let old = format!("{url}?AWSAccessKeyId=local&Expires=9999999999&Signature=abc");
    let sent = answer(reqwest::get(old).await.unwrap()).await;
    assert_eq!((sent.status, sent.code()), (400, "InvalidRequest"), "{sent:?}");
}

#[tokio::test]
async fn a_signed_header_that_is_not_emulated_is_not_ignored() {
    let system = System::start().await;
    let request = system.client().put_object().bucket(BUCKET).key("a").acl("public-read".into());
    let put = presigned(&request.presigned(hour()).await.unwrap());
    refused(&system, send(&put, &[], "hello").await, 501, "NotImplemented").await;
}
