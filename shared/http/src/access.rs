//! What a caller may reach: a person its own, a master user and its keys the segments of the account.

use std::collections::BTreeSet;

use domain::{Error, Key, KeyCreator, KeyFields, KeyScope, Member, Membership, Segment, SegmentId, Upload, UserId};
use store::{CredentialTimes, UserRecord};

/// A caller who is known to be good.
#[derive(Debug, Clone)]
pub struct Access {
    who: Who,
    /// The credentials of the user, or of the key's account.
    credentials: CredentialTimes,
    /// The segments that the request does not reach, since they are inactive.
    closed: BTreeSet<SegmentId>,
}

/// Marks the requests of dialects, which reach no inactive segment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ActiveSegmentsOnly;

#[derive(Debug, Clone)]
enum Who {
    User(Box<UserRecord>),
    /// A key, and the scopes that the route needs of it.
    Key(Box<Key>, &'static [KeyScope]),
}

/// Whose a thing is that belongs to a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The master user.
    pub account: UserId,
    /// The segment.
    pub segment: SegmentId,
}

macro_rules! owned {
    ($kind:ty, $segment:expr) => {
        impl From<&$kind> for Owner {
            fn from(thing: &$kind) -> Self {
                let segment: fn(&$kind) -> SegmentId = $segment;
                Self { account: thing.owner_id, segment: segment(thing) }
            }
        }
    };
}

owned!(Segment, |segment| segment.id);
owned!(Membership, |membership| membership.segment_id);
owned!(Member, |member| member.segment_id);
owned!(Upload, |upload| upload.fields.segment_id);

/// A master user is nobody's.
impl TryFrom<&UserRecord> for Owner {
    type Error = Error;

    fn try_from(record: &UserRecord) -> Result<Self, Error> {
        let (account, segment) = record.owner_id.zip(record.user.segment_id).ok_or(Error::NotFound)?;
        Ok(Self { account, segment })
    }
}

impl Access {
    pub(crate) fn of_user(record: UserRecord) -> Self {
        Self { credentials: record.credentials, who: Who::User(Box::new(record)), closed: BTreeSet::new() }
    }

    /// The key of an account whose owner has these credentials.
    pub(crate) fn of_key(key: Key, required: &'static [KeyScope], owner: CredentialTimes) -> Self {
        Self { credentials: owner, who: Who::Key(Box::new(key), required), closed: BTreeSet::new() }
    }

    /// The same access without these segments, which are inactive.
    pub(crate) fn without(self, closed: BTreeSet<SegmentId>) -> Self {
        Self { closed, ..self }
    }

    /// The keys among these that have not been revoked all together, each with whether it is to be reviewed. They are of
    /// the caller's account.
    #[must_use]
    pub fn good_keys(&self, keys: Vec<Key>) -> Vec<Key> {
        let keys = keys.into_iter().filter(|key| self.credentials.keeps_key(key.created_at));
        keys.map(|key| Key { review: self.credentials.is_key_to_review(key.created_at), ..key }).collect()
    }

    /// The user who calls, if it is no key.
    #[must_use]
    pub fn user(&self) -> Option<&UserRecord> {
        match &self.who {
            Who::User(record) => Some(record),
            Who::Key(..) => None,
        }
    }

    /// Returns the key that calls, if one does.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        match &self.who {
            Who::User(_) => None,
            Who::Key(key, _) => Some(key.as_ref()),
        }
    }

    /// Whether the caller may read: each user, and keys with that scope.
    #[must_use]
    pub fn can_read(&self) -> bool {
        self.key().is_none_or(|key| key.fields.scopes.contains(KeyScope::Read))
    }

    /// Demands of a key the scopes that its route needs, where nothing with an owner is at stake.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn require_scopes(&self) -> Result<(), Error> {
        match &self.who {
            Who::User(_) => Ok(()),
            Who::Key(key, required) => required.iter().try_for_each(|scope| scoped(key, *scope)),
        }
    }

    /// Returns the creator of a key that the caller creates.
    ///
    /// # Errors
    /// [`Error::Conflict`] where too many keys created each other.
    pub fn key_creator(&self) -> Result<KeyCreator, Error> {
        match &self.who {
            Who::User(record) => Ok(KeyCreator::user(record.user.id)),
            Who::Key(key, _) => KeyCreator::key(key),
        }
    }

    /// Whether the caller is this very user.
    #[must_use]
    pub fn is(&self, user: UserId) -> bool {
        self.user().is_some_and(|record| record.user.id == user)
    }

    /// Lets the master user pass whose the thing is, and keys that reach it and have the scope.
    ///
    /// # Errors
    /// [`Error::NotFound`] for other people's things; [`Error::Forbidden`] for a key without the scope.
    pub fn manages(&self, thing: impl TryInto<Owner>, scope: KeyScope) -> Result<(), Error> {
        let owner = thing.try_into().map_err(|_| Error::NotFound)?;
        match &self.who {
            Who::User(record) if record.user.id == owner.account => self.check_active(owner.segment),
            Who::Key(key, _)
                if key.account_id == owner.account && key.segment_id.is_none_or(|segment| segment == owner.segment) =>
            {
                scoped(key, scope)?;
                self.require_scopes()?;
                self.check_active(owner.segment)
            }
            Who::User(_) | Who::Key(..) => Err(Error::NotFound),
        }
    }

    /// Refuses a segment of the caller's account that is inactive, where the request reaches active ones only.
    ///
    /// # Errors
    /// [`Error::SegmentInactive`].
    pub fn check_active(&self, segment: SegmentId) -> Result<(), Error> {
        if self.closed.contains(&segment) { Err(Error::SegmentInactive) } else { Ok(()) }
    }

    /// Refuses a new key that could do more than the key that makes it, or outlive it.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn gives(&self, new: &KeyFields) -> Result<(), Error> {
        let Who::Key(key, _) = &self.who else { return Ok(()) };
        let ends = match (key.fields.expires_at, new.expires_at) {
            (Some(mine), Some(its)) => its <= mine,
            (Some(_), None) => false,
            (None, _) => true,
        };
        if ends && KeyScope::ALL.iter().all(|scope| key.fields.scopes.contains(*scope) || !new.scopes.contains(*scope))
        {
            return Ok(());
        }
        Err(Error::Forbidden("A key gives at most the scopes that it has, for as long as it holds itself."))
    }

    /// The account as a whole, for those who reach all of it: its master user, and account keys with the scope.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn account(&self, scope: KeyScope) -> Result<UserId, Error> {
        match &self.who {
            Who::User(record) if record.user.segment_id.is_none() => Ok(record.user.id),
            Who::User(_) => Err(Error::Forbidden("Only master users have segments; log in as one.")),
            Who::Key(key, _) if key.segment_id.is_some() => {
                Err(Error::Forbidden("This key opens one segment only; take a key of the account."))
            }
            Who::Key(key, _) => {
                scoped(key, scope)?;
                self.require_scopes().map(|()| key.account_id)
            }
        }
    }

    /// The one segment that the caller can reach, for a key of a segment.
    #[must_use]
    pub fn only_segment(&self) -> Option<SegmentId> {
        match &self.who {
            Who::Key(key, _) => key.segment_id,
            Who::User(_) => None,
        }
    }
}

fn scoped(key: &Key, scope: KeyScope) -> Result<(), Error> {
    if key.fields.scopes.contains(scope) {
        return Ok(());
    }
    Err(Error::Forbidden(match scope {
        KeyScope::Read => "This key lacks the scope read; take one that has it.",
        KeyScope::Write => "This key lacks the scope write; take one that has it.",
        KeyScope::Admin => "This key lacks the scope admin; take one that has it.",
    }))
}
