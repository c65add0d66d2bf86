//! The fields of a card user, and what Muster calls them.

use domain::segment::Settings;
use domain::text::Country;
use domain::{Error, Status, User};
use serde_json::{Map, Value, json};

use super::id::{cli, usr};
use crate::lenient::{day, given, is_blank, phone, phone_of, text};

/// What stands alone: their name, ours.
pub(super) const PLAIN: [(&str, &str); 11] = [
    ("name", "name"),
    ("surname", "last_name"),
    ("birthdate", "birthdate"),
    ("gender", "gender"),
    ("email", "email"),
    ("phone", "phone"),
    ("nationality", "nationality"),
    ("tax_condition", "tax_condition"),
    ("operation_country", "operation_country"),
    ("company_id", "partner_id"),
    ("status_reason", "status_reason"),
];

/// What stands within something of ours: their name, ours, and its member.
pub(super) const PARTS: [(&str, &str, &str); 4] = [
    ("identification_type", "identification", "type"),
    ("identification_value", "identification", "value"),
    ("tax_identification_type", "tax_identification", "type"),
    ("tax_identification_value", "tax_identification", "value"),
];

/// The members of a legal address, which are called alike.
const ADDRESS: [&str; 10] = [
    "street_name",
    "street_number",
    "floor",
    "apartment",
    "zip_code",
    "neighborhood",
    "city",
    "region",
    "additional_info",
    "country",
];

/// What nobody is without.
pub(super) const ALWAYS: [&str; 2] = ["email", "operation_country"];

/// What a list calls otherwise than a user: theirs, ours.
pub(super) const LISTED: [(&str, &str); 3] =
    [("surname", "last_name"), ("country_code", "operation_country"), ("company_id", "partner_id")];

/// The user that a body says: its `data`, or, as these clients mostly write it, the body itself.
pub(super) fn data(body: Value) -> Result<Map<String, Value>, Error> {
    let Value::Object(mut body) = body else {
        return Err(Error::invalid("", "invalid_type", "The body must be an object."));
    };
    match body.remove("data") {
        Some(Value::Object(data)) => Ok(data),
        Some(_) => Err(Error::invalid("/data", "invalid_type", "must be an object")),
        None => Ok(body),
    }
}

/// A new user in our words: what is null or empty is left out.
pub(super) fn created(data: &Map<String, Value>, settings: &Settings) -> Value {
    let mut ours = patched(data, Some(settings), None);
    if ours.get("status").and_then(Value::as_str) != Some(Status::Blocked.as_str()) {
        ours.remove("status_reason");
    }
    for name in ["identification", "tax_identification", "legal_address"] {
        if let Some(Value::Object(parts)) = ours.get_mut(name) {
            parts.retain(|_, part| !part.is_null());
            if parts.is_empty() {
                ours.remove(name);
            }
        }
    }
    ours.retain(|_, value| !value.is_null());
    Value::Object(ours)
}

/// A change in our words: what is null or empty clears, what is not known is ignored.
///
/// A phone without a calling code is one of the segment's `country`, or else of the user's `operation_country`.
pub(super) fn patched(
    data: &Map<String, Value>,
    settings: Option<&Settings>,
    before: Option<&User>,
) -> Map<String, Value> {
    let mut ours = Map::new();
    let of_data = data.get("operation_country").and_then(text).and_then(|text| Country::parse(&text).ok());
    let of_user = || before.and_then(|user| user.fields.operation_country.clone());
    let country = settings.and_then(|settings| settings.country.clone()).or(of_data).or_else(of_user);
    // Clients send it with each change; a user who is not blocked has none.
    let has_reason =
        !data.get("status").is_none_or(is_blank) || before.is_none_or(|user| user.status == Status::Blocked);
    for (theirs, our) in PLAIN.into_iter().chain([("status", "status")]) {
        if our == "status_reason" && !has_reason {
            continue;
        }
        if let Some(value) = data.get(theirs) {
            let value = written(value);
            match our {
                "birthdate" => drop(ours.insert(our.to_owned(), day(&value))),
                "phone" => ours.extend(phone(&value, country.as_ref())),
                _ => drop(ours.insert(our.to_owned(), value)),
            }
        }
    }
    for (theirs, our, member) in PARTS {
        let Some(value) = data.get(theirs) else { continue };
        let document = ours.entry(our).or_insert_with(|| Value::Object(Map::new()));
        if let Some(document) = document.as_object_mut() {
            document.insert(member.to_owned(), written(value));
        }
    }
    // A document whose both parts are cleared is none.
    for our in ["identification", "tax_identification"] {
        let cleared = |document: &Map<String, Value>| document.len() == 2 && document.values().all(Value::is_null);
        if ours.get(our).and_then(Value::as_object).is_some_and(cleared) {
            ours.insert(our.to_owned(), Value::Null);
        }
    }
    if let Some(address) = data.get("legal_address") {
        ours.insert("legal_address".to_owned(), legal_address(address));
    }
    ours
}

fn legal_address(address: &Value) -> Value {
    if !address.is_object() {
        return written(address);
    }
    let sent = |name: &str| {
        let also = ALSO.iter().find(|(ours, _)| *ours == name).and_then(|(_, theirs)| address.get(*theirs));
        // A name that is sent blank does not take away what the other one says.
        given(address, name).or(also).or_else(|| address.get(name))
    };
    let known = ADDRESS.iter().filter_map(|name| Some(((*name).to_owned(), written(sent(name)?))));
    Value::Object(known.collect())
}

/// The members of a legal address that clients also write otherwise.
const ALSO: [(&str, &str); 1] = [("zip_code", "zipcode")];

/// A value as the domain reads it: blank text is none, and a number is its digits as they were written.
fn written(value: &Value) -> Value {
    match text(value) {
        Some(text) if text.trim().is_empty() => Value::Null,
        Some(text) => text.into(),
        None => value.clone(),
    }
}

/// Returns an error for each required field that is missing or cleared, and for a block without a reason.
pub(super) fn missing(data: &Map<String, Value>, is_new: bool) -> Vec<domain::FieldError> {
    let lacks = |name: &&&str| match data.get(**name) {
        None => is_new,
        Some(value) => written(value).is_null(),
    };
    let is_blocked = data.get("status").and_then(text).is_some_and(|status| status == Status::Blocked.as_str());
    let has_reason = data.get("status_reason").is_some_and(|reason| !written(reason).is_null());
    let reason = (is_blocked && !has_reason).then_some(&"status_reason");
    ALWAYS.iter().filter(lacks).chain(reason).map(|name| required(name)).collect()
}

/// Returns an error where a change takes away the reason of a user who is blocked and stays so.
pub(super) fn missing_reason(data: &Map<String, Value>, before: &User) -> Option<domain::FieldError> {
    let is_taken = data.get("status_reason").is_some_and(|reason| written(reason).is_null());
    let stays = before.status == Status::Blocked && data.get("status").is_none_or(|status| written(status).is_null());
    (is_taken && stays).then(|| required("status_reason"))
}

fn required(name: &str) -> domain::FieldError {
    domain::FieldError::new(&format!("/{name}"), "required", "is required")
}

/// A user as these clients see it.
pub(super) fn shown(user: &User) -> Value {
    let ours = domain::Object::show(user);
    let mut shown = Map::new();
    if let Some(segment) = user.segment_id {
        shown.insert("id".to_owned(), usr(user.id).into());
        shown.insert("client_id".to_owned(), cli(segment).into());
    }
    shown.insert("status".to_owned(), user.status.as_str().into());
    for (theirs, our) in PLAIN {
        shown.insert(theirs.to_owned(), ours.get(our).cloned().unwrap_or_default());
    }
    shown.insert("phone".to_owned(), phone_of(user).into());
    for (theirs, our, member) in PARTS {
        let part = ours.get(our).and_then(|document| document.get(member));
        shown.insert(theirs.to_owned(), part.cloned().unwrap_or_default());
    }
    for our in ["legal_address", "created_at", "updated_at"] {
        shown.insert(our.to_owned(), ours.get(our).cloned().unwrap_or_default());
    }
    Value::Object(shown)
}

/// Where in a request of theirs the value stands that a pointer of ours is about.
pub(super) fn source(pointer: &str) -> Option<Value> {
    let name = pointer.strip_prefix('/')?;
    if let Some(parameter) = name.strip_prefix("parameter:") {
        return Some(json!({ "parameter": parameter }));
    }
    if let Some(filter) = name.strip_prefix("filter[").and_then(|rest| rest.split_once(']')) {
        let (field, rest) = filter;
        let theirs = LISTED.iter().find(|(_, ours)| *ours == field).map_or(field, |(theirs, _)| theirs);
        return Some(json!({ "parameter": format!("filter[{theirs}]{rest}") }));
    }
    if name.starts_with("page[") || name == "sort" {
        return Some(json!({ "parameter": name }));
    }
    if name == "data" || name.starts_with("data/") || matches!(name, "X-Segment-Id" | "Idempotency-Key") {
        return Some(json!({ "pointer": pointer }));
    }
    let name = if name == "phone_display" { "phone" } else { name };
    let part = PARTS.iter().find(|(_, our, member)| name == format!("{our}/{member}"));
    let whole = PARTS.iter().find(|(_, our, member)| name == *our && *member == "value");
    if let Some((theirs, ..)) = part.or(whole) {
        return Some(json!({ "pointer": format!("/data/{theirs}") }));
    }
    let theirs = PLAIN.iter().find(|(_, ours)| *ours == name).map_or(name, |(theirs, _)| theirs);
    Some(json!({ "pointer": format!("/data/{theirs}") }))
}
