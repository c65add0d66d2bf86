//! Products: what a segment offers to subscribe to.

use serde::{Deserialize, Serialize};

use crate::field::Flag;
use crate::id::{MembershipId, ProductId, SegmentId};
use crate::money::{Amount, Currency, Period};
use crate::text::{Name, ReferenceId, Text};
use crate::user::Unique;
use crate::{body, object};

body! {
    /// What is written about a product.
    #[derive(Serialize, Deserialize)]
    pub struct ProductFields {
        /// Its id in another system; no other product of the segment has it.
        pub reference_id: Option<ReferenceId>,
        /// What it is called.
        pub title: Name,
        /// What it is.
        pub description: Option<Text>,
        /// How long a payment lasts, ISO 8601. It is there to be read: until when a subscription lasts is said by whoever
        /// makes it.
        pub period: Option<Period>,
        /// What it costs, in decimal digits.
        pub value: Option<Amount>,
        /// In which currency, ISO 4217.
        pub currency: Option<Currency>,
        /// Whether it is paid once and lasts for ever.
        pub lifetime: Flag<false>,
        /// Whether it is in use.
        pub status: Flag<true>,
        /// Whether it was created for a single order, and is offered to nobody else. Lists leave private products out
        /// unless they are asked for. No two private products of a segment have the same title, case and accents aside.
        pub private: Flag<false>,
        /// The membership, of the same segment, that whoever subscribes joins. Without one it gets one of its own, which
        /// is called as it is. It stays as it was made.
        pub membership_id: Option<MembershipId>,
    }
    example {
        "reference_id": "course-1", "title": "Pottery, first year", "description": "Twelve evenings.", "period": "P1Y",
        "value": "499.90", "currency": "MXN", "lifetime": false, "status": true, "private": false, "membership_id": null
    }
    patch { "value": "549.90", "description": null }
    fixed [membership_id]
}

object! {
    /// What a segment offers to subscribe to.
    pub struct Product of ProductFields {
        /// Its id.
        pub id: ProductId = "0199d2a4-5c00-7000-8000-000000000d01",
        /// The segment that it belongs to.
        pub segment_id: SegmentId = "0199d2a4-5c00-7000-8000-0000000005e6",
    }
}

impl Product {
    /// What no other product of the segment has, if it has it.
    #[must_use]
    pub fn unique(&self) -> Option<Unique> {
        self.fields.reference_id.as_ref().map(Self::unique_reference)
    }

    /// The reference id of a product as a value that no other product of the segment has.
    #[must_use]
    pub fn unique_reference(id: &ReferenceId) -> Unique {
        Unique::new("product.reference_id", id.canonical())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::{Body as _, MergePatch};
    use serde_json::json;

    #[test]
    fn every_example_is_accepted() {
        assert!(ProductFields::parse(ProductFields::example()).is_ok());
        assert!(MergePatch::<ProductFields>::parse(ProductFields::patch_example()).is_ok());
    }

    #[test]
    fn a_product_keeps_its_membership() {
        let of = |membership: MembershipId| ProductFields::parse(json!({ "title": "T", "membership_id": membership }));
        let (one, other) = (MembershipId::fresh(), MembershipId::fresh());
        for (patch, kept) in [(json!(one), true), (json!(other), false), (json!(null), false)] {
            let patched = MergePatch::parse(json!({ "membership_id": patch }));
            let patched = of(one).and_then(|before| patched.and_then(|patch| patch.apply(&before)));
            assert_eq!(patched.is_ok(), kept);
        }
    }
}
