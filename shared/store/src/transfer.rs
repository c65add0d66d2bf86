//! Imports and exports of a segment's users. They live in their segment's partition, and stand in the index `pending`
//! until their end, so that whoever does them finds them.

use std::time::Duration;

use domain::transfer::{Counts, Run};
use domain::{AuditEntry, Error, Export, ExportId, Import, ImportId, Object, SegmentId, Time, TransferStatus};

use crate::Store;
use crate::job::Job;
use crate::keys::{self, BATCHES, EXPORTS, IMPORTS, Key, PENDING_INDEX, PK, SK};
use crate::search::{Index, Indexed, Kind, Schema, Searched, Value, ValueType};
use crate::table::{Changes, Item, Query, Write, from_item, number, string, to_item};

impl Indexed for Import {
    fn index(&self) -> Index {
        Index::new(self.id.uuid()).found("status", &Value::word(self.run.status.as_str()))
    }
}

impl Indexed for Export {
    fn index(&self) -> Index {
        Index::new(self.id.uuid()).found("status", &Value::word(self.run.status.as_str()))
    }
}

impl Searched for Import {
    fn schema() -> Schema {
        Schema::default().with("status", Kind::Found, ValueType::Word)
    }
}

impl Searched for Export {
    fn schema() -> Schema {
        Schema::default().with("status", Kind::Found, ValueType::Word)
    }
}

/// For how long an import or export is listed once its file has expired.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How imports are told in the index `pending`.
const IMPORT: &str = "import";
/// How exports are told in the index `pending`.
const EXPORT: &str = "export";

impl Store {
    /// An import: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn import(&self, segment: SegmentId, id: ImportId) -> Result<Import, Error> {
        self.table.get(&keys::import(segment, id)).await?.ok_or(Error::NotFound).and_then(from_item)
    }

    /// An export: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn export(&self, segment: SegmentId, id: ExportId) -> Result<Export, Error> {
        self.table.get(&keys::export(segment, id)).await?.ok_or(Error::NotFound).and_then(from_item)
    }

    /// The imports of a segment, oldest first: 1 `Query` for each megabyte.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn imports(&self, segment: SegmentId) -> Result<Vec<Import>, Error> {
        self.table.all(&Query::under(keys::segment(segment).pk, IMPORTS)).await
    }

    /// The exports of a segment, oldest first: 1 `Query` for each megabyte.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn exports(&self, segment: SegmentId) -> Result<Vec<Export>, Error> {
        self.table.all(&Query::under(keys::segment(segment).pk, EXPORTS)).await
    }

    /// Writes a new import, if its segment is there: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the id is there already; [`Error::NotFound`] where the segment is gone.
    pub async fn create_import(&self, new: &Import, audit: &AuditEntry) -> Result<(), Error> {
        self.create_transfer(audit, &keys::import(new.segment_id, new.id), (to_item(new)?, IMPORT, new.segment_id))
            .await
    }

    /// Writes a new export, if its segment is there: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the id is there already; [`Error::NotFound`] where the segment is gone.
    pub async fn create_export(&self, new: &Export, audit: &AuditEntry) -> Result<(), Error> {
        self.create_transfer(audit, &keys::export(new.segment_id, new.id), (to_item(new)?, EXPORT, new.segment_id))
            .await
    }

    async fn create_transfer(
        &self,
        audit: &AuditEntry,
        key: &Key,
        (mut item, kind, segment): (Item, &str, SegmentId),
    ) -> Result<(), Error> {
        item.insert("pending".to_owned(), string(kind));
        item.insert("pending_at".to_owned(), string(Time::now()));
        let exists = Error::conflict("/id", "exists", "is the id of one that is there already");
        let there = Write::check(&self.table, &keys::segment(segment), "attribute_exists(PK)", Item::new());
        let mut writes = vec![
            Write::create(&self.table, key, item).on_condition_failed(exists),
            there.on_condition_failed(Error::NotFound),
        ];
        writes.extend(self.audit_writes([audit])?);
        self.table.transact(writes).await
    }

    /// Writes `new` over `old`: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read.
    pub async fn change_import(&self, old: &Import, new: &Import, audit: Option<&AuditEntry>) -> Result<(), Error> {
        let changes = Changes::between(&to_item(old)?, &to_item(new)?);
        let key = keys::import(new.segment_id, new.id);
        self.change_transfer(&key, old.version(), (changes, &new.run, Job::EraseImport(new.id)), audit).await
    }

    /// Writes `new` over `old`: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read.
    pub async fn change_export(&self, old: &Export, new: &Export, audit: Option<&AuditEntry>) -> Result<(), Error> {
        let changes = Changes::between(&to_item(old)?, &to_item(new)?);
        let key = keys::export(new.segment_id, new.id);
        self.change_transfer(&key, old.version(), (changes, &new.run, Job::EraseExport(new.id)), audit).await
    }

    async fn change_transfer(
        &self,
        key: &Key,
        version: u64,
        (changes, run, erase): (Changes, &Run, Job),
        audit: Option<&AuditEntry>,
    ) -> Result<(), Error> {
        let mut changes = changes.value(":version", number(version));
        if !run.status.is_open() {
            // Nobody needs to find what is over. The item outlives its file, so that a late download says why.
            let expires_at = run.expires_at.unwrap_or_else(Time::now).plus(KEPT);
            changes = changes.remove("pending").remove("pending_at").set("expires_at", number(expires_at.seconds()));
        }
        let write = Write::update(&self.table, key, "version = :version", changes);
        let mut writes = vec![write.on_condition_failed(Error::Stale)];
        writes.extend(run.expires_at.map(|expires_at| self.begun_for(erase, expires_at.minus(Job::LEASE))));
        writes.extend(self.audit_writes(audit)?);
        self.table.transact(writes).await
    }

    /// Notes that a batch is done, and counts what came of its rows, once however often it is noted: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where the import is no longer under way.
    pub async fn batch_done(&self, import: &Import, first: u64, counts: &Counts) -> Result<(), Error> {
        let noted = Error::conflict("/batch", "exists", "is done already");
        let batch = Write::create(&self.table, &keys::batch(import.id, first), Item::new()).on_condition_failed(noted);
        let named = counts.named().into_iter().filter(|(_, count)| *count > 0);
        let changes = named.fold(Changes::default(), |changes, (name, count)| {
            changes.add(name, i64::try_from(count).unwrap_or(i64::MAX))
        });
        let changes = changes
            .add("version", 1)
            .set("updated_at", string(Time::now()))
            .value(":running", string(TransferStatus::Running.as_str()))
            .named("#status", "status");
        let key = keys::import(import.segment_id, import.id);
        let counted = Write::update(&self.table, &key, "#status = :running", changes).on_condition_failed(Error::Stale);
        match self.table.transact(vec![batch, counted]).await {
            Err(Error::Conflict(_)) => Ok(()),
            done => done,
        }
    }

    /// The batches of an import that are done, by the numbers of their first rows, in their order: 1 `Query` for each
    /// megabyte.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn batches_done(&self, import: ImportId) -> Result<Vec<u64>, Error> {
        let query = Query { keys_only: true, ..Query::under(keys::batches(import), BATCHES) };
        let first = |item: &Item| item.get(SK)?.as_s().ok()?.strip_prefix(BATCHES)?.parse().ok();
        Ok(self.table.all_items(&query).await?.iter().filter_map(first).collect())
    }

    /// Forgets which batches of an import are done.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn erase_batches(&self, import: ImportId) -> Result<(), Error> {
        self.erase_found(Query::all(keys::batches(import))).await
    }

    /// Forgets an import that is over; its files are left to a job. 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read.
    pub async fn delete_import(&self, import: &Import, audit: Option<&AuditEntry>) -> Result<(), Error> {
        let gone = self.removed(&keys::import(import.segment_id, import.id), import.version);
        let mut writes = vec![gone, self.begun(Job::EraseImport(import.id))];
        writes.extend(self.audit_writes(audit)?);
        self.table.transact(writes).await
    }

    /// Forgets an export that is over; its file is left to a job. 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read.
    pub async fn delete_export(&self, export: &Export, audit: Option<&AuditEntry>) -> Result<(), Error> {
        let gone = self.removed(&keys::export(export.segment_id, export.id), export.version);
        let mut writes = vec![gone, self.begun(Job::EraseExport(export.id))];
        writes.extend(self.audit_writes(audit)?);
        self.table.transact(writes).await
    }

    /// Leaves the files of a segment's imports and exports to jobs, before the segment is erased.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn leave_transfers(&self, segment: SegmentId) -> Result<(), Error> {
        for import in self.imports(segment).await? {
            self.table.transact(vec![self.begun(Job::EraseImport(import.id))]).await?;
        }
        for export in self.exports(segment).await? {
            self.table.transact(vec![self.begun(Job::EraseExport(export.id))]).await?;
        }
        Ok(())
    }

    /// Imports that are not over, those that were begun first: 1 `Query`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn open_imports(&self) -> Result<Vec<(SegmentId, ImportId)>, Error> {
        let open = self.open_transfers(IMPORT).await?;
        Ok(open.iter().filter_map(|item| Some((segment_of(item)?, id_of(item, IMPORTS)?.parse().ok()?))).collect())
    }

    /// Exports that are not over, those that were begun first: 1 `Query`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn open_exports(&self) -> Result<Vec<(SegmentId, ExportId)>, Error> {
        let open = self.open_transfers(EXPORT).await?;
        Ok(open.iter().filter_map(|item| Some((segment_of(item)?, id_of(item, EXPORTS)?.parse().ok()?))).collect())
    }

    async fn open_transfers(&self, kind: &str) -> Result<Vec<Item>, Error> {
        let query = Query {
            index: Some(PENDING_INDEX),
            condition: "pending = :kind",
            values: Item::from([(":kind".to_owned(), string(kind))]),
            ..Query::default()
        };
        Ok(self.table.query(&query, Some(100), None).await?.items)
    }
}

fn segment_of(item: &Item) -> Option<SegmentId> {
    item.get(PK)?.as_s().ok()?.strip_prefix("S#")?.parse().ok()
}

fn id_of<'a>(item: &'a Item, prefix: &str) -> Option<&'a str> {
    item.get(SK)?.as_s().ok()?.strip_prefix(prefix)
}

#[cfg(test)]
mod tests {
    use domain::field::{Body as _, Object as _};
    use domain::transfer::Source;
    use domain::{Actor, ExportFields, ImportFields, UserId};

    use super::*;

    #[test]
    fn an_import_and_an_export_are_read_back_as_they_were_written() -> Result<(), Error> {
        let of = (SegmentId::fresh(), UserId::fresh());
        let fields = ImportFields::parse(ImportFields::example())?;
        let import = Import::new(ImportId::fresh(), of, Actor::User(of.1), fields, Time::now());
        let source = Source {
            etag: "\"e\"".to_owned(),
            columns: vec!["email".to_owned()],
            delimiter: ';',
            encoding: domain::transfer::TextEncoding::default(),
            batches: 2,
        };
        let begun = import.begun(source, 700, Time::now());
        for import in [import, begun.ended(TransferStatus::Failed, Some("No."), Time::now()), begun] {
            let read: Import = from_item(to_item(&import)?)?;
            assert_eq!((read.show(), &read.source), (import.show(), &import.source));
        }
        let export = Export::new(ExportId::fresh(), of, ExportFields::parse(ExportFields::example())?, Time::now());
        let mut progress = export.progress.clone();
        progress.parts.push(("\"e\"".to_owned(), None));
        progress.upload = Some("u".to_owned());
        let reached = export.reached(progress, (3, 100), Time::now());
        for export in [export, reached] {
            let read: Export = from_item(to_item(&export)?)?;
            assert_eq!((read.show(), &read.progress), (export.show(), &export.progress));
        }
        Ok(())
    }
}
