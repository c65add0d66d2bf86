//! Cognito's identities: sign-up, verification, recovery, passwords. `sessions.rs` has what gives tokens.

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::config::retry::RetryConfig;
use aws_sdk_cognitoidentityprovider::types::{AttributeType, MessageActionType, UserStatusType};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::field::Pointer;
use domain::{Email, Error, Field as _, Password, Time, User, UserId, login_forms};

use crate::Pool;
use crate::failure::{general, name, password_refused, untold};

/// The credentials of all users.
#[derive(Debug, Clone)]
pub struct Identity {
    pub(crate) client: Client,
    pub(crate) pool: Pool,
}

/// What a verification code did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmed {
    /// It was right.
    Now,
    /// The user had been confirmed before; the code proves nothing.
    Before,
}

/// What Cognito has of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No identity.
    Missing,
    /// An identity without a password that holds: its creation was cut off before the password was set.
    Unfinished,
    /// An identity whose e-mail waits for its verification.
    Unconfirmed,
    /// An identity in use.
    Confirmed,
}

/// Returns a password that nobody knows.
///
/// # Errors
/// [`Error::Internal`] where the system has no random bytes.
pub fn random_password() -> Result<Password, Error> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::internal("the system has no random bytes"))?;
    let password = Password::read(URL_SAFE_NO_PAD.encode(bytes).into(), &Pointer::root(), &mut Vec::new());
    password.ok_or_else(|| Error::internal("a random password breaks the rule for passwords"))
}

impl Identity {
    /// The identities in a pool.
    #[must_use]
    pub fn new(client: Client, pool: &Pool) -> Self {
        Self { client, pool: pool.clone() }
    }

    /// What a call about this user carries to show that it comes from the functions.
    pub(crate) fn secret_hash(&self, user: UserId) -> Option<String> {
        let secret = self.pool.client_secret.as_ref()?;
        Some(secret.hash(&user.to_string(), &self.pool.client_id))
    }

    /// Makes the identity of a user; Cognito sends the verification code.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the pool refuses the password; [`Error::Conflict`] where the identity is there.
    pub async fn sign_up(&self, user: UserId, email: &Email, password: &Password) -> Result<(), Error> {
        let sent = self
            .client
            .sign_up()
            .client_id(&self.pool.client_id)
            .set_secret_hash(self.secret_hash(user))
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

    /// Gives a user a password without asking for the old one, and an identity if it has none, whose e-mail is as
    /// verified as that of the user. Nothing is sent. Twice does what once does.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the pool refuses the password or the e-mail.
    pub async fn set_password(&self, user: &User, password: &Password) -> Result<(), Error> {
        let mut attributes = Vec::new();
        if let Some(email) = &user.fields.email {
            attributes.push(attribute("email", email.as_str())?);
            attributes.push(attribute("email_verified", text_of(user.is_email_verified()))?);
        }
        if let Some(segment) = user.segment_id {
            attributes.push(attribute(SEGMENT, &segment.to_string())?);
        }
        let user = user.id;
        let made = self
            .client
            .admin_create_user()
            .user_pool_id(&self.pool.id)
            .username(user.to_string())
            .set_user_attributes((!attributes.is_empty()).then_some(attributes))
            .message_action(MessageActionType::Suppress)
            .send();
        match made.await {
            Ok(_) => {}
            Err(failure) if name(&failure) == "UsernameExistsException" => {}
            Err(failure) if name(&failure) == "InvalidParameterException" => {
                return Err(Error::invalid(
                    "/email",
                    "invalid_email",
                    "is not an e-mail address that codes can be sent to",
                ));
            }
            Err(failure) => return Err(general(failure)),
        }
        let set = self
            .client
            .admin_set_user_password()
            .user_pool_id(&self.pool.id)
            .username(user.to_string())
            .password(password.reveal())
            .permanent(true)
            .send();
        set.await.map(drop).map_err(|failure| match name(&failure) {
            "InvalidPasswordException" => password_refused("/password"),
            _ => general(failure),
        })
    }

    /// Creates the identity of a user that the pool has lost, with a password that nobody knows. Nothing is sent. Twice does
    /// what once does.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the pool refuses the e-mail.
    pub async fn restore(&self, user: &User) -> Result<(), Error> {
        self.set_password(user, &random_password()?).await
    }

    /// Whether a user has an identity.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn exists(&self, user: UserId) -> Result<bool, Error> {
        Ok(self.standing(user).await? != Standing::Missing)
    }

    /// Whether a user has an identity whose e-mail has been verified, whatever the table has heard of it.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn is_confirmed(&self, user: UserId) -> Result<bool, Error> {
        Ok(!matches!(self.standing(user).await?, Standing::Missing | Standing::Unconfirmed))
    }

    /// Returns what Cognito has of a user.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn standing(&self, user: UserId) -> Result<Standing, Error> {
        let sent = self.client.admin_get_user().user_pool_id(&self.pool.id).username(user.to_string()).send();
        match sent.await {
            Ok(found) => Ok(match found.user_status {
                Some(UserStatusType::Unconfirmed) => Standing::Unconfirmed,
                Some(UserStatusType::ForceChangePassword) => Standing::Unfinished,
                _ => Standing::Confirmed,
            }),
            Err(failure) if name(&failure) == "UserNotFoundException" => Ok(Standing::Missing),
            Err(failure) => Err(general(failure)),
        }
    }

    /// Lists a page of at most 60 identities: their users with the time of creation, and the token of the next page.
    ///
    /// It leaves out identities that are not named like a user, since Muster has not created them.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; [`Error::Internal`] for a token that Cognito does not know.
    pub async fn list(&self, page: Option<String>) -> Result<(Vec<(UserId, Time)>, Option<String>), Error> {
        let request = self.client.list_users().user_pool_id(&self.pool.id).attributes_to_get("sub");
        let listed = request.set_pagination_token(page).send().await.map_err(general)?;
        let users = listed.users.unwrap_or_default().into_iter().filter_map(|user| {
            let created = user.user_create_date?.to_millis().ok()?;
            Some((user.username?.parse().ok()?, Time::from_millis(created)))
        });
        Ok((users.collect(), listed.pagination_token))
    }

    /// Deletes the identity of a user, if it has one.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn delete(&self, user: UserId) -> Result<(), Error> {
        let sent = self.client.admin_delete_user().user_pool_id(&self.pool.id).username(user.to_string()).send();
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
            .client_id(&self.pool.client_id)
            .set_secret_hash(self.secret_hash(user))
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
        let sent = self
            .client
            .resend_confirmation_code()
            .client_id(&self.pool.client_id)
            .set_secret_hash(self.secret_hash(user))
            .username(user.to_string())
            .send();
        sent.await.map_or_else(untold, |_| Ok(()))
    }

    /// Sends a recovery code, which the `challenge` function makes and keeps, to an address, which is that of the user,
    /// whatever Cognito has heard of it. For an unknown user, ask with a fresh id: nothing is sent, and the same calls are
    /// made.
    ///
    /// Cognito sends such codes to verified addresses only. One that its user has not proved is verified for the moment
    /// in which the code is sent. `lost` is the user who gets an identity again, if the pool has none: whether it did.
    ///
    /// # Errors
    /// [`Error::RateLimited`], [`Error::Unavailable`].
    pub async fn recover(
        &self,
        user: UserId,
        (email, is_verified): (&Email, bool),
        lost: Option<&User>,
    ) -> Result<bool, Error> {
        let attributes = vec![attribute("email", email.as_str())?, attribute("email_verified", "true")?];
        let lost = match self.update(user, attributes).await {
            Ok(false) => lost,
            Ok(true) | Err(Error::Invalid(_)) => None,
            Err(error) => return Err(error),
        };
        if let Some(user) = lost {
            self.restore(user).await?;
        }
        let sent = self
            .client
            .forgot_password()
            .client_id(&self.pool.client_id)
            .set_secret_hash(self.secret_hash(user))
            .username(user.to_string())
            .send()
            .await
            .map_or_else(untold, |_| Ok(()));
        let restored = self.update(user, vec![attribute("email_verified", text_of(is_verified))?]).await;
        sent.and(restored)?;
        Ok(lost.is_some())
    }

    /// Gives a user who has an identity a new password, which the table has found it may have.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the pool refuses the password.
    pub async fn replace_password(&self, user: UserId, new: &Password) -> Result<(), Error> {
        let set = self
            .client
            .admin_set_user_password()
            .user_pool_id(&self.pool.id)
            .username(user.to_string())
            .password(new.reveal())
            .permanent(true)
            .send();
        set.await.map(drop).map_err(|failure| match name(&failure) {
            // Who was erased meanwhile has no code any more.
            "UserNotFoundException" => wrong_code(),
            _ => general(failure),
        })
    }

    /// Changes the password of the user whose access token this is.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the old password is wrong, or the pool refuses the new one.
    pub async fn change_password(&self, access_token: &str, old: &str, new: &Password) -> Result<(), Error> {
        let mut done = Ok(());
        // In the form in which passwords are set, and then as it was typed, in which they were set once.
        for form in login_forms(old) {
            done = self.change_password_from(access_token, &form, new).await;
            if !matches!(done, Err(Error::Invalid(_))) {
                break;
            }
        }
        done
    }

    async fn change_password_from(&self, access_token: &str, old: &str, new: &Password) -> Result<(), Error> {
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
                // The token outlives an identity that was deleted.
                "UserNotFoundException" => Error::Unauthenticated,
                _ => general(failure),
            }),
        }
    }

    /// Tells Cognito the e-mail of a user, and whether it is verified: whether the user has an identity that can be told.
    ///
    /// # Errors
    /// [`Error::Invalid`] where Cognito does not take the e-mail; [`Error::Unavailable`].
    pub async fn set_email(&self, user: &User) -> Result<bool, Error> {
        let Some(email) = &user.fields.email else { return self.exists(user.id).await };
        // An address that is not verified in the same call would wait for a code of its own.
        let verified = vec![attribute("email", email.as_str())?, attribute("email_verified", "true")?];
        if !self.update(user.id, verified).await? {
            return Ok(false);
        }
        if user.is_email_verified() {
            return Ok(true);
        }
        self.update(user.id, vec![attribute("email_verified", "false")?]).await
    }

    /// Changes attributes: whether the user has an identity.
    pub(crate) async fn update(&self, user: UserId, attributes: Vec<AttributeType>) -> Result<bool, Error> {
        let sent = self
            .client
            .admin_update_user_attributes()
            .user_pool_id(&self.pool.id)
            .username(user.to_string())
            .set_user_attributes(Some(attributes))
            .send();
        match sent.await {
            Ok(_) => Ok(true),
            Err(failure) if name(&failure) == "UserNotFoundException" => Ok(false),
            Err(failure) if name(&failure) == "InvalidParameterException" => {
                Err(Error::invalid("/email", "invalid_email", "is not an e-mail address that codes can be sent to"))
            }
            Err(failure) => Err(general(failure)),
        }
    }
}

/// For what must not be sent again by itself: a code or a password that was used up by a call whose answer was lost
/// would look wrong the second time.
pub(crate) fn once() -> aws_sdk_cognitoidentityprovider::config::Builder {
    aws_sdk_cognitoidentityprovider::config::Builder::new().retry_config(RetryConfig::disabled())
}

/// The one answer to any code that does not open.
#[must_use]
pub fn wrong_code() -> Error {
    Error::invalid("/code", "incorrect", "is wrong, used or expired; ask for a new one")
}

/// The attribute that names the segment of a user; the pre token generation trigger makes a claim of it.
const SEGMENT: &str = "custom:segment_id";

fn text_of(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}

pub(crate) fn attribute(name: &str, value: &str) -> Result<AttributeType, Error> {
    AttributeType::builder().name(name).value(value).build().map_err(Error::internal)
}
