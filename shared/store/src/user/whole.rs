//! Users who are made together: all of them stand in the end, or none.
//!
//! They are too many items for one transaction. The first one's is also that of a job, which names all of them and erases
//! them later; taking the job away is what lets them stand. Either that comes first or whoever does the job: never both.

use domain::{Entry, Error, Time, User, UserId};
use serde::Deserialize;

use crate::Store;
use crate::job::Job;
use crate::keys;
use crate::pending::Pending;
use crate::table::{Changes, Item, Write, from_item, string};
use crate::user::UserRecord;
use aws_sdk_dynamodb::types::AttributeValue;

/// Users who are being made together.
#[derive(Debug, Clone, Copy)]
pub struct Whole {
    first: UserId,
    since: Time,
}

/// How far users are that an earlier try had begun to make together.
#[derive(Debug, Clone, Copy)]
pub enum Resumed {
    /// All of them stand.
    Stands,
    /// Some are made, maybe all; whoever asks goes on.
    GoesOn(Whole),
}

/// The job, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Undoing {
    pending_at: Time,
    begun_at: Time,
    users: Vec<UserId>,
}

/// Nobody has begun to do the job: who does has it since a later time than it was begun at.
const WAITING: &str = "attribute_not_exists(PK) OR pending_at = begun_at";

impl Store {
    /// Writes the first of the users `all`, who are to stand or fall together, as [`Store::create_user`] does, and the job
    /// that erases all of them unless [`Store::stand`] comes first: 1 transaction.
    ///
    /// # Errors
    /// As [`Store::create_user`]; [`Error::Conflict`] where an earlier try is being undone.
    pub async fn create_first(
        &self,
        user: &User,
        owner: UserId,
        entry: &Entry,
        all: &[UserId],
    ) -> Result<(UserRecord, Whole), Error> {
        let whole = Whole { first: user.id, since: Time::now() };
        let record = self.create_user_and(user, owner, entry, || vec![self.undone_later(whole, all)]).await?;
        Ok((record, whole))
    }

    /// Goes on with what an earlier try of the same request has begun: 1 `GetItem`, 1 `UpdateItem`.
    ///
    /// # Errors
    /// [`Error::Conflict`] where it is being undone.
    pub async fn resume(&self, first: UserId) -> Result<Resumed, Error> {
        let Some(found) = self.undoing(first).await? else { return Ok(Resumed::Stands) };
        let since = Time::now();
        let changes = Changes::default()
            .set("pending_at", string(since))
            .set("begun_at", string(since))
            .value(":since", string(found.pending_at));
        let mine = found.pending_at == found.begun_at
            && self.table.update(&Job::Undo(first).key(), "pending_at = :since", changes).await?;
        if mine { Ok(Resumed::GoesOn(Whole { first, since })) } else { Err(Pending::in_progress()) }
    }

    /// Lets users stand who were made together: whether they do. 1 transaction.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn stand(&self, whole: Whole) -> Result<bool, Error> {
        let since = Item::from([(":since".to_owned(), string(whole.since))]);
        let gone = Write::delete(&self.table, &Job::Undo(whole.first).key(), "pending_at = :since", since);
        match self.table.transact(vec![gone.on_condition_failed(Error::Stale)]).await {
            // The SDK repeats a call whose answer was lost: the first one may have done it.
            Err(Error::Stale) => {
                Ok(self.undoing(whole.first).await?.is_none() && self.user(whole.first).await?.is_some())
            }
            done => done.map(|()| true),
        }
    }

    /// Whom a job undoes: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn undone(&self, first: UserId) -> Result<Vec<UserId>, Error> {
        Ok(self.undoing(first).await?.map(|found| found.users).unwrap_or_default())
    }

    async fn undoing(&self, first: UserId) -> Result<Option<Undoing>, Error> {
        self.table.get(&Job::Undo(first).key()).await?.map(from_item).transpose()
    }

    fn undone_later(&self, whole: Whole, all: &[UserId]) -> Write {
        let users = all.iter().map(string).collect();
        let changes = Changes::default()
            .set("pending", string(Job::UNDO))
            .set("pending_at", string(whole.since))
            .set("begun_at", string(whole.since))
            .set("users", AttributeValue::L(users));
        Write::update(&self.table, &Job::Undo(whole.first).key(), WAITING, changes)
            .on_condition_failed(Pending::in_progress())
    }
}

impl Store {
    /// Which of these values others than `own` hold, by their places: 1 `BatchGetItem` for each 100.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn held(
        &self,
        scope: keys::Scope,
        values: &[domain::user::Unique],
        own: &[UserId],
    ) -> Result<Vec<usize>, Error> {
        let all: Vec<_> = values.iter().map(|unique| keys::claim(scope, unique)).collect();
        let found = self.table.get_all(all.iter().map(keys::Key::attributes).collect()).await?;
        let mut held = Vec::new();
        for item in found {
            let at = all.iter().position(|key| item.get(keys::PK).and_then(|pk| pk.as_s().ok()) == Some(&key.pk));
            let claim: crate::user::Claim = from_item(item)?;
            held.extend(at.filter(|_| !own.contains(&claim.user_id)));
        }
        held.sort_unstable();
        Ok(held)
    }
}
