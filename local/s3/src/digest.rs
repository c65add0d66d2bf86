//! The digests that an upload declares of itself.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderMap;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::{S3Error, S3Result, dto, s3_error};
use serde::{Deserialize, Serialize};

/// S3's algorithms of `x-amz-checksum-*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

/// A verified checksum, in Base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checksum {
    pub(crate) algorithm: Algorithm,
    pub(crate) value: String,
}

/// What a request says that its content's digests are.
#[derive(Debug)]
pub(crate) struct Declared {
    md5: Option<Vec<u8>>,
    checksum: Option<(Algorithm, Source)>,
}

#[derive(Debug)]
enum Source {
    Header(String),
    /// Sent after the content.
    Trailer,
}

/// The digests of what has arrived so far.
pub(crate) struct Digests {
    algorithm: Algorithm,
    md5: Md5,
    sums: ChecksumHasher,
}

/// The digests of all that arrived.
pub(crate) struct Found {
    pub(crate) md5: [u8; 16],
    pub(crate) sha256: Vec<u8>,
    pub(crate) checksum: Checksum,
}

impl Algorithm {
    const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

impl Checksum {
    /// As answers have it, in the field of its algorithm.
    pub(crate) fn shown(self) -> dto::Checksum {
        let mut sums = dto::Checksum {
            checksum_type: Some(dto::ChecksumType::from_static(dto::ChecksumType::FULL_OBJECT)),
            ..dto::Checksum::default()
        };
        match self.algorithm {
            Algorithm::Crc32 => sums.checksum_crc32 = Some(self.value),
            Algorithm::Crc32c => sums.checksum_crc32c = Some(self.value),
            Algorithm::Crc64Nvme => sums.checksum_crc64nvme = Some(self.value),
            Algorithm::Sha1 => sums.checksum_sha1 = Some(self.value),
            Algorithm::Sha256 => sums.checksum_sha256 = Some(self.value),
        }
        sums
    }
}

impl Declared {
    pub(crate) fn read(headers: &HeaderMap) -> S3Result<Self> {
        let md5 = text(headers, "content-md5")
            .map(|value| STANDARD.decode(value).ok().filter(|md5| md5.len() == 16))
            .map(|md5| md5.ok_or_else(|| s3_error!(InvalidDigest, "The Content-MD5 you specified was invalid.")))
            .transpose()?;
        let mut found = Vec::new();
        for algorithm in Algorithm::ALL {
            if let Some(value) = text(headers, algorithm.header()) {
                found.push((algorithm, Source::Header(well_formed(algorithm, value)?)));
            }
        }
        for name in text(headers, "x-amz-trailer").into_iter().flat_map(|names| names.split(',')) {
            let algorithm = Algorithm::ALL.into_iter().find(|a| a.header().eq_ignore_ascii_case(name.trim()));
            let unknown =
                || s3_error!(InvalidRequest, "The value specified in the x-amz-trailer header is not supported");
            found.push((algorithm.ok_or_else(unknown)?, Source::Trailer));
        }
        if found.len() > 1 {
            let message = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
            return Err(s3_error!(InvalidRequest, "{message}"));
        }
        let checksum = found.pop();
        agrees(text(headers, "x-amz-sdk-checksum-algorithm"), checksum.as_ref().map(|(algorithm, _)| *algorithm))?;
        Ok(Self { md5, checksum })
    }

    pub(crate) fn digests(&self) -> Digests {
        // S3 gives an object without a checksum one of CRC-64/NVME.
        let algorithm = self.checksum.as_ref().map_or(Algorithm::Crc64Nvme, |(algorithm, _)| *algorithm);
        let mut sums = ChecksumHasher { sha256: Some(Sha256::new()), ..ChecksumHasher::default() };
        match algorithm {
            Algorithm::Crc32 => sums.crc32 = Some(Crc32::new()),
            Algorithm::Crc32c => sums.crc32c = Some(Crc32c::new()),
            Algorithm::Crc64Nvme => sums.crc64nvme = Some(Crc64Nvme::new()),
            Algorithm::Sha1 => sums.sha1 = Some(Sha1::new()),
            Algorithm::Sha256 => {}
        }
        Digests { algorithm, md5: Md5::new(), sums }
    }

    /// Refuses content that is not what was declared. `trailers` came after it.
    pub(crate) fn verify(&self, found: &Found, trailers: Option<&HeaderMap>) -> S3Result<()> {
        if self.md5.as_ref().is_some_and(|md5| *md5 != found.md5) {
            return Err(s3_error!(BadDigest, "The Content-MD5 you specified did not match what we received."));
        }
        let Some((algorithm, source)) = &self.checksum else { return Ok(()) };
        let declared = match source {
            Source::Header(value) => value.clone(),
            Source::Trailer => {
                let value = trailers.and_then(|trailers| text(trailers, algorithm.header()));
                let missing = || s3_error!(InvalidRequest, "The trailer {} is missing.", algorithm.header());
                well_formed(*algorithm, value.ok_or_else(missing)?)?
            }
        };
        if declared == found.checksum.value {
            return Ok(());
        }
        let name = algorithm.name();
        Err(s3_error!(BadDigest, "The {name} you specified did not match the calculated checksum."))
    }
}

impl Digests {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.sums.update(bytes);
    }

    pub(crate) fn finish(self) -> S3Result<Found> {
        let sums = self.sums.finalize();
        let lost = || s3_error!(InternalError, "a digest was not calculated");
        let sha256 = sums.checksum_sha256.ok_or_else(lost)?;
        let value = match self.algorithm {
            Algorithm::Crc32 => sums.checksum_crc32,
            Algorithm::Crc32c => sums.checksum_crc32c,
            Algorithm::Crc64Nvme => sums.checksum_crc64nvme,
            Algorithm::Sha1 => sums.checksum_sha1,
            Algorithm::Sha256 => Some(sha256.clone()),
        };
        let checksum = Checksum { algorithm: self.algorithm, value: value.ok_or_else(lost)? };
        let sha256 = STANDARD.decode(sha256).map_err(S3Error::internal_error)?;
        Ok(Found { md5: self.md5.finalize(), sha256, checksum })
    }
}

/// The SDKs announce the algorithm too, and S3 takes an announcement without a value for a lost value.
fn agrees(announced: Option<&str>, declared: Option<Algorithm>) -> S3Result<()> {
    match (announced, declared) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(s3_error!(
            InvalidRequest,
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found."
        )),
        (Some(name), Some(algorithm)) if name.eq_ignore_ascii_case(algorithm.name()) => Ok(()),
        (Some(_), Some(_)) => {
            Err(s3_error!(InvalidRequest, "Value for x-amz-sdk-checksum-algorithm header is invalid."))
        }
    }
}

fn well_formed(algorithm: Algorithm, value: &str) -> S3Result<String> {
    let decoded = STANDARD.decode(value).ok();
    if decoded.is_some_and(|bytes| bytes.len() == algorithm.bytes()) {
        return Ok(value.to_owned());
    }
    Err(s3_error!(InvalidRequest, "Value for {} header is invalid.", algorithm.header()))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or(""))
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verified(trailers: Option<&[(&'static str, &str)]>) -> Option<String> {
        let headers = |pairs: &[(&'static str, &str)]| {
            pairs.iter().filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?))).collect()
        };
        let sent: HeaderMap =
            headers(&[("x-amz-trailer", "x-amz-checksum-crc32"), ("x-amz-sdk-checksum-algorithm", "CRC32")]);
        let trailers: Option<HeaderMap> = trailers.map(headers);
        let declared = Declared::read(&sent).ok()?;
        let mut digests = declared.digests();
        digests.update(b"hello");
        let found = digests.finish().ok()?;
        let refused = declared.verify(&found, trailers.as_ref()).err();
        Some(refused.map_or_else(|| "accepted".to_owned(), |error| error.code().as_str().to_owned()))
    }

    #[test]
    fn an_announced_trailer_must_come_and_be_right() {
        assert_eq!(verified(Some(&[("x-amz-checksum-crc32", "NhCmhg==")])).as_deref(), Some("accepted"));
        assert_eq!(verified(Some(&[("x-amz-checksum-crc32", "AAAAAA==")])).as_deref(), Some("BadDigest"));
        assert_eq!(verified(Some(&[("x-amz-checksum-crc32", "AA==")])).as_deref(), Some("InvalidRequest"));
        assert_eq!(verified(Some(&[("x-amz-checksum-sha1", "NhCmhg==")])).as_deref(), Some("InvalidRequest"));
        assert_eq!(verified(None).as_deref(), Some("InvalidRequest"));
    }
}
