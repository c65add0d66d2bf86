//! Everything random, from the operating system's generator by way of aws-lc, and the hash that hides it at rest.

use aws_lc_rs::digest;
use aws_lc_rs::error::Unspecified;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Unspecified> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes)?;
    Ok(bytes)
}

/// An opaque secret: a refresh token or a session.
pub(crate) fn secret<const N: usize>() -> Result<String, Unspecified> {
    Ok(URL_SAFE_NO_PAD.encode(bytes::<N>()?))
}

/// Version 4.
pub(crate) fn uuid() -> Result<String, Unspecified> {
    Ok(uuid::Builder::from_random_bytes(bytes()?).into_uuid().to_string())
}

/// Text of `length` characters out of `alphabet`, each equally likely.
pub(crate) fn text(length: usize, alphabet: &str) -> Result<String, Unspecified> {
    let letters: Vec<char> = alphabet.chars().collect();
    // Bytes past the last whole multiple would make the first letters likelier.
    let fair = 256 - 256 % letters.len().max(1);
    let mut text = String::new();
    while text.chars().count() < length {
        let [byte] = bytes::<1>()?;
        if usize::from(byte) < fair {
            text.extend(letters.get(usize::from(byte) % letters.len()));
        }
    }
    Ok(text)
}

/// Six digits.
pub(crate) fn code() -> Result<String, Unspecified> {
    text(6, "0123456789")
}

pub(crate) fn sha256(parts: &[&str]) -> Vec<u8> {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    context.finish().as_ref().to_vec()
}
