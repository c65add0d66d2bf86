//! Memberships with their levels and custom fields, which share a partition: one `Query` reads all of it.

use std::collections::{BTreeMap, BTreeSet};

use domain::event::{About, Change};
use domain::{
    Act, AuditAction, AuditEntry, Catalog, CatalogId, CustomField, Error, FieldId, Level, LevelId, Member,
    MemberFields, Membership, MembershipId, Question, SegmentId,
};
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::audit::changed_settings;
use crate::job::Job;
use crate::keys::{self, FIELDS, LEVELS, SK};
use crate::search::{self, Directory, Found, Index, Indexed, Kind, Schema, Search, Searched, Value, ValueType};
use crate::table::{Changes, Item, Query, Write, from_item, number, to_item};
use crate::unique::{PRODUCT_COUNT, Used};

impl Indexed for Membership {
    fn index(&self) -> Index {
        Index::new(self.id.uuid())
            .sorted("name", Some(&Value::Text(self.fields.name.as_str().to_owned())))
            .found("status", &Value::word(self.fields.status.0))
            .found("self_enrolment", &Value::word(self.fields.self_enrolment.0))
    }
}

impl Searched for Membership {
    fn schema() -> Schema {
        Schema::default().with("name", Kind::Sorted, ValueType::Text).with("status", Kind::Found, ValueType::Word).with(
            "self_enrolment",
            Kind::Found,
            ValueType::Word,
        )
    }
}

impl Indexed for Level {
    fn index(&self) -> Index {
        let fields = &self.fields;
        Index::new(self.id.uuid())
            .ordered("name", Some(&Value::Text(fields.name.as_str().to_owned())))
            .ordered("number", Value::number(&fields.number.get().to_string()).as_ref())
            .ordered("from_point", Value::number(&fields.from_point.get().to_string()).as_ref())
            .found("status", &Value::word(fields.status.0))
    }
}

impl Searched for Level {
    fn schema() -> Schema {
        Schema::default()
            .with("name", Kind::Ordered, ValueType::Text)
            .with("number", Kind::Ordered, ValueType::Number)
            .with("from_point", Kind::Ordered, ValueType::Number)
            .with("status", Kind::Found, ValueType::Word)
    }
}

impl Indexed for CustomField {
    fn index(&self) -> Index {
        let fields = &self.fields;
        let index = Index::new(self.id.uuid())
            .ordered("key", Some(&Value::word(fields.key.as_str())))
            .ordered("name", Some(&Value::Text(fields.name.as_str().to_owned())))
            .ordered("position", Value::number(&fields.position.0.get().to_string()).as_ref())
            .found("type", &Value::word(fields.kind.as_str()))
            .found("required", &Value::word(fields.required.0))
            .found("searchable", &Value::word(fields.searchable.0))
            .found("status", &Value::word(fields.status.0));
        fields.level_ids.0.0.iter().fold(index, |index, level| index.found("level_ids", &Value::word(level)))
    }
}

impl Searched for CustomField {
    fn schema() -> Schema {
        let found = ["type", "required", "searchable", "status", "level_ids"];
        let schema = Schema::default()
            .with("key", Kind::Ordered, ValueType::Word)
            .with("name", Kind::Ordered, ValueType::Text)
            .with("position", Kind::Ordered, ValueType::Number);
        found.into_iter().fold(schema, |schema, field| schema.with(field, Kind::Found, ValueType::Word))
    }
}

/// The directory of a segment's memberships.
pub(crate) fn directory(segment: SegmentId) -> String {
    format!("B#{segment}")
}

/// A membership with all that its members are held to.
#[derive(Debug, Clone)]
pub struct Configuration {
    /// The membership.
    pub membership: Membership,
    /// Its levels, lowest first.
    pub levels: Vec<Level>,
    /// Its custom fields, in the order of their positions.
    pub fields: Vec<CustomField>,
    /// The catalogs that fields name, once they were read.
    pub catalogs: BTreeMap<CatalogId, Catalog>,
    revised: Revision,
}

/// How often levels and fields have changed.
#[derive(Debug, Clone, Default, Deserialize)]
struct Revision {
    #[serde(default)]
    revision: u64,
}

/// Which state of a configuration a member was written under.
///
/// Two are equal only if nothing has changed between them: a change of levels or fields counts `revision` up, and one
/// of a catalog its own version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edition {
    revision: u64,
    catalogs: u64,
}

impl Edition {
    /// Whether levels or fields have changed since the other one.
    pub(crate) fn is_after(self, other: Self) -> bool {
        self.revision > other.revision
    }
}

impl Configuration {
    /// The questions that are asked, in the order of their positions.
    #[must_use]
    pub fn questions(&self) -> Vec<Question<'_>> {
        let catalog = |id: &CatalogId| self.catalogs.get(id);
        self.fields
            .iter()
            .map(|field| Question::new(field, field.fields.catalog_id.as_ref().and_then(catalog)))
            .collect()
    }

    /// The level of who has so many points: the one whose range holds them, or else the highest that begins below.
    /// Levels that are switched off are nobody's.
    #[must_use]
    pub fn level_of(&self, points: i64) -> Option<&Level> {
        let reached = |level: &&Level| level.fields.status.0 && level.fields.from_point.get() <= points;
        self.levels.iter().filter(reached).max_by_key(|level| level.fields.from_point.get())
    }

    /// A member at the level of its points.
    #[must_use]
    pub fn placed(&self, member: Member) -> Member {
        let level_id = self.level_of(member.points.get()).map(|level| level.id);
        Member { fields: MemberFields { level_id, ..member.fields }, ..member }
    }

    /// A member as clients see it, under the levels and fields as they are now.
    #[must_use]
    pub fn shown(&self, member: Member) -> Member {
        self.placed(member).under(&self.questions())
    }

    /// The state that this is, whatever the clocks say.
    #[must_use]
    pub fn edition(&self) -> Edition {
        let catalogs = self.catalogs.values().map(|catalog| catalog.version).sum();
        Edition { revision: self.revised.revision, catalogs }
    }

    /// The level with this id.
    #[must_use]
    pub fn level(&self, id: LevelId) -> Option<&Level> {
        self.levels.iter().find(|level| level.id == id)
    }

    /// The custom field with this id.
    #[must_use]
    pub fn field(&self, id: FieldId) -> Option<&CustomField> {
        self.fields.iter().find(|field| field.id == id)
    }
}

/// One change of a membership's levels or fields.
#[derive(Debug, Clone, Copy)]
pub enum Part<'a> {
    /// A new level.
    NewLevel(&'a Level),
    /// A level, as it was and as it is.
    Level(&'a Level, &'a Level),
    /// A level that goes.
    NoLevel(&'a Level),
    /// A new custom field.
    NewField(&'a CustomField),
    /// A custom field, as it was and as it is.
    Field(&'a CustomField, &'a CustomField),
    /// A custom field that goes.
    NoField(&'a CustomField),
}

impl Part<'_> {
    /// What it is, as an event tells of it.
    fn about(self, segment: SegmentId) -> About {
        match self {
            Self::NewLevel(level) | Self::Level(_, level) | Self::NoLevel(level) => level.about_in(segment),
            Self::NewField(field) | Self::Field(_, field) | Self::NoField(field) => field.about_in(segment),
        }
    }

    /// It as it was, and as it is.
    fn change(&self) -> Change<'_> {
        match *self {
            Self::NewLevel(new) => (None, Some(new)),
            Self::Level(old, new) => (Some(old), Some(new)),
            Self::NoLevel(old) => (Some(old), None),
            Self::NewField(new) => (None, Some(new)),
            Self::Field(old, new) => (Some(old), Some(new)),
            Self::NoField(old) => (Some(old), None),
        }
    }

    /// The catalog that a field comes to name.
    fn names(self) -> Option<CatalogId> {
        match self {
            Self::NewField(new) => new.fields.catalog_id,
            Self::Field(old, new) => new.fields.catalog_id.filter(|id| old.fields.catalog_id != Some(*id)),
            Self::NewLevel(_) | Self::Level(..) | Self::NoLevel(_) | Self::NoField(_) => None,
        }
    }
}

impl Store {
    /// A membership: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn membership(&self, id: MembershipId) -> Result<Membership, Error> {
        self.table.get(&keys::membership(id)).await?.ok_or(Error::NotFound).and_then(from_item)
    }

    /// A membership, with how many products name it: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn used_membership(&self, id: MembershipId) -> Result<Used<Membership>, Error> {
        self.table.get(&keys::membership(id)).await?.ok_or(Error::NotFound).and_then(from_item)
    }

    /// A membership with its levels and fields, catalogs not read: 1 `Query` for each megabyte.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn configuration(&self, id: MembershipId) -> Result<Configuration, Error> {
        let (mut membership, mut levels, mut fields) = (None, Vec::new(), Vec::new());
        for item in self.table.all_items(&Query::all(keys::membership(id).pk)).await? {
            let sk = item.get(SK).and_then(|sk| sk.as_s().ok()).cloned().unwrap_or_default();
            if sk.starts_with(LEVELS) {
                levels.push(from_item::<Level>(item)?);
            } else if sk.starts_with(FIELDS) {
                fields.push(from_item::<CustomField>(item)?);
            } else {
                membership = Some(item);
            }
        }
        let item = membership.ok_or(Error::NotFound)?;
        let revised = from_item(item.clone())?;
        levels.sort_by_key(|level| level.fields.number.get());
        fields.sort_by_key(|field| (field.fields.position.0.get(), field.id));
        Ok(Configuration { membership: from_item(item)?, levels, fields, catalogs: BTreeMap::new(), revised })
    }

    /// The configuration with the catalogs that its fields name: 1 `BatchGetItem`, if they name any.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn with_catalogs(&self, configuration: Configuration) -> Result<Configuration, Error> {
        let named: BTreeSet<_> = configuration.fields.iter().filter_map(|field| field.fields.catalog_id).collect();
        let catalogs = self.catalogs_of(configuration.membership.segment_id, &named).await?;
        Ok(Configuration { catalogs, ..configuration })
    }

    /// A page of a segment's memberships.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn memberships(&self, segment: SegmentId, search: &Search) -> Result<Found<Membership>, Error> {
        let key_of = |id| keys::membership(MembershipId::from(id));
        let (name, schema) = (directory(segment), Membership::schema());
        let directory = Directory { table: &self.table, name: &name, schema: &schema, key_of: &key_of };
        search::find(&directory, search).await
    }

    /// The first membership that a segment got, of those that are there: 1 `Query`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn oldest_membership(&self, segment: SegmentId) -> Result<Option<MembershipId>, Error> {
        Ok(self.ids_in(&directory(segment), None).await?.first().map(|id| MembershipId::from(*id)))
    }

    /// Writes a new membership, if its segment is there: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] where the id is there already; [`Error::NotFound`] where the segment is gone.
    pub async fn create_membership(&self, membership: &Membership, act: Act<'_>) -> Result<(), Error> {
        let mut writes = self.new_membership(membership, 0)?;
        writes.push(self.in_segment(membership.segment_id));
        writes.extend(self.tells(None, Some(membership), act)?);
        self.table.transact(writes).await
    }

    /// The writes of a new membership that so many products name.
    pub(crate) fn new_membership(&self, membership: &Membership, products: u64) -> Result<Vec<Write>, Error> {
        let exists = Error::conflict("/id", "exists", "is the id of a membership that is there already");
        let mut item = to_item(membership)?;
        item.insert("revision".to_owned(), number(0));
        item.insert(PRODUCT_COUNT.to_owned(), number(products));
        let create = Write::create(&self.table, &keys::membership(membership.id), item);
        let mut writes = vec![create.on_condition_failed(exists)];
        let has = membership.index();
        writes.extend(search::writes(&self.table, &directory(membership.segment_id), None, Some(&has)));
        Ok(writes)
    }

    /// Writes `new` over `old`: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read.
    pub async fn change_membership(&self, old: &Membership, new: &Membership, act: Act<'_>) -> Result<(), Error> {
        let key = keys::membership(new.id);
        let mut writes = vec![self.replaced(&key, old.version, &to_item(old)?, &to_item(new)?)];
        let (had, has) = (old.index(), new.index());
        writes.extend(search::writes(&self.table, &directory(new.segment_id), Some(&had), Some(&has)));
        writes.extend(self.tells(Some(old), Some(new), act)?);
        let changed = changed_settings(old, new, &["self_enrolment"]);
        if !changed.is_empty() {
            let audit = AuditEntry::new(AuditAction::SettingsChanged, new, new.id, act).with_fields(changed);
            writes.extend(self.audit_writes([&audit])?);
        }
        self.table.transact(writes).await
    }

    /// Deletes a membership that no product names; its levels, fields and members are left to a job. 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, or a product has come to name it, since it was read.
    pub async fn delete_unused_membership(&self, membership: &Membership, act: Act<'_>) -> Result<Job, Error> {
        let gone = self.removed_unused(&keys::membership(membership.id), membership.version, PRODUCT_COUNT);
        self.end_membership(membership, vec![gone, self.kept(membership)?], act).await
    }

    /// Deletes a membership, whatever names it, as its segment goes. 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read.
    pub(crate) async fn delete_membership(&self, membership: &Membership) -> Result<Job, Error> {
        let gone = self.removed(&keys::membership(membership.id), membership.version);
        // The segment's end is told, not that of each thing in it.
        self.end_membership(membership, vec![gone], Act::by_itself("reconcile").untold()).await
    }

    async fn end_membership(&self, membership: &Membership, gone: Vec<Write>, act: Act<'_>) -> Result<Job, Error> {
        let (job, mut writes) = (Job::EraseMembership(membership.id), gone);
        writes.push(self.begun(job));
        let had = membership.index();
        writes.extend(search::writes(&self.table, &directory(membership.segment_id), Some(&had), None));
        writes.extend(self.tells(Some(membership), None, act)?);
        self.table.transact(writes).await?;
        Ok(job)
    }

    /// Changes a level or a field, if no other has changed since `before` was read; `refresh` where members are found
    /// by other values then. 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where another level or field has changed meanwhile; [`Error::Conflict`] where the id is there
    /// already; [`Error::Invalid`] where a field names a catalog that is gone.
    pub async fn change_configuration(
        &self,
        before: &Configuration,
        part: Part<'_>,
        refresh: bool,
        act: Act<'_>,
    ) -> Result<Option<Job>, Error> {
        let id = before.membership.id;
        let next = Changes::default()
            .set("revision", number(before.revised.revision + 1))
            .value(":revision", number(before.revised.revision))
            .named("#revision", "revision");
        let counted = Write::update(&self.table, &keys::membership(id), "#revision = :revision", next);
        let mut writes = vec![counted.on_condition_failed(Error::Stale), self.part(id, part)?];
        writes.extend(self.part_home(id, part));
        writes.extend(self.part_kept(part)?);
        writes.extend(part.names().map(|catalog| self.catalog_used(before.membership.segment_id, catalog)));
        writes.extend(self.tells_of(part.about(before.membership.segment_id), part.change(), act)?);
        let job = refresh.then_some(Job::Refresh(id));
        writes.extend(job.map(|job| self.begun(job)));
        self.table.transact(writes).await?;
        Ok(job)
    }

    /// By what a level or field is found that comes, and not found that goes.
    fn part_home(&self, id: MembershipId, part: Part<'_>) -> Option<Write> {
        match part {
            Part::NewLevel(level) => Some(self.at_home(level.id.uuid(), id)),
            Part::NewField(field) => Some(self.at_home(field.id.uuid(), id)),
            Part::NoLevel(level) => Some(self.no_home(level.id.uuid())),
            Part::NoField(field) => Some(self.no_home(field.id.uuid())),
            Part::Level(..) | Part::Field(..) => None,
        }
    }

    /// What keeps a level or field that goes.
    fn part_kept(&self, part: Part<'_>) -> Result<Option<Write>, Error> {
        match part {
            Part::NoLevel(level) => self.kept(level).map(Some),
            Part::NoField(field) => self.kept(field).map(Some),
            Part::NewLevel(_) | Part::Level(..) | Part::NewField(_) | Part::Field(..) => Ok(None),
        }
    }

    fn part(&self, id: MembershipId, part: Part<'_>) -> Result<Write, Error> {
        let create = |key: &keys::Key, item: Item| {
            let exists = Error::conflict("/id", "exists", "is the id of something that is there already");
            Write::create(&self.table, key, item).on_condition_failed(exists)
        };
        Ok(match part {
            Part::NewLevel(level) => create(&keys::level(id, level.id), to_item(level)?),
            Part::Level(old, new) => {
                self.replaced(&keys::level(id, new.id), old.version, &to_item(old)?, &to_item(new)?)
            }
            Part::NoLevel(level) => self.removed(&keys::level(id, level.id), level.version),
            Part::NewField(field) => create(&keys::field(id, field.id), to_item(field)?),
            Part::Field(old, new) => {
                self.replaced(&keys::field(id, new.id), old.version, &to_item(old)?, &to_item(new)?)
            }
            Part::NoField(field) => self.removed(&keys::field(id, field.id), field.version),
        })
    }
}
