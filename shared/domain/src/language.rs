//! The languages that people write in: those of ISO 639-1, which have a code of two letters.

use serde_json::{Value, json};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::field::Object;
use crate::text::Language;

/// A language as it is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedLanguage(isolang::Language);

impl ListedLanguage {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        isolang::languages().filter(|language| language.to_639_1().is_some()).map(Self)
    }

    /// The one with this id.
    #[must_use]
    pub fn with_id(id: u32) -> Option<Self> {
        Self::all().find(|language| language.id() == id)
    }

    /// The one that a user's language is, whatever its region or script.
    #[must_use]
    pub fn of(language: &Language) -> Option<Self> {
        let primary = language.as_str().split('-').next().unwrap_or_default().to_ascii_lowercase();
        isolang::Language::from_639_1(&primary)
            .or_else(|| isolang::Language::from_639_3(&primary))
            .map(Self)
            .filter(|language| !language.code().is_empty())
    }

    /// A number that never becomes another language's: the digits of the ISO 639-3 code, to the base 27, `a` as 1.
    #[must_use]
    pub fn id(self) -> u32 {
        self.iso().bytes().fold(0, |id, letter| id * 27 + u32::from(letter.saturating_sub(b'a')) + 1)
    }

    /// Its code in ISO 639-1, which is its tag in BCP 47: what a user's `language` begins with.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.to_639_1().unwrap_or_default()
    }

    /// Its code in ISO 639-3.
    #[must_use]
    pub fn iso(self) -> &'static str {
        self.0.to_639_3()
    }

    /// Its name in English.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.to_name()
    }
}

impl Object for ListedLanguage {
    fn version(&self) -> u64 {
        1
    }

    fn show(&self) -> Value {
        json!({ "id": self.id(), "code": self.code(), "iso": self.iso(), "name": self.name() })
    }
}

impl PartialSchema for ListedLanguage {
    fn schema() -> RefOr<Schema> {
        let text = |about: &str, example: &str| {
            ObjectBuilder::new().schema_type(Type::String).description(Some(about)).examples([json!(example)])
        };
        let id = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).examples([json!(14_284)]);
        let language = ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("A language that a user can have."))
            .property("id", id.description(Some("A number that stays this language's.")))
            .property("code", text("ISO 639-1, as a user's `language` begins in BCP 47.", "es"))
            .property("iso", text("ISO 639-3.", "spa"))
            .property("name", text("In English.", "Spanish"));
        ["id", "code", "iso", "name"].into_iter().fold(language, ObjectBuilder::required).into()
    }
}

impl ToSchema for ListedLanguage {
    fn name() -> std::borrow::Cow<'static, str> {
        "Language".into()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::field::{Field as _, Pointer};

    #[test]
    fn each_language_has_an_id_of_its_own_and_a_code_that_a_user_can_have() {
        let ids: BTreeSet<_> = ListedLanguage::all().map(ListedLanguage::id).collect();
        assert_eq!(ids.len(), ListedLanguage::all().count());
        assert!(ids.len() > 180, "{}", ids.len());
        for language in ListedLanguage::all() {
            assert!(Language::read(language.code().into(), &Pointer::root(), &mut Vec::new()).is_some());
        }
    }

    #[test]
    fn a_language_is_found_by_its_id_and_by_what_a_user_has() {
        let found = |text: &str| Language::parse(text).ok().and_then(|language| ListedLanguage::of(&language));
        for (text, code) in [("es", "es"), ("es-MX", "es"), ("SPA", "es"), ("zh-Hans-CN", "zh")] {
            assert_eq!(found(text).map(ListedLanguage::code), Some(code), "{text}");
        }
        assert_eq!(found("qaa").map(ListedLanguage::code), None);
        assert_eq!(ListedLanguage::with_id(14_284), found("es"));
        assert_eq!(ListedLanguage::with_id(1), None);
    }

    #[test]
    fn a_language_is_told_by_both_codes_and_its_name() {
        let spanish = ListedLanguage::all().find(|language| language.code() == "es").map(|language| language.show());
        assert_eq!(spanish, Some(json!({ "id": 14_284, "code": "es", "iso": "spa", "name": "Spanish" })));
    }
}
