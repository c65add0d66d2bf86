//! `custom-fields/mappings`: what the segment calls the fields of its own.

use axum::extract::State as Shared;
use domain::mapping::FieldMappings;
use domain::{Error, Field as _, KeyScope, MergePatch, Segment, field::Pointer};
use edge::{Answer, IfMatch, LenientBody, Rendered};
use serde_json::{Value, json};

use super::schema::{MappingList, MappingsBody};
use crate::State;
use crate::lenient;
use crate::place::Place;

/// Reads the mappings.
#[utoipa::path(get, path = "/identity/users/v1/custom-fields/mappings", tag = "custom fields",
    responses((status = 200, description = "The mappings.", body = MappingList, example = json!({ "data": example() }))))]
pub(super) async fn read(place: Place) -> Answer<Rendered> {
    Ok(Rendered(shown(&place.segment(KeyScope::Read).await?)))
}

/// Puts these mappings in the place of all that were there.
#[utoipa::path(post, path = "/identity/users/v1/custom-fields/mappings", tag = "custom fields",
    request_body(content = MappingsBody, example = json!(example())),
    responses((status = 200, description = "The mappings.", body = MappingList, example = json!({ "data": example() }))))]
pub(super) async fn replace(
    Shared(state): Shared<State>,
    place: Place,
    LenientBody(lenient::Json(body)): LenientBody<lenient::Json>,
) -> Answer<Rendered> {
    // With or without the envelope that all else has.
    let sent = if let Value::Object(mut body) = body { body.remove("data").unwrap_or_default() } else { body };
    let sent = if let Value::Array(rows) = sent { rows.into_iter().map(known).collect() } else { sent };
    let mut errors = Vec::new();
    let mappings = FieldMappings::read(sent, &Pointer::root().child("data"), &mut errors);
    let mappings = mappings.ok_or(Error::Invalid(errors))?;
    let patch = MergePatch::parse(json!({ "settings": { "field_mappings": mappings.show() } }))?;
    let segment = segments::changed(&state.app, &place.caller, place.id, &IfMatch::default(), &patch).await?;
    Ok(Rendered(shown(&segment)))
}

/// What is known of a row, where a number is the text of its digits; what else it has is ignored.
fn known(row: Value) -> Value {
    let Value::Object(row) = row else { return row };
    let known = row.into_iter().filter(|(name, _)| matches!(name.as_str(), "key" | "display_name" | "type"));
    Value::Object(known.map(|(name, value)| (name, lenient::text(&value).map_or(value, Value::from))).collect())
}

fn shown(segment: &Segment) -> Value {
    let mappings = segment.fields.settings.0.field_mappings.clone().unwrap_or_default();
    json!({ "data": mappings.show() })
}

fn example() -> Value {
    json!([
        { "key": "company", "display_name": "Company", "type": "string" },
        { "key": "hired_on", "display_name": "Hired on", "type": "date" }
    ])
}
