//! The values of users that nobody else in their scope may have.

use std::collections::HashMap;

use crate::document::Document;
use crate::error::FieldError;
use crate::field::Pointer;
use crate::text::{Country, Email, ReferenceId};
use crate::username::Username;

/// A value that one user alone may have, in the form in which two are compared.
#[derive(Debug, Clone, Eq)]
pub struct Unique {
    /// The field that holds it.
    pub field: &'static str,
    /// Its canonical form.
    pub value: String,
    /// The form in which a row from before a stricter rule may claim it, if it is another one.
    pub former: Option<String>,
}

/// Two values are the same in their canonical form.
impl PartialEq for Unique {
    fn eq(&self, other: &Self) -> bool {
        (self.field, &self.value) == (other.field, &other.value)
    }
}

impl Unique {
    /// The value of a field in its canonical form.
    #[must_use]
    pub fn new(field: &'static str, value: String) -> Self {
        Self { field, value, former: None }
    }

    /// Returns the claim of a row from before a stricter rule, if there can be one.
    #[must_use]
    pub fn in_former_form(&self) -> Option<Self> {
        self.former.clone().map(|value| Self::new(self.field, value))
    }

    /// An e-mail, without case.
    #[must_use]
    pub fn email(email: &Email) -> Self {
        Self::new("email", email.canonical())
    }

    /// A username, without case, width and composition.
    #[must_use]
    pub fn username(username: &Username) -> Self {
        Self { former: username.former().map(str::to_owned), ..Self::new("username", username.canonical()) }
    }

    /// A reference id, to the letter that can be seen.
    #[must_use]
    pub fn reference(reference: &ReferenceId) -> Self {
        Self::new("reference_id", reference.canonical())
    }

    /// A document: its type and its canonical number, and its country where it is unique only there.
    #[must_use]
    pub fn identification(document: &Document, country: Option<&Country>) -> Self {
        // No type and no country has a colon in its name, and no type is the code of a country.
        let country = country.map(|country| format!("{}:", country.as_str())).unwrap_or_default();
        let value = format!("{country}{}:{}", document.kind.as_str(), document.value.as_str());
        Self::new("identification", value)
    }

    /// What to say when somebody else has it.
    #[must_use]
    pub fn taken(&self) -> FieldError {
        Pointer::root().child(self.field).error("taken", "is taken by another user; choose another one")
    }
}

/// Rows that can be made at once, round by round, each round in their order: one that claims what an earlier one claims
/// waits for it.
#[must_use]
pub fn rounds<T>(rows: impl IntoIterator<Item = T>, claims: impl Fn(&T) -> Vec<Unique>) -> Vec<Vec<T>> {
    let mut latest: HashMap<(&'static str, String), usize> = HashMap::new();
    let mut rounds: Vec<Vec<T>> = Vec::new();
    for row in rows {
        let values: Vec<_> = claims(&row).into_iter().map(|unique| (unique.field, unique.value)).collect();
        let round = values.iter().filter_map(|value| latest.get(value)).max().map_or(0, |before| before + 1);
        latest.extend(values.into_iter().map(|value| (value, round)));
        if rounds.len() <= round {
            rounds.resize_with(round + 1, Vec::new);
        }
        if let Some(round) = rounds.get_mut(round) {
            round.push(row);
        }
    }
    rounds
}
