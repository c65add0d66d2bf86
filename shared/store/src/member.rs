//! Members: row, claims, index entries, rank and awards, changed together in one transaction.

use std::collections::BTreeMap;

use domain::member::MemberNumber;
use domain::{
    Act, Answer, Award, Body as _, EntryId, Error, Event, FieldError, Member, MemberId, MembershipId, SegmentId,
    Upload, UploadHolder, UserId,
};
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::job::Job;
use crate::keys::{self, AWARDS, JOINED, SK};
use crate::member_index::{IndexedAnswers, chosen, claims, directory, index, indexed_answers, schema};
use crate::membership::{Configuration, Edition};
use crate::page::{self, Page, Window};
use crate::rank;
use crate::search::{self, COUNT_CAP, Directory, Found, Index, Indexed, Match, Search, Test, Value, fold};
use crate::table::{Item, Query, TRANSACTION, Write, from_item, keyed, string, to_item};

/// A member with what Muster keeps about it for itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MemberRecord {
    /// The member.
    #[serde(flatten)]
    pub member: Member,
    /// How many awards its ledger has.
    pub award_count: u64,
    /// The levels, fields and catalogs that it was written under.
    pub edition: Edition,
    indexed: IndexedAnswers,
}

impl MemberRecord {
    /// The member as it is kept and found under the levels and fields as they are now.
    pub(crate) fn under(member: Member, award_count: u64, configuration: &Configuration) -> Self {
        let member = configuration.placed(member);
        // Answers to a field that is gone must not become answers to another one that is called so.
        let is_there = |key: &str| configuration.fields.iter().any(|field| field.fields.key.as_str() == key);
        let member = Member { answers: member.answers.only(is_there), ..member };
        let (indexed, edition) = (indexed_answers(&member, configuration), configuration.edition());
        Self { member, award_count, edition, indexed }
    }
}

impl MemberRecord {
    /// Gives up the claims of answers that are `taken` and were given before; whether there are such.
    fn gives_up(&mut self, old: &Self, taken: &[FieldError], answers_at: &str) -> bool {
        let mut gave_up = false;
        for (key, indexed) in &mut self.indexed {
            let is_taken = taken.iter().any(|one| one.pointer == format!("{answers_at}/{key}"));
            if is_taken && old.member.answers.get(key) == self.member.answers.get(key) {
                gave_up |= *indexed != indexed.unclaimed();
                *indexed = indexed.unclaimed();
            }
        }
        gave_up
    }
}

impl Indexed for MemberRecord {
    fn index(&self) -> Index {
        index(&self.member, &self.indexed)
    }
}

/// What else changes together with a member.
#[derive(Debug, Clone, Copy, Default)]
pub struct AlsoOfMember<'a> {
    /// The points that came or went.
    pub award: Option<&'a Award>,
    /// The files that its new answers name.
    pub files: &'a [Upload],
    /// The files that its former answers named and no answer does now.
    pub gone: &'a [Upload],
    /// Where answers stand in the request's body: before the `/` and the key.
    pub answers_at: &'static str,
}

impl AlsoOfMember<'_> {
    fn awards(&self) -> u64 {
        u64::from(self.award.is_some())
    }
}

/// A membership that a user has joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Joined {
    /// As which member.
    pub member_id: MemberId,
    /// In which segment.
    pub segment_id: SegmentId,
    /// The master user whose segment that is.
    pub owner_id: UserId,
}

/// What the item of a membership that a user has joined says.
#[derive(Debug, Deserialize)]
struct Whose {
    segment_id: Option<SegmentId>,
    owner_id: Option<UserId>,
}

/// How long a member may be as JSON; as an item, it is a bit shorter than that, and DynamoDB takes 400 KB.
const MOST_BYTES: usize = 390_000;

/// How often another number is tried where one is taken: with millions of members, one in ten is.
pub(crate) const NUMBER_TRIES: u8 = 20;

impl Store {
    /// A member: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn member(&self, id: MemberId) -> Result<MemberRecord, Error> {
        self.table.get(&keys::member(id)).await?.ok_or(Error::NotFound).and_then(from_item)
    }

    /// The memberships that a user has joined, the oldest first: 1 `Query` for each megabyte.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn joined(&self, user: UserId) -> Result<Vec<Joined>, Error> {
        let read = |item: Item| {
            let member = item.get(SK).and_then(|sk| sk.as_s().ok()?.strip_prefix(JOINED)?.parse().ok());
            let member_id = member.ok_or_else(|| Error::internal("a membership that was joined as nobody"))?;
            let Whose { segment_id, owner_id } = from_item(item)?;
            // Items of before said nothing of it.
            let whose = segment_id.zip(owner_id);
            Ok(whose.map(|(segment_id, owner_id)| Joined { member_id, segment_id, owner_id }))
        };
        let items = self.table.all_items(&Query::under(keys::partition(user), JOINED)).await?;
        items.into_iter().filter_map(|item| read(item).transpose()).collect()
    }

    /// A page of a membership's members. How many have chosen an option is not counted: 1 `Query` of the tallies more.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn members(&self, of: &Configuration, search: &Search) -> Result<Found<MemberRecord>, Error> {
        let total = match (search.total, chosen_option(of, search)) {
            (None, Some((key, option))) => Some(self.count_choosers(of.membership.id, key, option).await?),
            (known, _) => known,
        };
        let search = &Search { total, ..search.clone() };
        let key_of = |id| keys::member(MemberId::from(id));
        let (name, schema) = (directory(of.membership.id), schema(of));
        let directory = Directory { table: &self.table, name: &name, schema: &schema, key_of: &key_of };
        search::find(&directory, search).await
    }

    /// How many have chosen an option, and whether they are more than are counted.
    async fn count_choosers(&self, membership: MembershipId, key: &str, option: &str) -> Result<(u64, bool), Error> {
        let (prefix, option) = (chosen(key, ""), fold(option));
        let tallies = self.member_tallies(membership).await?;
        let of_option = |name: &str| name.strip_prefix(&prefix).is_some_and(|found| fold(found) == option);
        let count = tallies.iter().filter(|(name, _)| of_option(name)).map(|(_, count)| count).sum::<u64>();
        Ok((count.min(COUNT_CAP), count > COUNT_CAP))
    }

    /// Writes a new member at the level of its points, with a number of its own: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] naming each value that is taken, or the id, as when a request that was cut off is repeated.
    pub async fn create_member(
        &self,
        new: Member,
        configuration: &Configuration,
        also: AlsoOfMember<'_>,
        act: Act<'_>,
    ) -> Result<MemberRecord, Error> {
        let mut attempt = 0;
        loop {
            let member = Member { number: MemberNumber::of(new.id, attempt), ..new.clone() };
            let record = MemberRecord::under(member, also.awards(), configuration);
            match self.table.transact(self.member_writes(None, Some(&record), also, act)?).await {
                Err(Error::Conflict(taken))
                    if attempt < NUMBER_TRIES && taken.iter().all(|one| one.pointer == NUMBER) =>
                {
                    attempt += 1;
                }
                Err(Error::Conflict(mut taken)) => {
                    taken.retain(|one| one.pointer != NUMBER);
                    return Err(Error::Conflict(taken));
                }
                Err(error) => return Err(error),
                Ok(()) => return Ok(record),
            }
        }
    }

    /// Writes `new` over `old`, at the level of its points: 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where the member has changed since it was read; [`Error::Conflict`] naming each answer that is
    /// taken.
    pub async fn change_member(
        &self,
        old: &MemberRecord,
        new: Member,
        configuration: &Configuration,
        also: AlsoOfMember<'_>,
        act: Act<'_>,
    ) -> Result<MemberRecord, Error> {
        let record = MemberRecord::under(new, old.award_count + also.awards(), configuration);
        self.forget_files(old, &record, configuration).await?;
        self.replace_member(old, record, also, act).await
    }

    /// Writes `new` over `old`. Where an answer that was given before has become another member's, since its field was
    /// not unique for a while, it stays as it is without a claim.
    async fn replace_member(
        &self,
        old: &MemberRecord,
        mut new: MemberRecord,
        also: AlsoOfMember<'_>,
        act: Act<'_>,
    ) -> Result<MemberRecord, Error> {
        loop {
            match self.table.transact(self.member_writes(Some(old), Some(&new), also, act)?).await {
                Err(Error::Conflict(taken)) if new.gives_up(old, &taken, also.answers_at) => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok(new),
            }
        }
    }

    /// Forgets the files of answers whose fields are gone. Before the answers are: what is cut off in between, the next
    /// write of the member goes on with.
    async fn forget_files(
        &self,
        old: &MemberRecord,
        new: &MemberRecord,
        configuration: &Configuration,
    ) -> Result<(), Error> {
        let is_gone = |key: &str| !configuration.fields.iter().any(|field| field.fields.key.as_str() == key);
        for (key, _) in old.indexed.iter().filter(|(key, indexed)| indexed.is_file() && is_gone(key)) {
            let answer = old.member.answers.get(key);
            let is_kept = new.member.answers.iter().any(|(_, kept)| Some(kept) == answer);
            let Some(Answer::Text(file)) = answer.filter(|_| !is_kept) else { continue };
            // From a time when the field asked for text, it may be anything, and name anybody's file.
            if let Ok(id) = file.parse() {
                self.forget_upload_of(id, UploadHolder::Member(old.member.id)).await?;
            }
        }
        Ok(())
    }

    /// Finds a member by what the levels and fields are now, and forgets what it answered to fields that are deleted;
    /// whether anything had to change. 1 transaction if so.
    ///
    /// # Errors
    /// [`Error::Stale`] where the member has changed since it was read, or was written under later levels and fields:
    /// what it has answered to those would be lost.
    pub async fn refresh_member(&self, old: &MemberRecord, configuration: &Configuration) -> Result<bool, Error> {
        if old.edition.is_after(configuration.edition()) {
            return Err(Error::Stale);
        }
        let member = Member { version: old.member.version + 1, ..old.member.clone() };
        let new = MemberRecord::under(member, old.award_count, configuration);
        let (was, is) = (&old.member, &new.member);
        let same = is.answers == was.answers && is.fields.level_id == was.fields.level_id;
        if same && new.indexed == old.indexed {
            return Ok(false);
        }
        let act = Act::by_itself("reconcile");
        // How it is found is no change of the member.
        let act = if same { act.untold() } else { act };
        self.forget_files(old, &new, configuration).await?;
        self.replace_member(old, new, AlsoOfMember::default(), act).await.map(|_| true)
    }

    /// Deletes a member; its awards and files are left to a job. 1 transaction.
    ///
    /// # Errors
    /// [`Error::Stale`] where it has changed, or gone, since it was read.
    pub async fn delete_member(&self, old: &MemberRecord, act: Act<'_>) -> Result<Job, Error> {
        let job = Job::EraseMember(old.member.id);
        let mut writes = self.member_writes(Some(old), None, AlsoOfMember::default(), act)?;
        writes.push(self.begun(job));
        self.table.transact(writes).await?;
        Ok(job)
    }

    /// What turns the member `old` into `new`, with all that goes with it.
    pub(crate) fn member_writes(
        &self,
        old: Option<&MemberRecord>,
        new: Option<&MemberRecord>,
        also: AlsoOfMember<'_>,
        act: Act<'_>,
    ) -> Result<Vec<Write>, Error> {
        let Some(MemberRecord { member, .. }) = new.or(old) else { return Ok(Vec::new()) };
        let (membership, id) = (member.membership_id, member.id);
        let key = keys::member(id);
        let mut writes = vec![match (old, new) {
            (Some(old), Some(new)) => self.replaced(&key, old.member.version, &to_item(old)?, &to_item(new)?),
            (Some(old), None) => self.removed(&key, old.member.version),
            (None, _) => {
                let exists = Error::conflict("/id", "exists", "is the id of a member that is there already");
                Write::create(&self.table, &key, to_item(&new)?).on_condition_failed(exists)
            }
        }];
        writes.extend(self.joins(id, old, new));
        let claims = |record: Option<&MemberRecord>| record.map(|record| claims(&record.member, &record.indexed));
        let (had, has) = (claims(old).unwrap_or_default(), claims(new).unwrap_or_default());
        for (field, value) in had.difference(&has) {
            let claim = keys::member_claim(membership, field, value);
            let mine = Item::from([(":member".to_owned(), string(id))]);
            let released = Write::delete(&self.table, &claim, "member_id = :member", mine);
            writes.push(released.on_condition_failed(Error::Stale));
        }
        for (field, value) in has.difference(&had) {
            let claim = keys::member_claim(membership, field, value);
            let claimed = Write::create(&self.table, &claim, Item::from([("member_id".to_owned(), string(id))]));
            writes.push(claimed.on_condition_failed(taken(field, also.answers_at)));
        }
        let directory = directory(membership);
        let (before, after) = (old.map(Indexed::index), new.map(Indexed::index));
        writes.extend(search::writes(&self.table, &directory, before.as_ref(), after.as_ref()));
        writes.extend(self.subscription_writes(old.map(|old| &old.member), new.map(|new| &new.member)));
        let points = |record: Option<&MemberRecord>| record.map(|record| record.member.points.get());
        writes.extend(rank::writes(&self.table, &directory, id.uuid(), points(old), points(new)));
        if let Some(award) = also.award {
            let exists = Error::conflict("/id", "exists", "is the id of an award that is there already");
            let created = Write::create(&self.table, &keys::award(id, award.id), to_item(award)?);
            writes.push(created.on_condition_failed(exists));
        }
        for file in also.files {
            writes.extend(self.upload_used(file, id));
        }
        for file in also.gone {
            writes.extend(self.upload_gone(file));
        }
        writes.extend(self.tells_member(old, new, also, act)?);
        let size = new.map(serde_json::to_vec).transpose().map_err(Error::internal)?.map_or(0, |item| item.len());
        if size > MOST_BYTES {
            let message = "makes the answers longer than can be kept of a member; shorten some of them";
            return Err(Error::invalid(also.answers_at, "too_large", message));
        }
        if writes.len() > TRANSACTION {
            let message = "changes too many answers at once that members are found by; send some of them later";
            return Err(Error::invalid(also.answers_at, "too_many", message));
        }
        if let (Some(_), Some(new)) = (old, new) {
            self.fits(new, also.answers_at)?;
        }
        Ok(writes)
    }

    /// What tells of a member, and of the subscription that it is.
    fn tells_member(
        &self,
        old: Option<&MemberRecord>,
        new: Option<&MemberRecord>,
        also: AlsoOfMember<'_>,
        act: Act<'_>,
    ) -> Result<Vec<Write>, Error> {
        let (old, new) = (old.map(|old| &old.member), new.map(|new| &new.member));
        let told = match (old, new, also.award) {
            (Some(old), Some(new), Some(_)) => self.outbox(Event::of_points(old, new, act))?,
            (None, ..) | (_, None, _) | (_, _, None) => self.tells(old, new, act)?,
        };
        let (was, is) = (old.and_then(Member::subscription), new.and_then(Member::subscription));
        let same = was.as_ref().zip(is.as_ref()).is_some_and(|(was, is)| was.fields.show() == is.fields.show());
        let subscribed = if same { None } else { self.tells(was.as_ref(), is.as_ref(), act)? };
        Ok(told.into_iter().chain(subscribed).collect())
    }

    /// What lists a membership with the user who is its member.
    fn joins(&self, id: MemberId, old: Option<&MemberRecord>, new: Option<&MemberRecord>) -> Vec<Write> {
        let user = |record: Option<&MemberRecord>| record.and_then(|record| record.member.fields.user_id);
        if user(old) == user(new) {
            return Vec::new();
        }
        let member = new.or(old).map(|record| &record.member);
        let whose =
            member.map(|member| [("segment_id", string(member.segment_id)), ("owner_id", string(member.owner_id))]);
        let whose: Item = whose.into_iter().flatten().map(|(name, id)| (name.to_owned(), id)).collect();
        let left = user(old).map(|user| vec![Write::delete_item(&self.table, keys::joined(user, id).attributes())]);
        let joined = user(new).map(|user| {
            // A user who is being purged must not be left behind as a member.
            let there = self.joining(user).on_condition_failed(unknown_user());
            vec![Write::put(&self.table, keyed(&keys::joined(user, id), whose.clone())), there]
        });
        [left, joined].into_iter().flatten().flatten().collect()
    }

    /// Refuses a member that has grown past what one transaction could delete again.
    fn fits(&self, member: &MemberRecord, answers_at: &str) -> Result<(), Error> {
        // Beside the member go the job that erases the rest, and what its user has of it; what is told of it is as much.
        let act = Act::by_itself("");
        if self.member_writes(None, Some(member), AlsoOfMember::default(), act)?.len() + 2 > TRANSACTION {
            let message = "has more choices and answers than a member can be found by; choose fewer";
            return Err(Error::invalid(answers_at, "too_many", message));
        }
        Ok(())
    }

    /// How many members have each tally of a membership: 1 `Query`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn member_tallies(&self, membership: MembershipId) -> Result<BTreeMap<String, u64>, Error> {
        search::tallies(&self.table, &directory(membership)).await
    }

    /// How many members have more points than this: 1 `BatchGetItem`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn members_above(&self, membership: MembershipId, points: i64) -> Result<u64, Error> {
        rank::above(&self.table, &directory(membership), points).await
    }

    /// An award of a member: 1 `GetItem`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn award(&self, member: MemberId, id: EntryId) -> Result<Award, Error> {
        self.table.get(&keys::award(member, id)).await?.ok_or(Error::NotFound).and_then(from_item)
    }

    /// A window of a member's awards: 1 `Query`, more only for far offsets.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn awards(&self, member: MemberId, window: &Window) -> Result<Page<Award>, Error> {
        page::read(&self.table, &keys::member(member).pk, AWARDS, window).await
    }
}

/// Where the error of a number stands that is taken: clients never see it.
pub(crate) const NUMBER: &str = "/number";

/// The field and the option, where a search asks for nothing but who has chosen one.
fn chosen_option<'a>(of: &Configuration, search: &'a Search) -> Option<(&'a str, &'a str)> {
    let [filter] = search.filters.as_slice() else { return None };
    let Test::AnyOf(values) = &filter.test else { return None };
    let [Match::Exact(Value::Text(option))] = values.as_slice() else { return None };
    let key = filter.field.strip_prefix("answers.")?;
    let field = of.fields.iter().find(|field| field.fields.key.as_str() == key)?;
    field.fields.kind.chooses().then_some((key, option.as_str()))
}

fn unknown_user() -> Error {
    Error::invalid("/user_id", "unknown", "must be the id of a user of this segment")
}

/// What a taken value means to the client.
fn taken(field: &str, answers_at: &str) -> Error {
    let pointer = match field.strip_prefix("answers.") {
        Some(key) => format!("{answers_at}/{key}"),
        None => format!("/{field}"),
    };
    let message = match field {
        "user_id" => "is the id of a user who has joined this membership already",
        _ => "is another member's; choose another one",
    };
    Error::conflict(&pointer, "taken", message)
}
