//! Random searches, and what they must find: told of the rows' own fields, without the engine's encodings.

use std::cmp::Ordering;

use crate::search::candidates::Limits;
use crate::search::tests::people::{Person, Random, folded};
use crate::search::{Filter, Match, Search, Sort, Test, Value};

/// A value as the fields of a row compare.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
enum Plain {
    Text(String),
    Number(f64),
}

/// The values of a field, in no search's terms.
fn values(person: &Person, field: &str) -> Vec<Plain> {
    let word = |text: &Option<String>| text.iter().cloned().map(Plain::Text).collect();
    let text = |text: &Option<String>| text.iter().map(|text| Plain::Text(folded(text))).collect();
    match field {
        "id" => vec![Plain::Text(person.id.to_string())],
        "status" => vec![Plain::Text(person.status.clone())],
        "gender" => word(&person.gender),
        "document" => word(&person.document),
        "last_name" => text(&person.last_name),
        "points" => person.points.iter().map(|points| Plain::Number(points.parse().unwrap())).collect(),
        "born" => word(&person.born),
        "color" => text(&person.color),
        "tag" => person.tags.iter().cloned().map(Plain::Text).collect(),
        other => panic!("no field {other}"),
    }
}

const SORTABLE: [&str; 8] = ["id", "status", "gender", "document", "last_name", "points", "born", "color"];
const FILTERED: [&str; 10] =
    ["status", "gender", "document", "last_name", "last_name", "points", "born", "color", "tag", "tag"];

/// Limits that make each way of finding rows worth it, for few rows.
pub(super) fn limits(random: &mut Random) -> Limits {
    let few = *random.of(&[0, 5, 40]);
    Limits { few, count: few + *random.of(&[5, 60, 1_000]), unit: *random.of(&[1, 3, 30]) }
}

/// How many rows are told of.
pub(super) fn total(search: &Search, expected: &[Person], limits: Limits) -> (u64, bool) {
    let facets = ["status", "gender", "document"];
    let counted = search.filters.iter().all(|filter| facets.contains(&filter.field.as_str()));
    if counted { (expected.len() as u64, false) } else { limits.capped(expected.len()) }
}

/// A search from its beginning; `people` lend it values, so that it finds something.
pub(super) fn random(random: &mut Random, people: &[Person]) -> Search {
    let sort =
        (0..random.below(4)).map(|_| Sort { field: (*random.of(&SORTABLE)).to_owned(), descending: random.one_in(2) });
    let sort = sort.collect();
    let filters = (0..*random.of(&[0, 0, 1, 1, 2, 3])).map(|_| filter(random, people)).collect();
    let size = *random.of(&[1, 6, 6, 11, 11, 17, 30, 30]);
    Search { filters, sort, size, from: crate::search::From::Offset(0), total: None }
}

fn filter(random: &mut Random, people: &[Person]) -> Filter {
    let field = *random.of(&FILTERED);
    if ["last_name", "points", "born"].contains(&field) && random.one_in(2) {
        let mut bound = || random.one_in(2).then(|| exact(random, people, field)).flatten();
        let (gt, gte, lt, lte) = (bound(), bound(), bound(), bound());
        return Filter { field: field.to_owned(), test: Test::Range { gt, gte, lt, lte } };
    }
    let any = (0..=random.below(3)).filter_map(|_| {
        let value = exact(random, people, field)?;
        if let (Value::Text(text) | Value::Word(text), true) = (&value, random.one_in(3)) {
            return Some(Match::Prefix(text.chars().take(1 + random.below(3)).collect()));
        }
        Some(Match::Exact(value))
    });
    Filter { field: field.to_owned(), test: Test::AnyOf(any.collect()) }
}

/// A value of somebody's.
fn exact(random: &mut Random, people: &[Person], field: &str) -> Option<Value> {
    let person = random.of(people);
    let word = |text: &Option<String>| text.clone().map(Value::Word);
    match field {
        "status" => Some(Value::word(&person.status)),
        "gender" => word(&person.gender),
        "document" => word(&person.document),
        "last_name" => person.last_name.clone().map(Value::Text),
        "points" => Value::number(person.points.as_ref()?),
        "born" => word(&person.born),
        "color" => person.color.clone().map(Value::Text),
        "tag" => person.tags.first().map(Value::word),
        other => panic!("no filter on {other}"),
    }
}

/// The rows that a search must find, all of them, in order.
pub(super) fn expected(search: &Search, people: &[Person]) -> Vec<Person> {
    let mut found: Vec<_> =
        people.iter().filter(|person| search.filters.iter().all(|one| meets(person, one))).collect();
    found.sort_by(|one, other| {
        let by = search.sort.iter().map(|sort| compare(one, other, sort));
        by.fold(Ordering::Equal, Ordering::then).then(one.id.cmp(&other.id))
    });
    found.into_iter().cloned().collect()
}

fn compare(one: &Person, other: &Person, sort: &Sort) -> Ordering {
    match (values(one, &sort.field).first(), values(other, &sort.field).first()) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(one), Some(other)) if sort.descending => other.partial_cmp(one).unwrap(),
        (Some(one), Some(other)) => one.partial_cmp(other).unwrap(),
    }
}

fn meets(person: &Person, filter: &Filter) -> bool {
    let is_text = ["last_name", "color"].contains(&filter.field.as_str());
    let plain = |value: &Value| match value {
        Value::Text(text) => Plain::Text(folded(text)),
        Value::Word(word) => Plain::Text(word.clone()),
        Value::Number(_) => {
            let tenths = (-25..60).find(|tenths| Value::number(&format!("{tenths}e-1")).as_ref() == Some(value));
            Plain::Number(format!("{}e-1", tenths.unwrap()).parse().unwrap())
        }
    };
    values(person, &filter.field).iter().any(|value| match &filter.test {
        Test::AnyOf(any) => any.iter().any(|one| match (one, value) {
            (Match::Exact(exact), _) => plain(exact) == *value,
            (Match::Prefix(prefix), Plain::Text(text)) => {
                text.starts_with(&if is_text { folded(prefix) } else { prefix.clone() })
            }
            (Match::Prefix(_), Plain::Number(_)) => false,
        }),
        Test::Range { gt, gte, lt, lte } => {
            gt.as_ref().is_none_or(|bound| *value > plain(bound))
                && gte.as_ref().is_none_or(|bound| *value >= plain(bound))
                && lt.as_ref().is_none_or(|bound| *value < plain(bound))
                && lte.as_ref().is_none_or(|bound| *value <= plain(bound))
        }
    })
}
