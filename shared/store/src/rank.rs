//! Exact ranking at any size: how many have more points. Points are a counted trie: its root counts them by how many
//! bytes they have, and each node below by their next byte. What is above a value is beside its path.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Error;
use uuid::Uuid;

use crate::keys::{self, SK};
use crate::table::{Table, Write};

/// Of each node there are so many, against contention: a row always writes the same one.
pub(crate) const SHARDS: u8 = 8;

/// What turns the points of `id` from `old` into `new`, to be written in the row's own transaction: at most 16.
/// Points are from 0 to 2^53.
pub(crate) fn writes(table: &Table, directory: &str, id: Uuid, old: Option<i64>, new: Option<i64>) -> Vec<Write> {
    let mut nodes: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for (points, more) in [(old, -1), (new, 1)] {
        for (path, child) in points.map(steps).unwrap_or_default() {
            *nodes.entry(path).or_default().entry(child).or_default() += more;
        }
    }
    let shard = shard(id);
    let changed = nodes.iter().filter_map(|(path, children)| {
        let mut changes = children.iter().filter(|(_, more)| **more != 0).peekable();
        changes.peek()?;
        let key = keys::rank(directory, shard, path);
        Some(Write::add(table, &key, changes.map(|(child, more)| (child.as_str(), *more))))
    });
    changed.collect()
}

/// How many have strictly more points: 1 `BatchGetItem` of at most 64 keys.
///
/// # Errors
/// [`Error::Unavailable`].
pub(crate) async fn above(table: &Table, directory: &str, points: i64) -> Result<u64, Error> {
    let steps = steps(points);
    let sharded = steps.iter().flat_map(|(path, _)| (0..SHARDS).map(move |shard| (path, shard)));
    let nodes = sharded.map(|(path, shard)| keys::rank(directory, shard, path).attributes()).collect();
    // Which step a node belongs to: its key's length tells, as each step is longer than the one before it.
    let ours: BTreeMap<_, _> = steps.iter().map(|(path, child)| (keys::rank(directory, 0, path).sk, child)).collect();
    let mut count = 0;
    for node in table.get_all(nodes).await? {
        let path = node.get(SK).and_then(|path| path.as_s().ok());
        let Some(ours) = path.and_then(|path| ours.get(path)) else { continue };
        let beyond = node.iter().filter(|(child, _)| child.len() == ours.len() && child > ours);
        count += beyond.filter_map(|(_, count)| number(count)).sum::<i64>();
    }
    Ok(u64::try_from(count).unwrap_or(0))
}

/// The nodes on the way to a value, and the child to take at each: hexadecimal, so that text is in the numbers' order.
fn steps(points: i64) -> Vec<(String, String)> {
    let bytes = points.max(0).to_be_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let significant = bytes.get(zeros..).unwrap_or_default();
    let mut path = String::new();
    let mut steps = Vec::new();
    for child in std::iter::once(format!(".{:02x}", significant.len()))
        .chain(significant.iter().map(|byte| format!(".{byte:02x}")))
    {
        steps.push((path.clone(), child.clone()));
        path.push_str(&child);
    }
    steps
}

fn shard(id: Uuid) -> u8 {
    keys::shard(id, SHARDS)
}

fn number(value: &AttributeValue) -> Option<i64> {
    value.as_n().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::emulator::Emulator;

    #[tokio::test(flavor = "multi_thread")]
    async fn ranks_are_those_of_a_sort_in_memory() {
        let emulator = Emulator::start().await;
        let table = &emulator.table;
        let mut all: BTreeMap<Uuid, i64> = BTreeMap::new();
        let mut state = 0xFACE_u64;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let edges = [0, 1, 254, 255, 256, 257, 65_535, 65_536, (1 << 53) - 1, 1 << 53];
        for turn in 0..160_u128 {
            let id = Uuid::from_u128(u128::from(random()) % 60);
            let new = match turn % 4 {
                0 => None,
                1 => edges.get(usize::try_from(random() % 10).unwrap()).copied(),
                _ => Some(i64::try_from(random() % 700).unwrap()),
            };
            let writes = writes(table, "M#1", id, all.get(&id).copied(), new);
            assert!(writes.len() <= 16);
            if !writes.is_empty() {
                table.transact(writes).await.unwrap();
            }
            match new {
                Some(points) => all.insert(id, points),
                None => all.remove(&id),
            };
        }
        for points in edges.into_iter().chain(all.values().copied()).chain([3, 300, 1 << 30]) {
            let more = all.values().filter(|other| **other > points).count() as u64;
            assert_eq!(above(table, "M#1", points).await.unwrap(), more, "above {points}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_rank_costs_the_same_at_any_size() {
        let emulator = Emulator::start().await;
        let table = &emulator.table;
        let id = Uuid::from_u128(1);
        table.transact(writes(table, "M#1", id, None, Some(70_000))).await.unwrap();
        emulator.units();
        above(table, "M#1", 70_000).await.unwrap();
        let few = emulator.units();
        for points in 1..100 {
            table
                .transact(writes(table, "M#1", Uuid::from_u128(points), None, Some(70_000 + 97 * points as i64)))
                .await
                .unwrap();
        }
        emulator.units();
        assert!(above(table, "M#1", 70_000).await.unwrap() == 99);
        assert!(emulator.units() <= few, "more than {few}");
    }
}
