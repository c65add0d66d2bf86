//! The app client's secret, which only the functions know: without it nobody calls Cognito in the client's name.

use std::fmt;
use std::sync::Arc;

/// The secret of the app client; no debug output shows it.
#[derive(Clone)]
pub struct ClientSecret(
    #[cfg_attr(
        not(feature = "client"),
        expect(dead_code, reason = "a function that never calls Cognito shows it to nobody")
    )]
    Arc<str>,
);

impl ClientSecret {
    /// The secret as Cognito gave it.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self(secret.into())
    }

    /// The secret itself.
    #[cfg(feature = "client")]
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// What proves to Cognito, in a call about `username`, that the caller knows the secret.
    #[cfg(feature = "client")]
    pub(crate) fn hash(&self, username: &str, client_id: &str) -> String {
        use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
        use base64::Engine as _;
        let key = Key::new(HMAC_SHA256, self.0.as_bytes());
        base64::engine::general_purpose::STANDARD.encode(sign(&key, format!("{username}{client_id}").as_bytes()))
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("ClientSecret(…)")
    }
}

#[cfg(all(test, feature = "client"))]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_what_other_implementations_make_of_the_same() {
        // printf ana3n4b5urk1ft4fl3mg5e62d9ado | openssl dgst -sha256 -hmac a_secret -binary | base64
        let hash = ClientSecret::new("a_secret").hash("ana", "3n4b5urk1ft4fl3mg5e62d9ado");
        assert_eq!(hash, "g+hIxbDcgqfcxLU38dfu1Dcmzx2ylv7t6JqSHUZzKXY=");
        assert!(!format!("{:?}", ClientSecret::new("a_secret")).contains("a_secret"));
    }
}
