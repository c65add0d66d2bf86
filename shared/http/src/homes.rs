//! Which segment a user is in: it never changes, so that a process may remember it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::{SegmentId, UserId};

/// All are forgotten when there are more than this.
const MOST: usize = 10_000;

/// The segments of the users whose requests a process has served. It says nothing about whether either is in use.
#[derive(Debug, Clone, Default)]
pub(crate) struct Homes(Arc<Mutex<HashMap<UserId, SegmentId>>>);

impl Homes {
    /// The segment of a user, if it is remembered.
    pub(crate) fn find(&self, user: UserId) -> Option<SegmentId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&user).copied()
    }

    /// Remembers the segment of a user.
    pub(crate) fn remember(&self, user: UserId, segment: SegmentId) {
        let mut homes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if homes.len() >= MOST {
            homes.clear();
        }
        homes.insert(user, segment);
    }
}
