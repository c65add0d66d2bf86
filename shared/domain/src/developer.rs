//! Developers: the authors of programs that call `/platform`, each with tokens of its own next to the key of a segment.
//!
//! A developer registers by itself and is of no account, or an account registers it and it is that account's own.

use serde::{Deserialize, Serialize};

use crate::clock::Time;
use crate::id::{DeveloperId, UserId};
use crate::phone::PhoneSpelling;
use crate::text::{Code, Email, Name, Text};
use crate::{body, object};

crate::text!(
    /// The number by which a Brazilian business pays taxes, as it was written.
    Cnpj, digits 1..=32, example "11.222.333/0001-81", |text| {
        let number: Vec<u8> = text.bytes().filter(|byte| !b"./- ".contains(byte)).collect();
        let (name, check) = number.split_at_checked(12).unwrap_or_default();
        let fits = name.iter().all(u8::is_ascii_alphanumeric) && check.len() == 2 && check.iter().all(u8::is_ascii_digit);
        if fits { Ok(()) } else { Err(("invalid_document", "must be a CNPJ: 12 letters or digits, and two digits to check them by")) }
    }
);

body! {
    /// What is written about a developer.
    #[derive(Serialize, Deserialize)]
    pub struct DeveloperFields {
        /// What the developer is called.
        pub name: Name,
        /// The number of its document.
        pub document: Code,
        /// Where it is written to.
        pub email: Email,
        /// The telephone number, 1 to 40 characters, as it was written.
        pub phone: PhoneSpelling,
        /// The business that it works for.
        pub corporation_name: Name,
        /// The number by which that business pays taxes.
        pub corporation_cnpj: Cnpj,
        /// What its program is called.
        pub app_name: Name,
        /// What its program does.
        pub app_desc: Text,
        /// Where that business is.
        pub corporation_address: Text,
    }
    example {
        "name": "Ana López", "document": "390.533.447-05", "email": "ana@example.com", "phone": "+5511987654321",
        "corporation_name": "Café Sur", "corporation_cnpj": "11.222.333/0001-81", "app_name": "Enrolment",
        "app_desc": "Enrols students from the shop.", "corporation_address": "Rua das Flores 10, Recife"
    }
    patch { "app_desc": "Enrols students from the shop, and ranks them.", "phone": "+5511987654322" }
}

object! {
    /// The author of programs that call `/platform`. Its tokens open nothing without the key of a segment.
    pub struct Developer of DeveloperFields {
        /// Its id.
        pub id: DeveloperId = "0199d2a4-5c00-7000-8000-00000000de01",
        /// The master user who registered it, whose segments are the only ones that its programs reach; null for a developer
        /// who registered by itself.
        pub account_id: Option<UserId> = "0199d2a4-5c00-7000-8000-000000000001",
        /// The time of its first request with a credential of this account; null before.
        pub first_used_at: Option<Time> = "2026-11-21T10:00:00.000Z",
        /// The time since which its tokens are rejected with credentials of this account; null if they are not.
        pub banned_at: Option<Time> = serde_json::Value::Null,
    }
}

impl Developer {
    /// The developer with a ban since `banned_at`, or without one.
    #[must_use]
    pub fn with_ban(&self, banned_at: Option<Time>, now: Time) -> Self {
        Self { banned_at, version: self.version + 1, updated_at: now, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::{Body as _, MergePatch};

    #[test]
    fn a_cnpj_has_twelve_letters_or_digits_and_two_digits() {
        for (text, taken) in [
            ("11.222.333/0001-81", true),
            ("11222333000181", true),
            ("12.ABC.345/01DE-35", true),
            ("1122233300018", false),
            ("112223330001810", false),
            ("12.ABC.345/01DE-3A", false),
            ("", false),
        ] {
            assert_eq!(Cnpj::parse(text).is_ok(), taken, "{text}");
        }
    }

    #[test]
    fn every_example_is_accepted() {
        assert!(DeveloperFields::parse(DeveloperFields::example()).is_ok());
        assert!(MergePatch::<DeveloperFields>::parse(DeveloperFields::patch_example()).is_ok());
    }
}
