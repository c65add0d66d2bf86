//! Credentials live in Cognito and nowhere else; a user's Cognito username is its Muster id.
//!
//! [`Verifier`] checks access tokens without asking anybody. `Identity` (feature `client`) speaks to Cognito.

#[cfg(feature = "client")]
mod cognito;
#[cfg(feature = "client")]
mod failure;
mod verify;

#[cfg(feature = "client")]
pub use cognito::{Confirmed, Identity, LoggedIn, Tokens, wrong_code};
pub use verify::{Claims, Pool, Verifier};
