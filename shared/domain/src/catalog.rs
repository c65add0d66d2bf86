//! Choices of a list, and catalogs, which several custom fields share.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};

use crate::error::FieldError;
use crate::field::{Field, Flag, Pointer};
use crate::id::{CatalogId, SegmentId};
use crate::normalize::without_invisible;
use crate::text::Name;
use crate::value::{List, distinct};
use crate::{body, nested, object, text};

/// How many choices a list may have.
pub const MOST_CHOICES: usize = 1000;

text!(
    /// The key of a choice: what an answer holds.
    ChoiceKey, digits 1..=64, example "bbva", normalize crate::normalize::normalize_identifier, |_| Ok(())
);

text!(
    /// The text of a choice: what people read.
    Label, digits 1..=200, example "BBVA", |_| Ok(())
);

nested! {
    /// One thing that can be chosen.
    pub struct Choice {
        /// What an answer holds; no other choice of the list has it.
        pub key: ChoiceKey,
        /// What people read.
        pub value: Label,
        /// Whether it can be chosen; one that is off stays where it has been chosen before.
        pub status: Flag<true>,
    }
}

/// A list of choices, at most [`MOST_CHOICES`], no two with the same key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Choices(List<Choice, MOST_CHOICES>);

impl Choices {
    /// The choices in their order.
    #[must_use]
    pub fn as_slice(&self) -> &[Choice] {
        &self.0.0
    }
}

impl ChoiceKey {
    /// The form in which two keys are the same: without what is invisible.
    #[must_use]
    pub fn canonical(&self) -> String {
        without_invisible(&self.0)
    }
}

impl Field for Choices {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        let list = List::<Choice, MOST_CHOICES>::read(value, at, errors)?;
        distinct(&list.0, |choice| choice.key.canonical(), at, errors).then_some(Self(list))
    }

    fn show(&self) -> Value {
        self.0.show()
    }

    fn schema() -> RefOr<Schema> {
        List::<Choice, MOST_CHOICES>::schema()
    }

    fn response_schema() -> RefOr<Schema> {
        List::<Choice, MOST_CHOICES>::response_schema()
    }
}

body! {
    /// What is written about a catalog.
    #[derive(Serialize, Deserialize)]
    pub struct CatalogFields {
        /// What it is called.
        pub name: Name,
        /// Its choices, in the order in which they are shown.
        pub options: Choices,
    }
    example {
        "name": "Banks",
        "options": [
            { "key": "bbva", "value": "BBVA", "status": true },
            { "key": "banorte", "value": "Banorte", "status": true }
        ]
    }
    patch { "name": "Banks of Mexico" }
}

object! {
    /// A list of choices that the dropdowns of a segment's memberships share.
    pub struct Catalog of CatalogFields {
        /// Its id.
        pub id: CatalogId = "0199d2a4-5c00-7000-8000-00000000ca01",
        /// The segment that it belongs to.
        pub segment_id: SegmentId = "0199d2a4-5c00-7000-8000-0000000005e6",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::field::{Body as _, MergePatch};
    use serde_json::json;

    fn of(count: usize) -> Value {
        let options: Vec<_> = (0..count).map(|key| json!({ "key": key.to_string(), "value": "x" })).collect();
        json!({ "name": "C", "options": options })
    }

    #[test]
    fn a_catalog_has_at_most_a_thousand_options() {
        assert!(CatalogFields::parse(of(1000)).is_ok());
        let Err(Error::Invalid(errors)) = CatalogFields::parse(of(1001)) else { panic!("accepted") };
        assert_eq!(errors.iter().map(|e| (e.pointer.as_str(), e.code)).collect::<Vec<_>>(), [("/options", "too_long")]);
    }

    #[test]
    fn every_option_that_is_wrong_is_told() {
        let options = json!([{ "key": "", "value": "x" }, { "value": "x" }, { "key": "b", "value": "x", "color": 1 }]);
        let Err(Error::Invalid(errors)) = CatalogFields::parse(json!({ "name": "C", "options": options })) else {
            panic!("accepted");
        };
        let found: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), error.code)).collect();
        let expected =
            [("/options/0/key", "too_short"), ("/options/1/key", "required"), ("/options/2/color", "unknown")];
        assert_eq!(found, expected);
    }

    #[test]
    fn every_example_is_accepted() {
        assert!(CatalogFields::parse(CatalogFields::example()).is_ok());
        assert!(MergePatch::<CatalogFields>::parse(CatalogFields::patch_example()).is_ok());
    }
}
