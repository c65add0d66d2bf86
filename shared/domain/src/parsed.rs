//! A request body with every error that is known of it so far.

use serde_json::Value;

use crate::error::{Error, FieldError};
use crate::field::{Body, Pointer, read_object};

/// A request body as far as it can be read. Rules that need more than the body add their errors, so that a client gets all
/// of them in one response.
#[derive(Debug, Clone)]
pub struct ParsedBody<T> {
    /// The body, where fields with an error are absent; `None` where a required field has an error.
    body: Option<T>,
    errors: Vec<FieldError>,
    /// The pointers of the values that were taken away since they have an error: nothing is said of what is there instead.
    withheld: Vec<String>,
}

impl<T: Body> ParsedBody<T> {
    /// Reads a body and checks the rules that it breaks by itself.
    #[must_use]
    pub fn parse(value: Value) -> Self {
        Self::with_errors(value, Vec::new())
    }

    /// Reads a body from a value from which the top-level fields with these errors are taken away.
    pub(crate) fn with_errors(value: Value, mut errors: Vec<FieldError>) -> Self {
        let top = |error: &FieldError| error.pointer.split('/').take(2).collect::<Vec<_>>().join("/");
        let withheld = errors.iter().map(top).collect();
        let body = read_object(value, &Pointer::root(), &mut errors, T::read);
        let is_complete = errors.is_empty();
        let mut parsed = Self { body, errors, withheld };
        parsed.check(|body| {
            let mut broken = Vec::new();
            body.rules(&mut broken);
            // A field with an error is read as absent, so that nothing can be said to be missing.
            broken.retain(|error| is_complete || error.code != "required");
            broken
        });
        parsed
    }
}

/// A body without an error.
impl<T> From<T> for ParsedBody<T> {
    fn from(body: T) -> Self {
        Self { body: Some(body), errors: Vec::new(), withheld: Vec::new() }
    }
}

impl<T> ParsedBody<T> {
    /// The body, where fields with an error are absent.
    #[must_use]
    pub fn body(&self) -> Option<&T> {
        self.body.as_ref()
    }

    /// Returns the body, where fields with an error are absent.
    ///
    /// # Errors
    /// [`Error::Invalid`] where a required field has an error.
    pub fn readable(&self) -> Result<&T, Error> {
        self.body.as_ref().ok_or_else(|| Error::Invalid(self.errors.clone()))
    }

    /// Adds the field errors of a check that was made elsewhere, and returns what it found.
    ///
    /// # Errors
    /// Each error that is not about fields.
    pub fn add_outcome<U>(&mut self, outcome: Result<U, Error>) -> Result<Option<U>, Error> {
        match outcome {
            Err(Error::Invalid(found)) => {
                self.add_errors(found);
                Ok(None)
            }
            outcome => outcome.map(Some),
        }
    }

    /// Whether the top-level field `name`, or a part of it, has an error.
    #[must_use]
    pub fn has_error(&self, name: &str) -> bool {
        let pointer = format!("/{name}");
        self.errors.iter().any(|error| error.is_within(&pointer))
    }

    /// Adds the errors that `rules` finds, but none about a field that has one already.
    pub fn check(&mut self, rules: impl FnOnce(&T) -> Vec<FieldError>) {
        let Some(body) = &self.body else { return };
        let found = rules(body);
        self.add_errors(found);
    }

    /// Adds errors, but none about a field that has one already.
    pub fn add_errors(&mut self, found: impl IntoIterator<Item = FieldError>) {
        let known = self.errors.clone();
        let is_new = |error: &FieldError| {
            !known.iter().any(|known| error.is_within(&known.pointer) || known.is_within(&error.pointer))
                && !self.withheld.iter().any(|withheld| error.is_within(withheld))
        };
        self.errors.extend(found.into_iter().filter(is_new));
    }

    /// Turns the body into another one, and leaves the errors.
    #[must_use]
    pub fn map<U>(self, into: impl FnOnce(T) -> U) -> ParsedBody<U> {
        ParsedBody { body: self.body.map(into), errors: self.errors, withheld: self.withheld }
    }

    /// Returns the body.
    ///
    /// # Errors
    /// [`Error::Invalid`] with each error.
    pub fn into_result(self) -> Result<T, Error> {
        self.body.filter(|_| self.errors.is_empty()).ok_or(Error::Invalid(self.errors))
    }
}
