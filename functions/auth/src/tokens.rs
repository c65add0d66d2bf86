//! The tokens as clients see them.

use domain::UserId;
use edge::Rendered;
use identity::Tokens;
use serde_json::json;
use utoipa::ToSchema;

/// What a login, a verification and a refresh answer.
#[derive(Debug, ToSchema)]
pub struct TokenSet {
    /// Whose tokens these are.
    pub user_id: UserId,
    /// Goes with each request as `Authorization: Bearer`; lives 60 minutes.
    pub access_token: String,
    /// Gets new tokens from `/v1/auth/refresh`.
    pub refresh_token: String,
    /// Tells the client who has logged in.
    pub id_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: String,
    /// Seconds until the access token expires.
    #[schema(example = 3600)]
    pub expires_in: i32,
}

impl TokenSet {
    /// The answer that carries `tokens`; a refresh gives no new refresh token, so the one that was used goes on.
    #[must_use]
    pub fn answer(user_id: UserId, tokens: Tokens, used: Option<&str>) -> Rendered {
        let refresh_token = tokens.refresh_token.as_deref().or(used);
        Rendered(json!({
            "user_id": user_id,
            "access_token": tokens.access_token,
            "refresh_token": refresh_token,
            "id_token": tokens.id_token,
            "token_type": "Bearer",
            "expires_in": tokens.expires_in,
        }))
    }
}
