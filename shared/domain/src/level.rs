//! Levels of a membership: ranges of points that never overlap.

use serde::{Deserialize, Serialize};

use crate::error::FieldError;
use crate::field::{Flag, Pointer};
use crate::id::{LevelId, MembershipId};
use crate::text::{Name, Text};
use crate::user::Metadata;
use crate::value::Integer;
use crate::{body, object, text};

/// Points: what every client reads exactly, up to 2^53.
pub type Points = Integer<0, 9_007_199_254_740_992>;

text!(
    /// A color, `#RRGGBB`.
    Color, plain 1..=7, example "#800000", |text| {
        let digits = text.strip_prefix('#').unwrap_or_default();
        if digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) { Ok(()) } else {
            Err(("invalid_color", "must be a color such as #800000"))
        }
    }
);

body! {
    /// What is written about a level.
    #[derive(Serialize, Deserialize)]
    pub struct LevelFields {
        /// What it is called.
        pub name: Name,
        /// Its rank; no other level of the membership has it.
        pub number: Integer<0, 1_000_000>,
        /// The fewest points of the level.
        pub from_point: Points,
        /// The most points of the level, which count as its own.
        pub to_point: Points,
        /// Where its image is.
        pub image: Option<Text>,
        /// The color behind its text.
        pub background_color: Option<Color>,
        /// The color of its text.
        pub text_color: Option<Color>,
        /// Whether it is in use.
        pub status: Flag<true>,
        /// Anything else, up to 8 KiB of JSON.
        pub metadata: Option<Metadata>,
    }
    example {
        "name": "Gold", "number": 3, "from_point": 201, "to_point": 300, "image": "https://example.com/gold.png",
        "background_color": "#FFD700", "text_color": "#000000", "status": true,
        "metadata": null
    }
    patch { "name": "Platinum", "to_point": 320, "image": null }
    rules Self::ordered
}

object! {
    /// A level of a membership: who has so many points is there.
    pub struct Level of LevelFields {
        /// Its id.
        pub id: LevelId = "0199d2a4-5c00-7000-8000-000000001e01",
        /// The membership that it belongs to.
        pub membership_id: MembershipId = "0199d2a4-5c00-7000-8000-00000000ab01",
    }
}

impl LevelFields {
    fn ordered(&self, errors: &mut Vec<FieldError>) {
        if self.from_point > self.to_point {
            errors.push(Pointer::root().child("to_point").error("out_of_range", "must be at least from_point"));
        }
    }
}

impl Level {
    /// What keeps this level from standing beside `others` of its membership: its number is `taken`, its points
    /// `overlap`. Itself among `others` is no obstacle; a level that is switched off is one.
    #[must_use]
    pub fn clashes(&self, others: &[Self]) -> Vec<FieldError> {
        let (mine, mut errors) = (&self.fields, Vec::new());
        for other in others.iter().filter(|other| other.id != self.id) {
            let theirs = &other.fields;
            let (number, from, to) = (theirs.number.get(), theirs.from_point.get(), theirs.to_point.get());
            if mine.number == theirs.number {
                errors.push(
                    Pointer::root().child("number").error("taken", "is another level's number; choose another one"),
                );
            }
            if mine.from_point <= theirs.to_point && theirs.from_point <= mine.to_point {
                let message = format!("must leave out the points {from} to {to}, which are level {number}'s");
                errors.push(Pointer::root().child("from_point").error("overlap", &message));
            }
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Time;
    use crate::error::Error;
    use crate::field::{Body as _, MergePatch, Object as _};
    use serde_json::json;

    fn level(number: i64, from: i64, to: i64) -> Result<Level, Error> {
        let fields = json!({ "name": "L", "number": number, "from_point": from, "to_point": to });
        Ok(Level::new(LevelId::fresh(), MembershipId::fresh(), LevelFields::parse(fields)?, Time::now()))
    }

    #[test]
    fn contiguous_levels_stand_side_by_side_and_no_point_belongs_to_two() -> Result<(), Error> {
        let others = [level(1, 0, 100)?, level(2, 101, 200)?, level(3, 201, 300)?];
        for (new, expected) in [
            (level(4, 301, 400)?, vec![]),
            (level(2, 301, 400)?, vec![("/number", "taken")]),
            (level(4, 100, 100)?, vec![("/from_point", "overlap")]),
            (level(4, 200, 201)?, vec![("/from_point", "overlap"), ("/from_point", "overlap")]),
            (
                level(1, 0, 9_007_199_254_740_992)?,
                vec![
                    ("/number", "taken"),
                    ("/from_point", "overlap"),
                    ("/from_point", "overlap"),
                    ("/from_point", "overlap"),
                ],
            ),
            (others[1].clone(), vec![]),
        ] {
            let errors = new.clashes(&others);
            let found: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), error.code)).collect();
            assert_eq!(found, expected, "{:?}", new.fields);
        }
        let errors = level(4, 150, 160)?.clashes(&others);
        assert_eq!(errors[0].message, "must leave out the points 101 to 200, which are level 2's");
        Ok(())
    }

    #[test]
    fn a_level_has_whole_points_in_order_and_colors() {
        for (more, expected) in [
            (json!({}), None),
            (json!({ "from_point": 100, "to_point": 100 }), None),
            (json!({ "from_point": 101, "to_point": 100 }), Some(("/to_point", "out_of_range"))),
            (json!({ "from_point": -1 }), Some(("/from_point", "out_of_range"))),
            (json!({ "from_point": 0.5 }), Some(("/from_point", "out_of_range"))),
            (json!({ "to_point": 9_007_199_254_740_993_i64 }), Some(("/to_point", "out_of_range"))),
            (json!({ "to_point": "100" }), Some(("/to_point", "invalid_type"))),
            (json!({ "number": -1 }), Some(("/number", "out_of_range"))),
            (json!({ "text_color": "#12abEF" }), None),
            (json!({ "text_color": "12abEF" }), Some(("/text_color", "invalid_color"))),
            (json!({ "background_color": "#12abE" }), Some(("/background_color", "invalid_color"))),
            (json!({ "background_color": "#12abEG" }), Some(("/background_color", "invalid_color"))),
        ] {
            let mut body = LevelFields::example();
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let found = match LevelFields::parse(body) {
                Err(Error::Invalid(errors)) => errors,
                _ => Vec::new(),
            };
            let found = found.first().map(|error| (error.pointer.as_str(), error.code));
            assert_eq!(found, expected, "{more}");
        }
    }

    #[test]
    fn a_level_comes_back_from_json_as_it_was() -> Result<(), Error> {
        let level = level(1, 0, 9_007_199_254_740_992)?;
        let kept = serde_json::to_string(&level).and_then(|kept| serde_json::from_str::<Level>(&kept));
        assert_eq!(kept.map_err(Error::internal)?.show(), level.show());
        Ok(())
    }

    #[test]
    fn every_example_is_accepted() {
        assert!(LevelFields::parse(LevelFields::example()).is_ok());
        assert!(MergePatch::<LevelFields>::parse(LevelFields::patch_example()).is_ok());
    }
}
