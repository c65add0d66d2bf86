//! How a value becomes an answer: by the type of its field.

use serde_json::Value;

use super::{Answer, Answers, Given};
use crate::catalog::{Choice, ChoiceKey};
use crate::clock::Date;
use crate::custom_field::{FieldType, Question};
use crate::document::Checks;
use crate::error::FieldError;
use crate::field::{Field as _, Pointer};
use crate::id::UploadId;
use crate::json::parse_number;
use crate::max_length;
use crate::normalize::{MaxLength, check_words, normalize_lines, normalize_text};
use crate::phone;
use crate::text::{Broken, Email, Phone, digits};
use crate::value::{distinct, plain_digits};
use crate::web::parse_url;

/// `current` after what was `given`: each value is read by the type of its field, `null` takes an answer back.
///
/// `questions` are those that the member is asked ([`CustomField::applies`](crate::CustomField::applies)). What is
/// wrong is added to `errors`, with pointers below `at`.
pub fn check_answers(
    questions: &[Question<'_>],
    checks: Checks,
    current: &Answers,
    given: Given,
    at: &Pointer,
    errors: &mut Vec<FieldError>,
) -> Answers {
    let (mut answers, mut unknown) = (current.clone(), 0);
    for (key, value) in given.0 {
        let at = at.child(&key);
        let question = questions.iter().find(|question| question.field.fields.key.as_str() == key);
        if let Some(question) = question {
            let read = read(question, checks, current.get(&key), value, &at, errors);
            match read {
                Some(Some(answer)) => answers.0.insert(key, answer),
                Some(None) => answers.0.remove(&key),
                None => None,
            };
        } else if unknown < MOST_NAMED {
            unknown += 1;
            let known = named(questions.iter().map(|question| question.field.fields.key.as_str()));
            errors.push(at.error("unknown", &format!("is not a field here; known are: {known}")));
        }
    }
    answers
}

/// How many keys an error names, and how many unknown ones are: an answer must not outgrow what it answers by far.
const MOST_NAMED: usize = 20;

fn named<'a>(keys: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<_> = keys.take(MOST_NAMED + 1).collect();
    if let Some(last) = names.get_mut(MOST_NAMED) {
        *last = "…";
    }
    names.join(", ")
}

/// The answer that `value` is to `question`, or `Some(None)` if it takes one back.
pub(super) fn read(
    question: &Question<'_>,
    checks: Checks,
    current: Option<&Answer>,
    value: Value,
    at: &Pointer,
    errors: &mut Vec<FieldError>,
) -> Option<Option<Answer>> {
    if value.is_null() {
        return Some(None);
    }
    let kind = question.field.fields.kind;
    let mut text = |value, check: &dyn Fn(&str) -> Result<String, Broken>| {
        let text = digits(value, at, errors)?;
        check(&text).map_err(|(code, message)| errors.push(at.error(code, message))).ok().map(Answer::Text)
    };
    let answer = match kind {
        FieldType::Dropdown => return one(question.choices, current, value, at, errors).map(Some),
        FieldType::Multiple => return several(question.choices, current, value, at, errors),
        FieldType::Number => number(value, at, errors),
        FieldType::String => text(value, &|text| {
            let text = normalize_text(text, max_length!(255))?;
            if question.field.fields.unique.0 { check_words(&text).map(|()| text) } else { Ok(text) }
        }),
        FieldType::Text => text(value, &|text| normalize_lines(text, max_length!(4000))),
        FieldType::Url => text(value, &address),
        FieldType::Link => text(value, &link),
        FieldType::Email => text(value, &|text| Email::parse(text).map(|email| email.as_str().to_owned())),
        FieldType::Phone => text(value, &|text| Phone::parse(text).map(|phone| phone.as_str().to_owned())),
        FieldType::Boolean => boolean(&value, at, errors),
        FieldType::Date => Date::read(value, at, errors).map(|date| Answer::Text(date.to_string())),
        FieldType::File => UploadId::read(value, at, errors).map(|id| Answer::Text(id.to_string())),
        FieldType::Curp
        | FieldType::Rfc
        | FieldType::Clabe
        | FieldType::Cpf
        | FieldType::Cnpj
        | FieldType::Cuil
        | FieldType::Nit
        | FieldType::Ruc
        | FieldType::Rut => {
            let rule = kind.document()?;
            text(value, &|text| rule.read(text, checks).map(String::from))
        }
    };
    answer.map(Some)
}

/// Returns the forms in which an answer of text to a field of type `kind` is kept that is spelled `text`.
#[must_use]
pub fn search_forms(kind: FieldType, text: &str) -> Vec<String> {
    let text = text.trim();
    if kind == FieldType::Phone {
        return phone::search_forms(text);
    }
    let is_choice = matches!(kind, FieldType::Dropdown | FieldType::Multiple);
    let known = match kind.document() {
        Some(rule) => rule.read(text, Checks::Format).ok().map(String::from),
        None if is_choice => ChoiceKey::parse(text).ok().map(|key| key.as_str().to_owned()),
        None => None,
    };
    vec![known.unwrap_or_else(|| text.to_owned())]
}

/// A choice of the list; one that is switched off only if it is the answer already.
fn one(
    choices: &[Choice],
    current: Option<&Answer>,
    value: Value,
    at: &Pointer,
    errors: &mut Vec<FieldError>,
) -> Option<Answer> {
    let text = digits(value, at, errors)?;
    let is_chosen = |key: &str| match current {
        Some(Answer::Text(before)) => before == key,
        Some(Answer::Several(before)) => before.iter().any(|before| before == key),
        Some(Answer::Number { .. } | Answer::Boolean(_)) | None => false,
    };
    // However it is spelled, it is the key of the list.
    let sent = ChoiceKey::parse(&text).map_or_else(|_| text.trim().to_owned(), |key| key.canonical());
    let is_open = |choice: &&Choice| choice.status.0 || is_chosen(choice.key.as_str());
    if let Some(choice) = choices.iter().filter(is_open).find(|choice| choice.key.canonical() == sent) {
        return Some(Answer::Text(choice.key.as_str().to_owned()));
    }
    let open = choices.iter().filter(|choice| choice.status.0).map(|choice| choice.key.as_str());
    errors.push(at.error("invalid_choice", &format!("must be one of {}", named(open))));
    None
}

/// Choices of the list in its order; none at all is no answer.
fn several(
    choices: &[Choice],
    current: Option<&Answer>,
    value: Value,
    at: &Pointer,
    errors: &mut Vec<FieldError>,
) -> Option<Option<Answer>> {
    let Value::Array(values) = value else {
        errors.push(at.error("invalid_type", "must be a JSON array of keys"));
        return None;
    };
    if values.len() > choices.len() {
        errors.push(at.error("too_long", "must not have more entries than there are options"));
        return None;
    }
    let each = values.into_iter().enumerate();
    let read: Vec<_> = each.map(|(index, value)| one(choices, current, value, &at.child(index), errors)).collect();
    let chosen: Vec<Answer> = read.into_iter().collect::<Option<_>>()?;
    if !distinct(&chosen, |key| key.show().to_string(), at, errors) {
        return None;
    }
    let keys = choices.iter().map(|choice| choice.key.as_str().to_owned());
    let keys: Vec<_> = keys.filter(|key| chosen.contains(&Answer::Text(key.clone()))).collect();
    Some((!keys.is_empty()).then_some(Answer::Several(keys)))
}

/// A number as it is written, but for zeros in front, which JSON does not have.
fn number(value: Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Answer> {
    let text = digits(value, at, errors)?;
    let text = text.trim();
    let Some(plain) = plain_digits(text) else {
        errors.push(at.error("invalid_number", "must be a number of at most 40 digits, such as 12.50"));
        return None;
    };
    let has_exponent = text.contains(['e', 'E']) && parse_number(text).is_some();
    Some(Answer::Number { digits: if has_exponent { text.to_owned() } else { plain } })
}

fn boolean(value: &Value, at: &Pointer, errors: &mut Vec<FieldError>) -> Option<Answer> {
    let on = value.as_bool();
    if on.is_none() {
        errors.push(at.error("invalid_type", "must be true or false"));
    }
    on.map(Answer::Boolean)
}

/// An address as it was written.
fn address(text: &str) -> Result<String, Broken> {
    const MAX: MaxLength = max_length!(2048);
    let text = normalize_text(text, MAX)?;
    parse_url(&text)?;
    Ok(text)
}

/// The id of an upload as it is always written, or an address.
fn link(text: &str) -> Result<String, Broken> {
    match text.trim().parse::<UploadId>() {
        Ok(id) => Ok(id.to_string()),
        Err(_) => address(text).map_err(|(code, _)| (code, "must be an http or https address, or the id of an upload")),
    }
}
