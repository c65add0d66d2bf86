//! Form fields by name: a user's own fields, and else its metadata.

use domain::field::Pointer;
use domain::json::read_json;
use domain::normalize::{normalize_lines, normalize_text};
use domain::segment::Settings;
use domain::text::Country;
use domain::{Body as _, Error, FieldError, User, UserFields, max_length};
use serde_json::{Map, Value, json};

use crate::lenient::{PHONE, day, given, is_blank, phone, phone_of, text};

/// The form field of the e-mail.
pub(super) const EMAIL: &str = "main_email";

/// Form fields that the domain calls otherwise.
const NAMES: [(&str, &str); 2] = [(EMAIL, "email"), ("first_name", "name")];

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

/// A user's own fields that a form may call so and mean something else: a value that does not fit stays form text.
const TYPED: [&str; 12] = [
    "gender",
    "birthdate",
    "nationality",
    "operation_country",
    "language",
    "identification",
    "tax_identification",
    "tax_condition",
    "legal_address",
    "country",
    "state",
    "city",
];

/// The typed fields that are a place, of which a form writes the name.
const PLACES: [&str; 3] = ["country", "state", "city"];

/// The typed fields whose words may be written in any case.
const WORDS: [&str; 3] = ["gender", "nationality", "operation_country"];

/// Whether no form writes this field.
pub(super) fn is_system(name: &str) -> bool {
    SYSTEM.contains(&name) || name.starts_with('_')
}

/// The name that the domain has for a form field, if it is a field of a user.
pub(super) fn own(name: &str) -> Option<&str> {
    let name = NAMES.iter().find(|(theirs, _)| *theirs == name).map_or(name, |(_, ours)| ours);
    UserFields::NAMES.contains(&name).then_some(name)
}

/// The country of a phone without a calling code: the segment's, else the user's `operation_country`.
pub(super) fn phone_country(settings: Option<&Settings>, doc: &Value, user: Option<&User>) -> Option<Country> {
    let of_doc = || given(doc, "operation_country").and_then(word).and_then(|word| Country::parse(&word).ok());
    let of_user = || user.and_then(|user| user.fields.operation_country.clone());
    settings.and_then(|settings| settings.country.clone()).or_else(of_doc).or_else(of_user)
}

/// Returns the patch of a user, or the fields of a new one, that form fields are; null and blank text unset. `country` is
/// that of phones, `before` the user that is changed.
///
/// # Errors
/// [`Error::Invalid`] for each that is a system field, or has text that is not accepted.
pub(super) fn fields(
    doc: &Value,
    country: Option<&Country>,
    before: Option<&User>,
) -> Result<Map<String, Value>, Error> {
    let had = before.map(|user| user.fields.show().remove("metadata").unwrap_or_default());
    let (mut fields, mut metadata, mut errors) = (Map::new(), Map::new(), Vec::new());
    for name in doc.as_object().into_iter().flat_map(Map::keys) {
        let at = Pointer::root().child("doc").child(name);
        let value = given(doc, name).cloned().unwrap_or_default();
        // The domain's own names of what is called otherwise here are form fields like any other.
        if is_system(name) {
            if !value.is_null() {
                errors.push(at.error("not_applicable", "is a system field, which no form writes"));
            }
            continue;
        }
        let kept = match own(name) {
            Some("phone") => {
                fields.extend(phone(&value, country));
                continue;
            }
            Some(own) if TYPED.contains(&own) => {
                let (field, kept) = read_typed(own, value);
                fields.insert(own.to_owned(), field);
                // A former value that did not fit is replaced too.
                let is_kept = had.as_ref().is_some_and(|had| had.get(name).is_some());
                kept.or(is_kept.then_some(Value::Null))
            }
            Some(own) => {
                let kept = had.as_ref().and_then(|had| had.get(name));
                if kept != Some(&value) {
                    fields.insert(own.to_owned(), as_text(&value));
                }
                // A former value that is form text, as an e-mail of the parent, is replaced too.
                kept.filter(|kept| **kept != value).map(|_| Value::Null)
            }
            None => Some(value),
        };
        if let Some(kept) = kept {
            let (name, value) = (read_name(name, &at, &mut errors), normalize(kept, &at, &mut errors));
            metadata.extend(name.map(|name| (name, value)));
        }
    }
    if !metadata.is_empty() {
        fields.insert("metadata".to_owned(), metadata.into());
    }
    if errors.is_empty() { Ok(fields) } else { Err(Error::Invalid(errors)) }
}

/// The fields of a new user, of which nothing is unset.
pub(super) fn without_nulls(mut fields: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::Object(metadata)) = fields.get_mut("metadata") {
        metadata.retain(|_, value| !value.is_null());
    }
    fields.retain(|name, value| !value.is_null() && (name != "metadata" || *value != json!({})));
    fields
}

/// Reads a value as the user's own field, and what is kept as form text where it does not fit. An object is meant for the
/// field, and has the domain's errors.
fn read_typed(own: &str, value: Value) -> (Value, Option<Value>) {
    let field = match text(&value) {
        Some(name) if PLACES.contains(&own) => json!({ "code": null, "name": name }),
        Some(_) if own == "birthdate" => day(&value),
        Some(_) if WORDS.contains(&own) => word(&value).into(),
        Some(text) => text.into(),
        None => value.clone(),
    };
    let fits = || UserFields::parse(Value::Object(Map::from_iter([(own.to_owned(), field.clone())]))).is_ok();
    if value.is_null() || value.is_object() || fits() { (field, None) } else { (Value::Null, Some(value)) }
}

/// A word in capital letters.
fn word(value: &Value) -> Option<String> {
    text(value).map(|word| word.to_uppercase())
}

/// A number as text; anything else as it is.
pub(super) fn as_text(value: &Value) -> Value {
    text(value).map_or_else(|| value.clone(), Value::String)
}

/// The name of a form field as it is kept.
fn read_name(name: &str, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<String> {
    normalize_text(name, max_length!(100)).map_err(|(code, message)| errors.push(at.error(code, message))).ok()
}

/// A value whose texts have the form of all text from outside.
fn normalize(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Value {
    match value {
        Value::String(text) if text.trim().is_empty() => "".into(),
        Value::String(text) => match normalize_lines(&text, max_length!(8192)) {
            Ok(text) => text.into(),
            Err((code, message)) => {
                errors.push(at.error(code, message));
                Value::Null
            }
        },
        Value::Array(rows) => rows.into_iter().map(|row| normalize(row, at, errors)).collect(),
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (name, normalize(value, at, errors)));
            Value::Object(members.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

/// A user's own field as a form has it: a place without a code as its name.
fn show_own(own: &str, value: &Value) -> Value {
    let name = value.get("name").filter(|_| PLACES.contains(&own) && value.get("code").is_none_or(Value::is_null));
    name.unwrap_or(value).clone()
}

/// A form field of a user, null where it is unset.
pub(super) fn field(user: &User, name: &str) -> Value {
    let shown = user.fields.show();
    let kept = || shown.get("metadata").and_then(|metadata| metadata.get(name)).cloned();
    let field = match own(name) {
        Some("phone") => phone_of(user).map(Value::from),
        Some(own) => shown.get(own).filter(|value| !value.is_null()).map(|value| show_own(own, value)),
        None => None,
    };
    field.or_else(kept).unwrap_or_default()
}

/// All form fields of a user that are set.
pub(super) fn all(user: &User) -> Map<String, Value> {
    let shown = user.fields.show();
    let theirs = |own: &str| {
        NAMES.iter().find(|(_, ours)| *ours == own).map_or(own.to_owned(), |(theirs, _)| (*theirs).to_owned())
    };
    let own = shown.iter().filter(|(name, value)| !value.is_null() && !SYSTEM.contains(&name.as_str()));
    let mut all: Map<_, _> = own.map(|(name, value)| (theirs(name), show_own(name, value))).collect();
    all.remove(PHONE.1);
    all.extend(phone_of(user).map(|phone| ("phone".to_owned(), phone.into())));
    if let Some(Value::Object(metadata)) = shown.get("metadata") {
        for (name, value) in metadata {
            all.entry(name.clone()).or_insert_with(|| value.clone());
        }
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

/// The rows of a list in the document, 1 to 20; a single object is a list of one. The list and each row may be JSON text.
///
/// # Errors
/// [`Error::Invalid`].
pub(super) fn rows(doc: &Value, name: &str) -> Result<Vec<Value>, Error> {
    let rows = match nested(required(doc, name)?) {
        Value::Array(rows) => rows.iter().map(nested).collect(),
        one @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => vec![one],
    };
    if (1..=20).contains(&rows.len()) && rows.iter().all(Value::is_object) {
        return Ok(rows);
    }
    Err(Error::invalid(&format!("/{name}"), "invalid_type", "must be an object, or an array of 1 to 20 objects"))
}

/// A value that may have been sent as JSON text, as programs without nested form fields do.
pub(super) fn nested(value: &Value) -> Value {
    let parsed = value.as_str().and_then(|text| read_json(text.as_bytes()).ok());
    parsed.unwrap_or_else(|| value.clone())
}

/// Whether a document says nothing: null, blank text, or an array of such values.
pub(super) fn is_empty(value: &Value) -> bool {
    is_blank(value) || value.as_array().is_some_and(|rows| rows.iter().all(is_blank))
}
