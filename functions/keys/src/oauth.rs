//! `/v1/oauth`: access tokens for keys, by the client credentials grant (RFC 6749) and revocation (RFC 7009).

use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::key::Scopes;
use domain::text::Secret;
use domain::{Actor, AuditAction, AuditEntry, Error, body};
use edge::{App, Failure, FromJson, IssuedToken, JsonOrForm, Problem, Rendered, Visitor};
use serde_json::{Value, json};
use store::KeptKey;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(issue_token)).routes(routes!(revoke_token))
}

/// The one grant type.
const GRANT: &str = "client_credentials";

body! {
    /// A request for an access token.
    pub struct TokenRequest {
        /// `client_credentials`.
        pub grant_type: Secret,
        /// The id of the key, unless HTTP Basic sends it.
        pub client_id: Option<Secret>,
        /// The secret of the key, unless HTTP Basic sends it.
        pub client_secret: Option<Secret>,
        /// The scopes of the token, separated by spaces; default: all of the key.
        pub scope: Option<Secret>,
    }
    example { "grant_type": "client_credentials", "client_id": "0199d2a4-5c00-7000-8000-000000000c01", "client_secret": "mk_AAAAAAAAAAAAAAAAAAAAAAGZ0qRcAHAAgAAAAAAAAMEB", "scope": "read" }
}

body! {
    /// An access token to be revoked.
    pub struct Revocation {
        /// The token.
        pub token: Secret,
        /// The id of the key, unless HTTP Basic sends it.
        pub client_id: Option<Secret>,
        /// The secret of the key, unless HTTP Basic sends it.
        pub client_secret: Option<Secret>,
    }
    example { "token": "mt_AAAAAAAA", "client_id": "0199d2a4-5c00-7000-8000-000000000c01", "client_secret": "mk_AAAAAAAAAAAAAAAAAAAAAAGZ0qRcAHAAgAAAAAAAAMEB" }
}

/// An access token of a key.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the shape of the answer, for the OpenAPI document")]
pub struct ClientToken {
    /// Goes with requests as `Authorization: Bearer`, wherever the key does.
    access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: String,
    /// Seconds until the token expires: 3600, or fewer where the key expires earlier.
    #[schema(example = 3600)]
    expires_in: i64,
    /// The scopes of the token.
    #[schema(example = "read write")]
    scope: String,
}

/// An answer without members: there is nothing more to tell.
#[derive(Debug, ToSchema)]
pub struct Revoked {}

/// The known parameters of a request; others are ignored, and one without a value counts as omitted (RFC 6749, 3.2).
#[derive(Debug)]
pub struct Parameters<T>(T);

const NAMES: [&str; 5] = ["grant_type", "client_id", "client_secret", "scope", "token"];

impl<T: domain::Body> FromJson for Parameters<T> {
    fn from_json(mut value: Value) -> Result<Self, Error> {
        if let Some(fields) = value.as_object_mut() {
            fields.retain(|name, value| {
                let is_blank = value.as_str().is_some_and(|text| text.trim().is_empty());
                NAMES.contains(&name.as_str()) && T::NAMES.contains(&name.as_str()) && !is_blank
            });
        }
        T::parse(value).map(Self)
    }
}

/// A request as it is read, or why it cannot be read.
pub type Request<T> = Result<JsonOrForm<Parameters<T>>, Failure>;

/// Issues an access token for a key, valid for one hour.
///
/// The client is the key: its id and secret, by HTTP Basic or in the body, which is a form or JSON. Errors have the `error`
/// of RFC 6749 beside their `code`. The token ends with its key.
#[utoipa::path(post, path = "/v1/oauth/token", tag = "oauth", security(()),
    request_body(content((TokenRequest = "application/json"), (TokenRequest = "application/x-www-form-urlencoded"))),
    responses((status = 200, description = "The token.", body = ClientToken)))]
pub async fn issue_token(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    request: Request<TokenRequest>,
) -> Result<Rendered, OauthError> {
    visitor.comes().await?;
    let JsonOrForm(Parameters(request)) = request.map_err(invalid_request)?;
    if request.grant_type.reveal() != GRANT {
        let failure = Error::invalid("/grant_type", "invalid_choice", &format!("must be {GRANT}")).into();
        return Err(OauthError { failure, code: "unsupported_grant_type" });
    }
    let client = Client::of(&headers, request.client_id, request.client_secret)?.ok_or(Error::Unauthenticated)?;
    let kept = app.client_key(&client.id, &client.secret).await?;
    let scopes = requested_scopes(&kept, request.scope.as_ref())
        .map_err(|error| OauthError { failure: error.into(), code: "invalid_scope" })?;
    let token = issue(&app, &visitor, &kept, scopes).await?;
    let scope = token.scopes.to_string();
    let body =
        json!({ "access_token": token.text, "token_type": "Bearer", "expires_in": token.expires_in, "scope": scope });
    Ok(Rendered(body))
}

/// Issues an access token for a key that has proved itself, and records it in the audit: 1 write.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn issue(app: &App, visitor: &Visitor, kept: &KeptKey, scopes: Scopes) -> Result<IssuedToken, Error> {
    let token = app.issue_token(kept, scopes).await?;
    let key = &kept.key;
    let act = visitor.act(Actor::Key(key.id));
    let audit = AuditEntry::new(AuditAction::TokenIssued, (key.account_id, key.segment_id), key.id, act);
    app.store.record_audit(&audit).await?;
    Ok(token)
}

/// Revokes an access token of a key, immediately.
///
/// The client authenticates as for a token, or not at all: then the token itself proves that it may be revoked. A token that
/// is unknown, expired or of another key is answered in the same way (RFC 7009, 2.2).
#[utoipa::path(post, path = "/v1/oauth/revoke", tag = "oauth", security(()),
    request_body(content((Revocation = "application/json"), (Revocation = "application/x-www-form-urlencoded"))),
    responses((status = 200, description = "The token is not valid any more.", body = Revoked)))]
pub async fn revoke_token(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    request: Request<Revocation>,
) -> Result<Rendered, OauthError> {
    visitor.comes().await?;
    let JsonOrForm(Parameters(request)) = request.map_err(invalid_request)?;
    let token = request.token.reveal();
    let kept = match Client::of(&headers, request.client_id, request.client_secret)? {
        Some(client) => Some(app.client_key(&client.id, &client.secret).await?),
        None => app.token_key(token).await?,
    };
    let Some(kept) = kept else { return Ok(Rendered(json!({}))) };
    if app.revoke_token(&kept, token).await? {
        let key = &kept.key;
        let act = visitor.act(Actor::Key(key.id));
        let audit = AuditEntry::new(AuditAction::TokenRevoked, (key.account_id, key.segment_id), key.id, act);
        app.store.record_audit(&audit).await?;
    }
    Ok(Rendered(json!({})))
}

/// The credentials of a client.
struct Client {
    id: String,
    secret: String,
}

impl Client {
    /// Reads the credentials from the one place where the client sends them; an `Authorization` that is not Basic is none.
    fn of(headers: &HeaderMap, id: Option<Secret>, secret: Option<Secret>) -> Result<Option<Self>, Error> {
        match (headers.get(AUTHORIZATION).filter(|header| is_basic(header)), id, secret) {
            (None, None, None) => Ok(None),
            (None, Some(id), Some(secret)) => Ok(Some(Self { id: id.reveal().into(), secret: secret.reveal().into() })),
            (Some(basic), id, None) => {
                let client = basic.to_str().ok().and_then(Self::from_basic).ok_or(Error::Unauthenticated)?;
                match id {
                    Some(id) if id.reveal() != client.id => {
                        Err(Error::invalid("/client_id", "exclusive", "is not the client of HTTP Basic"))
                    }
                    _ => Ok(Some(client)),
                }
            }
            (Some(_), _, Some(_)) => {
                Err(Error::invalid("", "exclusive", "Send the credentials by HTTP Basic or in the body, not both."))
            }
            (None, ..) => Err(Error::Unauthenticated),
        }
    }

    /// Reads HTTP Basic, whose parts are form-encoded (RFC 6749, 2.3.1).
    fn from_basic(header: &str) -> Option<Self> {
        let (scheme, encoded) = header.split_once(' ')?;
        let bytes = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
        let text = String::from_utf8(bytes).ok()?;
        let (id, secret) = text.split_once(':')?;
        let decode = |text: &str| form_urlencoded::parse(text.as_bytes()).next().map(|(text, _)| text.into_owned());
        Some(Self { id: decode(id)?, secret: decode(secret)? })
    }
}

/// Whether a header has the scheme of HTTP Basic.
fn is_basic(header: &HeaderValue) -> bool {
    header.as_bytes().get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic "))
}

/// The scopes that a token gets: those that were asked for, which the key must have, or else all of the key.
fn requested_scopes(kept: &KeptKey, asked: Option<&Secret>) -> Result<Scopes, Error> {
    let own = &kept.key.fields.scopes;
    let Some(asked) = asked else { return Ok(own.clone()) };
    let message = format!("must be scopes of the key, separated by spaces: {own}");
    let scopes = Scopes::from_names(asked.reveal().split_ascii_whitespace());
    scopes.filter(|scopes| scopes.is_subset(own)).ok_or_else(|| Error::invalid("/scope", "invalid_choice", &message))
}

/// The error of a request that cannot be read.
fn invalid_request(failure: Failure) -> OauthError {
    OauthError { failure, code: "invalid_request" }
}

/// A failure with the `error` of RFC 6749, 5.2, which stands beside the members of a problem.
#[derive(Debug)]
pub struct OauthError {
    failure: Failure,
    code: &'static str,
}

impl From<Error> for OauthError {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::Unauthenticated | Error::Expired | Error::SegmentInactive => "invalid_client",
            Error::Unavailable(_) | Error::Internal(_) | Error::RateLimited { .. } => "temporarily_unavailable",
            Error::Invalid(_)
            | Error::Malformed(_)
            | Error::Unverified(_)
            | Error::Forbidden(_)
            | Error::NotFound
            | Error::Conflict(_)
            | Error::Gone(_)
            | Error::OtherVersion
            | Error::Stale => "invalid_request",
        };
        Self { failure: error.into(), code }
    }
}

impl IntoResponse for OauthError {
    fn into_response(self) -> Response {
        let mut response = self.failure.into_response();
        if let Some(problem) = response.extensions_mut().get_mut::<Problem>() {
            problem.error = Some(self.code);
            problem.error_description = Some(problem.detail.clone());
        }
        // RFC 6749, 5.2, as for tokens.
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.code == "invalid_client" {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"muster\""));
        }
        response
    }
}
