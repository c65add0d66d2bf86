//! Statuses that segments make up. They live in their segment's partition.

use domain::{Act, CustomStatus, Error, SegmentId, StatusId};

use crate::Store;
use crate::backoff::retried;
use crate::keys::{self, STATUSES};
use crate::search::{Index, Indexed, Kind, Schema, Searched, Value, ValueType};
use crate::table::{Query, Write, from_item, to_item};
use crate::unique::{USER_COUNT, Used};

impl Indexed for CustomStatus {
    fn index(&self) -> Index {
        Index::new(self.id.uuid())
            .ordered("name", Some(&Value::Text(self.fields.name.as_str().to_owned())))
            .ordered("number", Value::number(&self.number.get().to_string()).as_ref())
            .found("is_excluded", &Value::word(self.fields.is_excluded.0))
    }
}

impl Searched for CustomStatus {
    fn schema() -> Schema {
        Schema::default()
            .with("name", Kind::Ordered, ValueType::Text)
            .with("number", Kind::Ordered, ValueType::Number)
            .with("is_excluded", Kind::Found, ValueType::Word)
    }
}

impl Store {
    /// A status: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn custom_status(&self, segment: SegmentId, id: StatusId) -> Result<Used<CustomStatus>, Error> {
        self.table.get(&keys::custom_status(segment, id)).await?.ok_or(Error::NotFound).and_then(from_item)
    }

    /// The statuses of a segment, oldest first: 1 `Query` for each megabyte.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn custom_statuses(&self, segment: SegmentId) -> Result<Vec<CustomStatus>, Error> {
        self.table.all(&Query::under(keys::segment(segment).pk, STATUSES)).await
    }

    /// Writes a new status with the segment's next number, if the segment is there: 1 `GetItem`, 1 transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the name is taken or the id is there already; [`Error::NotFound`] where the segment is
    /// gone.
    pub async fn create_custom_status(&self, new: &CustomStatus, act: Act<'_>) -> Result<CustomStatus, Error> {
        // Another one may have taken the number.
        retried(|| async {
            let (number, counted) = self.next_number(&keys::status_numbers(new.segment_id)).await?;
            let status = CustomStatus { number, ..new.clone() };
            let exists = Error::conflict("/id", "exists", "is the id of a status that is there already");
            let key = keys::custom_status(status.segment_id, status.id);
            let create = Write::create(&self.table, &key, to_item(&status)?).on_condition_failed(exists);
            let mut writes = vec![create, counted, self.in_segment(status.segment_id)];
            writes.extend(self.status_claims(None, Some(&status)));
            writes.extend(self.tells(None, Some(&status), act)?);
            self.table.transact(writes).await?;
            Ok(status)
        })
        .await
    }

    /// Writes `new` over `old`: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read; [`Error::Conflict`] where the name is taken.
    pub async fn change_custom_status(
        &self,
        old: &CustomStatus,
        new: &CustomStatus,
        act: Act<'_>,
    ) -> Result<(), Error> {
        let key = keys::custom_status(new.segment_id, new.id);
        let mut writes = vec![self.replaced(&key, old.version, &to_item(old)?, &to_item(new)?)];
        writes.extend(self.status_claims(Some(old), Some(new)));
        writes.extend(self.tells(Some(old), Some(new), act)?);
        self.table.transact(writes).await
    }

    /// Deletes a status that no user has: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, or a user has got it, since it was read.
    pub async fn delete_custom_status(&self, status: &CustomStatus, act: Act<'_>) -> Result<(), Error> {
        let key = keys::custom_status(status.segment_id, status.id);
        let mut writes = vec![self.removed_unused(&key, status.version, USER_COUNT)];
        writes.extend(self.status_claims(Some(status), None));
        writes.extend(self.tells(Some(status), None, act)?);
        self.table.transact(writes).await
    }

    fn status_claims(&self, old: Option<&CustomStatus>, new: Option<&CustomStatus>) -> Vec<Write> {
        let Some(CustomStatus { id, segment_id, .. }) = new.or(old) else { return Vec::new() };
        let taken = Error::conflict("/name", "taken", "is another status's name; choose another one");
        self.reclaimed((*segment_id, id), old.map(CustomStatus::unique), new.map(CustomStatus::unique), taken)
    }
}
