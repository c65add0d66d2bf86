//! `PutObject`, `CopyObject`, `DeleteObject` and `DeleteObjects`.

use std::sync::Arc;

use hyper::header::{self, HeaderMap};
use s3s::dto::*;
use s3s::{S3Error, S3Request, S3Result, s3_error};

use super::conditions::{Conditions, etag};
use super::read::checksum;
use super::{now, tags, time, unversioned};
use crate::Shared;
use crate::receive::{Upload, receive};
use crate::store::{Cause, Description, Object, Store};

/// S3's limit of `x-amz-meta-*`, names and values together.
const METADATA: usize = 2048;

pub(super) async fn put(shared: &Arc<Shared>, req: S3Request<PutObjectInput>) -> S3Result<PutObjectOutput> {
    let input = req.input;
    let mut description = Description {
        content_type: input.content_type.or_else(|| Some("binary/octet-stream".to_owned())),
        content_disposition: input.content_disposition,
        content_encoding: input.content_encoding.and_then(|encoding| stored_encoding(&encoding)),
        content_language: input.content_language,
        cache_control: input.cache_control,
        expires: input.expires,
        metadata: user_metadata(input.metadata)?,
        tags: input.tagging.as_deref().map(tags::from_header).transpose()?.unwrap_or_default(),
        checksum: None,
    };
    shared.store.require_bucket(&input.bucket)?;
    let upload = Upload {
        body: input.body,
        headers: &req.headers,
        trailers: req.trailing_headers,
        length: input.content_length,
    };
    let received = receive(&shared.store, upload).await?;
    description.checksum = Some(received.checksum);
    let (size, blob, md5) = (received.size, received.sha256, received.md5);
    let object = Object { blob, size, md5, modified: now(), description };
    let conditions = Conditions { matches: input.if_match, none_match: input.if_none_match, ..Conditions::default() };
    let event = shared.hook().map(|_| Cause::Put);
    let name = (input.bucket.as_str(), input.key.as_str());
    let created = shared.store.put(name, &object, received.content, |old| conditions.check_write(old), event)?;
    if let Some(created) = created {
        shared.deliver(created);
    }
    let sums = checksum(&object);
    Ok(PutObjectOutput {
        e_tag: Some(etag(&object)),
        checksum_crc32: sums.checksum_crc32,
        checksum_crc32c: sums.checksum_crc32c,
        checksum_crc64nvme: sums.checksum_crc64nvme,
        checksum_sha1: sums.checksum_sha1,
        checksum_sha256: sums.checksum_sha256,
        checksum_type: sums.checksum_type,
        ..PutObjectOutput::default()
    })
}

pub(super) fn copy(shared: &Arc<Shared>, req: S3Request<CopyObjectInput>) -> S3Result<CopyObjectOutput> {
    let target = target(&req.headers)?;
    let input = req.input;
    let (from_bucket, from_key) = match &input.copy_source {
        CopySource::Bucket { bucket, key, version_id } => {
            unversioned(version_id.as_deref())?;
            (bucket.to_string(), key.to_string())
        }
        CopySource::AccessPoint { .. } | CopySource::Outpost { .. } => {
            return Err(s3_error!(NotImplemented, "The local S3 copies from buckets only"));
        }
    };
    let (from, to) = ((from_bucket.as_str(), from_key.as_str()), (input.bucket.clone(), input.key.clone()));
    let to = (to.0.as_str(), to.1.as_str());
    let replaces = input.metadata_directive.as_ref().is_some_and(|d| d.as_str() == MetadataDirective::REPLACE);
    if from == to && !replaces {
        return Err(s3_error!(
            InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing the \
             object's metadata, storage class, website redirect location or encryption attributes."
        ));
    }
    let event = shared.hook().map(|_| Cause::Copy);
    let allowed = |old: Option<&Object>| target.check_write(old);
    let (object, created) = shared.store.copy(from, to, |source| copied(source, input, replaces), allowed, event)?;
    if let Some(created) = created {
        shared.deliver(created);
    }
    let sums = checksum(&object);
    let result = CopyObjectResult {
        e_tag: Some(etag(&object)),
        last_modified: Some(time(object.modified)),
        checksum_crc32: sums.checksum_crc32,
        checksum_crc32c: sums.checksum_crc32c,
        checksum_crc64nvme: sums.checksum_crc64nvme,
        checksum_sha1: sums.checksum_sha1,
        checksum_sha256: sums.checksum_sha256,
        checksum_type: sums.checksum_type,
    };
    Ok(CopyObjectOutput { copy_object_result: Some(result), ..CopyObjectOutput::default() })
}

/// What must be true of the object that a copy would replace, which `s3s` does not read.
fn target(headers: &HeaderMap) -> S3Result<Conditions> {
    if headers.contains_key(header::IF_MATCH) {
        return Err(s3_error!(NotImplemented, "The local S3 does not emulate copies over a certain object"));
    }
    match headers.get(header::IF_NONE_MATCH) {
        None => Ok(Conditions::default()),
        Some(any) if any == "*" => Ok(Conditions { none_match: Some(ETagCondition::Any), ..Conditions::default() }),
        Some(_) => Err(s3_error!(InvalidArgument, "If-None-Match of a copy must be *")),
    }
}

/// The new object that the request makes of `source`.
fn copied(source: &Object, input: CopyObjectInput, replaces: bool) -> S3Result<Object> {
    let conditions = Conditions {
        matches: input.copy_source_if_match,
        none_match: input.copy_source_if_none_match,
        modified_since: input.copy_source_if_modified_since,
        unmodified_since: input.copy_source_if_unmodified_since,
    };
    conditions.check_source(source)?;
    let mut object = Object { modified: now(), ..source.clone() };
    if replaces {
        object.description = Description {
            content_type: input.content_type.or_else(|| Some("binary/octet-stream".to_owned())),
            content_disposition: input.content_disposition,
            content_encoding: input.content_encoding,
            content_language: input.content_language,
            cache_control: input.cache_control,
            expires: input.expires,
            metadata: user_metadata(input.metadata)?,
            ..object.description
        };
    }
    if input.tagging_directive.is_some_and(|directive| directive.as_str() == TaggingDirective::REPLACE) {
        object.description.tags = input.tagging.as_deref().map(tags::from_header).transpose()?.unwrap_or_default();
    }
    Ok(object)
}

pub(super) fn delete(store: &Store, input: &DeleteObjectInput) -> S3Result<DeleteObjectOutput> {
    unversioned(input.version_id.as_deref())?;
    let conditions = Conditions { matches: input.if_match.clone(), ..Conditions::default() };
    store.delete(&input.bucket, &input.key, |old| conditions.check_write(old))?;
    Ok(DeleteObjectOutput::default())
}

pub(super) fn delete_many(store: &Store, input: DeleteObjectsInput) -> S3Result<DeleteObjectsOutput> {
    let Delete { objects, quiet } = input.delete;
    if objects.is_empty() || objects.len() > 1000 {
        let message = "The XML you provided was not well-formed or did not validate against our published schema";
        return Err(s3_error!(MalformedXML, "{message}"));
    }
    store.require_bucket(&input.bucket)?;
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for object in objects {
        let matches = object.e_tag.map(ETagCondition::ETag);
        let conditions = Conditions { matches, ..Conditions::default() };
        let done = unversioned(object.version_id.as_deref())
            .and_then(|()| store.delete(&input.bucket, &object.key, |old| conditions.check_write(old)));
        match done {
            Ok(()) => deleted.push(DeletedObject { key: Some(object.key), ..DeletedObject::default() }),
            Err(error) => errors.push(not_deleted(object.key, &error)),
        }
    }
    let shown = (!quiet.unwrap_or(false)).then_some(deleted);
    let errors = (!errors.is_empty()).then_some(errors);
    Ok(DeleteObjectsOutput { deleted: shown, errors, request_charged: None })
}

fn not_deleted(key: String, error: &S3Error) -> Error {
    Error {
        key: Some(key),
        code: Some(error.code().as_str().to_owned()),
        message: error.message().map(str::to_owned),
        version_id: None,
    }
}

/// The encoding of the object itself: `aws-chunked` was that of the request.
fn stored_encoding(header: &str) -> Option<String> {
    let kept: Vec<_> = header.split(',').map(str::trim).filter(|name| *name != "aws-chunked").collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

/// What the beginner of an object of parts says of it.
pub(super) fn described(input: &CreateMultipartUploadInput) -> S3Result<Description> {
    Ok(Description {
        content_type: input.content_type.clone().or_else(|| Some("binary/octet-stream".to_owned())),
        content_disposition: input.content_disposition.clone(),
        content_encoding: input.content_encoding.as_deref().and_then(stored_encoding),
        content_language: input.content_language.clone(),
        cache_control: input.cache_control.clone(),
        expires: input.expires.clone(),
        metadata: user_metadata(input.metadata.clone())?,
        tags: input.tagging.as_deref().map(tags::from_header).transpose()?.unwrap_or_default(),
        checksum: None,
    })
}

fn user_metadata(metadata: Option<Metadata>) -> S3Result<std::collections::BTreeMap<String, String>> {
    let metadata = metadata.unwrap_or_default();
    if metadata.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > METADATA {
        return Err(s3_error!(MetadataTooLarge, "Your metadata headers exceed the maximum allowed metadata size"));
    }
    Ok(metadata.into_iter().collect())
}
