//! Awards of points: the ledger of a member.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::body;
use crate::clock::Time;
use crate::error::Error;
use crate::field::{Field as _, Object, bookkeeping, shown_schema};
use crate::history::Actor;
use crate::id::{EntryId, LevelId, MemberId};
use crate::level::Points;
use crate::text::Text;
use crate::value::Integer;

/// How many points come or go at once.
pub type Delta = Integer<-9_007_199_254_740_992, 9_007_199_254_740_992>;

body! {
    /// Points that a member gets, or loses.
    #[derive(Serialize, Deserialize)]
    pub struct AwardFields {
        /// How many; negative ones are taken away.
        pub delta: Delta,
        /// What for.
        pub reason: Text,
    }
    example { "delta": 50, "reason": "Referred a friend" }
}

/// A row of a member's ledger. It is written once and stays.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Award {
    /// Its id.
    pub id: EntryId,
    /// Whose it is.
    pub member_id: MemberId,
    /// What was awarded.
    #[serde(flatten)]
    pub fields: AwardFields,
    /// The points after it.
    pub points: Points,
    /// The level after it.
    pub level_id: Option<LevelId>,
    /// Who awarded it.
    pub actor: Actor,
    /// When.
    pub at: Time,
}

/// `points` after `delta`.
///
/// # Errors
/// [`Error::Invalid`] where there are not so many, or they would be more than can be counted.
pub fn after(points: Points, delta: Delta) -> Result<Points, Error> {
    let sum = points.get().checked_add(delta.get()).and_then(Points::new);
    sum.ok_or_else(|| Error::invalid("/delta", "out_of_range", "must leave between 0 and 9007199254740992 points"))
}

impl Object for Award {
    fn version(&self) -> u64 {
        1
    }

    fn show(&self) -> Value {
        let mut shown = Map::from_iter([
            ("id".to_owned(), self.id.show()),
            ("member_id".to_owned(), self.member_id.show()),
            ("points".to_owned(), self.points.show()),
            ("level_id".to_owned(), self.level_id.show()),
            ("actor".to_owned(), serde_json::to_value(self.actor).unwrap_or_default()),
        ]);
        shown.extend(crate::field::Body::show(&self.fields));
        shown.extend(bookkeeping(self.version(), self.at, self.at));
        Value::Object(shown)
    }
}

impl PartialSchema for Award {
    fn schema() -> RefOr<Schema> {
        let before = vec![
            ("id", "The row's id.", EntryId::response_schema()),
            ("member_id", "The member.", MemberId::response_schema()),
            ("points", "The member's points after it.", Points::response_schema()),
            ("level_id", "The member's level after it.", <Option<LevelId>>::response_schema()),
            ("actor", "The user or key that awarded it.", Actor::response_schema()),
        ];
        shown_schema::<AwardFields>("A row of a member's ledger of points. It never changes.", example(), before)
    }
}

impl ToSchema for Award {}

/// An award for the examples of the OpenAPI document.
#[must_use]
pub fn example() -> Value {
    let mut example = serde_json::json!({
        "id": "0199d2a4-5c00-7000-8000-00000000aa01", "member_id": "0199d2a4-5c00-7000-8000-00000000ae01", "points": 170,
        "level_id": "0199d2a4-5c00-7000-8000-000000001e01",
        "actor": { "type": "user", "id": "0199d2a4-5c00-7000-8000-000000000001" },
        "version": 1, "created_at": "2026-11-21T10:00:00.000Z", "updated_at": "2026-11-21T10:00:00.000Z"
    });
    if let (Some(object), Value::Object(fields)) = (example.as_object_mut(), <AwardFields as crate::Body>::example()) {
        object.extend(fields);
    }
    example
}
