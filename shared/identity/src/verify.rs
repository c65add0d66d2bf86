//! Access tokens: RS256, this pool's issuer and client, an access token, unexpired, by a key that the pool publishes.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::byte_stream::ByteStream;
use domain::{Error, Time, UserId};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::ClientSecret;

/// The user pool whose tokens are good.
#[derive(Debug, Clone)]
pub struct Pool {
    /// The pool's id.
    pub id: String,
    /// The app client's id.
    pub client_id: String,
    /// The app client's secret, where it has one.
    pub client_secret: Option<ClientSecret>,
    /// What the tokens name as their issuer.
    pub issuer: String,
    /// Where the pool publishes its keys.
    pub jwks_url: String,
}

/// What a good access token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Whose it is.
    pub user_id: UserId,
    /// The session that it belongs to; all tokens of one login share it.
    pub session: String,
    /// When the session began, in seconds since 1970.
    pub began: i64,
    /// When the token expires.
    pub expires_at: Time,
}

/// Verifies access tokens. Keys are fetched once and kept; a clone shares them.
#[derive(Debug, Clone)]
pub struct Verifier(Arc<Shared>);

struct Shared {
    pool: Pool,
    http: SharedHttpConnector,
    keys: RwLock<HashMap<String, Arc<DecodingKey>>>,
    fetched: Mutex<Option<Instant>>,
    validation: Validation,
}

/// Tokens with made-up key ids must not make each instance ask the pool for keys at each request.
const REFETCH_AFTER: Duration = Duration::from_secs(30);

impl std::fmt::Debug for Shared {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Verifier").field("pool", &self.pool).finish_non_exhaustive()
    }
}

impl Verifier {
    /// A verifier that fetches the pool's keys through `http`.
    #[must_use]
    pub fn new(pool: Pool, http: SharedHttpConnector) -> Self {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[&pool.issuer]);
        validation.set_required_spec_claims(&["exp", "iss"]);
        // Access tokens name the client in `client_id`; only id tokens have an audience.
        validation.validate_aud = false;
        validation.leeway = 0;
        Self(Arc::new(Shared { pool, http, keys: RwLock::default(), fetched: Mutex::default(), validation }))
    }

    /// What `token` says, if it is good.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for any other token; [`Error::Unavailable`] where the pool's keys cannot be had.
    pub async fn verify(&self, token: &str) -> Result<Claims, Error> {
        let header = decode_header(token).map_err(|_| Error::Unauthenticated)?;
        if header.alg != Algorithm::RS256 {
            return Err(Error::Unauthenticated);
        }
        let key = self.key(&header.kid.ok_or(Error::Unauthenticated)?).await?;
        let said: AccessToken = decode(token, &key, &self.0.validation).map_err(|_| Error::Unauthenticated)?.claims;
        if said.token_use != "access" || said.client_id != self.0.pool.client_id {
            return Err(Error::Unauthenticated);
        }
        Ok(Claims {
            user_id: said.username.parse().map_err(|_| Error::Unauthenticated)?,
            session: said.origin_jti,
            began: said.auth_time,
            expires_at: Time::from_millis(said.exp.saturating_mul(1000)),
        })
    }

    /// Fetches the keys before the first token needs them.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the pool does not answer.
    pub async fn warm(&self) -> Result<(), Error> {
        self.fetch().await?;
        // The first signature makes aws-lc set itself up; one that is no signature will do.
        if let Some(key) = self.0.keys.read().unwrap_or_else(PoisonError::into_inner).values().next() {
            drop(jsonwebtoken::crypto::verify(&"A".repeat(342), b"", key, Algorithm::RS256));
        }
        Ok(())
    }

    async fn key(&self, kid: &str) -> Result<Arc<DecodingKey>, Error> {
        if let Some(key) = self.known(kid) {
            return Ok(key);
        }
        self.fetch().await?;
        self.known(kid).ok_or(Error::Unauthenticated)
    }

    fn known(&self, kid: &str) -> Option<Arc<DecodingKey>> {
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner).get(kid).cloned()
    }

    /// Fetches the pool's keys, unless that was done a moment ago.
    async fn fetch(&self) -> Result<(), Error> {
        let mut fetched = self.0.fetched.lock().await;
        if fetched.is_some_and(|at| at.elapsed() < REFETCH_AFTER) {
            return Ok(());
        }
        let request = HttpRequest::get(&self.0.pool.jwks_url).map_err(|error| Error::Internal(Box::new(error)))?;
        let answer = self.0.http.call(request).await.map_err(|error| Error::Unavailable(Box::new(error)))?;
        if !answer.status().is_success() {
            return Err(Error::Unavailable(format!("the pool's keys: status {}", answer.status().as_u16()).into()));
        }
        let body = ByteStream::new(answer.into_body()).collect().await;
        let body = body.map_err(|error| Error::Unavailable(Box::new(error)))?.into_bytes();
        let set: JwkSet = serde_json::from_slice(&body).map_err(|error| Error::Unavailable(Box::new(error)))?;
        let keys = set.keys.iter().filter_map(|jwk| {
            let kid = jwk.common.key_id.clone()?;
            Some((kid, Arc::new(DecodingKey::from_jwk(jwk).ok()?)))
        });
        *self.0.keys.write().unwrap_or_else(PoisonError::into_inner) = keys.collect();
        *fetched = Some(now());
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "the time between two fetches, which no calendar is needed for")]
fn now() -> Instant {
    Instant::now()
}

#[derive(Deserialize)]
struct AccessToken {
    username: String,
    client_id: String,
    token_use: String,
    origin_jti: String,
    auth_time: i64,
    exp: i64,
}
