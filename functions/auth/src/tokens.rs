//! The tokens as clients see them, and the session that they begin.

use domain::{Act, AuditEntry, Error, UserId, UserSession};
use edge::{App, RefreshToken, Rendered};
use identity::Tokens;
use serde_json::json;
use store::UserRecord;
use utoipa::ToSchema;

/// What a login, a verification and a refresh answer.
#[derive(Debug, ToSchema)]
pub struct TokenSet {
    /// Whose tokens these are.
    pub user_id: UserId,
    /// Goes with each request as `Authorization: Bearer`; lives 60 minutes.
    pub access_token: String,
    /// Gets new tokens from `/v1/auth/refresh`, and a refresh token in place of this one.
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
    /// The answer that carries `tokens`.
    pub(crate) async fn answer(app: &App, tokens: Tokens, refresh: &RefreshToken) -> Result<Rendered, Error> {
        Ok(Rendered(json!({
            "user_id": refresh.user,
            "access_token": tokens.access_token,
            "refresh_token": refresh.write(app).await?,
            "id_token": tokens.id_token,
            "token_type": "Bearer",
            "expires_in": tokens.expires_in,
        })))
    }
}

/// Begins the session of a login, with its audit entry if there is one, and answers its tokens: 1 `BatchWriteItem`.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn begin_session(
    app: &App,
    record: &UserRecord,
    tokens: Tokens,
    (act, audit): (Act<'_>, Option<AuditEntry>),
) -> Result<Rendered, Error> {
    let claims = app.claims(&tokens.access_token).await?;
    let of_cognito = tokens.refresh_token.clone();
    let of_cognito = of_cognito.ok_or_else(|| Error::internal("Cognito began a session without a refresh token"))?;
    let session = UserSession::new(record.user.id, (claims.session.clone(), claims.began), act.origin);
    app.store.begin_session(&session, audit.as_ref()).await?;
    let (user, token_session) = (record.user.id, claims.session);
    let refresh = RefreshToken { user, session: session.id, token_session, generation: 0, of_cognito };
    TokenSet::answer(app, tokens, &refresh).await
}
