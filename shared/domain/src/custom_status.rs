//! Statuses that the owner of a segment makes up for its users.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};

use crate::error::{Error, FieldError};
use crate::field::{Field, Flag, Pointer};
use crate::id::{SegmentId, StatusId};
use crate::level::Color;
use crate::normalize::{caseless, check_words};
use crate::text::Name;
use crate::user::Unique;
use crate::value::Integer;
use crate::{body, object};

/// The number of a status among those of its segment.
pub type StatusNumber = Integer<1, 2_147_483_647>;

/// A color in small letters, however it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SmallColor(Color);

impl Field for SmallColor {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        let small = value.as_str().map(|text| text.to_ascii_lowercase().into());
        Color::read(small.unwrap_or(value), at, errors).map(Self)
    }

    fn show(&self) -> Value {
        self.0.show()
    }

    fn schema() -> RefOr<Schema> {
        <Color as Field>::schema()
    }

    fn response_schema() -> RefOr<Schema> {
        Color::response_schema()
    }
}

body! {
    /// What is written about a status.
    #[derive(Serialize, Deserialize)]
    pub struct CustomStatusFields {
        /// What it is called; no other status of the segment is called so, in any case.
        pub name: Name,
        /// The color in which it is shown; it is given back in small letters.
        pub color: Option<SmallColor>,
        /// Whether users who have it are shut out, and left out of counts and lists; it stays as it was made.
        pub is_excluded: Flag<false>,
    }
    example { "name": "On hold", "color": "#800000", "is_excluded": false }
    patch { "color": "#008000" }
    rules CustomStatusFields::check_name
}

impl CustomStatusFields {
    /// Refuses a name that looks like another one, since its words mix scripts.
    fn check_name(&self, errors: &mut Vec<FieldError>) {
        if let Err((code, message)) = check_words(self.name.as_str()) {
            errors.push(Pointer::root().child("name").error(code, message));
        }
    }
}

object! {
    /// A status that users of a segment can have.
    pub struct CustomStatus of CustomStatusFields {
        /// Its id.
        pub id: StatusId = "0199d2a4-5c00-7000-8000-0000000057a1",
        /// The segment that it belongs to.
        pub segment_id: SegmentId = "0199d2a4-5c00-7000-8000-0000000005e6",
        /// A small number; no other status of the segment has it, or ever had it.
        pub number: StatusNumber = 1,
    }
}

impl CustomStatus {
    /// The name, in the form in which no two statuses of a segment have it.
    #[must_use]
    pub fn unique(&self) -> Unique {
        Unique::new("status.name", caseless(self.fields.name.as_str()))
    }

    /// Refuses to turn `before` into this where users would be shut out, or let in, without anybody looking at each.
    ///
    /// # Errors
    /// [`Error::Conflict`].
    pub fn follows(&self, before: &Self) -> Result<(), Error> {
        if self.fields.is_excluded == before.fields.is_excluded {
            return Ok(());
        }
        let message = "cannot be changed, since it would shut users out or let them in; make another status";
        Err(Error::conflict("/is_excluded", "immutable", message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Time;
    use crate::field::{Body as _, MergePatch, Object as _};
    use serde_json::json;

    fn status(fields: Value) -> Result<CustomStatus, Error> {
        let fields = CustomStatusFields::parse(fields)?;
        Ok(CustomStatus::new(StatusId::fresh(), SegmentId::fresh(), StatusNumber::default(), fields, Time::now()))
    }

    #[test]
    fn a_color_is_small_and_names_are_the_same_in_any_case() -> Result<(), Error> {
        let status = status(json!({ "name": "ÚLTIMO Aviso", "color": "#FFaa00" }))?;
        assert_eq!(status.show()["color"], "#ffaa00");
        assert_eq!(status.unique().value, "último aviso");
        for color in [json!("ffaa00"), json!("#ffaa0"), json!("#ffaa0g"), json!(1)] {
            assert!(CustomStatusFields::parse(json!({ "name": "S", "color": color })).is_err(), "{color}");
        }
        Ok(())
    }

    #[test]
    fn whether_a_status_excludes_stays_as_it_was_made() -> Result<(), Error> {
        let before = status(json!({ "name": "S" }))?;
        let after = |patch| before.patched(MergePatch::parse(patch)?, Time::now());
        assert!(after(json!({ "is_excluded": false, "name": "T" }))?.follows(&before).is_ok());
        let refused = after(json!({ "is_excluded": true }))?.follows(&before);
        assert!(matches!(refused, Err(Error::Conflict(errors)) if errors.iter().all(|one| one.code == "immutable")));
        Ok(())
    }

    #[test]
    fn every_example_is_accepted() {
        assert!(CustomStatusFields::parse(CustomStatusFields::example()).is_ok());
        assert!(MergePatch::<CustomStatusFields>::parse(CustomStatusFields::patch_example()).is_ok());
    }
}
