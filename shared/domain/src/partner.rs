//! Partners: the businesses that users of a segment belong to.

use serde::{Deserialize, Serialize};

use crate::field::Flag;
use crate::id::{PartnerId, SegmentId};
use crate::normalize::without_invisible;
use crate::text::{Code, Name, ReferenceId};
use crate::user::Unique;
use crate::{body, object};

body! {
    /// What is written about a partner.
    #[derive(Serialize, Deserialize)]
    pub struct PartnerFields {
        /// Its id in another system; no other partner of the segment has it.
        pub reference_id: Option<ReferenceId>,
        /// What it trades as.
        pub commercial_name: Name,
        /// Who speaks for it.
        pub contact_name: Option<Name>,
        /// The number by which it pays taxes.
        pub tin: Option<Code>,
        /// What it is to the segment, such as customer, supplier.
        pub role: Option<Code>,
        /// Whether it is in use.
        pub status: Flag<true>,
    }
    example {
        "reference_id": "erp-77", "commercial_name": "Café Sur", "contact_name": "Ana López", "tin": "CSU010203AB1",
        "role": "customer", "status": true
    }
    patch { "contact_name": "Eva Ruiz", "role": null }
}

object! {
    /// A business that users of a segment belong to.
    pub struct Partner of PartnerFields {
        /// Its id.
        pub id: PartnerId = "0199d2a4-5c00-7000-8000-00000000ba01",
        /// The segment that it belongs to.
        pub segment_id: SegmentId = "0199d2a4-5c00-7000-8000-0000000005e6",
    }
}

impl Partner {
    /// What no other partner of the segment has, if it has it.
    #[must_use]
    pub fn unique(&self) -> Option<Unique> {
        self.fields.reference_id.as_ref().map(|id| reference(id.as_str()))
    }
}

/// The id of a partner in another system, to the letter that can be seen.
#[must_use]
pub fn reference(id: &str) -> Unique {
    Unique::new("partner.reference_id", without_invisible(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::{Body as _, MergePatch};

    #[test]
    fn every_example_is_accepted() {
        assert!(PartnerFields::parse(PartnerFields::example()).is_ok());
        assert!(MergePatch::<PartnerFields>::parse(PartnerFields::patch_example()).is_ok());
    }
}
