//! Answers of a member to the custom fields of its membership.

mod change;
mod read;
mod spelling;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::openapi::schema::{AdditionalProperties, ArrayBuilder, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::custom_field::{FieldType, Question};
use crate::document::Checks;
use crate::error::FieldError;
use crate::field::{Body, Field, Fields, Pointer, described, named, nullable, read_object};
use crate::id::LevelId;
use crate::json::parse_number;
use crate::normalize::caseless;
use crate::value::plain_digits;
use crate::web::{canonical_url, parse_url};

pub use change::{Invalidates, invalidates};
use read::read;
pub use read::{check_answers, search_forms};
pub use spelling::{AnswerSpellings, SentAnswers};

/// An answer in its canonical form. Clients see the plain value ([`Answer::show`]); it is kept as the plain value too,
/// but for a number, of which only text keeps every digit: `{"digits": "12.50"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// Text, a document's number, a day, a choice's key or an upload's id.
    Text(String),
    /// Yes or no.
    Boolean(bool),
    /// Choices' keys, in the order of the choices.
    Several(Vec<String>),
    /// A number.
    Number {
        /// As it was written, without leading zeros.
        digits: String,
    },
}

/// What a member is found by, of one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexValue {
    /// Text, still to be folded.
    Text(String),
    /// A decimal number in its digits.
    Number(String),
    /// A day, `YYYY-MM-DD`.
    Date(String),
    /// Yes or no.
    Boolean(bool),
}

/// A member's answers by the keys of their fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Answers(BTreeMap<String, Answer>);

impl Answer {
    /// The answer as clients see it.
    #[must_use]
    pub fn show(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Boolean(on) => (*on).into(),
            Self::Several(keys) => keys.as_slice().into(),
            Self::Number { digits } => parse_number(digits).map_or(Value::Null, Value::Number),
        }
    }

    /// What a member is found by, of its answer to a field of type `kind`; nothing for text and files.
    #[must_use]
    pub fn index_values(&self, kind: FieldType) -> Vec<IndexValue> {
        let text = |text: &String| {
            if kind == FieldType::Date { IndexValue::Date(text.clone()) } else { IndexValue::Text(text.clone()) }
        };
        match self {
            _ if !kind.can_be_searched() => Vec::new(),
            Self::Text(written) => vec![text(written)],
            Self::Number { digits } => vec![IndexValue::Number(without_exponent(digits))],
            Self::Boolean(on) => vec![IndexValue::Boolean(*on)],
            Self::Several(keys) => keys.iter().cloned().map(IndexValue::Text).collect(),
        }
    }

    /// The form in which two answers to a unique field of type `kind` are the same.
    #[must_use]
    pub fn unique_value(&self, kind: FieldType) -> Option<String> {
        match self {
            _ if !kind.can_be_unique() => None,
            Self::Text(text) if kind == FieldType::Email => Some(text.to_lowercase()),
            Self::Text(text) if kind == FieldType::String => Some(caseless(text)),
            Self::Text(text) if kind == FieldType::Url => parse_url(text).ok().map(|url| canonical_url(&url)),
            // What is no address is a file.
            Self::Text(text) if kind == FieldType::Link => {
                Some(parse_url(text).map_or_else(|_| text.clone(), |url| canonical_url(&url)))
            }
            Self::Text(text) => Some(text.clone()),
            Self::Number { digits } => Some(plain_number(&without_exponent(digits))),
            Self::Boolean(_) | Self::Several(_) => None,
        }
    }

    /// Whether this is still an answer to `question` as it is now. The check digit of a document is not asked
    /// for again, and an option that was switched off still counts.
    #[must_use]
    pub fn holds(&self, question: &Question<'_>) -> bool {
        match (question.field.fields.kind.document(), self) {
            (Some(rule), Self::Text(number)) => rule.holds(number),
            (Some(_), Self::Number { .. } | Self::Boolean(_) | Self::Several(_)) => false,
            // Read again, it is the same.
            (None, answer) => {
                let at = Pointer::root();
                let read = read(question, Checks::Format, Some(answer), answer.show(), &at, &mut Vec::new());
                read.flatten().as_ref() == Some(answer)
            }
        }
    }
}

/// The number in plain digits; one from before the rule as it is.
fn without_exponent(digits: &str) -> String {
    plain_digits(digits).unwrap_or_else(|| digits.to_owned())
}

/// The number without what does not change it: zeros at its end, and the sign of zero.
fn plain_number(digits: &str) -> String {
    let short = if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

impl Answers {
    /// The answer to the field with this key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Answer> {
        self.0.get(key)
    }

    /// Each answer with the key of its field, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Answer)> {
        self.0.iter().map(|(key, answer)| (key.as_str(), answer))
    }

    /// The answers as clients see them.
    #[must_use]
    pub fn show(&self) -> Value {
        Value::Object(self.0.iter().map(|(key, answer)| (key.clone(), answer.show())).collect())
    }

    /// Those of these answers whose fields' keys are wanted.
    #[must_use]
    pub fn only(&self, wanted: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|(key, _)| wanted(key)).map(|(key, answer)| (key.clone(), answer.clone())).collect())
    }

    /// Those of these answers that hold under `questions`.
    #[must_use]
    pub fn holding(&self, questions: &[Question<'_>]) -> Self {
        let held = questions.iter().filter_map(|question| {
            let key = question.field.fields.key.as_str();
            let answer = self.0.get(key).filter(|answer| answer.holds(question))?;
            Some((key.to_owned(), answer.clone()))
        });
        Self(held.collect())
    }
}

/// The keys of the required fields among `questions` that a member of `level` has not answered, or whose answer no
/// longer holds.
#[must_use]
pub fn missing(questions: &[Question<'_>], level: Option<LevelId>, answers: &Answers) -> Vec<String> {
    let asked = questions.iter().filter(|question| question.field.fields.required.0 && question.field.applies(level));
    let unanswered = asked.filter(|question| {
        let answer = answers.get(question.field.fields.key.as_str());
        !answer.is_some_and(|answer| answer.holds(question))
    });
    unanswered.map(|question| question.field.fields.key.as_str().to_owned()).collect()
}

/// Answers as a client gives them, not checked yet: an object with a value for each field's key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given(pub Map<String, Value>);

impl Body for Given {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        Some(Self(fields.rest()))
    }

    fn show(&self) -> Map<String, Value> {
        self.0.clone()
    }

    fn example() -> Value {
        json!({ "bank": "bbva", "tax_id": null })
    }

    fn schema() -> RefOr<Schema> {
        let answer =
            described(nullable(value_schema("AnswerValue", of_type(Type::String))), "An answer; `null` takes it back.");
        let about = "A value for each field's key; `null` takes an answer back.";
        let answers = answers_of(answer).description(Some(about)).examples([<Self as Body>::example()]);
        named(answers.into(), "AnswersFields")
    }

    fn response_schema() -> RefOr<Schema> {
        Self::answers_schema()
    }
}

impl Given {
    /// Returns the schema of answers as clients see them.
    #[must_use]
    pub fn answers_schema() -> RefOr<Schema> {
        let about = "A value for each field's key.";
        let answers = answers_of(value_schema("AnswerValue", of_type(Type::String))).description(Some(about));
        named(answers.examples([json!({ "bank": "bbva", "income": 30500.5, "hobbies": ["chess"] })]).into(), "Answers")
    }
}

impl Given {
    /// Returns the schema of answers in the spelling that was sent: keys of choices may be numbers.
    #[must_use]
    pub fn spellings_schema() -> RefOr<Schema> {
        let about = "A value for each field's key.";
        let spellings = answers_of(Self::spelling_schema("AnswerSpelling")).description(Some(about));
        named(spellings.examples([json!({ "hobbies": "chess,go" })]).into(), "AnswerSpellings")
    }

    /// Returns the schema of one answer in the spelling that was sent, by the name of its component.
    #[must_use]
    pub fn spelling_schema(name: &str) -> RefOr<Schema> {
        let key = OneOfBuilder::new().item(of_type(Type::String)).item(of_type(Type::Number));
        value_schema(name, key.into())
    }
}

fn of_type(kind: Type) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(kind).into()
}

fn answers_of(answer: RefOr<Schema>) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Object).additional_properties(Some(AdditionalProperties::RefOr(answer)))
}

/// Returns the schema of one answer, given that of the key of a choice.
fn value_schema(name: &str, key: RefOr<Schema>) -> RefOr<Schema> {
    let about = "An answer. Text, documents, days (`YYYY-MM-DD`), choices and uploads are strings; several choices are an \
        array of their keys.";
    let value = OneOfBuilder::new()
        .item(of_type(Type::String))
        .item(of_type(Type::Number))
        .item(of_type(Type::Boolean))
        .item(ArrayBuilder::new().items(key))
        .description(Some(about));
    named(value.into(), name)
}

impl Field for Given {
    fn read(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Self> {
        read_object(value, at, errors, <Self as Body>::read)
    }

    fn show(&self) -> Value {
        Value::Object(self.0.clone())
    }

    fn schema() -> RefOr<Schema> {
        <Self as Body>::schema()
    }

    fn response_schema() -> RefOr<Schema> {
        Self::answers_schema()
    }
}

impl PartialSchema for Given {
    fn schema() -> RefOr<Schema> {
        <Self as Body>::schema()
    }
}

impl ToSchema for Given {
    fn name() -> std::borrow::Cow<'static, str> {
        "AnswersFields".into()
    }
}

#[cfg(test)]
mod tests;
