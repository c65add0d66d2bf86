//! Components of a document: each schema with a title stands there once, under its title, and all uses refer to it.

use std::collections::BTreeMap;

use domain::field::title_mut;
use serde_json::Value;
use utoipa::openapi::path::{Operation, Parameter};
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayItems, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response};

use super::operations;

type Schemas = BTreeMap<String, RefOr<Schema>>;

/// Moves the schemas with a title to the components, and gives each nullable schema the same form.
///
/// A schema whose title another schema has keeps its title, which a test of all documents refuses.
pub fn share_schemas(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    let mut shared = Schemas::new();
    for (name, mut schema) in std::mem::take(&mut components.schemas) {
        if let RefOr::T(inner) = &mut schema
            && title(inner).is_some_and(|title| title == name)
        {
            drop(take_title(inner));
        }
        share(&mut schema, &mut shared);
        describe_id(&mut schema);
        shared.entry(name).or_insert(schema);
    }
    for item in document.paths.paths.values_mut() {
        for (_, operation) in operations(item) {
            each_schema(operation, |schema| share(schema, &mut shared));
        }
    }
    let words = named_words(&shared);
    for item in document.paths.paths.values_mut() {
        for (_, operation) in operations(item) {
            each_schema(operation, |schema| refer_to_words(schema, &words));
        }
    }
    document.components.get_or_insert_default().schemas = shared;
}

/// Calls `visit` with the schema of each parameter, body and response of an operation.
fn each_schema(operation: &mut Operation, mut visit: impl FnMut(&mut RefOr<Schema>)) {
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(Parameter { schema: Some(schema), .. }) = parameter else { continue };
        visit(schema);
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        body.content.values_mut().for_each(|content| visit_content(content, &mut visit));
    }
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(Response { content, .. }) = response {
            content.values_mut().for_each(|content| visit_content(content, &mut visit));
        }
    }
}

fn visit_content(content: &mut RefOr<Content>, visit: &mut impl FnMut(&mut RefOr<Schema>)) {
    if let RefOr::T(Content { schema: Some(schema), .. }) = content {
        visit(schema);
    }
}

fn share(schema: &mut RefOr<Schema>, shared: &mut Schemas) {
    let RefOr::T(inner) = schema else { return };
    unify_nullable(inner);
    for child in children(inner) {
        share(child, shared);
    }
    let own = take_title(inner);
    if let Some(name) = own {
        let same = shared.entry(name.clone()).or_insert_with(|| schema.clone());
        if same == schema {
            *schema = Ref::from_schema_name(name).into();
        } else if let RefOr::T(inner) = schema
            && let Some(title) = title_mut(inner)
        {
            *title = Some(name);
        }
        return;
    }
    if let Schema::AllOf(all_of) = inner
        && let [RefOr::Ref(only)] = all_of.items.as_slice()
    {
        let mut only = only.clone();
        only.description = all_of.description.take().unwrap_or_default();
        only.default = all_of.default.take();
        *schema = only.into();
    }
}

/// Describes the type of an id: where it stands inline, its property says what it names.
fn describe_id(schema: &mut RefOr<Schema>) {
    if let RefOr::T(Schema::Object(object)) = schema
        && matches!(&object.format, Some(SchemaFormat::Custom(format)) if format == "uuid")
    {
        object.description.get_or_insert_with(|| "An id, which is a UUID.".to_owned());
    }
}

/// Writes a nullable schema as `oneOf` of its value and `null`, in this order, as all nullable schemas are written.
fn unify_nullable(schema: &mut Schema) {
    if let Schema::OneOf(one_of) = schema {
        if one_of.items.first().is_some_and(is_null) {
            one_of.items.rotate_left(1);
        }
        // The description is that of the property, `null` included.
        if let [RefOr::Ref(value), null] = one_of.items.as_mut_slice()
            && is_null(null)
            && one_of.description.is_none()
            && !value.description.is_empty()
        {
            one_of.description = Some(std::mem::take(&mut value.description));
        }
        return;
    }
    let (kind, description) = match schema {
        Schema::Object(object) => (&mut object.schema_type, &mut object.description),
        Schema::Array(array) => (&mut array.schema_type, &mut array.description),
        Schema::OneOf(_) | Schema::AllOf(_) | Schema::AnyOf(_) | _ => return,
    };
    let SchemaType::Array(kinds) = kind else { return };
    let others: Vec<_> = kinds.iter().filter(|kind| **kind != Type::Null).cloned().collect();
    if others.len() == kinds.len() {
        return;
    }
    *kind = match <[Type; 1]>::try_from(others) {
        Ok([only]) => SchemaType::Type(only),
        Err(others) => SchemaType::Array(others),
    };
    let description = description.take();
    let null = ObjectBuilder::new().schema_type(Type::Null);
    let value = std::mem::take(schema);
    *schema = OneOfBuilder::new().item(value).item(null).description(description).build().into();
}

fn is_null(schema: &RefOr<Schema>) -> bool {
    matches!(schema, RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::Null))
}

/// The names of the components that are enums, by their words; none whose words another enum has too.
fn named_words(shared: &Schemas) -> Vec<(Vec<Value>, String)> {
    let mut words: Vec<(Vec<Value>, String)> = Vec::new();
    for (name, schema) in shared {
        if let RefOr::T(Schema::Object(object)) = schema
            && let Some(values) = &object.enum_values
        {
            words.push((values.clone(), name.clone()));
        }
    }
    let is_unique = |values: &[Value]| words.iter().filter(|(other, _)| other == values).count() == 1;
    words.iter().filter(|(values, _)| values.len() > 1 && is_unique(values)).cloned().collect()
}

/// Refers to the enum with the words of an unnamed one, as the choices of a filter are.
fn refer_to_words(schema: &mut RefOr<Schema>, words: &[(Vec<Value>, String)]) {
    let RefOr::T(inner) = schema else { return };
    for child in children(inner) {
        refer_to_words(child, words);
    }
    let Schema::Object(object) = inner else { return };
    let Some(values) = &object.enum_values else { return };
    if let Some((_, name)) = words.iter().find(|(known, _)| known == values) {
        *schema = Ref::from_schema_name(name).into();
    }
}

fn children(schema: &mut Schema) -> Vec<&mut RefOr<Schema>> {
    match schema {
        Schema::Object(object) => {
            let more = object.additional_properties.as_deref_mut();
            let more = more.and_then(|more| match more {
                AdditionalProperties::RefOr(schema) => Some(schema),
                AdditionalProperties::FreeForm(_) => None,
            });
            object.properties.values_mut().chain(more).collect()
        }
        Schema::Array(array) => match &mut array.items {
            ArrayItems::RefOrSchema(items) => vec![items.as_mut()],
            ArrayItems::False => Vec::new(),
        },
        Schema::OneOf(one_of) => one_of.items.iter_mut().collect(),
        Schema::AllOf(all_of) => all_of.items.iter_mut().collect(),
        Schema::AnyOf(any_of) => any_of.items.iter_mut().collect(),
        _ => Vec::new(),
    }
}

fn title(schema: &Schema) -> Option<&str> {
    match schema {
        Schema::Object(object) => object.title.as_deref(),
        Schema::Array(array) => array.title.as_deref(),
        Schema::OneOf(one_of) => one_of.title.as_deref(),
        Schema::AllOf(all_of) => all_of.title.as_deref(),
        Schema::AnyOf(_) | _ => None,
    }
}

fn take_title(schema: &mut Schema) -> Option<String> {
    title_mut(schema).and_then(Option::take)
}
