//! `ListObjectsV2`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use s3s::dto::*;
use s3s::{S3Result, s3_error};

use super::conditions::etag;
use super::time;
use crate::event::encoded;
use crate::store::{self, Store};

/// A page holds no more, whatever is asked.
const LARGEST_PAGE: i32 = 1000;

pub(super) fn list(store: &Store, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
    let most = input.max_keys.unwrap_or(LARGEST_PAGE);
    let limit = usize::try_from(most.min(LARGEST_PAGE))
        .map_err(|_| s3_error!(InvalidArgument, "Argument maxKeys must be an integer between 0 and 2147483647"))?;
    let delimiter = input.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty());
    let mut page = Page {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter,
        after: input.continuation_token.as_deref().map(read_token).transpose()?.unwrap_or_default(),
        limit,
        last: String::new(),
        objects: Vec::new(),
        prefixes: Vec::new(),
        truncated: false,
    };
    let start = input.start_after.clone().unwrap_or_default().max(page.after.clone());
    let prefix = page.prefix.clone();
    store.each_object(&input.bucket, (&start, &prefix), |key, object| page.take(key, &object))?;
    let next = page.truncated.then(|| URL_SAFE_NO_PAD.encode(&page.last));
    let url = input.encoding_type.as_ref().is_some_and(|encoding| encoding.as_str() == EncodingType::URL);
    let written = |text: String| if url { encoded(&text) } else { text };
    let count = page.objects.len() + page.prefixes.len();
    let objects = page.objects.into_iter().map(|object| Object { key: object.key.map(written), ..object });
    let prefixes = page.prefixes.into_iter().map(|prefix| CommonPrefix { prefix: Some(written(prefix)) });
    Ok(ListObjectsV2Output {
        key_count: i32::try_from(count).ok(),
        is_truncated: Some(page.truncated),
        next_continuation_token: next,
        contents: Some(objects.collect()),
        common_prefixes: Some(prefixes.collect()),
        name: Some(input.bucket),
        max_keys: Some(most),
        prefix: Some(written(prefix)),
        delimiter: input.delimiter.map(written),
        start_after: input.start_after.map(written),
        continuation_token: input.continuation_token,
        encoding_type: input.encoding_type,
        ..ListObjectsV2Output::default()
    })
}

/// A page as it fills.
struct Page<'a> {
    prefix: String,
    delimiter: Option<&'a str>,
    /// The last entry, key or common prefix, of the page before.
    after: String,
    limit: usize,
    last: String,
    objects: Vec<Object>,
    prefixes: Vec<String>,
    truncated: bool,
}

impl Page<'_> {
    /// Adds the next key; false when no further one can belong to the page.
    fn take(&mut self, key: String, object: &store::Object) -> bool {
        let Some(rest) = key.strip_prefix(&self.prefix) else { return false };
        let folder = self.delimiter.and_then(|delimiter| {
            let end = rest.find(delimiter)? + delimiter.len();
            key.get(..self.prefix.len() + end)
        });
        let entry = folder.unwrap_or(&key);
        let repeated = folder.is_some() && self.prefixes.last().is_some_and(|last| last == entry);
        // The folder that ended the page before has further keys, which are no news.
        if repeated || (!self.after.is_empty() && entry <= self.after.as_str()) {
            return true;
        }
        if self.objects.len() + self.prefixes.len() >= self.limit {
            self.truncated = self.limit > 0;
            return false;
        }
        entry.clone_into(&mut self.last);
        if folder.is_some() {
            self.prefixes.push(self.last.clone());
        } else {
            self.objects.push(listed(key, object));
        }
        true
    }
}

fn listed(key: String, object: &store::Object) -> Object {
    let algorithm = object.description.checksum.as_ref().map(|checksum| checksum.algorithm.name());
    Object {
        key: Some(key),
        size: i64::try_from(object.size).ok(),
        e_tag: Some(etag(object)),
        last_modified: Some(time(object.modified)),
        checksum_algorithm: algorithm.map(|name| vec![ChecksumAlgorithm::from_static(name)]),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        ..Object::default()
    }
}

fn read_token(token: &str) -> S3Result<String> {
    let read = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    read.ok_or_else(|| s3_error!(InvalidArgument, "The continuation token provided is incorrect"))
}
