//! Filters as ranges of places in a partition, which test entries and rows alike.

use domain::Error;
use uuid::Uuid;

use crate::keys;
use crate::search::index::Index;
use crate::search::schema::{Kind, Schema};
use crate::search::value::{Value, ValueType, encoded_prefix};
use crate::search::{Filter, Match, Test};

/// All places between two, which are none themselves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Range {
    pub(super) low: String,
    pub(super) high: String,
}

impl Range {
    fn new((low, high): (String, String)) -> Self {
        Self { low, high }
    }

    /// The places of one value, or of none.
    pub(super) fn run(value: Option<&str>) -> Self {
        Self::new(keys::run(value))
    }

    /// The places of all values.
    pub(super) fn values() -> Self {
        Self::new(keys::beginning(""))
    }

    /// All places.
    pub(super) fn whole() -> Self {
        Self { low: Self::values().low, high: Self::run(None).high }
    }

    pub(super) fn contains(&self, place: &str) -> bool {
        *self.low <= *place && *place <= *self.high
    }
}

/// A filter that has been read.
#[derive(Debug, Clone)]
pub(super) struct Criterion {
    pub(super) field: String,
    pub(super) kind: Kind,
    /// In order, apart from one another.
    pub(super) ranges: Vec<Range>,
    /// The value, where it asks for no other one.
    pub(super) value: Option<String>,
}

impl Criterion {
    /// What filters ask for: where a field has one value at most, all that they ask of it is one criterion.
    pub(super) fn all(filters: &[Filter], schema: &Schema) -> Result<Vec<Self>, Error> {
        let mut all: Vec<Self> = Vec::new();
        for filter in filters {
            let new = Self::new(filter, schema)?;
            match all.iter_mut().find(|one| one.field == new.field && one.kind != Kind::Found) {
                Some(one) => one.narrow(&new),
                None => all.push(new),
            }
        }
        Ok(all)
    }

    fn new(filter: &Filter, schema: &Schema) -> Result<Self, Error> {
        let (kind, values) = schema.field(&filter.field)?;
        let ranges = match &filter.test {
            Test::AnyOf(any) => any.iter().map(|one| matching(one, values)).collect::<Result<_, _>>()?,
            Test::Range { gt, gte, lt, lte } => vec![bounded([gt, gte, lt, lte].map(Option::as_ref))],
        };
        let value = match &filter.test {
            Test::AnyOf(any) => match any.as_slice() {
                [Match::Exact(value)] => Some(value.encoded()),
                [Match::Prefix(_)] | [] | [_, ..] => None,
            },
            Test::Range { .. } => None,
        };
        Ok(Self { field: filter.field.clone(), kind, ranges: apart(ranges), value })
    }

    /// Narrows it to what meets another one on its field too.
    fn narrow(&mut self, other: &Self) {
        let pairs = self.ranges.iter().flat_map(|one| other.ranges.iter().map(move |other| (one, other)));
        let both = pairs.map(|(one, other)| Range {
            low: one.low.clone().max(other.low.clone()),
            high: one.high.clone().min(other.high.clone()),
        });
        self.ranges = apart(both.collect());
    }

    /// Whether a value meets it.
    pub(super) fn accepts(&self, value: Option<&str>) -> bool {
        // Whose id it is makes no difference: ranges hold all places of a value or none.
        let place = keys::place(value, Uuid::nil());
        self.ranges.iter().any(|range| range.contains(&place))
    }

    /// Whether a row meets it.
    pub(super) fn met_by(&self, index: &Index) -> bool {
        index.values(&self.field).any(|value| self.accepts(value))
    }
}

fn matching(one: &Match, values: ValueType) -> Result<Range, Error> {
    match one {
        Match::Exact(value) => Ok(Range::run(Some(&value.encoded()))),
        Match::Prefix(_) if values == ValueType::Number => Err(Error::internal("numbers have no prefixes")),
        Match::Prefix(prefix) => Ok(Range::new(keys::beginning(&encoded_prefix(prefix, values)))),
    }
}

fn bounded([gt, gte, lt, lte]: [Option<&Value>; 4]) -> Range {
    let run = |value: &Value| Range::run(Some(&value.encoded()));
    let lows = [gt.map(|value| run(value).high), gte.map(|value| run(value).low)];
    let highs = [lt.map(|value| run(value).low), lte.map(|value| run(value).high)];
    let Range { low, high } = Range::values();
    Range {
        low: lows.into_iter().flatten().fold(low, String::max),
        high: highs.into_iter().flatten().fold(high, String::min),
    }
}

/// The same places, each in one range alone.
fn apart(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.retain(|range| range.low < range.high);
    ranges.sort();
    let mut apart: Vec<Range> = Vec::new();
    for range in ranges {
        match apart.last_mut() {
            Some(last) if range.low <= last.high => last.high = range.high.max(std::mem::take(&mut last.high)),
            Some(_) | None => apart.push(range),
        }
    }
    apart
}
