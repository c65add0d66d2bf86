//! Random users of a segment, random questions to the list of them, and what these must find: a plain filter and sort of
//! the users as they are shown, which knows nothing of the index.

use std::cmp::Ordering;

use serde_json::{Value, json};
use store::search::fold;

/// Pseudorandom numbers: xorshift.
#[derive(Debug, Clone)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }

    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// One of these, or nothing.
    fn maybe(&mut self, all: &[&str]) -> Value {
        if self.one_in(3) { Value::Null } else { json!(self.of(all)) }
    }
}

const NAMES: [&str; 12] =
    ["Ana", "ANA", "ána", "Anabel", "Zoë", "zoe", "Ñandú", "nandu", "Ýr Ⅷ", "Óscar", "Straße", "an"];
const LAST_NAMES: [&str; 6] = ["Núñez", "NUNEZ", "Núñez García", "Pérez", "perez", "D'Ávila"];
const PLACES: [&str; 5] = ["MX", "México", "mexico", "CL", "Chile"];

/// The fields of a user that nobody else has: `nth` tells them apart.
pub(crate) fn fields(random: &mut Random, nth: usize) -> Value {
    let place = |random: &mut Random| match random.below(3) {
        0 => Value::Null,
        _ => json!({ "code": random.maybe(&PLACES), "name": random.maybe(&PLACES) }),
    };
    let day = |random: &mut Random| format!("19{:02}-02-{:02}", 50 + random.below(6), 1 + random.below(28));
    let host = *random.of(&["example.com", "Example.com", "mail.example.org"]);
    let mut fields = json!({
        "email": format!("{}{nth}@{host}", random.of(&["ana", "Ana", "JOSE", "jose", "x"])),
        "username": format!("{}{nth}", random.of(&["user", "USER", "Ñu"])),
        "reference_id": format!("{}-{nth}", random.of(&["crm", "CRM", "c"])),
        "name": random.maybe(&NAMES), "last_name": random.maybe(&LAST_NAMES),
        "second_last_name": random.maybe(&LAST_NAMES), "gender": random.maybe(&["FEMALE", "MALE", "OTHER"]),
        "phone": random.maybe(&["+5215512345678", "+5215512345679", "5215512345678", "+56912345678"]),
        "birthdate": day(random), "nationality": random.maybe(&["MEX", "CHL", "MDG"]),
        "language": random.maybe(&["es", "es-MX", "en"]), "tax_condition": random.maybe(&["A", "AB", "b"]),
        "identification": { "type": "DOCUMENT", "value": written(random, nth) }, "tax_identification": null,
        "country": place(random), "state": place(random), "city": place(random),
        "valid_until": format!("{}T10:00:00Z", day(random)),
        "metadata": { "nth": nth },
    });
    for field in ["email", "username", "reference_id", "birthdate", "identification", "valid_until"] {
        if random.one_in(4) {
            fields[field] = Value::Null;
        }
    }
    if random.one_in(2) {
        fields["tax_identification"] =
            json!({ "type": "DOCUMENT", "value": *random.of(&["20-200", "20.200", "20201", "A1"]) });
    }
    if !random.one_in(3) {
        fields["operation_country"] = json!("ARG");
        fields["tax_identification"] = Value::Null;
        if fields["identification"].is_object() {
            fields["identification"]["type"] = json!(random.of(&["DNI", "PASSPORT", "LE"]));
        }
    } else {
        fields["operation_country"] = random.maybe(&["MDG", "ESP"]);
    }
    fields
}

/// A document's number, in one of the ways to write it.
fn written(random: &mut Random, nth: usize) -> String {
    let (high, low) = (nth / 1_000, nth % 1_000);
    if random.one_in(2) { format!("20.{high:03}.{low:03}") } else { format!("20{high:03}{low:03}") }
}

fn number(text: &str) -> String {
    text.replace(['.', '-', ' ', '/'], "").to_uppercase()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Text,
    Document,
    Range,
}

const FILTERS: [(&str, Kind); 26] = [
    ("status", Kind::Range),
    ("gender", Kind::Range),
    ("identification_type", Kind::Range),
    ("status_reason", Kind::Word),
    ("email", Kind::Text),
    ("username", Kind::Text),
    ("reference_id", Kind::Word),
    ("name", Kind::Text),
    ("last_name", Kind::Text),
    ("second_last_name", Kind::Text),
    ("phone", Kind::Word),
    ("birthdate", Kind::Range),
    ("nationality", Kind::Word),
    ("operation_country", Kind::Word),
    ("language", Kind::Word),
    ("identification_value", Kind::Document),
    ("tax_identification_type", Kind::Range),
    ("tax_identification_value", Kind::Document),
    ("tax_condition", Kind::Word),
    ("country", Kind::Text),
    ("state", Kind::Text),
    ("city", Kind::Text),
    ("parent_id", Kind::Word),
    ("valid_until", Kind::Range),
    ("created_at", Kind::Range),
    ("updated_at", Kind::Range),
];

const SORTS: [&str; 10] = [
    "id",
    "created_at",
    "updated_at",
    "email",
    "name",
    "last_name",
    "gender",
    "status",
    "identification_type",
    "identification_value",
];

const TIMES: [&str; 4] = ["birthdate", "valid_until", "created_at", "updated_at"];

/// What a user shows of a field.
fn shown<'a>(user: &'a Value, field: &str) -> Vec<&'a str> {
    let found = match field {
        "country" | "state" | "city" => vec![&user[field]["code"], &user[field]["name"]],
        _ => match field.rsplit_once('_') {
            Some((document @ ("identification" | "tax_identification"), part)) => vec![&user[document][part]],
            _ => vec![&user[field]],
        },
    };
    found.into_iter().filter_map(Value::as_str).collect()
}

/// A question to a list.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    filters: Vec<Filter>,
    sort: Vec<(&'static str, bool)>,
    pub(crate) size: usize,
}

#[derive(Debug, Clone)]
struct Filter {
    field: &'static str,
    kind: Kind,
    operator: Option<&'static str>,
    values: Vec<String>,
}

impl Question {
    /// Asks for what some of these users have.
    pub(crate) fn random(random: &mut Random, users: &[Value]) -> Self {
        let mut filters: Vec<Filter> = Vec::new();
        for _ in 0..*random.of(&[0, 1, 1, 1, 2, 2, 3, 4]) {
            let (field, kind) = *random.of(&FILTERS);
            if filters.iter().any(|filter| filter.field == field) {
                continue;
            }
            filters.extend(Filter::random(random, (field, kind), users));
        }
        let mut sort: Vec<(&str, bool)> = Vec::new();
        for _ in 0..*random.of(&[0, 1, 1, 2, 3, 4]) {
            let field = *random.of(&SORTS);
            let is_id = |field: &str| matches!(field, "id" | "created_at");
            if !sort.iter().any(|(other, _)| *other == field || is_id(other) && is_id(field)) {
                sort.push((field, random.one_in(2)));
            }
        }
        let size = *random.of(&[1, 2, 3, 7, 7, 20, 20, 33, 50, 99, 100]);
        Self { filters, sort, size }
    }

    /// The query string.
    pub(crate) fn query(&self) -> String {
        let mut parts = vec![format!("page[size]={}", self.size)];
        for Filter { field, operator, values, .. } in &self.filters {
            let operator = operator.map(|operator| format!("[{operator}]")).unwrap_or_default();
            parts.push(format!("filter[{field}]{operator}={}", encoded(&values.join(","))));
        }
        let sort: Vec<_> =
            self.sort.iter().map(|(field, descends)| format!("{}{field}", if *descends { "-" } else { "" })).collect();
        if !sort.is_empty() {
            parts.push(format!("sort={}", sort.join(",")));
        }
        parts.join("&")
    }

    /// The users that must be found, in order.
    pub(crate) fn expected(&self, users: &[Value]) -> Vec<Value> {
        let mut found: Vec<_> =
            users.iter().filter(|user| self.filters.iter().all(|filter| filter.met_by(user))).cloned().collect();
        found.sort_by(|one, other| {
            let by = self.sort.iter().map(|(field, descends)| compare(one, other, field, *descends));
            by.fold(Ordering::Equal, Ordering::then).then(shown(one, "id").cmp(&shown(other, "id")))
        });
        found
    }
}

fn compare(one: &Value, other: &Value, field: &str, descends: bool) -> Ordering {
    // Users are made in the order of their ids.
    let field = if field == "created_at" { "id" } else { field };
    let is_text = matches!(field, "email" | "name" | "last_name");
    let value = |user| shown(user, field).first().map(|text| if is_text { fold(text) } else { (*text).to_owned() });
    match (value(one), value(other)) {
        (Some(one), Some(other)) if descends => other.cmp(&one),
        (Some(one), Some(other)) => one.cmp(&other),
        (one, other) => one.is_none().cmp(&other.is_none()),
    }
}

impl Filter {
    /// The filter on a field, maybe as two ends of a range; nothing where nobody of those asked has it.
    fn random(random: &mut Random, (field, kind): (&'static str, Kind), users: &[Value]) -> Vec<Self> {
        let value = |random: &mut Random| {
            let shown = shown(random.of(users), field);
            (!shown.is_empty()).then(|| (*random.of(&shown)).to_owned())
        };
        if TIMES.contains(&field) && !random.one_in(4) {
            let pairs = [[Some("gt"), None], [Some("gte"), Some("lt")], [Some("gt"), Some("lte")], [None, Some("lte")]];
            let operators = random.of(&pairs).iter().flatten().copied();
            let filter = |operator| Some(Self { field, kind, operator: Some(operator), values: vec![value(random)?] });
            return operators.filter_map(filter).collect();
        }
        let most = if field == "created_at" { 1 } else { 4 };
        let values = (0..=random.below(most)).filter_map(|_| {
            let value = value(random)?;
            let longest = value.chars().count();
            if kind == Kind::Range || random.one_in(2) {
                return Some(if kind == Kind::Text && random.one_in(2) { value.to_uppercase() } else { value });
            }
            let letters = 1 + random.below(longest.min(4));
            Some(format!("{}*", value.chars().take(letters).collect::<String>()))
        });
        let values: Vec<_> = values.collect();
        if values.is_empty() { Vec::new() } else { vec![Self { field, kind, operator: None, values }] }
    }

    fn met_by(&self, user: &Value) -> bool {
        let plain = |text: &str| match self.kind {
            Kind::Text => fold(text),
            Kind::Document => number(text),
            Kind::Word | Kind::Range => text.to_owned(),
        };
        let meets = |shown: &str, asked: &str| match (self.operator, asked.strip_suffix('*')) {
            (Some("gt"), _) => shown > asked,
            (Some("gte"), _) => shown >= asked,
            (Some("lt"), _) => shown < asked,
            (Some(_), _) => shown <= asked,
            (None, Some(prefix)) => plain(shown).starts_with(&plain(prefix)),
            (None, None) => plain(shown) == plain(asked),
        };
        shown(user, self.field).iter().any(|shown| self.values.iter().any(|asked| meets(shown, asked)))
    }
}

fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
