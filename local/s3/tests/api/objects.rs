//! Objects by the SDK, whatever their keys.

use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{Delete, MetadataDirective, ObjectIdentifier, Tag, Tagging};

use crate::support::{BUCKET, System, code};

#[tokio::test]
async fn odd_keys_stay_inside_their_bucket() {
    let system = System::start().await;
    system.client().create_bucket().bucket("other").send().await.unwrap();
    let longest = "k".repeat(1024);
    let keys = [
        "../other/a",
        "../../../../tmp/a",
        "..",
        ".",
        "/",
        "//a",
        "a/../b",
        "a//b",
        "a/",
        "C:\\a",
        "a?b=c&d#e",
        "a%2Fb",
        "a+b c",
        "ключ 🔑",
        "'; DROP TABLE objects; --",
        "metadata.sqlite",
        longest.as_str(),
    ];
    for key in keys {
        let body = ByteStream::from(key.as_bytes().to_vec());
        system.client().put_object().bucket(BUCKET).key(key).body(body).send().await.unwrap();
    }
    for key in keys {
        assert_eq!(system.content(key).await.as_deref(), Some(key.as_bytes()), "{key}");
    }
    let listed = system.client().list_objects_v2().bucket("other").send().await.unwrap();
    assert_eq!(listed.key_count(), Some(0));
    let listed = system.client().list_objects_v2().bucket(BUCKET).send().await.unwrap();
    assert_eq!(listed.key_count(), Some(17));
}

#[tokio::test]
async fn a_key_longer_than_1024_bytes_is_refused() {
    let system = System::start().await;
    let put = system.client().put_object().bucket(BUCKET).key("k".repeat(1025));
    assert_eq!(code(put.body(ByteStream::from_static(b"a")).send().await), "KeyTooLongError");
}

#[tokio::test]
async fn what_the_writer_said_comes_back() {
    let system = System::start().await;
    let put = system.client().put_object().bucket(BUCKET).key("a").body(ByteStream::from_static(b"hello"));
    let put = put.content_type("text/plain").cache_control("no-store").content_language("pt-BR");
    let put = put.content_disposition("inline").expires(DateTime::from_secs(1_900_000_000));
    put.metadata("owner", "someone").tagging("a=1&b=%20").send().await.unwrap();
    let got = system.client().get_object().bucket(BUCKET).key("a").send().await.unwrap();
    assert_eq!(got.content_type(), Some("text/plain"));
    assert_eq!(got.cache_control(), Some("no-store"));
    assert_eq!(got.content_language(), Some("pt-BR"));
    assert_eq!(got.content_disposition(), Some("inline"));
    assert_eq!(got.expires_string(), Some("Sun, 17 Mar 2030 17:46:40 GMT"));
    assert_eq!(got.metadata().unwrap()["owner"], "someone");
    assert_eq!(got.tag_count(), Some(2));
    assert_eq!(got.e_tag(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    let head = system.client().head_object().bucket(BUCKET).key("a").send().await.unwrap();
    assert_eq!((head.content_length(), head.content_type()), (Some(5), Some("text/plain")));
    assert_eq!(code(system.client().head_object().bucket(BUCKET).key("b").send().await), "NotFound");
}

#[tokio::test]
async fn a_range_is_a_part() {
    let system = System::start().await;
    system.put("a", "0123456789").await;
    system.put("empty", "").await;
    let get = |key, range: &str| system.client().get_object().bucket(BUCKET).key(key).range(range).send();
    for (range, content, content_range) in [
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-3", "789", "bytes 7-9/10"),
        ("bytes=8-100", "89", "bytes 8-9/10"),
        ("bytes=-100", "0123456789", "bytes 0-9/10"),
    ] {
        let got = get("a", range).await.unwrap();
        assert_eq!(got.content_range(), Some(content_range));
        assert_eq!(got.content_length(), i64::try_from(content.len()).ok());
        assert_eq!(got.body.collect().await.unwrap().to_vec(), content.as_bytes(), "{range}");
    }
    assert_eq!(code(get("a", "bytes=10-").await), "InvalidRange");
    assert_eq!(code(get("empty", "bytes=0-0").await), "InvalidRange");
    assert_eq!(code(get("empty", "bytes=-1").await), "InvalidRange");
}

#[tokio::test]
async fn preconditions_hold_or_are_refused() {
    let system = System::start().await;
    let client = system.client();
    system.put("a", "hello").await;
    let etag = "\"5d41402abc4b2a76b9719d911017c592\"";
    let get = || client.get_object().bucket(BUCKET).key("a");
    assert!(get().if_match(etag).send().await.is_ok());
    assert_eq!(code(get().if_match("\"other\"").send().await), "PreconditionFailed");
    assert!(get().if_none_match("\"other\"").send().await.is_ok());
    let same = get().if_none_match(etag).send().await.unwrap_err();
    assert_eq!(same.raw_response().unwrap().status().as_u16(), 304);
    assert_eq!(same.raw_response().unwrap().headers().get("etag"), Some(etag));
    let put = |key| client.put_object().bucket(BUCKET).key(key).body(ByteStream::from_static(b"new"));
    assert_eq!(code(put("a").if_none_match("*").send().await), "PreconditionFailed");
    assert_eq!(code(put("a").if_match("\"other\"").send().await), "PreconditionFailed");
    assert_eq!(code(put("b").if_match(etag).send().await), "NoSuchKey");
    assert_eq!(system.content("a").await.as_deref(), Some(b"hello".as_slice()));
    put("b").if_none_match("*").send().await.unwrap();
    put("a").if_match(etag).send().await.unwrap();
    assert_eq!(system.content("a").await.as_deref(), Some(b"new".as_slice()));
}

#[tokio::test]
async fn a_copy_outlives_its_source() {
    let system = System::start().await;
    let client = system.client();
    let put = client.put_object().bucket(BUCKET).key("a b/ü").body(ByteStream::from_static(b"hello"));
    put.content_type("text/plain").metadata("owner", "someone").tagging("a=1").send().await.unwrap();
    let copy = |key| client.copy_object().bucket(BUCKET).key(key).copy_source("files/a%20b/%C3%BC");
    let copied = copy("b").send().await.unwrap();
    assert_eq!(copied.copy_object_result().unwrap().e_tag(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
    let replaced = copy("c").metadata_directive(MetadataDirective::Replace).content_type("text/html");
    replaced.send().await.unwrap();
    client.delete_object().bucket(BUCKET).key("a b/ü").send().await.unwrap();
    assert_eq!(code(copy("d").send().await), "NoSuchKey");
    let got = client.get_object().bucket(BUCKET).key("b").send().await.unwrap();
    assert_eq!((got.content_type(), got.tag_count()), (Some("text/plain"), Some(1)));
    assert_eq!(got.metadata().unwrap()["owner"], "someone");
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"hello");
    let got = client.get_object().bucket(BUCKET).key("c").send().await.unwrap();
    assert_eq!((got.content_type(), got.metadata().unwrap().len()), (Some("text/html"), 0));
    let same = client.copy_object().bucket(BUCKET).key("b").copy_source("files/b");
    assert_eq!(code(same.send().await), "InvalidRequest");
}

#[tokio::test]
async fn tags_are_replaced_within_their_limits() {
    let system = System::start().await;
    let client = system.client();
    system.put("a", "hello").await;
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    let put = |tags: Vec<Tag>| {
        let tags = Tagging::builder().set_tag_set(Some(tags)).build().unwrap();
        client.put_object_tagging().bucket(BUCKET).key("a").tagging(tags).send()
    };
    put(vec![tag("status", "clean"), tag("by", "scanner")]).await.unwrap();
    assert_eq!(code(put(vec![tag("a", "1"), tag("a", "2")]).await), "InvalidTag");
    assert_eq!(code(put(vec![tag("a", &"v".repeat(257))]).await), "InvalidTag");
    let got = client.get_object_tagging().bucket(BUCKET).key("a").send().await.unwrap();
    let got: Vec<_> = got.tag_set().iter().map(|tag| (tag.key(), tag.value())).collect();
    assert_eq!(got, [("status", "clean"), ("by", "scanner")]);
    assert_eq!(code(client.get_object_tagging().bucket(BUCKET).key("b").send().await), "NoSuchKey");
}

#[tokio::test]
async fn many_are_deleted_at_once_and_absent_ones_are_no_error() {
    let system = System::start().await;
    let client = system.client();
    for key in ["a", "b", "c"] {
        system.put(key, "same").await;
    }
    let key = |key: &str| ObjectIdentifier::builder().key(key).build().unwrap();
    let delete = Delete::builder().objects(key("a")).objects(key("absent")).objects(key("b")).build().unwrap();
    let deleted = client.delete_objects().bucket(BUCKET).delete(delete).send().await.unwrap();
    assert_eq!((deleted.deleted().len(), deleted.errors().len()), (3, 0));
    client.delete_object().bucket(BUCKET).key("a").send().await.unwrap();
    assert_eq!(system.content("a").await, None);
    assert_eq!(system.content("c").await.as_deref(), Some(b"same".as_slice()));
}

#[tokio::test]
async fn writers_and_readers_of_one_key_see_whole_objects() {
    let system = System::start().await;
    system.put("a", "first").await;
    let contents = ["first", "second, which is longer", ""];
    let writes = (0..60).map(|n| {
        let put = system.client().put_object().bucket(BUCKET).key("a");
        tokio::spawn(put.body(ByteStream::from_static(contents[n % 3].as_bytes())).send())
    });
    let writes: Vec<_> = writes.collect();
    for _ in 0..60 {
        let read = system.content("a").await.unwrap();
        assert!(contents.iter().any(|content| content.as_bytes() == read), "{read:?}");
    }
    for write in writes {
        write.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn what_is_not_emulated_says_so() {
    let system = System::start().await;
    let client = system.client();
    assert_eq!(code(client.list_multipart_uploads().bucket(BUCKET).send().await), "NotImplemented");
    assert_eq!(code(client.list_buckets().send().await), "NotImplemented");
    let put = client.put_object().bucket(BUCKET).key("a").acl("public-read".into());
    assert_eq!(code(put.body(ByteStream::from_static(b"a")).send().await), "NotImplemented");
    let old = client.get_object().bucket(BUCKET).key("a").version_id("1");
    assert_eq!(code(old.send().await), "NoSuchVersion");
}
