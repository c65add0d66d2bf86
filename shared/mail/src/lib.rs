//! Notices to people, by Amazon SES, in the language of whom they are for. Codes are not sent here: Cognito sends those.

mod notice;

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use domain::text::Language;
use domain::{Email, Error};

pub use notice::{EmailChanged, Notice, Text, Tongue};

/// What sends notices, where the deployment has an address to send them from.
#[derive(Debug, Clone, Default)]
pub struct Mail(Option<Sender>);

#[derive(Debug, Clone)]
struct Sender {
    client: Client,
    from: String,
}

impl Mail {
    /// Sends from an address that SES knows; nothing without one.
    #[must_use]
    pub fn new(client: Client, from: Option<String>) -> Self {
        Self(from.map(|from| Sender { client, from }))
    }

    /// Returns whether notices are sent.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Sends a notice. What it is about has happened: a notice that cannot be sent is logged, and undoes nothing.
    pub async fn send(&self, to: &Email, language: Option<&Language>, notice: &impl Notice) {
        let Some(sender) = &self.0 else { return };
        if let Err(cause) = sender.send(to, notice.text(Tongue::of(language))).await {
            tracing::error!(cause = ?cause, "a notice could not be sent");
        }
    }
}

impl Sender {
    async fn send(&self, to: &Email, text: Text) -> Result<(), Error> {
        let content = |data: String| Content::builder().data(data).charset("UTF-8").build().map_err(Error::internal);
        let body = Body::builder().text(content(text.body)?).build();
        let message = Message::builder().subject(content(text.subject)?).body(body).build();
        let sent = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .destination(Destination::builder().to_addresses(to.as_str()).build())
            .content(EmailContent::builder().simple(message).build())
            .send();
        sent.await
            .map(drop)
            .map_err(|failure| Error::Unavailable(failure.into_source().unwrap_or_else(|whole| Box::new(whole))))
    }
}
