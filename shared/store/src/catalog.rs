//! Catalogs. They live in their segment's partition.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Act, Catalog, CatalogId, CustomField, Error, MembershipId, SegmentId};
use serde::Deserialize;

use crate::Store;
use crate::job::Job;
use crate::keys::{self, CATALOGS};
use crate::search::{Index, Indexed, Kind, Schema, Searched, Value, ValueType};
use crate::table::{Changes, Item, Query, TRANSACTION, Write, from_item, number, to_item};

/// A catalog, and how often a field has come to name it.
#[derive(Debug, Clone)]
pub struct CatalogRecord {
    /// The catalog.
    pub catalog: Catalog,
    uses: Uses,
}

/// Counted up with each field that comes to name the catalog, and never down: who looks for such fields knows by it
/// whether another one has come since. The version, which clients see, stays.
#[derive(Debug, Clone, Deserialize)]
struct Uses {
    /// None of a catalog that was made before they were counted.
    #[serde(default)]
    uses: u64,
}

/// What a change or the end of a catalog demands of it.
const UNCHANGED: &str = "version = :version AND (uses = :uses OR attribute_not_exists(uses))";

impl Indexed for Catalog {
    fn index(&self) -> Index {
        Index::new(self.id.uuid()).ordered("name", Some(&Value::Text(self.fields.name.as_str().to_owned())))
    }
}

impl Searched for Catalog {
    fn schema() -> Schema {
        Schema::default().with("name", Kind::Ordered, ValueType::Text)
    }
}

impl Store {
    /// A catalog: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn catalog(&self, segment: SegmentId, id: CatalogId) -> Result<CatalogRecord, Error> {
        let item = self.table.get(&keys::catalog(segment, id)).await?.ok_or(Error::NotFound)?;
        Ok(CatalogRecord { uses: from_item(item.clone())?, catalog: from_item(item)? })
    }

    /// The catalogs of a segment, oldest first: 1 `Query` for each megabyte.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn catalogs(&self, segment: SegmentId) -> Result<Vec<Catalog>, Error> {
        self.table.all(&Query::under(keys::segment(segment).pk, CATALOGS)).await
    }

    /// Those of some catalogs that are there: 1 `BatchGetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn catalogs_of(
        &self,
        segment: SegmentId,
        ids: &BTreeSet<CatalogId>,
    ) -> Result<BTreeMap<CatalogId, Catalog>, Error> {
        let wanted = ids.iter().map(|id| keys::catalog(segment, *id).attributes()).collect();
        let found = self.table.get_all(wanted).await?.into_iter().map(from_item::<Catalog>);
        found.map(|catalog| catalog.map(|catalog| (catalog.id, catalog))).collect()
    }

    /// Writes a new catalog, if its segment is there: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the id is there already; [`Error::NotFound`] where the segment is gone.
    pub async fn create_catalog(&self, catalog: &Catalog, act: Act<'_>) -> Result<(), Error> {
        let exists = Error::conflict("/id", "exists", "is the id of a catalog that is there already");
        let key = keys::catalog(catalog.segment_id, catalog.id);
        let mut item = to_item(catalog)?;
        item.insert("uses".to_owned(), number(0));
        let create = Write::create(&self.table, &key, item).on_condition_failed(exists);
        let segment = keys::segment(catalog.segment_id);
        let there = Write::check(&self.table, &segment, "attribute_exists(PK)", Item::new());
        let mut writes = vec![create, there.on_condition_failed(Error::NotFound)];
        writes.extend(self.tells(None, Some(catalog), act)?);
        self.table.transact(writes).await
    }

    /// Writes `new` over `old`; the members of `memberships`, which it concerns, are left to jobs. 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, or a field has come to name it, since it was read.
    pub async fn change_catalog(
        &self,
        old: &CatalogRecord,
        new: &Catalog,
        memberships: impl Iterator<Item = MembershipId>,
        act: Act<'_>,
    ) -> Result<(), Error> {
        let key = keys::catalog(new.segment_id, new.id);
        let changes = Changes::between(&to_item(&old.catalog)?, &to_item(new)?);
        let changes = old.as_read().into_iter().fold(changes, |changes, (name, value)| changes.value(&name, value));
        let mut writes = vec![Write::update(&self.table, &key, UNCHANGED, changes).on_condition_failed(Error::Stale)];
        writes.extend(self.tells(Some(&old.catalog), Some(new), act)?);
        let mut jobs: Vec<_> = memberships.map(|membership| self.begun(Job::Refresh(membership))).collect();
        // Jobs that do not fit in begin before: what begins too early is done once more later.
        while writes.len() + jobs.len() > TRANSACTION {
            let some = jobs.split_off(jobs.len().saturating_sub(TRANSACTION));
            self.table.transact(some).await?;
        }
        writes.extend(jobs);
        self.table.transact(writes).await
    }

    /// Deletes a catalog that no field names: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, or a field has come to name it, since it was read.
    pub async fn delete_catalog(&self, old: &CatalogRecord, act: Act<'_>) -> Result<(), Error> {
        let key = keys::catalog(old.catalog.segment_id, old.catalog.id);
        let gone = Write::delete(&self.table, &key, UNCHANGED, old.as_read());
        let mut writes = vec![gone.on_condition_failed(Error::Stale)];
        writes.extend(self.tells(Some(&old.catalog), None, act)?);
        self.table.transact(writes).await
    }

    /// What a field writes that comes to name a catalog: that is there, and whoever is about to change or delete it
    /// has to look for its fields once more.
    pub(crate) fn catalog_used(&self, segment: SegmentId, id: CatalogId) -> Write {
        let used = Changes::default().add("uses", 1);
        Write::update(&self.table, &keys::catalog(segment, id), "attribute_exists(PK)", used)
            .on_condition_failed(Error::Invalid(vec![CustomField::unknown_catalog()]))
    }
}

impl CatalogRecord {
    /// The values that [`UNCHANGED`] compares.
    fn as_read(&self) -> Item {
        let values = [(":version", self.catalog.version), (":uses", self.uses.uses)];
        values.map(|(name, value)| (name.to_owned(), number(value))).into()
    }
}
