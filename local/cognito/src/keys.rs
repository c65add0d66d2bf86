//! The RSA key that signs tokens, and what others need to verify them.

use std::sync::OnceLock;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::OptionalExtension;
use serde_json::{Value, json};

use crate::error::{Error, Failure};
use crate::storage::Storage;

pub(crate) struct SigningKey {
    pair: RsaKeyPair,
    id: String,
}

impl SigningKey {
    /// The key that is stored with the data, made at the first start.
    pub(crate) fn load_or_make(storage: &Storage) -> Result<Self, Error> {
        let stored: Option<Vec<u8>> = storage
            .read(|data| Ok(data.query_row("SELECT pkcs8 FROM signing_key", [], |row| row.get(0)).optional()?))
            .map_err(|failure| Error::Damaged { file: storage.file().to_owned(), reason: failure.to_string() })?;
        let pair = match stored {
            Some(pkcs8) => RsaKeyPair::from_pkcs8(&pkcs8).map_err(|error| {
                let reason = format!("the signing key cannot be read: {error}");
                Error::Damaged { file: storage.file().to_owned(), reason }
            })?,
            None => make(storage).map_err(|failure| Error::Key(failure.to_string()))?,
        };
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, pair.public_key().as_ref());
        Ok(Self { pair, id: URL_SAFE_NO_PAD.encode(digest) })
    }

    /// A token with these claims, signed with RS256.
    pub(crate) fn sign(&self, claims: &Value) -> Result<String, Failure> {
        let header = json!({ "kid": self.id, "alg": "RS256" }).to_string();
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The claims of a token that this key signed.
    ///
    /// The header is not read: only RS256 by this key is accepted, whatever it says.
    pub(crate) fn verify(&self, token: &str) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (_, claims) = signed.split_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.pair.public_key().as_ref());
        public.verify(signed.as_bytes(), &signature).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }

    pub(crate) fn jwks(&self) -> Value {
        let public = self.pair.public_key();
        json!({ "keys": [{
            "alg": "RS256",
            "e": URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero()),
            "kid": self.id,
            "kty": "RSA",
            "n": URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
            "use": "sig",
        }] })
    }
}

/// The new key of this process: to generate one takes a hundred times as long as all else that a start does.
static GENERATED: OnceLock<Vec<u8>> = OnceLock::new();

fn make(storage: &Storage) -> Result<RsaKeyPair, Failure> {
    let pkcs8 = match GENERATED.get() {
        Some(pkcs8) => pkcs8,
        None => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
            let der = pair.as_der()?.as_ref().to_vec();
            GENERATED.get_or_init(|| der)
        }
    };
    storage.write(|data| Ok(data.execute("INSERT INTO signing_key (pkcs8) VALUES (?1)", [pkcs8])?))?;
    RsaKeyPair::from_pkcs8(pkcs8).map_err(|error| Failure::Internal(error.into()))
}
