//! Amazon Cognito user pools on a developer's machine: the AWS JSON 1.1 protocol, for the unchanged SDK.
//!
//! [`Cognito::router`] answers `POST /` by its `X-Amz-Target`, and serves each pool's JWKS. Everything that changes
//! is in one `SQLite` file before the answer goes out, so that it survives `kill -9`. What Cognito would send by e-mail
//! goes to [`Deliver`]; the Lambda functions of custom authentication are called through [`Triggers`].
//!
//! # What differs from Cognito
//!
//! - A username is locked by no number of wrong passwords. Cognito's lockout doubles from a second to a quarter of
//!   an hour, which only makes tests slow; callers limit logins themselves.
//! - Codes go by e-mail only, and a wrong code may be tried five times, whatever the risk. Then the code is dead and
//!   `LimitExceededException` is the answer until a new one is asked for.
//! - `SigV4` signatures are not checked: who reaches the port may call the `Admin…` operations.
//! - Users are found by their username only, never by an alias or their `sub`; usernames are case-sensitive. Pools
//!   and clients that ask for aliases, MFA, refresh token rotation or tokens that cannot be revoked are refused with
//!   `InvalidParameterException` instead of being made without.
//! - The message trigger is called for recovery codes alone.
//! - A password policy requires what `CreateUserPool` names, and eight characters; Cognito's own default requires
//!   all four kinds of characters.
//! - An e-mail address that `AdminUpdateUserAttributes` changes becomes unverified at once, and no code is sent for it.
//! - No custom attribute can be read or written by a client, whatever it was made with.
//! - One key signs access and id tokens of all pools; Cognito has two for each pool.
//! - The words that refuse a missing or wrong `ClientSecret` are the emulator's own; those about a `SECRET_HASH` are
//!   Cognito's.
//! - `RevokeToken` of a token that nobody issued succeeds, as RFC 7009 has it.

mod account;
mod admin;
mod attributes;
mod auth;
mod challenge;
mod client;
mod codes;
mod error;
mod input;
mod keys;
mod logins;
mod message;
mod own_email;
mod password;
mod pool;
mod random;
mod recovery;
mod router;
mod secret;
mod sessions;
mod sign_up;
mod storage;
mod tokens;
mod triggers;
mod user;
mod validity;

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use error::Error;

use client::Client;
use keys::SigningKey;
use password::Hasher;
use pool::Pool;
use storage::Storage;

/// What an emulator is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The `SQLite` file that keeps everything; `None` keeps it in memory.
    pub data: Option<PathBuf>,
    /// What a token's `iss` begins with, such as `http://127.0.0.1:9229`; the pool's id follows.
    pub issuer_base: String,
    /// The code of every message instead of a random one, so that scripts need not read messages.
    pub fixed_code: Option<String>,
    /// The region in the ids of new pools and in trigger events.
    pub region: String,
}

/// What Cognito would have sent by e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The e-mail address.
    pub to: String,
    /// `verification`, `recovery`, `attribute` or `invitation`.
    pub kind: String,
    /// The code to be typed in; of an invitation, the temporary password.
    pub code: Option<String>,
    /// The whole text.
    pub body: String,
}

/// Takes the messages; called after what they belong to has been stored.
pub type Deliver = Arc<dyn Fn(Message) + Send + Sync>;

/// Calls the Lambda triggers of custom authentication, and the one before tokens are written, with Cognito's own event.
///
/// It answers the event with `response` filled in, or the message of the error that the function ended with.
pub type Triggers = Arc<
    dyn Fn(serde_json::Value) -> Pin<Box<dyn Future<Output = Result<serde_json::Value, String>> + Send>> + Send + Sync,
>;

/// The emulator; clones share everything.
#[derive(Clone)]
pub struct Cognito(Arc<Inner>);

struct Inner {
    storage: Storage,
    key: SigningKey,
    hasher: Hasher,
    options: Options,
    deliver: Deliver,
    triggers: RwLock<Option<Triggers>>,
    ahead: AtomicU64,
}

impl Cognito {
    /// Opens the data, or makes it.
    ///
    /// # Errors
    /// When the file cannot be opened, is damaged, or was written by something else.
    pub fn open(options: Options, deliver: Deliver) -> Result<Self, Error> {
        let storage = Storage::open(options.data.as_deref())?;
        let key = SigningKey::load_or_make(&storage)?;
        Ok(Self(Arc::new(Inner {
            storage,
            key,
            hasher: Hasher::new(options.data.is_some()),
            options,
            deliver,
            triggers: RwLock::new(None),
            ahead: AtomicU64::new(0),
        })))
    }

    /// Sets what custom authentication calls; until then it answers that no trigger is configured.
    pub fn set_triggers(&self, triggers: Triggers) {
        *self.0.triggers.write().unwrap_or_else(PoisonError::into_inner) = Some(triggers);
    }

    /// The HTTP interface, to be served at the root of `issuer_base`.
    pub fn router(&self) -> axum::Router {
        router::router(self.clone())
    }

    /// Moves the emulator's clock forward, for tests of what expires.
    pub fn advance_clock(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.0.ahead.fetch_add(millis, Ordering::SeqCst);
    }

    /// Makes every login look as if it had begun earlier, for tests of what a recent one is needed for.
    ///
    /// # Errors
    /// When the data cannot be written.
    pub fn age_logins(&self, by: Duration) -> Result<(), Error> {
        let seconds = i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
        let aged = self.storage().write(|data| {
            data.execute("UPDATE logins SET auth_time = auth_time - ?1", [seconds])?;
            Ok(())
        });
        aged.map_err(|failure| Error::Pool(failure.to_string()))
    }

    /// Makes the pool and the client that Muster uses, or brings existing ones to these settings. With a `secret` the
    /// client is of use only to who knows it.
    ///
    /// Passwords have 6 characters. Access and id tokens live 60 minutes, refresh tokens 30 days; passwords, custom authentication and refreshing
    /// are allowed; answers do not tell whether a user exists; sign-up verifies the e-mail address.
    ///
    /// # Errors
    /// When the data cannot be written, or the client belongs to another pool.
    pub fn ensure_pool(&self, pool_id: &str, client_id: &str, secret: Option<&str>) -> Result<(), Error> {
        let now = self.now();
        let ours = self.storage().write(|data| {
            let client = Client::find(data, client_id)?;
            if client.as_ref().is_some_and(|client| client.pool != pool_id) {
                return Ok(false);
            }
            let made = Pool::find(data, pool_id)?.map_or(now, |pool| pool.created);
            Pool::muster(pool_id, made).put(data)?;
            let made = client.map_or(now, |client| client.created);
            Client::muster(client_id, pool_id, secret, made).put(data)?;
            Ok(true)
        });
        match ours {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::ForeignClient(client_id.to_owned())),
            Err(failure) => Err(Error::Pool(failure.to_string())),
        }
    }

    fn storage(&self) -> &Storage {
        &self.0.storage
    }

    fn key(&self) -> &SigningKey {
        &self.0.key
    }

    fn hasher(&self) -> &Hasher {
        &self.0.hasher
    }

    fn options(&self) -> &Options {
        &self.0.options
    }

    fn deliver(&self, message: Message) {
        (self.0.deliver)(message);
    }

    fn triggers(&self) -> Option<Triggers> {
        self.0.triggers.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Seconds since 1970 by the emulator's clock.
    #[expect(clippy::disallowed_methods, reason = "the emulator stands in for a service, which has its own clock")]
    fn now(&self) -> i64 {
        let real = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let shown = real.saturating_add(Duration::from_millis(self.0.ahead.load(Ordering::SeqCst)));
        i64::try_from(shown.as_secs()).unwrap_or(i64::MAX)
    }
}

impl std::fmt::Debug for Cognito {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cognito").field("options", &self.0.options).finish_non_exhaustive()
    }
}
