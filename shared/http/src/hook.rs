//! Secrets of webhooks, as Standard Webhooks has them, and the signatures that they make.

use aws_lc_rs::rand::fill;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{Error, WebhookId};

use crate::App;
use crate::keyring::{Keyring, Purpose};
use crate::seal::mac;

/// The secret of a webhook.
pub struct HookSecret([u8; 32]);

impl std::fmt::Debug for HookSecret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("HookSecret(…)")
    }
}

impl HookSecret {
    /// A new one.
    ///
    /// # Errors
    /// [`Error::Internal`] where the system has no random bytes.
    pub fn fresh() -> Result<Self, Error> {
        let mut bytes = [0; 32];
        fill(&mut bytes).map_err(|_| Error::internal("no random bytes to be had"))?;
        Ok(Self(bytes))
    }

    /// The secret, for whoever verifies signatures: `whsec_…`.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("whsec_{}", STANDARD.encode(self.0))
    }

    /// The secret, sealed by the deployment's for this webhook.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the deployment's secret cannot be had.
    pub async fn seal(&self, app: &App, webhook: WebhookId) -> Result<String, Error> {
        let sealed = app.keyring.seal(PURPOSE, &self.0, &webhook.to_string()).await?;
        Ok(STANDARD.encode(sealed))
    }

    /// The secret that was sealed for this webhook by the deployment's secret, by whichever version.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the deployment's secret cannot be had.
    pub async fn open(keyring: &Keyring, webhook: WebhookId, sealed: &str) -> Result<Option<Self>, Error> {
        let Ok(sealed) = STANDARD.decode(sealed) else { return Ok(None) };
        let context = webhook.to_string();
        let opened = match keyring.open(PURPOSE, &sealed, &context).await? {
            Some(opened) => Some(opened),
            None => keyring.open_unversioned(PURPOSE, &sealed, &context).await?,
        };
        Ok(opened.and_then(|opened| opened.try_into().ok()).map(Self))
    }

    /// The signature of what is sent: `v1,…`.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: &str, body: &str) -> String {
        let signature = mac(&self.0, format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(signature))
    }
}

/// What the deployment's secret is derived for.
const PURPOSE: Purpose = Purpose { name: "webhook", lifetime: None };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_specification() {
        // The example of Standard Webhooks, whose secret has 24 bytes: padded, since HMAC fills keys up with zeros.
        let bytes = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let mut padded = [0; 32];
        padded[..bytes.len()].copy_from_slice(&bytes);
        let signature =
            HookSecret(padded).sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_is_never_printed() {
        assert_eq!(format!("{:?}", HookSecret([7; 32])), "HookSecret(…)");
    }
}
