//! A login and what came of it: one refresh token, and the access tokens that carry its `origin_jti`.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::client::Client;
use crate::error::Failure;
use crate::random;
use crate::user::User;

/// Access tokens live a day at most, and are checked against their login, so it outlives its refresh token by that.
const LONGEST_ACCESS: i64 = 24 * 60 * 60;

#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(crate) origin_jti: String,
    /// The user's `sub`.
    pub(crate) user: String,
    /// The client's id.
    pub(crate) client: String,
    pub(crate) auth_time: i64,
    pub(crate) expires: i64,
    pub(crate) revoked: bool,
}

impl Login {
    /// The login, and its refresh token, which is not kept.
    pub(crate) fn start(data: &Connection, client: &Client, user: &User, now: i64) -> Result<(Self, String), Failure> {
        let refresh_token = random::secret::<48>()?;
        let login = Self {
            origin_jti: random::uuid()?,
            user: user.sub.clone(),
            client: client.id.clone(),
            auth_time: now,
            expires: now + client.refresh_seconds(),
            revoked: false,
        };
        data.execute("DELETE FROM logins WHERE expires < ?1", [now - LONGEST_ACCESS])?;
        data.execute(
            "INSERT INTO logins (origin_jti, user, client, refresh_hash, auth_time, expires, revoked)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
            params![login.origin_jti, login.user, login.client, hash(&refresh_token), login.auth_time, login.expires],
        )?;
        Ok((login, refresh_token))
    }

    pub(crate) fn by_refresh_token(data: &Connection, token: &str) -> Result<Option<Self>, Failure> {
        let sql = "SELECT * FROM logins WHERE refresh_hash = ?1";
        Ok(data.query_row(sql, [hash(token)], Self::from_row).optional()?)
    }

    pub(crate) fn by_origin_jti(data: &Connection, origin_jti: &str) -> Result<Option<Self>, Failure> {
        let sql = "SELECT * FROM logins WHERE origin_jti = ?1";
        Ok(data.query_row(sql, [origin_jti], Self::from_row).optional()?)
    }

    /// Ends the refresh token and every access token that came of this login.
    pub(crate) fn revoke(&self, data: &Connection) -> Result<(), Failure> {
        data.execute("UPDATE logins SET revoked = 1 WHERE origin_jti = ?1", [&self.origin_jti])?;
        Ok(())
    }

    pub(crate) fn revoke_all(data: &Connection, user: &User) -> Result<(), Failure> {
        data.execute("UPDATE logins SET revoked = 1 WHERE user = ?1", [&user.sub])?;
        Ok(())
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            origin_jti: row.get("origin_jti")?,
            user: row.get("user")?,
            client: row.get("client")?,
            auth_time: row.get("auth_time")?,
            expires: row.get("expires")?,
            revoked: row.get("revoked")?,
        })
    }
}

fn hash(refresh_token: &str) -> Vec<u8> {
    random::sha256(&["refresh token", refresh_token])
}
