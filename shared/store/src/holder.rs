//! What a credential is checked against: a user or a key with all that it depends on, read together.

use domain::{Error, KeyId, Segment, SegmentId, UserId};

use crate::keys::{self, Key};
use crate::table::{Item, from_item};
use crate::user::record;
use crate::{KeptKey, Store, UserRecord};

/// A key, its account's owner and its segment, as far as they exist.
#[derive(Debug, Clone)]
pub struct KeyHolder {
    /// The key.
    pub key: Option<KeptKey>,
    /// The master user whose it is.
    pub owner: Option<UserRecord>,
    /// The segment that it opens, if it opens one.
    pub segment: Option<Segment>,
}

impl Store {
    /// A user and its segment: 1 `BatchGetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn user_and_segment(
        &self,
        user: UserId,
        segment: SegmentId,
    ) -> Result<(Option<UserRecord>, Option<Segment>), Error> {
        let keys = [keys::user(user), keys::segment(segment)];
        let [user, segment] = self.read_together(keys).await?;
        Ok((user.map(record).transpose()?, segment.map(from_item).transpose()?))
    }

    /// A key of a segment, with its account's owner and the segment: 1 `BatchGetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn key_of_segment(&self, account: UserId, segment: SegmentId, id: KeyId) -> Result<KeyHolder, Error> {
        let keys = [keys::key(account, Some(segment), id), keys::user(account), keys::segment(segment)];
        let [key, owner, segment] = self.read_together(keys).await?;
        Ok(KeyHolder {
            key: key.map(from_item).transpose()?,
            owner: owner.map(record).transpose()?,
            segment: segment.map(from_item).transpose()?,
        })
    }

    /// Reads a few items in one call, each in its key's place.
    pub(crate) async fn read_together<const N: usize>(&self, keys: [Key; N]) -> Result<[Option<Item>; N], Error> {
        let mut found = self.table.get_all(keys.iter().map(Key::attributes).collect()).await?;
        Ok(keys.map(|key| {
            let attributes = key.attributes();
            let is_it = |item: &Item| attributes.iter().all(|(name, value)| item.get(name) == Some(value));
            found.iter().position(is_it).map(|at| found.swap_remove(at))
        }))
    }
}
