//! What clients keep about a user for themselves.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::error::FieldError;
use crate::field::{Field, Pointer};
use crate::json::read_json;

/// A JSON object of the client's own, at most 8 KiB; its numbers keep their digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub struct Metadata(String);

impl Metadata {
    /// Returns this member and no others, if it is there.
    #[must_use]
    pub fn only(&self, member: &str) -> Option<Self> {
        let value = self.show().get_mut(member)?.take();
        Some(Self(Value::Object([(member.to_owned(), value)].into_iter().collect()).to_string()))
    }
}

impl Field for Metadata {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        if !value.is_object() {
            errors.push(at.error("invalid_type", "must be a JSON object"));
            return None;
        }
        let object = value.to_string();
        if object.len() > 8 * 1024 {
            errors.push(at.error("too_long", "must be at most 8 KiB of JSON"));
            return None;
        }
        Some(Self(object))
    }

    fn show(&self) -> Value {
        read_json(self.0.as_bytes()).unwrap_or_default()
    }

    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(AdditionalProperties::FreeForm(true)))
            .examples([serde_json::json!({ "plan": "gold" })])
            .into()
    }
}
