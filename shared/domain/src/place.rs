//! Where things are: a country, state or city by code and name, and a legal address.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::error::FieldError;
use crate::field::{Field, Pointer, object_schema, read_object};
use crate::text::{Code, Country, Name, Text};

/// Declares a nested object all of whose fields are optional.
macro_rules! nested {
    ($(#[doc = $doc:literal])* pub struct $name:ident { $( $(#[doc = $field_doc:literal])* pub $field:ident : $kind:ty, )* }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        pub struct $name { $( $(#[doc = $field_doc])* pub $field: Option<$kind>, )* }

        impl Field for $name {
            fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
                read_object(value, at, errors, |fields| {
                    $( let $field: Option<Option<$kind>> = fields.take(stringify!($field)); )*
                    Some(Self { $( $field: $field?, )* })
                })
            }

            fn show(&self) -> Value {
                Value::Object([$( (stringify!($field).to_owned(), Field::show(&self.$field)), )*].into_iter().collect())
            }

            fn schema() -> RefOr<Schema> {
                object_schema(concat!($($doc),*), None, vec![
                    $( (stringify!($field), concat!($($field_doc),*), false, <Option<$kind> as Field>::schema()), )*
                ])
            }
        }
    };
}

nested! {
    /// A country, state or city.
    pub struct Place {
        /// Its code in the client's own list.
        pub code: Code,
        /// Its name.
        pub name: Name,
    }
}

nested! {
    /// The address at which a user is reached by law.
    pub struct LegalAddress {
        /// Street.
        pub street_name: Name,
        /// Number in the street.
        pub street_number: Code,
        /// Floor.
        pub floor: Code,
        /// Apartment.
        pub apartment: Code,
        /// Zip code, digits as written.
        pub zip_code: Code,
        /// Neighbourhood.
        pub neighborhood: Name,
        /// City.
        pub city: Name,
        /// Region, province or state.
        pub region: Name,
        /// ISO 3166-1 alpha-3.
        pub country: Country,
        /// Anything else that helps to find it.
        pub additional_info: Text,
    }
}
