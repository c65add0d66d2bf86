//! Buckets exist only when they were made.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};

use crate::support::{BUCKET, System, code};

#[tokio::test]
async fn an_unknown_bucket_is_not_made_on_the_fly() {
    let system = System::start().await;
    let client = system.client();
    let put = || client.put_object().bucket("unknown").key("a").body(ByteStream::from_static(b"a"));
    assert_eq!(code(put().send().await), "NoSuchBucket");
    assert_eq!(code(put().send().await), "NoSuchBucket");
    assert_eq!(code(client.get_object().bucket("unknown").key("a").send().await), "NoSuchBucket");
    assert_eq!(code(client.delete_object().bucket("unknown").key("a").send().await), "NoSuchBucket");
    assert_eq!(code(client.list_objects_v2().bucket("unknown").send().await), "NoSuchBucket");
    assert_eq!(code(client.head_bucket().bucket("unknown").send().await), "NotFound");
    system.put("a", "a").await;
    let copy = client.copy_object().bucket("unknown").key("a").copy_source("files/a");
    assert_eq!(code(copy.send().await), "NoSuchBucket");
}

#[tokio::test]
async fn a_bucket_is_made_once() {
    let system = System::start().await;
    let client = system.client();
    client.create_bucket().bucket("another").send().await.unwrap();
    assert_eq!(code(client.create_bucket().bucket("another").send().await), "BucketAlreadyOwnedByYou");
    let head = client.head_bucket().bucket("another").send().await.unwrap();
    assert_eq!(head.bucket_region(), Some("us-east-1"));
    let elsewhere = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::EuWest1).build();
    let elsewhere = client.create_bucket().bucket("elsewhere").create_bucket_configuration(elsewhere);
    assert_eq!(code(elsewhere.send().await), "IllegalLocationConstraintException");
}

#[tokio::test]
async fn a_bucket_made_in_the_process_keeps_its_objects() {
    let system = System::start().await;
    system.put("a", "kept").await;
    system.s3.ensure_bucket(BUCKET).unwrap();
    assert_eq!(system.content("a").await.as_deref(), Some(b"kept".as_slice()));
    let error = system.s3.ensure_bucket("../Files").unwrap_err();
    assert!(error.to_string().contains("not one that S3 allows"), "{error}");
    let error = system.s3.set_cors("unknown", &[]).unwrap_err();
    assert!(error.to_string().contains("does not exist"), "{error}");
}
