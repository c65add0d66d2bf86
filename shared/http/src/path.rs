//! What stands in a path. An id that does not parse names nothing: 404, before anything is read.

use axum::extract::{FromRequestParts, Path as Segments};
use axum::http::request::Parts;
use domain::{Error, UserId};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Failure;

/// The parameters of a path.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = Segments::<T>::from_request_parts(parts, state).await;
        path.map(|Segments(path)| Self(path)).map_err(|_| Error::NotFound.into())
    }
}

/// `{user}` in a path: an id, or `me`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum UserRef {
    /// The caller.
    Me,
    /// The user with this id.
    Id(UserId),
}

impl TryFrom<String> for UserRef {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "me" { Ok(Self::Me) } else { text.parse().map(Self::Id).map_err(|_| "not an id") }
    }
}
