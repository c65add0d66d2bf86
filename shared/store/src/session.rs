//! Sessions: an item for each login in its user's partition. Which of them hold, the user's own item says; a session's item
//! says which refresh token is its last.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use domain::{AuditEntry, Error, Origin, SessionId, Time, UserId, UserSession};
use serde::Deserialize;

use crate::Store;
use crate::keys::{self, SESSIONS};
use crate::search::{Index, Indexed, Schema, Searched};
use crate::table::{Changes, Item, Query, Write, from_item, keyed, number, string, to_item};
use crate::user::UserRecord;

/// How long a session lives: as long as Cognito's refresh token (template.yaml).
pub const SESSION_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How long a refresh token is good once it has been replaced, for requests that were sent at the same time.
const GRACE: Duration = Duration::from_secs(60);

/// The times of so many replacements are kept, so that each has its grace.
const REPLACEMENTS: u64 = 8;

/// What a refresh token proved to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// The last one, or one that was replaced a moment ago: the token of this generation goes on.
    Current(u64),
    /// One that was replaced before: somebody has a copy.
    Reused,
    /// One of a session that is over.
    Ended,
}

/// The times, in seconds since 1970, at which refresh tokens were replaced, by their generations.
#[derive(Debug, Default, Deserialize)]
struct Replaced {
    generation: u64,
    #[serde(default)]
    replaced: BTreeMap<String, i64>,
}

impl Indexed for UserSession {
    fn index(&self) -> Index {
        Index::new(self.id.uuid())
    }
}

impl Searched for UserSession {
    fn schema() -> Schema {
        Schema::default()
    }
}

impl Store {
    /// Records a session that has begun, and the audit entry of its login, if there is one: 1 `BatchWriteItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn begin_session(&self, session: &UserSession, audit: Option<&AuditEntry>) -> Result<(), Error> {
        let mut item = to_item(session)?;
        let expires_at = session.created_at.plus(SESSION_LIFETIME).seconds();
        item.insert("expires_at".to_owned(), number(expires_at));
        item.insert("replaced".to_owned(), AttributeValue::M(Item::new()));
        let item = keyed(&keys::session(session.user_id, session.id), item);
        let put = PutRequest::builder().set_item(Some(item)).build().map_err(Error::internal)?;
        let mut requests = vec![WriteRequest::builder().put_request(put).build()];
        if let Some(audit) = audit {
            requests.extend(self.audit_requests(audit)?);
        }
        self.table.write_batch(requests).await
    }

    /// Reads the sessions of a user that hold, oldest first: 1 `Query`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn sessions(&self, record: &UserRecord) -> Result<Vec<UserSession>, Error> {
        let mut sessions = self.logins(record.user.id).await?;
        let begins = Time::now().minus(SESSION_LIFETIME);
        sessions.retain(|session| session.created_at > begins && !record.sessions.has_ended(session));
        Ok(sessions)
    }

    /// Reads what is kept of a user's logins, whether their sessions hold or not: 1 `Query`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn logins(&self, user: UserId) -> Result<Vec<UserSession>, Error> {
        self.table.all(&Query::under(keys::partition(user), SESSIONS)).await
    }

    /// Replaces the refresh token of a generation, and notes where the session was used: 1 `UpdateItem`, and 1 `GetItem`
    /// where it is not the last one.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn rotate_session(
        &self,
        (user, session): (UserId, SessionId),
        generation: u64,
        origin: Option<&Origin>,
    ) -> Result<Rotation, Error> {
        let (now, key) = (Time::now(), keys::session(user, session));
        let changes = Changes::default()
            .set("generation", number(generation + 1))
            .set("last_used_at", string(now))
            .set_in("replaced", &generation.to_string(), number(now.seconds()))
            .value(":generation", number(generation))
            .value(":now", number(now.seconds()));
        let changes = match generation.checked_sub(REPLACEMENTS) {
            Some(oldest) => changes.remove_in("replaced", &oldest.to_string()),
            None => changes,
        };
        let changes = match origin.and_then(|origin| origin.address) {
            Some(address) => changes.set("address", string(address)),
            None => changes.remove("address"),
        };
        let changes = match origin.and_then(|origin| origin.agent.as_deref()) {
            Some(agent) => changes.set("agent", string(agent)),
            None => changes.remove("agent"),
        };
        // TTL erases late: a session that is over is refused here.
        if self.table.update(&key, "generation = :generation AND expires_at > :now", changes).await? {
            return Ok(Rotation::Current(generation + 1));
        }
        let Some(item) = self.table.get(&key).await? else { return Ok(Rotation::Ended) };
        let found: Replaced = from_item(item)?;
        let replaced = found.replaced.get(&generation.to_string());
        let grace = i64::try_from(GRACE.as_secs()).unwrap_or(i64::MAX);
        Ok(match replaced {
            // It is still the last one of a session whose time is over.
            _ if found.generation == generation => Rotation::Ended,
            Some(at) if at + grace >= now.seconds() => Rotation::Current(found.generation),
            _ => Rotation::Reused,
        })
    }

    /// Ends a session at once, on every route, and remembers that until its tokens would be over: 1 transaction.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the user is gone.
    pub async fn end_session(
        &self,
        record: &UserRecord,
        (token_session, item): (&str, Option<SessionId>),
        audit: Option<&AuditEntry>,
    ) -> Result<(), Error> {
        let now = Time::now();
        let until = now.plus(SESSION_LIFETIME).seconds();
        let mut changes = Changes::default().set_in("signed_out", token_session, number(until));
        let over = record
            .sessions
            .signed_out
            .iter()
            .filter(|(session, until)| **until <= now.seconds() && *session != token_session);
        for (session, _) in over {
            changes = changes.remove_in("signed_out", session);
        }
        let id = record.user.id;
        let user = Write::update(&self.table, &keys::user(id), "attribute_exists(signed_out)", changes);
        let mut writes = vec![user.on_condition_failed(Error::NotFound)];
        writes.extend(item.map(|item| Write::delete_item(&self.table, keys::session(id, item).attributes())));
        if let Some(audit) = audit {
            writes.extend(self.audit_writes([audit])?);
        }
        self.table.transact(writes).await
    }

    /// Ends all sessions of a user but the one that its tokens name so, if any: 1 transaction, 1 `Query` and the deletion of
    /// what it finds.
    ///
    /// # Errors
    /// [`Error::NotFound`] where the user is gone.
    pub async fn end_sessions(&self, record: &UserRecord, kept: Option<&str>, audit: &AuditEntry) -> Result<(), Error> {
        // All that were signed out before began before now, and are over with the rest.
        let none = AttributeValue::M(Item::new());
        let changes = Changes::default().set("sessions_from", number(Time::now().seconds())).set("signed_out", none);
        let changes = match kept {
            Some(session) => changes.set("kept_session", string(session)),
            None => changes.remove("kept_session"),
        };
        let id = record.user.id;
        let user = Write::update(&self.table, &keys::user(id), "attribute_exists(PK)", changes);
        let mut writes = vec![user.on_condition_failed(Error::NotFound)];
        writes.extend(self.audit_writes([audit])?);
        self.table.transact(writes).await?;
        let over = self.logins(id).await?.into_iter().filter(|session| Some(session.token_session.as_str()) != kept);
        self.erase_all(over.map(|session| keys::session(id, session.id).attributes()).collect()).await
    }
}
