//! Objects that Muster keeps: what is written about them, between what Muster writes itself.

/// Declares an object that is kept: the struct, how it begins and changes, and how clients see it. `of` names the
/// [`Body`](crate::field::Body) that is written; the fields declared here never change.
#[macro_export]
macro_rules! object {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident of $fields:ident {
            $( $(#[doc = $field_doc:literal])* pub $field:ident : $kind:ty = $example:expr, )*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $( $(#[doc = $field_doc])* pub $field: $kind, )*
            /// What is written about it.
            #[serde(flatten)]
            pub fields: $fields,
            /// Counts the changes; it is the `ETag`.
            pub version: u64,
            /// When it was made.
            pub created_at: $crate::clock::Time,
            /// When it last changed.
            pub updated_at: $crate::clock::Time,
        }

        impl $name {
            /// A new one.
            #[must_use]
            pub fn new($($field: $kind,)* fields: $fields, now: $crate::clock::Time) -> Self {
                Self { $($field,)* fields, version: 1, created_at: now, updated_at: now }
            }

            /// It after `patch`, one version on.
            ///
            /// # Errors
            /// `Error::Invalid` where the patch breaks a rule.
            pub fn patched(
                &self,
                patch: $crate::patch::MergePatch<$fields>,
                now: $crate::clock::Time,
            ) -> Result<Self, $crate::error::Error> {
                Ok(self.replaced(patch.apply(&self.fields)?, now))
            }

            /// It after `fields` took the place of those that it had, one version on.
            #[must_use]
            pub fn replaced(&self, fields: $fields, now: $crate::clock::Time) -> Self {
                Self { fields, version: self.version + 1, updated_at: now, ..self.clone() }
            }
        }

        /// One for the examples of the OpenAPI document.
        #[must_use]
        pub fn example() -> serde_json::Value {
            let mut shown = serde_json::Map::from_iter([
                $( (stringify!($field).to_owned(), serde_json::json!($example)), )*
            ]);
            if let serde_json::Value::Object(fields) = <$fields as $crate::field::Body>::example() {
                shown.extend(fields);
            }
            let made = "2026-11-21T10:00:00.000Z";
            shown.extend([
                ("version".to_owned(), serde_json::json!(1)),
                ("created_at".to_owned(), made.into()),
                ("updated_at".to_owned(), made.into()),
            ]);
            serde_json::Value::Object(shown)
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::field::shown_schema::<$fields>(concat!($($doc),*), example(), vec![
                    $( (stringify!($field), concat!($($field_doc),*), <$kind as $crate::field::Field>::response_schema()), )*
                ])
            }
        }

        impl utoipa::ToSchema for $name {}

        impl $crate::field::Object for $name {
            fn version(&self) -> u64 {
                self.version
            }

            fn show(&self) -> serde_json::Value {
                let mut shown = serde_json::Map::from_iter([
                    $( (stringify!($field).to_owned(), $crate::field::Field::show(&self.$field)), )*
                ]);
                shown.extend($crate::field::Body::show(&self.fields));
                shown.extend($crate::field::bookkeeping(self.version, self.created_at, self.updated_at));
                serde_json::Value::Object(shown)
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use utoipa::PartialSchema;
    use utoipa::openapi::{RefOr, Schema};

    use crate::{
        address, catalog, custom_field, custom_status, developer, device, level, member, membership, partner, product,
        segment, subscription,
    };

    fn tells_all_that_is_shown<T: PartialSchema>(example: &Value) {
        let RefOr::T(Schema::Object(schema)) = T::schema() else { panic!("no object") };
        let mut told: Vec<_> = example.as_object().into_iter().flat_map(|example| example.keys()).collect();
        let mut shown: Vec<_> = schema.properties.keys().collect();
        told.sort();
        shown.sort();
        assert_eq!(told, shown);
    }

    #[test]
    fn an_example_tells_all_that_is_shown() {
        tells_all_that_is_shown::<crate::Address>(&address::example());
        tells_all_that_is_shown::<crate::Catalog>(&catalog::example());
        tells_all_that_is_shown::<crate::CustomField>(&custom_field::example());
        tells_all_that_is_shown::<crate::CustomStatus>(&custom_status::example());
        tells_all_that_is_shown::<crate::Developer>(&developer::example());
        tells_all_that_is_shown::<crate::Device>(&device::example());
        tells_all_that_is_shown::<crate::Level>(&level::example());
        tells_all_that_is_shown::<crate::Member>(&member::example());
        tells_all_that_is_shown::<crate::Membership>(&membership::example());
        tells_all_that_is_shown::<crate::Partner>(&partner::example());
        tells_all_that_is_shown::<crate::Product>(&product::example());
        tells_all_that_is_shown::<crate::Segment>(&segment::example());
        tells_all_that_is_shown::<crate::Subscription>(&subscription::example());
    }
}
