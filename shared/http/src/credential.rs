//! What proves a key: its secret, or an access token that was issued for it (OAuth 2.0, RFC 6749). A token is sealed by the
//! deployment's secret and says which key it is of, so that it costs the reads that the key costs, and ends with it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::key::Scopes;
use domain::{Error, Key, KeyId, SegmentId, Status, Time, UserId};
use serde::{Deserialize, Serialize};
use store::{KeptKey, KeyHolder, Store, UserRecord};
use uuid::Uuid;

use crate::App;
use crate::key::KeySecret;
use crate::keyring::Purpose;

/// What each access token of a key begins with.
const MARK: &str = "mt_";

/// How long an access token of a key is valid.
const LIFETIME: Duration = Duration::from_secs(60 * 60);

/// What a token is sealed for; it is bound to the name of it.
const PURPOSE: Purpose = Purpose { name: "access token", lifetime: Some(LIFETIME) };

/// A key that calls, which is not checked yet.
#[derive(Debug, Clone)]
pub(crate) struct KeyCredential {
    pub(crate) id: KeyId,
    pub(crate) account: UserId,
    pub(crate) segment: Option<SegmentId>,
    proof: Proof,
}

#[derive(Debug, Clone)]
enum Proof {
    Secret(KeySecret),
    Token(Box<AccessToken>),
}

/// An access token of a key.
#[derive(Clone, Serialize, Deserialize)]
struct AccessToken {
    id: Uuid,
    key: KeyId,
    account: UserId,
    segment: Option<SegmentId>,
    /// The hash of the key's secret.
    hash: String,
    scopes: Scopes,
    /// In milliseconds, since all tokens up to one moment can be revoked.
    issued_at: i64,
    expires_at: i64,
}

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "AccessToken({})", self.key)
    }
}

/// An access token as its client gets it.
#[derive(Clone)]
pub struct IssuedToken {
    /// The token.
    pub text: String,
    /// The seconds until it expires.
    pub expires_in: i64,
    /// What it may do.
    pub scopes: Scopes,
}

impl std::fmt::Debug for IssuedToken {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("IssuedToken(…)")
    }
}

impl From<KeySecret> for KeyCredential {
    fn from(secret: KeySecret) -> Self {
        Self { id: secret.id, account: secret.account, segment: secret.segment, proof: Proof::Secret(secret) }
    }
}

impl KeyCredential {
    /// Whether a text is meant to prove a key.
    pub(crate) fn is_meant(text: &str) -> bool {
        KeySecret::is_meant(text) || text.starts_with(MARK)
    }

    /// Reads a secret or a token.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for what is neither, or not sealed here.
    pub(crate) async fn parse(app: &App, text: &str) -> Result<Self, Error> {
        if KeySecret::is_meant(text) {
            return KeySecret::parse(text).map(Self::from).ok_or(Error::Unauthenticated);
        }
        let token = AccessToken::open(app, text).await?.ok_or(Error::Unauthenticated)?;
        let AccessToken { key: id, account, segment, .. } = token;
        Ok(Self { id, account, segment, proof: Proof::Token(Box::new(token)) })
    }

    /// The hash of the key's secret.
    pub(crate) fn hash(&self) -> String {
        match &self.proof {
            Proof::Secret(secret) => secret.hash(),
            Proof::Token(token) => token.hash.clone(),
        }
    }

    /// The scopes that a token was narrowed to, as part of the name of its caller: it is not shown what others were.
    pub(crate) fn narrowed(&self) -> String {
        match &self.proof {
            Proof::Secret(_) => String::new(),
            Proof::Token(token) => format!(":{}", token.scopes),
        }
    }

    fn proves(&self, kept: &KeptKey, now: Time) -> bool {
        match &self.proof {
            Proof::Secret(secret) => secret.is(&kept.hash),
            Proof::Token(token) => token.is_valid(kept, now),
        }
    }

    /// The key, if this proves it and its account and segment are in use, and the account's owner: 2 reads at once, or 1 of
    /// 3 items.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::Expired`], [`Error::SegmentInactive`].
    pub(crate) async fn check(&self, store: &Store) -> Result<(KeptKey, UserRecord), Error> {
        let KeyHolder { key, owner, segment } = match self.segment {
            Some(segment) => store.key_of_segment(self.account, segment, self.id).await?,
            None => {
                let key = store.key(self.account, None, self.id);
                let (key, owner) = tokio::try_join!(key, store.user(self.account))?;
                KeyHolder { key, owner, segment: None }
            }
        };
        let now = Time::now();
        let kept = key.filter(|kept| self.proves(kept, now) && kept.key.is_good(now)).ok_or(Error::Unauthenticated)?;
        let owner = owner.filter(|owner| owner.user.status == Status::Active);
        let owner = owner.filter(|owner| owner.credentials.keeps_key(kept.key.created_at));
        let owner = owner.ok_or(Error::Unauthenticated)?;
        if kept.key.ancestors.iter().any(|ancestor| owner.revoked_keys.contains(ancestor)) {
            return Err(Error::Unauthenticated);
        }
        owner.user.check_validity(now)?;
        if self.segment.is_some() {
            segment.ok_or(Error::Unauthenticated)?.check_active()?;
        }
        Ok((KeptKey { key: self.limit(kept.key), ..kept }, owner))
    }

    /// The key with those of its scopes that its token has too.
    fn limit(&self, mut key: Key) -> Key {
        if let Proof::Token(token) = &self.proof {
            key.fields.scopes = key.fields.scopes.intersection(&token.scopes);
        }
        key
    }
}

impl AccessToken {
    async fn open(app: &App, text: &str) -> Result<Option<Self>, Error> {
        let sealed = text.strip_prefix(MARK).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let Some(sealed) = sealed else { return Ok(None) };
        let opened = app.keyring.open(PURPOSE, &sealed, PURPOSE.name).await?;
        Ok(opened.and_then(|text| serde_json::from_slice(&text).ok()))
    }

    async fn seal(&self, app: &App) -> Result<String, Error> {
        let text = serde_json::to_vec(self).map_err(Error::internal)?;
        let sealed = app.keyring.seal(PURPOSE, &text, PURPOSE.name).await?;
        Ok(format!("{MARK}{}", URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// The name of the token in the list of those that were revoked; it begins with the second in which it expires.
    fn name(&self) -> String {
        format!("{}.{}", self.expires_at, self.id)
    }

    fn is_valid(&self, kept: &KeptKey, now: Time) -> bool {
        let revoked =
            kept.revoked_tokens.contains(&self.name()) || kept.tokens_from.is_some_and(|from| self.issued_at <= from);
        self.hash == kept.hash && now.seconds() < self.expires_at && !revoked
    }
}

impl App {
    /// The key of an OAuth client, which authenticates by the key's id and secret: 2 reads at once.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub async fn client_key(&self, id: &str, secret: &str) -> Result<KeptKey, Error> {
        let secret = KeySecret::parse(secret).ok_or(Error::Unauthenticated)?;
        if secret.id.to_string() != id {
            return Err(Error::Unauthenticated);
        }
        KeyCredential::from(secret).check(&self.store).await.map(|(kept, _)| kept)
    }

    /// The key that an access token was issued for, if the token is valid: 2 reads at once, or 1 of 3 items.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn token_key(&self, text: &str) -> Result<Option<KeptKey>, Error> {
        let Some(token) = AccessToken::open(self, text).await? else { return Ok(None) };
        let AccessToken { key: id, account, segment, .. } = token;
        let credential = KeyCredential { id, account, segment, proof: Proof::Token(Box::new(token)) };
        match credential.check(&self.store).await {
            Err(Error::Unauthenticated | Error::Expired | Error::SegmentInactive) => Ok(None),
            checked => checked.map(|(kept, _)| Some(kept)),
        }
    }

    /// Issues an access token for a key, for an hour or until the key expires.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the deployment's secret cannot be had.
    pub async fn issue_token(&self, kept: &KeptKey, scopes: Scopes) -> Result<IssuedToken, Error> {
        let now = Time::now();
        let end = now.plus(LIFETIME);
        let end = kept.key.fields.expires_at.map_or(end, |key_end| key_end.min(end));
        let token = AccessToken {
            id: domain::id::fresh(),
            key: kept.key.id,
            account: kept.key.account_id,
            segment: kept.key.segment_id,
            hash: kept.hash.clone(),
            scopes,
            issued_at: now.millis(),
            expires_at: end.seconds(),
        };
        let expires_in = token.expires_at - now.seconds();
        Ok(IssuedToken { text: token.seal(self).await?, expires_in, scopes: token.scopes })
    }

    /// Revokes an access token of this very key; a text that is no valid token of it changes nothing. 1 write.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn revoke_token(&self, kept: &KeptKey, text: &str) -> Result<bool, Error> {
        let token = AccessToken::open(self, text).await?.filter(|token| token.key == kept.key.id);
        let Some(token) = token.filter(|token| token.is_valid(kept, Time::now())) else { return Ok(false) };
        self.store.revoke_token(kept, &token.name()).await?;
        Ok(true)
    }
}
