//! Tokens of developers, `dv_`: sealed by the deployment's secret, so that nothing of a token is stored and many can be valid at
//! once (`docs/decisions/0041-developers-register-themselves.md`).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{AuditAction, AuditEntry, AuditScope, DeveloperId, Error, SegmentId, Time, UserId};
use uuid::Uuid;

use crate::App;
use crate::access::Access;
use crate::caller::Caller;
use crate::keyring::Purpose;

/// The beginning of each token, by which scanners find one that was published.
const MARK: &str = "dv_";

/// How long a token is valid.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The purpose that tokens are sealed for; it is their context too.
const PURPOSE: Purpose = Purpose { name: "developer token", lifetime: Some(LIFETIME) };

/// A developer's token. It opens nothing without the key of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeveloperToken {
    /// The developer.
    id: DeveloperId,
    /// The place among the developer's tokens, from 1: only the newest are accepted.
    number: u64,
    /// In seconds since 1970.
    expires_at: i64,
}

/// The developer's token of a request, which a dialect's `prepare` puts among the request's extensions: the credential of such
/// a request is accepted only with a valid token.
#[derive(Clone)]
pub struct ByDeveloper(pub Option<String>);

impl std::fmt::Debug for ByDeveloper {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("ByDeveloper(…)")
    }
}

impl App {
    /// Issues a token of a developer, valid for 24 hours as long as fewer than 100 newer ones are issued: 1 write, and 1 for the
    /// audit. `audit` is given the account that registered the developer, if one did.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such developer, or no more.
    pub async fn issue_developer_token(
        &self,
        id: DeveloperId,
        audit: impl FnOnce(Option<UserId>) -> AuditEntry,
    ) -> Result<String, Error> {
        let registration = self.store.count_developer_token(id).await?;
        self.store.record_audit(&audit(registration.account_id)).await?;
        let expires_at = Time::now().plus(LIFETIME).seconds();
        DeveloperToken { id, number: registration.tokens, expires_at }.seal(self).await
    }
}

impl DeveloperToken {
    async fn seal(&self, app: &App) -> Result<String, Error> {
        let sealed = app.keyring.seal(PURPOSE, &self.to_bytes(), PURPOSE.name).await?;
        Ok(format!("{MARK}{}", URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// The token that a client sends, if it was sealed here and has not expired.
    pub(crate) async fn open(app: &App, text: &str) -> Result<Option<Self>, Error> {
        let sealed = text.strip_prefix(MARK).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let Some(sealed) = sealed else { return Ok(None) };
        let opened = app.keyring.open(PURPOSE, &sealed, PURPOSE.name).await?;
        let token = opened.and_then(|bytes| Self::from_bytes(&bytes));
        Ok(token.filter(|token| token.expires_at > Time::now().seconds()))
    }

    /// The token in 32 bytes, since it is a part of paths.
    fn to_bytes(&self) -> Vec<u8> {
        let (number, expires_at) = (self.number.to_be_bytes(), self.expires_at.to_be_bytes());
        [self.id.uuid().as_bytes().as_slice(), &number, &expires_at].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, rest) = bytes.split_first_chunk::<16>()?;
        let (number, expires_at) = rest.split_first_chunk::<8>()?;
        Some(Self {
            id: Uuid::from_bytes(*id).into(),
            number: u64::from_be_bytes(*number),
            expires_at: i64::from_be_bytes(expires_at.try_into().ok()?),
        })
    }
}

/// The use of a developer's token with a credential of an account for the first time.
#[derive(Debug)]
pub(crate) struct FirstUse {
    account: UserId,
    id: DeveloperId,
    access: store::DeveloperAccess,
}

impl Caller {
    /// Checks the developer's token, where the request must have one: 1 `BatchGetItem` of 2 items.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where the developer is unknown, expired, banned or another account's, and where 100 newer
    /// tokens exist.
    pub(crate) async fn check_developer(&self) -> Result<Option<FirstUse>, Error> {
        let Some(token) = self.developer() else { return Ok(None) };
        let account = self.account();
        let access = self.app().store.developer_access(account, token.id).await?;
        let access = access.filter(|access| access.accepts(account, token.number, Time::now()));
        let access = access.ok_or(Error::Unauthenticated)?;
        Ok(access.is_first_use().then_some(FirstUse { account, id: token.id, access }))
    }

    /// Records the first use of a developer's token with a credential that is valid: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where the developer or the account ends in the meantime.
    pub(crate) async fn record_first_use(&self, first: FirstUse, access: &Access) -> Result<(), Error> {
        let segment: Option<SegmentId> = access.key().and_then(|key| key.segment_id);
        let scope = AuditScope { account: first.account, segment };
        let audit = AuditEntry::new(AuditAction::DeveloperFirstUsed, scope, first.id, self.act());
        self.app().store.record_first_use((first.account, first.id), &first.access, &audit).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_is_read_as_it_was_written() {
        let token = DeveloperToken { id: DeveloperId::fresh(), number: 258, expires_at: -3 };
        assert_eq!(DeveloperToken::from_bytes(&token.to_bytes()), Some(token.clone()));
        for length in 0..32 {
            assert_eq!(DeveloperToken::from_bytes(&token.to_bytes()[..length]), None, "{length}");
        }
        assert_eq!(DeveloperToken::from_bytes(&[token.to_bytes(), vec![0]].concat()), None);
    }
}
