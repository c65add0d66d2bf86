//! An upload that was just begun, with how to send its file.

use domain::field::described;
use domain::{Field as _, Object, Time, Upload};
use files::Presigned;
use serde_json::{Map, Value, json};
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// An upload, and the request that sends its file.
pub(crate) struct NewUpload {
    pub(crate) upload: Upload,
    pub(crate) put: Presigned,
    /// When the request ends.
    pub(crate) expires_at: Time,
}

impl Object for NewUpload {
    fn version(&self) -> u64 {
        self.upload.version()
    }

    fn show(&self) -> Value {
        let mut shown = self.upload.show();
        let headers: Map<_, _> =
            self.put.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        if let Some(object) = shown.as_object_mut() {
            object.insert("method".to_owned(), self.put.method.as_str().into());
            object.insert("url".to_owned(), self.put.url.as_str().into());
            object.insert("headers".to_owned(), headers.into());
            object.insert("expires_at".to_owned(), self.expires_at.show());
        }
        shown
    }
}

impl PartialSchema for NewUpload {
    fn schema() -> RefOr<Schema> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let headers = ObjectBuilder::new()
            .additional_properties(Some(AdditionalProperties::RefOr(text().into())))
            .examples([json!({ "content-type": "application/pdf", "content-length": "52417" })])
            .description(Some("To be sent as they are; a browser sends `content-length` by itself."));
        let method = text().enum_values(Some(["PUT"])).description(Some("The method that sends the file."));
        let url =
            text().description(Some("The URL that takes the file. It works without a credential: keep it secret."));
        let url = url.examples([json!("https://files.example.com/quarantine/0199d2a4?X-Amz-Signature=0a1b2c")]);
        let expires_at = described(Time::response_schema(), "Time until which the URL works.");
        let more =
            [("method", method.into()), ("url", url.into()), ("headers", headers.into()), ("expires_at", expires_at)];
        more.into_iter().fold(Upload::schema(), |schema, (name, property)| edge::openapi::with(schema, name, property))
    }
}

impl ToSchema for NewUpload {}
