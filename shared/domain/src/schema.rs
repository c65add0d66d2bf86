//! Schemas of the OpenAPI document.

use serde_json::Value;
use utoipa::PartialSchema;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::body::Body;
use crate::clock::Time;

/// A value's schema, or `null`.
pub(crate) fn nullable(schema: RefOr<Schema>) -> RefOr<Schema> {
    OneOfBuilder::new().item(ObjectBuilder::new().schema_type(Type::Null)).item(schema).into()
}

/// The schema of an object that takes no other field than these.
#[must_use]
pub fn object_schema(
    description: &str,
    example: Option<Value>,
    fields: Vec<(&'static str, &'static str, bool, RefOr<Schema>)>,
) -> RefOr<Schema> {
    let mut object = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(description.trim()))
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        .examples(example);
    for (name, doc, required, schema) in fields {
        object = object.property(name, described(schema, doc.trim()));
        if required {
            object = object.required(name);
        }
    }
    object.into()
}

/// The schema of an object as clients see it: the fields that can be written, between those that Muster writes.
#[must_use]
pub fn shown_schema<T: Body>(before: Vec<(&'static str, RefOr<Schema>)>) -> RefOr<Schema> {
    let mut shown = ObjectBuilder::new().schema_type(Type::Object);
    for (name, schema) in before {
        shown = shown.property(name, schema).required(name);
    }
    if let RefOr::T(Schema::Object(fields)) = T::schema() {
        for (name, schema) in fields.properties {
            shown = shown.property(&name, schema).required(name);
        }
    }
    let version =
        ObjectBuilder::new().schema_type(Type::Integer).description(Some("Counts the changes; it is the `ETag`."));
    let time = <Time as PartialSchema>::schema;
    shown = shown.property("version", version).property("created_at", time()).property("updated_at", time());
    ["version", "created_at", "updated_at"].into_iter().fold(shown, ObjectBuilder::required).into()
}

fn described(mut schema: RefOr<Schema>, doc: &str) -> RefOr<Schema> {
    if let RefOr::T(Schema::Object(object)) = &mut schema {
        object.description = Some(doc.to_owned());
    }
    if let RefOr::T(Schema::OneOf(one_of)) = &mut schema {
        one_of.description = Some(doc.to_owned());
    }
    schema
}
