//! Where events may be sent.

use url::{Host, Url};

use super::special::is_public;
use crate::text;

text!(
    /// The URL that events are sent to.
    WebhookUrl, plain 1..=1000, example "https://example.com/muster", |text| {
        let malformed = Err(("invalid_url", "must be a URL such as https://example.com/muster, without user, password and #"));
        let Ok(url) = Url::parse(text) else { return malformed };
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        if url.has_host() && plain && matches!(url.scheme(), "https" | "http") { Ok(()) } else { malformed }
    }
);

impl WebhookUrl {
    /// Whether the URL may be called from outside a machine of one's own: by TLS, and at no address that is private.
    /// What a name resolves to is looked at when it is called.
    #[must_use]
    pub fn is_public(&self) -> bool {
        let Ok(url) = Url::parse(&self.0) else { return false };
        let public = match url.host() {
            Some(Host::Ipv4(address)) => is_public(address.into()),
            Some(Host::Ipv6(address)) => is_public(address.into()),
            Some(Host::Domain(name)) => !matches!(name.trim_end_matches('.').rsplit('.').next(), Some("localhost")),
            None => false,
        };
        public && url.scheme() == "https"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_urls_of_the_internet_at_large_are_public() {
        let public = |url: &str| WebhookUrl::parse(url).map(|url| url.is_public());
        for url in ["https://example.com/a?b=c", "https://93.184.216.34:8443/", "https://[2606:4700::1111]/"] {
            assert_eq!(public(url), Ok(true), "{url}");
        }
        for url in [
            "http://example.com/",
            "https://localhost/",
            "https://a.localhost./",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/",
            "https://[::ffff:169.254.169.254]/",
            "https://[64:ff9b::a00:1]/",
            "https://[2002:7f00:1::]/",
            "https://[fd00:ec2::254]/",
            "https://[fe80::1]/",
            "https://0.0.0.0/",
            "https://100.64.0.1/",
            "https://224.0.0.1/",
        ] {
            assert_eq!(public(url), Ok(false), "{url}");
        }
        for url in [
            "https://a:b@example.com/",
            "https://a@example.com/",
            "ftp://example.com/",
            "example.com",
            "https://",
            "https://a/#b",
        ] {
            assert!(public(url).is_err(), "{url}");
        }
    }
}
