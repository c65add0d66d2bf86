//! An object that is not what its writer declared is not kept.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode};

use crate::support::{BUCKET, System, code, hour, presigned, send};

/// Each algorithm, with the digest of `hello`, by an implementation other than ours.
const HELLO: [(&str, &str); 5] = [
    ("x-amz-checksum-crc32", "NhCmhg=="),
    ("x-amz-checksum-crc32c", "mnG7TA=="),
    ("x-amz-checksum-crc64nvme", "M3eFcAZSQlc="),
    ("x-amz-checksum-sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00="),
    ("x-amz-checksum-sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="),
];

#[tokio::test]
async fn every_algorithm_is_verified() {
    let system = System::start().await;
    for (name, digest) in HELLO {
        let request = system.client().put_object().bucket(BUCKET).key(name);
        let request = match name {
            "x-amz-checksum-crc32" => request.checksum_crc32(digest),
            "x-amz-checksum-crc32c" => request.checksum_crc32_c(digest),
            "x-amz-checksum-crc64nvme" => request.checksum_crc64_nvme(digest),
            "x-amz-checksum-sha1" => request.checksum_sha1(digest),
            _ => request.checksum_sha256(digest),
        };
        let put = presigned(&request.presigned(hour()).await.unwrap());
        let wrong = send(&put, &[], "hallo").await;
        assert_eq!((wrong.status, wrong.code()), (400, "BadDigest"), "{name}: {wrong:?}");
        assert_eq!(system.content(name).await, None);
        let right = send(&put, &[], "hello").await;
        assert_eq!((right.status, right.header(name)), (200, digest), "{name}: {right:?}");
        assert_eq!(system.content(name).await.as_deref(), Some(b"hello".as_slice()));
    }
}

#[tokio::test]
async fn content_md5_is_verified() {
    let system = System::start().await;
    let put = |md5| system.client().put_object().bucket(BUCKET).key("a").content_md5(md5);
    let hello = || ByteStream::from_static(b"hello");
    assert_eq!(code(put("1B2M2Y8AsgTpgAmY7PhCfg==").body(hello()).send().await), "BadDigest");
    assert_eq!(code(put("not a digest").body(hello()).send().await), "InvalidDigest");
    assert_eq!(code(put("aGVsbG8=").body(hello()).send().await), "InvalidDigest");
    assert_eq!(system.content("a").await, None);
    put("XUFAKrxLKna5cZ2REBfFkg==").body(hello()).send().await.unwrap();
    assert_eq!(system.content("a").await.as_deref(), Some(b"hello".as_slice()));
}

#[tokio::test]
async fn a_wrong_upload_leaves_the_earlier_object() {
    let system = System::start().await;
    system.put("a", "earlier").await;
    let request = system.client().put_object().bucket(BUCKET).key("a").content_md5("1B2M2Y8AsgTpgAmY7PhCfg==");
    assert_eq!(code(request.body(ByteStream::from_static(b"later")).send().await), "BadDigest");
    assert_eq!(system.content("a").await.as_deref(), Some(b"earlier".as_slice()));
}

#[tokio::test]
async fn a_malformed_or_doubled_checksum_is_refused() {
    let system = System::start().await;
    let put = || system.client().put_object().bucket(BUCKET).key("a");
    let malformed = presigned(&put().checksum_sha256("aGVsbG8=").presigned(hour()).await.unwrap());
    let doubled = put().checksum_sha256(HELLO[4].1).checksum_sha1(HELLO[3].1);
    let doubled = presigned(&doubled.presigned(hour()).await.unwrap());
    for upload in [malformed, doubled] {
        let sent = send(&upload, &[], "hello").await;
        assert_eq!((sent.status, sent.code()), (400, "InvalidRequest"), "{sent:?}");
        assert_eq!(system.content("a").await, None);
    }
}

#[tokio::test]
async fn the_sdk_s_checksums_arrive_and_come_back() {
    let system = System::start().await;
    for algorithm in [
        ChecksumAlgorithm::Crc32,
        ChecksumAlgorithm::Crc32C,
        ChecksumAlgorithm::Crc64Nvme,
        ChecksumAlgorithm::Sha1,
        ChecksumAlgorithm::Sha256,
    ] {
        let put = system.client().put_object().bucket(BUCKET).key("a").checksum_algorithm(algorithm.clone());
        put.body(ByteStream::from_static(b"hello")).send().await.unwrap();
        let get = system.client().get_object().bucket(BUCKET).key("a").checksum_mode(ChecksumMode::Enabled);
        let got = get.send().await.unwrap();
        let sums = [
            got.checksum_crc32(),
            got.checksum_crc32_c(),
            got.checksum_crc64_nvme(),
            got.checksum_sha1(),
            got.checksum_sha256(),
        ];
        let sums: Vec<_> = sums.into_iter().flatten().collect();
        assert_eq!(sums.len(), 1, "{algorithm}");
        assert!(HELLO.iter().any(|(_, digest)| *digest == sums[0]), "{algorithm}: {sums:?}");
        // Collecting verifies it against what was sent.
        assert_eq!(got.body.collect().await.unwrap().to_vec(), b"hello");
    }
}

#[tokio::test]
async fn a_checksum_in_a_trailer_is_verified() {
    let system = System::start().await;
    let (_file, body) = streamed().await;
    let put = system.client().put_object().bucket(BUCKET).key("a").content_encoding("gzip");
    let sent = put.checksum_algorithm(ChecksumAlgorithm::Sha256).body(body).send().await.unwrap();
    assert!(sent.checksum_sha256().is_some());
    let got = system.client().get_object().bucket(BUCKET).key("a").send().await.unwrap();
    assert_eq!(got.content_encoding(), Some("gzip"));
    assert_eq!(got.body.collect().await.unwrap().to_vec(), vec![7; 300_000]);
}

#[tokio::test]
async fn a_stream_of_another_length_than_declared_is_refused() {
    let system = System::start().await;
    for length in ["299999", "300001"] {
        let (_file, body) = streamed().await;
        let put = system.client().put_object().bucket(BUCKET).key("a").body(body).customize();
        let put = put.mutate_request(move |request| {
            request.headers_mut().insert("x-amz-decoded-content-length", length);
        });
        assert_eq!(code(put.send().await), "IncompleteBody", "{length}");
        assert_eq!(system.content("a").await, None);
    }
}

/// 300,000 bytes, which the SDK sends as `aws-chunked` with the checksum after the content.
async fn streamed() -> (tempfile::NamedTempFile, ByteStream) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), vec![7; 300_000]).unwrap();
    let body = ByteStream::from_path(file.path()).await.unwrap();
    (file, body)
}
