//! The rows of the tests: skewed, with values that are missing, and names in different cases and accents.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::emulator::Emulator;
use crate::keys::Key;
use crate::search::candidates::Limits;
use crate::search::find::find_within;
use crate::search::{Directory, Index, Indexed, Kind, Schema, Value, ValueType, find, writes};
use crate::search::{Found, Search};
use crate::table::{Write, to_item};

pub(super) const DIRECTORY: &str = "S#1";

const NAMES: [&str; 12] =
    ["García", "GARCIA", "garcía", "Garza", "Gar", "Pérez", "PEREZ", "Ñandú", "Nandu", "Zoë", "", "Ýr Ⅷ"];

/// Pseudorandom numbers: xorshift.
#[derive(Debug, Clone)]
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }

    pub(super) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(super) fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    pub(super) fn id(&mut self) -> Uuid {
        let (_, _) = (self.below(2), self.below(2));
        Uuid::from_u64_pair(self.0, self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }
}

/// A row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Person {
    pub(super) id: Uuid,
    pub(super) status: String,
    pub(super) gender: Option<String>,
    pub(super) document: Option<String>,
    pub(super) last_name: Option<String>,
    /// As a decimal number.
    pub(super) points: Option<String>,
    pub(super) born: Option<String>,
    pub(super) color: Option<String>,
    pub(super) tags: Vec<String>,
}

impl Person {
    pub(super) fn random(random: &mut Random) -> Self {
        let id = random.id();
        Self::with(random, id)
    }

    pub(super) fn with(random: &mut Random, id: Uuid) -> Self {
        let maybe = |random: &mut Random, values: &[&str]| (!random.one_in(3)).then(|| (*random.of(values)).to_owned());
        let name = if random.one_in(2) { 0 } else { random.below(NAMES.len()) };
        let tags: Vec<_> =
            (0..random.below(4)).map(|_| (*random.of(&["red", "reddish", "blue", "green"])).to_owned()).collect();
        Self {
            id,
            status: (if random.one_in(4) { "BLOCKED" } else { "ACTIVE" }).to_owned(),
            gender: maybe(random, &["F", "M", "a.b#~"]),
            document: maybe(random, &["DNI", "PASSPORT"]),
            last_name: (!random.one_in(8)).then(|| NAMES[name].to_owned()),
            points: (!random.one_in(5)).then(|| {
                let points = i64::try_from(random.below(60)).unwrap() - 25;
                format!("{points}e-1")
            }),
            born: random.one_in(9).then(|| format!("19{:02}-01-01", random.below(100))),
            color: maybe(random, &["Rojo", "rojo", "azul", "Ámbar", "verde"]),
            tags,
        }
    }

    pub(super) fn key(id: Uuid) -> Key {
        Key { pk: format!("ROW#{id}"), sk: "ROW".to_owned() }
    }
}

impl Indexed for Person {
    fn index(&self) -> Index {
        let text = |value: &Option<String>| value.clone().map(Value::Text);
        let number = self.points.as_ref().map(|points| Value::number(points).unwrap());
        let index = Index::new(self.id)
            .facet("status", Some(&self.status))
            .facet("gender", self.gender.as_deref())
            .facet("document", self.document.as_deref())
            .sorted("last_name", text(&self.last_name).as_ref())
            .sorted("points", number.as_ref())
            .sorted("born", self.born.as_ref().map(Value::word).as_ref())
            .ordered("color", text(&self.color).as_ref());
        let index = self.tags.iter().fold(index, |index, tag| index.found("tag", &Value::word(tag)));
        if self.tags.is_empty() { index } else { index.tally("tagged") }
    }
}

/// As text compares: told by hand, not by what is tested.
pub(super) fn folded(text: &str) -> String {
    let plain = [('á', "a"), ('é', "e"), ('í', "i"), ('ú', "u"), ('ñ', "n"), ('ë', "e"), ('ý', "y"), ('ⅷ', "viii")];
    plain.iter().fold(text.to_lowercase(), |text, (letter, plain)| text.replace(*letter, plain))
}

pub(super) fn schema() -> Schema {
    Schema::default()
        .with("status", Kind::Facet, ValueType::Word)
        .with("gender", Kind::Facet, ValueType::Word)
        .with("document", Kind::Facet, ValueType::Word)
        .with("last_name", Kind::Sorted, ValueType::Text)
        .with("points", Kind::Sorted, ValueType::Number)
        .with("born", Kind::Sorted, ValueType::Word)
        .with("color", Kind::Ordered, ValueType::Text)
        .with("tag", Kind::Found, ValueType::Word)
}

/// Writes a row over another, with its entries.
pub(super) async fn write(emulator: &Emulator, old: Option<&Person>, new: Option<&Person>) {
    let table = &emulator.table;
    let index = |person: Option<&Person>| person.map(Indexed::index);
    let mut all = writes(table, DIRECTORY, index(old).as_ref(), index(new).as_ref());
    if let Some(old) = old {
        let key = Person::key(old.id).attributes();
        let gone = Write::delete_item(table, key);
        match new {
            None => all.push(gone),
            Some(_) => table.transact(vec![gone]).await.unwrap(),
        }
    }
    if let Some(new) = new {
        all.push(Write::create(table, &Person::key(new.id), to_item(new).unwrap()));
    }
    table.transact(all).await.unwrap();
}

/// With the limits of [`find`], unless others are given.
pub(super) async fn search(emulator: &Emulator, search: &Search, limits: Option<Limits>) -> Found<Person> {
    let schema = schema();
    let directory = Directory { table: &emulator.table, name: DIRECTORY, schema: &schema, key_of: &Person::key };
    let found = match limits {
        None => find(&directory, search).await,
        Some(limits) => find_within(&directory, search, limits).await,
    };
    found.unwrap()
}
