//! Partners. They live in their segment's partition, and are found by an index of their own, since they may be many.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Act, Error, Partner, PartnerId, SegmentId};
use serde::Deserialize;

use crate::Store;
use crate::keys::{self, Scope};
use crate::search::{self, Directory, Found, Index, Indexed, Kind, Schema, Search, Searched, Value, ValueType};
use crate::table::{Write, from_item, to_item};
use crate::unique::{USER_COUNT, Used};

impl Indexed for Partner {
    fn index(&self) -> Index {
        let fields = &self.fields;
        let text = |text: Option<&str>| text.map(|text| Value::Text(text.to_owned()));
        let word = |word: Option<&str>| word.map(Value::word);
        Index::new(self.id.uuid())
            .sorted("reference_id", word(fields.reference_id.as_ref().map(domain::ReferenceId::as_str)).as_ref())
            .sorted("commercial_name", text(Some(fields.commercial_name.as_str())).as_ref())
            .sorted("contact_name", text(fields.contact_name.as_ref().map(domain::Name::as_str)).as_ref())
            .sorted("tin", word(fields.tin.as_ref().map(domain::text::Code::as_str)).as_ref())
            .sorted("role", text(fields.role.as_ref().map(domain::text::Code::as_str)).as_ref())
            .found("status", &Value::word(fields.status.0))
    }
}

impl Searched for Partner {
    fn schema() -> Schema {
        Schema::default()
            .with("reference_id", Kind::Sorted, ValueType::Word)
            .with("commercial_name", Kind::Sorted, ValueType::Text)
            .with("contact_name", Kind::Sorted, ValueType::Text)
            .with("tin", Kind::Sorted, ValueType::Word)
            .with("role", Kind::Sorted, ValueType::Text)
            .with("status", Kind::Found, ValueType::Word)
    }
}

/// The directory of a segment's partners.
pub(crate) fn directory(segment: SegmentId) -> String {
    format!("P#{segment}")
}

/// A partner, or who claims a value.
#[derive(Debug, Deserialize)]
struct Named {
    id: Option<PartnerId>,
    thing_id: Option<PartnerId>,
}

impl Store {
    /// A partner: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn partner(&self, segment: SegmentId, id: PartnerId) -> Result<Used<Partner>, Error> {
        self.table.get(&keys::partner(segment, id)).await?.ok_or(Error::NotFound).and_then(from_item)
    }

    /// Those of these partners that are there: 1 `BatchGetItem` for each 100.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn partners_with(
        &self,
        segment: SegmentId,
        ids: &BTreeSet<PartnerId>,
    ) -> Result<BTreeMap<PartnerId, Partner>, Error> {
        let keys = ids.iter().map(|id| keys::partner(segment, *id).attributes()).collect();
        let found = self.table.get_all(keys).await?.into_iter().map(from_item::<Partner>);
        found.map(|partner| partner.map(|partner| (partner.id, partner))).collect()
    }

    /// The partners that are meant by these ids, which are their own or those of another system: 1 `BatchGetItem` for each
    /// 50.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn partners_named(
        &self,
        segment: SegmentId,
        names: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, PartnerId>, Error> {
        let unique = |name: &String| domain::partner::reference(name);
        let claims = names.iter().map(|name| (keys::claim(Scope::Segment(segment), &unique(name)), name));
        let own = names.iter().filter_map(|name| Some((keys::partner(segment, name.parse().ok()?), name)));
        let asked: Vec<_> = claims.chain(own).collect();
        let found = self.table.get_all(asked.iter().map(|(key, _)| key.attributes()).collect()).await?;
        let mut named = BTreeMap::new();
        for item in found {
            let has = |key: &keys::Key| key.attributes().iter().all(|(name, value)| item.get(name) == Some(value));
            let Some((_, name)) = asked.iter().find(|(key, _)| has(key)) else { continue };
            match from_item::<Named>(item)? {
                Named { id: Some(own), .. } => drop(named.insert((*name).clone(), own)),
                // An id of its own comes first.
                Named { thing_id: Some(other), .. } => drop(named.entry((*name).clone()).or_insert(other)),
                Named { id: None, thing_id: None } => {}
            }
        }
        Ok(named)
    }

    /// A page of a segment's partners.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn partners(&self, segment: SegmentId, search: &Search) -> Result<Found<Partner>, Error> {
        let key_of = |id| keys::partner(segment, PartnerId::from(id));
        let (name, schema) = (directory(segment), Partner::schema());
        let directory = Directory { table: &self.table, name: &name, schema: &schema, key_of: &key_of };
        search::find(&directory, search).await
    }

    /// Writes a new partner, if its segment is there: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the reference id is taken or the id is there already; [`Error::NotFound`] where the
    /// segment is gone.
    pub async fn create_partner(&self, partner: &Partner, act: Act<'_>) -> Result<(), Error> {
        let exists = Error::conflict("/id", "exists", "is the id of a partner that is there already");
        let key = keys::partner(partner.segment_id, partner.id);
        let create = Write::create(&self.table, &key, to_item(partner)?).on_condition_failed(exists);
        let mut writes = vec![create, self.in_segment(partner.segment_id)];
        writes.extend(self.partner_entries(None, Some(partner)));
        writes.extend(self.tells(None, Some(partner), act)?);
        self.table.transact(writes).await
    }

    /// Writes `new` over `old`: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read; [`Error::Conflict`] where the reference id is
    /// taken.
    pub async fn change_partner(&self, old: &Partner, new: &Partner, act: Act<'_>) -> Result<(), Error> {
        let key = keys::partner(new.segment_id, new.id);
        let mut writes = vec![self.replaced(&key, old.version, &to_item(old)?, &to_item(new)?)];
        writes.extend(self.partner_entries(Some(old), Some(new)));
        writes.extend(self.tells(Some(old), Some(new), act)?);
        self.table.transact(writes).await
    }

    /// Deletes a partner that no user belongs to: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, or a user has come to belong to it, since it was read.
    pub async fn delete_partner(&self, partner: &Partner, act: Act<'_>) -> Result<(), Error> {
        let key = keys::partner(partner.segment_id, partner.id);
        let mut writes = vec![self.removed_unused(&key, partner.version, USER_COUNT)];
        writes.extend(self.partner_entries(Some(partner), None));
        writes.extend(self.tells(Some(partner), None, act)?);
        self.table.transact(writes).await
    }

    /// What a partner is found by, and what no other one has.
    fn partner_entries(&self, old: Option<&Partner>, new: Option<&Partner>) -> Vec<Write> {
        let Some(Partner { id, segment_id, .. }) = new.or(old) else { return Vec::new() };
        let taken = Error::conflict("/reference_id", "taken", "is another partner's; choose another one");
        let (had, has) = (old.and_then(Partner::unique), new.and_then(Partner::unique));
        let mut writes = self.reclaimed((*segment_id, id), had, has, taken);
        let (had, has) = (old.map(Indexed::index), new.map(Indexed::index));
        writes.extend(search::writes(&self.table, &directory(*segment_id), had.as_ref(), has.as_ref()));
        writes
    }
}
