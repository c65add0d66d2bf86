//! Schemas of the OpenAPI document.
//!
//! A schema with a title becomes a component of that name, to which each use of it refers; see [`named`].

use serde_json::Value;
use utoipa::PartialSchema;
use utoipa::openapi::schema::{AdditionalProperties, AllOfBuilder, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::body::Body;
use crate::clock::Time;

/// A property of an object: its name, its description, whether it is required, and its schema.
pub type Property = (&'static str, &'static str, bool, RefOr<Schema>);

/// Returns the schema of a value, or `null`; every nullable value of the document has this form.
#[must_use]
pub fn nullable(schema: RefOr<Schema>) -> RefOr<Schema> {
    OneOfBuilder::new().item(schema).item(ObjectBuilder::new().schema_type(Type::Null)).into()
}

/// Returns the schema of a value that need not be sent, with its default.
///
/// The default is in the inner schema: generators of clients take a property for required that has one itself.
pub(crate) fn with_default(mut schema: RefOr<Schema>, default: Value) -> RefOr<Schema> {
    let words = match &default {
        Value::Object(fields) if !fields.is_empty() => String::new(),
        Value::Object(_) | Value::Array(_) | Value::Null => "Default: empty.".to_owned(),
        Value::String(_) | Value::Number(_) | Value::Bool(_) => format!("Default `{}`.", text_of(&default)),
    };
    if default.is_string() || default.is_boolean() || default.is_number() {
        schema = match schema {
            // The component is shared with values that have no default.
            RefOr::T(Schema::Object(object)) if object.title.is_some() => {
                let whole = RefOr::T(Schema::Object(object));
                AllOfBuilder::new().item(whole).default(Some(default)).into()
            }
            RefOr::T(Schema::Object(mut object)) => {
                object.default = Some(default);
                object.into()
            }
            other @ (RefOr::T(_) | RefOr::Ref(_)) => other,
        };
    }
    let own = take_description(&mut schema);
    let words = [own, Some(words)].into_iter().flatten().filter(|words| !words.is_empty()).collect::<Vec<_>>();
    describe(nullable(schema), &words.join(" "))
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Names a schema: it becomes a component that each use of it refers to.
#[must_use]
pub fn named(mut schema: RefOr<Schema>, name: &str) -> RefOr<Schema> {
    if let RefOr::T(schema) = &mut schema
        && let Some(title) = title_mut(schema)
    {
        *title = Some(name.to_owned());
    }
    schema
}

/// Returns the schema of an object that takes no other field than these.
#[must_use]
pub fn object_schema(description: &str, example: Option<Value>, fields: Vec<Property>) -> RefOr<Schema> {
    let object = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(description.trim()))
        .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        .examples(example);
    with_properties(object, fields)
}

/// Returns the schema of an object as clients see it: each field is there, and later versions may add others.
#[must_use]
pub fn response_object(description: &str, example: Option<Value>, fields: Vec<Property>) -> RefOr<Schema> {
    let object = ObjectBuilder::new().schema_type(Type::Object).description(Some(description.trim())).examples(example);
    with_properties(object, fields.into_iter().map(|(name, doc, _, schema)| (name, doc, true, schema)).collect())
}

/// Returns the schema of an object that may have other fields than these.
#[must_use]
pub fn open_object(description: &str, fields: Vec<Property>) -> RefOr<Schema> {
    with_properties(ObjectBuilder::new().schema_type(Type::Object).description(Some(description.trim())), fields)
}

fn with_properties(object: ObjectBuilder, fields: Vec<Property>) -> RefOr<Schema> {
    let with = |object: ObjectBuilder, (name, doc, required, schema): Property| {
        let object = object.property(name, described(schema, doc));
        if required { object.required(name) } else { object }
    };
    fields.into_iter().fold(object, with).into()
}

/// Returns the schema of an object as clients see it: the fields that can be written, between those that Muster writes.
///
/// `before` has their names, descriptions and schemas.
#[must_use]
pub fn shown_schema<T: Body>(
    description: &str,
    example: Value,
    before: Vec<(&'static str, &'static str, RefOr<Schema>)>,
) -> RefOr<Schema> {
    let mut shown =
        ObjectBuilder::new().schema_type(Type::Object).description(Some(description.trim())).examples([example]);
    for (name, doc, schema) in before {
        shown = shown.property(name, described(schema, doc)).required(name);
    }
    if let RefOr::T(Schema::Object(fields)) = T::response_schema() {
        for (name, schema) in fields.properties {
            shown = shown.property(&name, schema).required(name);
        }
    }
    let time = <Time as PartialSchema>::schema;
    let after: [(_, _, RefOr<Schema>); 3] = [
        ("version", "Number of the present version, from 1; it is the `ETag`.", count_schema()),
        ("created_at", "Time of creation.", time()),
        ("updated_at", "Time of the last change.", time()),
    ];
    let with = |shown: ObjectBuilder, (name, doc, schema)| shown.property(name, described(schema, doc)).required(name);
    after.into_iter().fold(shown, with).into()
}

/// Returns the schema of a count.
#[must_use]
pub fn count_schema() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).into()
}

/// Returns the schema of a text that only Muster writes.
#[must_use]
pub fn string_schema() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).into()
}

/// Describes a schema where it is used. The description of its type, such as its unit, follows.
#[must_use]
pub fn described(mut schema: RefOr<Schema>, doc: &str) -> RefOr<Schema> {
    let own = take_description(&mut schema);
    let doc = doc.trim();
    let whole = match own {
        Some(own) if !doc.contains(&own) => format!("{doc} {own}"),
        Some(_) | None => doc.to_owned(),
    };
    describe(schema, whole.trim())
}

fn describe(mut schema: RefOr<Schema>, words: &str) -> RefOr<Schema> {
    if words.is_empty() {
        return schema;
    }
    if is_named(&schema) {
        return AllOfBuilder::new().item(schema).description(Some(words)).into();
    }
    match &mut schema {
        RefOr::Ref(reference) => words.clone_into(&mut reference.description),
        RefOr::T(schema) => {
            if let Some(description) = description_mut(schema) {
                *description = Some(words.to_owned());
            }
        }
    }
    schema
}

/// Takes the description from a schema that is no component, also from within a nullable.
fn take_description(schema: &mut RefOr<Schema>) -> Option<String> {
    if is_named(schema) {
        return None;
    }
    let RefOr::T(schema) = schema else { return None };
    if let Some(own) = description_mut(schema)?.take() {
        return Some(own);
    }
    let Schema::OneOf(one_of) = schema else { return None };
    one_of.items.first_mut().and_then(take_description)
}

fn is_named(schema: &RefOr<Schema>) -> bool {
    match schema {
        RefOr::T(Schema::Object(object)) => object.title.is_some(),
        RefOr::T(Schema::Array(array)) => array.title.is_some(),
        RefOr::T(Schema::OneOf(one_of)) => one_of.title.is_some(),
        RefOr::T(Schema::AllOf(all_of)) => all_of.title.is_some(),
        RefOr::T(_) | RefOr::Ref(_) => false,
    }
}

/// Returns the title of a schema, by which it becomes a component; `None` for a kind that has none.
pub fn title_mut(schema: &mut Schema) -> Option<&mut Option<String>> {
    match schema {
        Schema::Object(object) => Some(&mut object.title),
        Schema::Array(array) => Some(&mut array.title),
        Schema::OneOf(one_of) => Some(&mut one_of.title),
        Schema::AllOf(all_of) => Some(&mut all_of.title),
        Schema::AnyOf(_) | _ => None,
    }
}

fn description_mut(schema: &mut Schema) -> Option<&mut Option<String>> {
    match schema {
        Schema::Object(object) => Some(&mut object.description),
        Schema::Array(array) => Some(&mut array.description),
        Schema::OneOf(one_of) => Some(&mut one_of.description),
        Schema::AllOf(all_of) => Some(&mut all_of.description),
        Schema::AnyOf(any_of) => Some(&mut any_of.description),
        _ => None,
    }
}
