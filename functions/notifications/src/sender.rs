//! What hands notifications over: Amazon SNS or, on a machine, the outbox.

use std::fmt;
use std::sync::Arc;

use aws_sdk_sns::Client;
use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use domain::{Device, Error, Message, Platform};
use edge::PushApplications;
use store::{DeviceRecord, Store};

/// Keeps a message for a device; whether the device is still there.
pub type Deliver = Arc<dyn Fn(&Device, &Message) -> bool + Send + Sync>;

/// What hands notifications over.
#[derive(Clone)]
pub enum Sender {
    /// Amazon SNS, which speaks to Apple and Google.
    Sns(Sns),
    /// The outbox of a machine that has neither.
    Outbox(Deliver),
}

/// Amazon SNS, and its platform applications.
#[derive(Debug, Clone)]
pub struct Sns {
    /// The client.
    pub client: Client,
    /// Through what each platform is reached.
    pub applications: PushApplications,
}

/// What came of one device.
#[derive(Debug)]
pub enum Outcome {
    /// The notification was handed over.
    Sent,
    /// It was refused, and will be again.
    Refused,
    /// There is no such device any more.
    Gone,
    /// It could not be handed over now.
    Unavailable(Error),
}

impl fmt::Debug for Sender {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sns(sns) => sns.fmt(out),
            Self::Outbox(_) => out.write_str("Outbox"),
        }
    }
}

impl Sender {
    /// Hands a notification over for a device; `payload` is the message as SNS takes it.
    pub async fn send(&self, store: &Store, to: &DeviceRecord, message: &Message, payload: &str) -> Outcome {
        match self {
            Self::Sns(sns) => sns.send(store, to, payload).await.unwrap_or_else(|outcome| outcome),
            Self::Outbox(deliver) if deliver(&to.device, message) => Outcome::Sent,
            Self::Outbox(_) => Outcome::Gone,
        }
    }

    /// Forgets an endpoint that no device has any more.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where that is to be done later.
    pub async fn forget(&self, endpoint: &str) -> Result<(), Error> {
        let Self::Sns(sns) = self else { return Ok(()) };
        match sns.client.delete_endpoint().endpoint_arn(endpoint).send().await.map_err(outcome) {
            Err(Outcome::Unavailable(error)) => Err(error),
            // What is refused, such as an endpoint of an application that is gone, will be again.
            Ok(_) | Err(Outcome::Sent | Outcome::Refused | Outcome::Gone) => Ok(()),
        }
    }
}

impl Sns {
    async fn send(&self, store: &Store, to: &DeviceRecord, payload: &str) -> Result<Outcome, Outcome> {
        let endpoint = match &to.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => self.registered(store, &to.device).await?,
        };
        match self.publish(&endpoint, payload).await {
            // Another device of the same token, in another segment, has taken it along.
            Err(failure) if is_missing(&failure) => {
                let endpoint = self.registered(store, &to.device).await?;
                match self.publish(&endpoint, payload).await {
                    Ok(()) => Ok(Outcome::Sent),
                    Err(failure) => Err(outcome(failure)),
                }
            }
            Err(failure) if failure.code() == Some("EndpointDisabled") => {
                // Whoever registers the token again is to get an endpoint that works.
                let deleted = self.client.delete_endpoint().endpoint_arn(endpoint).send().await;
                deleted.map(|_| Outcome::Gone).map_err(outcome)
            }
            Err(failure) => Err(outcome(failure)),
            Ok(()) => Ok(Outcome::Sent),
        }
    }

    async fn publish(
        &self,
        endpoint: &str,
        payload: &str,
    ) -> Result<(), SdkError<aws_sdk_sns::operation::publish::PublishError>> {
        let publish = self.client.publish().target_arn(endpoint).message_structure("json").message(payload);
        publish.send().await.map(drop)
    }

    /// Registers a device with SNS, and notes where.
    async fn registered(&self, store: &Store, device: &Device) -> Result<String, Outcome> {
        let application = match device.fields.platform {
            Platform::Apns => &self.applications.apns,
            Platform::ApnsSandbox => &self.applications.apns_sandbox,
            Platform::Fcm => &self.applications.fcm,
        };
        // Nobody has set this platform up.
        let application = application.as_ref().ok_or(Outcome::Refused)?;
        let token = device.fields.token.reveal();
        let created = self.client.create_platform_endpoint().platform_application_arn(application).token(token);
        let endpoint = match created.send().await {
            Ok(created) => created.endpoint_arn.ok_or(Outcome::Refused)?,
            Err(failure) => match existing(failure.message()) {
                Some(endpoint) => self.enabled(endpoint, token).await?,
                None if is_bad_token(failure.message()) => return Err(Outcome::Gone),
                None => return Err(outcome(failure)),
            },
        };
        if store.device_registered(device, &endpoint).await.map_err(Outcome::Unavailable)? {
            return Ok(endpoint);
        }
        // Somebody has just deleted it: nobody would find the endpoint again.
        self.client.delete_endpoint().endpoint_arn(endpoint).send().await.map_err(outcome)?;
        Err(Outcome::Gone)
    }

    /// Makes an endpoint work again that SNS had given up: the app has registered its token anew since.
    async fn enabled(&self, endpoint: String, token: &str) -> Result<String, Outcome> {
        let enabled = self.client.set_endpoint_attributes().endpoint_arn(&endpoint);
        let enabled = enabled.attributes("Enabled", "true").attributes("Token", token).send().await;
        enabled.map(|_| endpoint).map_err(outcome)
    }
}

/// What SNS means by a failure that is not about one device. Its message may repeat the token, so that only the code is told.
fn outcome<E>(failure: SdkError<E>) -> Outcome
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match failure.code() {
        Some(
            code @ ("InvalidParameter"
            | "InvalidParameterValue"
            | "ParameterValueInvalid"
            | "PlatformApplicationDisabled"
            | "AuthorizationError"
            | "NotFound"),
        ) => {
            tracing::error!(code, "a notification was refused");
            Outcome::Refused
        }
        code => Outcome::Unavailable(Error::Unavailable(code.unwrap_or("no answer of SNS").into())),
    }
}

/// Whether an endpoint is gone.
fn is_missing<E: ProvideErrorMetadata>(failure: &SdkError<E>) -> bool {
    failure.code() == Some("NotFound")
        || failure.message().is_some_and(|message| message.contains("No endpoint found for the target arn"))
}

/// Whether SNS says that a token is none.
fn is_bad_token(message: Option<&str>) -> bool {
    message.is_some_and(|message| message.contains("Invalid parameter: Token"))
}

/// The endpoint that SNS says has the token already, with other attributes.
fn existing(message: Option<&str>) -> Option<String> {
    let rest = message?.split_once("Endpoint ")?.1;
    let (arn, rest) = rest.split_once(' ')?;
    (arn.starts_with("arn:") && rest.starts_with("already exists")).then(|| arn.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sns_says_of_tokens_is_understood() {
        let exists = "Invalid parameter: Token Reason: Endpoint arn:aws:sns:us-east-1:123456789012:endpoint/APNS/app/1 \
            already exists with the same Token, but different attributes.";
        assert_eq!(existing(Some(exists)).as_deref(), Some("arn:aws:sns:us-east-1:123456789012:endpoint/APNS/app/1"));
        let bad = "Invalid parameter: Token Reason: iOS device tokens must be no more than 400 hexadecimal characters";
        assert_eq!(existing(Some(bad)), None);
        assert!(is_bad_token(Some(bad)));
        assert!(!is_bad_token(Some("Invalid parameter: PlatformApplicationArn")));
    }
}
