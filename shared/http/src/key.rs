//! The secret of a key: `mk_` and 86 characters. It says which key it is, so that looking it up takes one read.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Error, KeyId, SegmentId, UserId};
use uuid::Uuid;

/// What every secret begins with, so that scanners find one that was published.
const MARK: &str = "mk_";

/// How much of a secret is shown later: its mark and 48 of its 128 random bits.
const SHOWN: usize = 11;

/// A key's secret, which only its maker gets to see, once.
#[derive(Clone)]
pub struct KeySecret {
    text: String,
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
        let mut random = [0; 16];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| Error::internal("no random bytes to be had"))?;
        let named = [id.uuid(), account.uuid(), segment.map_or(Uuid::nil(), SegmentId::uuid)];
        let bytes = named.iter().fold(random.to_vec(), |bytes, id| [bytes.as_slice(), id.as_bytes()].concat());
        Ok(Self { text: format!("{MARK}{}", URL_SAFE_NO_PAD.encode(bytes)), id, account, segment })
    }

    /// The secret that a client sends; `None` for what cannot be one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 64] = URL_SAFE_NO_PAD.decode(text.strip_prefix(MARK)?).ok()?.try_into().ok()?;
        let id = |nth: usize| Uuid::from_slice(bytes.get(16 * nth..16 * (nth + 1))?).ok();
        let segment = id(3)?;
        Some(Self {
            text: text.to_owned(),
            id: id(1)?.into(),
            account: id(2)?.into(),
            segment: (!segment.is_nil()).then(|| segment.into()),
        })
    }

    /// Whether a text is meant to be a key's secret.
    pub(crate) fn is_meant(text: &str) -> bool {
        text.starts_with(MARK)
    }

    /// The whole secret.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// Its beginning, by which people tell keys apart.
    #[must_use]
    pub fn prefix(&self) -> String {
        self.text.chars().take(SHOWN).collect()
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.text.as_bytes()))
    }

    /// Whether this is the secret of which `hash` was kept.
    pub(crate) fn is(&self, hash: &str) -> bool {
        verify_slices_are_equal(self.hash().as_bytes(), hash.as_bytes()).is_ok()
    }
}

impl std::fmt::Debug for KeySecret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "KeySecret({})", self.id)
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
        for wrong in ["mk_", "mk_AAAA", "xx_AAAA", ""] {
            assert!(KeySecret::parse(wrong).is_none());
        }
        Ok(())
    }
}
