//! Request bodies, each declared once.

use serde_json::{Map, Value};
use utoipa::openapi::{RefOr, Schema};

use crate::error::{Error, FieldError};
use crate::field::Fields;
use crate::parsed::ParsedBody;

/// A request body: an object with known fields, made by [`body!`](macro@crate::body).
pub trait Body: Sized {
    /// The names of its fields, where they are known beforehand.
    const NAMES: &[&str] = &[];

    /// JSON pointers of fields that say more of another one, which is named second: a patch of only the other one clears them.
    const DEPENDENT: &[(&str, &str)] = &[];

    /// Reads each field out of `fields`.
    fn read(fields: &mut Fields<'_>) -> Option<Self>;

    /// What its fields break together; each alone is sound.
    fn rules(&self, _errors: &mut Vec<FieldError>) {}

    /// What a change of `before` into this must not change.
    fn fixed(&self, _before: &Self, _errors: &mut Vec<FieldError>) {}

    /// A body that is accepted, for the OpenAPI document.
    fn example() -> Value;

    /// The fields as clients see them, which is also what a merge patch is applied to.
    fn show(&self) -> Map<String, Value>;

    /// A merge patch of this body that is accepted, for the OpenAPI document.
    fn patch_example() -> Value {
        Self::example()
    }

    /// The body's schema in the OpenAPI document, as clients may send it.
    fn schema() -> RefOr<Schema>;

    /// The body's schema as clients see it: without what only requests may write.
    fn response_schema() -> RefOr<Schema> {
        Self::schema()
    }

    /// Reads `value`, answering every error at once.
    ///
    /// # Errors
    /// [`Error::Invalid`] with one entry for each field that is wrong, missing or unknown.
    fn parse(value: Value) -> Result<Self, Error> {
        ParsedBody::parse(value).into_result()
    }
}

/// The name of a field as clients write it.
#[doc(hidden)]
#[macro_export]
macro_rules! field_name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $as:literal) => {
        $as
    };
}

/// Declares a request body once: the struct, how it is read, and its schema, which therefore cannot drift apart.
///
/// A field that older items lack is marked `#[serde(default)]`.
/// A field whose name Rust keeps for itself is written `pub kind as "type": …`; such a body derives serde's traits.
/// `patch` is an example of a patch, `rules` a method that tells what fields break together, and `fixed` names the
/// fields that a patch must leave as they are, `dependent` those that a patch of another field clears.
#[macro_export]
macro_rules! body {
    (
        $(#[doc = $doc:literal])* $(#[derive($($derive:ident),*)])?
        pub struct $name:ident {
            $( $(#[doc = $field_doc:literal])* $(#[serde($serde:ident)])? pub $field:ident $(as $as:literal)? : $kind:ty, )*
        }
        example $example:tt
        $(patch $patch:tt)?
        $(fixed [$($fixed:ident),*])?
        $(dependent [$($dependent:literal of $other:literal),*])?
        $(rules $rules:path)?
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone $($(, $derive)*)?)]
        pub struct $name { $( $(#[doc = $field_doc])* $(#[serde($serde)])? $(#[serde(rename = $as)])? pub $field: $kind, )* }

        impl $crate::field::Body for $name {
            const NAMES: &[&str] = &[$($crate::field_name!($field $($as)?)),*];
            $(const DEPENDENT: &[(&str, &str)] = &[$(($dependent, $other)),*];)?

            fn read(fields: &mut $crate::field::Fields<'_>) -> Option<Self> {
                // Each field is read before any is missed, so that all errors are found at once.
                $( let $field: Option<$kind> = fields.take($crate::field_name!($field $($as)?)); )*
                Some(Self { $( $field: $field?, )* })
            }

            fn show(&self) -> serde_json::Map<String, serde_json::Value> {
                [$( ($crate::field_name!($field $($as)?).to_owned(), $crate::field::Field::show(&self.$field)), )*].into_iter().collect()
            }

            fn example() -> serde_json::Value {
                serde_json::json!($example)
            }

            $(fn rules(&self, errors: &mut Vec<$crate::error::FieldError>) {
                $rules(self, errors);
            })?

            $(fn fixed(&self, before: &Self, errors: &mut Vec<$crate::error::FieldError>) {
                $(if self.$fixed != before.$fixed {
                    let at = $crate::field::Pointer::root().child(stringify!($fixed));
                    errors.push(at.error("immutable", "cannot be changed; leave it out"));
                })*
            })?

            $(fn patch_example() -> serde_json::Value {
                serde_json::json!($patch)
            })?

            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::field::object_schema(
                    concat!($($doc),*),
                    Some(<Self as $crate::field::Body>::example()),
                    vec![$( (
                        $crate::field_name!($field $($as)?),
                        concat!($($field_doc),*),
                        <$kind as $crate::field::Field>::REQUIRED,
                        <$kind as $crate::field::Field>::schema(),
                    ), )*],
                )
            }

            fn response_schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::field::response_object(
                    concat!($($doc),*),
                    Some(<Self as $crate::field::Body>::example()),
                    vec![$( (
                        $crate::field_name!($field $($as)?),
                        concat!($($field_doc),*),
                        true,
                        <$kind as $crate::field::Field>::response_schema(),
                    ), )*],
                )
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                <Self as $crate::field::Body>::schema()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

#[cfg(test)]
#[expect(unreachable_pub, reason = "the macro declares what other crates use")]
mod tests {
    use super::*;
    use crate::field::{Flag, MergePatch};
    use crate::text::Name;
    use serde_json::json;

    body! {
        /// A body.
        pub struct Sample {
            /// Must be there.
            pub wanted: Name,
            /// May be left out.
            pub free: Option<Name>,
            /// On unless switched off.
            pub on: Flag<true>,
        }
        example { "wanted": "x" }
    }

    fn found(result: Result<Sample, Error>) -> Vec<(String, &'static str)> {
        match result {
            Err(Error::Invalid(errors)) => errors.into_iter().map(|error| (error.pointer, error.code)).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn every_error_is_reported_at_once_with_its_pointer() {
        let errors = found(Sample::parse(json!({ "free": true, "a/b~": 1 })));
        let expected = [("/wanted", "required"), ("/free", "invalid_type"), ("/a~1b~0", "unknown")];
        assert_eq!(errors, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
    }

    #[test]
    fn body_is_read_without_optional_fields_that_have_an_error() -> Result<(), Error> {
        let mut parsed = ParsedBody::<Sample>::parse(json!({ "wanted": "x", "free": { "a": 1 }, "on": 1 }));
        let body = parsed.readable()?;
        assert_eq!((body.wanted.as_str(), body.free.is_some(), body.on.0), ("x", false, true));
        assert!(parsed.has_error("free") && !parsed.has_error("fre") && !parsed.has_error("wanted"));
        parsed.check(|_| {
            ["/free", "/free/a", "/wanted"].map(|pointer| FieldError::new(pointer, "taken", "is taken")).into()
        });
        let codes = found(parsed.into_result());
        let expected = [("/free", "invalid_type"), ("/on", "invalid_type"), ("/wanted", "taken")];
        assert_eq!(codes, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
        assert!(ParsedBody::<Sample>::parse(json!({ "free": "y" })).readable().is_err(), "a required field is missing");
        Ok(())
    }

    #[test]
    fn patch_with_an_error_is_never_applied() -> Result<(), Error> {
        let before = Sample::parse(json!({ "wanted": "x", "free": "y", "on": false }))?;
        for (patch, expected) in [
            (json!({ "wanted": "z", "free": 1 }), vec![("/free", "invalid_type")]),
            (json!({ "wanted": "z", "other": 1 }), vec![("/other", "unknown")]),
            (json!({ "wanted": null, "free": 1 }), vec![("/wanted", "invalid_type"), ("/free", "invalid_type")]),
            (json!([]), vec![("", "invalid_type")]),
        ] {
            let applied = MergePatch::<Sample>::read(patch.clone()).apply_to(&before);
            let expected: Vec<_> = expected.into_iter().map(|(pointer, code)| (pointer.to_owned(), code)).collect();
            assert_eq!(found(applied.into_result()), expected, "{patch}");
        }
        Ok(())
    }

    #[test]
    fn a_patch_keeps_what_it_leaves_out_and_clears_what_it_nulls() -> Result<(), Error> {
        let before = Sample::parse(json!({ "wanted": "x", "free": "y", "on": false }))?;
        let after = MergePatch::<Sample>::parse(json!({ "free": null }))?.apply(&before)?;
        assert_eq!((after.wanted.as_str(), after.free, after.on.0), ("x", None, false));
        let after = MergePatch::<Sample>::parse(json!({ "on": null }))?.apply(&before)?;
        assert!(after.on.0, "null brings the default back");
        Ok(())
    }

    #[test]
    fn a_patch_may_not_clear_a_required_field_nor_name_an_unknown_one() {
        let Err(Error::Invalid(errors)) = MergePatch::<Sample>::parse(json!({ "wanted": null, "other": null })) else {
            panic!("accepted");
        };
        let found: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), error.code)).collect();
        assert_eq!(found, [("/wanted", "invalid_type"), ("/other", "unknown")]);
    }
}
