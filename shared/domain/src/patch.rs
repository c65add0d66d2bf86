//! Merge patches: what a `PATCH` does to a body.

use std::marker::PhantomData;

use serde_json::{Map, Value};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::error::{Error, FieldError};
use crate::field::{Body, Pointer, read_object};
use crate::parsed::ParsedBody;

/// A JSON Merge Patch (RFC 7396) of a body of type `T`: absent stays, `null` clears, objects merge.
#[derive(Debug, Clone)]
pub struct MergePatch<T> {
    patch: Value,
    /// The errors of the patch by itself; `patch` is without the members that have one.
    errors: Vec<FieldError>,
    of: PhantomData<T>,
}

impl<T: Body> MergePatch<T> {
    /// Reads a patch. Its errors are reported when it is applied, with those of the result.
    #[must_use]
    pub fn read(mut patch: Value) -> Self {
        let mut errors = Vec::new();
        read_object(patch.clone(), &Pointer::root(), &mut errors, T::read);
        // What the patch leaves out, the object has.
        errors.retain(|error| error.code != "required");
        match patch.as_object_mut() {
            Some(members) => members.retain(|name, _| {
                let at = Pointer::root().child(name);
                !errors.iter().any(|error| error.is_within(at.as_str()))
            }),
            None => patch = Value::Object(Map::new()),
        }
        Self { patch, errors, of: PhantomData }
    }

    /// Reads a patch; what is wrong whatever the patch is applied to is found here already.
    ///
    /// # Errors
    /// [`Error::Invalid`] with one entry for each field that is wrong or unknown.
    pub fn parse(patch: Value) -> Result<Self, Error> {
        let read = Self::read(patch);
        if read.errors.is_empty() { Ok(read) } else { Err(Error::Invalid(read.errors)) }
    }

    /// Whether the patch says anything of a field.
    #[must_use]
    pub fn names(&self, field: &str) -> bool {
        self.patch.get(field).is_some()
    }

    /// Takes a member out of the patch that is no part of the body; `None` where it is absent, null or no text.
    pub fn take_text(&mut self, name: &str) -> Option<String> {
        match self.patch.as_object_mut()?.shift_remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// `current` with the patch applied, checked as a whole.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the result would break a rule, or something changes that is fixed.
    pub fn apply(self, current: &T) -> Result<T, Error> {
        self.apply_to(current).into_result()
    }

    /// `current` with the patch applied, and the errors of both. Fields with an error are as `current` has them.
    #[must_use]
    pub fn apply_to(mut self, current: &T) -> ParsedBody<T> {
        let mut merged = Value::Object(current.show());
        for (dependent, other) in T::DEPENDENT {
            let (parent, name) = dependent.rsplit_once('/').unwrap_or_default();
            let is_changed = self.patch.pointer(other).is_some() && self.patch.pointer(dependent).is_none();
            if let Some(Value::Object(parent)) = self.patch.pointer_mut(parent).filter(|_| is_changed) {
                parent.insert(name.to_owned(), Value::Null);
            }
        }
        merge(&mut merged, self.patch);
        let mut changed = ParsedBody::with_errors(merged, self.errors);
        changed.check(|changed: &T| {
            let mut errors = Vec::new();
            changed.fixed(current, &mut errors);
            errors
        });
        changed
    }
}

/// The algorithm of RFC 7396, section 2.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(target) = target {
        for (name, value) in patch {
            if value.is_null() {
                target.remove(&name);
            } else {
                merge(target.entry(name).or_insert(Value::Null), value);
            }
        }
    }
}

impl<T: Body> PartialSchema for MergePatch<T> {
    /// The schema of `T` with nothing required.
    fn schema() -> RefOr<Schema> {
        let mut schema = T::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.required.clear();
            object.examples = vec![T::patch_example()];
            object.description = Some("A JSON Merge Patch: absent stays, null clears.".to_owned());
        }
        schema
    }
}

impl<T: Body + ToSchema> ToSchema for MergePatch<T> {
    fn name() -> std::borrow::Cow<'static, str> {
        format!("{}Patch", T::name().trim_end_matches("Fields")).into()
    }
}
