//! Exports: a segment's users become a file.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::{Format, Run, TransferStatus};
use crate::body;
use crate::clock::Time;
use crate::error::FieldError;
use crate::field::{Body as _, Field, Flag, Object, Pointer, bookkeeping, count_schema, named, nullable, shown_schema};
use crate::history::Actor;
use crate::id::{ExportId, SegmentId, UserId};
use crate::user::User;
use crate::value::{List, OrDefault};

body! {
    /// An export to be made.
    #[derive(Serialize, Deserialize)]
    pub struct ExportFields {
        /// How its rows are written.
        pub format: Format,
        /// Which users: the filters of the list of users, such as `{"status": "ACTIVE,BLOCKED"}` or
        /// `{"created_at": {"gte": "2026-01-01T00:00:00Z"}}`. All of them without any.
        pub filters: OrDefault<Filters>,
        /// Whether those are written whose own status is excluded, and not the others.
        pub excluded: Flag<false>,
        /// Which fields of each; all of them without any.
        pub fields: OrDefault<List<UserColumn, 64>>,
        /// Whether CSV cells are written as they are. By default a cell that begins with `=`, `+`, `-`, `@`, a tab or a
        /// carriage return gets a leading `'`, so that no spreadsheet evaluates it; an import removes the `'`.
        #[serde(default)]
        pub raw: Flag<false>,
    }
    example {
        "format": "csv", "filters": { "status": "ACTIVE" }, "excluded": false,
        "fields": ["id", "email", "name", "identification"], "raw": false
    }
}

/// The filters of a list, by their fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Filters(Vec<(String, String)>);

impl Filters {
    /// The filters as the parameters of a list: `filter[status]`, `filter[created_at][gte]`.
    #[must_use]
    pub fn parameters(&self) -> &[(String, String)] {
        &self.0
    }
}

impl Field for Filters {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        let Value::Object(fields) = value else {
            errors.push(at.error("invalid_type", "must be a JSON object"));
            return None;
        };
        let (before, mut parameters) = (errors.len(), Vec::new());
        for (field, value) in fields {
            let name = format!("filter[{field}]");
            match value {
                Value::String(values) => parameters.push((name, values)),
                Value::Object(ends) => parameters.extend(ends.into_iter().filter_map(|(end, value)| {
                    let text = value.as_str().map(|value| (format!("{name}[{end}]"), value.to_owned()));
                    if text.is_none() {
                        errors.push(at.child(&field).child(&end).error("invalid_type", "must be a string"));
                    }
                    text
                })),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                    errors.push(at.child(&field).error("invalid_type", "must be a string, as the list's parameter is"));
                }
            }
        }
        (errors.len() == before).then_some(Self(parameters))
    }

    fn show(&self) -> Value {
        let mut shown = Map::new();
        for (name, value) in &self.0 {
            let inner = name.strip_prefix("filter[").and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
            match inner.split_once("][") {
                None => drop(shown.insert(inner.to_owned(), value.as_str().into())),
                Some((field, end)) => {
                    let ends = shown.entry(field).or_insert_with(|| Value::Object(Map::new()));
                    if let Value::Object(ends) = ends {
                        ends.insert(end.to_owned(), value.as_str().into());
                    }
                }
            }
        }
        Value::Object(shown)
    }

    fn schema() -> RefOr<Schema> {
        let one = || ObjectBuilder::new().schema_type(Type::String);
        let end = AdditionalProperties::RefOr(one().description(Some("An end of a range.")).into());
        let about = "The ends of a range: `gt`, `gte`, `lt`, `lte`.";
        let range =
            ObjectBuilder::new().schema_type(Type::Object).additional_properties(Some(end)).description(Some(about));
        let value = OneOfBuilder::new().item(one().description(Some("Values, divided by commas."))).item(range);
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(AdditionalProperties::RefOr(value.into())))
            .examples([json!({ "status": "ACTIVE" })])
            .into()
    }
}

/// The name of a field of a user as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserColumn(String);

impl UserColumn {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Every field of a user.
    fn all() -> Vec<String> {
        match User::schema() {
            RefOr::T(Schema::Object(user)) => user.properties.keys().cloned().collect(),
            RefOr::T(_) | RefOr::Ref(_) => Vec::new(),
        }
    }
}

impl Field for UserColumn {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        let all = Self::all();
        let name = value.as_str().filter(|name| all.iter().any(|known| known == name));
        if name.is_none() {
            errors.push(at.error("invalid_choice", &format!("must be one of {}", all.join(", "))));
        }
        name.map(|name| Self(name.to_owned()))
    }

    fn show(&self) -> Value {
        self.0.as_str().into()
    }

    fn schema() -> RefOr<Schema> {
        let column = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(Self::all()));
        named(column.description(Some("The name of a field of a user.")).into(), "UserColumn")
    }
}

/// How far the file is, whose parts are sent as they fill.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportProgress {
    /// What S3 calls the file while it is sent.
    pub upload: Option<String>,
    /// What S3 calls each part that it has: its tag and its checksum.
    pub parts: Vec<(String, Option<String>)>,
    /// After which row the next part begins.
    pub after: Option<String>,
}

/// An export of a segment's users.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Export {
    /// Its id.
    pub id: ExportId,
    /// The segment whose users it writes.
    pub segment_id: SegmentId,
    /// The master user whose segment that is.
    pub owner_id: UserId,
    /// The user or key that started it.
    pub created_by: Option<Actor>,
    /// What was asked for.
    #[serde(flatten)]
    pub fields: ExportFields,
    /// How it goes.
    #[serde(flatten)]
    pub run: Run,
    /// How many users meet the filters, as far as that is known.
    pub total_rows: Option<u64>,
    /// How many have been written.
    pub written_rows: u64,
    /// How many bytes have been written.
    pub size: u64,
    /// How far the file is; not shown.
    pub progress: ExportProgress,
    /// Counts the changes; it is the `ETag`.
    pub version: u64,
    /// When it was begun.
    pub created_at: Time,
    /// When it last got on.
    pub updated_at: Time,
}

impl Export {
    /// An export that has not begun.
    #[must_use]
    pub fn new(id: ExportId, (segment_id, owner_id): (SegmentId, UserId), fields: ExportFields, now: Time) -> Self {
        Self {
            id,
            segment_id,
            owner_id,
            created_by: None,
            fields,
            run: Run::default(),
            total_rows: None,
            written_rows: 0,
            size: 0,
            progress: ExportProgress::default(),
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The export with another part; `rows` and `bytes` are its own.
    #[must_use]
    pub fn reached(&self, progress: ExportProgress, (rows, bytes): (u64, u64), now: Time) -> Self {
        let started_at = self.run.started_at.or(Some(now));
        let run = Run { status: TransferStatus::Running, started_at, ..self.run.clone() };
        Self { run, progress, written_rows: self.written_rows + rows, size: self.size + bytes, ..self.next(now) }
    }

    /// The export at its end; `reason` is a sentence.
    #[must_use]
    pub fn ended(&self, status: TransferStatus, reason: Option<&str>, now: Time) -> Self {
        let run = self.run.ended(status, reason, now);
        Self { run, progress: ExportProgress::default(), ..self.next(now) }
    }

    /// Returns the export with the time until which its file is kept.
    #[must_use]
    pub fn expiring(self, expires_at: Time) -> Self {
        Self { run: Run { expires_at: Some(expires_at), ..self.run.clone() }, ..self }
    }

    fn next(&self, now: Time) -> Self {
        Self { version: self.version + 1, updated_at: now, ..self.clone() }
    }
}

impl Object for Export {
    fn version(&self) -> u64 {
        self.version
    }

    fn show(&self) -> Value {
        let mut shown = Map::from_iter([
            ("id".to_owned(), self.id.show()),
            ("segment_id".to_owned(), self.segment_id.show()),
            ("kind".to_owned(), "export".into()),
        ]);
        shown.extend(self.run.show());
        shown.extend(self.fields.show());
        shown.insert("created_by".to_owned(), self.created_by.show());
        shown.insert("total_rows".to_owned(), self.total_rows.into());
        shown.insert("written_rows".to_owned(), self.written_rows.into());
        shown.insert("size".to_owned(), self.size.into());
        shown.extend(bookkeeping(self.version, self.created_at, self.updated_at));
        Value::Object(shown)
    }
}

impl PartialSchema for Export {
    fn schema() -> RefOr<Schema> {
        let mut before = vec![
            ("id", "The export's id.", ExportId::response_schema()),
            ("segment_id", "The segment whose users it writes.", SegmentId::response_schema()),
            ("kind", "Always `export`.", kind("export")),
            ("created_by", "The user or key that created it.", <Option<Actor>>::response_schema()),
        ];
        before.extend(Run::schema());
        before.extend([
            ("total_rows", "Number of rows to write; null until they are counted.", nullable(count_schema())),
            ("written_rows", "Number of rows written.", count_schema()),
            ("size", "Size of the file in bytes.", count_schema()),
        ]);
        shown_schema::<ExportFields>("An export of a segment's users to a file.", export_example(), before)
    }
}

impl ToSchema for Export {}

/// The schema of the word that says which of the two it is.
pub(super) fn kind(word: &str) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some([word])).into()
}

/// An export for the examples of the OpenAPI document.
#[must_use]
pub fn export_example() -> Value {
    let mut example = json!({
        "id": "0199d2a4-5c00-7000-8000-000000000e01", "segment_id": "0199d2a4-5c00-7000-8000-0000000005e6",
        "kind": "export", "created_by": { "type": "user", "id": "0199d2a4-5c00-7000-8000-000000000001" }, "status": "COMPLETED", "reason": null, "started_at": "2026-11-21T10:00:01.000Z",
        "finished_at": "2026-11-21T10:00:05.000Z", "expires_at": "2026-11-28T10:00:05.000Z", "total_rows": 1000, "written_rows": 1000, "size": 64123,
        "version": 3, "created_at": "2026-11-21T10:00:00.000Z", "updated_at": "2026-11-21T10:00:05.000Z"
    });
    if let (Some(object), Value::Object(fields)) = (example.as_object_mut(), ExportFields::example()) {
        object.extend(fields);
    }
    example
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn every_example_is_accepted() {
        assert!(ExportFields::parse(ExportFields::example()).is_ok());
    }

    #[test]
    fn filters_are_the_parameters_of_a_list_and_shown_as_they_came() -> Result<(), Error> {
        let filters = json!({ "status": "ACTIVE,BLOCKED", "created_at": { "gte": "a", "lt": "b" } });
        let fields = ExportFields::parse(json!({ "format": "csv", "filters": filters }))?;
        let parameters = fields.filters.0.parameters().iter().map(|(name, value)| format!("{name}={value}"));
        let expected = ["filter[status]=ACTIVE,BLOCKED", "filter[created_at][gte]=a", "filter[created_at][lt]=b"];
        assert_eq!(parameters.collect::<Vec<_>>(), expected);
        assert_eq!(fields.filters.show(), filters);
        let Err(Error::Invalid(errors)) =
            ExportFields::parse(json!({ "format": "xml", "filters": { "a": 1, "b": { "gt": [] } }, "fields": ["x"] }))
        else {
            panic!("accepted");
        };
        let pointers: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/format", "/filters/a", "/filters/b/gt", "/fields/0"]);
        Ok(())
    }

    #[test]
    fn an_export_shows_what_its_example_has() -> Result<(), Error> {
        let fields = ExportFields::parse(ExportFields::example())?;
        let export = Export::new(ExportId::fresh(), (SegmentId::fresh(), UserId::fresh()), fields, Time::now());
        let (shown, example) = (export.show(), export_example());
        let names = |value: &Value| {
            value.as_object().into_iter().flat_map(Map::keys).cloned().collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(names(&shown), names(&example));
        let RefOr::T(Schema::Object(schema)) = Export::schema() else { panic!("no object") };
        assert_eq!(names(&shown), schema.properties.keys().cloned().collect());
        Ok(())
    }
}
