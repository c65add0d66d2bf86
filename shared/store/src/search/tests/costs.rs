//! Costs do not grow with the directory.

use std::collections::BTreeMap;

use crate::emulator::Emulator;
use crate::keys;
use crate::search::tests::people::{DIRECTORY, Person, Random, search};
use crate::search::{COUNT_CAP, Filter, From, Indexed as _, Match, Search, Sort, Test, Value};
use crate::table::{Item, number, to_item};

/// A directory of so many, written past the protocol.
async fn directory(rows: usize) -> (Emulator, Vec<Person>) {
    let emulator = Emulator::start().await;
    let mut random = Random(0xD1CE);
    let people: Vec<_> = (0..rows).map(|_| Person::random(&mut random)).collect();
    let mut buckets: BTreeMap<_, u64> = BTreeMap::new();
    for person in &people {
        *buckets.entry(keys::counted(&person.index().bucket())).or_default() += 1;
    }
    let counts = buckets.into_iter().map(|(name, count)| (name, number(count))).collect();
    let entries = people.iter().flat_map(|person| person.index().entries(DIRECTORY)).map(|key| (key, Item::new()));
    let rows = people.iter().map(|person| (Person::key(person.id), to_item(person).unwrap()));
    emulator.fill(entries.chain(rows).chain([(keys::counter(keys::counts(DIRECTORY), 0), counts)]));
    (emulator, people)
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
    let found = search(emulator, first).await;
    let one = emulator.units();
    let from = From::After(found.positions.last().unwrap().clone());
    let second = Search { from, total: Some((found.total, found.capped)), ..first.clone() };
    assert_eq!(search(emulator, &second).await.rows.len(), 20, "{second:?}");
    [one, emulator.units()]
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_cost_the_same_at_any_size() {
    let (small, _) = directory(200).await;
    let (large, _) = directory(5_000).await;
    let filters = [vec![], vec![is("status", Value::word("ACTIVE"))], vec![is("gender", Value::word("F"))]];
    let sorts: [&[&str]; 10] = [
        &[],
        &["-id"],
        &["last_name"],
        &["-last_name"],
        &["status", "-gender"],
        &["gender", "-last_name"],
        &["-born"],
        &["points", "last_name"],
        &["last_name", "-points"],
        &["born", "-points", "last_name"],
    ];
    for filter in filters {
        for sort in sorts {
            let query = first(filter.clone(), by(sort));
            let (few, many) = (units(&small, &query).await, units(&large, &query).await);
            println!("{sort:?} {:?}: {few:?} {many:?}", filter.first().map(|filter| &filter.field));
            for (few, many) in few.into_iter().zip(many) {
                assert!(many <= 2.0 * few, "{few} became {many}: {query:?}");
            }
        }
    }
}
