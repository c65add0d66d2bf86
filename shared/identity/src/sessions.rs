//! Cognito's sessions: login, refresh, revocation.

use std::collections::HashMap;

use aws_sdk_cognitoidentityprovider::types::{AuthFlowType, AuthenticationResultType, ChallengeNameType};
use domain::{Error, UserId, login_forms};

use crate::Identity;
use crate::failure::{general, name};

/// What a login gives.
#[derive(Clone)]
pub struct Tokens {
    /// Goes with each request; lives 60 minutes.
    pub access_token: String,
    /// Gets new tokens at Cognito, which gives another one only at a login. Clients never see it.
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

impl Identity {
    /// Checks a password, in Unicode's form NFC and then as it was typed, in which passwords were set once. For an unknown
    /// user, ask with a fresh id: Cognito answers it the same, and as slowly.
    ///
    /// # Errors
    /// [`Error::RateLimited`], [`Error::Unavailable`].
    pub async fn login(&self, user: UserId, password: &str) -> Result<LoggedIn, Error> {
        for form in login_forms(password) {
            match self.login_with(user, &form).await? {
                LoggedIn::Wrong => {}
                right @ (LoggedIn::Tokens(_) | LoggedIn::Unverified) => return Ok(right),
            }
        }
        Ok(LoggedIn::Wrong)
    }

    async fn login_with(&self, user: UserId, password: &str) -> Result<LoggedIn, Error> {
        // The admin flow: a password can be tried only through Muster, which limits how often.
        let sent = self
            .client
            .admin_initiate_auth()
            .user_pool_id(&self.pool.id)
            .client_id(&self.pool.client_id)
            .auth_flow(AuthFlowType::AdminUserPasswordAuth)
            .set_auth_parameters(Some(self.about(user, Some(("PASSWORD", password)))))
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
            .user_pool_id(&self.pool.id)
            .client_id(&self.pool.client_id)
            .auth_flow(AuthFlowType::CustomAuth)
            .set_auth_parameters(Some(self.about(user, None)))
            .send()
            .await;
        let begun =
            begun.map_err(|failure| if refused(name(&failure)) { Error::Unauthenticated } else { general(failure) })?;
        let answered = self
            .client
            .admin_respond_to_auth_challenge()
            .user_pool_id(&self.pool.id)
            .client_id(&self.pool.client_id)
            .challenge_name(ChallengeNameType::CustomChallenge)
            .set_session(begun.session)
            .set_challenge_responses(Some(self.about(user, Some(("ANSWER", secret)))))
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
        // The operation that needs no username: who refreshes need not say who it is, which a hash would be about.
        let sent = self
            .client
            .get_tokens_from_refresh_token()
            .client_id(&self.pool.client_id)
            .set_client_secret(self.client_secret())
            .refresh_token(refresh_token)
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
        let sent = self
            .client
            .revoke_token()
            .client_id(&self.pool.client_id)
            .set_client_secret(self.client_secret())
            .token(refresh_token)
            .send();
        match sent.await {
            Ok(_) => Ok(()),
            Err(failure) => match name(&failure) {
                "NotAuthorizedException" | "InvalidParameterException" | "UnsupportedTokenTypeException" => Ok(()),
                _ => Err(general(failure)),
            },
        }
    }

    /// The parameters of a call about this user.
    fn about(&self, user: UserId, proof: Option<(&str, &str)>) -> HashMap<String, String> {
        let hash = self.secret_hash(user).map(|hash| ("SECRET_HASH", hash));
        let proof = proof.map(|(name, text)| (name, text.to_owned()));
        let all = [Some(("USERNAME", user.to_string())), proof, hash];
        all.into_iter().flatten().map(|(name, text)| (name.to_owned(), text)).collect()
    }

    fn client_secret(&self) -> Option<String> {
        self.pool.client_secret.as_ref().map(|secret| secret.reveal().to_owned())
    }
}

fn tokens(result: Option<AuthenticationResultType>) -> Result<Tokens, Error> {
    let result = result.ok_or_else(|| Error::internal("Cognito asked for one more challenge"))?;
    let (Some(access_token), Some(id_token)) = (result.access_token, result.id_token) else {
        return Err(Error::internal("Cognito answered without tokens"));
    };
    Ok(Tokens { access_token, refresh_token: result.refresh_token, id_token, expires_in: result.expires_in })
}
