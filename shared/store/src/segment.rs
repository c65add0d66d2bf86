//! Segments. Each is found by its id, and through the index of its account's segments.

use domain::segment::SegmentNumber;
use domain::{Act, AddressId, AuditAction, AuditEntry, AuditScope, Error, Segment, SegmentId, UserId};
use serde::Deserialize;

use crate::Store;
use crate::audit::changed_settings;
use crate::backoff::retried;
use crate::job::Job;
use crate::keys;
use crate::search::{self, Directory, Found, Index, Indexed, Kind, Schema, Search, Searched, Value, ValueType};
use crate::table::{Changes, Item, Write, from_item, keyed, number, string, to_item};

impl Indexed for Segment {
    fn index(&self) -> Index {
        let fields = &self.fields;
        let role = fields.role.as_ref().map(|role| Value::Text(role.as_str().to_owned()));
        let managed_by = fields.managed_by.as_ref().map(|by| Value::Text(by.as_str().to_owned()));
        Index::new(self.id.uuid())
            .sorted("name", Some(&Value::Text(fields.name.as_str().to_owned())))
            .sorted("role", role.as_ref())
            .sorted("managed_by", managed_by.as_ref())
            .sorted("number", Value::number(&self.number.get().to_string()).as_ref())
            .found("status", &Value::word(fields.status.0))
    }
}

impl Searched for Segment {
    fn schema() -> Schema {
        Schema::default()
            .with("name", Kind::Sorted, ValueType::Text)
            .with("role", Kind::Sorted, ValueType::Text)
            .with("managed_by", Kind::Sorted, ValueType::Text)
            .with("number", Kind::Sorted, ValueType::Number)
            .with("status", Kind::Found, ValueType::Word)
    }
}

/// The directory of an account's segments.
pub(crate) fn directory(account: UserId) -> String {
    format!("A#{account}")
}

/// How many segments of an account may be inactive. Their ids stand in the owner's record, 37 bytes each, which each
/// request of the account reads.
const INACTIVE_SEGMENTS: u64 = 500;

/// Which segment has a number.
#[derive(Debug, Deserialize)]
struct Numbered {
    segment_id: SegmentId,
}

impl Store {
    /// A segment: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn segment(&self, id: SegmentId) -> Result<Segment, Error> {
        self.table.get(&keys::segment(id)).await?.ok_or(Error::NotFound).and_then(from_item)
    }

    /// The id of an account's segment with this number: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn segment_by_number(&self, account: UserId, number: SegmentNumber) -> Result<SegmentId, Error> {
        let found = self.table.get(&keys::segment_by_number(account, number)).await?.map(from_item::<Numbered>);
        Ok(found.transpose()?.ok_or(Error::NotFound)?.segment_id)
    }

    /// The one segment of an account that has exactly one: 1 `Query` of keys.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn only_segment(&self, account: UserId) -> Result<Option<SegmentId>, Error> {
        let ids = self.ids_in(&directory(account), None).await?;
        Ok(if let [only] = ids.as_slice() { Some(SegmentId::from(*only)) } else { None })
    }

    /// A page of an account's segments.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn segments(&self, account: UserId, search: &Search) -> Result<Found<Segment>, Error> {
        let key_of = |id| keys::segment(SegmentId::from(id));
        let (name, schema) = (directory(account), Segment::schema());
        let directory = Directory { table: &self.table, name: &name, schema: &schema, key_of: &key_of };
        search::find(&directory, search).await
    }

    /// Writes a new segment with the account's next number: 1 `GetItem`, 1 transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the id is there already, as when a request that was cut off is repeated.
    pub async fn create_segment(&self, segment: &Segment) -> Result<Segment, Error> {
        // Another one may have taken the number.
        retried(|| async {
            let (number, counted) = self.next_number(&keys::segment_numbers(segment.owner_id)).await?;
            let segment = Segment { number, ..segment.clone() };
            let exists = Error::conflict("/id", "exists", "is the id of a segment that is there already");
            let create = Write::create(&self.table, &keys::segment(segment.id), to_item(&segment)?);
            let mut writes = vec![
                create.on_condition_failed(exists),
                match segment.fields.status.0 {
                    true => self.in_use(segment.owner_id).on_condition_failed(Error::Unauthenticated),
                    false => self.close_segment(&segment),
                },
                counted,
                Write::put(
                    &self.table,
                    keyed(&keys::segment_by_number(segment.owner_id, number), {
                        Item::from([("segment_id".to_owned(), string(segment.id))])
                    }),
                ),
            ];
            writes.extend(search::writes(&self.table, &directory(segment.owner_id), None, Some(&segment.index())));
            self.table.transact(writes).await?;
            Ok(segment)
        })
        .await
    }

    /// Writes `new` over `old`: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read.
    pub async fn change_segment(&self, old: &Segment, new: &Segment, act: Act<'_>) -> Result<(), Error> {
        let mut writes = vec![self.replaced(&keys::segment(new.id), old.version, &to_item(old)?, &to_item(new)?)];
        let (had, has) = (old.index(), new.index());
        writes.extend(search::writes(&self.table, &directory(new.owner_id), Some(&had), Some(&has)));
        if old.fields.status != new.fields.status {
            writes.push(if new.fields.status.0 { self.open_segment(new) } else { self.close_segment(new) });
        }
        writes.extend(self.tells(Some(old), Some(new), act)?);
        let changed = changed_settings(old, new, &["status"]);
        if !changed.is_empty() {
            let audit = AuditEntry::new(AuditAction::SettingsChanged, new, new.id, act).with_fields(changed);
            writes.extend(self.audit_writes([&audit])?);
        }
        self.table.transact(writes).await
    }

    /// Deletes a segment; what is in it is left to a job. 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read.
    pub async fn delete_segment(&self, segment: &Segment, act: Act<'_>) -> Result<Job, Error> {
        let job = Job::EraseSegment(segment.id);
        let mut writes = vec![self.removed(&keys::segment(segment.id), segment.version), self.begun(job)];
        let by_number = keys::segment_by_number(segment.owner_id, segment.number);
        writes.extend([Write::delete_item(&self.table, by_number.attributes()), self.kept(segment)?]);
        let had = segment.index();
        writes.extend(search::writes(&self.table, &directory(segment.owner_id), Some(&had), None));
        if !segment.fields.status.0 {
            writes.push(self.open_segment(segment));
        }
        writes.extend(self.tells(Some(segment), None, act)?);
        // The segment's own audit goes with it.
        let scope = AuditScope::of_account(segment.owner_id);
        let audit = AuditEntry::new(AuditAction::SegmentDeleted, scope, segment.id, act);
        writes.extend(self.audit_writes([&audit])?);
        self.table.transact(writes).await?;
        Ok(job)
    }

    /// Adds a segment to those that its owner's record calls inactive: each request of the account reads them there.
    fn close_segment(&self, segment: &Segment) -> Write {
        let changes = Changes::default().add_to_set("inactive_segments", segment.id);
        let changes = changes.value(":most", number(INACTIVE_SEGMENTS));
        let condition = "attribute_exists(PK) AND \
            (attribute_not_exists(inactive_segments) OR size(inactive_segments) < :most)";
        let message = format!("is false for {INACTIVE_SEGMENTS} segments already; activate or delete one of these");
        Write::update(&self.table, &keys::user(segment.owner_id), condition, changes)
            .on_condition_failed(Error::conflict("/status", "too_many", &message))
    }

    /// Takes a segment from those that its owner's record calls inactive.
    fn open_segment(&self, segment: &Segment) -> Write {
        let changes = Changes::default().delete_from_set("inactive_segments", vec![segment.id.to_string()]);
        Write::update(&self.table, &keys::user(segment.owner_id), "attribute_exists(PK)", changes)
            .on_condition_failed(Error::Stale)
    }

    /// Whether a user has this address: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn has_address(&self, user: UserId, address: AddressId) -> Result<bool, Error> {
        Ok(self.table.get(&keys::address(user, address)).await?.is_some())
    }

    /// A change of an object from `old` to `new`, if it still has its version.
    pub(crate) fn replaced(&self, key: &keys::Key, version: u64, old: &Item, new: &Item) -> Write {
        let changes = Changes::between(old, new).value(":version", number(version));
        Write::update(&self.table, key, "version = :version", changes).on_condition_failed(Error::Stale)
    }

    /// The end of an object, if it still has its version.
    pub(crate) fn removed(&self, key: &keys::Key, version: u64) -> Write {
        let values = Item::from([(":version".to_owned(), number(version))]);
        Write::delete(&self.table, key, "version = :version", values).on_condition_failed(Error::Stale)
    }
}
