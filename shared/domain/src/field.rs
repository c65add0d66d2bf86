//! How a JSON body becomes a typed value: every field is read, every error is kept, no unknown field passes.

use std::fmt::Display;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::PartialSchema;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::clock::Time;
use crate::error::{Error, FieldError};
use crate::text::Broken;

pub use crate::patch::MergePatch;

/// A type that a JSON value can be read into.
pub trait Field: Sized {
    /// Whether a body without this field is refused.
    const REQUIRED: bool = true;

    /// Reads a value that is there; on failure adds what is wrong to `errors` and answers `None`.
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self>;

    /// What an absent field means; the default refuses it.
    fn absent(at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        errors.push(at.error("required", "is required"));
        None
    }

    /// The value as clients see it; a secret shows nothing.
    fn show(&self) -> Value;

    /// The field's schema in the OpenAPI document.
    fn schema() -> RefOr<Schema>;
}

/// A request body: an object with known fields, made by [`body!`](crate::body).
pub trait Body: Sized {
    /// The names of its fields, where they are known beforehand.
    const NAMES: &[&str] = &[];

    /// Reads each field out of `fields`.
    fn read(fields: &mut Fields<'_>) -> Option<Self>;

    /// What its fields break together; each alone is sound.
    fn rules(&self, _errors: &mut Vec<FieldError>) {}

    /// What a change of `before` into this must not change.
    fn fixed(&self, _before: &Self, _errors: &mut Vec<FieldError>) {}

    /// A body that is accepted, for the OpenAPI document.
    fn example() -> Value;

    /// The fields as clients see them, which is also what a merge patch is applied to.
    fn show(&self) -> Map<String, Value>;

    /// A merge patch of this body that is accepted, for the OpenAPI document.
    fn patch_example() -> Value {
        Self::example()
    }

    /// The body's schema in the OpenAPI document.
    fn schema() -> RefOr<Schema>;

    /// Reads `value`, answering every error at once.
    ///
    /// # Errors
    /// [`Error::Invalid`] with one entry for each field that is wrong, missing or unknown.
    fn parse(value: Value) -> Result<Self, Error> {
        let mut errors = Vec::new();
        let body = read_object(value, &Pointer::root(), &mut errors, Self::read);
        if let Some(body) = &body {
            body.rules(&mut errors);
        }
        body.filter(|_| errors.is_empty()).ok_or(Error::Invalid(errors))
    }
}

/// An object that clients see.
pub trait Object {
    /// Its version, which is its `ETag`.
    fn version(&self) -> u64;

    /// The object as clients see it.
    fn show(&self) -> Value;
}

/// The fields of one JSON object, handed out one by one; [`Fields::take`] reports as it goes.
#[derive(Debug)]
pub struct Fields<'a> {
    left: Map<String, Value>,
    known: Vec<&'static str>,
    at: Pointer,
    errors: &'a mut Vec<FieldError>,
}

impl Fields<'_> {
    /// Takes the field `name`, as the type asked for.
    pub fn take<T: Field>(&mut self, name: &'static str) -> Option<T> {
        self.known.push(name);
        let at = self.at.child(name);
        match self.left.remove(name) {
            Some(value) => T::read(value, &at, self.errors),
            None => T::absent(&at, self.errors),
        }
    }

    /// Takes all that is left, whatever it is called.
    pub fn rest(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.left)
    }

    /// Refuses the field `name`, for a reason that another field gives.
    pub fn refuse(&mut self, name: &str, (code, message): Broken) {
        self.errors.push(self.at.child(name).error(code, message));
    }

    /// Refuses a body without the field `name`, whatever its type says.
    pub fn require(&mut self, name: &str) {
        if self.left.get(name).is_none_or(Value::is_null) {
            self.errors.push(self.at.child(name).error("required", "is required"));
        }
    }
}

/// Reads an object with `read` and then refuses what `read` did not take.
pub fn read_object<T>(
    value: Value,
    at: &Pointer,
    errors: &mut Vec<FieldError>,
    read: impl FnOnce(&mut Fields<'_>) -> Option<T>,
) -> Option<T> {
    let Value::Object(left) = value else {
        errors.push(at.error("invalid_type", "must be a JSON object"));
        return None;
    };
    let mut fields = Fields { left, known: Vec::new(), at: at.clone(), errors };
    let object = read(&mut fields);
    let allowed = fields.known.join(", ");
    for name in fields.left.keys().take(MOST_UNKNOWN) {
        fields
            .errors
            .push(fields.at.child(name).error("unknown", &format!("is not a field here; known are: {allowed}")));
    }
    object
}

/// How many unknown fields of an object are named: an answer must not outgrow what it answers by far.
const MOST_UNKNOWN: usize = 20;

/// Where in a body a value stands, as an RFC 6901 pointer.
#[derive(Debug, Clone)]
pub struct Pointer(String);

impl Pointer {
    /// The whole body.
    #[must_use]
    pub fn root() -> Self {
        Self(String::new())
    }

    /// A member or element of the value here.
    #[must_use]
    pub fn child(&self, name: impl Display) -> Self {
        // A client chooses the names of unknown fields: escaped as the RFC says, and cut.
        let name: String = name.to_string().chars().take(100).collect();
        Self(format!("{}/{}", self.0, name.replace('~', "~0").replace('/', "~1")))
    }

    /// An error at this place. `message` says what to do and never repeats what the client sent.
    #[must_use]
    pub fn error(&self, code: &'static str, message: &str) -> FieldError {
        FieldError::new(&self.0, code, message)
    }
}

impl<T: Field> Field for Option<T> {
    const REQUIRED: bool = false;

    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        if value.is_null() { Some(None) } else { T::read(value, at, errors).map(Some) }
    }

    fn absent(_: &Pointer, _: &mut Vec<FieldError>) -> Option<Self> {
        Some(None)
    }

    fn show(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::show)
    }

    fn schema() -> RefOr<Schema> {
        nullable(T::schema())
    }
}

/// A switch; absent or `null` it is what `DEFAULT` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Flag<const DEFAULT: bool>(pub bool);

impl<const DEFAULT: bool> Field for Flag<DEFAULT> {
    const REQUIRED: bool = false;

    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        match value {
            Value::Null => Some(Self(DEFAULT)),
            Value::Bool(on) => Some(Self(on)),
            Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                errors.push(at.error("invalid_type", "must be true or false"));
                None
            }
        }
    }

    fn absent(_: &Pointer, _: &mut Vec<FieldError>) -> Option<Self> {
        Some(Self(DEFAULT))
    }

    fn show(&self) -> Value {
        self.0.into()
    }

    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new().schema_type(Type::Boolean).default(Some(DEFAULT.into())).into();
        nullable(schema)
    }
}

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

/// The fields that Muster keeps of every object.
#[must_use]
pub fn bookkeeping(version: u64, created_at: Time, updated_at: Time) -> [(String, Value); 3] {
    [
        ("version".to_owned(), version.into()),
        ("created_at".to_owned(), created_at.show()),
        ("updated_at".to_owned(), updated_at.show()),
    ]
}

/// The name of a field as clients write it.
#[doc(hidden)]
#[macro_export]
macro_rules! field_name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $as:literal) => {
        $as
    };
}

/// Declares a request body once: the struct, how it is read, and its schema, which therefore cannot drift apart.
///
/// A field whose name Rust keeps for itself is written `pub kind as "type": …`; such a body derives serde's traits.
/// `patch` is an example of a patch, `rules` a method that tells what fields break together, and `fixed` names the
/// fields that a patch must leave as they are.
#[macro_export]
macro_rules! body {
    (
        $(#[doc = $doc:literal])* $(#[derive($($derive:ident),*)])?
        pub struct $name:ident {
            $( $(#[doc = $field_doc:literal])* pub $field:ident $(as $as:literal)? : $kind:ty, )*
        }
        example $example:tt
        $(patch $patch:tt)?
        $(fixed [$($fixed:ident),*])?
        $(rules $rules:path)?
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone $($(, $derive)*)?)]
        pub struct $name { $( $(#[doc = $field_doc])* $(#[serde(rename = $as)])? pub $field: $kind, )* }

        impl $crate::field::Body for $name {
            const NAMES: &[&str] = &[$($crate::field_name!($field $($as)?)),*];

            fn read(fields: &mut $crate::field::Fields<'_>) -> Option<Self> {
                // Each field is read before any is missed, so that all errors are found at once.
                $( let $field: Option<$kind> = fields.take($crate::field_name!($field $($as)?)); )*
                Some(Self { $( $field: $field?, )* })
            }

            fn show(&self) -> serde_json::Map<String, serde_json::Value> {
                [$( ($crate::field_name!($field $($as)?).to_owned(), $crate::field::Field::show(&self.$field)), )*].into_iter().collect()
            }

            fn example() -> serde_json::Value {
                serde_json::json!($example)
            }

            $(fn rules(&self, errors: &mut Vec<$crate::error::FieldError>) {
                $rules(self, errors);
            })?

            $(fn fixed(&self, before: &Self, errors: &mut Vec<$crate::error::FieldError>) {
                $(if self.$fixed != before.$fixed {
                    let at = $crate::field::Pointer::root().child(stringify!($fixed));
                    errors.push(at.error("immutable", "cannot be changed; leave it out"));
                })*
            })?

            $(fn patch_example() -> serde_json::Value {
                serde_json::json!($patch)
            })?

            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::field::object_schema(
                    concat!($($doc),*),
                    Some(<Self as $crate::field::Body>::example()),
                    vec![$( (
                        $crate::field_name!($field $($as)?),
                        concat!($($field_doc),*),
                        <$kind as $crate::field::Field>::REQUIRED,
                        <$kind as $crate::field::Field>::schema(),
                    ), )*],
                )
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                <Self as $crate::field::Body>::schema()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

#[cfg(test)]
#[expect(unreachable_pub, reason = "the macro declares what other crates use")]
mod tests {
    use super::*;
    use crate::text::Name;
    use serde_json::json;

    body! {
        /// A body.
        pub struct Sample {
            /// Must be there.
            pub wanted: Name,
            /// May be left out.
            pub free: Option<Name>,
            /// On unless switched off.
            pub on: Flag<true>,
        }
        example { "wanted": "x" }
    }

    fn found(result: Result<Sample, Error>) -> Vec<(String, &'static str)> {
        match result {
            Err(Error::Invalid(errors)) => errors.into_iter().map(|error| (error.pointer, error.code)).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn every_error_is_reported_at_once_with_its_pointer() {
        let errors = found(Sample::parse(json!({ "free": true, "a/b~": 1 })));
        let expected = [("/wanted", "required"), ("/free", "invalid_type"), ("/a~1b~0", "unknown")];
        assert_eq!(errors, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
    }

    #[test]
    fn a_patch_keeps_what_it_leaves_out_and_clears_what_it_nulls() -> Result<(), Error> {
        let before = Sample::parse(json!({ "wanted": "x", "free": "y", "on": false }))?;
        let after = MergePatch::<Sample>::parse(json!({ "free": null }))?.apply(&before)?;
        assert_eq!((after.wanted.as_str(), after.free, after.on.0), ("x", None, false));
        let after = MergePatch::<Sample>::parse(json!({ "on": null }))?.apply(&before)?;
        assert!(after.on.0, "null brings the default back");
        Ok(())
    }

    #[test]
    fn a_patch_may_not_clear_a_required_field_nor_name_an_unknown_one() {
        let Err(Error::Invalid(errors)) = MergePatch::<Sample>::parse(json!({ "wanted": null, "other": null })) else {
            panic!("accepted");
        };
        let found: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), error.code)).collect();
        assert_eq!(found, [("/wanted", "invalid_type"), ("/other", "unknown")]);
    }
}
