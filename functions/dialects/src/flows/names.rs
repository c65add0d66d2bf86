//! How the fields of a thing are called and written there, and how here: one table a thing, read in both directions.

use domain::error::FieldError;
use domain::text::Country;
use domain::{Error, Field, field::Pointer};
use edge::Failure;
use serde_json::{Map, Value, json};

use super::forms::{color, fixed, number, part, phone, place, switch, text, trimmed, word};
use crate::lenient;

/// A body, or part of one.
pub(crate) type Fields = Map<String, Value>;

/// A field by the name that it has there and the one that it has here.
pub(crate) type Named = (&'static str, &'static str, Form);

/// How a field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it is.
    Same,
    /// As text; the digits of a number count as text.
    Text,
    /// As a secret, of which white space counts; the digits of a number count as text.
    Secret,
    /// As a word in capital letters here, in small letters there.
    Word,
    /// As a phone: its number and the spelling that was sent here, the spelling there.
    Phone,
    /// As a switch, in whatever way it comes.
    Switch,
    /// As a whole number, in whatever way it comes.
    Count,
    /// As a whole number here, as text with two decimals there.
    Whole,
    /// Only shown: it is never changed.
    Shown,
    /// As a number of degrees here, as text with two decimals there.
    Degrees,
    /// As a day here, as a time there.
    Day,
    /// As a country, state or city.
    Place,
    /// As a color; what is none, such as a name, as it comes.
    Color,
    /// As it comes, whatever that is: Muster has no use for it, and keeps it in the metadata. With its meaning.
    Kept(&'static str),
    /// As [`Form::Kept`], a switch; what is none is not set.
    KeptSwitch(&'static str),
    /// As [`Form::Kept`], a country, state or city of which Muster has no use.
    KeptPlace(&'static str),
}

/// Under which name the metadata keep what only this dialect's clients know.
pub(crate) const KEPT: &str = "flows";

/// The fields of a thing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names(pub(crate) &'static [Named]);

impl Names {
    /// What of a body is known, as `/v1` takes it; of a new thing, without what is not set.
    pub(crate) fn read(self, body: Fields, is_new: bool) -> Fields {
        self.read_in(body, is_new, None)
    }

    /// As [`Names::read`], where phones without a calling code are of this country.
    pub(crate) fn read_in(self, mut body: Fields, is_new: bool, country: Option<&Country>) -> Fields {
        let (mut read, mut kept) = (Fields::new(), Fields::new());
        for (theirs, ours, form) in self.0 {
            let Some(value) = body.remove(*theirs) else { continue };
            // A client without a value writes blank text as often as null. Of a secret white space counts.
            let is_secret = *form == Form::Secret && !lenient::is_blank(&value);
            let value = if is_secret { value } else { trimmed(value) };
            let value = match form {
                Form::Shown => continue,
                Form::Phone => {
                    read.extend(phone(&value, country));
                    continue;
                }
                Form::Kept(_) | Form::KeptPlace(_) => {
                    kept.insert((*theirs).to_owned(), value);
                    continue;
                }
                Form::KeptSwitch(_) => {
                    kept.insert((*theirs).to_owned(), lenient::switch(&value).into());
                    continue;
                }
                Form::Place => {
                    kept.insert(format!("{theirs}_id"), value.get("id").cloned().unwrap_or_default());
                    place(value)
                }
                Form::Color => {
                    let (value, other) = color(value);
                    kept.insert((*theirs).to_owned(), other);
                    value
                }
                Form::Same | Form::Degrees => value,
                Form::Text => text(value),
                Form::Secret => lenient::secret(&value),
                Form::Word => word(value),
                Form::Switch => switch(value),
                Form::Count | Form::Whole => number(value),
                Form::Day => lenient::day(&value),
            };
            read.insert((*ours).to_owned(), value);
        }
        if is_new {
            read.retain(|_, value| !value.is_null());
            kept.retain(|_, value| !value.is_null());
        }
        if !kept.is_empty() {
            read.insert(METADATA.to_owned(), json!({ KEPT: kept }));
        }
        read
    }

    /// A thing of `/v1` as it is shown there.
    pub(crate) fn show(self, thing: &Value) -> Fields {
        let kept = |name: &str| thing.pointer(&format!("/metadata/{KEPT}/{name}")).cloned().unwrap_or_default();
        let shown = self.0.iter().map(|(theirs, ours, form)| {
            let value = thing.get(ours).cloned().unwrap_or_default();
            let value = match form {
                Form::Same | Form::Text | Form::Secret | Form::Switch | Form::Count | Form::Shown => value,
                Form::Word => value.as_str().map_or(Value::Null, |word| word.to_lowercase().into()),
                Form::Phone => match thing.get(lenient::PHONE.1) {
                    Some(Value::String(spelling)) => spelling.as_str().into(),
                    _ => value,
                },
                Form::KeptPlace(_) => {
                    let place = kept(theirs);
                    let id = place.get("id").cloned().unwrap_or_default();
                    json!({ "id": id, "code": part(place.get("code")), "name": part(place.get("name")) })
                }
                Form::KeptSwitch(_) => lenient::switch(&kept(theirs)).into(),
                Form::Whole | Form::Degrees => fixed(&value),
                Form::Day => value.as_str().map_or(Value::Null, |day| format!("{day}T00:00:00.000Z").into()),
                Form::Place => {
                    let part = |name: &str| value.get(name).cloned().unwrap_or_default();
                    json!({ "id": kept(&format!("{theirs}_id")), "code": part("code"), "name": part("name") })
                }
                Form::Color if !value.is_null() => value,
                Form::Color | Form::Kept(_) => kept(theirs),
            };
            ((*theirs).to_owned(), value)
        });
        shown.collect()
    }

    /// A failure that names the fields as they are called there.
    pub(crate) fn tell(self, failure: impl Into<Failure>) -> Failure {
        let failure = failure.into();
        if let Failure::Domain(error) = failure {
            return error.map_fields(|error| self.named(error)).into();
        }
        failure
    }

    fn named(self, error: FieldError) -> FieldError {
        let (name, rest) = match error.pointer.trim_start_matches('/').split_once('/') {
            Some((name, rest)) => (name, format!("/{rest}")),
            None => (error.pointer.trim_start_matches('/'), String::new()),
        };
        if name == METADATA {
            let is_kept =
                |(_, _, form): &&Named| matches!(form, Form::Kept(_) | Form::KeptSwitch(_) | Form::KeptPlace(_));
            let names: Vec<_> = self.0.iter().filter(is_kept).map(|(theirs, ..)| *theirs).collect();
            let message = format!("The values that are only kept {}: {}", error.message, names.join(", "));
            return FieldError { pointer: String::new(), message, ..error };
        }
        let name = if name == lenient::PHONE.1 { lenient::PHONE.0 } else { name };
        match self.0.iter().find(|(_, ours, _)| *ours == name) {
            Some((theirs, _, form)) => {
                // The domain names its own words, which are in capital letters.
                let is_choice = *form == Form::Word && error.code == "invalid_choice";
                let message = if is_choice { error.message.to_lowercase() } else { error.message };
                FieldError { pointer: format!("/{theirs}{rest}"), message, ..error }
            }
            None => error,
        }
    }
}

/// Where the domain keeps what it has no use for.
const METADATA: &str = "metadata";

/// Takes a field that the dialect itself reads, and that must be there.
///
/// # Errors
/// [`Error::Invalid`] that names it.
pub(crate) fn required<T: Field>(body: &mut Fields, name: &str) -> Result<T, Error> {
    let missing = || Error::invalid(&format!("/{name}"), "required", "is required");
    optional(body, name)?.ok_or_else(missing)
}

/// Takes a field that the dialect itself reads, if it is there and set.
///
/// # Errors
/// [`Error::Invalid`] that names it.
pub(crate) fn optional<T: Field>(body: &mut Fields, name: &str) -> Result<Option<T>, Error> {
    let value = body.remove(name).map(text).unwrap_or_default();
    if lenient::is_blank(&value) {
        return Ok(None);
    }
    let mut errors = Vec::new();
    let read = T::read(value, &Pointer::root().child(name), &mut errors);
    if errors.is_empty() { Ok(read) } else { Err(Error::Invalid(errors)) }
}

/// Takes a switch that the dialect itself reads, if it is there and set.
///
/// # Errors
/// [`Error::Invalid`] that names it.
pub(crate) fn optional_switch(body: &mut Fields, name: &str) -> Result<Option<bool>, Error> {
    let value = switch(trimmed(body.remove(name).unwrap_or_default()));
    let message = "must be true or false";
    match value {
        Value::Null => Ok(None),
        Value::Bool(on) => Ok(Some(on)),
        Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            Err(Error::invalid(&format!("/{name}"), "invalid_type", message))
        }
    }
}

/// What every thing has: its id, whether it is removed, when it was made and last changed; and what its clients know and
/// Muster has no use for.
pub(crate) fn with(mut shown: Fields, thing: &Value, unused: &[&str]) -> Fields {
    for name in ["id", "created_at", "updated_at"] {
        shown.insert(name.to_owned(), thing.get(name).cloned().unwrap_or_default());
    }
    // A user says itself what it is; lists of what is removed say so of each.
    shown.entry("removed").or_insert(false.into());
    shown.extend(unused.iter().map(|name| ((*name).to_owned(), Value::Null)));
    shown
}
