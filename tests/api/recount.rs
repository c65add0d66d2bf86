//! Counts the users of a segment again from their rows alone, and compares all that is kept besides with that.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;

use crate::system::Muster;
use crate::world::World;

pub(crate) type Item = HashMap<String, AttributeValue>;

impl Muster {
    /// Every item of the table.
    pub(crate) async fn all_items(&self) -> Vec<Item> {
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            let scan = self.dynamodb().scan().table_name(&self.wiring.table).consistent_read(true);
            let read = scan.set_exclusive_start_key(start).send().await.unwrap();
            items.extend(read.items.unwrap_or_default());
            start = read.last_evaluated_key;
            if start.is_none() {
                return items;
            }
        }
    }
}

/// A text attribute, or nothing.
pub(crate) fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

fn number(item: &Item, name: &str) -> i64 {
    item.get(name).and_then(|value| value.as_n().ok()).map_or(0, |number| number.parse().unwrap())
}

/// Counts all users of the world's segment again.
pub(crate) async fn agrees(world: &World) {
    let items = world.muster.all_items().await;
    agrees_with(&items, &world.segment);
    for (list, directory) in [("", "S"), ("/deleted", "D")] {
        let path = format!("/v1/segments/{}/users{list}", world.segment);
        let total = world.read(&path).await["page"]["total_items"].as_u64().unwrap();
        let rows = users(&items, &world.segment).into_iter().filter(|user| directory_of(user) == directory).count();
        assert_eq!(total, rows as u64, "the total of {path}");
    }
}

fn users<'a>(items: &'a [Item], segment: &str) -> Vec<&'a Item> {
    items.iter().filter(|item| text(item, "SK") == "U" && text(item, "segment_id") == segment).collect()
}

fn directory_of(user: &Item) -> &'static str {
    if text(user, "status") == "DELETED" { "D" } else { "S" }
}

/// The facets of a user, in the order of their names, as a bucket is named.
fn bucket(user: &Item) -> String {
    let or_none = |text: &str| if text.is_empty() { "~".to_owned() } else { text.to_owned() };
    let document = user.get("identification").and_then(|document| document.as_m().ok());
    let kind = document.map_or("", |document| text(document, "type"));
    [text(user, "gender"), kind, text(user, "status")].map(or_none).join(".")
}

/// Claims, buckets, entries of the index, changes, counts of children and histories are what the rows say.
pub(crate) fn agrees_with(items: &[Item], segment: &str) {
    let users = users(items, segment);
    for directory in ["S", "D"] {
        let rows: Vec<_> = users.iter().copied().filter(|user| directory_of(user) == directory).collect();
        let name = format!("{directory}#{segment}");
        buckets_agree(items, &name, &rows);
        entries_agree(items, &name, &rows);
    }
    claims_agree(items, segment, &users);
    changes_agree(items, segment, &users);
    families_agree(&users);
    // Of whoever is being erased the history goes first.
    for user in users.iter().filter(|user| text(user, "pending") != "purge") {
        let entries =
            items.iter().filter(|item| text(item, "PK") == text(user, "PK") && text(item, "SK").starts_with("H#"));
        assert_eq!(number(user, "entry_count"), i64::try_from(entries.count()).unwrap(), "{user:?}");
    }
}

fn buckets_agree(items: &[Item], directory: &str, rows: &[&Item]) {
    let (mut expected, mut counted): (BTreeMap<String, i64>, BTreeMap<String, i64>) = Default::default();
    for row in rows {
        *expected.entry(format!(".{}", bucket(row))).or_default() += 1;
    }
    for item in items.iter().filter(|item| text(item, "PK") == format!("N#{directory}")) {
        for (name, value) in item {
            if let Ok(count) = value.as_n() {
                *counted.entry(name.clone()).or_default() += count.parse::<i64>().unwrap();
            }
        }
    }
    counted.retain(|_, count| *count != 0);
    assert_eq!(counted, expected, "the buckets of {directory}");
}

/// What has one value at most: of those sorted by, each has an entry in the directory and one in its bucket.
const SORTED: [&str; 6] = ["id", "updated_at", "email", "name", "last_name", "identification_value"];

const FOUND: [&str; 12] = [
    "username",
    "reference_id",
    "second_last_name",
    "phone",
    "birthdate",
    "nationality",
    "operation_country",
    "language",
    "tax_condition",
    "parent_id",
    "valid_until",
    "status_reason",
];

fn entries_agree(items: &[Item], directory: &str, rows: &[&Item]) {
    let mut expected: BTreeMap<(String, String), usize> = BTreeMap::new();
    for row in rows {
        let (id, bucket) = (text(row, "id").to_owned(), bucket(row));
        for field in SORTED {
            expected.insert((field.to_owned(), id.clone()), 1);
            expected.insert((format!("{field}#{bucket}"), id.clone()), 1);
        }
        for field in FOUND.iter().filter(|field| !text(row, field).is_empty()) {
            expected.insert(((*field).to_owned(), id.clone()), 1);
        }
    }
    let prefix = format!("X#{directory}#");
    let mut found: BTreeMap<(String, String), usize> = BTreeMap::new();
    for item in items {
        let Some(field) = text(item, "PK").strip_prefix(&prefix) else { continue };
        let id = text(item, "SK").rsplit('\u{1}').next().unwrap().to_owned();
        *found.entry((field.to_owned(), id)).or_default() += 1;
    }
    let listed = |field: &str| SORTED.contains(&field.split('#').next().unwrap()) || FOUND.contains(&field);
    let ids: BTreeSet<_> = rows.iter().map(|row| text(row, "id")).collect();
    let nobodys: Vec<_> = found.keys().filter(|(_, id)| !ids.contains(id.as_str())).collect();
    assert!(nobodys.is_empty(), "entries of nobody in {directory}: {nobodys:?}");
    found.retain(|(field, _), _| listed(field));
    assert_eq!(found, expected, "the entries of {directory}");
}

fn claims_agree(items: &[Item], segment: &str, users: &[&Item]) {
    let mut expected: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for user in users.iter().filter(|user| directory_of(user) == "S") {
        for field in ["email", "username", "reference_id", "identification"] {
            if user.contains_key(field) {
                expected.insert((field, text(user, "id")), 1);
            }
        }
    }
    let prefix = format!("C#S#{segment}#");
    let mut found: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for item in items {
        if let Some(claim) = text(item, "PK").strip_prefix(&prefix) {
            *found.entry((claim.split('#').next().unwrap(), text(item, "user_id"))).or_default() += 1;
        }
    }
    assert_eq!(found, expected, "claims");
}

/// Each user has one change, at its last time; whoever is purged has one too.
fn changes_agree(items: &[Item], segment: &str, users: &[&Item]) {
    let mut told: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for item in items.iter().filter(|item| text(item, "PK") == format!("G#{segment}")) {
        if let Some((time, id)) = text(item, "SK").split_once('\u{1}') {
            told.entry(id).or_default().push(time);
        }
    }
    for (id, times) in &told {
        assert_eq!(times.len(), 1, "{id} is told {times:?}");
    }
    for user in users {
        assert_eq!(told.get(text(user, "id")), Some(&vec![text(user, "updated_at")]), "{user:?}");
    }
}

/// Parents count their children, are in use, and have no parents.
fn families_agree(users: &[&Item]) {
    let by_id: HashMap<_, _> = users.iter().map(|user| (text(user, "id"), *user)).collect();
    let mut children: HashMap<&str, i64> = HashMap::new();
    for user in users.iter().filter(|user| directory_of(user) == "S" && user.contains_key("parent_id")) {
        let parent = by_id.get(text(user, "parent_id"));
        let parent = parent.unwrap_or_else(|| panic!("the parent is gone: {user:?}"));
        assert!(directory_of(parent) == "S" && !parent.contains_key("parent_id"), "{user:?} below {parent:?}");
        *children.entry(text(parent, "id")).or_default() += 1;
    }
    for user in users {
        let counted = children.get(text(user, "id")).copied().unwrap_or_default();
        assert_eq!(number(user, "child_count"), counted, "children of {user:?}");
    }
}
