//! `GetObject` and `HeadObject`.

use std::io::SeekFrom;
use std::ops;

use s3s::dto::*;
use s3s::{S3Result, s3_error};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::conditions::{Conditions, etag};
use super::{time, unversioned};
use crate::error::Internal as _;
use crate::store::{Object, Store};

pub(super) async fn get(store: &Store, input: GetObjectInput) -> S3Result<GetObjectOutput> {
    unversioned(input.version_id.as_deref())?;
    whole(input.part_number)?;
    let (object, file) = store.open_object(&input.bucket, &input.key)?;
    let conditions = Conditions {
        matches: input.if_match,
        none_match: input.if_none_match,
        modified_since: input.if_modified_since,
        unmodified_since: input.if_unmodified_since,
    };
    conditions.check_read(&object)?;
    let part = part(input.range, object.size)?;
    let mut file = tokio::fs::File::from_std(file);
    let length = match &part {
        None => object.size,
        Some(bytes) => {
            file.seek(SeekFrom::Start(bytes.start)).await.internal()?;
            bytes.end - bytes.start
        }
    };
    let body = ReaderStream::with_capacity(file.take(length), 64 * 1024);
    // A part has no checksum of its own.
    let shown = input.checksum_mode.is_some() && part.is_none();
    let sums = if shown { checksum(&object) } else { Checksum::default() };
    let e_tag = Some(etag(&object));
    let description = object.description;
    Ok(GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        body: Some(StreamingBlob::wrap(body)),
        cache_control: description.cache_control,
        checksum_crc32: sums.checksum_crc32,
        checksum_crc32c: sums.checksum_crc32c,
        checksum_crc64nvme: sums.checksum_crc64nvme,
        checksum_sha1: sums.checksum_sha1,
        checksum_sha256: sums.checksum_sha256,
        checksum_type: sums.checksum_type,
        content_disposition: description.content_disposition,
        content_encoding: description.content_encoding,
        content_language: description.content_language,
        content_length: Some(i64::try_from(length).internal()?),
        content_range: part.map(|bytes| content_range(&bytes, object.size)),
        content_type: description.content_type,
        e_tag,
        expires: description.expires,
        last_modified: Some(time(object.modified)),
        metadata: Some(description.metadata.into_iter().collect()),
        tag_count: i32::try_from(description.tags.len()).ok().filter(|count| *count > 0),
        ..GetObjectOutput::default()
    })
}

pub(super) fn head(store: &Store, input: HeadObjectInput) -> S3Result<HeadObjectOutput> {
    unversioned(input.version_id.as_deref())?;
    whole(input.part_number)?;
    let object = store.object(&input.bucket, &input.key)?;
    let conditions = Conditions {
        matches: input.if_match,
        none_match: input.if_none_match,
        modified_since: input.if_modified_since,
        unmodified_since: input.if_unmodified_since,
    };
    conditions.check_read(&object)?;
    let part = part(input.range, object.size)?;
    let length = part.as_ref().map_or(object.size, |bytes| bytes.end - bytes.start);
    let shown = input.checksum_mode.is_some() && part.is_none();
    let sums = if shown { checksum(&object) } else { Checksum::default() };
    let e_tag = Some(etag(&object));
    let description = object.description;
    Ok(HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        cache_control: description.cache_control,
        checksum_crc32: sums.checksum_crc32,
        checksum_crc32c: sums.checksum_crc32c,
        checksum_crc64nvme: sums.checksum_crc64nvme,
        checksum_sha1: sums.checksum_sha1,
        checksum_sha256: sums.checksum_sha256,
        checksum_type: sums.checksum_type,
        content_disposition: description.content_disposition,
        content_encoding: description.content_encoding,
        content_language: description.content_language,
        content_length: Some(i64::try_from(length).internal()?),
        content_range: part.map(|bytes| content_range(&bytes, object.size)),
        content_type: description.content_type,
        e_tag,
        expires: description.expires,
        last_modified: Some(time(object.modified)),
        metadata: Some(description.metadata.into_iter().collect()),
        ..HeadObjectOutput::default()
    })
}

/// The object's checksum, in the field of its algorithm.
pub(super) fn checksum(object: &Object) -> Checksum {
    let Some(found) = object.description.checksum.clone() else { return Checksum::default() };
    found.shown()
}

/// Every object here was put in one piece.
fn whole(part: Option<i32>) -> S3Result<()> {
    match part {
        None => Ok(()),
        Some(_) => Err(s3_error!(NotImplemented, "The local S3 does not emulate parts of objects")),
    }
}

fn part(range: Option<Range>, size: u64) -> S3Result<Option<ops::Range<u64>>> {
    let Some(range) = range else { return Ok(None) };
    match range.check(size) {
        Ok(part) if !part.is_empty() => Ok(Some(part)),
        Ok(_) | Err(_) => Err(s3_error!(InvalidRange, "The requested range is not satisfiable")),
    }
}

fn content_range(bytes: &ops::Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", bytes.start, bytes.end - 1)
}
