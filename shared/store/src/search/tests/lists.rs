//! Lists are right: whatever the filters and sorts, by number and by cursor, and while others write.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::emulator::Emulator;
use crate::search::tests::people::{DIRECTORY, Person, Random, search, write};
use crate::search::tests::queries::{self, expected};
use crate::search::{COUNT_CAP, From, Search, Sort, tallies};

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
    for round in 0..40 {
        for _ in 0..6 {
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
