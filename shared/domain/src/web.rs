//! Addresses of web pages.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::{Host, Url};
use utoipa::openapi::{RefOr, Schema};

use crate::error::FieldError;
use crate::field::{Field, Pointer};
use crate::max_length;
use crate::normalize::{MaxLength, normalize_text};
use crate::text::{Broken, Kind, plain, text_schema};

/// The most characters of an address.
const MAX: MaxLength = max_length!(2048);

/// The absolute `http` or `https` address that `text` writes. What a browser would only guess at, such as
/// `http:example.com`, is none.
pub(crate) fn parse_url(text: &str) -> Result<Url, Broken> {
    let text = &*normalize_text(text, MAX)?;
    let lower = text.get(..8).unwrap_or(text).to_ascii_lowercase();
    let rest = lower.strip_prefix("https://").or(lower.strip_prefix("http://"));
    let absolute = rest.is_some() && !text.contains(|sign: char| sign.is_whitespace() || sign == '\\');
    let url = Url::parse(text).ok().filter(|url| absolute && url.has_host());
    url.ok_or(("invalid_url", "must be an http or https address such as https://example.com/a"))
}

/// The form in which two addresses are the same: percent-encoding in capital letters, and only where it is needed (RFC 3986,
/// section 6.2.2).
pub(crate) fn canonical_url(url: &Url) -> String {
    let text = url.as_str();
    let mut canonical = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        canonical.push_str(before);
        let encoded = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match encoded {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => canonical.push(char::from(byte)),
            Some(byte) => canonical.push_str(&format!("%{byte:02X}")),
            None => canonical.push('%'),
        }
        rest = if encoded.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    canonical.push_str(rest);
    canonical
}

/// The address of a page that people are sent to with a secret in its query: https, or http on the own machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PageUrl(Url);

impl PageUrl {
    /// Returns whether what is sent there is encrypted, or stays on the machine.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        let is_loopback = match self.0.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        self.0.scheme() == "https" || is_loopback
    }

    /// The address with one more parameter in its query.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> String {
        let mut url = self.0.clone();
        url.query_pairs_mut().append_pair(name, value);
        url.into()
    }
}

impl From<PageUrl> for String {
    fn from(page: PageUrl) -> Self {
        page.0.into()
    }
}

impl TryFrom<String> for PageUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        parse_url(&text).map(Self).map_err(|(_, message)| message)
    }
}

impl Field for PageUrl {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        let text = plain(value, at, errors)?;
        let page = parse_url(&text).map(Self).and_then(|page| match page.is_secure() {
            true => Ok(page),
            false => {
                Err(("invalid_url", "must be an https address; http is only for localhost and loopback addresses"))
            }
        });
        page.map_err(|(code, message)| errors.push(at.error(code, message))).ok()
    }

    fn show(&self) -> Value {
        self.0.as_str().into()
    }

    fn schema() -> RefOr<Schema> {
        text_schema(Kind::plain, MAX.characters, "https://example.com/welcome")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_https_or_on_the_own_machine() {
        for (page, is_good) in [
            ("https://example.com/in", true),
            ("http://localhost:3000/in", true),
            ("http://127.0.0.1:3000/in", true),
            ("http://[::1]/in", true),
            ("http://example.com/in", false),
            ("http://localhost.example.com/in", false),
            ("http://127.0.0.1.example.com/in", false),
            ("http://10.0.0.1/in", false),
        ] {
            let mut errors = Vec::new();
            let read = PageUrl::read(page.into(), &Pointer::root(), &mut errors);
            assert_eq!((read.is_some(), errors.is_empty()), (is_good, is_good), "{page}");
        }
    }

    #[test]
    fn a_parameter_joins_those_that_an_address_has() {
        for (page, expected) in [
            ("https://example.com/in", "https://example.com/in?token=ml_a-b"),
            ("https://example.com/in?a=1#top", "https://example.com/in?a=1&token=ml_a-b#top"),
        ] {
            let page = PageUrl::try_from(page.to_owned());
            assert_eq!(page.map(|page| page.with("token", "ml_a-b")), Ok(expected.to_owned()));
        }
        for wrong in ["example.com", "javascript:alert(1)", "https:example.com", "https://"] {
            assert!(PageUrl::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
