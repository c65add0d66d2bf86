//! The address at which a deployment answers.

use std::net::Ipv4Addr;

use url::{Host, Url};

/// The address at which a deployment answers: `https://api.example.com`, or with the base path of a custom domain
/// `https://example.com/muster`. Only a machine of one's own answers without TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// Reads a configured address.
    ///
    /// # Errors
    /// A sentence that says what an address must be.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).ok().filter(|url| is_plain(url, text) && (url.scheme() == "https" || is_local(url)));
        let url = url.ok_or("must be an https URL without query and user, such as https://api.example.com or https://example.com/muster")?;
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// The address, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path, without a slash at its end: `/muster`, or nothing.
    #[must_use]
    pub fn path(&self) -> &str {
        path_of(&self.0)
    }
}

/// Whether an address has nothing but a scheme, a host, maybe a port, and a path that means the same decoded.
fn is_plain(url: &Url, text: &str) -> bool {
    let plain =
        !text.contains(['@', '\\', '?', '#']) && !text.contains(|sign: char| sign.is_whitespace() || sign.is_control());
    plain && matches!(url.scheme(), "https" | "http") && url.has_host() && is_base_path(url.path(), text)
}

/// Whether a path is that of an API mapping, as it was written: API Gateway allows letters, digits and `-._~`.
fn is_base_path(path: &str, text: &str) -> bool {
    let is_allowed = |sign: char| sign.is_ascii_alphanumeric() || "-._~".contains(sign);
    let mut parts = path.trim_matches('/').split('/');
    path == "/" && !text.ends_with("//")
        || path_of(text).trim_end_matches('/') == path.trim_end_matches('/')
            && parts.all(|part| !part.is_empty() && part.chars().all(is_allowed))
}

/// The path of a URL, as it is written.
fn path_of(url: &str) -> &str {
    let (_, authority) = url.split_once("://").unwrap_or_default();
    authority.find('/').and_then(|at| authority.get(at..)).unwrap_or_default()
}

/// Whether an address without TLS is one of this machine.
fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|v4: Ipv4Addr| v4.is_loopback())
        }
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_an_origin_by_tls_or_of_this_machine() {
        for (text, expected) in [
            ("https://api.example.com", "https://api.example.com"),
            ("https://API.example.com/", "https://api.example.com"),
            ("https://api.example.com:8443", "https://api.example.com:8443"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("https://example.com/muster", "https://example.com/muster"),
            ("https://example.com/muster/v2.1/", "https://example.com/muster/v2.1"),
        ] {
            assert_eq!(PublicUrl::parse(text).as_ref().map(PublicUrl::as_str), Ok(expected), "{text}");
        }
        for (text, path) in [("https://a.example", ""), ("https://a.example/", ""), ("https://a.example/b/c/", "/b/c")]
        {
            assert_eq!(PublicUrl::parse(text).as_ref().map(PublicUrl::path), Ok(path), "{text}");
        }
        for text in [
            "",
            "api.example.com",
            "http://api.example.com",
            "http://localhost.example.com",
            "http://127.0.0.1@example.com",
            "http://127.0.0.1\\@example.com",
            "https://user@api.example.com",
            "https://api.example.com/a b",
            "https://api.example.com/a%2Fb",
            "https://api.example.com/a/../b",
            "https://api.example.com//",
            "https://api.example.com/a//b",
            "https://api.example.com?a",
            "https://api.example.com#a",
            "https://api.example.com\t",
            "ftp://127.0.0.1",
            "javascript:alert(1)",
        ] {
            assert!(PublicUrl::parse(text).is_err(), "{text}");
        }
    }
}
