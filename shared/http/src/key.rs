//! Secrets that are given out: that of a key, `mk_`, and that of a magic link, `ml_`. Each says whose it is, so that looking it
//! up takes one read. A developer's token is in [`developer`](crate::developer).

use domain::{Error, KeyId, SegmentId, UserId};
use uuid::Uuid;

use crate::minted::Minted;

/// What the secret of each key begins with.
const KEY: &str = "mk_";

/// What the token of each magic link begins with.
const LINK: &str = "ml_";

/// How much of a secret is shown later: its mark and 48 of its 128 random bits.
const SHOWN: usize = 11;

/// A key's secret, which only its maker gets to see, once.
#[derive(Clone)]
pub struct KeySecret {
    minted: Minted<3>,
    /// The key.
    pub(crate) id: KeyId,
    /// The master user whose it is.
    pub(crate) account: UserId,
    /// The one segment that it opens.
    pub(crate) segment: Option<SegmentId>,
}

impl KeySecret {
    /// A new secret.
    ///
    /// # Errors
    /// [`Error::Internal`] where the system has no random bytes.
    pub fn fresh(id: KeyId, account: UserId, segment: Option<SegmentId>) -> Result<Self, Error> {
        let named = [id.uuid(), account.uuid(), segment.map_or(Uuid::nil(), SegmentId::uuid)];
        Ok(Self { minted: Minted::fresh(KEY, named)?, id, account, segment })
    }

    /// The secret that a client sends; `None` for what cannot be one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let minted = Minted::parse(KEY, text)?;
        let [id, account, segment] = minted.ids;
        let segment = (!segment.is_nil()).then(|| segment.into());
        Some(Self { minted, id: id.into(), account: account.into(), segment })
    }

    /// Whether a text is meant to be a key's secret.
    pub(crate) fn is_meant(text: &str) -> bool {
        text.starts_with(KEY)
    }

    /// The whole secret.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.minted.reveal()
    }

    /// Its beginning, by which people tell keys apart.
    #[must_use]
    pub fn prefix(&self) -> String {
        self.reveal().chars().take(SHOWN).collect()
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> String {
        self.minted.hash()
    }

    /// Whether this is the secret of which `hash` was kept.
    pub(crate) fn is(&self, hash: &str) -> bool {
        self.minted.is(hash)
    }
}

impl std::fmt::Debug for KeySecret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "KeySecret({})", self.id)
    }
}

/// The token of a magic link, which signs its user in, once.
#[derive(Debug, Clone)]
pub struct LinkToken {
    minted: Minted<1>,
    /// Whom it signs in.
    pub user: UserId,
}

impl LinkToken {
    /// A new token.
    ///
    /// # Errors
    /// [`Error::Internal`] where the system has no random bytes.
    pub fn fresh(user: UserId) -> Result<Self, Error> {
        Ok(Self { minted: Minted::fresh(LINK, [user.uuid()])?, user })
    }

    /// The token that a client sends; `None` for what cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let minted = Minted::parse(LINK, text)?;
        let [user] = minted.ids;
        Some(Self { minted, user: user.into() })
    }

    /// The whole token: letters, digits, dashes and underscores.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.minted.reveal()
    }
}

/// What the token of each undo of a change of e-mail begins with.
const UNDO: &str = "eu_";

/// The token that gives a user its former e-mail back, once.
#[derive(Debug, Clone)]
pub struct UndoToken {
    minted: Minted<1>,
    /// Whose e-mail it is.
    pub user: UserId,
}

impl UndoToken {
    /// A new token.
    ///
    /// # Errors
    /// [`Error::Internal`] where the system has no random bytes.
    pub fn fresh(user: UserId) -> Result<Self, Error> {
        Ok(Self { minted: Minted::fresh(UNDO, [user.uuid()])?, user })
    }

    /// The token that a client sends; `None` for what cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let minted = Minted::parse(UNDO, text)?;
        let [user] = minted.ids;
        Some(Self { minted, user: user.into() })
    }

    /// The whole token: letters, digits, dashes and underscores.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.minted.reveal()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_says_which_key_it_is_and_never_in_a_log() -> Result<(), Error> {
        let (id, account, segment) = (KeyId::fresh(), UserId::fresh(), SegmentId::fresh());
        for segment in [Some(segment), None] {
            let secret = KeySecret::fresh(id, account, segment)?;
            assert_eq!(secret.reveal().len(), 89);
            assert!(!format!("{secret:?}").contains(&secret.reveal()[3..11]));
            let parsed = KeySecret::parse(secret.reveal()).filter(|parsed| parsed.is(&secret.hash()));
            assert_eq!(parsed.map(|parsed| (parsed.id, parsed.account, parsed.segment)), Some((id, account, segment)));
            assert!(!KeySecret::fresh(id, account, segment)?.is(&secret.hash()));
        }
        assert!(KeySecret::parse("mk_AAAA").is_none());
        assert!(KeySecret::parse(LinkToken::fresh(account)?.reveal()).is_none());
        Ok(())
    }
}
