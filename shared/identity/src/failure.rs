//! What Cognito's errors mean to Muster.

use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata, SdkError};
use domain::Error;

/// Cognito's name of an error.
///
/// A client secret that is missing or wrong goes by the name of a wrong password; it is told apart, since no operation
/// may take a fault of the deployment's for an answer about a user.
pub(crate) fn name<E: ProvideErrorMetadata>(failure: &SdkError<E>) -> &str {
    let (code, message) = (failure.code().unwrap_or_default(), failure.message().unwrap_or_default());
    let unneeded = message.ends_with("is not configured for secret but secret hash was received");
    let wrong = message.to_ascii_lowercase().contains("secret");
    match code {
        "NotAuthorizedException" | "UnauthorizedException" if wrong => CLIENT_SECRET,
        "InvalidParameterException" if unneeded => CLIENT_SECRET,
        code => code,
    }
}

const CLIENT_SECRET: &str = "ClientSecret";

/// What every operation can fail with; each names first what means more to it.
pub(crate) fn general<E>(failure: SdkError<E>) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    match name(&failure) {
        "TooManyRequestsException" => Error::RateLimited { retry_after: 1 },
        // Cognito locks a user out for up to 15 minutes; how long, it does not say.
        "LimitExceededException" | "TooManyFailedAttemptsException" => Error::RateLimited { retry_after: 60 },
        "InvalidPasswordException" => password_refused("/new_password"),
        CLIENT_SECRET | "ResourceNotFoundException" | "AccessDeniedException" | "InvalidParameterException" => {
            Error::Internal(cause(failure))
        }
        _ => Error::Unavailable(cause(failure)),
    }
}

/// Why no code was sent, as far as who asks for one may learn it: not that there is no such user, none whose e-mail is
/// to be verified or is verified, or one that has been sent too many.
pub(crate) fn untold<E>(failure: SdkError<E>) -> Result<(), Error>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    match name(&failure) {
        "UserNotFoundException"
        | "InvalidParameterException"
        | "NotAuthorizedException"
        | "LimitExceededException"
        | "CodeDeliveryFailureException" => Ok(()),
        _ => Err(general(failure)),
    }
}

/// The pool's policy is stricter than Muster's own rule.
pub(crate) fn password_refused(pointer: &str) -> Error {
    Error::invalid(pointer, "invalid_password", "does not meet the password policy; choose a longer, more varied one")
}

/// The cause, for the log.
fn cause<E>(failure: SdkError<E>) -> domain::error::Cause
where
    E: std::error::Error + Send + Sync + 'static,
{
    failure.into_source().unwrap_or_else(|whole| Box::new(whole))
}
