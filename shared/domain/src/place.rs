//! Where things are: a country, state or city by code and name, and a legal address.

use crate::nested;
use crate::text::{Code, Country, Name, Text};

nested! {
    /// A country, state or city.
    pub struct Place {
        /// Its code in the client's own list.
        pub code: Option<Code>,
        /// Its name.
        pub name: Option<Name>,
    }
}

nested! {
    /// The address at which a user is reached by law.
    pub struct LegalAddress {
        /// Street.
        pub street_name: Option<Name>,
        /// Number in the street.
        pub street_number: Option<Code>,
        /// Floor.
        pub floor: Option<Code>,
        /// Apartment.
        pub apartment: Option<Code>,
        /// Zip code, digits as written.
        pub zip_code: Option<Code>,
        /// Neighbourhood.
        pub neighborhood: Option<Name>,
        /// City.
        pub city: Option<Name>,
        /// Region, province or state.
        pub region: Option<Name>,
        /// ISO 3166-1 alpha-3.
        pub country: Option<Country>,
        /// Anything else that helps to find it.
        pub additional_info: Option<Text>,
    }
}
