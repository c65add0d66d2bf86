//! What a member is found by. Its fields are fixed; its answers depend on the custom fields as they were when it was
//! written, which is why each row keeps how its answers were indexed.

use std::collections::{BTreeMap, BTreeSet};

use domain::answer;
use domain::custom_field::{FieldType, Values};
use domain::phone::spelled_form;
use domain::{Answer, Member, MembershipId};
use serde::{Deserialize, Serialize};

use crate::membership::Configuration;
use crate::search::{Index, Kind, Schema, Value, ValueType};

/// How the answer to a field was indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IndexedAs {
    #[serde(rename = "type")]
    kind: FieldType,
    searchable: bool,
    unique: bool,
    /// Whether there was an answer that held.
    held: bool,
    /// Whether it was one to a question that the member was asked.
    counted: bool,
}

impl IndexedAs {
    /// The same without a claim of its value.
    pub(crate) fn unclaimed(self) -> Self {
        Self { unique: false, ..self }
    }

    /// Whether it answered a field that takes files.
    pub(crate) fn is_file(self) -> bool {
        self.kind.takes_files()
    }
}

/// How each answer was indexed, by the key of its field.
pub(crate) type IndexedAnswers = BTreeMap<String, IndexedAs>;

/// The directory of a membership's members.
pub(crate) fn directory(membership: MembershipId) -> String {
    format!("M#{membership}")
}

/// The tally of all members.
pub(crate) const ALL: &str = "all";

/// The tally of those who have answered a field.
pub(crate) fn answered(key: &str) -> String {
    format!("answered:{key}")
}

/// The tally of those who have kept an answer to a field that they are not asked, or that does not hold any more.
pub(crate) fn kept(key: &str) -> String {
    format!("kept:{key}")
}

/// The tally of those who have chosen an option.
pub(crate) fn chosen(key: &str, option: &str) -> String {
    format!("chosen:{key}:{option}")
}

/// The tally of those who are at a level.
pub(crate) fn at_level(level: impl std::fmt::Display) -> String {
    format!("level:{level}")
}

/// How a member's answers are indexed under the fields as they are now.
pub(crate) fn indexed_answers(member: &Member, configuration: &Configuration) -> IndexedAnswers {
    let questions = configuration.questions();
    let indexed = questions.iter().filter_map(|question| {
        let (field, fields) = (question.field, &question.field.fields);
        let answer = member.answers.get(fields.key.as_str());
        let held = answer.is_some_and(|answer| answer.holds(question));
        let counted = held && field.applies(member.fields.level_id);
        let searchable = fields.searchable.0 && fields.status.0;
        let indexed = IndexedAs { kind: fields.kind, searchable, unique: fields.unique.0, held, counted };
        (answer.is_some() || searchable).then(|| (fields.key.as_str().to_owned(), indexed))
    });
    indexed.collect()
}

/// What a member is found by.
pub(crate) fn index(member: &Member, answers: &IndexedAnswers) -> Index {
    let fields = &member.fields;
    let text = |text: Option<&str>| text.map(|text| Value::Text(text.to_owned()));
    let level = fields.level_id.map(|level| level.to_string());
    let time = |time: Option<domain::Time>| time.map(Value::word);
    let mut index = Index::new(member.id.uuid())
        .facet("status", Some(fields.status.0.as_str()))
        .facet("level_id", level.as_deref())
        .sorted("name", text(fields.name.as_ref().map(domain::Name::as_str)).as_ref())
        .sorted("last_name", text(fields.last_name.as_ref().map(domain::Name::as_str)).as_ref())
        .sorted("number", Some(&Value::word(member.number.as_str())))
        .sorted("points", Value::number(&member.points.get().to_string()).as_ref())
        .ordered("starts_at", time(fields.starts_at).as_ref())
        .ordered("expires_at", time(fields.expires_at).as_ref())
        .ordered("last_payment_at", time(fields.last_payment_at).as_ref())
        .found("approval", &Value::word(fields.approval.0.as_str()))
        .tally(ALL);
    let found = [
        ("user_id", fields.user_id.map(Value::word)),
        ("phone", fields.phone.as_ref().map(|phone| Value::word(phone.as_str()))),
        ("phone", spelled_form(fields.phone.as_ref(), fields.phone_display.as_ref()).map(Value::Word)),
        ("card_number", fields.card_number.as_ref().map(|card| Value::word(card.as_str()))),
        ("origin", text(fields.origin.as_ref().map(domain::text::Code::as_str))),
        ("product_id", fields.product_id.map(Value::word)),
    ];
    for (field, value) in found {
        if let Some(value) = value {
            index = index.found(field, &value);
        }
    }
    if let Some(level) = &level {
        index = index.tally(&at_level(level));
    }
    answers.iter().fold(index, |index, (key, indexed)| with_answer(index, key, *indexed, member.answers.get(key)))
}

fn with_answer(mut index: Index, key: &str, indexed: IndexedAs, answer: Option<&Answer>) -> Index {
    if answer.is_some() && !indexed.counted {
        index = index.tally(&kept(key));
    }
    let answer = answer.filter(|_| indexed.counted);
    let values: Vec<_> = answer.iter().flat_map(|answer| answer.index_values(indexed.kind)).map(value).collect();
    if indexed.searchable {
        let field = format!("answers.{key}");
        index = match kind(indexed.kind).0 {
            Kind::Found => values.iter().fold(index, |index, value| index.found(&field, value)),
            Kind::Facet | Kind::Sorted | Kind::Ordered => index.ordered(&field, values.first()),
        };
    }
    if indexed.counted {
        index = index.tally(&answered(key));
    }
    if let Some(answer) = answer.filter(|_| indexed.kind.chooses()) {
        let options: Vec<&str> = match answer {
            Answer::Text(option) => vec![option],
            Answer::Several(options) => options.iter().map(String::as_str).collect(),
            Answer::Number { .. } | Answer::Boolean(_) => Vec::new(),
        };
        index = options.into_iter().fold(index, |index, option| index.tally(&chosen(key, option)));
    }
    index
}

fn value(indexed: answer::IndexValue) -> Value {
    match indexed {
        answer::IndexValue::Text(text) => Value::Text(text),
        answer::IndexValue::Number(digits) => Value::number(&digits).unwrap_or(Value::Word(digits)),
        answer::IndexValue::Date(day) => Value::Word(day),
        answer::IndexValue::Boolean(on) => Value::word(on),
    }
}

/// How answers of a type are found, and what their values are.
fn kind(kind: FieldType) -> (Kind, ValueType) {
    match kind.values() {
        Values::Several => (Kind::Found, ValueType::Text),
        Values::Number => (Kind::Ordered, ValueType::Number),
        Values::Boolean | Values::Date => (Kind::Ordered, ValueType::Word),
        Values::Text => (Kind::Ordered, ValueType::Text),
    }
}

/// The values that no other member of the membership may have: each with what it is a value of. An answer stays the
/// member's while it is not asked, so that it is nobody else's when it is asked again.
pub(crate) fn claims(member: &Member, answers: &IndexedAnswers) -> BTreeSet<(String, String)> {
    let number = ("number".to_owned(), member.number.as_str().to_owned());
    let user = member.fields.user_id.map(|user| ("user_id".to_owned(), user.to_string()));
    let unique = answers.iter().filter(|(_, indexed)| indexed.unique && indexed.held);
    let unique = unique.filter_map(|(key, indexed)| {
        let value = member.answers.get(key)?.unique_value(indexed.kind)?;
        Some((format!("answers.{key}"), value))
    });
    std::iter::once(number).chain(user).chain(unique).collect()
}

/// By what members are searched.
pub(crate) fn schema(configuration: &Configuration) -> Schema {
    let fixed = [
        ("status", Kind::Facet, ValueType::Word),
        ("level_id", Kind::Facet, ValueType::Word),
        ("name", Kind::Sorted, ValueType::Text),
        ("last_name", Kind::Sorted, ValueType::Text),
        ("number", Kind::Sorted, ValueType::Word),
        ("points", Kind::Sorted, ValueType::Number),
        ("starts_at", Kind::Ordered, ValueType::Word),
        ("expires_at", Kind::Ordered, ValueType::Word),
        ("last_payment_at", Kind::Ordered, ValueType::Word),
        ("approval", Kind::Found, ValueType::Word),
        ("user_id", Kind::Found, ValueType::Word),
        ("phone", Kind::Found, ValueType::Word),
        ("card_number", Kind::Found, ValueType::Word),
        ("origin", Kind::Found, ValueType::Text),
        ("product_id", Kind::Found, ValueType::Word),
    ];
    let schema =
        fixed.into_iter().fold(Schema::default(), |schema, (field, kind, values)| schema.with(field, kind, values));
    let searchable = configuration.fields.iter().filter(|field| field.fields.searchable.0 && field.fields.status.0);
    searchable.fold(schema, |schema, field| {
        let (kind, values) = kind(field.fields.kind);
        schema.with(&format!("answers.{}", field.fields.key.as_str()), kind, values)
    })
}
