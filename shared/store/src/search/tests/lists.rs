//! Lists are right: whatever the filters and sorts, by number and by cursor, and while others write.

use std::collections::{BTreeMap, BTreeSet};

use domain::Error;
use uuid::Uuid;

use crate::emulator::Emulator;
use crate::keys::{self, Key};
use crate::search::candidates::Limits;
use crate::search::count::counters;
use crate::search::tests::people::{DIRECTORY, Person, Random, schema, search, write};
use crate::search::tests::queries::{self, expected, total};
use crate::search::{Directory, Filter, From, Indexed, Match, Search, Sort, Test, find, tallies, writes};
use crate::table::{Item, Write};

fn ids(people: &[Person]) -> Vec<Uuid> {
    people.iter().map(|person| person.id).collect()
}

/// All pages from the first on, with cursors, and back from the last.
async fn by_cursor(emulator: &Emulator, first: &Search, expected: &[Person], limits: Limits) {
    let (mut forwards, mut next) = (Vec::new(), first.clone());
    let mut last = None;
    loop {
        let found = search(emulator, &next, Some(limits)).await;
        assert_eq!((found.total, found.capped), total(first, expected, limits), "{first:?} {limits:?}");
        assert_eq!(found.more_before, !forwards.is_empty(), "{next:?}");
        forwards.extend(found.rows);
        assert_eq!(found.more_after, forwards.len() < expected.len(), "{next:?}");
        let Some(position) = found.positions.last() else { break };
        last = found.positions.last().cloned();
        if !found.more_after {
            break;
        }
        next = Search { from: From::After(position.clone()), total: Some((found.total, found.capped)), ..next };
    }
    assert_eq!(ids(&forwards), ids(expected), "{first:?}");
    let Some(last) = last else { return };
    let mut backwards = forwards.split_off(forwards.len() - 1);
    next.from = From::Before(last);
    loop {
        let found = search(emulator, &next, Some(limits)).await;
        assert!(found.more_after);
        backwards.splice(..0, found.rows);
        assert_eq!(found.more_before, backwards.len() < expected.len(), "{next:?}");
        if !found.more_before {
            break;
        }
        next.from = From::Before(found.positions[0].clone());
    }
    assert_eq!(ids(&backwards), ids(expected), "backwards {first:?}");
}

/// Some pages by their numbers, and one beyond the last.
async fn by_number(emulator: &Emulator, first: &Search, expected: &[Person], limits: Limits, random: &mut Random) {
    let size = first.size as usize;
    let pages = expected.len().div_ceil(size);
    for page in [random.below(pages + 1), pages] {
        let found =
            search(emulator, &Search { from: From::Offset((page * size) as u64), ..first.clone() }, Some(limits)).await;
        let there: Vec<_> = expected.iter().skip(page * size).take(size).cloned().collect();
        assert_eq!(found.rows, there, "page {page} of {first:?}");
        assert_eq!((found.total, found.capped), total(first, expected, limits), "{first:?}");
        assert_eq!(found.more_after, (page + 1) * size < expected.len());
        assert_eq!(found.more_before, page > 0 && !expected.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_is_as_filtered_and_sorted_in_memory() {
    let emulator = Emulator::start().await;
    let mut random = Random(0x00C0_FFEE);
    let mut people: Vec<Person> = Vec::new();
    for round in 0..30 {
        for _ in 0..8 {
            let person = Person::random(&mut random);
            write(&emulator, None, Some(&person)).await;
            people.push(person);
        }
        if round % 3 == 2 {
            let at = random.below(people.len());
            let new = Person::with(&mut random, people[at].id);
            write(&emulator, Some(&people[at]), Some(&new)).await;
            people[at] = new;
            let gone = people.swap_remove(random.below(people.len()));
            write(&emulator, Some(&gone), None).await;
        }
        for _ in 0..5 {
            let query = queries::random(&mut random, &people);
            let expected = expected(&query, &people);
            let limits = queries::limits(&mut random);
            by_cursor(&emulator, &query, &expected, limits).await;
            by_number(&emulator, &query, &expected, limits, &mut random).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stays_is_met_once_whoever_comes_and_goes() {
    let emulator = Emulator::start().await;
    let mut random = Random(0xBEEF);
    let mut people: BTreeMap<Uuid, Person> = BTreeMap::new();
    for _ in 0..80 {
        let person = Person::random(&mut random);
        write(&emulator, None, Some(&person)).await;
        people.insert(person.id, person);
    }
    for turn in 0..24 {
        let everybody: Vec<_> = people.values().cloned().collect();
        let limits = Some(queries::limits(&mut random));
        let first = Search { size: 9, ..queries::random(&mut random, &everybody) };
        let mut staying = people.clone();
        let (mut met, mut next, mut left_out) = (Vec::new(), first.clone(), None);
        if turn % 2 == 1 {
            // From the end: before a position beyond all.
            let all = Search { size: 1_000, ..first.clone() };
            let mut found = search(&emulator, &all, None).await;
            let Some(last) = found.positions.pop() else { continue };
            left_out = found.rows.pop().map(|last| last.id);
            next.from = From::Before(last);
        }
        loop {
            let found = search(&emulator, &next, limits).await;
            met.extend(ids(&found.rows));
            let (position, more) = match next.from {
                From::Before(_) => (found.positions.first(), found.more_before),
                From::Offset(_) | From::After(_) => (found.positions.last(), found.more_after),
            };
            let Some(position) = position.filter(|_| more).cloned() else { break };
            next.from = if turn % 2 == 1 { From::Before(position) } else { From::After(position) };
            let new = Person::random(&mut random);
            write(&emulator, None, Some(&new)).await;
            let gone = people.values().nth(random.below(people.len())).cloned().unwrap();
            write(&emulator, Some(&gone), None).await;
            people.remove(&gone.id);
            staying.remove(&gone.id);
            people.insert(new.id, new);
        }
        let once: BTreeSet<_> = met.iter().copied().collect();
        assert_eq!(once.len(), met.len(), "doubled: {first:?}");
        let staying: Vec<_> = staying.into_values().collect();
        let mut stayed = expected(&first, &staying);
        // The position itself is of one that is left out.
        stayed.retain(|person| Some(person.id) != left_out);
        let missed: Vec<_> = stayed.iter().filter(|person| !once.contains(&person.id)).collect();
        assert!(missed.is_empty(), "skipped {missed:?}: {first:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_that_are_not_so_any_more_are_passed_over() {
    let emulator = Emulator::start().await;
    let mut random = Random(0x57A1E);
    let mut people: Vec<_> = (0..40).map(|_| Person::random(&mut random)).collect();
    for person in &mut people {
        person.last_name = Some("Garza".to_owned());
        write(&emulator, None, Some(person)).await;
    }
    people.sort_by_key(|person| person.id);
    // As if each had been renamed, or had gone, between the reading of its entry and of its row.
    let named = keys::index(DIRECTORY, "last_name", None);
    let changed = people[..3].iter().chain(&people[37..]).map(|person| person.id);
    let ids: Vec<_> = changed.chain((0..5).map(|_| random.id())).collect();
    let stale = ids.into_iter().map(|id| (Key { pk: named.clone(), sk: keys::place(Some("aaa"), id) }, Item::new()));
    emulator.fill(stale);
    for descending in [false, true] {
        let sort = vec![Sort { field: "last_name".to_owned(), descending }];
        let query = Search { filters: Vec::new(), sort, size: 25, from: From::Offset(0), total: None };
        let found = search(&emulator, &query, None).await;
        assert_eq!(found.rows, people[..25]);
        let next = From::After(found.positions.last().cloned().unwrap());
        assert_eq!(search(&emulator, &Search { from: next, ..query }, None).await.rows, people[25..]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_search_cannot_be_is_refused() {
    let emulator = Emulator::start().await;
    let schema = schema();
    let directory = Directory { table: &emulator.table, name: DIRECTORY, schema: &schema, key_of: &Person::key };
    let sort = |field: &str| vec![Sort { field: field.to_owned(), descending: false }];
    let any = Search { filters: Vec::new(), sort: Vec::new(), size: 5, from: From::Offset(0), total: None };
    let prefix = Test::AnyOf(vec![Match::Prefix("1".to_owned())]);
    let filter = |field: &str| vec![Filter { field: field.to_owned(), test: prefix.clone() }];
    for wrong in [
        Search { sort: sort("nobody"), ..any.clone() },
        Search { sort: sort("tag"), ..any.clone() },
        Search { filters: filter("nobody"), ..any.clone() },
        Search { filters: filter("points"), ..any.clone() },
        Search { from: From::After("[\"a\",\"b\"]".to_owned()), ..any.clone() },
        Search { from: From::Before("x".to_owned()), ..any.clone() },
    ] {
        let refused = find::<Person>(&directory, &wrong).await;
        assert!(matches!(refused, Err(Error::Internal(_))), "{wrong:?}");
    }
    let many = (0..101).map(|_| Write::mark(&emulator.table, &Person::key(domain::id::fresh()))).collect();
    let Err(Error::Internal(cause)) = emulator.table.transact(many).await else { panic!("101 writes were taken") };
    assert_eq!(cause.to_string(), "101 writes do not fit in a transaction");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_differs_is_written() {
    let table = Emulator::start().await.table;
    let mut random = Random(0xD1FF);
    let old = Person { tags: vec!["red".to_owned()], ..Person::random(&mut random) };
    let size = |old: Option<&Person>, new: Option<&Person>| {
        let index = |person: Option<&Person>| person.map(Indexed::index);
        writes(&table, DIRECTORY, index(old).as_ref(), index(new).as_ref()).len()
    };
    // Two entries of each of four sorted fields, one of color, one of a tag; the count of a bucket, and of the tagged.
    assert_eq!((size(None, Some(&old)), size(Some(&old), None)), (12, 12));
    assert_eq!(size(Some(&old), Some(&old)), 0);
    let color = Person { color: Some("lila".to_owned()), ..old.clone() };
    assert_eq!(size(Some(&old), Some(&color)), 2);
    let case = Person { last_name: old.last_name.as_ref().map(|name| name.to_uppercase()), ..old.clone() };
    assert_eq!(size(Some(&old), Some(&case)), 0);
    let tags = Person { tags: vec!["red".to_owned(), "blue".to_owned()], ..old.clone() };
    assert_eq!(size(Some(&old), Some(&tags)), 1);
    let status = Person { status: "GONE".to_owned(), ..old.clone() };
    assert_eq!(size(Some(&old), Some(&status)), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_are_what_a_recount_finds() {
    let emulator = Emulator::start().await;
    let mut random = Random(0xACE);
    let mut people: Vec<Person> = Vec::new();
    for turn in 0..90 {
        if turn % 3 < 2 {
            let person = Person::random(&mut random);
            write(&emulator, None, Some(&person)).await;
            people.push(person);
        } else if turn % 2 == 0 {
            let gone = people.swap_remove(random.below(people.len()));
            write(&emulator, Some(&gone), None).await;
        } else {
            let at = random.below(people.len());
            let new = Person::with(&mut random, people[at].id);
            write(&emulator, Some(&people[at]), Some(&new)).await;
            people[at] = new;
        }
    }
    let tagged = people.iter().filter(|person| !person.tags.is_empty()).count() as u64;
    assert_eq!(tallies(&emulator.table, DIRECTORY).await.unwrap(), BTreeMap::from([("tagged".to_owned(), tagged)]));
    let mut recount: BTreeMap<_, u64> = BTreeMap::new();
    for Person { status, gender, document, .. } in &people {
        let facets = [document.as_deref(), gender.as_deref(), Some(status.as_str())];
        *recount.entry(keys::bucket(facets.into_iter())).or_default() += 1;
    }
    assert_eq!(counters(&emulator.table, keys::counts(DIRECTORY)).await.unwrap(), recount);
    // And all goes with its rows: nothing is left but counters of zero.
    for person in people.drain(..) {
        write(&emulator, Some(&person), None).await;
    }
    assert_eq!(counters(&emulator.table, keys::counts(DIRECTORY)).await.unwrap(), BTreeMap::new());
    let left = emulator.table.client.scan().table_name("muster").send().await.unwrap().items.unwrap();
    let left: BTreeSet<_> = left.iter().map(|item| item["PK"].as_s().unwrap().as_str()).collect();
    assert_eq!(left, BTreeSet::from(["N#S#1", "T#S#1"]));
}
