//! Taking in the content of an upload, verified before anyone can see it.

use http_body_util::BodyExt as _;
use hyper::StatusCode;
use hyper::header::HeaderMap;
use s3s::dto::StreamingBlob;
use s3s::{Body, S3Error, S3Result, StdError, TrailingHeaders, s3_error};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt as _;

use crate::digest::{Checksum, Declared, hex};
use crate::error::{Internal as _, unlisted};
use crate::store::Store;

/// The most that one request may store.
const LARGEST: u64 = 5 * 1024 * 1024 * 1024;

/// An upload that arrived whole and is what it said.
pub(crate) struct Received {
    pub(crate) content: NamedTempFile,
    pub(crate) size: u64,
    /// In hexadecimal.
    pub(crate) md5: String,
    /// In hexadecimal.
    pub(crate) sha256: String,
    pub(crate) checksum: Checksum,
}

/// An upload about to arrive.
pub(crate) struct Upload<'a> {
    pub(crate) body: Option<StreamingBlob>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) trailers: Option<TrailingHeaders>,
    /// Without the framing of `aws-chunked`.
    pub(crate) length: Option<i64>,
}

/// Writes the upload to a file of its own, which goes away unless it is complete and correct.
pub(crate) async fn receive(store: &Store, upload: Upload<'_>) -> S3Result<Received> {
    let declared = Declared::read(upload.headers)?;
    let length = upload.length.and_then(|length| u64::try_from(length).ok());
    let missing = || s3_error!(MissingContentLength, "You must provide the Content-Length HTTP header.");
    let length = length.ok_or_else(missing)?;
    if length > LARGEST {
        return Err(s3_error!(EntityTooLarge, "Your proposed upload exceeds the maximum allowed size"));
    }
    let content = store.incoming().internal()?;
    let mut file = tokio::fs::File::from_std(content.reopen().internal()?);
    let mut digests = declared.digests();
    let mut size = 0;
    let mut body = upload.body.map_or_else(Body::empty, Body::from);
    while let Some(frame) = body.frame().await {
        let Ok(bytes) = frame.map_err(|error| broken(&error))?.into_data() else { continue };
        size += u64::try_from(bytes.len()).internal()?;
        if size > length {
            return Err(incomplete());
        }
        digests.update(&bytes);
        file.write_all(&bytes).await.internal()?;
    }
    if size != length {
        return Err(incomplete());
    }
    file.flush().await.internal()?;
    let found = digests.finish()?;
    let trailers = upload.trailers.and_then(|trailers| trailers.take());
    declared.verify(&found, trailers.as_ref())?;
    let (md5, sha256) = (hex(&found.md5), hex(&found.sha256));
    Ok(Received { content, size, md5, sha256, checksum: found.checksum })
}

fn incomplete() -> S3Error {
    s3_error!(IncompleteBody, "You did not provide the number of bytes specified by the Content-Length HTTP header")
}

/// Why reading the body failed. The error types are private to `s3s`, which is pinned, so their texts stand for them.
fn broken(error: &StdError) -> S3Error {
    match error.to_string().as_str() {
        "UploadStreamError: Sha256Mismatch" => unlisted(
            "XAmzContentSHA256Mismatch",
            StatusCode::BAD_REQUEST,
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        ),
        "AwsChunkedStreamError: SignatureMismatch" => s3_error!(
            SignatureDoesNotMatch,
            "The request signature we calculated does not match the signature you provided. Check your key and signing method."
        ),
        _ => incomplete(),
    }
}
