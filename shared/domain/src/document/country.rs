//! Which documents a country has, and which rule each follows.

use super::rule::{ANY, Rule};
use super::{Checks, Document, DocumentType, argentina, brazil, chile, colombia, mexico, peru};
use crate::error::FieldError;
use crate::field::Pointer;
use crate::text::Country;

/// The documents of one country.
pub(super) struct Documents {
    /// ISO 3166-1 alpha-3.
    pub(super) country: &'static str,
    /// What tells who somebody is.
    pub(super) identity: &'static [(DocumentType, Rule)],
    /// What somebody pays taxes under.
    pub(super) tax: &'static [(DocumentType, Rule)],
}

const COUNTRIES: [Documents; 6] = [
    argentina::DOCUMENTS,
    brazil::DOCUMENTS,
    mexico::DOCUMENTS,
    colombia::DOCUMENTS,
    peru::DOCUMENTS,
    chile::DOCUMENTS,
];

/// What a document is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It tells who somebody is.
    Identity,
    /// Somebody pays taxes under it.
    Tax,
}

/// The documents for `purpose` in `country`, beside `DOCUMENT`, which is good everywhere.
fn documents(purpose: Purpose, country: Option<&Country>) -> &'static [(DocumentType, Rule)] {
    let country = country.and_then(|country| COUNTRIES.iter().find(|known| known.country == country.as_str()));
    country.map_or(&[], |known| match purpose {
        Purpose::Identity => known.identity,
        Purpose::Tax => known.tax,
    })
}

impl Document {
    /// Whether a user of `country` may have this document for `purpose`; the error points below `at`, where the
    /// document stands. A country whose documents are not known has only `DOCUMENT`, and so has none at all.
    ///
    /// # Errors
    /// The type is not one of the country, or the number breaks the type's rule.
    pub fn check(
        &self,
        purpose: Purpose,
        country: Option<&Country>,
        checks: Checks,
        at: &Pointer,
    ) -> Result<(), FieldError> {
        let documents = documents(purpose, country);
        let rule = if self.kind == DocumentType::Document {
            Some(&ANY)
        } else {
            documents.iter().find(|(kind, _)| *kind == self.kind).map(|(_, rule)| rule)
        };
        let Some(rule) = rule else {
            let names: Vec<_> = documents.iter().map(|(kind, _)| kind.as_str()).chain(["DOCUMENT"]).collect();
            let message = format!("must be one of {}, as operation_country says", names.join(", "));
            return Err(at.child("type").error("invalid_choice", &message));
        };
        rule.check(&self.value, checks).map_err(|(code, message)| at.child("value").error(code, message))
    }
}
