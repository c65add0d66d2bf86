//! Custom fields: what a membership asks of its members.

use serde::{Deserialize, Serialize};

use crate::catalog::{Catalog, Choice, Choices};
use crate::error::FieldError;
use crate::field::{Flag, Pointer};
use crate::id::{CatalogId, FieldId, LevelId, MembershipId};
use crate::text::{Code, Name, Text};
use crate::value::{Integer, List, OrDefault};
use crate::{body, object, text};

mod kind;

pub use kind::{ContentType, FieldType, Values};

text!(
    /// What answers to a field are called: `[a-z][a-z0-9_]{0,63}`.
    FieldKey, plain 1..=64, example "tax_id", |text| {
        let fits = text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if fits { Ok(()) } else {
            Err(("invalid_key", "must begin with a letter a to z and have only a to z, digits and underscores"))
        }
    }
);

text!(
    /// A client's own hint how to draw a field.
    Render, digits 1..=2000, example "two-columns", |_| Ok(())
);

/// How many bytes a file may have at most, whatever its field says: 100 MiB.
pub const MOST_BYTES: i64 = 100 * 1024 * 1024;

/// How many bytes a file may have if its field does not say: 5 MiB.
pub const DEFAULT_BYTES: i64 = 5 * 1024 * 1024;

body! {
    /// What is written about a custom field.
    #[derive(Serialize, Deserialize)]
    pub struct CustomFieldFields {
        /// What answers to it are called; unique in the membership, and never changed.
        pub key: FieldKey,
        /// What people read.
        pub name: Name,
        /// What kind of answer it takes.
        pub kind as "type": FieldType,
        /// What can be chosen; a dropdown or multiple has either these or a catalog.
        pub options: Option<Choices>,
        /// The catalog that holds what can be chosen.
        pub catalog_id: Option<CatalogId>,
        /// Whether a member without an answer is incomplete.
        pub required: Flag<false>,
        /// Whether no two members may have the same answer; not for dropdown, multiple, boolean, text and file.
        pub unique: Flag<false>,
        /// Whether members can be found by it; not for text and file.
        pub searchable: Flag<false>,
        /// The levels whose members are asked; empty means all members.
        pub level_ids: OrDefault<List<LevelId, 100>>,
        /// Where it stands among the others.
        pub position: OrDefault<Integer<-1_000_000, 1_000_000>>,
        /// What helps to answer.
        pub tooltip: Option<Text>,
        /// A mark of the client's own.
        pub tag: Option<Code>,
        /// A hint of the client's own how to draw it.
        pub render: Option<Render>,
        /// Whether it is asked.
        pub status: Flag<true>,
        /// Of a file or link: the most bytes, 5242880 unless told otherwise.
        pub max_size: Option<Integer<1, MOST_BYTES>>,
        /// Of a file or link: what it may hold, anything of these unless told otherwise.
        pub content_types: Option<List<ContentType, 5>>,
    }
    example {
        "key": "bank", "name": "Bank", "type": "dropdown",
        "options": [
            { "key": "bbva", "value": "BBVA", "status": true },
            { "key": "banorte", "value": "Banorte", "status": true }
        ],
        "catalog_id": null, "required": true, "unique": false, "searchable": true, "level_ids": [], "position": 1,
        "tooltip": "Where you are paid", "tag": null, "render": null, "status": true, "max_size": null, "content_types": null
    }
    patch { "name": "Your bank", "required": false, "tooltip": null }
    fixed [key]
    rules Self::consistent
}

object! {
    /// A custom field of a membership.
    pub struct CustomField of CustomFieldFields {
        /// Its id.
        pub id: FieldId = "0199d2a4-5c00-7000-8000-00000000f1e1",
        /// The membership that it belongs to.
        pub membership_id: MembershipId = "0199d2a4-5c00-7000-8000-00000000ab01",
    }
}

impl CustomFieldFields {
    /// The rules between fields.
    fn consistent(&self, errors: &mut Vec<FieldError>) {
        let mut refuse = |name, code, message| errors.push(Pointer::root().child(name).error(code, message));
        let kind = self.kind;
        let (options, catalog) = (self.options.as_ref().map(Choices::as_slice), self.catalog_id);
        match (options, catalog) {
            _ if !kind.chooses() => {}
            (Some(_), Some(_)) => {
                refuse("catalog_id", "exclusive", "cannot go together with options; take one of them");
            }
            (None | Some([]), None) => refuse("options", "required", "must have an option, or name a catalog_id"),
            (Some(_), None) | (None, Some(_)) => {}
        }
        for (name, given) in [("options", options.is_some()), ("catalog_id", catalog.is_some())] {
            if given && !kind.chooses() {
                refuse(name, "exclusive", "goes only with dropdown and multiple; leave it out");
            }
        }
        for (name, given) in [("max_size", self.max_size.is_some()), ("content_types", self.content_types.is_some())] {
            if given && !kind.takes_files() {
                refuse(name, "exclusive", "goes only with file and link; leave it out");
            }
        }
        if kind.takes_files() && self.content_types.as_ref().is_some_and(|types| types.0.is_empty()) {
            refuse("content_types", "too_short", "must name a content type; leave it out to allow them all");
        }
        if self.unique.0 && !kind.can_be_unique() {
            refuse("unique", "exclusive", "must be false for dropdown, multiple, boolean, text and file");
        }
        if self.searchable.0 && !kind.can_be_searched() {
            refuse("searchable", "exclusive", "must be false for text and file");
        }
    }
}

impl CustomField {
    /// Whether a member of `level` is asked: the field is in use, and for all levels or for this one.
    #[must_use]
    pub fn applies(&self, level: Option<LevelId>) -> bool {
        let levels = &self.fields.level_ids.0.0;
        self.fields.status.0 && (levels.is_empty() || level.is_some_and(|level| levels.contains(&level)))
    }

    /// How many bytes a file may have.
    #[must_use]
    pub fn max_size(&self) -> i64 {
        self.fields.max_size.map_or(DEFAULT_BYTES, Integer::get)
    }

    /// What is told of a field that names a catalog which is not there.
    #[must_use]
    pub fn unknown_catalog() -> FieldError {
        Pointer::root().child("catalog_id").error("unknown", "must be the id of a catalog of this segment")
    }

    /// What a file may hold.
    #[must_use]
    pub fn content_types(&self) -> &[ContentType] {
        self.fields.content_types.as_ref().map_or(&ContentType::ALL, |types| &types.0)
    }
}

/// A custom field together with what can be chosen there.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The field.
    pub field: &'a CustomField,
    /// What can be chosen, if the field is a dropdown or multiple.
    pub choices: &'a [Choice],
}

impl<'a> Question<'a> {
    /// The question that `field` asks, with its choices from `catalog` where it names one. A catalog that is gone
    /// offers nothing.
    #[must_use]
    pub fn new(field: &'a CustomField, catalog: Option<&'a Catalog>) -> Self {
        let own = field.fields.options.as_ref();
        let choices = own.or(catalog.map(|catalog| &catalog.fields.options)).map(Choices::as_slice).unwrap_or_default();
        Self { field, choices }
    }
}

#[cfg(test)]
mod tests;
