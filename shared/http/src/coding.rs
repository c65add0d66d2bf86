//! Content codings: request bodies that are sent compressed, and answers that are.

use std::io::{self, Read, Write as _};
use std::sync::{Arc, OnceLock};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, ETAG, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use domain::Error;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, Decompress, FlushDecompress, Status};
use http_body_util::BodyExt as _;

use crate::Failure;

/// The codings of request bodies, as a 415 names them.
pub(crate) const ACCEPTED: HeaderValue = HeaderValue::from_static("gzip, deflate");

/// How much is decompressed at a time.
const STEP: usize = 16 * 1024;

/// Undoes the coding of a body that has come as a whole: `most` bytes at most are made of it.
///
/// # Errors
/// [`Failure::UnsupportedCoding`], [`Failure::PayloadTooLarge`], and [`Error::Malformed`] where the data is broken.
pub(crate) fn decode(headers: &HeaderMap, body: Bytes, most: usize) -> Result<Bytes, Failure> {
    let Some(coding) = coding_of(headers)? else { return Ok(body) };
    // Some clients name a coding where they send nothing.
    if body.is_empty() {
        return Ok(body);
    }
    let decoded = match coding {
        RequestCoding::Gzip => read(MultiGzDecoder::new(&*body), most)?,
        RequestCoding::Deflate => read(Inflater::new(&body), most)?,
    };
    Ok(decoded.into())
}

/// Reads a stream of `deflate`, which must end where its input does. The readers of `flate2` take one that is cut off for
/// one that ends.
struct Inflater<'a> {
    state: Decompress,
    left: &'a [u8],
    has_ended: bool,
}

impl<'a> Inflater<'a> {
    fn new(body: &'a [u8]) -> Self {
        Self { state: Decompress::new(is_zlib(body)), left: body, has_ended: false }
    }
}

impl Read for Inflater<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.has_ended {
            return if self.left.is_empty() { Ok(0) } else { Err(io::ErrorKind::InvalidData.into()) };
        }
        let (input, output) = (self.state.total_in(), self.state.total_out());
        let status = self.state.decompress(self.left, into, FlushDecompress::None)?;
        let consumed = usize::try_from(self.state.total_in() - input).unwrap_or(usize::MAX);
        self.left = self.left.get(consumed..).unwrap_or_default();
        self.has_ended = status == Status::StreamEnd;
        match usize::try_from(self.state.total_out() - output).unwrap_or(usize::MAX) {
            0 if self.has_ended || consumed > 0 => self.read(into),
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => Ok(read),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RequestCoding {
    Gzip,
    Deflate,
}

/// The coding of a body; several at once are refused, like unknown ones.
fn coding_of(headers: &HeaderMap) -> Result<Option<RequestCoding>, Failure> {
    let mut found = None;
    for header in headers.get_all(CONTENT_ENCODING) {
        let names = header.to_str().map_err(|_| Failure::UnsupportedCoding)?;
        for name in names.split(',').map(|name| name.trim().to_ascii_lowercase()) {
            let coding = match name.as_str() {
                "" | "identity" => continue,
                "gzip" | "x-gzip" => RequestCoding::Gzip,
                "deflate" => RequestCoding::Deflate,
                _ => return Err(Failure::UnsupportedCoding),
            };
            if found.replace(coding).is_some() {
                return Err(Failure::UnsupportedCoding);
            }
        }
    }
    Ok(found)
}

/// Whether `deflate` is what RFC 9110 means by it: with the header of zlib (RFC 1950). Some clients leave it out.
fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [method, flags, ..] if method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0)
}

/// Reads all that a decoder gives, without room for more than `most` bytes.
fn read(mut decoder: impl Read, most: usize) -> Result<Vec<u8>, Failure> {
    let (mut decoded, mut piece) = (Vec::new(), vec![0; STEP]);
    loop {
        let read = decoder.read(&mut piece).map_err(|_| broken())?;
        if read == 0 {
            return Ok(decoded);
        }
        if decoded.len() + read > most {
            return Err(Failure::PayloadTooLarge);
        }
        if decoded.capacity() < decoded.len() + read {
            // Twice as much as before, as far as the limit.
            decoded.reserve_exact(read.max(decoded.len().min(most - decoded.len())));
        }
        decoded.extend(piece.iter().take(read));
    }
}

fn broken() -> Failure {
    Error::Malformed("it is not what its Content-Encoding says, or ends too early".to_owned()).into()
}

/// Marks an answer that may be compressed: a list or a document. Answers with secrets are not, because their length would
/// tell of them where a client chooses text beside them (BREACH).
#[derive(Debug, Clone, Default)]
struct Compressible(Option<CompressedForms>);

/// Marks an answer as one that may be compressed.
pub async fn mark_compressible(mut response: Response) -> Response {
    response.extensions_mut().get_or_insert_default::<Compressible>();
    response
}

/// The compressed forms of an answer that is the same as long as the program runs: each is made once.
#[derive(Debug, Clone, Default)]
pub struct CompressedForms(Arc<[OnceLock<Bytes>; 2]>);

impl CompressedForms {
    /// Marks the answer whose forms these are.
    #[must_use]
    pub fn mark(&self, mut response: Response) -> Response {
        response.extensions_mut().insert(Compressible(Some(self.clone())));
        response
    }

    fn of(&self, coding: AnswerCoding) -> &OnceLock<Bytes> {
        let [brotli, gzip] = &*self.0;
        match coding {
            AnswerCoding::Brotli => brotli,
            AnswerCoding::Gzip => gzip,
        }
    }
}

/// An answer of fewer bytes is not compressed: it fits into one packet anyway.
const SMALLEST: usize = 1024;

/// The codings of answers, the better one first.
const OFFERED: [(AnswerCoding, HeaderValue); 2] =
    [(AnswerCoding::Brotli, HeaderValue::from_static("br")), (AnswerCoding::Gzip, HeaderValue::from_static("gzip"))];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AnswerCoding {
    Brotli,
    Gzip,
}

/// Compresses an answer that may be, by what the client accepts.
pub(crate) async fn compress(request: Request, next: Next) -> Response {
    let accepted = accepted(request.headers());
    let mut response = next.run(request).await;
    let mark = response.extensions_mut().remove::<Compressible>();
    if mark.is_none() || response.status() != StatusCode::OK || response.headers().contains_key(CONTENT_ENCODING) {
        return response;
    }
    response.headers_mut().append(VARY, HeaderValue::from(ACCEPT_ENCODING));
    match accepted {
        Some((coding, name)) => compressed(response, (coding, name), mark.and_then(|Compressible(forms)| forms))
            .await
            .unwrap_or_else(|error| Failure::from(Error::internal(error)).into_response()),
        None => response,
    }
}

async fn compressed(
    response: Response,
    (coding, name): (AnswerCoding, HeaderValue),
    forms: Option<CompressedForms>,
) -> Result<Response, String> {
    let (mut parts, body) = response.into_parts();
    let bytes = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
    if bytes.len() < SMALLEST {
        return Ok(Response::from_parts(parts, Body::from(bytes)));
    }
    let make = || {
        let small = match coding {
            AnswerCoding::Gzip => gzip(&bytes),
            AnswerCoding::Brotli => brotli(&bytes),
        };
        small.map(Bytes::from).map_err(|error| error.to_string())
    };
    let kept = forms.as_ref().and_then(|forms| forms.of(coding).get());
    let small = if let Some(kept) = kept { kept.clone() } else { make()? };
    if let Some(forms) = &forms {
        forms.of(coding).get_or_init(|| small.clone());
    }
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_ENCODING, name);
    weaken(&mut parts.headers, &ETAG);
    Ok(Response::from_parts(parts, Body::from(small)))
}

/// A strong tag names bytes, which a coding changes (RFC 9110, section 8.8.3.3).
fn weaken(headers: &mut HeaderMap, name: &HeaderName) {
    let weak = headers.get(name).and_then(|tag| tag.to_str().ok()).filter(|tag| tag.starts_with('"'));
    if let Some(weak) = weak.and_then(|tag| HeaderValue::from_str(&format!("W/{tag}")).ok()) {
        headers.insert(name, weak);
    }
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn brotli(mut bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut small = Vec::new();
    // As fast as gzip, and smaller.
    let parameters = brotli::enc::BrotliEncoderParams { quality: 4, ..brotli::enc::BrotliEncoderParams::default() };
    brotli::BrotliCompress(&mut bytes, &mut small, &parameters)?;
    Ok(small)
}

/// The coding that a client likes best, by RFC 9110, section 12.5.3; none where it asks for none, or likes the plain answer
/// better.
fn accepted(headers: &HeaderMap) -> Option<(AnswerCoding, HeaderValue)> {
    let weights: Vec<(String, f32)> = headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(','))
        .map(weight_of)
        .collect();
    let weight = |wanted: &str| weights.iter().find(|(name, _)| name == wanted).map(|(_, weight)| *weight);
    let plain = weight("identity").unwrap_or(0.0);
    let mut best = None;
    for (coding, name) in OFFERED {
        let offered = name.to_str().ok().and_then(weight).or_else(|| weight("*")).unwrap_or(0.0);
        let least = best.as_ref().map_or(0.0, |(least, _)| *least);
        if offered > least && offered >= plain {
            best = Some((offered, (coding, name)));
        }
    }
    best.map(|(_, coding)| coding)
}

/// A coding that a client accepts, and how much it likes it, from 0 to 1.
fn weight_of(entry: &str) -> (String, f32) {
    let mut parts = entry.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let weight = parts.find_map(|part| part.strip_prefix(['q', 'Q'])?.trim_start().strip_prefix('='));
    (name, weight.map_or(1.0, |weight| weight.trim().parse().unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use flate2::write::{DeflateEncoder, ZlibEncoder};

    use super::*;

    fn headers(name: HeaderName, values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    fn outcome(coding: &'static str, body: Vec<u8>, most: usize) -> Result<Vec<u8>, Failure> {
        decode(&headers(CONTENT_ENCODING, &[coding]), body.into(), most).map(|bytes| bytes.to_vec())
    }

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn bodies_are_decompressed() {
        let text = b"{\"name\":\"Ana\"}".repeat(100);
        for (coding, body) in [
            ("gzip", gzip(&text).unwrap()),
            ("X-GZIP", gzip(&text).unwrap()),
            ("gzip, identity", [gzip(&text[..7]).unwrap(), gzip(&text[7..]).unwrap()].concat()),
            ("deflate", zlib(&text)),
            (" Deflate ", deflate(&text)),
            ("identity", text.clone()),
            ("", text.clone()),
        ] {
            assert_eq!(outcome(coding, body, text.len()).ok(), Some(text.clone()), "{coding}");
        }
        assert_eq!(outcome("gzip", Vec::new(), 9).ok(), Some(Vec::new()));
    }

    #[test]
    fn bomb_is_too_large_and_takes_no_more_than_the_limit() {
        let bomb = vec![b'0'; 50_000_000];
        for (coding, body) in [("gzip", gzip(&bomb).unwrap()), ("deflate", zlib(&bomb)), ("deflate", deflate(&bomb))] {
            assert!(matches!(outcome(coding, body, 300_000), Err(Failure::PayloadTooLarge)), "{coding}");
        }
        for size in [1, 20_000, 299_999, 300_000] {
            let read = read(&bomb[..size], 300_000).unwrap();
            assert!(read.len() == size && read.capacity() <= 300_000, "{size} {}", read.capacity());
        }
        assert!(matches!(read(&bomb[..300_001], 300_000), Err(Failure::PayloadTooLarge)));
    }

    #[test]
    fn broken_data_is_malformed() {
        let text = b"{\"name\":\"Ana\"}";
        let mut wrong_sum = gzip(text).unwrap();
        let sum = wrong_sum.len() - 8;
        wrong_sum[sum] ^= 1;
        let cut = |mut body: Vec<u8>| {
            body.pop();
            body
        };
        let longer = |mut body: Vec<u8>| {
            body.push(b'x');
            body
        };
        for (coding, body) in [
            ("gzip", text.to_vec()),
            ("gzip", wrong_sum),
            ("gzip", cut(gzip(text).unwrap())),
            ("gzip", longer(gzip(text).unwrap())),
            ("deflate", cut(zlib(text))),
            ("deflate", longer(zlib(text))),
            ("deflate", cut(deflate(text))),
            ("deflate", longer(deflate(text))),
            ("deflate", gzip(text).unwrap()),
        ] {
            let outcome = outcome(coding, body.clone(), 1000);
            assert!(matches!(outcome, Err(Failure::Domain(Error::Malformed(_)))), "{coding} {body:x?} {outcome:?}");
        }
    }

    #[test]
    fn codings_that_are_not_taken_are_refused() {
        for values in [&["br"][..], &["gzip, gzip"], &["gzip", "deflate"], &["zstd"], &["gzip;q=1"]] {
            let refused = decode(&headers(CONTENT_ENCODING, values), Bytes::new(), 9);
            assert!(matches!(refused, Err(Failure::UnsupportedCoding)), "{values:?}");
        }
    }

    #[test]
    fn client_chooses_the_coding_of_an_answer() {
        for (values, expected) in [
            (&["gzip, deflate, br"][..], Some(AnswerCoding::Brotli)),
            (&["gzip"], Some(AnswerCoding::Gzip)),
            (&["gzip;q=1.0, br;q=0.5"], Some(AnswerCoding::Gzip)),
            (&["br;q=0", "*"], Some(AnswerCoding::Gzip)),
            (&["BR ; Q=0.1"], Some(AnswerCoding::Brotli)),
            (&["identity, gzip;q=0.5"], None),
            (&["deflate, zstd"], None),
            (&["*;q=0"], None),
            (&["gzip;q=x"], None),
            (&[""], None),
            (&[], None),
        ] {
            let accepted = accepted(&headers(ACCEPT_ENCODING, values));
            assert_eq!(accepted.map(|(coding, _)| coding), expected, "{values:?}");
        }
    }

    #[test]
    fn brotli_makes_a_stream_that_a_decoder_reads() {
        let text = b"{\"name\":\"Ana\"}".repeat(100);
        let (small, mut back) = (brotli(&text).unwrap(), Vec::new());
        brotli::BrotliDecompress(&mut &*small, &mut back).unwrap();
        assert!(back == text && small.len() < 100);
    }

    #[test]
    fn tag_of_a_compressed_answer_is_weak() {
        for (tag, expected) in [("\"3\"", "W/\"3\""), ("W/\"3\"", "W/\"3\"")] {
            let mut headers = HeaderMap::from_iter([(ETAG, HeaderValue::from_static(tag))]);
            weaken(&mut headers, &ETAG);
            assert_eq!(headers.get(ETAG), Some(&HeaderValue::from_static(expected)));
        }
    }
}
