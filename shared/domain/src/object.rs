//! Objects that Muster keeps: what is written about them, between what Muster writes itself.

/// Declares an object that is kept: the struct, how it begins and changes, and how clients see it.
///
/// `$fields` is the [`Body`](crate::field::Body) that is written; the fields declared here do not change.
#[macro_export]
macro_rules! object {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident of $fields:ident {
            $( $(#[doc = $field_doc:literal])* pub $field:ident : $kind:ty = $example:literal, )*
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

            /// It after `fields` took the place of what was written, one version on.
            #[must_use]
            pub fn changed(&self, fields: $fields, now: $crate::clock::Time) -> Self {
                Self { fields, version: self.version + 1, updated_at: now, ..self.clone() }
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
                shown.insert("version".to_owned(), serde_json::json!(1));
                shown.insert("created_at".to_owned(), serde_json::json!("2026-11-21T10:00:00.000Z"));
                shown.insert("updated_at".to_owned(), serde_json::json!("2026-11-21T10:00:00.000Z"));
                serde_json::Value::Object(shown)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::field::shown_schema::<$fields>(vec![
                    $( (stringify!($field), <$kind as $crate::field::Field>::schema()), )*
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
