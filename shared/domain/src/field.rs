//! How a JSON body becomes a typed value: every field is read, every error is kept, no unknown field passes.

use std::fmt::Display;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::clock::Time;
use crate::error::FieldError;
use crate::text::Broken;

pub use crate::body::Body;
pub use crate::patch::MergePatch;
pub(crate) use crate::schema::with_default;
pub use crate::schema::{
    Property, count_schema, described, named, nullable, object_schema, open_object, response_object, shown_schema,
    string_schema, title_mut,
};

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

    /// The field's schema in the OpenAPI document, as clients may send it.
    fn schema() -> RefOr<Schema>;

    /// The field's schema as clients see it: without what only requests may write.
    fn response_schema() -> RefOr<Schema> {
        Self::schema()
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
    /// Takes the field `name`, as the type asked for. An optional field with an error is reported, and is as absent, so that
    /// the others can be checked together.
    pub fn take<T: Field>(&mut self, name: &'static str) -> Option<T> {
        self.known.push(name);
        let at = self.at.child(name);
        let Some(value) = self.left.remove(name) else { return T::absent(&at, self.errors) };
        let read = T::read(value, &at, self.errors);
        if T::REQUIRED { read } else { read.or_else(|| T::absent(&at, self.errors)) }
    }

    /// Takes all that is left, whatever it is called.
    pub fn rest(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.left)
    }

    /// Refuses the field `name`, for a reason that another field gives.
    pub fn refuse(&mut self, name: &str, (code, message): Broken) {
        self.errors.push(self.at.child(name).error(code, message));
    }

    /// Adds an error that has its place already.
    pub fn add_error(&mut self, error: FieldError) {
        self.errors.push(error);
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

    /// The pointer as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
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

    fn response_schema() -> RefOr<Schema> {
        nullable(T::response_schema())
    }
}

/// A switch; absent or `null` it is what `DEFAULT` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Flag<const DEFAULT: bool>(pub bool);

/// Rows that were written before the field existed have the default too.
impl<'de, const DEFAULT: bool> Deserialize<'de> for Flag<DEFAULT> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<bool>::deserialize(deserializer).map(|on| Self(on.unwrap_or(DEFAULT)))
    }
}

impl<const DEFAULT: bool> Default for Flag<DEFAULT> {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

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
        with_default(Self::response_schema(), DEFAULT.into())
    }

    fn response_schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Boolean).into()
    }
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
