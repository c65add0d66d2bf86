//! Objects of a dialect as its document shows them.
//!
//! A dialect reads a request value by value and writes an answer as JSON. Its document says what its system's own
//! documentation says of both. The tests compare each answer that they get with what is declared here.

pub(crate) use domain::field::open_object as object;
use domain::field::{named, nullable};
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Declares objects: each property with its meaning, its schema and whether it is there, as [`required`], [`optional`] and
/// [`sometimes`] say it. Those that it has in common with others come from an expression behind `with`.
macro_rules! objects {
    ($(
        $(#[doc = $about:literal])+
        $vis:vis $name:ident $(with ($common:expr))? {
            $($(#[doc = $meaning:literal])+ $property:literal: $presence:expr),* $(,)?
        }
    )+) => {$(
        $(#[doc = $about])+
        #[derive(Debug)]
        $vis enum $name {}

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let own: Vec<domain::field::Property> = vec![$({
                    let (is_required, schema) = $presence;
                    ($property, concat!($($meaning),+), is_required, schema)
                }),*];
                let properties = [$($common,)? own].concat();
                $crate::openapi::objects::object(concat!($($about),+), properties)
            }
        }

        impl utoipa::ToSchema for $name {}
    )+};
}

pub(crate) use objects;

/// An answer that says nothing but that it is done.
#[derive(Debug)]
pub(crate) enum Empty {}

impl PartialSchema for Empty {
    fn schema() -> RefOr<Schema> {
        object("An object without properties: the request is done.", Vec::new())
    }
}

impl ToSchema for Empty {}

/// A property that is always there; it is null only where its schema says so.
pub(crate) fn required(schema: impl Into<RefOr<Schema>>) -> (bool, RefOr<Schema>) {
    (true, schema.into())
}

/// A property of a request that may be left out; null and blank text mean the same.
pub(crate) fn optional(schema: impl Into<RefOr<Schema>>) -> (bool, RefOr<Schema>) {
    (false, nullable(schema.into()))
}

/// A property of an answer that is there in some cases only.
pub(crate) fn sometimes(schema: impl Into<RefOr<Schema>>) -> (bool, RefOr<Schema>) {
    (false, schema.into())
}

/// A text.
pub(crate) fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// A text that is never shown again, such as a password.
pub(crate) fn secret() -> ObjectBuilder {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
}

/// An id of Muster, which is a UUID.
pub(crate) fn id() -> ObjectBuilder {
    text().format(Some(SchemaFormat::Custom("uuid".to_owned())))
}

/// A day as `YYYY-MM-DD`.
pub(crate) fn day() -> ObjectBuilder {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
}

/// One of these words.
pub(crate) fn one_of(words: &[&str]) -> ObjectBuilder {
    text().enum_values(Some(words.iter().copied()))
}

/// A switch.
pub(crate) fn switch() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean)
}

/// A whole number.
pub(crate) fn whole() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer)
}

/// A number.
pub(crate) fn number() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Number)
}

/// Several of a kind.
pub(crate) fn many(items: impl Into<RefOr<Schema>>) -> ArrayBuilder {
    ArrayBuilder::new().items(items.into())
}

/// Another declared object.
pub(crate) fn of<T: ToSchema>() -> RefOr<Schema> {
    named(T::schema(), &T::name())
}
