//! What a segment calls the fields of its own that programs show of its users.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::openapi::{RefOr, Schema};

use crate::error::FieldError;
use crate::field::{Field, Pointer, Property, named, object_schema, read_object, response_object};

use crate::text::{Code, Name};
use crate::value::List;

/// A field of the segment's own: its key, what people are shown for it, and what its values are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldMapping {
    /// What programs call it.
    pub key: Code,
    /// What people are shown.
    pub display_name: Name,
    /// What its values are, such as `string`, `number`, `date`.
    #[serde(rename = "type")]
    pub kind: Code,
}

impl Field for FieldMapping {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        read_object(value, at, errors, |fields| {
            let (key, display_name, kind) = (fields.take("key"), fields.take("display_name"), fields.take("type"));
            Some(Self { key: key?, display_name: display_name?, kind: kind? })
        })
    }

    fn show(&self) -> Value {
        json!({ "key": self.key.as_str(), "display_name": self.display_name.as_str(), "type": self.kind.as_str() })
    }

    fn schema() -> RefOr<Schema> {
        let fields = properties(<Code as Field>::schema, <Name as Field>::schema);
        named(object_schema("A field of the segment's own.", Some(example()), fields), "FieldMappingFields")
    }

    fn response_schema() -> RefOr<Schema> {
        let fields = properties(Code::response_schema, Name::response_schema);
        named(response_object("A field of the segment's own.", Some(example()), fields), "FieldMapping")
    }
}

fn properties(code: fn() -> RefOr<Schema>, name: fn() -> RefOr<Schema>) -> Vec<Property> {
    vec![
        ("key", "What programs call it.", true, code()),
        ("display_name", "What people are shown.", true, name()),
        ("type", "What its values are, such as `string`, `number`, `date`.", true, code()),
    ]
}

fn example() -> Value {
    json!({ "key": "company", "display_name": "Company", "type": "string" })
}

/// The fields of a segment's own, no two with the same key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldMappings(pub List<FieldMapping, 100>);

impl Field for FieldMappings {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        let list = List::<FieldMapping, 100>::read(value, at, errors)?;
        let mut seen = HashSet::new();
        let again = list.0.iter().position(|mapping| !seen.insert(mapping.key.as_str()));
        if let Some(index) = again {
            errors.push(at.child(index).child("key").error("repeated", "is there already; take it out"));
            return None;
        }
        Some(Self(list))
    }

    fn show(&self) -> Value {
        self.0.show()
    }

    fn schema() -> RefOr<Schema> {
        List::<FieldMapping, 100>::schema()
    }

    fn response_schema() -> RefOr<Schema> {
        List::<FieldMapping, 100>::response_schema()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_mappings_have_the_same_key() {
        let mapping = |key: &str, name: &str| json!({ "key": key, "display_name": name, "type": "string" });
        let read = |value: Value| {
            let mut errors = Vec::new();
            let read = FieldMappings::read(value.clone(), &Pointer::root(), &mut errors);
            assert_eq!(read.is_some(), errors.is_empty());
            assert!(read.is_none_or(|read| read.show() == value));
            errors.into_iter().map(|error| (error.pointer, error.code)).collect::<Vec<_>>()
        };
        assert_eq!(read(json!([mapping("a", "A"), mapping("b", "A")])), []);
        assert_eq!(read(json!([mapping("a", "A"), mapping("a", "B")])), [("/1/key".to_owned(), "repeated")]);
        assert_eq!(read(json!([{ "key": "a", "type": 1 }])), [("/0/display_name".to_owned(), "required")]);
    }
}
