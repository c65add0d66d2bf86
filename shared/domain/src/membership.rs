//! Memberships: a configuration of levels and custom fields that users of a segment join.

use serde::{Deserialize, Serialize};

use crate::field::Flag;
use crate::id::{MembershipId, SegmentId, UserId};
use crate::text::Name;
use crate::value::OrDefault;
use crate::{body, nested, object};

nested! {
    /// The rules of a membership for its members.
    #[derive(Default)]
    pub struct MembershipSettings {
        /// Whether a member stays APPROVED when it changes its own data or answers; by default it returns to PENDING.
        pub keep_approval: Flag<false>,
        /// Whether a `card_number` is refused that has the prefix and check digit of a payment card. A segment can say so for
        /// all its memberships. Off by default: a loyalty number may look like one.
        pub refuse_payment_cards: Flag<false>,
    }
}

body! {
    /// What is written about a membership.
    #[derive(Serialize, Deserialize)]
    pub struct MembershipFields {
        /// What it is called.
        pub name: Name,
        /// Whether any signed-in user may read it, enrol itself and answer for itself; otherwise only its members read it.
        pub self_enrolment: Flag<false>,
        /// Whether it is in use.
        pub status: Flag<true>,
        /// The rules for its members.
        pub settings: OrDefault<MembershipSettings>,
    }
    example { "name": "Club", "self_enrolment": false, "status": true, "settings": { "keep_approval": false } }
    patch { "self_enrolment": true }
}

object! {
    /// A membership of a segment.
    pub struct Membership of MembershipFields {
        /// Its id.
        pub id: MembershipId = "0199d2a4-5c00-7000-8000-00000000ab01",
        /// The segment that it belongs to.
        pub segment_id: SegmentId = "0199d2a4-5c00-7000-8000-0000000005e6",
        /// The master user whose segment that is.
        pub owner_id: UserId = "0199d2a4-5c00-7000-8000-000000000001",
    }
}

impl Membership {
    /// Whether users may read it, enrol themselves and answer for themselves.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.fields.self_enrolment.0 && self.fields.status.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::{Body as _, MergePatch};

    #[test]
    fn every_example_is_accepted() {
        assert!(MembershipFields::parse(MembershipFields::example()).is_ok());
        assert!(MergePatch::<MembershipFields>::parse(MembershipFields::patch_example()).is_ok());
    }

    #[test]
    fn nobody_enrols_itself_unless_it_is_allowed() {
        let fields = MembershipFields::parse(serde_json::json!({ "name": "Club" }));
        assert!(fields.is_ok_and(|fields| !fields.self_enrolment.0 && fields.status.0));
    }
}
