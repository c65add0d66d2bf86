//! Whether a password is strong enough for its user.

use domain::{Error, Password, User};
use edge::App;

/// Refuses a password that is too weak for a user: 1 read, if the user is in a segment. `at` is its place in the body.
///
/// # Errors
/// [`Error::Invalid`].
pub async fn check_strength(app: &App, user: &User, password: &Password, at: &str) -> Result<(), Error> {
    let segment = match user.segment_id {
        Some(segment) => Some(app.store.segment(segment).await?),
        None => None,
    };
    password.check(at, &user.fields, segment.as_ref().map(|segment| &segment.fields.settings.0))
}
