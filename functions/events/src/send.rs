//! One request to a webhook: signed, short, and to nobody but the internet at large.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use aws_smithy_runtime_api::client::http::{HttpConnector as _, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use domain::{Event, Time, Webhook};
use edge::HookSecret;

/// How long a receiver may take to answer, all in all.
const AT_MOST: Duration = Duration::from_secs(8);

/// What a try came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Result {
    /// The receiver answered with this status. Its body is not read.
    Status(u16),
    /// It did not in time.
    Timeout,
    /// It could not be reached.
    Unreachable,
    /// Its address is none of the internet at large.
    Forbidden,
}

impl fmt::Display for Result {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => status.fmt(out),
            Self::Timeout => out.write_str("timeout"),
            Self::Unreachable => out.write_str("unreachable"),
            Self::Forbidden => out.write_str("forbidden_address"),
        }
    }
}

/// Sends events to webhooks.
#[derive(Debug, Clone)]
pub struct Sender {
    http: SharedHttpConnector,
    anywhere: bool,
}

impl Sender {
    /// To receivers by TLS at addresses of the internet at large; where a name resolves to others too, these are not
    /// called.
    #[must_use]
    pub fn to_the_internet() -> Self {
        Self::new(false)
    }

    /// To any receiver, without TLS too: for a machine of one's own.
    #[must_use]
    pub fn to_anywhere() -> Self {
        Self::new(true)
    }

    fn new(anywhere: bool) -> Self {
        let settings = HttpConnectorSettings::builder()
            .connect_timeout(Duration::from_secs(3))
            .read_timeout(Duration::from_secs(6))
            .build();
        // All that the system trusts: anybody's receiver, not AWS's own services. It follows no redirects.
        let connector = Connector::builder()
            .connector_settings(settings)
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .build_with_resolver(Guarded { anywhere });
        Self { http: SharedHttpConnector::new(connector), anywhere }
    }

    /// Sends an event as Standard Webhooks has it, signed with each of `secrets`. The receiver has 8 s, or `patience` where
    /// that is less.
    pub(crate) async fn send(
        &self,
        webhook: &Webhook,
        event: &Event,
        (secrets, now): (&[HookSecret], Time),
        patience: Duration,
    ) -> Result {
        // The connector asks no resolver where the URL has an address instead of a name.
        if !self.anywhere && !webhook.fields.url.is_public() {
            return Result::Forbidden;
        }
        let Some(request) = request(webhook, event, secrets, now) else { return Result::Unreachable };
        match tokio::time::timeout(AT_MOST.min(patience), self.http.call(request)).await {
            Ok(Ok(answer)) => Result::Status(answer.status().as_u16()),
            Ok(Err(failure)) => why(&failure),
            Err(_) => Result::Timeout,
        }
    }
}

fn request(webhook: &Webhook, event: &Event, secrets: &[HookSecret], now: Time) -> Option<HttpRequest> {
    let (id, timestamp, body) = (event.id.to_string(), now.seconds().to_string(), event.cloud_event().to_string());
    let signed = secrets.iter().map(|secret| secret.sign(&id, &timestamp, &body));
    let signature = signed.collect::<Vec<_>>().join(" ");
    let mut request = HttpRequest::new(SdkBody::from(body.clone()));
    request.set_method("POST").ok()?;
    request.set_uri(webhook.fields.url.as_str()).ok()?;
    let headers = request.headers_mut();
    headers.insert("content-type", "application/cloudevents+json; charset=utf-8");
    headers.insert("content-length", body.len().to_string());
    headers.insert("user-agent", "Muster-Webhooks/1");
    headers.insert("webhook-id", id);
    headers.insert("webhook-timestamp", timestamp);
    headers.insert("webhook-signature", signature);
    Some(request)
}

fn why(failure: &ConnectorError) -> Result {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(failure);
    while let Some(error) = cause {
        if error.is::<Private>() {
            return Result::Forbidden;
        }
        cause = error.source();
    }
    if failure.is_timeout() { Result::Timeout } else { Result::Unreachable }
}

/// Finds the addresses of a name, and gives those alone that may be called: the connector connects to these and no
/// others, so that a name cannot change between the look and the call.
#[derive(Debug, Clone, Copy)]
struct Guarded {
    anywhere: bool,
}

impl ResolveDns for Guarded {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        DnsFuture::new(async move {
            let found = tokio::net::lookup_host((name, 0)).await.map_err(ResolveDnsError::new)?;
            let may_be_called = |address: &IpAddr| self.anywhere || domain::webhook::is_public(*address);
            let addresses: Vec<_> = found.map(|found| found.ip()).filter(may_be_called).collect();
            if addresses.is_empty() { Err(ResolveDnsError::new(Private)) } else { Ok(addresses) }
        })
    }
}

/// A name has no address of the internet at large.
#[derive(Debug)]
struct Private;

impl fmt::Display for Private {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the name has no public address")
    }
}

impl std::error::Error for Private {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_of_this_machine_resolves_to_nothing_that_may_be_called() {
        let guarded = Guarded { anywhere: false }.resolve_dns("localhost").await;
        assert!(std::error::Error::source(&guarded.unwrap_err()).is_some_and(|cause| cause.is::<Private>()));
        assert!(Guarded { anywhere: true }.resolve_dns("localhost").await.is_ok_and(|found| !found.is_empty()));
    }
}
