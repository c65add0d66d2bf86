//! What is measured: the reads of searches and rankings, as the API makes them once it knows who asks.

use benches::Failure;
use benches::report::Measure;
use domain::{Answer, Member};
use local::{Cost, Meter};
use store::search::{COUNT_CAP, Filter, Found, Match, Search, Sort, Test, Value};
use store::{Configuration, From, MemberRecord, Store};

use crate::people::{self, RARE};

/// A filled membership.
pub(crate) struct Filled<'a> {
    pub(crate) store: &'a Store,
    pub(crate) meter: &'a Meter,
    pub(crate) configuration: Configuration,
    pub(crate) members: Vec<Member>,
}

/// A search in words, and how many members it must find.
struct Case<'a> {
    what: &'a str,
    filters: Vec<Filter>,
    sorts: &'a [&'a str],
    found: usize,
    /// Whether its first page, and the page after that, may cost no more among many than among few.
    is_flat: (bool, bool),
}

/// Every order that one field makes.
const SORTS: [&str; 26] = [
    "id",
    "-id",
    "name",
    "-name",
    "last_name",
    "-last_name",
    "points",
    "-points",
    "number",
    "-number",
    "status",
    "-status",
    "level_id",
    "-level_id",
    "starts_at",
    "-starts_at",
    "expires_at",
    "-expires_at",
    "last_payment_at",
    "-last_payment_at",
    "answers.registered_name",
    "-answers.registered_name",
    "answers.income",
    "-answers.income",
    "answers.since",
    "-answers.since",
];

impl Filled<'_> {
    /// Measures everything.
    pub(crate) async fn measure(&self) -> Result<Vec<Measure>, Failure> {
        let mut all = Vec::new();
        for case in self.by_answers() {
            self.pages(&mut all, case).await?;
        }
        for sort in SORTS {
            let (what, found) = (format!("sort={sort}"), self.members.len());
            let case = Case { what: &what, filters: Vec::new(), sorts: &[sort], found, is_flat: (true, true) };
            self.pages(&mut all, case).await?;
        }
        self.pages(&mut all, self.by_facets()).await?;
        self.pages(&mut all, self.by_two()).await?;
        self.ranking(&mut all).await?;
        Ok(all)
    }

    /// Searches by answers. What many have is counted for the first page, as far as is counted at all.
    fn by_answers(&self) -> Vec<Case<'static>> {
        let rfc = people::rfc(self.members.len() / 2);
        let start: String = rfc.chars().take(12).collect();
        let (mexico, maria) = (self.count("city", |city| city == "México"), self.count("registered_name", is_marias));
        let case = |what, filter, found| Case { what, filters: vec![filter], sorts: &[], found, is_flat: (true, true) };
        let marias = || prefix("answers.registered_name", "maria ");
        vec![
            case("an answer that 30 have", is("answers.city", text("tulum")), RARE),
            case("a prefix of an answer that 30 have", prefix("answers.city", "tul"), RARE),
            case("a unique answer", is("answers.rfc", text(&rfc)), 1),
            case("a prefix of a unique answer", prefix("answers.rfc", &start), 1),
            Case {
                is_flat: (false, true),
                ..case("an answer that a fifth have", is("answers.city", text("mexico")), mexico)
            },
            Case { is_flat: (false, false), ..case("a prefix that a seventh have", marias(), maria) },
            Case {
                is_flat: (false, true),
                sorts: &["answers.registered_name"],
                ..case("the same, sorted by that answer", marias(), maria)
            },
        ]
    }

    fn by_facets(&self) -> Case<'static> {
        let level = self.configuration.levels.first().map(|level| level.id);
        let met = |member: &&Member| member.fields.level_id == level && member.fields.status.0.as_str() == "ACTIVE";
        let found = self.members.iter().filter(met).count();
        let level = Value::word(level.map(|level| level.to_string()).unwrap_or_default());
        let filters = vec![is("level_id", level), is("status", Value::word("ACTIVE"))];
        Case { what: "level_id and status, sort=name", filters, sorts: &["name"], found, is_flat: (true, true) }
    }

    /// Two fields, neither of few values: who has the same value of the first one is many among many.
    fn by_two(&self) -> Case<'static> {
        let (what, found) = ("sort=last_name,-points", self.members.len());
        Case { what, filters: Vec::new(), sorts: &["last_name", "-points"], found, is_flat: (false, false) }
    }

    fn count(&self, key: &str, meets: fn(&str) -> bool) -> usize {
        let answer = |member: &&Member| matches!(member.answers.get(key), Some(Answer::Text(text)) if meets(text));
        self.members.iter().filter(answer).count()
    }

    /// The first page of a search, and the page after it.
    async fn pages(&self, all: &mut Vec<Measure>, case: Case<'_>) -> Result<(), Failure> {
        let Case { what, filters, sorts, found: met, is_flat } = case;
        let first = Search { filters, sort: sorts.iter().map(|sort| by(sort)).collect(), ..page(From::Offset(0)) };
        let (found, cost) = self.search(&first).await?;
        let counted = if found.capped { COUNT_CAP } else { met as u64 };
        if found.total != counted || found.rows.len() != met.min(20) {
            return Err(format!("{what}: {} of {} are found, not {met}.", found.rows.len(), found.total).into());
        }
        all.push(Measure { what: format!("{what}, first page"), cost, is_flat: is_flat.0 });
        let Some(last) = found.positions.last().filter(|_| found.more_after) else { return Ok(()) };
        let next = Search { from: From::After(last.clone()), total: Some((found.total, found.capped)), ..first };
        let (found, cost) = self.search(&next).await?;
        if found.rows.is_empty() {
            return Err(format!("{what}: the page after the cursor is empty.").into());
        }
        all.push(Measure { what: format!("{what}, next page"), cost, is_flat: is_flat.1 });
        Ok(())
    }

    async fn search(&self, search: &Search) -> Result<(Found<MemberRecord>, Cost), Failure> {
        self.meter.take();
        let found = self.store.members(&self.configuration, search).await?;
        Ok((found, self.meter.take()))
    }

    /// The place of the member with the most points, to which the way is the longest, and the ranking's first page: a
    /// search, and the places of its first two runs, as `functions/members` asks for them.
    async fn ranking(&self, all: &mut Vec<Measure>) -> Result<(), Failure> {
        let membership = self.configuration.membership.id;
        let points = self.members.iter().map(|member| member.points.get()).max().unwrap_or_default();
        for (whose, points) in [("the first", points), ("one with half as many", points / 2)] {
            self.meter.take();
            let above = self.store.members_above(membership, points).await?;
            let cost = self.meter.take();
            let counted = self.members.iter().filter(|member| member.points.get() > points).count();
            if above != counted as u64 {
                return Err(format!("{above} members are said to have more points, and {counted} have.").into());
            }
            all.push(Measure { what: format!("the place of {whose} in the ranking"), cost, is_flat: true });
        }
        let first = Search { sort: vec![by("-points")], ..page(From::Offset(0)) };
        self.meter.take();
        let found = self.store.members(&self.configuration, &first).await?;
        for run in found.rows.chunk_by(|one, other| one.member.points == other.member.points).take(2) {
            let points = run.first().map_or(0, |record| record.member.points.get());
            self.store.members_above(membership, points).await?;
        }
        all.push(Measure { what: "the ranking, first page".to_owned(), cost: self.meter.take(), is_flat: true });
        Ok(())
    }
}

/// Twenty members.
fn page(from: From) -> Search {
    Search { filters: Vec::new(), sort: Vec::new(), size: 20, from, total: None }
}

fn by(sort: &str) -> Sort {
    let (field, descending) = sort.strip_prefix('-').map_or((sort, false), |field| (field, true));
    Sort { field: field.to_owned(), descending }
}

fn is_marias(name: &str) -> bool {
    name.starts_with("María ")
}

fn prefix(field: &str, prefix: &str) -> Filter {
    any_of(field, Match::Prefix(prefix.to_owned()))
}

fn any_of(field: &str, one: Match) -> Filter {
    Filter { field: field.to_owned(), test: Test::AnyOf(vec![one]) }
}

fn is(field: &str, value: Value) -> Filter {
    any_of(field, Match::Exact(value))
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}
