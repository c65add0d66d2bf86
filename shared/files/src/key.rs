//! Object keys, made of ids.

use std::fmt;

use uuid::Uuid;

/// The name of an object in the bucket: never any text of a client.
///
/// | key | object |
/// |---|---|
/// | `quarantine/{upload}` | as it arrived, not yet checked |
/// | `clean/{upload}` | checked, can be downloaded; never overwritten |
/// | `imports/{import}/batches` | in which batches its rows are done |
/// | `imports/{import}/rows/{first}` | what came of the rows of a batch, by the number of its first |
/// | `reports/{import}` | what came of all rows |
/// | `exports/{export}` | what was exported |
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// Where an upload arrives.
    #[must_use]
    pub fn quarantine(upload: Uuid) -> Self {
        Self(format!("quarantine/{upload}"))
    }

    /// Where an upload stays once it is checked.
    #[must_use]
    pub fn clean(upload: Uuid) -> Self {
        Self(format!("clean/{upload}"))
    }

    /// In which batches the rows of an import are done.
    #[must_use]
    pub fn batches(import: Uuid) -> Self {
        Self(format!("{}batches", Self::of_import(import)))
    }

    /// What came of the rows of a batch.
    #[must_use]
    pub fn rows(import: Uuid, first: u64) -> Self {
        Self(format!("{}rows/{first:012}", Self::of_import(import)))
    }

    /// How the keys begin of what an import needs while it runs.
    #[must_use]
    pub fn of_import(import: Uuid) -> String {
        format!("imports/{import}/")
    }

    /// What came of all rows of an import.
    #[must_use]
    pub fn report(import: Uuid) -> Self {
        Self(format!("reports/{import}"))
    }

    /// What was exported.
    #[must_use]
    pub fn export(export: Uuid) -> Self {
        Self(format!("exports/{export}"))
    }

    /// The upload that a key names, as S3's events carry it, if it is one of quarantine.
    #[must_use]
    pub fn quarantined(key: &str) -> Option<Uuid> {
        let upload = key.strip_prefix("quarantine/")?.parse().ok()?;
        // Uuid reads other spellings too, which are not keys of ours.
        (Self::quarantine(upload).as_str() == key).then_some(upload)
    }

    /// As S3 takes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_ids_and_read_back() {
        let upload = Uuid::from_u128(2);
        let quarantine = ObjectKey::quarantine(upload);
        assert_eq!(quarantine.as_str(), "quarantine/00000000-0000-0000-0000-000000000002");
        assert_eq!(ObjectKey::clean(upload).as_str(), "clean/00000000-0000-0000-0000-000000000002");
        assert_eq!(ObjectKey::quarantined(quarantine.as_str()), Some(upload));
        assert_eq!(ObjectKey::batches(upload).as_str(), "imports/00000000-0000-0000-0000-000000000002/batches");
        assert_eq!(
            ObjectKey::rows(upload, 7).as_str(),
            "imports/00000000-0000-0000-0000-000000000002/rows/000000000007"
        );
        assert_eq!(ObjectKey::report(upload).as_str(), "reports/00000000-0000-0000-0000-000000000002");
        assert_eq!(ObjectKey::export(upload).as_str(), "exports/00000000-0000-0000-0000-000000000002");
        assert_eq!(ObjectKey::quarantined(ObjectKey::clean(upload).as_str()), None);
        assert_eq!(ObjectKey::quarantined("quarantine/00000000000000000000000000000002"), None);
        assert_eq!(ObjectKey::quarantined("quarantine/../secret"), None);
    }
}
