//! The operations, as `s3s` calls them.

mod conditions;
mod list;
mod parts;
mod read;
mod tags;
mod write;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};

use crate::cors::CorsRule;
use crate::{Shared, cors};

/// The emulated operations; all others answer `NotImplemented`, which is the trait's default.
pub(crate) struct Operations {
    pub(crate) shared: Arc<Shared>,
}

#[async_trait::async_trait]
impl S3 for Operations {
    async fn create_bucket(&self, req: S3Request<CreateBucketInput>) -> S3Result<S3Response<CreateBucketOutput>> {
        let wanted = req.input.create_bucket_configuration.and_then(|wanted| wanted.location_constraint);
        let region = &self.shared.options.region;
        if wanted.is_some_and(|wanted| wanted.as_str() != region) {
            let message =
                "The location constraint is incompatible for the region specific endpoint this request was sent to.";
            return Err(s3_error!(IllegalLocationConstraintException, "{message}"));
        }
        if !self.shared.store.create_bucket(&req.input.bucket)? {
            let message = "Your previous request to create the named bucket succeeded and you already own it.";
            return Err(s3_error!(BucketAlreadyOwnedByYou, "{message}"));
        }
        let location = Some(format!("/{}", req.input.bucket));
        Ok(S3Response::new(CreateBucketOutput { location }))
    }

    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        self.shared.store.require_bucket(&req.input.bucket)?;
        let bucket_region = Some(self.shared.options.region.clone());
        Ok(S3Response::new(HeadBucketOutput { bucket_region, ..HeadBucketOutput::default() }))
    }

    async fn put_bucket_cors(&self, req: S3Request<PutBucketCorsInput>) -> S3Result<S3Response<PutBucketCorsOutput>> {
        let rules: Vec<_> = req.input.cors_configuration.cors_rules.into_iter().map(CorsRule::from).collect();
        cors::check(&rules)?;
        self.shared.store.set_cors(&req.input.bucket, &rules)?;
        Ok(S3Response::new(PutBucketCorsOutput::default()))
    }

    async fn get_bucket_cors(&self, req: S3Request<GetBucketCorsInput>) -> S3Result<S3Response<GetBucketCorsOutput>> {
        let rules = self.shared.store.cors(&req.input.bucket)?;
        if rules.is_empty() {
            return Err(s3_error!(NoSuchCORSConfiguration, "The CORS configuration does not exist"));
        }
        let cors_rules = Some(rules.into_iter().map(CORSRule::from).collect());
        Ok(S3Response::new(GetBucketCorsOutput { cors_rules }))
    }

    async fn put_object(&self, req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        write::put(&self.shared, req).await.map(S3Response::new)
    }

    /// A form would pass by the checks of signed headers: it has none.
    async fn post_object(&self, _: S3Request<PostObjectInput>) -> S3Result<S3Response<PostObjectOutput>> {
        Err(s3_error!(NotImplemented, "The local S3 does not emulate uploads by HTML forms"))
    }

    async fn copy_object(&self, req: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
        write::copy(&self.shared, req).map(S3Response::new)
    }

    async fn get_object(&self, req: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        read::get(&self.shared.store, req.input).await.map(S3Response::new)
    }

    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        read::head(&self.shared.store, req.input).map(S3Response::new)
    }

    async fn delete_object(&self, req: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        write::delete(&self.shared.store, &req.input).map(S3Response::new)
    }

    async fn delete_objects(&self, req: S3Request<DeleteObjectsInput>) -> S3Result<S3Response<DeleteObjectsOutput>> {
        write::delete_many(&self.shared.store, req.input).map(S3Response::new)
    }

    async fn list_objects_v2(&self, req: S3Request<ListObjectsV2Input>) -> S3Result<S3Response<ListObjectsV2Output>> {
        list::list(&self.shared.store, req.input).map(S3Response::new)
    }

    async fn create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        parts::begin(&self.shared, req).map(S3Response::new)
    }

    async fn upload_part(&self, req: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        parts::put(&self.shared, req).await.map(S3Response::new)
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        parts::complete(&self.shared, req).await.map(S3Response::new)
    }

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        parts::abort(&self.shared, &req).map(S3Response::new)
    }

    async fn put_object_tagging(
        &self,
        req: S3Request<PutObjectTaggingInput>,
    ) -> S3Result<S3Response<PutObjectTaggingOutput>> {
        let input = req.input;
        unversioned(input.version_id.as_deref())?;
        let tags = tags::from_set(input.tagging.tag_set)?;
        self.shared.store.describe(&input.bucket, &input.key, |description| description.tags = tags)?;
        Ok(S3Response::new(PutObjectTaggingOutput::default()))
    }

    async fn get_object_tagging(
        &self,
        req: S3Request<GetObjectTaggingInput>,
    ) -> S3Result<S3Response<GetObjectTaggingOutput>> {
        unversioned(req.input.version_id.as_deref())?;
        let object = self.shared.store.object(&req.input.bucket, &req.input.key)?;
        let tag_set = tags::to_set(object.description.tags);
        Ok(S3Response::new(GetObjectTaggingOutput { tag_set, version_id: None }))
    }
}

/// Buckets here have no versions, so that a named one cannot exist.
fn unversioned(version: Option<&str>) -> S3Result<()> {
    match version {
        None | Some("null") => Ok(()),
        Some(_) => Err(s3_error!(NoSuchVersion, "The specified version does not exist.")),
    }
}

/// The present, in milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "an emulator has the clock of the machine that it stands on")]
fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

/// Milliseconds since 1970, as `s3s` writes times.
pub(crate) fn time(milliseconds: i64) -> Timestamp {
    let elapsed = Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0));
    Timestamp::from(UNIX_EPOCH + elapsed)
}

impl From<CORSRule> for CorsRule {
    fn from(rule: CORSRule) -> Self {
        Self {
            id: rule.id,
            allowed_origins: rule.allowed_origins,
            allowed_methods: rule.allowed_methods,
            allowed_headers: rule.allowed_headers.unwrap_or_default(),
            expose_headers: rule.expose_headers.unwrap_or_default(),
            max_age_seconds: rule.max_age_seconds,
        }
    }
}

impl From<CorsRule> for CORSRule {
    fn from(rule: CorsRule) -> Self {
        let list = |names: Vec<String>| (!names.is_empty()).then_some(names);
        Self {
            id: rule.id,
            allowed_origins: rule.allowed_origins,
            allowed_methods: rule.allowed_methods,
            allowed_headers: list(rule.allowed_headers),
            expose_headers: list(rule.expose_headers),
            max_age_seconds: rule.max_age_seconds,
        }
    }
}
