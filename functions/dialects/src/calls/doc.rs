//! Form fields by name: a user's own fields, and else its metadata.

use domain::field::Pointer;
use domain::{Body as _, Error, FieldError, User, UserFields};
use serde_json::{Map, Value};

use crate::lenient::{PHONE, given, phone, phone_of, text};

/// Form fields that the domain calls otherwise.
const NAMES: [(&str, &str); 2] = [("main_email", "email"), ("first_name", "name")];

/// What no form writes: what a user is, and where it belongs.
const SYSTEM: [&str; 20] = [
    "id",
    "segment_id",
    "group_id",
    "clogin_id",
    "connected_to",
    "number",
    "person",
    "status",
    "status_reason",
    "status_id",
    "parent_id",
    "partner_id",
    "photo_upload_id",
    "valid_until",
    "metadata",
    "excluded",
    "password",
    "version",
    "created_at",
    "updated_at",
];

/// The name that the domain has for a form field, if it is a field of a user.
fn own(name: &str) -> Option<&str> {
    let name = NAMES.iter().find(|(theirs, _)| *theirs == name).map_or(name, |(_, ours)| ours);
    UserFields::NAMES.contains(&name).then_some(name)
}

/// Returns the patch of a user, or the fields of a new one, that form fields are; null and blank text unset.
///
/// # Errors
/// [`Error::Invalid`] for each that is a system field.
pub(super) fn fields(doc: &Value) -> Result<Map<String, Value>, Error> {
    let (mut fields, mut metadata, mut errors) = (Map::new(), Map::new(), Vec::new());
    for name in doc.as_object().into_iter().flat_map(Map::keys) {
        // The domain's own names of what is called otherwise here are form fields like any other.
        if SYSTEM.contains(&name.as_str()) || name.starts_with('_') {
            let at = Pointer::root().child(name);
            errors.push(at.error("not_applicable", "is a system field, which no form writes"));
            continue;
        }
        let value = given(doc, name).cloned().unwrap_or_default();
        match own(name) {
            Some("phone") => fields.extend(phone(&value, None)),
            Some(own) => drop(fields.insert(own.to_owned(), text(&value).map_or(value, Value::String))),
            None => drop(metadata.insert(name.clone(), value)),
        }
    }
    if !metadata.is_empty() {
        fields.insert("metadata".to_owned(), metadata.into());
    }
    if errors.is_empty() { Ok(fields) } else { Err(Error::Invalid(errors)) }
}

/// A form field of a user, null where it is unset.
pub(super) fn field(user: &User, name: &str) -> Value {
    let shown = user.fields.show();
    match own(name) {
        Some("phone") => phone_of(user).into(),
        Some(own) => shown.get(own).cloned().unwrap_or_default(),
        None => shown.get("metadata").and_then(|metadata| metadata.get(name)).cloned().unwrap_or_default(),
    }
}

/// All form fields of a user that are set.
pub(super) fn all(user: &User) -> Map<String, Value> {
    let shown = user.fields.show();
    let theirs = |own: &str| {
        NAMES.iter().find(|(_, ours)| *ours == own).map_or(own.to_owned(), |(theirs, _)| (*theirs).to_owned())
    };
    let own = shown.iter().filter(|(name, value)| !value.is_null() && !SYSTEM.contains(&name.as_str()));
    let mut all: Map<_, _> = own.map(|(name, value)| (theirs(name), value.clone())).collect();
    all.remove(PHONE.1);
    all.extend(phone_of(user).map(|phone| ("phone".to_owned(), phone.into())));
    if let Some(Value::Object(metadata)) = shown.get("metadata") {
        all.extend(metadata.clone());
    }
    all
}

/// An entry of the document that must be there.
///
/// # Errors
/// [`Error::Invalid`].
pub(super) fn required<'a>(doc: &'a Value, name: &str) -> Result<&'a Value, Error> {
    let missing = || Error::Invalid(vec![FieldError::new(&format!("/{name}"), "required", "is required")]);
    given(doc, name).ok_or_else(missing)
}

/// The rows of a list in the document, 1 to 20; a single object is a list of one.
///
/// # Errors
/// [`Error::Invalid`].
pub(super) fn rows<'a>(doc: &'a Value, name: &str) -> Result<&'a [Value], Error> {
    let sent = required(doc, name)?;
    let rows = sent.as_array().map_or(std::slice::from_ref(sent), Vec::as_slice);
    if (1..=20).contains(&rows.len()) && rows.iter().all(Value::is_object) {
        return Ok(rows);
    }
    Err(Error::invalid(&format!("/{name}"), "invalid_type", "must be an object, or an array of 1 to 20 objects"))
}
