//! Calls of the function: by its schedule, and by an operator with a command.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::{Error, Time, UserId};
use identity::Identity;
use serde_json::{Value, json};
use store::Store;

use crate::jobs::{System, run};
use crate::sweep;

/// Identities younger than this are left alone unless the command says otherwise: a read may not show their users yet.
const GRACE_MINUTES: u64 = 60;

/// Ten years: no pool is older.
const MOST_MINUTES: u64 = 10 * 366 * 24 * 60;

/// Does what the payload of a call asks for: an operator's command, or the work of the schedule.
///
/// # Errors
/// [`Error::Invalid`] for an unknown command; otherwise the last error of what could not be done.
pub async fn handle(system: System<'_>, payload: &Value, end: Time) -> Result<Value, Error> {
    let (store, identity, _) = system;
    match payload["command"].as_str() {
        None => {
            let (swept, worked) = (sweep(store, identity).await, run(system, end).await);
            swept.and(worked).map(|()| Value::Null)
        }
        Some("find_orphans") => Orphans::of(payload, 0).walk(store, identity, end).await,
        Some("remove_orphans") => {
            let at_most = payload["at_most"].as_u64().filter(|at_most| *at_most > 0);
            let needed = "must be the number of orphans that find_orphans counted";
            let at_most = at_most.ok_or_else(|| Error::invalid("/at_most", "invalid", needed))?;
            Orphans::of(payload, at_most).walk(store, identity, end).await
        }
        Some(_) => Err(Error::invalid("/command", "unknown", "must be find_orphans or remove_orphans")),
    }
}

/// Identities whose users are not in the table, such as those created after the time to which the table was restored.
struct Orphans {
    /// The page to go on with.
    next: Option<String>,
    checked: usize,
    found: usize,
    removed: u64,
    /// How many to remove.
    at_most: u64,
    /// Identities created later are left alone.
    until: Time,
}

impl Orphans {
    fn of(payload: &Value, at_most: u64) -> Self {
        let minutes = payload["older_than_minutes"].as_u64().unwrap_or(GRACE_MINUTES).min(MOST_MINUTES);
        let until = Time::now().minus(Duration::from_secs(60 * minutes));
        Self { next: payload["next"].as_str().map(str::to_owned), checked: 0, found: 0, removed: 0, at_most, until }
    }

    /// Walks the pool page by page until its end or the end of time, and says where to go on.
    async fn walk(mut self, store: &Store, identity: &Identity, end: Time) -> Result<Value, Error> {
        loop {
            let (listed, next) = identity.list(self.next.take()).await?;
            let settled = listed.into_iter().filter(|(_, created_at)| *created_at <= self.until);
            self.check(store, identity, settled.map(|(user, _)| user).collect()).await?;
            let Self { checked, found, removed, .. } = self;
            tracing::info!(checked, found, removed, "looked for identities without a user");
            if next.is_none() || Time::now() > end {
                return Ok(json!({ "checked": checked, "found": found, "removed": removed, "next": next }));
            }
            self.next = next;
        }
    }

    /// Counts those of a page whose users are not in the table, and removes as many as may be.
    async fn check(&mut self, store: &Store, identity: &Identity, page: BTreeSet<UserId>) -> Result<(), Error> {
        let known: BTreeSet<UserId> = store.users_of(&page).await?.iter().map(|record| record.user.id).collect();
        self.checked += page.len();
        for user in page.difference(&known) {
            self.found += 1;
            if self.removed < self.at_most {
                identity.delete(*user).await?;
                self.removed += 1;
            }
        }
        Ok(())
    }
}
