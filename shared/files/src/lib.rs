//! The files of users, in one Amazon S3 bucket: presigned URLs for browsers, and the few operations of our own.
//!
//! A file arrives under a quarantine key, is checked there, and is copied to a clean key. Clients never name a key:
//! an [`ObjectKey`] is made of ids alone.

mod disposition;
mod key;
mod parts;

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{BoxError, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::types::ChecksumMode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

pub use key::ObjectKey;
pub use parts::{LEAST_PART, Part};

/// The bucket of files.
#[derive(Debug, Clone)]
pub struct Files {
    client: Client,
    bucket: String,
}

/// A request that its receiver may send to S3 once or often until it expires, exactly as it stands here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presigned {
    /// The HTTP method.
    pub method: String,
    /// The address, which contains the signature: whoever has it may send the request.
    pub url: String,
    /// The headers to send, as they are among what was signed.
    pub headers: Vec<(String, String)>,
}

/// What S3 knows of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// In bytes.
    pub size: u64,
    /// Names this content; another upload to the same key gets another one.
    pub etag: String,
    /// As the uploader declared it, which proves nothing.
    pub content_type: Option<String>,
    /// The SHA-256 that S3 verified, when the upload declared one.
    pub sha256: Option<[u8; 32]>,
}

/// Why a file operation failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such object.
    #[error("there is no such file")]
    NotFound,
    /// Another upload has replaced the object, or one is there already where none may be.
    #[error("the file has changed")]
    Changed,
    /// The request cannot be made: a lifetime over a week, a content type that is no header value.
    #[error("the file request is not valid")]
    Invalid(#[source] BoxError),
    /// S3 failed or cannot be reached.
    #[error("the file store is not available")]
    Unavailable(#[source] BoxError),
}

impl Files {
    /// The files in `bucket`.
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self { client, bucket: bucket.into() }
    }

    /// A request that stores one object of exactly this size, type and, if given, content.
    ///
    /// Length, type and checksum are signed, so S3 refuses any other.
    pub async fn presign_put(
        &self,
        key: &ObjectKey,
        content_type: &str,
        size: u64,
        sha256: Option<&[u8; 32]>,
        lifetime: Duration,
    ) -> Result<Presigned, Error> {
        let request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key.as_str())
            .content_type(content_type)
            .content_length(i64::try_from(size).map_err(invalid)?)
            .set_checksum_sha256(sha256.map(|digest| STANDARD.encode(digest)));
        let request = request.presigned(expiring(lifetime)?).await.map_err(invalid)?;
        Ok(Presigned::from(&request))
    }

    /// A request that downloads the object under the name `display_name`.
    ///
    /// Always as an attachment: a browser that showed an uploaded page would run it in the bucket's origin.
    pub async fn presign_get(
        &self,
        key: &ObjectKey,
        display_name: &str,
        lifetime: Duration,
    ) -> Result<Presigned, Error> {
        let request = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key.as_str())
            .response_content_disposition(disposition::attachment(display_name));
        let request = request.presigned(expiring(lifetime)?).await.map_err(invalid)?;
        Ok(Presigned::from(&request))
    }

    /// Stores an object that a client has sent to us; S3 verifies the checksum, and keeps it.
    pub async fn receive(
        &self,
        key: &ObjectKey,
        content_type: &str,
        sha256: &[u8; 32],
        bytes: Vec<u8>,
    ) -> Result<(), Error> {
        let request = self.client.put_object().bucket(&self.bucket).key(key.as_str()).content_type(content_type);
        request.checksum_sha256(STANDARD.encode(sha256)).body(bytes.into()).send().await.map_err(failed)?;
        Ok(())
    }

    /// What S3 knows of the object.
    pub async fn head(&self, key: &ObjectKey) -> Result<Head, Error> {
        let request = self.client.head_object().bucket(&self.bucket).key(key.as_str());
        let head = request.checksum_mode(ChecksumMode::Enabled).send().await.map_err(failed)?;
        Ok(Head {
            size: head.content_length().and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
            etag: head.e_tag().unwrap_or_default().to_owned(),
            content_type: head.content_type().map(str::to_owned),
            sha256: head.checksum_sha256().and_then(|text| STANDARD.decode(text).ok()?.try_into().ok()),
        })
    }

    /// Shows `see` the bytes of the object that has this `etag`, piece by piece: the first `most`, or all of them.
    pub async fn read(
        &self,
        key: &ObjectKey,
        etag: &str,
        most: Option<u64>,
        see: impl FnMut(&[u8]),
    ) -> Result<(), Error> {
        let range = most.map(|most| format!("bytes=0-{}", most.saturating_sub(1)));
        self.seen(key, etag, range, see).await
    }

    /// Shows `see` the bytes from `from` to before `to` of the object that has this `etag`, piece by piece.
    pub async fn read_between(
        &self,
        key: &ObjectKey,
        etag: &str,
        (from, to): (u64, u64),
        see: impl FnMut(&[u8]),
    ) -> Result<(), Error> {
        if from >= to {
            return Ok(());
        }
        self.seen(key, etag, Some(format!("bytes={from}-{}", to - 1)), see).await
    }

    async fn seen(
        &self,
        key: &ObjectKey,
        etag: &str,
        range: Option<String>,
        mut see: impl FnMut(&[u8]),
    ) -> Result<(), Error> {
        let request = self.client.get_object().bucket(&self.bucket).key(key.as_str()).if_match(etag);
        let mut body = request.set_range(range).send().await.map_err(failed)?.body;
        while let Some(bytes) = body.try_next().await.map_err(|error| Error::Unavailable(error.into()))? {
            see(&bytes);
        }
        Ok(())
    }

    /// The value of one of the object's tags.
    pub async fn tag(&self, key: &ObjectKey, name: &str) -> Result<Option<String>, Error> {
        let request = self.client.get_object_tagging().bucket(&self.bucket).key(key.as_str());
        let tags = request.send().await.map_err(failed)?.tag_set;
        Ok(tags.into_iter().find(|tag| tag.key() == name).map(|tag| tag.value))
    }

    /// Copies the object that has this `etag`, with its type and checksum, to where nothing is yet.
    ///
    /// The tag is that of what was checked: an upload URL can be used again until it expires. For the same reason a
    /// copy that is there stays, or a second check would replace what the first one has accepted.
    ///
    /// # Errors
    /// [`Error::Changed`] where the object has another `etag` by now, or `to` is there.
    pub async fn copy(&self, from: &ObjectKey, etag: &str, to: &ObjectKey) -> Result<(), Error> {
        // Bucket names and keys of ids have no character that a copy source would have to escape.
        let source = format!("{}/{}", self.bucket, from.as_str());
        let request = self.client.copy_object().bucket(&self.bucket).key(to.as_str()).if_none_match("*");
        request.copy_source(source).copy_source_if_match(etag).send().await.map_err(failed)?;
        Ok(())
    }

    /// Deletes all that there may be of an upload, under either key.
    ///
    /// What still arrives for it after its row has gone is deleted on arrival.
    pub async fn erase(&self, upload: Uuid) -> Result<(), Error> {
        // In this order, no copy can begin in between.
        self.delete(&ObjectKey::quarantine(upload)).await?;
        self.delete(&ObjectKey::clean(upload)).await
    }

    /// Deletes an object; one that is not there is as good as deleted.
    pub async fn delete(&self, key: &ObjectKey) -> Result<(), Error> {
        let request = self.client.delete_object().bucket(&self.bucket).key(key.as_str());
        request.send().await.map_err(failed)?;
        Ok(())
    }
}

impl From<Error> for domain::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(cause) => Self::Internal(cause),
            // Whoever can tell what these mean has told it before.
            Error::NotFound | Error::Changed => Self::Unavailable(error.into()),
            Error::Unavailable(cause) => Self::Unavailable(cause),
        }
    }
}

impl From<&PresignedRequest> for Presigned {
    fn from(request: &PresignedRequest) -> Self {
        Self {
            method: request.method().to_owned(),
            url: request.uri().to_owned(),
            headers: request.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        }
    }
}

fn expiring(lifetime: Duration) -> Result<PresigningConfig, Error> {
    PresigningConfig::expires_in(lifetime).map_err(invalid)
}

fn invalid(source: impl Into<BoxError>) -> Error {
    Error::Invalid(source.into())
}

fn failed<E, R>(error: SdkError<E, R>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match error.code() {
        // A HEAD has no body to carry `NoSuchKey`, the SDK names its 404 `NotFound`.
        Some("NoSuchKey" | "NotFound" | "NoSuchUpload") => Error::NotFound,
        // The second is S3's word for two conditional writes at once.
        Some("PreconditionFailed" | "ConditionalRequestConflict") => Error::Changed,
        Some(_) | None => Error::Unavailable(error.into()),
    }
}
