//! Refresh tokens as clients carry them: Cognito's own token, the session that it belongs to and which of its tokens it is,
//! sealed. So a token that was replaced is known for what it is, and nobody can make one up.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Error, SessionId, UserId};
use serde::{Deserialize, Serialize};
use store::SESSION_LIFETIME;

use crate::App;
use crate::keyring::Purpose;

/// What each refresh token begins with.
const MARK: &str = "rt_";

/// What a token is sealed for; it is bound to its mark.
const PURPOSE: Purpose = Purpose { name: "refresh", lifetime: Some(SESSION_LIFETIME) };

/// What a refresh token says.
#[derive(Clone, Serialize, Deserialize)]
pub struct RefreshToken {
    /// The user.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// The session's name in its access tokens.
    pub token_session: String,
    /// How many refresh tokens the session had before this one.
    pub generation: u64,
    /// Cognito's token, which stays the same.
    pub of_cognito: String,
}

impl RefreshToken {
    /// Seals the token for the client.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the deployment's secret cannot be had.
    pub async fn write(&self, app: &App) -> Result<String, Error> {
        let text = serde_json::to_vec(self).map_err(Error::internal)?;
        let sealed = app.keyring.seal(PURPOSE, &text, MARK).await?;
        Ok(format!("{MARK}{}", URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// Opens a token that a client brought; `None` for what is none of ours.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the deployment's secret cannot be had.
    pub async fn read(app: &App, text: &str) -> Result<Option<Self>, Error> {
        let sealed = text.strip_prefix(MARK).and_then(|sealed| URL_SAFE_NO_PAD.decode(sealed).ok());
        let Some(sealed) = sealed else { return Ok(None) };
        let opened = app.keyring.open(PURPOSE, &sealed, MARK).await?;
        Ok(opened.and_then(|text| serde_json::from_slice(&text).ok()))
    }
}

impl std::fmt::Debug for RefreshToken {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "RefreshToken({} of {})", self.generation, self.session)
    }
}
