//! The two kinds of errors: why the data could not be opened, and what a request is answered with.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why an emulator could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is there but is no longer a whole database, or its content makes no sense.
    #[error("{file} is damaged: {reason}")]
    Damaged {
        /// The file's name, or `memory`.
        file: String,
        /// What was found.
        reason: String,
    },
    /// The file holds something else, or was written by another version.
    #[error("{file} was not written by this version of the emulator (format {found}, wanted {wanted})")]
    Format {
        /// The file's name.
        file: String,
        /// The format that the file names; 0 is none.
        found: i64,
        /// The format that is read and written.
        wanted: i64,
    },
    /// The file could not be opened or written.
    #[error("{file} cannot be used: {source}")]
    Storage {
        /// The file's name, or `memory`.
        file: String,
        /// What `SQLite` says.
        #[source]
        source: rusqlite::Error,
    },
    /// The signing key could not be made or stored.
    #[error("the signing key cannot be made: {0}")]
    Key(String),
    /// The pool or its client could not be stored.
    #[error("the pool cannot be made: {0}")]
    Pool(String),
    /// The client's id is already used in another pool.
    #[error("the client {0} belongs to another pool")]
    ForeignClient(String),
}

/// What a request is refused with: one variant for each of Cognito's exceptions that occurs.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("Invalid verification code provided, please try again.")]
    CodeMismatch,
    #[error("Invalid code provided, please request a code again.")]
    ExpiredCode,
    #[error("{0}")]
    InvalidLambdaResponse(String),
    #[error("{0}")]
    InvalidParameter(String),
    #[error("Password did not conform with policy: {0}")]
    InvalidPassword(&'static str),
    #[error("Attempt limit exceeded, please try after some time.")]
    LimitExceeded,
    #[error("{0}")]
    NotAuthorized(String),
    #[error("{0}")]
    ResourceNotFound(String),
    #[error("{0}")]
    Serialization(String),
    #[error("{0}")]
    Unauthorized(&'static str),
    #[error("")]
    UnknownOperation,
    #[error("Only refresh tokens can be revoked.")]
    UnsupportedTokenType,
    #[error("{0}")]
    UserLambdaValidation(String),
    #[error("{0}")]
    UsernameExists(&'static str),
    #[error("User is not confirmed.")]
    UserNotConfirmed,
    #[error("User does not exist.")]
    UserNotFound,
    /// The emulator's own fault: logged, answered without its reason, and the only one that rolls back.
    #[error("internal error: {0}")]
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl Failure {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::InvalidParameter(message.into())
    }

    pub(crate) fn not_authorized(message: impl Into<String>) -> Self {
        Self::NotAuthorized(message.into())
    }

    /// The one answer to a wrong password and to an unknown user.
    pub(crate) fn wrong_credentials() -> Self {
        Self::not_authorized("Incorrect username or password.")
    }

    pub(crate) fn disabled() -> Self {
        Self::not_authorized("User is disabled.")
    }

    /// A setting that Cognito knows and the emulator does not: refused, so that nobody relies on it.
    pub(crate) fn unsupported(what: &str) -> Self {
        Self::invalid(format!("{what} is not supported by this emulator."))
    }

    fn code(&self) -> &'static str {
        match self {
            Self::CodeMismatch => "CodeMismatchException",
            Self::ExpiredCode => "ExpiredCodeException",
            Self::InvalidLambdaResponse(_) => "InvalidLambdaResponseException",
            Self::InvalidParameter(_) => "InvalidParameterException",
            Self::InvalidPassword(_) => "InvalidPasswordException",
            Self::LimitExceeded => "LimitExceededException",
            Self::NotAuthorized(_) => "NotAuthorizedException",
            Self::ResourceNotFound(_) => "ResourceNotFoundException",
            Self::Serialization(_) => "SerializationException",
            Self::Unauthorized(_) => "UnauthorizedException",
            Self::UnknownOperation => "UnknownOperationException",
            Self::UnsupportedTokenType => "UnsupportedTokenTypeException",
            Self::UserLambdaValidation(_) => "UserLambdaValidationException",
            Self::UsernameExists(_) => "UsernameExistsException",
            Self::UserNotConfirmed => "UserNotConfirmedException",
            Self::UserNotFound => "UserNotFoundException",
            Self::Internal(_) => "InternalErrorException",
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, message) = if let Self::Internal(cause) = &self {
            tracing::error!(%cause, "the Cognito emulator failed");
            (StatusCode::INTERNAL_SERVER_ERROR, "An internal error occurred.".to_owned())
        } else {
            (StatusCode::BAD_REQUEST, self.to_string())
        };
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.1")),
            (HeaderName::from_static("x-amzn-errortype"), HeaderValue::from_static(self.code())),
        ];
        let body = json!({ "__type": self.code(), "message": message });
        (status, headers, body.to_string()).into_response()
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Internal(error.into())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(error.into())
    }
}

impl From<aws_lc_rs::error::Unspecified> for Failure {
    fn from(error: aws_lc_rs::error::Unspecified) -> Self {
        Self::Internal(error.into())
    }
}
