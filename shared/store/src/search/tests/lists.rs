//! Lists are right: whatever the filters and sorts, by number and by cursor, and while others write.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::emulator::Emulator;
use crate::keys;
use crate::search::count::counters;
use crate::search::tests::people::{DIRECTORY, Person, Random, search, write};
use crate::search::tests::queries::{self, expected};
use crate::search::{From, Search, tallies};

fn ids(people: &[Person]) -> Vec<Uuid> {
    people.iter().map(|person| person.id).collect()
}

/// All pages from the first on, with cursors, and back from the last.
async fn by_cursor(emulator: &Emulator, first: &Search, expected: &[Person]) {
    let (mut forwards, mut next) = (Vec::new(), first.clone());
    let mut last = None;
    loop {
        let found = search(emulator, &next).await;
        assert_eq!((found.total, found.capped), (expected.len() as u64, false), "{first:?}");
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
        let found = search(emulator, &next).await;
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
async fn by_number(emulator: &Emulator, first: &Search, expected: &[Person], random: &mut Random) {
    let size = first.size as usize;
    let pages = expected.len().div_ceil(size);
    for page in [random.below(pages + 1), pages] {
        let found = search(emulator, &Search { from: From::Offset((page * size) as u64), ..first.clone() }).await;
        let there: Vec<_> = expected.iter().skip(page * size).take(size).cloned().collect();
        assert_eq!(found.rows, there, "page {page} of {first:?}");
        assert_eq!(found.total, expected.len() as u64);
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
            by_cursor(&emulator, &query, &expected).await;
            by_number(&emulator, &query, &expected, &mut random).await;
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
        let first = Search { size: 9, ..queries::random(&mut random, &everybody) };
        let mut staying = people.clone();
        let (mut met, mut next) = (Vec::new(), first.clone());
        if turn % 2 == 1 {
            // From the end: before a position beyond all.
            let all = Search { size: 1_000, ..first.clone() };
            let Some(last) = search(&emulator, &all).await.positions.pop() else { continue };
            next.from = From::Before(last);
        }
        loop {
            let found = search(&emulator, &next).await;
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
        if turn % 2 == 1 {
            // The last one was left out by the position itself.
            stayed.retain(|person| once.contains(&person.id) || Some(person.id) != last_of(&first, &everybody));
        }
        let missed: Vec<_> = stayed.iter().filter(|person| !once.contains(&person.id)).collect();
        assert!(missed.is_empty(), "skipped {missed:?}: {first:?}");
    }
}

fn last_of(search: &Search, people: &[Person]) -> Option<Uuid> {
    expected(search, people).last().map(|person| person.id)
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
