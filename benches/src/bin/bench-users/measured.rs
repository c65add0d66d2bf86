//! The reads of lists, look-ups and changes, as the API makes them once it knows who asks; each answer is compared with
//! the people in memory.

use benches::Failure;
use benches::report::Measure;
use domain::{SegmentId, Time, User};
use local::Meter;
use store::search::{Found, Search};
use store::{From, Scope, Since, Store};

use crate::cases::Case;
use crate::people::Person;

/// So many rows a page has.
const PAGE: u32 = 20;

/// So many changes an answer has.
const CHANGES: u32 = 100;

/// A filled segment.
pub(crate) struct Filled<'a> {
    pub(crate) store: &'a Store,
    pub(crate) meter: &'a Meter,
    pub(crate) segment: SegmentId,
    /// Everybody, in the order of the ids and of the times of their changes.
    pub(crate) people: Vec<Person>,
}

impl Filled<'_> {
    /// Measures everything.
    pub(crate) async fn measure(&self) -> Result<Vec<Measure>, Failure> {
        let mut all = Vec::new();
        for case in Case::all() {
            self.pages(&mut all, &case).await?;
        }
        self.look_ups(&mut all).await?;
        self.changes(&mut all).await?;
        Ok(all)
    }

    /// The first page of a list, the page after it, and one after a cursor half-way.
    async fn pages(&self, all: &mut Vec<Measure>, case: &Case) -> Result<(), Failure> {
        let met = self.people.iter().filter(|person| case.asks_for(person.status)).count();
        let search = |size, from, total| Search { filters: case.filters(), sort: case.sort.clone(), size, from, total };
        let first = self.page(all, case, (&search(PAGE, From::Offset(0), None), 0, "first page")).await?;
        if first.total != met as u64 {
            return Err(format!("{}: {} are counted, not {met}.", case.what, first.total).into());
        }
        let known = Some((first.total, first.capped));
        let from = From::After(last(&first)?);
        self.page(all, case, (&search(PAGE, from, known), PAGE as usize, "next page")).await?;
        let half = met / 2;
        let one = self.store.users(self.segment, &search(1, From::Offset(half as u64), known)).await?;
        let from = From::After(last(&one)?);
        self.page(all, case, (&search(PAGE, from, known), half + 1, "half-way")).await?;
        Ok(())
    }

    /// One page, of which so many come before.
    async fn page(
        &self,
        all: &mut Vec<Measure>,
        case: &Case,
        (search, before, which): (&Search, usize, &str),
    ) -> Result<Found<User>, Failure> {
        self.meter.take();
        let found = self.store.users(self.segment, search).await?;
        let cost = self.meter.take();
        let what = format!("{}, {which}", case.what);
        let rows: Vec<_> = found.rows.iter().map(Person::of).collect();
        let ascend = rows.is_sorted_by(|one, other| one.compare(other, &case.sort).is_lt());
        let ends = rows.first().zip(rows.last());
        let places = ends.map(|(first, last)| (self.place(first, case), self.place(last, case)));
        if !ascend || rows.len() != PAGE as usize || places != Some((before, before + rows.len() - 1)) {
            return Err(format!("{what}: {} are found at {places:?}, not at {before}.", rows.len()).into());
        }
        all.push(Measure { what, cost, is_flat: true });
        Ok(found)
    }

    /// How many come before somebody in a list.
    fn place(&self, one: &Person, case: &Case) -> usize {
        let before = |other: &&Person| case.asks_for(other.status) && other.compare(one, &case.sort).is_lt();
        self.people.iter().filter(before).count()
    }

    /// Somebody by each value that nobody else has.
    async fn look_ups(&self, all: &mut Vec<Measure>) -> Result<(), Failure> {
        let scope = Scope::Segment(self.segment);
        let from = |nth: usize| self.people.iter().skip(nth);
        for field in ["email", "username", "reference_id", "identification"] {
            // Not everybody has one.
            let mut held = None;
            for person in from(self.people.len() / 2) {
                let record = self.store.user(person.id.into()).await?.ok_or("A user is missing.")?;
                held = record.user.unique_values().into_iter().find(|unique| unique.field == field);
                if let Some(unique) = &held {
                    self.meter.take();
                    let found = self.store.user_by(scope, unique).await?;
                    let cost = self.meter.take();
                    if found.is_none_or(|found| found.user.id != record.user.id) {
                        return Err(format!("The user with this {field} is not found.").into());
                    }
                    all.push(Measure { what: format!("look-up by {field}"), cost, is_flat: true });
                    break;
                }
            }
            held.ok_or_else(|| format!("Nobody has {field}."))?;
        }
        Ok(())
    }

    /// The first changes ever, those after them, and some from a time half-way on.
    async fn changes(&self, all: &mut Vec<Measure>) -> Result<(), Failure> {
        let first = self.changed(all, (&Since::time(Time::from_millis(0)), 0, "changes, first page")).await?;
        self.changed(all, (&first, CHANGES as usize, "changes, next page")).await?;
        let half = self.people.len() / 2;
        let since = self.people.get(half).map(|person| Since::time(Time::of(person.id))).ok_or("Nobody is there.")?;
        self.changed(all, (&since, half, "changes, from a time half-way")).await?;
        Ok(())
    }

    async fn changed(
        &self,
        all: &mut Vec<Measure>,
        (since, before, what): (&Since, usize, &str),
    ) -> Result<Since, Failure> {
        self.meter.take();
        let found = self.store.user_changes(self.segment, since, CHANGES).await?;
        let cost = self.meter.take();
        let changed = found.rows.iter().map(|change| change.id.uuid());
        let expected = self.people.iter().skip(before).take(CHANGES as usize).map(|person| person.id);
        if !changed.eq(expected) || !found.more {
            return Err(format!("{what}: {} changes are told, and others.", found.rows.len()).into());
        }
        all.push(Measure { what: what.to_owned(), cost, is_flat: true });
        Ok(found.next)
    }
}

fn last(found: &Found<User>) -> Result<String, Failure> {
    Ok(found.positions.last().cloned().ok_or("Nobody is found.")?)
}
