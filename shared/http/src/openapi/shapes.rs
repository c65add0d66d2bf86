//! Schemas that are made of others: one or several of a kind, an object with one more property.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde_json::Value;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::examples::example_of;
use super::text;

/// The schema of one `T`, or an array of 1 to 20.
#[derive(Debug)]
pub struct OneOrManyOf<T>(PhantomData<T>);

impl<T: domain::Body + ToSchema> PartialSchema for OneOrManyOf<T> {
    fn schema() -> RefOr<Schema> {
        let one = Ref::from_schema_name(T::name());
        let many = ArrayBuilder::new().items(one.clone()).min_items(Some(1)).max_items(Some(20));
        OneOfBuilder::new()
            .item(one)
            .item(many)
            .examples([T::example()])
            .description(Some("One object, or an array of 1 to 20."))
            .into()
    }
}

impl<T: domain::Body + ToSchema> ToSchema for OneOrManyOf<T> {
    fn name() -> std::borrow::Cow<'static, str> {
        format!("OneOrMany{}", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), <T as PartialSchema>::schema()));
    }
}

/// The schema of one `T`, or of several under `data`.
#[derive(Debug)]
pub struct OneOrDataOf<T>(PhantomData<T>);

impl<T: ToSchema> PartialSchema for OneOrDataOf<T> {
    fn schema() -> RefOr<Schema> {
        let one = Ref::from_schema_name(T::name());
        let several =
            ArrayBuilder::new().items(one.clone()).description(Some("The objects, in the order of the request."));
        let data = ObjectBuilder::new()
            .title(Some(format!("{}Array", T::name())))
            .property("data", several)
            .required("data")
            .description(Some(format!("Several {} objects.", T::name())));
        OneOfBuilder::new().item(one).item(data).description(Some("One object, or several under `data`.")).into()
    }
}

impl<T: ToSchema> ToSchema for OneOrDataOf<T> {
    fn name() -> std::borrow::Cow<'static, str> {
        format!("OneOrMany{}", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

/// A schema with one more property, a list of `T`, which need not be there.
#[must_use]
pub fn with_list<T: ToSchema>(mut schema: RefOr<Schema>, name: &str, about: &str) -> RefOr<Schema> {
    if let RefOr::T(Schema::Object(object)) = &mut schema {
        let list = ArrayBuilder::new().items(Ref::from_schema_name(T::name())).description(Some(about));
        object.properties.insert(name.to_owned(), list.into());
    }
    schema
}

/// A schema with one more property, which is required.
#[must_use]
pub fn with_property(schema: RefOr<Schema>, name: &str, about: &str, example: &str) -> RefOr<Schema> {
    with(schema, name, text().description(Some(about)).examples([Value::from(example)]).into())
}

/// A schema with one more property of its own schema, which is required.
#[must_use]
pub fn with(mut schema: RefOr<Schema>, name: &str, property: RefOr<Schema>) -> RefOr<Schema> {
    if let RefOr::T(Schema::Object(object)) = &mut schema {
        if let Some(Value::Object(example)) = object.examples.first_mut() {
            example.insert(name.to_owned(), example_of(&property, &BTreeMap::new()));
        }
        object.properties.insert(name.to_owned(), property);
        object.required.push(name.to_owned());
    }
    schema
}
