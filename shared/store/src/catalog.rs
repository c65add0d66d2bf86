//! Catalogs. They live in their segment's partition.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Catalog, CatalogId, Error, MembershipId, SegmentId};

use crate::Store;
use crate::job::Job;
use crate::keys::{self, CATALOGS};
use crate::search::{Index, Indexed, Kind, Schema, Searched, Value, ValueType};
use crate::table::{Item, Query, TRANSACTION, Write, from_item, to_item};

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
    pub async fn catalog(&self, segment: SegmentId, id: CatalogId) -> Result<Catalog, Error> {
        self.table.get(&keys::catalog(segment, id)).await?.ok_or(Error::NotFound).and_then(from_item)
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
    pub async fn create_catalog(&self, catalog: &Catalog) -> Result<(), Error> {
        let exists = Error::conflict("/id", "exists", "is the id of a catalog that is there already");
        let key = keys::catalog(catalog.segment_id, catalog.id);
        let create = Write::create(&self.table, &key, to_item(catalog)?).on_condition_failed(exists);
        let segment = keys::segment(catalog.segment_id);
        let there = Write::check(&self.table, &segment, "attribute_exists(PK)", Item::new());
        self.table.transact(vec![create, there.on_condition_failed(Error::NotFound)]).await
    }

    /// Writes `new` over `old`; the members of `memberships`, which it concerns, are left to jobs. 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read.
    pub async fn change_catalog(
        &self,
        old: &Catalog,
        new: &Catalog,
        memberships: impl Iterator<Item = MembershipId>,
    ) -> Result<(), Error> {
        let key = keys::catalog(new.segment_id, new.id);
        let mut writes = vec![self.replaced(&key, old.version, &to_item(old)?, &to_item(new)?)];
        let mut jobs: Vec<_> = memberships.map(|membership| self.begun(Job::Refresh(membership))).collect();
        // Jobs that do not fit in begin before: what begins too early is done once more later.
        while writes.len() + jobs.len() > TRANSACTION {
            let some = jobs.split_off(jobs.len().saturating_sub(TRANSACTION));
            self.table.transact(some).await?;
        }
        writes.extend(jobs);
        self.table.transact(writes).await
    }

    /// Deletes a catalog: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read.
    pub async fn delete_catalog(&self, catalog: &Catalog) -> Result<(), Error> {
        let key = keys::catalog(catalog.segment_id, catalog.id);
        self.table.transact(vec![self.removed(&key, catalog.version)]).await
    }
}
