//! Secrets that say what they are about: a mark, and in base64 128 random bits and some ids. Looking one up takes one read.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Error;
use uuid::Uuid;

/// How many random bytes, and how many an id has.
const BYTES: usize = 16;

/// A secret that is about `N` ids.
#[derive(Clone)]
pub(crate) struct Minted<const N: usize> {
    text: String,
    /// What it is about.
    pub(crate) ids: [Uuid; N],
}

impl<const N: usize> Minted<N> {
    /// A new secret, which begins with `mark`, so that scanners find one that was published.
    pub(crate) fn fresh(mark: &str, ids: [Uuid; N]) -> Result<Self, Error> {
        let mut random = [0; BYTES];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| Error::internal("no random bytes to be had"))?;
        let bytes = ids.iter().fold(random.to_vec(), |bytes, id| [bytes.as_slice(), id.as_bytes()].concat());
        Ok(Self { text: format!("{mark}{}", URL_SAFE_NO_PAD.encode(bytes)), ids })
    }

    /// The secret that a client sends; `None` for what cannot be one.
    pub(crate) fn parse(mark: &str, text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(mark)?).ok()?;
        let (_, named) = bytes.split_at_checked(BYTES)?;
        let ids: Option<Vec<_>> = named.chunks(BYTES).map(|id| Uuid::from_slice(id).ok()).collect();
        Some(Self { text: text.to_owned(), ids: ids?.try_into().ok()? })
    }

    /// The whole secret.
    pub(crate) fn reveal(&self) -> &str {
        &self.text
    }

    /// What is kept of it.
    pub(crate) fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.text.as_bytes()))
    }

    /// Whether this is the secret of which `hash` was kept.
    pub(crate) fn is(&self, hash: &str) -> bool {
        verify_slices_are_equal(self.hash().as_bytes(), hash.as_bytes()).is_ok()
    }
}

impl<const N: usize> std::fmt::Debug for Minted<N> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Minted({:?})", self.ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_says_what_it_is_about_and_never_itself_in_a_log() -> Result<(), Error> {
        let ids = [Uuid::from_u128(1), Uuid::from_u128(2)];
        let secret = Minted::fresh("xy_", ids)?;
        assert_eq!((secret.reveal().len(), &secret.reveal()[..3]), (67, "xy_"));
        assert!(!format!("{secret:?}").contains(&secret.reveal()[3..11]));
        let parsed = Minted::<2>::parse("xy_", secret.reveal());
        assert_eq!(parsed.filter(|parsed| parsed.is(&secret.hash())).map(|parsed| parsed.ids), Some(ids));
        assert!(!Minted::fresh("xy_", ids)?.is(&secret.hash()));
        assert!(
            Minted::<1>::parse("xy_", secret.reveal()).is_none()
                && Minted::<2>::parse("zz_", secret.reveal()).is_none()
        );
        for wrong in ["xy_", "xy_AAAA", "xy_!", ""] {
            assert!(Minted::<2>::parse("xy_", wrong).is_none(), "{wrong}");
        }
        Ok(())
    }
}
