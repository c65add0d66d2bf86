//! `CreateMultipartUpload`, `UploadPart`, `CompleteMultipartUpload` and `AbortMultipartUpload`.

use std::io::Write as _;
use std::sync::Arc;

use hyper::header::HeaderMap;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::*;
use s3s::{S3Request, S3Result, s3_error};

use super::conditions::etag;
use super::now;
use super::write::described;
use crate::Shared;
use crate::digest::{Declared, hex};
use crate::error::Internal as _;
use crate::receive::{Upload, receive};
use crate::store::{Cause, Object, Part};

/// S3 takes no smaller part but the last one.
const LEAST: u64 = 5 * 1024 * 1024;

pub(super) fn begin(
    shared: &Arc<Shared>,
    req: S3Request<CreateMultipartUploadInput>,
) -> S3Result<CreateMultipartUploadOutput> {
    let input = req.input;
    let description = described(&input)?;
    let upload = shared.store.begin_parts(&input.bucket, &input.key, &description)?;
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(upload),
        checksum_algorithm: input.checksum_algorithm,
        ..CreateMultipartUploadOutput::default()
    })
}

pub(super) async fn put(shared: &Arc<Shared>, req: S3Request<UploadPartInput>) -> S3Result<UploadPartOutput> {
    let input = req.input;
    if !(1..=10_000).contains(&input.part_number) {
        let message = "Part number must be an integer between 1 and 10000, inclusive";
        return Err(s3_error!(InvalidArgument, "{message}"));
    }
    shared.store.upload(&input.bucket, &input.key, &input.upload_id)?;
    let upload = Upload {
        body: input.body,
        headers: &req.headers,
        trailers: req.trailing_headers,
        length: input.content_length,
    };
    let received = receive(&shared.store, upload).await?;
    let (name, md5) = ((input.bucket.as_str(), input.key.as_str(), input.upload_id.as_str()), received.md5);
    let (number, size) = (input.part_number.into(), received.size);
    shared.store.put_part(name, number, received.content, (size, &md5))?;
    let sums = received.checksum.shown();
    Ok(UploadPartOutput {
        e_tag: Some(ETag::Strong(md5)),
        checksum_crc32: sums.checksum_crc32,
        checksum_crc32c: sums.checksum_crc32c,
        checksum_crc64nvme: sums.checksum_crc64nvme,
        checksum_sha1: sums.checksum_sha1,
        checksum_sha256: sums.checksum_sha256,
        ..UploadPartOutput::default()
    })
}

pub(super) async fn complete(
    shared: &Arc<Shared>,
    req: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<CompleteMultipartUploadOutput> {
    let input = req.input;
    let (mut description, arrived) = shared.store.upload(&input.bucket, &input.key, &input.upload_id)?;
    let wanted = input.multipart_upload.and_then(|wanted| wanted.parts).unwrap_or_default();
    let parts = chosen(&arrived, &wanted)?;
    let mut content = shared.store.incoming().internal()?;
    let (mut digests, mut tags) = (Declared::read(&HeaderMap::new())?.digests(), Md5::new());
    let mut size = 0;
    for part in &parts {
        let bytes = tokio::fs::read(&part.path).await.internal()?;
        digests.update(&bytes);
        content.write_all(&bytes).internal()?;
        tags.update(&unhex(&part.md5));
        size += part.size;
    }
    let found = digests.finish()?;
    description.checksum = Some(found.checksum);
    let md5 = format!("{}-{}", hex(tags.finalize().as_ref()), parts.len());
    let object = Object { blob: hex(&found.sha256), size, md5, modified: now(), description };
    let event = shared.hook().map(|_| Cause::Put);
    let name = (input.bucket.as_str(), input.key.as_str());
    let created = shared.store.put(name, &object, content, |_| Ok(()), event)?;
    shared.store.end_parts(&input.upload_id, &arrived)?;
    if let Some(created) = created {
        shared.deliver(created);
    }
    Ok(CompleteMultipartUploadOutput {
        e_tag: Some(etag(&object)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        ..CompleteMultipartUploadOutput::default()
    })
}

/// The parts that the object is made of, as they arrived.
fn chosen<'a>(arrived: &'a [Part], wanted: &[CompletedPart]) -> S3Result<Vec<&'a Part>> {
    let numbers: Vec<_> = wanted.iter().map(|part| i64::from(part.part_number.unwrap_or_default())).collect();
    if numbers.is_empty() {
        return Err(s3_error!(MalformedXML, "The XML you provided was not well-formed"));
    }
    if !numbers.is_sorted_by(|one, next| one < next) {
        return Err(s3_error!(InvalidPartOrder, "The list of parts was not in ascending order."));
    }
    let found = wanted.iter().zip(&numbers).map(|(wanted, number)| {
        let part = arrived.iter().find(|part| part.number == *number);
        let same = |part: &&Part| wanted.e_tag.as_ref().is_some_and(|tag| tag.value() == part.md5);
        part.filter(same)
            .ok_or_else(|| s3_error!(InvalidPart, "One or more of the specified parts could not be found."))
    });
    let found = found.collect::<S3Result<Vec<_>>>()?;
    let before_last = found.split_last().map(|(_, before)| before).unwrap_or_default();
    if before_last.iter().any(|part| part.size < LEAST) {
        return Err(s3_error!(EntityTooSmall, "Your proposed upload is smaller than the minimum allowed size"));
    }
    Ok(found)
}

pub(super) fn abort(
    shared: &Arc<Shared>,
    req: &S3Request<AbortMultipartUploadInput>,
) -> S3Result<AbortMultipartUploadOutput> {
    let input = &req.input;
    let (_, parts) = shared.store.upload(&input.bucket, &input.key, &input.upload_id)?;
    shared.store.end_parts(&input.upload_id, &parts)?;
    Ok(AbortMultipartUploadOutput::default())
}

fn unhex(hex: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
    hex.as_bytes().chunks(2).map(|pair| pair.iter().fold(0, |byte, next| byte * 16 + digit(*next))).collect()
}
