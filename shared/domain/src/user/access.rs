//! The one table of who writes which field of a user.
//!
//! Sign-up, creation, change, batch, import and every dialect ask it, so that no way of writing a user is wider than
//! another. A field without a row is written by managers only.

use crate::error::FieldError;
use crate::field::{Body as _, Pointer};
use crate::user::UserFields;

/// A kind of caller that writes a user's fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// Somebody who signs up as a master user.
    SignUp,
    /// A master user that changes itself.
    MasterUser,
    /// A user of a segment that changes itself.
    SegmentUser,
    /// The owner of the segment, or a key with the scope.
    Manager,
}

/// The right of a kind of caller to one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// The caller writes the field.
    Writes,
    /// Only a manager writes the field: 403.
    Managed,
    /// Such a user has no such field: 400.
    NotApplicable,
}

use Right::{Managed as M, NotApplicable as N, Writes as W};

/// Each field that a body of a user can have, with the rights of sign-up, master user, segment user and manager.
pub const RIGHTS: [(&str, [Right; 4]); 28] = [
    ("email", [W, W, W, W]),
    ("username", [W, W, W, W]),
    ("reference_id", [W, W, M, W]),
    ("name", [W, W, W, W]),
    ("last_name", [W, W, W, W]),
    ("second_last_name", [W, W, W, W]),
    ("phone", [W, W, W, W]),
    ("phone_display", [W, W, W, W]),
    ("gender", [W, W, W, W]),
    ("birthdate", [W, W, W, W]),
    ("nationality", [W, W, W, W]),
    ("operation_country", [W, W, W, W]),
    ("language", [W, W, W, W]),
    ("identification", [W, W, W, W]),
    ("tax_identification", [W, W, W, W]),
    ("tax_condition", [W, W, W, W]),
    ("legal_address", [W, W, W, W]),
    ("country", [W, W, W, W]),
    ("state", [W, W, W, W]),
    ("city", [W, W, W, W]),
    ("photo_upload_id", [N, N, W, W]),
    ("parent_id", [N, N, M, W]),
    ("partner_id", [N, N, M, W]),
    ("status_id", [N, N, M, W]),
    ("valid_until", [W, W, M, W]),
    ("metadata", [W, W, W, W]),
    // Sign-up, creation and imports have neither of these two.
    ("status", [M, M, M, W]),
    ("status_reason", [M, M, M, W]),
];

impl Writer {
    /// The right to the field `name`.
    #[must_use]
    pub fn right(self, name: &str) -> Right {
        let row = RIGHTS.iter().find(|(field, _)| *field == name).map(|(_, rights)| rights);
        let [sign_up, master, segment, manager] = row.copied().unwrap_or([M, M, M, W]);
        match self {
            Self::SignUp => sign_up,
            Self::MasterUser => master,
            Self::SegmentUser => segment,
            Self::Manager => manager,
        }
    }
}

impl UserFields {
    /// The fields with a value that a user of this kind does not have.
    #[must_use]
    pub fn not_applicable(&self, writer: Writer) -> Vec<FieldError> {
        let shown = self.show();
        let has = |name: &&String| shown.get(*name).is_some_and(|value| !value.is_null());
        let foreign = shown.keys().filter(|name| writer.right(name) == Right::NotApplicable).filter(has);
        foreign.map(|name| Pointer::root().child(name).error("not_applicable", "is for users of a segment")).collect()
    }

    /// The fields of a master user without those that only users of a segment have.
    #[must_use]
    pub fn without_segment(self) -> Self {
        Self { photo_upload_id: None, parent_id: None, partner_id: None, status_id: None, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::UserState;
    use serde_json::json;

    #[test]
    fn every_field_has_exactly_one_row() {
        let mut rows: Vec<_> = RIGHTS.iter().map(|(field, _)| *field).collect();
        let mut fields: Vec<_> = UserFields::NAMES.iter().copied().chain(["status", "status_reason"]).collect();
        rows.sort_unstable();
        fields.sort_unstable();
        assert_eq!(rows, fields);
        let state =
            UserState { status: crate::user::Status::Active, status_reason: None, fields: UserFields::default() };
        assert!(state.show().keys().all(|name| rows.contains(&name.as_str())));
    }

    #[test]
    fn sign_up_writes_what_a_master_user_writes() {
        for (field, [sign_up, master, ..]) in RIGHTS {
            assert_eq!(sign_up, master, "{field}");
        }
    }

    #[test]
    fn a_master_user_keeps_nothing_that_is_not_applicable() {
        let id = "0199d2a4-5c00-7000-8000-000000000001";
        let fields = UserFields::parse(json!({
            "name": "Ana", "photo_upload_id": id, "parent_id": id, "partner_id": id, "status_id": id
        }));
        let fields = fields.unwrap_or_default();
        let count = RIGHTS.iter().filter(|(_, rights)| rights.contains(&Right::NotApplicable)).count();
        assert_eq!(fields.not_applicable(Writer::SignUp).len(), count);
        let kept = fields.without_segment();
        assert_eq!((kept.not_applicable(Writer::MasterUser).len(), kept.name.is_some()), (0, true));
    }
}
