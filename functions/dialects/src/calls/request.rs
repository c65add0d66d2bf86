//! What is sent: an action, the group and the person that it is about, and a document.

use domain::segment::SegmentNumber;
use domain::user::PersonNumber;
use domain::value::Integer;
use domain::{Error, FieldError};
use serde_json::{Value, json};

use crate::calls::doc;
use crate::lenient::{given, switch, text};

/// A call.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) action: String,
    pub(super) group: SegmentNumber,
    pub(super) person: Option<PersonNumber>,
    pub(super) parent: Option<PersonNumber>,
    /// The number of a status, where it is sent outside of `doc`.
    pub(super) status: Option<Value>,
    /// An object.
    pub(super) doc: Value,
    /// Whether nobody is to be told by an event.
    pub(super) silent: bool,
}

impl Call {
    /// Reads a call.
    ///
    /// # Errors
    /// [`Error::Invalid`] with each field that is wrong.
    pub(super) fn parse(body: &Value) -> Result<Self, Error> {
        if !body.is_object() {
            return Err(Error::invalid("", "invalid_type", "The body must be an object."));
        }
        let mut errors = Vec::new();
        let action = given(body, "action").and_then(text);
        let group = number(body, "group_id", &mut errors);
        let [person, parent] = ["clogin_id", "connected_to"].map(|name| person(body, name, &mut errors));
        let status = given(body, "status_id").cloned();
        let submits = flag(body, "submit_forms", true, &mut errors);
        // Nothing is ever sent because of a call: there is nothing to be disabled.
        flag(body, "disable_email_sending", false, &mut errors);
        let doc = read_doc(body, &mut errors);
        for (name, is_there) in [("action", action.is_some()), ("group_id", given(body, "group_id").is_some())] {
            if !is_there {
                errors.insert(0, FieldError::new(&format!("/{name}"), "required", "is required"));
            }
        }
        match (action, group) {
            (Some(action), Some(group)) if errors.is_empty() => {
                Ok(Self { action, group, person, parent, status, doc, silent: !submits })
            }
            _ => Err(Error::Invalid(errors)),
        }
    }
}

/// Reads the number of a person; 0 and false are nobody's.
fn person(body: &Value, name: &str, errors: &mut Vec<FieldError>) -> Option<PersonNumber> {
    let is_nobody = given(body, name).and_then(switch) == Some(false);
    if is_nobody { None } else { number(body, name, errors) }
}

/// Reads a whole number, or its digits as text.
pub(super) fn number<const LOW: i64, const HIGH: i64>(
    body: &Value,
    name: &str,
    errors: &mut Vec<FieldError>,
) -> Option<Integer<LOW, HIGH>> {
    let sent = given(body, name)?;
    let number = text(sent).and_then(|text| text.parse().ok()).and_then(Integer::new);
    if number.is_none() {
        let message = format!("must be a whole number from {LOW} to {HIGH}");
        errors.push(FieldError::new(&format!("/{name}"), "invalid_type", &message));
    }
    number
}

fn flag(body: &Value, name: &str, unless: bool, errors: &mut Vec<FieldError>) -> bool {
    let Some(sent) = given(body, name) else { return unless };
    switch(sent).unwrap_or_else(|| {
        errors.push(FieldError::new(&format!("/{name}"), "invalid_type", "must be true or false"));
        unless
    })
}

/// Reads the document: an object, or the JSON of one as text. An empty document is an empty object: some languages write an
/// empty array for it, and forms an array of one blank text.
fn read_doc(body: &Value, errors: &mut Vec<FieldError>) -> Value {
    let read = body.get("doc").map(doc::nested).unwrap_or_default();
    if read.is_object() {
        return read;
    }
    if !doc::is_empty(&read) {
        errors.push(FieldError::new("/doc", "invalid_type", "must be an object"));
    }
    json!({})
}
