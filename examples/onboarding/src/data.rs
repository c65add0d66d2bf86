//! What is sent: all of it made up. The documents have right check digits and are nobody's; the certificate and its key
//! open nothing.

use serde_json::{Value, json};

use crate::client::Failure;

/// A file that answers a field.
pub(crate) struct File {
    pub(crate) field: &'static str,
    pub(crate) name: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) bytes: &'static [u8],
}

/// The files, in the order of their fields.
pub(crate) const FILES: [File; 4] = [
    File {
        field: "official_id",
        name: "official id.png",
        content_type: "image/png",
        bytes: include_bytes!("../data/official_id.png"),
    },
    File {
        field: "tax_certificate",
        name: "tax certificate.pdf",
        content_type: "application/pdf",
        bytes: include_bytes!("../data/tax_certificate.pdf"),
    },
    File {
        field: "certificate",
        name: "certificate.cer",
        content_type: "application/x-x509-ca-cert",
        bytes: include_bytes!("../data/certificate.cer"),
    },
    File {
        field: "private_key",
        name: "private.key",
        content_type: "application/pkcs8",
        bytes: include_bytes!("../data/private.key"),
    },
];

/// The choices of the catalog: 90 banks.
pub(crate) fn banks() -> Result<Value, Failure> {
    Ok(serde_json::from_str(include_str!("../data/banks.json"))?)
}

/// The 19 custom fields, one of which takes its choices from this catalog and one has 45 of its own.
pub(crate) fn fields(banks: &str) -> Result<Vec<Value>, Failure> {
    let categories: Value = serde_json::from_str(include_str!("../data/categories.json"))?;
    let mut fields: Vec<Value> = serde_json::from_str(include_str!("../data/fields.json"))?;
    for field in fields.iter_mut().filter_map(Value::as_object_mut) {
        match field.get("key").and_then(Value::as_str) {
            Some("bank") => drop(field.insert("catalog_id".to_owned(), json!(banks))),
            Some("business_categories") => drop(field.insert("options".to_owned(), categories.clone())),
            _ => {}
        }
    }
    Ok(fields)
}

/// The answers that are no files.
pub(crate) fn answers() -> Result<Value, Failure> {
    Ok(serde_json::from_str(include_str!("../data/answers.json"))?)
}
