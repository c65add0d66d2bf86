//! Several partitions' entries as one list.

use domain::Error;
use futures_util::future::try_join_all;

use crate::search::partition::{Direction, Entry, Partition};
use crate::table::Table;

/// Partitions, read in parallel.
#[derive(Debug)]
pub(super) struct Merge<'a> {
    pub(super) table: &'a Table,
    pub(super) partitions: Vec<Partition>,
    pub(super) direction: Direction,
}

impl Merge<'_> {
    /// The next entry.
    pub(super) async fn next(&mut self) -> Result<Option<Entry>, Error> {
        let (table, direction) = (self.table, self.direction);
        let dry = self.partitions.iter_mut().filter(|partition| partition.is_dry());
        try_join_all(dry.map(|partition| partition.fill(table))).await?;
        let filled = self.partitions.iter().enumerate().filter_map(|(at, one)| Some((at, one.ready.front()?)));
        let first = filled.min_by(|(_, one), (_, other)| direction.compare(one, other)).map(|(at, _)| at);
        Ok(first.and_then(|at| self.partitions.get_mut(at)?.ready.pop_front()))
    }

    /// Leaves out the rest of the entries of a value, all before which have been read.
    pub(super) fn pass(&mut self, value: Option<&str>) {
        for partition in &mut self.partitions {
            partition.pass(value);
        }
    }
}
