//! `ListObjectsV2`.

use aws_sdk_s3::types::EncodingType;

use crate::support::{BUCKET, System, code};

#[tokio::test]
async fn pages_have_every_key_once_in_the_order_of_their_bytes() {
    let system = System::start().await;
    for key in ["b", "a/2", "a/1", "ä", "a/1/x", "B", "c_d", "c%d", "c/"] {
        system.put(key, "").await;
    }
    let (mut keys, mut token) = (Vec::new(), None);
    loop {
        let list = system.client().list_objects_v2().bucket(BUCKET).max_keys(2);
        let page = list.set_continuation_token(token).send().await.unwrap();
        assert!(page.contents().len() <= 2);
        keys.extend(page.contents().iter().map(|object| object.key().unwrap().to_owned()));
        token = page.next_continuation_token().map(str::to_owned);
        assert_eq!(page.is_truncated(), Some(token.is_some()));
        if token.is_none() {
            break;
        }
    }
    assert_eq!(keys, ["B", "a/1", "a/1/x", "a/2", "b", "c%d", "c/", "c_d", "ä"]);
}

#[tokio::test]
async fn a_delimiter_groups_keys_across_pages() {
    let system = System::start().await;
    for key in ["x/a/1", "x/a/2", "x/a/3", "x/b", "x/c/1", "x/c/2", "y"] {
        system.put(key, "").await;
    }
    let (mut found, mut token) = (Vec::new(), None);
    loop {
        let list = system.client().list_objects_v2().bucket(BUCKET).prefix("x/").delimiter("/").max_keys(1);
        let page = list.set_continuation_token(token).send().await.unwrap();
        assert_eq!(page.key_count(), Some(1));
        found.extend(page.common_prefixes().iter().map(|prefix| prefix.prefix().unwrap().to_owned()));
        found.extend(page.contents().iter().map(|object| object.key().unwrap().to_owned()));
        token = page.next_continuation_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert_eq!(found, ["x/a/", "x/b", "x/c/"]);
}

#[tokio::test]
async fn prefixes_starts_and_encodings_are_as_asked() {
    let system = System::start().await;
    for key in ["a", "a b/ü", "a%b", "b"] {
        system.put(key, "hello").await;
    }
    let list = || system.client().list_objects_v2().bucket(BUCKET);
    let page = list().prefix("a").start_after("a").encoding_type(EncodingType::Url).send().await.unwrap();
    let keys: Vec<_> = page.contents().iter().map(|object| object.key().unwrap()).collect();
    assert_eq!(keys, ["a+b/%C3%BC", "a%25b"]);
    assert_eq!(page.contents()[0].size(), Some(5));
    assert_eq!(page.contents()[0].e_tag(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    // Nothing here is a pattern.
    assert_eq!(list().prefix("a%").send().await.unwrap().key_count(), Some(1));
    assert_eq!(list().max_keys(0).send().await.unwrap().is_truncated(), Some(false));
    assert_eq!(code(list().continuation_token("?").send().await), "InvalidArgument");
}
