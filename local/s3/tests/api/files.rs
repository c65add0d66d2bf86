//! The `files` crate against the local S3.

use std::time::Duration;

use files::{Error, ObjectKey};
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

/// Ids that differ are all that is wanted.
static NEXT: AtomicU64 = AtomicU64::new(1);

use crate::support::{System, send};

const MINUTE: Duration = Duration::from_secs(60);
/// Of `hello`.
const SHA256: [u8; 32] = [
    0x2c, 0xf2, 0x4d, 0xba, 0x5f, 0xb0, 0xa3, 0x0e, 0x26, 0xe8, 0x3b, 0x2a, 0xc5, 0xb9, 0xe2, 0x9e, 0x1b, 0x16, 0x1e,
    0x5c, 0x1f, 0xa7, 0x42, 0x5e, 0x73, 0x04, 0x33, 0x62, 0x93, 0x8b, 0x98, 0x24,
];

fn upload() -> Uuid {
    Uuid::from_u128(NEXT.fetch_add(1, Ordering::Relaxed).into())
}

fn quarantine() -> ObjectKey {
    ObjectKey::quarantine(upload())
}

/// Where an upload arrives, and where it stays.
fn both() -> (ObjectKey, ObjectKey) {
    let upload = upload();
    (ObjectKey::quarantine(upload), ObjectKey::clean(upload))
}

#[tokio::test]
async fn length_type_and_checksum_are_among_the_signed_headers() {
    let system = System::start().await;
    let put = system.files().presign_put(&quarantine(), "image/png", 5, Some(&SHA256), MINUTE).await.unwrap();
    assert_eq!(put.method, "PUT");
    let signed = "X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost%3Bx-amz-checksum-sha256";
    assert!(put.url.contains(signed), "{}", put.url);
    let mut names: Vec<_> = put.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "content-type", "x-amz-checksum-sha256"]);
}

#[tokio::test]
async fn a_presigned_upload_is_stored_and_known() {
    let system = System::start().await;
    let (files, key) = (system.files(), quarantine());
    let put = files.presign_put(&key, "image/png", 5, Some(&SHA256), MINUTE).await.unwrap();
    let answer = send(&put, &[], "hello").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let head = files.head(&key).await.unwrap();
    assert_eq!((head.size, head.content_type.as_deref(), head.sha256), (5, Some("image/png"), Some(SHA256)));
}

#[tokio::test]
async fn a_presigned_upload_may_leave_the_checksum_out() {
    let system = System::start().await;
    let (files, key) = (system.files(), quarantine());
    let put = files.presign_put(&key, "text/plain", 5, None, MINUTE).await.unwrap();
    let answer = send(&put, &[], "other").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(files.head(&key).await.unwrap().sha256, None);
}

#[tokio::test]
async fn a_checked_file_is_copied_with_what_is_known_of_it() {
    let system = System::start().await;
    let (files, (from, to)) = (system.files(), both());
    let put = files.presign_put(&from, "image/png", 5, Some(&SHA256), MINUTE).await.unwrap();
    assert_eq!(send(&put, &[], "hello").await.status, 200);
    let etag = files.head(&from).await.unwrap().etag;
    files.copy(&from, &etag, &to).await.unwrap();
    files.delete(&from).await.unwrap();
    files.delete(&from).await.unwrap();
    assert!(matches!(files.head(&from).await, Err(Error::NotFound)));
    assert_eq!(files.head(&to).await.unwrap().sha256, Some(SHA256));
    assert!(matches!(files.copy(&from, &etag, &to).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn a_file_that_was_replaced_after_its_check_is_not_copied() {
    let system = System::start().await;
    let (files, (from, to)) = (system.files(), both());
    let put = files.presign_put(&from, "image/png", 5, None, MINUTE).await.unwrap();
    assert_eq!(send(&put, &[], "hello").await.status, 200);
    let checked = files.head(&from).await.unwrap().etag;
    assert_eq!(send(&put, &[], "virus").await.status, 200);
    assert!(matches!(files.copy(&from, &checked, &to).await, Err(Error::Changed)));
    assert!(matches!(files.head(&to).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn what_was_accepted_is_not_copied_over() {
    let system = System::start().await;
    let (files, (from, to)) = (system.files(), both());
    let put = files.presign_put(&from, "image/png", 5, None, MINUTE).await.unwrap();
    assert_eq!(send(&put, &[], "hello").await.status, 200);
    files.copy(&from, &files.head(&from).await.unwrap().etag, &to).await.unwrap();
    assert_eq!(send(&put, &[], "other").await.status, 200);
    let second = files.head(&from).await.unwrap().etag;
    assert!(matches!(files.copy(&from, &second, &to).await, Err(Error::Changed)));
    assert_eq!(system.content(to.as_str()).await.unwrap(), b"hello");
}

#[tokio::test]
async fn a_file_is_read_whole_or_from_its_beginning_and_only_as_it_was_checked() {
    let system = System::start().await;
    let (files, key) = (system.files(), quarantine());
    let put = files.presign_put(&key, "image/png", 5, None, MINUTE).await.unwrap();
    assert_eq!(send(&put, &[], "hello").await.status, 200);
    let etag = files.head(&key).await.unwrap().etag;
    for (most, expected) in [(None, "hello"), (Some(4), "hell"), (Some(100), "hello")] {
        let mut seen = Vec::new();
        files.read(&key, &etag, most, |bytes| seen.extend_from_slice(bytes)).await.unwrap();
        assert_eq!(seen, expected.as_bytes(), "{most:?}");
    }
    assert_eq!(send(&put, &[], "virus").await.status, 200);
    assert!(matches!(files.read(&key, &etag, None, |_| {}).await, Err(Error::Changed)));
}

#[tokio::test]
async fn an_upload_is_erased_under_both_keys() {
    let system = System::start().await;
    let (files, upload) = (system.files(), upload());
    let keys = [ObjectKey::quarantine(upload), ObjectKey::clean(upload)];
    for key in &keys {
        let put = files.presign_put(key, "image/png", 5, None, MINUTE).await.unwrap();
        assert_eq!(send(&put, &[], "hello").await.status, 200);
        assert_eq!(files.tag(key, "scan").await.unwrap(), None);
    }
    files.erase(upload).await.unwrap();
    files.erase(upload).await.unwrap();
    for key in &keys {
        assert!(matches!(files.head(key).await, Err(Error::NotFound)));
        assert!(matches!(files.tag(key, "scan").await, Err(Error::NotFound)));
    }
}

#[tokio::test]
async fn a_download_is_an_attachment_whatever_its_name() {
    let system = System::start().await;
    let (files, key) = (system.files(), quarantine());
    let put = files.presign_put(&key, "text/html", 5, None, MINUTE).await.unwrap();
    assert_eq!(send(&put, &[], "hello").await.status, 200);
    for (name, disposition) in [
        ("plain.txt", "attachment; filename=\"plain.txt\""),
        ("a\"b.txt", "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%22b.txt"),
        ("a\r\nSet-Cookie: b", "attachment; filename=\"aSet-Cookie_ b\""),
        ("año 🎉.pdf", "attachment; filename=\"a_o _.pdf\"; filename*=UTF-8''a%C3%B1o%20%F0%9F%8E%89.pdf"),
        ("", "attachment; filename=\"file\""),
    ] {
        let get = files.presign_get(&key, name, MINUTE).await.unwrap();
        assert_eq!((get.method.as_str(), get.headers.as_slice()), ("GET", [].as_slice()));
        let answer = send(&get, &[], "").await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "hello"), "{name:?}");
        assert_eq!(answer.header("content-disposition"), disposition, "{name:?}");
        assert_eq!(answer.header("content-type"), "text/html");
    }
}

#[tokio::test]
async fn what_s3_would_refuse_is_refused_before_it_is_signed() {
    let system = System::start().await;
    let (files, key) = (system.files(), quarantine());
    let week = Duration::from_secs(8 * 24 * 3600);
    assert!(matches!(files.presign_get(&key, "a", week).await, Err(Error::Invalid(_))));
    let broken = files.presign_put(&key, "text/plain\r\nx-amz-acl: public-read", 1, None, MINUTE).await;
    assert!(matches!(broken, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn a_store_that_is_gone_is_not_a_missing_file() {
    let system = System::start().await;
    let files = system.files();
    system.stop().await;
    assert!(matches!(files.head(&quarantine()).await, Err(Error::Unavailable(_))));
}
