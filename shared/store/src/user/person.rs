//! Persons: who has a number in an account, and which user that is in each of its segments.

use domain::user::Numbering;
use domain::{Entry, Error, User, UserId};

use crate::Store;
use crate::keys;
use crate::table::{Item, Write, string};
use crate::user::UserRecord;

/// The code of a new number that is somebody's already: another one will do.
pub const CLASH: &str = "clash";

impl Store {
    /// Writes a new user who has a number, as [`Store::create_user`] does.
    ///
    /// # Errors
    /// As [`Store::create_user`]; [`Error::Conflict`] of `/number`, as [`CLASH`] where a new one is somebody's already;
    /// [`Error::Invalid`] where a known one is nobody's.
    pub async fn create_numbered(
        &self,
        user: &User,
        owner: UserId,
        entry: &Entry,
        numbering: Numbering,
    ) -> Result<UserRecord, Error> {
        let more = || self.numbered(user, Some(numbering)).into_iter().collect();
        self.create_user_and(user, owner, entry, more).await
    }

    /// What a user's number says of the person who has it.
    pub(super) fn numbered(&self, user: &User, numbering: Option<Numbering>) -> Option<Write> {
        let person = user.person?;
        let key = keys::person(person.account, person.number);
        Some(match numbering? {
            Numbering::New => Write::create(&self.table, &key, Item::new()).on_condition_failed(Error::conflict(
                "/number",
                CLASH,
                "is somebody's already",
            )),
            Numbering::Known => {
                Write::check(&self.table, &key, "attribute_exists(PK)", Item::new()).on_condition_failed(
                    Error::invalid("/number", "unknown", "must be a number that a user of the account has"),
                )
            }
        })
    }

    /// Leads from a person to the user that it is in a segment.
    pub(crate) fn of_person(&self, old: Option<&User>, new: Option<&User>) -> Vec<Write> {
        let place = |user: Option<&User>| user.and_then(|user| Some((user.present()?, user.id, user.segment_id?)));
        let (was, is) = (place(old), place(new));
        if was == is {
            return Vec::new();
        }
        let left = was.map(|(person, user, _)| {
            let mine = Item::from([(":user".to_owned(), string(user))]);
            Write::delete(&self.table, &keys::person_in(person), "user_id = :user", mine)
                .on_condition_failed(Error::Stale)
        });
        let taken = || Error::conflict("/number", "taken", "is another user's of this segment");
        let come = is.map(|(person, user, segment)| {
            let item = [("user_id".to_owned(), string(user)), ("segment_id".to_owned(), string(segment))].into();
            Write::create(&self.table, &keys::person_in(person), item).on_condition_failed(taken())
        });
        left.into_iter().chain(come).collect()
    }
}
