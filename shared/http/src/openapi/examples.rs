//! Examples: each object has one, made of those of its properties where its type has none of its own.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::openapi::schema::{AdditionalProperties, ArrayItems, Object, Schema, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{Components, RefOr};

type Schemas = BTreeMap<String, RefOr<Schema>>;

/// Gives an example to each component that is an object and has none, and to examples what they lack of what is required.
/// A list is shown by the example of its rows.
pub(super) fn add_examples(components: &mut Components) {
    let lacks_one = |schema: &RefOr<Schema>| match schema {
        RefOr::T(Schema::Object(object)) => {
            own(object).is_none() && !object.properties.is_empty() && !object.properties.contains_key("links")
        }
        RefOr::T(_) | RefOr::Ref(_) => false,
    };
    let schemas = &components.schemas;
    let lacking = schemas.iter().filter(|(_, schema)| lacks_one(schema));
    let made: Vec<_> = lacking.map(|(name, schema)| (name.clone(), example_of(schema, schemas))).collect();
    let present = schemas.iter().filter_map(|(name, schema)| match schema {
        RefOr::T(Schema::Object(object)) => {
            Some((name.clone(), completed(object.examples.first()?.clone(), schema, schemas)))
        }
        RefOr::T(_) | RefOr::Ref(_) => None,
    });
    let present: Vec<_> = present.collect();
    for (name, example) in made.into_iter().chain(present) {
        if let Some(RefOr::T(Schema::Object(object))) = components.schemas.get_mut(&name) {
            object.examples = vec![example];
        }
    }
}

/// Adds to the example of an object what the schema requires besides: nothing where it may be `null`.
fn completed(mut example: Value, schema: &RefOr<Schema>, schemas: &Schemas) -> Value {
    let Some(object) = object_of(schema, schemas) else { return example };
    let Value::Object(fields) = &mut example else { return example };
    for (name, property) in &object.properties {
        if let Some(value) = fields.get_mut(name) {
            *value = completed(value.take(), property, schemas);
        } else if object.required.contains(name) {
            let value = if is_nullable(property) { Value::Null } else { example_of(property, schemas) };
            fields.insert(name.clone(), value);
        }
    }
    example
}

/// The schema of the object that a schema describes, whatever else it allows.
fn object_of<'a>(schema: &'a RefOr<Schema>, schemas: &'a Schemas) -> Option<&'a Object> {
    match schema {
        RefOr::Ref(reference) => object_of(schemas.get(reference.ref_location.rsplit('/').next()?)?, schemas),
        RefOr::T(Schema::Object(object)) => Some(object),
        RefOr::T(Schema::OneOf(one_of)) if is_nullable(schema) => object_of(one_of.items.first()?, schemas),
        RefOr::T(_) => None,
    }
}

fn is_nullable(schema: &RefOr<Schema>) -> bool {
    let is_null = |one: &RefOr<Schema>| matches!(one, RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::Null));
    matches!(schema, RefOr::T(Schema::OneOf(one_of)) if one_of.items.iter().any(is_null))
}

/// Returns an example of a schema.
pub(super) fn example_of(schema: &RefOr<Schema>, schemas: &Schemas) -> Value {
    let schema = match schema {
        RefOr::Ref(reference) => {
            let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
            return schemas.get(name).map_or(Value::Null, |schema| example_of(schema, schemas));
        }
        RefOr::T(schema) => schema,
    };
    let first = |items: &[RefOr<Schema>]| items.first().map_or(Value::Null, |item| example_of(item, schemas));
    match schema {
        Schema::Object(object) => match own(object) {
            Some(own) => completed(own, &RefOr::T(schema.clone()), schemas),
            None => make(object, schemas),
        },
        Schema::Array(array) => array.examples.first().cloned().unwrap_or_else(|| match &array.items {
            ArrayItems::RefOrSchema(item) => json!([example_of(item, schemas)]),
            ArrayItems::False => json!([]),
        }),
        Schema::OneOf(one_of) => one_of.examples.first().cloned().unwrap_or_else(|| first(&one_of.items)),
        Schema::AllOf(all_of) => all_of.examples.first().cloned().unwrap_or_else(|| first(&all_of.items)),
        Schema::AnyOf(any_of) => any_of.examples.first().cloned().unwrap_or_else(|| first(&any_of.items)),
        _ => Value::Null,
    }
}

/// The example that a schema has itself.
fn own(object: &Object) -> Option<Value> {
    let one = object.examples.first().or(object.example.as_ref()).or(object.default.as_ref());
    one.or_else(|| object.enum_values.as_ref()?.first()).cloned()
}

fn make(object: &Object, schemas: &Schemas) -> Value {
    let kind = match &object.schema_type {
        SchemaType::Type(kind) => Some(kind),
        SchemaType::Array(kinds) => kinds.first(),
        SchemaType::AnyValue => None,
    };
    match kind {
        Some(Type::Object) => {
            let of = |(name, schema): (&String, &RefOr<Schema>)| (name.clone(), example_of(schema, schemas));
            let mut example: Map<_, _> = object.properties.iter().map(of).collect();
            if let Some(AdditionalProperties::RefOr(value)) = object.additional_properties.as_deref() {
                example.insert("key".to_owned(), example_of(value, schemas));
            }
            example.into()
        }
        Some(Type::String) => match &object.format {
            Some(SchemaFormat::Custom(format)) if format == "uuid" => "0199d2a4-5c00-7000-8000-000000000001".into(),
            Some(SchemaFormat::Custom(_) | SchemaFormat::KnownFormat(_)) | None => "text".into(),
        },
        Some(Type::Integer | Type::Number) => object.minimum.as_ref().map_or(json!(1), |least| json!(least)),
        Some(Type::Boolean) => json!(true),
        Some(Type::Array) => json!([]),
        Some(Type::Null) | None => Value::Null,
    }
}
