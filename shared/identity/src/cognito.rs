//! Cognito: sign-up, verification, login, refresh, recovery, passwords.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::config::retry::RetryConfig;
use aws_sdk_cognitoidentityprovider::types::{
    AttributeType, AuthFlowType, AuthenticationResultType, ChallengeNameType,
};
use domain::{Email, Error, Password, UserId};

use crate::failure::{general, name, password_refused};

/// The credentials of all users.
#[derive(Debug, Clone)]
pub struct Identity {
    client: Client,
    pool_id: Arc<str>,
    client_id: Arc<str>,
}

/// What a login gives.
#[derive(Clone)]
pub struct Tokens {
    /// Goes with each request; lives 15 minutes.
    pub access_token: String,
    /// Gets new tokens; a refresh does not give another one.
    pub refresh_token: Option<String>,
    /// Says who the user is, to the client itself.
    pub id_token: String,
    /// Seconds until the access token expires.
    pub expires_in: i32,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Tokens(…)")
    }
}

/// What a password proved.
#[derive(Debug)]
pub enum LoggedIn {
    /// It is right.
    Tokens(Tokens),
    /// It is right, but the e-mail is not verified.
    Unverified,
    /// It is wrong, or there is no such user.
    Wrong,
}

/// What a verification code did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmed {
    /// It was right.
    Now,
    /// The user had been confirmed before; the code proves nothing.
    Before,
}

impl Identity {
    /// The identities in a pool.
    #[must_use]
    pub fn new(client: Client, pool_id: &str, client_id: &str) -> Self {
        Self { client, pool_id: pool_id.into(), client_id: client_id.into() }
    }

    /// Makes the identity of a user; Cognito sends the verification code.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the pool refuses the password; [`Error::Conflict`] where the identity is there.
    pub async fn sign_up(&self, user: UserId, email: &Email, password: &Password) -> Result<(), Error> {
        let sent = self
            .client
            .sign_up()
            .client_id(&*self.client_id)
            .username(user.to_string())
            .password(password.reveal())
            .user_attributes(attribute("email", email.as_str())?)
            .send();
        match sent.await {
            Ok(_) => Ok(()),
            Err(failure) => Err(match name(&failure) {
                "UsernameExistsException" => Error::conflict("/id", "exists", "has an identity already"),
                "InvalidPasswordException" => password_refused("/password"),
                // Cognito has its own idea of an e-mail's form.
                "InvalidParameterException" => {
                    Error::invalid("/email", "invalid_email", "is not an e-mail address that codes can be sent to")
                }
                _ => general(failure),
            }),
        }
    }

    /// Whether a user has an identity.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn exists(&self, user: UserId) -> Result<bool, Error> {
        let sent = self.client.admin_get_user().user_pool_id(&*self.pool_id).username(user.to_string()).send();
        match sent.await {
            Ok(_) => Ok(true),
            Err(failure) if name(&failure) == "UserNotFoundException" => Ok(false),
            Err(failure) => Err(general(failure)),
        }
    }

    /// Deletes the identity of a user, if it has one.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn delete(&self, user: UserId) -> Result<(), Error> {
        let sent = self.client.admin_delete_user().user_pool_id(&*self.pool_id).username(user.to_string()).send();
        match sent.await {
            Ok(_) => Ok(()),
            Err(failure) if name(&failure) == "UserNotFoundException" => Ok(()),
            Err(failure) => Err(general(failure)),
        }
    }

    /// Confirms a sign-up by the code that was sent.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the code is wrong, used or expired, or there is no such user.
    pub async fn confirm(&self, user: UserId, code: &str) -> Result<Confirmed, Error> {
        let sent = self
            .client
            .confirm_sign_up()
            .client_id(&*self.client_id)
            .username(user.to_string())
            .confirmation_code(code);
        match sent.send().await {
            Ok(_) => Ok(Confirmed::Now),
            Err(failure) => match name(&failure) {
                "NotAuthorizedException" => Ok(Confirmed::Before),
                "CodeMismatchException"
                | "ExpiredCodeException"
                | "UserNotFoundException"
                | "InvalidParameterException" => Err(wrong_code()),
                _ => Err(general(failure)),
            },
        }
    }

    /// Sends a new verification code to a user who still needs one; for any other it does nothing.
    ///
    /// # Errors
    /// [`Error::RateLimited`], [`Error::Unavailable`].
    pub async fn resend(&self, user: UserId) -> Result<(), Error> {
        let sent = self.client.resend_confirmation_code().client_id(&*self.client_id).username(user.to_string()).send();
        match sent.await {
            Ok(_) => Ok(()),
            Err(failure) => match name(&failure) {
                "UserNotFoundException"
                | "InvalidParameterException"
                | "NotAuthorizedException"
                | "LimitExceededException"
                | "CodeDeliveryFailureException" => Ok(()),
                _ => Err(general(failure)),
            },
        }
    }

    /// Checks a password. For an unknown user, ask with a fresh id: Cognito answers it the same, and as slowly.
    ///
    /// # Errors
    /// [`Error::RateLimited`], [`Error::Unavailable`].
    pub async fn login(&self, user: UserId, password: &str) -> Result<LoggedIn, Error> {
        // The admin flow: a password can be tried only through Muster, which limits how often.
        let sent = self
            .client
            .admin_initiate_auth()
            .user_pool_id(&*self.pool_id)
            .client_id(&*self.client_id)
            .auth_flow(AuthFlowType::AdminUserPasswordAuth)
            .auth_parameters("USERNAME", user.to_string())
            .auth_parameters("PASSWORD", password)
            .send();
        match sent.await {
            Ok(answer) => tokens(answer.authentication_result).map(LoggedIn::Tokens),
            Err(failure) => match name(&failure) {
                "UserNotConfirmedException" => Ok(LoggedIn::Unverified),
                "NotAuthorizedException"
                | "UserNotFoundException"
                | "PasswordResetRequiredException"
                | "InvalidParameterException" => Ok(LoggedIn::Wrong),
                _ => Err(general(failure)),
            },
        }
    }

    /// Signs a user in by a one-time secret, which the `challenge` function checks.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where the secret is not good (any more).
    pub async fn login_once(&self, user: UserId, secret: &str) -> Result<Tokens, Error> {
        let refused = |code: &str| {
            matches!(code, "NotAuthorizedException" | "UserNotFoundException" | "UserNotConfirmedException")
        };
        let begun = self
            .client
            .admin_initiate_auth()
            .user_pool_id(&*self.pool_id)
            .client_id(&*self.client_id)
            .auth_flow(AuthFlowType::CustomAuth)
            .auth_parameters("USERNAME", user.to_string())
            .send()
            .await;
        let begun =
            begun.map_err(|failure| if refused(name(&failure)) { Error::Unauthenticated } else { general(failure) })?;
        let answered = self
            .client
            .admin_respond_to_auth_challenge()
            .user_pool_id(&*self.pool_id)
            .client_id(&*self.client_id)
            .challenge_name(ChallengeNameType::CustomChallenge)
            .set_session(begun.session)
            .set_challenge_responses(Some(HashMap::from([
                ("USERNAME".to_owned(), user.to_string()),
                ("ANSWER".to_owned(), secret.to_owned()),
            ])))
            .send()
            .await;
        let answered = answered
            .map_err(|failure| if refused(name(&failure)) { Error::Unauthenticated } else { general(failure) })?;
        tokens(answered.authentication_result)
    }

    /// New tokens for a refresh token.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] where it is expired, revoked, made up, or of a user who is shut out.
    pub async fn refresh(&self, refresh_token: &str) -> Result<Tokens, Error> {
        let sent = self
            .client
            .admin_initiate_auth()
            .user_pool_id(&*self.pool_id)
            .client_id(&*self.client_id)
            .auth_flow(AuthFlowType::RefreshTokenAuth)
            .auth_parameters("REFRESH_TOKEN", refresh_token)
            .send();
        match sent.await {
            Ok(answer) => tokens(answer.authentication_result),
            Err(failure) => match name(&failure) {
                "NotAuthorizedException"
                | "UserNotFoundException"
                | "InvalidParameterException"
                | "UserNotConfirmedException" => Err(Error::Unauthenticated),
                _ => Err(general(failure)),
            },
        }
    }

    /// Ends a session: its refresh token is of no use any more. One that is no token ends nothing.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn revoke(&self, refresh_token: &str) -> Result<(), Error> {
        match self.client.revoke_token().client_id(&*self.client_id).token(refresh_token).send().await {
            Ok(_) => Ok(()),
            Err(failure) => match name(&failure) {
                "NotAuthorizedException" | "InvalidParameterException" | "UnsupportedTokenTypeException" => Ok(()),
                _ => Err(general(failure)),
            },
        }
    }

    /// Sends a recovery code. For an unknown user, ask with a fresh id: nothing is sent, the answer is the same.
    ///
    /// # Errors
    /// [`Error::RateLimited`], [`Error::Unavailable`].
    pub async fn recover(&self, user: UserId) -> Result<(), Error> {
        match self.client.forgot_password().client_id(&*self.client_id).username(user.to_string()).send().await {
            Ok(_) => Ok(()),
            Err(failure) => match name(&failure) {
                // No such user, none whose e-mail is verified, or one that has been sent too many: who asks must not
                // learn which.
                "UserNotFoundException"
                | "InvalidParameterException"
                | "NotAuthorizedException"
                | "LimitExceededException"
                | "CodeDeliveryFailureException" => Ok(()),
                _ => Err(general(failure)),
            },
        }
    }

    /// Sets a new password by a recovery code.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the code is wrong, used or expired, or there is no such user, or the pool refuses
    /// the password.
    pub async fn recover_with(&self, user: UserId, code: &str, new: &Password) -> Result<(), Error> {
        let sent = self
            .client
            .confirm_forgot_password()
            .client_id(&*self.client_id)
            .username(user.to_string())
            .confirmation_code(code)
            .password(new.reveal())
            .customize()
            .config_override(once())
            .send();
        match sent.await {
            Ok(_) => Ok(()),
            Err(failure) => Err(match name(&failure) {
                "CodeMismatchException"
                | "ExpiredCodeException"
                | "UserNotFoundException"
                | "UserNotConfirmedException"
                | "NotAuthorizedException"
                | "InvalidParameterException"
                | "LimitExceededException"
                | "TooManyFailedAttemptsException" => wrong_code(),
                _ => general(failure),
            }),
        }
    }

    /// Changes the password of the user whose access token this is.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the old password is wrong, or the pool refuses the new one.
    pub async fn change_password(&self, access_token: &str, old: &str, new: &Password) -> Result<(), Error> {
        let sent = self
            .client
            .change_password()
            .access_token(access_token)
            .previous_password(old)
            .proposed_password(new.reveal())
            .customize()
            .config_override(once())
            .send();
        match sent.await {
            Ok(_) => Ok(()),
            Err(failure) => Err(match name(&failure) {
                "NotAuthorizedException" | "InvalidParameterException" => {
                    Error::invalid("/old_password", "incorrect", "is not the present password")
                }
                _ => general(failure),
            }),
        }
    }

    /// Tells Cognito where a user's codes go from now on.
    ///
    /// # Errors
    /// [`Error::Invalid`] where Cognito does not take the e-mail; [`Error::Unavailable`].
    pub async fn set_email(&self, user: UserId, email: &Email) -> Result<(), Error> {
        let sent = self
            .client
            .admin_update_user_attributes()
            .user_pool_id(&*self.pool_id)
            .username(user.to_string())
            .user_attributes(attribute("email", email.as_str())?)
            // Cognito sends recovery codes to verified addresses alone.
            .user_attributes(attribute("email_verified", "true")?)
            .send();
        match sent.await {
            Ok(_) => Ok(()),
            Err(failure) if name(&failure) == "InvalidParameterException" => {
                Err(Error::invalid("/email", "invalid_email", "is not an e-mail address that codes can be sent to"))
            }
            Err(failure) => Err(general(failure)),
        }
    }
}

/// For what must not be sent again by itself: a code or a password that was used up by a call whose answer was lost
/// would look wrong the second time.
fn once() -> aws_sdk_cognitoidentityprovider::config::Builder {
    aws_sdk_cognitoidentityprovider::config::Builder::new().retry_config(RetryConfig::disabled())
}

/// The one answer to any code that does not open.
#[must_use]
pub fn wrong_code() -> Error {
    Error::invalid("/code", "incorrect", "is wrong, used or expired; ask for a new one")
}

fn attribute(name: &str, value: &str) -> Result<AttributeType, Error> {
    AttributeType::builder().name(name).value(value).build().map_err(Error::internal)
}

fn tokens(result: Option<AuthenticationResultType>) -> Result<Tokens, Error> {
    let result = result.ok_or_else(|| Error::internal("Cognito asked for one more challenge"))?;
    let (Some(access_token), Some(id_token)) = (result.access_token, result.id_token) else {
        return Err(Error::internal("Cognito answered without tokens"));
    };
    Ok(Tokens { access_token, refresh_token: result.refresh_token, id_token, expires_in: result.expires_in })
}
