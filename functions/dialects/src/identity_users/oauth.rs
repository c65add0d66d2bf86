//! `oauth/token`: access tokens of keys, as `/v1/oauth` issues them.

use axum::extract::State as Shared;
use axum::http::HeaderMap;
use edge::{App, Rendered, Visitor};
use keys::oauth::{ClientToken, OauthError, Request, Revocation, TokenRequest};
use serde_json::{Value, json};

use crate::openapi::objects::Empty;

/// Issues an access token for a key, valid for one hour. `client_id` and `client_secret` are the id and the secret of the key,
/// in the body, which is JSON or a form, or by HTTP Basic. `audience` is ignored.
#[utoipa::path(post, path = "/identity/oauth/token", tag = "oauth", security(()),
    request_body(content = TokenRequest, example = json!(request())),
    responses((status = 200, description = "The token.", body = ClientToken, example = json!({
        "access_token": "mt_AAAAAAAA", "token_type": "Bearer", "expires_in": 3600, "scope": "read write"
    }))))]
pub(super) async fn issue_token(
    app: Shared<App>,
    visitor: Visitor,
    headers: HeaderMap,
    request: Request<TokenRequest>,
) -> Result<Rendered, OauthError> {
    keys::oauth::issue_token(app, visitor, headers, request).await
}

/// Revokes an access token, immediately. A token that is unknown or expired is answered in the same way.
#[utoipa::path(post, path = "/identity/oauth/token/revoke", tag = "oauth", security(()),
    request_body(content = Revocation, example = json!({ "token": "mt_AAAAAAAA" })),
    responses((status = 200, description = "The token is not valid any more.", body = Empty, example = json!({}))))]
pub(super) async fn revoke_token(
    app: Shared<App>,
    visitor: Visitor,
    headers: HeaderMap,
    request: Request<Revocation>,
) -> Result<Rendered, OauthError> {
    keys::oauth::revoke_token(app, visitor, headers, request).await
}

fn request() -> Value {
    json!({
        "client_id": "0199d2a4-5c00-7000-8000-000000000c01",
        "client_secret": "mk_AAAAAAAAAAAAAAAAAAAAAAGZ0qRcAHAAgAAAAAAAAMEB",
        "grant_type": "client_credentials"
    })
}
