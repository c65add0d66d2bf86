//! Passwords: what a pool demands of them, and their Argon2 hashes.

use std::thread::available_parallelism;

use argon2::password_hash::{self, PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::error::Failure;
use crate::input::{Input, violated};
use crate::random;

/// Memory in KiB and passes of hashes that are kept on disk: the least that OWASP recommends for Argon2id.
const KEPT: (u32, u32) = (19 * 1024, 2);

/// The same of hashes that end with the process, whose memory holds the passwords themselves as requests bring them.
const EPHEMERAL: (u32, u32) = (64, 1);

/// What a password must have.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Policy {
    minimum_length: i64,
    uppercase: bool,
    lowercase: bool,
    numbers: bool,
    symbols: bool,
    /// How many days a temporary password may be used.
    temporary_days: i64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            minimum_length: 8,
            uppercase: false,
            lowercase: false,
            numbers: false,
            symbols: false,
            temporary_days: 7,
        }
    }
}

impl Policy {
    /// A policy that demands a length and nothing else.
    pub(crate) fn of_length(minimum_length: i64) -> Self {
        Self { minimum_length, ..Self::default() }
    }

    pub(crate) fn parse(input: &Input) -> Result<Self, Failure> {
        Ok(Self {
            minimum_length: input.number("MinimumLength", 6..=99)?.unwrap_or(8),
            uppercase: input.flag("RequireUppercase")?,
            lowercase: input.flag("RequireLowercase")?,
            numbers: input.flag("RequireNumbers")?,
            symbols: input.flag("RequireSymbols")?,
            temporary_days: input
                .number("TemporaryPasswordValidityDays", 0..=365)?
                .filter(|days| *days > 0)
                .unwrap_or(7),
        })
    }

    pub(crate) fn describe(&self) -> Value {
        json!({
            "MinimumLength": self.minimum_length,
            "RequireUppercase": self.uppercase,
            "RequireLowercase": self.lowercase,
            "RequireNumbers": self.numbers,
            "RequireSymbols": self.symbols,
            "TemporaryPasswordValidityDays": self.temporary_days,
        })
    }

    pub(crate) fn temporary_seconds(&self) -> i64 {
        self.temporary_days * 24 * 60 * 60
    }

    /// Refuses `password`, which was given as `parameter`.
    pub(crate) fn check(&self, parameter: &str, password: &str) -> Result<(), Failure> {
        let length = i64::try_from(password.chars().count()).unwrap_or(i64::MAX);
        let edges = [password.chars().next(), password.chars().next_back()];
        if length > 256 {
            return Err(violated(parameter, "Value", "Member must have length less than or equal to 256"));
        }
        if edges.into_iter().flatten().any(char::is_whitespace) {
            let constraint = r"Member must satisfy regular expression pattern: ^[\S]+.*[\S]+$";
            return Err(violated(parameter, "Value", constraint));
        }
        let has = |kind: fn(char) -> bool| password.chars().any(kind);
        let demands = [
            (length < self.minimum_length, "Password not long enough"),
            (self.lowercase && !has(|c| c.is_ascii_lowercase()), "Password must have lowercase characters"),
            (self.uppercase && !has(|c| c.is_ascii_uppercase()), "Password must have uppercase characters"),
            (self.numbers && !has(|c| c.is_ascii_digit()), "Password must have numeric characters"),
            (self.symbols && !has(|c| c.is_ascii_punctuation() || c == ' '), "Password must have symbol characters"),
        ];
        match demands.into_iter().find(|(broken, _)| *broken) {
            None => Ok(()),
            Some((_, demand)) => Err(Failure::InvalidPassword(demand)),
        }
    }
}

/// Hashes off the async threads, and only as many at once as there are cores, each of which takes its memory.
pub(crate) struct Hasher {
    turns: Semaphore,
    argon2: Argon2<'static>,
}

impl Hasher {
    /// Makes hashes that are kept on disk, or end with the process.
    pub(crate) fn new(are_kept: bool) -> Self {
        let (memory, passes) = if are_kept { KEPT } else { EPHEMERAL };
        let params = Params::new(memory, passes, 1, None).unwrap_or_default();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        Self { turns: Semaphore::new(available_parallelism().map_or(2, usize::from)), argon2 }
    }

    pub(crate) async fn hash(&self, password: &str) -> Result<String, Failure> {
        let (password, argon2) = (password.to_owned(), self.argon2.clone());
        self.in_turn(move || {
            let salt = SaltString::encode_b64(&random::bytes::<16>()?).map_err(internal)?;
            Ok(argon2.hash_password(password.as_bytes(), &salt).map_err(internal)?.to_string())
        })
        .await
    }

    /// Whether `password` is the one that `hash` was made of.
    ///
    /// Without a hash it is not, after the same work: time must not tell who exists.
    pub(crate) async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, Failure> {
        let Some(hash) = hash.map(str::to_owned) else {
            self.hash(password).await?;
            return Ok(false);
        };
        let (password, argon2) = (password.to_owned(), self.argon2.clone());
        self.in_turn(move || {
            let hash = PasswordHash::new(&hash).map_err(internal)?;
            match argon2.verify_password(password.as_bytes(), &hash) {
                Ok(()) => Ok(true),
                Err(password_hash::Error::Password) => Ok(false),
                Err(error) => Err(internal(error)),
            }
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let _turn = self.turns.acquire().await.map_err(|error| Failure::Internal(error.into()))?;
        tokio::task::spawn_blocking(work).await.map_err(|error| Failure::Internal(error.into()))?
    }
}

fn internal(error: password_hash::Error) -> Failure {
    Failure::Internal(error.to_string().into())
}
