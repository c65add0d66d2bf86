//! What must be true of a request's signature besides being right, which `s3s` verifies.

use form_urlencoded::parse;
use hyper::header::{self, HeaderMap};
use hyper::http::request::Parts;
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};

/// The longest life of a presigned URL, in seconds.
const WEEK: u64 = 7 * 24 * 60 * 60;

/// The `x-amz-` headers that this S3 acts on. Another one would ask for what is not emulated.
const KNOWN: [&str; 21] = [
    "x-amz-checksum-algorithm",
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-mode",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-copy-source-if-match",
    "x-amz-copy-source-if-modified-since",
    "x-amz-copy-source-if-none-match",
    "x-amz-copy-source-if-unmodified-since",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-metadata-directive",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-tagging",
    "x-amz-tagging-directive",
    "x-amz-trailer",
    "x-amz-user-agent",
];

/// The one key pair.
pub(crate) struct Credentials {
    pub(crate) access_key: String,
    pub(crate) secret_key: SecretKey,
}

#[async_trait::async_trait]
impl S3Auth for Credentials {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == self.access_key {
            return Ok(self.secret_key.clone());
        }
        Err(s3_error!(InvalidAccessKeyId, "The AWS Access Key Id you provided does not exist in our records."))
    }
}

/// Where a request carries its signature.
enum Signature {
    /// In an `Authorization` header.
    Header { credential: String, signed: String },
    /// In a presigned URL.
    Query { credential: String, signed: String, expires: String },
}

/// Refuses requests that are unsigned, signed for elsewhere or not in whole, or ask for what is not emulated.
pub(crate) fn check(request: &Parts, region: &str) -> S3Result<()> {
    if request.headers.contains_key(header::TRANSFER_ENCODING) {
        // S3 refuses it, and the body of a request would not be bound to its signed length.
        return Err(s3_error!(NotImplemented, "A header you provided implies functionality that is not implemented"));
    }
    let query = request.uri.query().unwrap_or("");
    let signature = signature(query, &request.headers)?;
    let (Signature::Header { credential, signed } | Signature::Query { credential, signed, .. }) = &signature;
    if let Signature::Query { expires, .. } = &signature {
        check_lifetime(expires)?;
        check_query(query)?;
    }
    check_signed(&request.headers, signed)?;
    check_scope(&signature, credential, region)?;
    let foreign = |name: &&str| name.starts_with("x-amz-") && !known(name);
    match request.headers.keys().map(header::HeaderName::as_str).find(foreign) {
        None => Ok(()),
        Some(name) => Err(s3_error!(NotImplemented, "The local S3 does not emulate the header {name}")),
    }
}

fn signature(query: &str, headers: &HeaderMap) -> S3Result<Signature> {
    let parameter =
        |wanted: &str| parse(query.as_bytes()).find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
    let in_header = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or(""));
    let in_query = parameter("X-Amz-Algorithm").or_else(|| parameter("X-Amz-Signature"));
    let old = parameter("Signature").or_else(|| parameter("AWSAccessKeyId"));
    match (in_query, in_header, old) {
        (Some(_), None, None) => Ok(Signature::Query {
            credential: parameter("X-Amz-Credential").unwrap_or_default(),
            signed: parameter("X-Amz-SignedHeaders").unwrap_or_default(),
            expires: parameter("X-Amz-Expires").unwrap_or_default(),
        }),
        (None, Some(value), None) if value.starts_with("AWS4-HMAC-SHA256") => {
            let field = |name: &str| {
                let fields = value.trim_start_matches("AWS4-HMAC-SHA256").split(',');
                let mut values = fields.filter_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='));
                values.next().unwrap_or("").to_owned()
            };
            Ok(Signature::Header { credential: field("Credential"), signed: field("SignedHeaders") })
        }
        (None, None, None) => Err(s3_error!(AccessDenied, "Access Denied")),
        (None, Some(_), None) | (None, None, Some(_)) => Err(s3_error!(
            InvalidRequest,
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
        )),
        _ => Err(s3_error!(
            InvalidArgument,
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
             parameter or the Authorization header should be specified"
        )),
    }
}

fn check_lifetime(expires: &str) -> S3Result<()> {
    match expires.parse::<u64>() {
        Ok(1..=WEEK) => Ok(()),
        Ok(_) => {
            Err(s3_error!(AuthorizationQueryParametersError, "X-Amz-Expires must be between 1 and {WEEK} seconds"))
        }
        Err(_) => Err(s3_error!(AuthorizationQueryParametersError, "X-Amz-Expires should be a number")),
    }
}

/// S3 takes any header from a presigned query too. Here it would be ignored, so it is refused.
fn check_query(query: &str) -> S3Result<()> {
    const SIGNATURE: [&str; 7] = [
        "x-amz-algorithm",
        "x-amz-content-sha256",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-expires",
        "x-amz-signature",
        "x-amz-signedheaders",
    ];
    let names = parse(query.as_bytes()).map(|(name, _)| name.to_ascii_lowercase());
    match names.into_iter().find(|name| name.starts_with("x-amz-") && !SIGNATURE.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(s3_error!(NotImplemented, "The local S3 takes {name} as a signed header only")),
    }
}

/// Without this, the receiver of a presigned URL could add `x-amz-` headers that its maker never agreed to.
fn check_signed(headers: &HeaderMap, signed: &str) -> S3Result<()> {
    let must = |name: &&str| *name == "host" || *name == "content-md5" || name.starts_with("x-amz-");
    let unsigned = |name: &&str| must(name) && !signed.split(';').any(|signed| signed.eq_ignore_ascii_case(name));
    if headers.keys().map(header::HeaderName::as_str).any(|name| unsigned(&name)) {
        return Err(s3_error!(AccessDenied, "There were headers present in the request which were not signed"));
    }
    Ok(())
}

fn check_scope(signature: &Signature, credential: &str, region: &str) -> S3Result<()> {
    // An access key may contain slashes, its scope may not.
    let mut scope = credential.rsplit('/').skip(1);
    let (service, found) = (scope.next().unwrap_or(""), scope.next().unwrap_or(""));
    let wrong = if found != region {
        format!("the region '{found}' is wrong; expecting '{region}'")
    } else if service != "s3" {
        format!("incorrect service \"{service}\". This endpoint belongs to \"s3\".")
    } else {
        return Ok(());
    };
    match signature {
        Signature::Header { .. } => {
            Err(s3_error!(AuthorizationHeaderMalformed, "The authorization header is malformed; {wrong}"))
        }
        Signature::Query { .. } => {
            Err(s3_error!(AuthorizationQueryParametersError, "Error parsing the X-Amz-Credential parameter; {wrong}"))
        }
    }
}

fn known(name: &str) -> bool {
    KNOWN.contains(&name) || name.starts_with("x-amz-meta-")
}
