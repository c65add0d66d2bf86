//! The columns of a table of users: the fields that a body has, those within objects by a dot.

use serde_json::{Map, Value};
use utoipa::openapi::schema::{Object, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::json::{JsonText, read_json};

/// A column: the field that its cells are values of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    name: String,
    kind: Kind,
}

/// What a cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The value itself.
    Text,
    /// `true` or `false`, or a number.
    Literal,
    /// JSON, or by columns of its own an entry each.
    Open,
}

/// The columns of the bodies that a schema describes, in the order of their fields.
#[must_use]
pub fn columns(schema: &RefOr<Schema>) -> Vec<Column> {
    let Some(object) = object(schema) else { return Vec::new() };
    let fields = object.properties.iter().flat_map(|(name, schema)| match self::object(schema) {
        Some(nested) if !nested.properties.is_empty() => {
            nested.properties.iter().map(|(part, schema)| Column::new(format!("{name}.{part}"), schema)).collect()
        }
        Some(_) | None => vec![Column::new(name.clone(), schema)],
    });
    fields.collect()
}

/// Finds the column that a header names, in any case and with blanks around it: one of `columns`, or an entry of one that
/// is open, whose key keeps its case.
#[must_use]
pub fn find_column(columns: &[Column], header: &str) -> Option<Column> {
    let header = header.trim();
    columns.iter().find_map(|column| {
        if header.eq_ignore_ascii_case(&column.name) {
            return Some(column.clone());
        }
        let entry = column.entry_of(header).filter(|_| column.kind == Kind::Open)?;
        Some(Column { name: format!("{}.{entry}", column.name), kind: Kind::Text })
    })
}

impl Column {
    fn new(name: String, schema: &RefOr<Schema>) -> Self {
        let kind = match within(schema) {
            Some(Schema::Object(object)) => match &object.schema_type {
                SchemaType::Type(Type::Boolean | Type::Integer | Type::Number) => Kind::Literal,
                SchemaType::Type(Type::Object) => Kind::Open,
                SchemaType::Type(Type::String | Type::Null | Type::Array)
                | SchemaType::Array(_)
                | SchemaType::AnyValue => Kind::Text,
            },
            Some(_) | None => Kind::Text,
        };
        Self { name, kind }
    }

    /// The column's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The entry of this column that a header names by `column.entry`.
    fn entry_of<'a>(&self, header: &'a str) -> Option<&'a str> {
        let (column, rest) = header.split_at_checked(self.name.len())?;
        let entry = rest.strip_prefix('.').filter(|_| column.eq_ignore_ascii_case(&self.name))?.trim();
        (!entry.is_empty()).then_some(entry)
    }

    /// Writes a cell into the body that it belongs to; an empty one says nothing.
    pub fn read(&self, cell: &str, into: &mut Map<String, Value>) {
        if cell.is_empty() {
            return;
        }
        let text = || Value::from(cell);
        let value = match self.kind {
            Kind::Text => text(),
            Kind::Literal => read_json(cell.as_bytes()).ok().filter(is_literal).unwrap_or_else(text),
            // An object that repeats a name stays text, which the field rejects.
            Kind::Open => {
                let unique = JsonText::read(cell.as_bytes()).ok().and_then(|text| text.into_unique().ok());
                unique.filter(Value::is_object).unwrap_or_else(text)
            }
        };
        let Some((field, part)) = self.name.split_once('.') else {
            match (into.get_mut(&self.name), value) {
                // Entries that came before it.
                (Some(Value::Object(entries)), Value::Object(more)) => entries.extend(more),
                (_, value) => drop(into.insert(self.name.clone(), value)),
            }
            return;
        };
        if let Value::Object(entries) = into.entry(field).or_insert_with(|| Value::Object(Map::new())) {
            entries.insert(part.to_owned(), value);
        }
    }

    /// The cell of an object as it is shown; what is not there is empty.
    #[must_use]
    pub fn write(&self, object: &Value) -> String {
        let value = match self.name.split_once('.') {
            Some((field, part)) => object.get(field).and_then(|nested| nested.get(part)),
            None => object.get(&self.name),
        };
        match value {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
        }
    }
}

fn is_literal(value: &Value) -> bool {
    value.is_boolean() || value.is_number()
}

/// What a schema says of a value that is there.
fn within(schema: &RefOr<Schema>) -> Option<&Schema> {
    let RefOr::T(schema) = schema else { return None };
    let Schema::OneOf(either) = schema else { return Some(schema) };
    let there = either.items.iter().find_map(|item| match item {
        RefOr::T(Schema::Object(object)) if object.schema_type == SchemaType::Type(Type::Null) => None,
        RefOr::T(schema) => Some(schema),
        RefOr::Ref(_) => None,
    });
    Some(there.unwrap_or(schema))
}

fn object(schema: &RefOr<Schema>) -> Option<&Object> {
    let Schema::Object(object) = within(schema)? else { return None };
    (object.schema_type == SchemaType::Type(Type::Object)).then_some(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Body as _;
    use crate::user::UserFields;
    use serde_json::json;

    fn all() -> Vec<Column> {
        columns(&UserFields::schema())
    }

    #[test]
    fn columns_are_the_fields_of_a_user_and_those_within() {
        let all = all();
        let names: Vec<_> = all.iter().map(Column::name).collect();
        for name in
            ["email", "identification.type", "identification.value", "legal_address.city", "city.code", "metadata"]
        {
            assert!(names.contains(&name), "{name}: {names:?}");
        }
        assert!(!names.contains(&"identification") && !names.contains(&"city"), "{names:?}");
    }

    #[test]
    fn cells_make_the_body_that_they_are_cells_of() {
        let all = all();
        let mut body = Map::new();
        for (name, cell) in [
            ("email", "ana@example.com"),
            ("name", ""),
            ("identification.type", "DNI"),
            ("identification.value", "012"),
            ("metadata.plan", "gold"),
            ("metadata", r#"{"a":1.50}"#),
        ] {
            find_column(&all, name).unwrap_or_else(|| panic!("{name}")).read(cell, &mut body);
        }
        let expected = json!({
            "email": "ana@example.com", "identification": { "type": "DNI", "value": "012" },
            "metadata": { "plan": "gold", "a": 1 }
        });
        let mut expected = expected.as_object().cloned().unwrap_or_default();
        expected["metadata"]["a"] = serde_json::from_str("1.50").unwrap_or_default();
        assert_eq!(body, expected);
        let shown = Value::Object(body);
        let cell = |name: &str| find_column(&all, name).map(|column| column.write(&shown));
        assert_eq!(cell("identification.value").as_deref(), Some("012"));
        assert_eq!(cell("metadata").as_deref(), Some(r#"{"plan":"gold","a":1.50}"#));
        assert_eq!((cell("name").as_deref(), cell("legal_address.city").as_deref()), (Some(""), Some("")));
    }

    #[test]
    fn header_names_a_column_in_any_case() {
        for (header, name) in [
            ("Email", "email"),
            (" IDENTIFICATION.Type\u{a0}", "identification.type"),
            ("Metadata.Plan", "metadata.Plan"),
            ("metadata. plan ", "metadata.plan"),
        ] {
            assert_eq!(find_column(&all(), header).as_ref().map(Column::name), Some(name), "{header}");
        }
    }

    #[test]
    fn what_is_no_column_is_none() {
        for name in
            ["", "metadatax.a", "metadata. ", "password", "identification", "metadata.", "city.country", "email.x"]
        {
            assert_eq!(find_column(&all(), name), None, "{name}");
        }
    }
}
