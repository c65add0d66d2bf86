//! A user's addresses.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::body;
use crate::clock::Time;
use crate::field::{Body as _, Field as _, Flag, MergePatch, Object, bookkeeping, shown_schema};
use crate::id::{AddressId, UserId};
use crate::place::Place;
use crate::text::{Code, Latitude, Longitude, Name, Text};

/// A place where a user lives, gets bills or parcels.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Address {
    /// Its id.
    pub id: AddressId,
    /// Whose it is.
    pub user_id: UserId,
    /// What its owner writes.
    #[serde(flatten)]
    pub fields: AddressFields,
    /// Counts the changes; it is the `ETag`.
    pub version: u64,
    /// When it was made.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
}

body! {
    /// What the owner of an address writes; every field may be left out.
    #[derive(Serialize, Deserialize)]
    pub struct AddressFields {
        /// What the user calls it.
        pub alias: Option<Name>,
        /// Street.
        pub street: Option<Name>,
        /// Number on the street.
        pub external_number: Option<Code>,
        /// Number inside the building.
        pub internal_number: Option<Code>,
        /// Neighbourhood.
        pub neighborhood: Option<Name>,
        /// Zip code; a number's digits are kept as written.
        pub zip_code: Option<Code>,
        /// Country.
        pub country: Option<Place>,
        /// State.
        pub state: Option<Place>,
        /// City.
        pub city: Option<Place>,
        /// Degrees north, -90 to 90, kept to the digit.
        pub latitude: Option<Latitude>,
        /// Degrees east, -180 to 180, kept to the digit.
        pub longitude: Option<Longitude>,
        /// How to find it.
        pub references: Option<Text>,
        /// Whether the user lives or works there.
        pub is_location: Flag<false>,
        /// Whether bills go there.
        pub is_billing: Flag<false>,
        /// Whether parcels go there.
        pub is_shipping: Flag<false>,
        /// Whether it is in use.
        pub status: Flag<true>,
    }
    example {
        "alias": "Home", "street": "Avenida Reforma", "external_number": "222", "internal_number": "4B",
        "neighborhood": "Juárez", "zip_code": "06600",
        "country": { "code": "MEX", "name": "México" }, "state": { "code": "CMX", "name": "Ciudad de México" },
        "city": { "code": null, "name": "Ciudad de México" },
        "latitude": 19.426_967, "longitude": -99.168_097,
        "references": "Ring twice", "is_location": true, "is_billing": false, "is_shipping": true, "status": true
    }
    patch { "alias": "Office", "internal_number": null, "is_billing": true }
}

impl Address {
    /// A new address of `user_id`.
    #[must_use]
    pub fn new(id: AddressId, user_id: UserId, fields: AddressFields, now: Time) -> Self {
        Self { id, user_id, fields, version: 1, created_at: now, updated_at: now }
    }

    /// The address after `patch`, one version on.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) where the patch breaks a rule.
    pub fn patched(&self, patch: MergePatch<AddressFields>, now: Time) -> Result<Self, crate::Error> {
        let fields = patch.apply(&self.fields)?;
        Ok(Self { fields, version: self.version + 1, updated_at: now, ..self.clone() })
    }
}

impl PartialSchema for Address {
    fn schema() -> RefOr<Schema> {
        shown_schema::<AddressFields>(vec![
            ("id", <AddressId as PartialSchema>::schema()),
            ("user_id", <UserId as PartialSchema>::schema()),
        ])
    }
}

impl ToSchema for Address {}

impl Object for Address {
    fn version(&self) -> u64 {
        self.version
    }

    fn show(&self) -> Value {
        let mut shown =
            Map::from_iter([("id".to_owned(), self.id.show()), ("user_id".to_owned(), self.user_id.show())]);
        shown.extend(self.fields.show());
        shown.extend(bookkeeping(self.version, self.created_at, self.updated_at));
        Value::Object(shown)
    }
}

/// An address for the examples of the OpenAPI document.
#[must_use]
pub fn example() -> Value {
    let mut example = AddressFields::example();
    if let Some(object) = example.as_object_mut() {
        object.extend([
            ("id".to_owned(), json!("0199d2a4-5c00-7000-8000-00000000a001")),
            ("user_id".to_owned(), json!("0199d2a4-5c00-7000-8000-000000000001")),
            ("version".to_owned(), json!(1)),
            ("created_at".to_owned(), json!("2026-11-21T10:00:00.000Z")),
            ("updated_at".to_owned(), json!("2026-11-21T10:00:00.000Z")),
        ]);
    }
    example
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_come_back_to_the_digit() -> Result<(), Box<dyn std::error::Error>> {
        let body = serde_json::from_str(r#"{"latitude": 19.4320, "longitude": -99.10000000000000000001}"#)?;
        let address = Address::new(AddressId::fresh(), UserId::fresh(), AddressFields::parse(body)?, Time::now());
        let kept: Address = serde_json::from_str(&serde_json::to_string(&address)?)?;
        let shown = kept.show().to_string();
        assert!(shown.contains(r#""latitude":19.4320,"longitude":-99.10000000000000000001"#), "{shown}");
        Ok(())
    }

    #[test]
    fn every_example_is_accepted() {
        assert!(AddressFields::parse(AddressFields::example()).is_ok());
        assert!(MergePatch::<AddressFields>::parse(AddressFields::patch_example()).is_ok());
    }
}
