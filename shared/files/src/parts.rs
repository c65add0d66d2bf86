//! Objects that we write ourselves: at once where they are small, else in parts, so that none is ever held as a whole.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier};

use crate::key::ObjectKey;
use crate::{Error, Files, failed};

/// S3 takes no smaller part but the last one.
pub const LEAST_PART: usize = 5 * 1024 * 1024;

/// A part that S3 has: its tag and its checksum.
pub type Part = (String, Option<String>);

impl Files {
    /// Writes a small object, whatever is there.
    pub async fn put(&self, key: &ObjectKey, content_type: &str, bytes: Vec<u8>) -> Result<(), Error> {
        let request = self.client.put_object().bucket(&self.bucket).key(key.as_str()).content_type(content_type);
        request.body(ByteStream::from(bytes)).send().await.map_err(failed)?;
        Ok(())
    }

    /// A small object of our own, as a whole.
    pub async fn get(&self, key: &ObjectKey) -> Result<Vec<u8>, Error> {
        let found = self.client.get_object().bucket(&self.bucket).key(key.as_str()).send().await.map_err(failed)?;
        let bytes = found.body.collect().await.map_err(|error| Error::Unavailable(error.into()))?;
        Ok(bytes.to_vec())
    }

    /// Begins an object of parts: what S3 calls it until it is complete. One that stays incomplete S3 deletes itself.
    pub async fn begin_parts(&self, key: &ObjectKey, content_type: &str) -> Result<String, Error> {
        let request = self.client.create_multipart_upload().bucket(&self.bucket).key(key.as_str());
        let begun = request.content_type(content_type).checksum_algorithm(ChecksumAlgorithm::Crc32).send().await;
        let name = begun.map_err(failed)?.upload_id;
        name.ok_or_else(|| Error::Unavailable("S3 has begun an object of parts without a name".into()))
    }

    /// Sends the `nth` part, from 1; one that is there is replaced.
    pub async fn put_part(&self, key: &ObjectKey, (upload, nth): (&str, usize), bytes: Vec<u8>) -> Result<Part, Error> {
        let request = self.client.upload_part().bucket(&self.bucket).key(key.as_str()).upload_id(upload);
        let request = request.part_number(numbered(nth)).checksum_algorithm(ChecksumAlgorithm::Crc32);
        let sent = request.body(ByteStream::from(bytes)).send().await.map_err(failed)?;
        Ok((sent.e_tag.unwrap_or_default(), sent.checksum_crc32))
    }

    /// Makes the object of its parts.
    pub async fn complete_parts(&self, key: &ObjectKey, upload: &str, parts: &[Part]) -> Result<(), Error> {
        let parts = parts.iter().enumerate().map(|(nth, (tag, sum))| {
            CompletedPart::builder().part_number(numbered(nth + 1)).e_tag(tag).set_checksum_crc32(sum.clone()).build()
        });
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
        let request = self.client.complete_multipart_upload().bucket(&self.bucket).key(key.as_str());
        request.upload_id(upload).multipart_upload(parts).send().await.map_err(failed)?;
        Ok(())
    }

    /// Deletes all that there is of an import.
    pub async fn erase_import(&self, import: uuid::Uuid) -> Result<(), Error> {
        self.delete(&ObjectKey::report(import)).await?;
        self.erase_rows(import).await
    }

    /// Deletes what an import needed only while it ran.
    pub async fn erase_rows(&self, import: uuid::Uuid) -> Result<(), Error> {
        let prefix = ObjectKey::of_import(import);
        loop {
            let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(&prefix);
            let listed = request.send().await.map_err(failed)?.contents.unwrap_or_default();
            let keys =
                listed.into_iter().filter_map(|object| ObjectIdentifier::builder().key(object.key?).build().ok());
            let keys: Vec<_> = keys.collect();
            if keys.is_empty() {
                return Ok(());
            }
            let keys = Delete::builder().set_objects(Some(keys)).quiet(true).build();
            let keys = keys.map_err(|error| Error::Invalid(error.into()))?;
            let deleted =
                self.client.delete_objects().bucket(&self.bucket).delete(keys).send().await.map_err(failed)?;
            if !deleted.errors().is_empty() {
                return Err(Error::Unavailable("S3 did not delete all that it was told to".into()));
            }
        }
    }
}

fn numbered(nth: usize) -> i32 {
    i32::try_from(nth).unwrap_or(i32::MAX)
}
