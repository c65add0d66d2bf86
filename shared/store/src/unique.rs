//! What the things of a segment have in common: values that only one of a kind may have, numbers that count up, and
//! how many others name a thing.

use domain::segment::SegmentNumber;
use domain::user::Unique;
use domain::{Error, SegmentId};
use serde::Deserialize;

use crate::Store;
use crate::keys::{self, Key, Scope};
use crate::table::{Changes, Item, Write, from_item, number, string};

/// A thing with how many others name it, which clients never see.
#[derive(Debug, Clone, Deserialize)]
pub struct Used<T> {
    /// The thing.
    #[serde(flatten)]
    pub thing: T,
    /// How many users, or of a membership products, name it.
    #[serde(default, alias = "user_count", alias = "product_count")]
    uses: u64,
}

impl<T> Used<T> {
    /// Refuses to take away what others name; `who` are these.
    ///
    /// # Errors
    /// [`Error::Conflict`].
    pub fn unused(&self, who: &str) -> Result<(), Error> {
        if self.uses == 0 {
            return Ok(());
        }
        Err(Error::conflict("", "in_use", &format!("{who} name it; change these first.")))
    }
}

/// The attribute that counts the users who name a status or a partner.
pub(crate) const USER_COUNT: &str = "user_count";

/// The attribute that counts the products that name a membership.
pub(crate) const PRODUCT_COUNT: &str = "product_count";

/// The last number that was given.
#[derive(Debug, Default, Deserialize)]
struct Numbers {
    last: i64,
}

impl Store {
    /// The next number of those that are counted at `key`, and the write that takes it, which fails as
    /// [`Error::Stale`] where another has taken it: 1 `GetItem`.
    pub(crate) async fn next_number(&self, key: &Key) -> Result<(SegmentNumber, Write), Error> {
        let numbers: Numbers = self.table.get(key).await?.map(from_item).transpose()?.unwrap_or_default();
        let next =
            SegmentNumber::new(numbers.last + 1).ok_or_else(|| Error::internal("there are no more numbers to give"))?;
        let changes = Changes::default()
            .set("last", number(next.get()))
            .value(":last", number(numbers.last))
            .named("#last", "last");
        let counted = Write::update(&self.table, key, "attribute_not_exists(PK) OR #last = :last", changes);
        Ok((next, counted.on_condition_failed(Error::Stale)))
    }

    /// Demands that a segment is there.
    pub(crate) fn in_segment(&self, segment: SegmentId) -> Write {
        let there = Write::check(&self.table, &keys::segment(segment), "attribute_exists(PK)", Item::new());
        there.on_condition_failed(Error::NotFound)
    }

    /// What gives up the value that the thing `id` of a segment `had` and claims the one that it `has`; `taken` is told
    /// where another has it.
    pub(crate) fn reclaimed(
        &self,
        (segment, id): (SegmentId, impl ToString),
        had: Option<Unique>,
        has: Option<Unique>,
        taken: Error,
    ) -> Vec<Write> {
        if had == has {
            return Vec::new();
        }
        let (scope, id) = (Scope::Segment(segment), string(id));
        let released = had.map(|unique| {
            let mine = Item::from([(":id".to_owned(), id.clone())]);
            let gone = Write::delete(&self.table, &keys::claim(scope, &unique), "thing_id = :id", mine);
            gone.on_condition_failed(Error::Stale)
        });
        let claimed = has.map(|unique| {
            let claim = Item::from([("thing_id".to_owned(), id.clone())]);
            Write::create(&self.table, &keys::claim(scope, &unique), claim).on_condition_failed(taken)
        });
        released.into_iter().chain(claimed).collect()
    }

    /// The end of a thing that still has its version, and that nothing names.
    pub(crate) fn removed_unused(&self, key: &Key, version: u64, counter: &str) -> Write {
        let values = Item::from([(":version".to_owned(), number(version)), (":none".to_owned(), number(0))]);
        let condition = format!("version = :version AND (attribute_not_exists({counter}) OR {counter} = :none)");
        Write::delete(&self.table, key, &condition, values).on_condition_failed(Error::Stale)
    }
}
