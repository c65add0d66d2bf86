//! What is sent, in the names of the domain.

use std::collections::{BTreeMap, BTreeSet};

use domain::language::ListedLanguage;
use domain::{Body as _, Error, Field as _, FieldError, PartnerFields, PartnerId, SegmentId, User};
use edge::App;
use serde_json::{Map, Value};

use crate::b2b::refused::Refused;
use crate::lenient::{given, switch, text, time};

/// The fields of a user, as they are called here and there.
const USER: [(&str, &str); 4] =
    [("idRemote", "reference_id"), ("username", "username"), ("name", "name"), ("email", "email")];

/// The fields of a partner.
const PARTNER: [(&str, &str); 5] = [
    ("idRemote", "reference_id"),
    ("contactName", "contact_name"),
    ("commercialName", "commercial_name"),
    ("tin", "tin"),
    ("role", "role"),
];

/// What a partner always has.
const NAMED_BY: &str = "commercialName";

/// What a user must have.
const REQUIRED: [&str; 5] = ["username", "name", "languageId", "email", "businessPartnerId"];

/// What is told of what cannot be a time.
pub(super) const NO_TIME: &str = "must be a day or a time, such as 2026-01-31 or 2026-01-31 09:30:00";

/// What the bodies of users name, as it was found.
pub(super) struct Named {
    partners: BTreeMap<String, PartnerId>,
}

impl Named {
    /// Finds what bodies name: 1 read for each 50 partners, none where none is named.
    ///
    /// # Errors
    /// [`Refused`] with the first that is not there.
    pub(super) async fn find(app: &App, segment: SegmentId, bodies: &[Value]) -> Result<Self, Refused> {
        let named = |field: &'static str| {
            bodies.iter().filter_map(move |body| given(body, field).and_then(text)).collect::<BTreeSet<_>>()
        };
        if let Some(unknown) = named("languageId").into_iter().find(|id| language(id).is_none()) {
            return Err(Refused::of(Error::NotFound, "Language", &unknown));
        }
        let wanted = named("businessPartnerId");
        let partners = app.store.partners_named(segment, &wanted).await?;
        match wanted.into_iter().find(|id| !partners.contains_key(id)) {
            Some(unknown) => Err(Refused::of(Error::NotFound, "BusinessPartner", &unknown)),
            None => Ok(Self { partners }),
        }
    }

    /// The body of a user as the domain reads it: what is left out stays out. `before` is the user that it changes.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub(super) fn user(&self, body: &Value, before: Option<&User>, at: &str) -> Result<Value, Error> {
        let mut user = renamed(body, &USER, at)?;
        let mut errors = Vec::new();
        let mut put = |(from, to): (&str, &str), wrong: &str, read: &dyn Fn(&str) -> Option<Value>| {
            let Some(sent) = body.get(from) else { return };
            let value = match given(body, from) {
                None => Some(Value::Null),
                Some(_) => text(sent).and_then(|text| read(&text)),
            };
            match value {
                Some(value) => drop(user.insert(to.to_owned(), value)),
                None => errors.push(FieldError::new(&format!("{at}/{from}"), "invalid_type", wrong)),
            }
        };
        // The region of a language stays, where the language does.
        let had = before.and_then(|user| user.fields.language.as_ref());
        put(("languageId", "language"), "must be the id of a language", &|id| {
            let new = language(id)?;
            let kept = had.filter(|had| ListedLanguage::of(had) == Some(new));
            Some(kept.map_or_else(|| new.code().into(), domain::Field::show))
        });
        let wrong = "must be the id or the remote id of a business partner";
        put(("businessPartnerId", "partner_id"), wrong, &|id| self.partners.get(id).map(domain::Field::show));
        put(("dateValid", "valid_until"), NO_TIME, &|text| time(text).map(|time| time.show()));
        if let Some(active) = given(body, "active") {
            match switch(active) {
                Some(active) => {
                    drop(user.insert("status".to_owned(), if active { "ACTIVE" } else { "BLOCKED" }.into()))
                }
                None => errors.push(FieldError::new(&format!("{at}/active"), "invalid_type", "must be true or false")),
            }
        }
        if errors.is_empty() { Ok(user.into()) } else { Err(Error::Invalid(errors)) }
    }
}

/// The object that a body is, or the only one of an array.
///
/// # Errors
/// [`Error::Invalid`].
pub(super) fn one(body: Value) -> Result<Value, Error> {
    let object = match body {
        Value::Array(rows) => <[Value; 1]>::try_from(rows).ok().map(|[only]| only),
        object @ Value::Object(_) => Some(object),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    };
    let wrong = || Error::invalid("", "invalid_type", "The body must be an object.");
    object.filter(Value::is_object).ok_or_else(wrong)
}

/// The change of a user that a body is, without `idRemote`, which stays.
///
/// # Errors
/// [`Error::Invalid`] with each field that a user must have and that is null or blank.
pub(super) fn change(body: Value) -> Result<Value, Error> {
    let mut change = one(body)?;
    let cleared = REQUIRED.iter().filter(|name| change.get(*name).is_some() && given(&change, name).is_none());
    let errors: Vec<_> = cleared.map(|name| FieldError::new(&format!("/{name}"), "required", "is required")).collect();
    if let Some(fields) = change.as_object_mut() {
        fields.remove("idRemote");
    }
    if errors.is_empty() { Ok(change) } else { Err(Error::Invalid(errors)) }
}

/// The users that are to be created, each an object with what it must have: an array, or one user by itself.
///
/// # Errors
/// [`Error::Invalid`].
pub(super) fn rows(body: Value) -> Result<Vec<Value>, Error> {
    let rows = match body {
        Value::Array(rows) => rows,
        one @ Value::Object(_) => vec![one],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return Err(Error::invalid("", "invalid_type", "The body must be an array of users."));
        }
    };
    if rows.is_empty() || rows.len() > 100 {
        return Err(Error::invalid("", "invalid_length", "The body must have 1 to 100 users."));
    }
    let mut errors = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        if !row.is_object() {
            return Err(Error::invalid("", "invalid_type", "The body must be an array of users."));
        }
        let missing = REQUIRED.iter().filter(|name| given(row, name).is_none());
        errors.extend(missing.map(|name| FieldError::new(&format!("/{index}/{name}"), "required", "is required")));
    }
    if errors.is_empty() { Ok(rows) } else { Err(Error::Invalid(errors)) }
}

/// The body of a partner as the domain reads it; `at` is its place.
///
/// # Errors
/// [`Error::Invalid`].
pub(super) fn partner(body: &Value, at: &str) -> Result<Value, Error> {
    if !body.is_object() {
        return Err(Error::invalid("", "invalid_type", "The body must be an object."));
    }
    if body.get(NAMED_BY).is_some() && given(body, NAMED_BY).is_none() {
        return Err(Error::invalid(&format!("{at}/{NAMED_BY}"), "required", "is required"));
    }
    let mut partner = renamed(body, &PARTNER, at)?;
    if let Some(status) = given(body, "status") {
        let wrong = || Error::invalid(&format!("{at}/status"), "invalid_type", "must be true or false");
        partner.insert("status".to_owned(), switch(status).ok_or_else(wrong)?.into());
    }
    Ok(partner.into())
}

/// The partners of an array that are to be created, 1 to 20.
///
/// # Errors
/// [`Error::Invalid`].
pub(super) fn partners(rows: &[Value]) -> Result<Vec<PartnerFields>, Error> {
    if rows.is_empty() || rows.len() > 20 {
        return Err(Error::invalid("", "invalid_length", "The body must have 1 to 20 business partners."));
    }
    let rows = rows.iter().enumerate().map(|(index, row)| {
        let at = format!("/{index}");
        let fields = PartnerFields::parse(partner(row, &at)?);
        fields.map_err(|error| {
            error.map_fields(|field| FieldError { pointer: format!("{at}{}", field.pointer), ..field })
        })
    });
    rows.collect()
}

/// The fields that are sent, under the domain's names: null where they are unset.
fn renamed(body: &Value, names: &[(&str, &str)], at: &str) -> Result<Map<String, Value>, Error> {
    let (mut fields, mut errors) = (Map::new(), Vec::new());
    for (from, to) in names.iter().filter(|(from, _)| body.get(*from).is_some()) {
        match given(body, from).map(text) {
            None => drop(fields.insert((*to).to_owned(), Value::Null)),
            Some(Some(text)) => drop(fields.insert((*to).to_owned(), text.into())),
            Some(None) => errors.push(FieldError::new(&format!("{at}/{from}"), "invalid_type", "must be a string")),
        }
    }
    if errors.is_empty() { Ok(fields) } else { Err(Error::Invalid(errors)) }
}

fn language(id: &str) -> Option<ListedLanguage> {
    id.parse().ok().and_then(ListedLanguage::with_id)
}
