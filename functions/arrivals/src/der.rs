//! The outline of certificates and private keys in DER: enough to tell them from anything else. What they say is for
//! whoever uses them.

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// `[0]`, constructed: the version of a certificate, the attributes of a key.
const CONTEXT_0: u8 = 0xa0;

/// Whether these are the bytes of one X.509 certificate (RFC 5280) and nothing else.
pub(crate) fn is_certificate(bytes: &[u8]) -> bool {
    let Some([(SEQUENCE, signed), (SEQUENCE, _), (BIT_STRING, _)]) = members(bytes) else { return false };
    let Some(mut signed) = elements(signed) else { return false };
    // The first version does not name itself.
    if signed.first().is_some_and(|(tag, _)| *tag == CONTEXT_0) {
        signed.remove(0);
    }
    // Serial number, signature's algorithm, issuer, validity, subject, public key; then extensions.
    let tags: Vec<_> = signed.iter().map(|(tag, _)| *tag).collect();
    tags.starts_with(&[INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE])
}

/// Whether these are the bytes of one private key in PKCS #8 (RFC 5958), encrypted or not, and nothing else.
pub(crate) fn is_private_key(bytes: &[u8]) -> bool {
    let encrypted = members(bytes).is_some_and(|[algorithm, key]| {
        is_algorithm(algorithm) && matches!(key, (OCTET_STRING, content) if !content.is_empty())
    });
    let Some((SEQUENCE, key, [])) = element(bytes) else { return false };
    let plain = elements(key).is_some_and(|parts| {
        let [version, algorithm, key, ..] = parts.as_slice() else { return false };
        version.0 == INTEGER && is_algorithm(*algorithm) && key.0 == OCTET_STRING
    });
    encrypted || plain
}

/// An algorithm is named by an object identifier.
fn is_algorithm((tag, content): Element<'_>) -> bool {
    tag == SEQUENCE && element(content).is_some_and(|(tag, _, _)| tag == OBJECT_IDENTIFIER)
}

/// The elements of a sequence that is all there is, if it has just so many.
fn members<const N: usize>(bytes: &[u8]) -> Option<[Element<'_>; N]> {
    let (SEQUENCE, content, []) = element(bytes)? else { return None };
    elements(content)?.try_into().ok()
}

/// A tag and a content.
type Element<'a> = (u8, &'a [u8]);

/// The elements that stand one after another until the end.
fn elements(mut bytes: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (tag, content, rest) = element(bytes)?;
        found.push((tag, content));
        bytes = rest;
    }
    Some(found)
}

/// The first element, and what comes after it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        // The length itself takes some bytes; four are enough for any file here.
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        let head = if length < 0x80 { vec![tag, length] } else { vec![tag, 0x81, length] };
        [head.as_slice(), content].concat()
    }

    fn algorithm() -> Vec<u8> {
        der(SEQUENCE, &der(OBJECT_IDENTIFIER, &[0x2b, 0x65, 0x70]))
    }

    fn certificate(version: &[u8]) -> Vec<u8> {
        let empty = der(SEQUENCE, &[]);
        let signed = [version, &der(INTEGER, &[1]), &algorithm(), &empty, &empty, &empty, &empty].concat();
        der(SEQUENCE, &[der(SEQUENCE, &signed), algorithm(), der(BIT_STRING, &[0; 65])].concat())
    }

    #[test]
    fn certificates_are_told_from_keys() {
        let plain = der(SEQUENCE, &[der(INTEGER, &[0]), algorithm(), der(OCTET_STRING, &[7; 34])].concat());
        let encrypted = der(SEQUENCE, &[algorithm(), der(OCTET_STRING, &[7; 150])].concat());
        for key in [plain, encrypted] {
            assert!(is_private_key(&key) && !is_certificate(&key));
        }
        for version in [Vec::new(), der(CONTEXT_0, &der(INTEGER, &[2]))] {
            let certificate = certificate(&version);
            assert!(is_certificate(&certificate) && !is_private_key(&certificate));
        }
    }

    #[test]
    fn what_is_cut_or_goes_on_is_neither() {
        let certificate = certificate(&[]);
        for end in 0..certificate.len() {
            assert!(!is_certificate(&certificate[..end]) && !is_private_key(&certificate[..end]));
        }
        let longer = [certificate.as_slice(), b"<script>"].concat();
        assert!(!is_certificate(&longer) && !is_private_key(&longer));
        // PKCS #1, where the algorithm goes without saying, and lengths beyond all that there is.
        for other in
            [der(SEQUENCE, &der(INTEGER, &[0]).repeat(9)), vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff], vec![0x30, 0x80]]
        {
            assert!(!is_certificate(&other) && !is_private_key(&other));
        }
    }
}
