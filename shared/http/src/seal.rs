//! Sealing: AES-256-GCM under a key that is derived for one purpose, so that what comes back can be trusted.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Error;

/// A key for one purpose.
pub(crate) struct Seal(LessSafeKey);

impl Seal {
    /// The key that `secret` gives for `purpose`.
    pub(crate) fn derived(secret: &[u8], purpose: &str) -> Result<Self, Error> {
        let key = UnboundKey::new(&AES_256_GCM, mac(secret, purpose.as_bytes()).as_ref());
        key.map(|key| Self(LessSafeKey::new(key))).map_err(|_| Error::internal("no key could be derived"))
    }

    /// Seals `text`, bound to `context`.
    pub(crate) fn seal(&self, text: &[u8], context: &str) -> Result<Vec<u8>, Error> {
        let failed = |_| Error::internal("sealing failed");
        let mut nonce = [0; NONCE_LEN];
        aws_lc_rs::rand::fill(&mut nonce).map_err(failed)?;
        let mut sealed = text.to_vec();
        let bound = Aad::from(context.as_bytes());
        self.0.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound, &mut sealed).map_err(failed)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed under the same context; `None` for anything else.
    pub(crate) fn open(&self, sealed: &[u8], context: &str) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let mut text = text.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        self.0.open_in_place(nonce, Aad::from(context.as_bytes()), &mut text).ok().map(|text| text.to_vec())
    }
}

/// A secret that nobody can guess, good for letting somebody in once.
///
/// # Errors
/// [`Error::Internal`] where the system has no random bytes.
pub fn one_time_secret() -> Result<String, Error> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::internal("no random bytes to be had"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Six digits that nobody can guess in the few tries that there are.
///
/// # Errors
/// [`Error::Internal`] where the system has no random bytes.
pub fn random_code() -> Result<String, Error> {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::internal("no random bytes to be had"))?;
    Ok(format!("{:06}", u64::from_le_bytes(bytes) % 1_000_000))
}

/// HMAC-SHA256.
pub(crate) fn mac(secret: &[u8], text: &[u8]) -> impl AsRef<[u8]> + use<> {
    sign(&Key::new(HMAC_SHA256, secret), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_only_whole_under_its_key_and_in_its_context() -> Result<(), Error> {
        let seal = Seal::derived(b"secret", "cursor")?;
        let sealed = seal.seal(b"text", "here")?;
        assert_eq!(seal.open(&sealed, "here").as_deref(), Some(b"text".as_slice()));
        assert_eq!(seal.open(&sealed, "there"), None);
        assert_eq!(Seal::derived(b"secret", "answer")?.open(&sealed, "here"), None);
        for at in 0..sealed.len() {
            let mut forged = sealed.clone();
            if let Some(byte) = forged.get_mut(at) {
                *byte ^= 1;
            }
            assert_eq!(seal.open(&forged, "here"), None, "byte {at}");
            assert_eq!(seal.open(forged.get(..at).unwrap_or_default(), "here"), None, "cut at {at}");
        }
        Ok(())
    }
}
