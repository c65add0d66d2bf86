//! How a user proves an e-mail address: by a code that Cognito sends to it.

use domain::{Email, Error};

use crate::Identity;
use crate::cognito::{attribute, wrong_code};
use crate::failure::{general, name};

impl Identity {
    /// Sends a code to an address that the user whose access token this is wants to have. Until the code is confirmed,
    /// Cognito keeps the present one.
    ///
    /// # Errors
    /// [`Error::Invalid`] where no code can be sent there; [`Error::Unauthenticated`]; [`Error::RateLimited`].
    pub async fn request_email(&self, access_token: &str, email: &Email) -> Result<(), Error> {
        let sent = self
            .client
            .update_user_attributes()
            .access_token(access_token)
            .user_attributes(attribute("email", email.as_str())?)
            .send();
        sent.await.map(drop).map_err(|failure| match name(&failure) {
            "InvalidParameterException" | "CodeDeliveryFailureException" => {
                Error::invalid("/email", "invalid_email", "is not an e-mail address that codes can be sent to")
            }
            other => gone(other).unwrap_or_else(|| general(failure)),
        })
    }

    /// Sends a code to the address that the user has, which is not proved yet.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::RateLimited`].
    pub async fn send_email_code(&self, access_token: &str) -> Result<(), Error> {
        let sent = self
            .client
            .get_user_attribute_verification_code()
            .access_token(access_token)
            .attribute_name("email")
            .send();
        sent.await.map(drop).map_err(|failure| gone(name(&failure)).unwrap_or_else(|| general(failure)))
    }

    /// Confirms a code, and returns the address that it was sent to: from now on the user's, and verified. It need not be
    /// the one that the table waits for, since a token also asks for codes at Cognito itself.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the code is wrong, used or expired; [`Error::Unauthenticated`]; [`Error::RateLimited`].
    pub async fn prove_email(&self, access_token: &str, code: &str) -> Result<Option<Email>, Error> {
        let sent = self
            .client
            .verify_user_attribute()
            .access_token(access_token)
            .attribute_name("email")
            .code(code)
            .customize()
            .config_override(crate::cognito::once())
            .send();
        sent.await.map_err(|failure| match name(&failure) {
            "CodeMismatchException" | "ExpiredCodeException" | "InvalidParameterException" => wrong_code(),
            other => gone(other).unwrap_or_else(|| general(failure)),
        })?;
        let found = self.client.get_user().access_token(access_token).send().await;
        let found = found.map_err(|failure| gone(name(&failure)).unwrap_or_else(|| general(failure)))?;
        let email = found.user_attributes.into_iter().find(|attribute| attribute.name == "email");
        Ok(email.and_then(|email| Email::parse(email.value.as_deref()?).ok()))
    }
}

/// The access token outlives its session, and the identity.
fn gone(name: &str) -> Option<Error> {
    let is_gone = matches!(name, "NotAuthorizedException" | "UserNotFoundException" | "UserNotConfirmedException");
    is_gone.then_some(Error::Unauthenticated)
}
