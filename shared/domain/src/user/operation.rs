//! What the country that a user does business in asks of its documents and its legal address.

use crate::document::{Checks, Document, Purpose};
use crate::error::FieldError;
use crate::field::Pointer;
use crate::place::LegalAddress;
use crate::text::Country;
use crate::user::UserFields;

impl UserFields {
    /// What breaks the rules of the `operation_country`, for a user of a segment; master users have none.
    ///
    /// `before` is the user before the change: what neither changed itself nor got another country is not checked
    /// again, so that a segment that turns stricter leaves the users that it has alone.
    #[must_use]
    pub fn check_by_country(&self, before: Option<&Self>, checks: Checks) -> Vec<FieldError> {
        let country = self.operation_country.as_ref();
        let moved = before.is_none_or(|before| before.operation_country != self.operation_country);
        let mut errors = Vec::new();
        let mut document = |name, purpose, old: Option<&Document>, new: Option<&Document>| {
            let same = old.filter(|old| Some(*old) == new);
            // Who wrote the same document before is not asked how: the table keeps the number alone.
            let Some(document) = same.or(new).filter(|_| moved || same.is_none()) else { return };
            errors.extend(document.check(purpose, country, checks, &Pointer::root().child(name)).err());
        };
        let old = |field: fn(&Self) -> Option<&Document>| before.and_then(field);
        document(
            "identification",
            Purpose::Identity,
            old(|fields| fields.identification.as_ref()),
            self.identification.as_ref(),
        );
        document(
            "tax_identification",
            Purpose::Tax,
            old(|fields| fields.tax_identification.as_ref()),
            self.tax_identification.as_ref(),
        );
        if moved || before.is_some_and(|before| before.legal_address != self.legal_address) {
            let at = Pointer::root().child("legal_address");
            errors.extend(match &self.legal_address {
                Some(address) => address.check(country, &at),
                None if country.is_some_and(requires_address) => {
                    Some(at.error("required", "is required in BRA; give one with its zip_code, the CEP"))
                }
                None => None,
            });
        }
        errors
    }
}

/// Whether a user of this country needs a legal address.
fn requires_address(country: &Country) -> bool {
    country.as_str() == "BRA"
}

/// The 23 provinces of Argentina and its capital city, which counts as one.
const PROVINCES: [&str; 24] = [
    "Buenos Aires",
    "Catamarca",
    "Chaco",
    "Chubut",
    "Ciudad Autónoma de Buenos Aires",
    "Córdoba",
    "Corrientes",
    "Entre Ríos",
    "Formosa",
    "Jujuy",
    "La Pampa",
    "La Rioja",
    "Mendoza",
    "Misiones",
    "Neuquén",
    "Río Negro",
    "Salta",
    "San Juan",
    "San Luis",
    "Santa Cruz",
    "Santa Fe",
    "Santiago del Estero",
    "Tierra del Fuego",
    "Tucumán",
];

impl LegalAddress {
    /// Returns the rule that the address breaks; the error points below `at`, where the address stands.
    ///
    /// The rules are those of its country, which is that of operation if the address does not name its own. A user who
    /// operates in BRA has a CEP wherever the address is.
    #[must_use]
    pub fn check(&self, operation_country: Option<&Country>, at: &Pointer) -> Option<FieldError> {
        let country = self.country.as_ref().or(operation_country);
        if operation_country.into_iter().chain(country).any(requires_address) {
            return self.check_cep(at);
        }
        country.filter(|country| country.as_str() == "ARG").and_then(|_| self.check_province(at))
    }

    fn check_province(&self, at: &Pointer) -> Option<FieldError> {
        let region = self.region.as_ref().map(|region| plain(region.as_str()));
        let Some(region) = region else {
            return Some(at.child("region").error("required", "is required in ARG; name a province"));
        };
        let known = PROVINCES.iter().any(|province| plain(province) == region);
        let message = format!("must be one of {}", PROVINCES.join(", "));
        (!known).then(|| at.child("region").error("invalid_choice", &message))
    }

    fn check_cep(&self, at: &Pointer) -> Option<FieldError> {
        let Some(code) = &self.zip_code else {
            return Some(at.child("zip_code").error("required", "is required in BRA; give the CEP"));
        };
        let digits: Vec<u8> = code.as_str().bytes().filter(|byte| !b".- ".contains(byte)).collect();
        let valid = digits.len() == 8 && digits.iter().all(u8::is_ascii_digit);
        (!valid).then(|| at.child("zip_code").error("invalid_zip_code", "must be a CEP, which has 8 digits"))
    }
}

/// The text without case and the accents of Spanish, written in one character or in two.
fn plain(text: &str) -> String {
    let letters = text.trim().chars().flat_map(char::to_lowercase);
    letters
        .filter(|letter| !('\u{300}'..='\u{36f}').contains(letter))
        .map(|letter| match letter {
            'á' => 'a',
            'é' => 'e',
            'í' => 'i',
            'ó' => 'o',
            'ú' | 'ü' => 'u',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::field::{Body as _, MergePatch};
    use serde_json::{Value, json};

    fn user(fields: Value) -> UserFields {
        UserFields::parse(fields).expect("each field is sound by itself")
    }

    fn found(errors: &[FieldError]) -> Vec<(&str, &str)> {
        errors.iter().map(|error| (error.pointer.as_str(), error.code)).collect()
    }

    #[test]
    fn all_that_a_country_asks_is_told_at_once() {
        let user = user(json!({
            "operation_country": "ARG", "identification": { "type": "CPF", "value": "39053344705" },
            "tax_identification": { "type": "CUIL", "value": "1" }, "legal_address": { "region": "Texas" }
        }));
        let errors = user.check_by_country(None, Checks::Format);
        let expected = [
            ("/identification/type", "invalid_choice"),
            ("/tax_identification/value", "invalid_document"),
            ("/legal_address/region", "invalid_choice"),
        ];
        assert_eq!(found(&errors), expected);
        assert!(errors.iter().any(|error| error.message.contains("DNI, LE, LC, CI, PASSPORT, DOCUMENT")));
        assert!(errors.iter().any(|error| error.message.contains("Santiago del Estero")));
    }

    #[test]
    fn a_rut_is_measured_as_written_and_never_measured_again() -> Result<(), Error> {
        let rut = |value| json!({ "operation_country": "CHL", "identification": { "type": "RUT", "value": value } });
        assert_eq!(user(rut("12.345-5")).check_by_country(None, Checks::Format), []);
        assert_eq!(user(rut("123455")).check_by_country(None, Checks::Format).len(), 1);

        let kept = serde_json::to_string(&user(rut("12.345-5"))).map_err(Error::internal)?;
        let kept: UserFields = serde_json::from_str(&kept).map_err(Error::internal)?;
        let renamed = MergePatch::parse(json!({ "name": "Ana" }))?.apply(&kept)?;
        assert_eq!(renamed.check_by_country(Some(&kept), Checks::Checksum), []);
        let elsewhere = UserFields { operation_country: None, ..kept.clone() };
        assert_eq!(kept.check_by_country(Some(&elsewhere), Checks::Format), [], "moved to Chile");
        let again = MergePatch::parse(json!({ "operation_country": "CHL" }))?.apply(&elsewhere)?;
        assert_eq!(again.check_by_country(Some(&elsewhere), Checks::Format), [], "moved to Chile by a patch");
        Ok(())
    }

    #[test]
    fn what_a_user_has_is_checked_again_when_its_country_changes() -> Result<(), Error> {
        let before =
            user(json!({ "operation_country": "PER", "identification": { "type": "DNI", "value": "12345678" } }));
        for (patch, expected) in [
            (json!({ "operation_country": "ARG" }), vec![]),
            (
                json!({ "operation_country": "BRA" }),
                vec![("/identification/type", "invalid_choice"), ("/legal_address", "required")],
            ),
            (json!({ "operation_country": null }), vec![("/identification/type", "invalid_choice")]),
            (json!({ "identification": { "value": "1234567" } }), vec![("/identification/value", "invalid_document")]),
        ] {
            let after = MergePatch::parse(patch.clone())?.apply(&before)?;
            assert_eq!(found(&after.check_by_country(Some(&before), Checks::Format)), expected, "{patch}");
        }
        Ok(())
    }

    #[test]
    fn a_province_counts_whatever_its_case_and_accents() {
        for (region, known) in [
            ("CORDOBA", true),
            ("tucuma\u{301}n", true),
            ("Entre Ríos", true),
            ("Rio Grande", false),
            ("Córdob", false),
        ] {
            let user = user(json!({ "operation_country": "ARG", "legal_address": { "region": region } }));
            assert_eq!(user.check_by_country(None, Checks::Format).is_empty(), known, "{region}");
        }
    }

    #[test]
    fn a_legal_address_is_checked_when_it_changes_and_only_then() -> Result<(), Error> {
        let before = user(json!({ "operation_country": "BRA", "legal_address": { "city": "Recife" } }));
        for (patch, expected) in [
            (json!({ "name": "Ana" }), vec![]),
            (json!({ "legal_address": { "city": "Natal" } }), vec![("/legal_address/zip_code", "required")]),
            (json!({ "operation_country": "ARG" }), vec![("/legal_address/region", "required")]),
        ] {
            let after = MergePatch::parse(patch.clone())?.apply(&before)?;
            assert_eq!(found(&after.check_by_country(Some(&before), Checks::Format)), expected, "{patch}");
        }
        Ok(())
    }

    #[test]
    fn a_user_of_brazil_needs_a_legal_address_when_the_country_or_the_address_changes() -> Result<(), Error> {
        let errors = user(json!({ "operation_country": "BRA" })).check_by_country(None, Checks::Format);
        assert_eq!(found(&errors), [("/legal_address", "required")]);
        let with = user(json!({ "operation_country": "BRA", "legal_address": { "zip_code": "01310-100" } }));
        let without = user(json!({ "operation_country": "BRA" }));
        let mexican = user(json!({ "operation_country": "MEX" }));
        for (before, patch, expected) in [
            (&with, json!({ "legal_address": null }), vec![("/legal_address", "required")]),
            (&mexican, json!({ "operation_country": "BRA" }), vec![("/legal_address", "required")]),
            (&without, json!({ "name": "Ana" }), vec![]),
            (&with, json!({ "operation_country": "MEX", "legal_address": null }), vec![]),
        ] {
            let after = MergePatch::parse(patch.clone())?.apply(before)?;
            assert_eq!(found(&after.check_by_country(Some(before), Checks::Format)), expected, "{patch}");
        }
        Ok(())
    }

    #[test]
    fn a_legal_address_follows_its_own_country_or_else_that_of_operation() {
        for (country, address, expected) in [
            ("ARG", json!({}), Some(("/legal_address/region", "required"))),
            ("ARG", json!({ "country": "MEX" }), None),
            ("BRA", json!({}), Some(("/legal_address/zip_code", "required"))),
            ("BRA", json!({ "zip_code": "01310-100" }), None),
            ("BRA", json!({ "zip_code": "0131010" }), Some(("/legal_address/zip_code", "invalid_zip_code"))),
            ("BRA", json!({ "zip_code": "0131010a" }), Some(("/legal_address/zip_code", "invalid_zip_code"))),
            (
                "BRA",
                json!({ "country": "ARG", "zip_code": "1414" }),
                Some(("/legal_address/zip_code", "invalid_zip_code")),
            ),
            ("BRA", json!({ "country": "USA", "zip_code": "01310-100" }), None),
            ("CHL", json!({ "country": "BRA" }), Some(("/legal_address/zip_code", "required"))),
            ("MEX", json!({}), None),
        ] {
            let user = user(json!({ "operation_country": country, "legal_address": address }));
            let errors = user.check_by_country(None, Checks::Format);
            assert_eq!(found(&errors).first().copied(), expected, "{country} {address}");
        }
    }
}
