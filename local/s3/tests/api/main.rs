//! The local S3 as its clients see it: the real SDK, the `files` crate, and a browser's bare requests.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on should panic where it is")]

mod buckets;
mod checksums;
mod cors;
mod durability;
mod events;
mod files;
mod listing;
mod objects;
mod parts;
mod presigned;
mod support;
