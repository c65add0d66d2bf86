//! The state of a login between two challenges: kept here under the hash of an opaque text, used once.

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::Client;
use crate::error::Failure;
use crate::random;

const DAY: i64 = 24 * 60 * 60;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) username: String,
    /// The user's `sub`; `None` for a user that does not exist and whose login only looks as if.
    pub(crate) user: Option<String>,
    pub(crate) challenge: Challenge,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Challenge {
    /// The temporary password was right.
    NewPassword {
        /// Its hash: another temporary password ends the session.
        of: Option<String>,
    },
    /// A question of the create trigger.
    Custom {
        /// `ChallengeResult`s of the questions before.
        results: Vec<Value>,
        private_parameters: Value,
        metadata: Option<String>,
    },
}

impl Session {
    /// Stores it and answers the text that takes it out again.
    pub(crate) fn put(&self, data: &Connection, client: &Client, now: i64) -> Result<String, Failure> {
        let text = random::secret::<96>()?;
        data.execute("DELETE FROM sessions WHERE expires < ?1", [now - DAY])?;
        data.execute(
            "INSERT INTO sessions (hash, client, state, expires, used) VALUES (?1, ?2, ?3, ?4, 0)",
            params![hash(&text), client.id, serde_json::to_string(self)?, now + client.session_seconds()],
        )?;
        Ok(text)
    }

    pub(crate) fn take(data: &Connection, client: &Client, text: &str, now: i64) -> Result<Self, Failure> {
        let found: Option<(String, i64, bool)> = data
            .query_row(
                "SELECT state, expires, used FROM sessions WHERE hash = ?1 AND client = ?2",
                params![hash(text), client.id],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .optional()?;
        let (state, expires, used) = found.ok_or_else(invalid)?;
        if used {
            return Err(Failure::not_authorized("Invalid session for the user, session can only be used once."));
        }
        if expires <= now {
            return Err(Failure::not_authorized("Invalid session for the user, session is expired."));
        }
        data.execute("UPDATE sessions SET used = 1 WHERE hash = ?1", [hash(text)])?;
        Ok(serde_json::from_str(&state)?)
    }
}

pub(crate) fn invalid() -> Failure {
    Failure::not_authorized("Invalid session for the user.")
}

fn hash(text: &str) -> Vec<u8> {
    random::sha256(&["session", text])
}
