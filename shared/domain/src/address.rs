//! A user's addresses.

use serde::{Deserialize, Serialize};

use crate::field::Flag;
use crate::id::{AddressId, UserId};
use crate::place::Place;
use crate::text::{Code, Latitude, Longitude, Name, Text};
use crate::user::Metadata;
use crate::{body, object};

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
        /// Anything else, up to 8 KiB of JSON.
        pub metadata: Option<Metadata>,
    }
    example {
        "alias": "Home", "street": "Avenida Reforma", "external_number": "222", "internal_number": "4B",
        "neighborhood": "Juárez", "zip_code": "06600",
        "country": { "code": "MEX", "name": "México" }, "state": { "code": "CMX", "name": "Ciudad de México" },
        "city": { "code": null, "name": "Ciudad de México" },
        "latitude": 19.426_967, "longitude": -99.168_097,
        "references": "Ring twice", "is_location": true, "is_billing": false, "is_shipping": true, "status": true,
        "metadata": null
    }
    patch { "alias": "Office", "internal_number": null, "is_billing": true }
}

object! {
    /// A place where a user lives, gets bills or parcels.
    pub struct Address of AddressFields {
        /// Its id.
        pub id: AddressId = "0199d2a4-5c00-7000-8000-00000000a001",
        /// Whose it is.
        pub user_id: UserId = "0199d2a4-5c00-7000-8000-000000000001",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Time;
    use crate::field::{Body as _, MergePatch, Object as _};

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
