//! Query strings: every parameter is known, or the request is refused with the names that are.

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use domain::{Error, FieldError};

use crate::Failure;
use crate::filter::escape_plus;

/// The parameters of a query, in the order in which they came, decoded.
#[derive(Debug, Clone, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn of(uri: &Uri) -> Self {
        Self(form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect())
    }

    /// Each parameter with its value, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The same parameters, those of another system under the names that they have here.
    #[must_use]
    pub fn renamed(mut self, names: &[(&str, &str)]) -> Self {
        for (name, _) in &mut self.0 {
            if let Some((_, ours)) = names.iter().find(|(theirs, _)| theirs == name) {
                (*ours).clone_into(name);
            }
        }
        self
    }

    /// The same parameters, what `write` makes of the values of one in their place.
    #[must_use]
    pub fn rewritten(mut self, name: &str, write: impl Fn(&str) -> Option<String>) -> Self {
        for (_, value) in self.0.iter_mut().filter(|(parameter, _)| parameter == name) {
            if let Some(written) = write(value) {
                *value = written;
            }
        }
        self
    }

    /// The parameters that `keep` keeps, given their names and values.
    #[must_use]
    pub fn retained(mut self, keep: impl Fn(&str, &str) -> bool) -> Self {
        self.0.retain(|(name, value)| keep(name, value));
        self
    }

    /// Takes the parameter `name`; one that comes twice is an error.
    pub fn take(&mut self, name: &str, errors: &mut Vec<FieldError>) -> Option<String> {
        let mut found = self.0.extract_if(.., |(key, _)| key == name).map(|(_, value)| value);
        let first = found.next();
        if found.next().is_some() {
            errors.push(error(name, "repeated", "must come once"));
        }
        first
    }

    /// As [`Query::take`], of a value that has no spaces, such as an e-mail or a time: a space within it is a plus that the
    /// client has not escaped.
    pub fn take_unspaced(&mut self, name: &str, errors: &mut Vec<FieldError>) -> Option<String> {
        self.take(name, errors).map(|value| escape_plus(&value))
    }

    /// Takes every parameter whose name begins with `prefix`.
    pub(crate) fn take_all(&mut self, prefix: &str) -> Vec<(String, String)> {
        self.0.extract_if(.., |(key, _)| key.starts_with(prefix)).collect()
    }

    /// Refuses what is left.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the errors so far and one for each parameter that was not taken.
    pub fn finish(self, allowed: &str, mut errors: Vec<FieldError>) -> Result<(), Error> {
        let message = format!("is not a parameter here; known are: {allowed}");
        errors.extend(self.0.iter().map(|(name, _)| error(name, "unknown", &message)));
        if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
    }
}

/// An error of a parameter: the query is seen as an object, so that its pointer is one into that.
pub(crate) fn error(name: &str, code: &'static str, message: &str) -> FieldError {
    domain::field::Pointer::root().child(name).error(code, message)
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Ok(Self::of(&parts.uri))
    }
}
