//! Where a request came from, also behind proxies that the deployment trusts.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};

use crate::gateway::Connection;

/// How many proxies stand between clients and this deployment, each of which appends the address that called it to
/// `X-Forwarded-For`. With 0 no header counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TrustedProxyHops(pub u8);

impl TrustedProxyHops {
    /// Reads a number from 0 to 10.
    ///
    /// # Errors
    /// A sentence that names the allowed numbers.
    pub fn parse(text: &str) -> Result<Self, String> {
        let hops = text.parse().ok().filter(|hops| *hops <= 10).map(Self);
        hops.ok_or_else(|| "TRUSTED_PROXY_HOPS must be a whole number from 0 to 10".to_owned())
    }
}

/// Returns the address that a request came from: with N trusted proxies the N-th from the right of those that proxies
/// have noted, otherwise the one that API Gateway saw.
///
/// Entries further left are the client's own claims, and are never read. Where there are fewer than N, somebody has
/// called past the proxies, and the address of the connection counts.
pub(crate) fn source(parts: &Parts) -> IpAddr {
    let connection = connection(parts);
    let TrustedProxyHops(hops) = parts.extensions.get().copied().unwrap_or_default();
    if hops == 0 {
        return connection;
    }
    let mut noted = noted(&parts.headers);
    // API Gateway appends the address of the connection too.
    if noted.last().is_some_and(|last| *last == Some(connection)) {
        noted.pop();
    }
    noted.iter().rev().nth(usize::from(hops) - 1).copied().flatten().unwrap_or(connection)
}

/// The address of the connection, as API Gateway saw it.
fn connection(parts: &Parts) -> IpAddr {
    parts.extensions.get::<Connection>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |connection| connection.source)
}

/// The addresses that proxies have noted, the nearest last: of `X-Forwarded-For`, or of `Forwarded` (RFC 7239) where the
/// former is absent. `None` stands for an entry that is no address.
fn noted(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let entries = |name: HeaderName| {
        let values = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("_").to_owned());
        let values: Vec<_> = values.collect();
        values.iter().flat_map(|value| value.split(',')).map(|entry| entry.trim().to_owned()).collect::<Vec<_>>()
    };
    let by_custom = entries(HeaderName::from_static("x-forwarded-for"));
    if !by_custom.is_empty() {
        return by_custom.iter().map(|entry| address(entry)).collect();
    }
    let by_standard = entries(HeaderName::from_static("forwarded"));
    by_standard.iter().map(|element| forwarded_for(element)).collect()
}

/// The address of the `for` parameter of an element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, node) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    address(node.trim_matches('"'))
}

/// An address, with or without a port; one of IPv6 may stand in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let parsed = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))?;
    Some(IpAddr::to_canonical(&parsed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    const PROXY: &str = "203.0.113.9";

    fn seen(hops: u8, headers: &[(&str, &str)]) -> String {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts.extensions.insert(TrustedProxyHops(hops));
        parts.extensions.insert(Connection { source: PROXY.parse().unwrap(), domain_name: None });
        source(&parts).to_string()
    }

    #[test]
    fn no_header_counts_without_a_trusted_proxy() {
        for header in [("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.1"), ("x-real-ip", "192.0.2.1")] {
            assert_eq!(seen(0, &[header]), PROXY);
        }
    }

    #[test]
    fn the_nth_from_the_right_counts_and_no_claim_of_the_client() {
        let chain = "192.0.2.66, 192.0.2.1, 198.51.100.2";
        assert_eq!(seen(1, &[("x-forwarded-for", chain)]), "198.51.100.2");
        assert_eq!(seen(2, &[("x-forwarded-for", chain)]), "192.0.2.1");
        assert_eq!(seen(2, &[("x-forwarded-for", &format!("{chain}, {PROXY}"))]), "192.0.2.1");
        assert_eq!(seen(4, &[("x-forwarded-for", chain)]), PROXY);
        assert_eq!(seen(1, &[("x-forwarded-for", "192.0.2.66"), ("x-forwarded-for", "192.0.2.1")]), "192.0.2.1");
        // The custom header is the one that proxies append to: the other one is a claim then.
        assert_eq!(seen(1, &[("forwarded", "for=192.0.2.66"), ("x-forwarded-for", "192.0.2.1")]), "192.0.2.1");
    }

    #[test]
    fn entries_that_are_no_address_are_not_skipped() {
        for chain in ["192.0.2.66, unknown", "192.0.2.66, ", "192.0.2.66, 1.2.3"] {
            assert_eq!(seen(1, &[("x-forwarded-for", chain)]), PROXY, "{chain}");
        }
    }

    #[test]
    fn addresses_are_read_in_every_form() {
        for (chain, expected) in [
            ("192.0.2.1:4711", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(seen(1, &[("x-forwarded-for", chain)]), expected, "{chain}");
        }
        assert_eq!(
            seen(2, &[("forwarded", "for=192.0.2.66, For=\"[2001:db8::1]:80\";proto=https, by=x;for=192.0.2.2")]),
            "2001:db8::1"
        );
    }

    #[test]
    fn hops_are_few() {
        assert_eq!(TrustedProxyHops::parse("2"), Ok(TrustedProxyHops(2)));
        assert!(["", "-1", "11", "x"].iter().all(|text| TrustedProxyHops::parse(text).is_err()));
    }
}
