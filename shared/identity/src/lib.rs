//! Credentials live in Cognito and nowhere else; a user's Cognito username is its Muster id.
//!
//! [`Verifier`] checks access tokens without asking anybody. `Identity` (feature `client`) speaks to Cognito.

#[cfg(feature = "client")]
mod cognito;
#[cfg(feature = "client")]
mod failure;
#[cfg(feature = "client")]
mod own_email;
mod secret;
#[cfg(feature = "client")]
mod sessions;
mod verify;

#[cfg(feature = "client")]
pub use cognito::{Confirmed, Identity, Standing, random_password, wrong_code};
pub use secret::ClientSecret;
#[cfg(feature = "client")]
pub use sessions::{LoggedIn, Tokens};
pub use verify::{Claims, Pool, Verifier};
