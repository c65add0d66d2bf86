//! Costs do not grow with the directory.

use std::collections::BTreeMap;

use crate::emulator::Emulator;
use crate::keys::{self, Key};
use crate::search::tests::people::{DIRECTORY, Person, Random, search};
use crate::search::{Filter, From, Indexed as _, Match, Search, Sort, Test, Value};
use crate::table::{Item, number, to_item};

/// A directory of so many, of whom as many have the tag `rare` whatever their number.
async fn directory(rows: usize) -> Emulator {
    let emulator = Emulator::start().await;
    let mut random = Random(0xD1CE);
    let mut people: Vec<_> = (0..rows).map(|_| Person::random(&mut random)).collect();
    for person in people.iter_mut().filter(|person| person.last_name.as_deref() == Some("García")).take(90) {
        person.tags.push("rare".to_owned());
        person.status = "ACTIVE".to_owned();
    }
    fill(&emulator, &people, |_| true);
    emulator
}

/// Writes rows, their counters, and those entries that are wanted.
fn fill(emulator: &Emulator, people: &[Person], wanted: impl Fn(&Key) -> bool) {
    let mut buckets: BTreeMap<_, u64> = BTreeMap::new();
    for person in people {
        *buckets.entry(keys::counted(&person.index().bucket())).or_default() += 1;
    }
    let counts = buckets.into_iter().map(|(name, count)| (name, number(count))).collect();
    let entries = people.iter().flat_map(|person| person.index().entries(DIRECTORY)).filter(wanted);
    let rows = people.iter().map(|person| (Person::key(person.id), to_item(person).unwrap()));
    let counters = [(keys::counter(keys::counts(DIRECTORY), 0), counts)];
    emulator.fill(entries.map(|key| (key, Item::new())).chain(rows).chain(counters));
}

fn by(sorts: &[&str]) -> Vec<Sort> {
    let sort = |text: &&str| match text.strip_prefix('-') {
        Some(field) => Sort { field: field.to_owned(), descending: true },
        None => Sort { field: (*text).to_owned(), descending: false },
    };
    sorts.iter().map(sort).collect()
}

fn is(field: &str, value: Value) -> Filter {
    Filter { field: field.to_owned(), test: Test::AnyOf(vec![Match::Exact(value)]) }
}

fn first(filters: Vec<Filter>, sort: Vec<Sort>) -> Search {
    Search { filters, sort, size: 20, from: From::Offset(0), total: None }
}

/// Read units of the first page and of the page after it.
async fn units(emulator: &Emulator, first: &Search) -> [f64; 2] {
    emulator.units();
    let found = search(emulator, first, None).await;
    let one = emulator.units();
    let from = From::After(found.positions.last().unwrap().clone());
    let second = Search { from, total: Some((found.total, found.capped)), ..first.clone() };
    assert_eq!(search(emulator, &second, None).await.rows.len(), 20, "{second:?}");
    [one, emulator.units()]
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_cost_the_same_at_any_size() {
    let (small, large) = (directory(400).await, directory(5_000).await);
    let filters = [
        vec![],
        vec![is("status", Value::word("ACTIVE"))],
        vec![is("gender", Value::word("F"))],
        // As many in each.
        vec![is("tag", Value::word("rare"))],
        vec![
            is("tag", Value::word("rare")),
            is("status", Value::word("ACTIVE")),
            is("last_name", Value::word("garcia")),
        ],
    ];
    let sorts: [&[&str]; 13] = [
        &[],
        &["-id"],
        &["last_name"],
        &["-last_name"],
        &["status", "-gender"],
        &["gender", "-last_name"],
        &["-born"],
        &["points", "-id"],
        &["-points", "-id"],
        &["color"],
        &["points", "last_name"],
        &["last_name", "-points"],
        &["born", "-points", "last_name"],
    ];
    for filter in filters {
        for sort in sorts {
            let query = first(filter.clone(), by(sort));
            let (few, many) = (units(&small, &query).await, units(&large, &query).await);
            let fields: Vec<_> = filter.iter().map(|filter| &filter.field).collect();
            println!("{sort:?} {fields:?}: {few:?} {many:?}");
            // How rows are ordered that are equal in a field, or of which buckets an ordered field's are, is not kept:
            // that grows like the root.
            let facets = filter.iter().filter(|filter| ["status", "gender"].contains(&filter.field.as_str())).count();
            let by_ids =
                sort.first().is_some_and(|first| ["status", "gender"].contains(first)) || sort.contains(&"-id");
            let ties = sort.len() > 1 && !by_ids || sort == ["color"] && facets > 0;
            let most = if ties { (5_000.0_f64 / 400.0).sqrt() } else { 2.0 };
            for (few, many) in few.into_iter().zip(many) {
                assert!(many <= most * few, "{few} became {many}: {query:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shares_a_value_with_many_is_counted_once_and_then_costs_a_page() {
    let emulator = directory(5_000).await;
    for (field, value) in [("last_name", "garcia"), ("tag", "red")] {
        for sort in [&[][..], &["-id"]] {
            let [_, next] = units(&emulator, &first(vec![is(field, Value::word(value))], by(sort))).await;
            assert!(next <= 22.0, "{next}: {field}, {sort:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn totals_stop_where_nobody_counts_on_unless_counters_know() {
    const ROWS: u64 = 10_050;
    let emulator = Emulator::start().await;
    let mut random = Random(0x70_7A1);
    let people = (0..ROWS).map(|nth| {
        // Of the fields that are asked for alone: it is as many items as DynamoDB would need, but for the others.
        let (last_name, tags) = (Some("García".to_owned()), if nth < 30 { vec![] } else { vec!["red".to_owned()] });
        Person { last_name, tags, status: "ACTIVE".to_owned(), ..Person::random(&mut random) }
    });
    let people: Vec<_> = people.collect();
    fill(&emulator, &people, |key| ["#id", "#last_name", "#tag"].iter().any(|field| key.pk.ends_with(field)));
    let (name, tag) = (is("last_name", Value::word("garcia")), is("tag", Value::word("red")));
    for (filters, total) in [
        (vec![], (ROWS, false)),
        (vec![is("status", Value::word("ACTIVE"))], (ROWS, false)),
        (vec![name.clone()], (10_000, true)),
        (vec![tag.clone()], (10_000, true)),
        (vec![name, tag], (10_000, true)),
    ] {
        let query = first(filters, Vec::new());
        let found = search(&emulator, &query, None).await;
        assert_eq!((found.total, found.capped), total, "{query:?}");
        assert_eq!((found.rows.len(), found.more_after), (20, true));
        let from = From::After(found.positions.last().unwrap().clone());
        emulator.units();
        search(&emulator, &Search { from, total: Some(total), ..query }, None).await;
        // What was more than is counted is not read again.
        let next = emulator.units();
        assert!(next < 50.0, "{next}");
    }
}
