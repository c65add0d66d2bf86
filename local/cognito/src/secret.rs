//! The secret of a client that has one: who calls in its name must prove to know it.
//!
//! Most operations take a hash of the username and the client's id under the secret; those that go by a refresh token
//! alone, and know no username, take the secret itself.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::Cognito;
use crate::client::Client;
use crate::error::Failure;
use crate::input::Input;

impl Client {
    /// The client and the user that a user's own operation names, once its `SecretHash` is right.
    pub(crate) fn with_user<'a>(cognito: &Cognito, input: &'a Input) -> Result<(Self, &'a str), Failure> {
        let client = Self::of(cognito, input)?;
        let username = input.username()?;
        client.expect_hash(username, input.optional_text("SecretHash")?)?;
        Ok((client, username))
    }

    /// What begins with a username: a hash where there must be none is refused too.
    pub(crate) fn expect_hash(&self, username: &str, hash: Option<&str>) -> Result<(), Failure> {
        if self.secret.is_none() && hash.is_some() {
            let reason = format!("App client {} is not configured for secret but secret hash was received", self.id);
            return Err(Failure::invalid(reason));
        }
        self.check_hash(username, hash)
    }

    /// What goes on with a refresh token or a session: of a client without a secret any hash is ignored.
    pub(crate) fn check_hash(&self, username: &str, hash: Option<&str>) -> Result<(), Failure> {
        let Some(secret) = &self.secret else { return Ok(()) };
        let Some(hash) = hash else {
            let reason = format!("Client {} is configured with secret but SECRET_HASH was not received", self.id);
            return Err(Failure::not_authorized(reason));
        };
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let right = STANDARD.decode(hash).is_ok_and(|hash| {
            let text = [username.as_bytes(), self.id.as_bytes()].concat();
            hmac::verify(&key, &text, &hash).is_ok()
        });
        let wrong = || Failure::not_authorized(format!("Unable to verify secret hash for client {}", self.id));
        if right { Ok(()) } else { Err(wrong()) }
    }

    /// Whether `ClientSecret` is this client's; without a secret of its own it takes any.
    pub(crate) fn knows_secret(&self, input: &Input) -> Result<bool, Failure> {
        let given = input.optional_text("ClientSecret")?.unwrap_or_default();
        let same = |secret: &String| verify_slices_are_equal(secret.as_bytes(), given.as_bytes()).is_ok();
        Ok(self.secret.as_ref().is_none_or(same))
    }
}
