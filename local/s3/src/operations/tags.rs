//! Tags of objects, and S3's limits on them.

use std::collections::HashSet;

use s3s::dto::Tag;
use s3s::{S3Result, s3_error};

pub(super) type Tags = Vec<(String, String)>;

/// From the `x-amz-tagging` header, which is written like a query.
pub(super) fn from_header(text: &str) -> S3Result<Tags> {
    check(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
}

pub(super) fn from_set(set: Vec<Tag>) -> S3Result<Tags> {
    check(set.into_iter().map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect())
}

pub(super) fn to_set(tags: Tags) -> Vec<Tag> {
    tags.into_iter().map(|(key, value)| Tag { key: Some(key), value: Some(value) }).collect()
}

fn check(tags: Tags) -> S3Result<Tags> {
    if tags.len() > 10 {
        return Err(s3_error!(InvalidTag, "Object tags cannot be greater than 10"));
    }
    let mut keys = HashSet::new();
    for (key, value) in &tags {
        if key.is_empty() || key.chars().count() > 128 {
            return Err(s3_error!(InvalidTag, "The TagKey you have provided is invalid"));
        }
        if value.chars().count() > 256 {
            return Err(s3_error!(InvalidTag, "The TagValue you have provided is invalid"));
        }
        if !keys.insert(key) {
            return Err(s3_error!(InvalidTag, "Cannot provide multiple Tags with the same key"));
        }
    }
    Ok(tags)
}
