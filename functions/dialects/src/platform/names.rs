//! What these clients call what Muster calls otherwise.

use domain::FieldError;
use edge::Problem;
use serde_json::Value;

use super::pages::PARAMETERS;
use crate::lenient;

/// Muster's pointers, and the fields of theirs that these are about.
const FIELDS: [(&str, &str); 15] = [
    ("/phone_display", "phone"),
    ("/identification/value", "document"),
    ("/identification/type", "document"),
    ("/identification", "document"),
    ("/gender", "genre"),
    ("/birthdate", "birth"),
    ("/starts_at", "accession_date"),
    ("/last_payment_at", "payment_last_date"),
    ("/expires_at", "expiration_date"),
    ("/status", "active"),
    ("/page[cursor]", "cursor"),
    ("/page[size]", "per_page"),
    ("/page[number]", "page"),
    ("/X-Segment-Id", "X-Segment-Id"),
    ("/Idempotency-Key", "Idempotency-Key"),
];

/// The field of theirs that a pointer is about: `users.2.document` of `/users/2/identification/value`.
pub(super) fn field(pointer: &str) -> String {
    match FIELDS.iter().find(|(ours, _)| *ours == pointer) {
        Some((_, theirs)) => (*theirs).to_owned(),
        None => pointer.trim_start_matches('/').replace('/', "."),
    }
}

/// What is wrong with a field, by the names of theirs that parameters have.
pub(super) fn message(error: &FieldError) -> String {
    PARAMETERS.iter().fold(error.message.clone(), |text, (theirs, ours)| text.replace(ours, theirs))
}

/// A number as the text of its digits, any other value as it is.
pub(super) fn as_text(value: &Value) -> Value {
    lenient::text(value).map_or_else(|| value.clone(), Value::from)
}

/// A problem in a sentence.
pub(super) fn told(problem: &Problem) -> String {
    let one = |error: &FieldError| match error.pointer.as_str() {
        "" => error.message.clone(),
        pointer => format!("{} {}", field(pointer), message(error)),
    };
    if problem.errors.is_empty() {
        return problem.detail.clone();
    }
    problem.errors.iter().map(one).collect::<Vec<_>>().join("; ")
}
