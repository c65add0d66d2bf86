//! Objects that arrive in parts.

use ::files::{LEAST_PART, ObjectKey};
use uuid::Uuid;

use crate::support::{System, code};

fn bytes(size: usize, of: u8) -> Vec<u8> {
    (0..size).map(|nth| of.wrapping_add(u8::try_from(nth % 251).unwrap())).collect()
}

/// Gives up an object of parts, as S3 does by itself after a day; returns the error's code.
async fn abort(system: &System, key: &ObjectKey, upload: &str) -> Option<String> {
    let request = system.client().abort_multipart_upload().bucket("files").key(key.as_str()).upload_id(upload);
    match request.send().await {
        Ok(_) => None,
        refused @ Err(_) => Some(code(refused)),
    }
}

#[tokio::test]
async fn parts_become_an_object_in_their_order_once_they_are_complete() {
    let system = System::start().await;
    let (files, key) = (system.files(), ObjectKey::export(Uuid::from_u128(1)));
    let upload = files.begin_parts(&key, "text/csv").await.unwrap();
    assert!(matches!(files.head(&key).await, Err(::files::Error::NotFound)));
    let (one, two) = (bytes(LEAST_PART, 1), bytes(100, 2));
    let second = files.put_part(&key, (&upload, 2), two.clone()).await.unwrap();
    files.put_part(&key, (&upload, 1), bytes(LEAST_PART, 9)).await.unwrap();
    // Sent again, it takes the place of the one that is there.
    let first = files.put_part(&key, (&upload, 1), one.clone()).await.unwrap();
    assert!(first.1.is_some() && first.0 != second.0);
    files.complete_parts(&key, &upload, &[first, second]).await.unwrap();
    assert_eq!(files.get(&key).await.unwrap(), [one, two].concat());
    let head = files.head(&key).await.unwrap();
    assert!(head.etag.ends_with("-2\"") && head.content_type.as_deref() == Some("text/csv"), "{head:?}");
    let (mut some, from) = (Vec::new(), LEAST_PART as u64 - 2);
    files.read_between(&key, &head.etag, (from, from + 4), |bytes| some.extend_from_slice(bytes)).await.unwrap();
    assert_eq!(some, files.get(&key).await.unwrap()[LEAST_PART - 2..LEAST_PART + 2]);
    abort(&system, &key, &upload).await;
    assert!(files.head(&key).await.is_ok(), "what is complete stays");
}

#[tokio::test]
async fn what_is_given_up_or_wrong_is_no_object() {
    let system = System::start().await;
    let (files, key) = (system.files(), ObjectKey::export(Uuid::from_u128(1)));
    let upload = files.begin_parts(&key, "text/csv").await.unwrap();
    let small = files.put_part(&key, (&upload, 1), bytes(10, 1)).await.unwrap();
    let last = files.put_part(&key, (&upload, 2), bytes(10, 2)).await.unwrap();
    for parts in [vec![small.clone(), last.clone()], vec![last.clone()], Vec::new()] {
        assert!(files.complete_parts(&key, &upload, &parts).await.is_err(), "{parts:?}");
    }
    let client = system.client();
    let other = client.upload_part().bucket("files").key("exports/other").upload_id(&upload).part_number(1);
    assert_eq!(code(other.body(vec![1].into()).send().await), "NoSuchUpload");
    assert_eq!(abort(&system, &key, &upload).await, None);
    assert_eq!(abort(&system, &key, &upload).await.as_deref(), Some("NoSuchUpload"));
    assert!(matches!(files.put_part(&key, (&upload, 1), vec![1]).await, Err(::files::Error::NotFound)));
    assert!(matches!(files.head(&key).await, Err(::files::Error::NotFound)));
}

#[tokio::test]
async fn all_that_an_import_has_is_deleted_by_its_id() {
    let system = System::start().await;
    let (files, one, other) = (system.files(), Uuid::from_u128(1), Uuid::from_u128(2));
    for import in [one, other] {
        for key in [ObjectKey::rows(import, 1), ObjectKey::rows(import, 501), ObjectKey::batches(import)] {
            files.put(&key, "application/x-ndjson", vec![1]).await.unwrap();
        }
    }
    files.erase_import(one).await.unwrap();
    for key in [ObjectKey::rows(one, 1), ObjectKey::rows(one, 501), ObjectKey::batches(one)] {
        assert!(matches!(files.head(&key).await, Err(::files::Error::NotFound)), "{key}");
    }
    assert_eq!(files.get(&ObjectKey::rows(other, 501)).await.unwrap(), [1]);
}
