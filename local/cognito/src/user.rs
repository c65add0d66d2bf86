//! A user's row.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};

use crate::attributes::{self, Attributes};
use crate::error::Failure;
use crate::random;

#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) sub: String,
    pub(crate) pool: String,
    pub(crate) username: String,
    pub(crate) status: Status,
    pub(crate) enabled: bool,
    /// An Argon2 hash; a user made without a password has none and cannot log in with any.
    pub(crate) password: Option<String>,
    /// Until when a temporary password may be used.
    pub(crate) password_expires: Option<i64>,
    pub(crate) attributes: Attributes,
    pub(crate) created: i64,
    modified: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Unconfirmed,
    Confirmed,
    ForceChangePassword,
}

impl Status {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unconfirmed => "UNCONFIRMED",
            Self::Confirmed => "CONFIRMED",
            Self::ForceChangePassword => "FORCE_CHANGE_PASSWORD",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Unconfirmed, Self::Confirmed, Self::ForceChangePassword].into_iter().find(|status| status.name() == name)
    }
}

const COLUMNS: &str = "sub, pool, username, status, enabled, password, password_expires, attributes, created, modified";

impl User {
    pub(crate) fn new(
        pool: &str,
        username: &str,
        status: Status,
        attributes: Attributes,
        now: i64,
    ) -> Result<Self, Failure> {
        Ok(Self {
            sub: random::uuid()?,
            pool: pool.to_owned(),
            username: username.to_owned(),
            status,
            enabled: true,
            password: None,
            password_expires: None,
            attributes,
            created: now,
            modified: now,
        })
    }

    pub(crate) fn find(data: &Connection, pool: &str, username: &str) -> Result<Option<Self>, Failure> {
        let sql = format!("SELECT {COLUMNS} FROM users WHERE pool = ?1 AND username = ?2");
        data.query_row(&sql, [pool, username], |row| Ok(Self::from_row(row))).optional()?.transpose()
    }

    pub(crate) fn by_sub(data: &Connection, sub: &str) -> Result<Option<Self>, Failure> {
        let sql = format!("SELECT {COLUMNS} FROM users WHERE sub = ?1");
        data.query_row(&sql, [sub], |row| Ok(Self::from_row(row))).optional()?.transpose()
    }

    /// Up to `limit` users after `username`, in the order of their names.
    pub(crate) fn page(data: &Connection, pool: &str, after: &str, limit: i64) -> Result<Vec<Self>, Failure> {
        let sql = format!("SELECT {COLUMNS} FROM users WHERE pool = ?1 AND username > ?2 ORDER BY username LIMIT ?3");
        let mut statement = data.prepare(&sql)?;
        let rows = statement.query_map(params![pool, after, limit], |row| Ok(Self::from_row(row)))?;
        rows.map(|row| row?).collect()
    }

    /// Answers `false` if the username is taken.
    pub(crate) fn insert(&self, data: &Connection) -> Result<bool, Failure> {
        let sql = format!(
            "INSERT INTO users ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (pool, username) DO NOTHING"
        );
        let attributes = serde_json::to_string(&self.attributes)?;
        let made = data.execute(
            &sql,
            params![
                self.sub,
                self.pool,
                self.username,
                self.status.name(),
                self.enabled,
                self.password,
                self.password_expires,
                attributes,
                self.created,
                self.modified
            ],
        )?;
        Ok(made == 1)
    }

    pub(crate) fn save(&mut self, data: &Connection, now: i64) -> Result<(), Failure> {
        self.modified = now;
        data.execute(
            "UPDATE users SET status = ?2, enabled = ?3, password = ?4, password_expires = ?5, attributes = ?6,
             modified = ?7 WHERE sub = ?1",
            params![
                self.sub,
                self.status.name(),
                self.enabled,
                self.password,
                self.password_expires,
                serde_json::to_string(&self.attributes)?,
                self.modified
            ],
        )?;
        Ok(())
    }

    /// Their codes and logins go with them.
    pub(crate) fn delete(&self, data: &Connection) -> Result<(), Failure> {
        data.execute("DELETE FROM users WHERE sub = ?1", [&self.sub])?;
        Ok(())
    }

    pub(crate) fn set_password(&mut self, hash: String) {
        self.password = Some(hash);
        self.password_expires = None;
        self.status = Status::Confirmed;
    }

    pub(crate) fn email(&self) -> Option<&str> {
        self.attributes.get("email").map(String::as_str).filter(|email| !email.is_empty())
    }

    pub(crate) fn verified_email(&self) -> Option<&str> {
        self.email().filter(|_| self.attributes.get("email_verified").is_some_and(|verified| verified == "true"))
    }

    /// As `ListUsers` and `AdminCreateUser` show it; `AdminGetUser` names the attributes differently.
    pub(crate) fn describe(&self, attributes_as: &str) -> Value {
        json!({
            "Username": self.username,
            attributes_as: attributes::list(&self.sub, &self.attributes),
            "UserCreateDate": self.created,
            "UserLastModifiedDate": self.modified,
            "Enabled": self.enabled,
            "UserStatus": self.status.name(),
        })
    }

    /// As triggers see them.
    pub(crate) fn trigger_attributes(&self) -> Value {
        let own = [("sub", self.sub.as_str()), ("cognito:user_status", self.status.name())];
        let others = self.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        own.into_iter().chain(others).map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
    }

    fn from_row(row: &Row<'_>) -> Result<Self, Failure> {
        let status: String = row.get("status")?;
        let attributes: String = row.get("attributes")?;
        Ok(Self {
            sub: row.get("sub")?,
            pool: row.get("pool")?,
            username: row.get("username")?,
            status: Status::parse(&status).ok_or_else(|| Failure::Internal(format!("status {status}").into()))?,
            enabled: row.get("enabled")?,
            password: row.get("password")?,
            password_expires: row.get("password_expires")?,
            attributes: serde_json::from_str(&attributes)?,
            created: row.get("created")?,
            modified: row.get("modified")?,
        })
    }
}
