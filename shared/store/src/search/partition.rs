//! One partition's entries in a list's order, which is not its keys' order where values descend and ids ascend.

use std::cmp::Ordering;
use std::collections::VecDeque;

use domain::Error;
use uuid::Uuid;

use crate::keys::{self, PK, SK};
use crate::search::order;
use crate::search::range::Range;
use crate::table::{Item, Query, Table, string};

/// What is read at once, at most.
const MOST: u32 = 1_000;

/// An entry of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) value: Option<String>,
    pub(super) id: Uuid,
}

/// How a list goes through values, and through the ids of each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Direction {
    pub(super) descending: bool,
    pub(super) ids_descending: bool,
    /// Whether all of it is read from its end.
    pub(super) backward: bool,
}

impl Direction {
    /// Two entries in the order in which they are read.
    pub(super) fn compare(self, one: &Entry, other: &Entry) -> Ordering {
        let ids = one.id.cmp(&other.id);
        let ids = if self.ids_descending { ids.reverse() } else { ids };
        let forward = order::compare(self.descending, one.value.as_deref(), other.value.as_deref()).then(ids);
        if self.backward { forward.reverse() } else { forward }
    }
}

/// Where reading begins.
#[derive(Debug, Clone)]
pub(super) enum Start {
    /// With the first entry.
    First,
    /// With the entries of this value.
    At(Option<String>),
    /// After this entry.
    After(Entry),
}

/// Entries that are read in one go.
#[derive(Debug, Clone)]
struct Segment {
    range: Range,
    /// From the last key to the first.
    reversed: bool,
    /// Values are in the list's order, but the ids of each are not.
    regrouped: bool,
    after: Option<String>,
}

impl Segment {
    /// Leaves out what stands before a value's entries; those too where `past`. Whether anything is left.
    fn begin_at(&mut self, value: Option<&str>, past: bool, backward: bool) -> bool {
        let missing = Range::run(None).low;
        // Missing values come after all that there are, unless the list is read from its end.
        match value {
            Some(_) if self.range.low >= missing => return !backward,
            None if self.range.high < missing => return backward,
            Some(_) | None => (),
        }
        let run = Range::run(value);
        if self.reversed {
            let high = if past { run.low } else { run.high };
            self.range.high = high.min(std::mem::take(&mut self.range.high));
        } else {
            let low = if past { run.high } else { run.low };
            self.range.low = low.max(std::mem::take(&mut self.range.low));
        }
        self.after = self.after.take().filter(|after| self.range.contains(after));
        self.range.low < self.range.high
    }
}

/// Reads a partition, ahead of what is asked for.
#[derive(Debug)]
pub(super) struct Partition {
    pk: String,
    segments: VecDeque<Segment>,
    direction: Direction,
    /// Only entries after this one.
    start: Option<Entry>,
    pub(super) ready: VecDeque<Entry>,
    /// How many entries are read next.
    chunk: u32,
}

impl Partition {
    /// The partition's entries in `ranges`, or all of them with those of no value.
    pub(super) fn new(pk: String, ranges: Option<&[Range]>, direction: Direction, start: &Start, chunk: usize) -> Self {
        let mut segments = segments(ranges, direction);
        match start {
            Start::First => (),
            Start::At(value) => {
                segments.retain_mut(|segment| segment.begin_at(value.as_deref(), false, direction.backward))
            }
            Start::After(entry) => {
                let place = keys::place(entry.value.as_deref(), entry.id);
                segments.retain_mut(|segment| segment.begin_at(entry.value.as_deref(), false, direction.backward));
                for segment in segments.iter_mut().filter(|one| !one.regrouped && one.range.contains(&place)) {
                    segment.after = Some(place.clone());
                }
            }
        }
        let start = if let Start::After(entry) = start { Some(entry.clone()) } else { None };
        let chunk = u32::try_from(chunk).unwrap_or(MOST).min(MOST);
        Self { pk, segments, direction, start, ready: VecDeque::new(), chunk }
    }

    /// Leaves out the entries of a value, all before which have been read.
    pub(super) fn pass(&mut self, value: Option<&str>) {
        self.ready.retain(|entry| entry.value.as_deref() != value);
        if self.ready.is_empty() {
            self.segments.retain_mut(|segment| segment.begin_at(value, true, self.direction.backward));
        }
    }

    /// Whether it has to be read on.
    pub(super) fn is_dry(&self) -> bool {
        self.ready.is_empty() && !self.segments.is_empty()
    }

    /// Reads on until an entry is ready or none is left.
    pub(super) async fn fill(&mut self, table: &Table) -> Result<(), Error> {
        while self.ready.is_empty() {
            let Some(mut segment) = self.segments.pop_front() else { return Ok(()) };
            let mut query = Query::between(&self.pk, &segment.range.low, &segment.range.high);
            query.descending = segment.reversed;
            query.keys_only = true;
            let start = segment
                .after
                .as_ref()
                .map(|after| Item::from([(PK.to_owned(), string(&self.pk)), (SK.to_owned(), string(after))]));
            let read = table.query(&query, Some(self.chunk), start).await?;
            self.chunk = self.chunk.saturating_mul(2).min(MOST);
            let entries = read.items.iter().filter_map(entry).collect();
            if segment.regrouped {
                self.regroup(segment, entries, read.next.is_some());
            } else {
                self.ready.extend(entries);
                if let Some(next) = read.next {
                    segment.after = next.get(SK).and_then(|place| place.as_s().ok()).cloned();
                    self.segments.push_front(segment);
                }
            }
        }
        Ok(())
    }

    /// Turns the entries of each value around. Those of the last one may not all be here: they are read again, and
    /// where they are more than a chunk, for themselves.
    fn regroup(&mut self, mut segment: Segment, mut entries: Vec<Entry>, more: bool) {
        let last = entries.last().map(|entry| entry.value.clone()).filter(|_| more);
        if let Some(value) = &last {
            let others = entries.iter().rposition(|entry| entry.value != *value).map_or(0, |at| at + 1);
            entries.truncate(others);
        }
        for run in entries.chunk_by(|one, other| one.value == other.value) {
            let run = run
                .iter()
                .rev()
                .filter(|entry| self.start.as_ref().is_none_or(|start| self.direction.compare(entry, start).is_gt()));
            self.ready.extend(run.cloned());
        }
        match (entries.last(), last) {
            (_, None) => (),
            (Some(read), Some(_)) => {
                segment.after = Some(keys::place(read.value.as_deref(), read.id));
                self.segments.push_front(segment);
            }
            (None, Some(value)) => {
                let range = Range::run(value.as_deref());
                let start = self.start.as_ref().filter(|start| start.value == value);
                let after = start.map(|start| keys::place(start.value.as_deref(), start.id));
                let own = Segment { range, reversed: !segment.reversed, regrouped: false, after };
                if segment.begin_at(value.as_deref(), true, self.direction.backward) {
                    self.segments.push_front(segment);
                }
                self.segments.push_front(own);
            }
        }
    }
}

fn entry(item: &Item) -> Option<Entry> {
    let (value, id) = keys::placed(item.get(SK)?.as_s().ok()?)?;
    Some(Entry { value: value.map(str::to_owned), id })
}

/// All that there is to read, in order.
fn segments(ranges: Option<&[Range]>, direction: Direction) -> VecDeque<Segment> {
    let Direction { descending, ids_descending, backward } = direction;
    let regrouped = descending != ids_descending;
    let segment = |range| Segment { range, reversed: descending, regrouped, after: None };
    let mut segments: VecDeque<_> = match ranges {
        None if descending || ids_descending => {
            let missing = Segment { range: Range::run(None), reversed: ids_descending, regrouped: false, after: None };
            VecDeque::from([segment(Range::values()), missing])
        }
        None => VecDeque::from([segment(Range::whole())]),
        Some(ranges) if descending => ranges.iter().rev().cloned().map(segment).collect(),
        Some(ranges) => ranges.iter().cloned().map(segment).collect(),
    };
    if backward {
        segments = segments.into_iter().rev().map(|one| Segment { reversed: !one.reversed, ..one }).collect();
    }
    segments
}
