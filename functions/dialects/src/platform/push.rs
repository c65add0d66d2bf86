//! `push` (beta): notifications to students.

use std::collections::HashSet;

use axum::extract::State as Shared;
use axum::http::StatusCode;
use domain::field::{Body as _, read_object};
use domain::{Error, KeyScope, NotificationFields, NotificationId, field::Pointer};
use edge::{Answer, LenientBody, Path, Rendered, Seed};
use serde_json::{Map, Value, json};

use super::names::as_text;
use super::schema::{NewNotification, NotificationProgress, NotificationReference};
use crate::State;
use crate::lenient::{self, given, text, time};
use crate::place::Place;

/// The fields of theirs, which are ours too; others mean nothing here.
const FIELDS: [&str; 4] = ["title", "body", "user_ids", "schedule"];

/// What the path names, beside the tokens.
#[derive(Debug, serde::Deserialize)]
pub(super) struct OfNotification {
    id: NotificationId,
}

/// Sends a notification to the devices of these students, or of all where none is named; now, or at a time within a year:
/// a day, `YYYY-MM-DD HH:MM:SS` in UTC, or RFC 3339.
#[utoipa::path(post, path = "/platform/push", tag = "push",
    request_body(content = NewNotification, example = json!({
        "title": "Hello", "body": "A new lesson is there.", "user_ids": ["0199d2a4-5c00-7000-8000-000000000002"],
        "schedule": null
    })),
    responses((status = 202, description = "The notification.", body = NotificationReference,
        example = json!({ "id": "0199d2a4-5c00-7000-8000-00000000b001" }))))]
pub(super) async fn create(
    Shared(state): Shared<State>,
    place: Place,
    seed: Seed,
    LenientBody(lenient::Json(body)): LenientBody<lenient::Json>,
) -> Answer<(StatusCode, Rendered)> {
    let known = FIELDS.iter().filter_map(|name| Some(((*name).to_owned(), written(name, given(&body, name)?))));
    let mut errors = Vec::new();
    let known = Value::Object(known.collect::<Map<_, _>>());
    let fields = read_object(known, &Pointer::root(), &mut errors, NotificationFields::read);
    let fields = fields.filter(|_| errors.is_empty()).ok_or(Error::Invalid(errors))?;
    let segment = place.segment(KeyScope::Write).await?;
    let begun = push::begin(&state.app, (segment.id, seed), fields, place.caller.act()).await?;
    Ok((StatusCode::ACCEPTED, Rendered(json!({ "id": begun.id }))))
}

/// The value of a field as the domain reads it: who is named twice is named, and one may stand without an array.
fn written(name: &str, value: &Value) -> Value {
    match (name, value) {
        ("user_ids", users) => {
            let mut seen = HashSet::new();
            let users = lenient::items(users).into_iter().map(|(_, user)| as_text(user));
            users.filter(|user| seen.insert(user.to_string())).collect()
        }
        ("schedule", at) => text(at).and_then(|at| time(&at)).map_or_else(|| at.clone(), |at| json!(at)),
        (_, value) => as_text(value),
    }
}

/// What has come of a notification.
#[utoipa::path(get, path = "/platform/push/{id}", tag = "push",
    responses((status = 200, description = "How many it was handed over for, and could not be.",
        body = NotificationProgress, example = json!({
            "id": "0199d2a4-5c00-7000-8000-00000000b001", "status": "SENT", "sent": 2, "failed": 0 }))))]
pub(super) async fn read(
    Shared(state): Shared<State>,
    place: Place,
    Path(OfNotification { id }): Path<OfNotification>,
) -> Answer<Rendered> {
    let found = state.app.store.notification(place.id, id);
    let (managed, found) = tokio::join!(place.segment(KeyScope::Read), found);
    managed?;
    let found = found?;
    Ok(Rendered(json!({
        "id": found.id, "status": found.status, "sent": found.delivered.sent, "failed": found.delivered.failed
    })))
}
