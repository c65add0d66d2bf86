//! `/flows/membership-custom-field-answer`: what members answer.

use std::sync::{Mutex, PoisonError};

use ::members::{Seat, answers::answered};
use axum::extract::State as Shared;
use domain::answer::{Given, SentAnswers};
use domain::custom_field::FieldType;
use domain::error::FieldError;
use domain::field::Pointer;
use domain::segment::Settings;
use domain::text::Country;
use domain::{Answer as Answered, CustomField, Error, Field as _, FieldId, KeyScope, Member, MemberId, MembershipId};
use domain::{Question, UserId};
use edge::{Answer, App, Caller, IfMatch, LenientBody, Path, Seed};
use serde_json::{Map, Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Made, Pages, Rows};
use super::forms::{phone, switch, text};
use super::names::{Fields, optional, required};
use super::schema;
use crate::State;
use crate::openapi::objects::Empty;

/// The routes.
pub(crate) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(answer_fields)).routes(routes!(list_answers))
}

/// What a request answers.
struct Stack {
    membership: Option<MembershipId>,
    user: Option<UserId>,
    answers: Vec<(FieldId, Value)>,
    /// The keys of the fields, once they are known, for what goes wrong with one.
    keys: Mutex<Vec<String>>,
}

impl Stack {
    fn read(mut body: Fields) -> Result<Self, Error> {
        let (membership, user) = (optional(&mut body, "membership_id")?, optional(&mut body, "user_id")?);
        let at = Pointer::root().child("custom_fields");
        let Some(Value::Array(answers)) = body.remove("custom_fields") else {
            let errors = vec![at.error("invalid_type", "must be an array of {membership_custom_field_id, answer}")];
            return Err(Error::Invalid(errors));
        };
        let (mut read, mut errors) = (Vec::<(FieldId, Value)>::new(), Vec::new());
        for (nth, mut answer) in answers.into_iter().enumerate() {
            let id = answer.get_mut("membership_custom_field_id").map(Value::take).map(text).unwrap_or_default();
            let value = answer.get_mut("answer").map(Value::take).unwrap_or_default();
            let at = at.child(nth).child("membership_custom_field_id");
            match FieldId::read(id, &at, &mut errors) {
                Some(id) if read.iter().any(|(other, _)| *other == id) => {
                    errors.push(at.error("repeated", "is there already; take it out"));
                }
                Some(id) => read.push((id, value)),
                None => {}
            }
        }
        let keys = Mutex::default();
        if errors.is_empty() { Ok(Self { membership, user, answers: read, keys }) } else { Err(Error::Invalid(errors)) }
    }

    /// The answers by the keys of their fields, for a member that is the one that is meant.
    fn read_answers(&self, seat: &Seat, settings: &Settings) -> Result<SentAnswers, Error> {
        let member = &seat.record.member;
        for (name, meant) in [
            ("membership_id", self.membership.is_none_or(|id| id == member.membership_id)),
            ("user_id", self.user.is_none_or(|id| Some(id) == member.fields.user_id)),
        ] {
            if !meant {
                let message = "must be the one of the membership user, or left out";
                return Err(Error::invalid(&format!("/{name}"), "invalid_choice", message));
            }
        }
        let (mut given, mut spellings) = (Map::new(), Map::new());
        let (mut keys, mut errors) = (Vec::new(), Vec::new());
        for (nth, (id, value)) in self.answers.iter().enumerate() {
            let Some(field) = seat.configuration.field(*id) else {
                let at = at(nth).child("membership_custom_field_id");
                errors.push(at.error("unknown", "must be the id of a custom field of the membership"));
                continue;
            };
            let key = field.fields.key.as_str().to_owned();
            keys.push(key.clone());
            spellings.insert(key.clone(), value.clone());
            given.insert(key, value_of(field, value.clone(), settings.country.as_ref()));
        }
        if !errors.is_empty() {
            return Err(Error::Invalid(errors));
        }
        *self.keys.lock().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(SentAnswers { values: Given(given), spellings })
    }

    /// A failure that names the answers by their places in the request.
    fn tell(&self, failure: Error) -> Error {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let named = |error: FieldError| {
            let mut parts = error.pointer.trim_start_matches('/').splitn(2, '/');
            let nth = parts.next().and_then(|key| keys.iter().position(|other| other == key));
            let Some(nth) = nth else { return error };
            let answer = at(nth).child("answer");
            let answer = parts.next().map_or(answer.clone(), |rest| answer.child(rest));
            answer.error(error.code, &error.message)
        };
        failure.map_fields(named)
    }
}

fn at(nth: usize) -> Pointer {
    Pointer::root().child("custom_fields").child(nth)
}

/// An answer as `/v1` takes it. A phone without a calling code is one of `country`.
fn value_of(field: &CustomField, value: Value, country: Option<&Country>) -> Value {
    match (field.fields.kind, value) {
        (_, Value::String(text)) if text.trim().is_empty() => Value::Null,
        (FieldType::Phone, value) => match phone(&value, country) {
            [(_, Value::Null), _] => text(value),
            [(_, number), _] => number,
        },
        (FieldType::Boolean, value) => switch(value),
        // Several keys come as an array, as text that is one, or divided by commas.
        (FieldType::Multiple, Value::String(text)) => match serde_json::from_str(&text) {
            Ok(Value::Array(keys)) => Value::Array(keys),
            _ => text.split(',').map(|key| Value::from(key.trim())).collect(),
        },
        (FieldType::Multiple, Value::Number(key)) => Value::Array(vec![key.to_string().into()]),
        (FieldType::Multiple, value) => value,
        (_, value) => text(value),
    }
}

/// Answers custom fields of a member; the other answers stay as they are.
///
/// The answer of a dropdown is an option's key, that of a `multiple` an array of keys, that of a `url` an address, or the
/// `uuid` of an upload. What is null or empty takes an answer back.
#[utoipa::path(post, path = "/flows/membership-custom-field-answer/stack", tag = "membership-custom-field-answer",
    request_body(content = schema::AnswerStack, example = json!({
        "membership_id": "0199d2a4-5c00-7000-8000-00000000ab01", "membership_user_id": "0199d2a4-5c00-7000-8000-00000000ae01",
        "user_id": "0199d2a4-5c00-7000-8000-000000000002",
        "custom_fields": [{ "membership_custom_field_id": "0199d2a4-5c00-7000-8000-00000000f1e1", "answer": "bbva" }],
    })),
    responses((status = 201, description = "They are answered.", body = Empty, example = json!({}))))]
async fn answer_fields(
    Shared(app): Shared<App>,
    caller: Caller,
    _: Seed,
    LenientBody(Given(mut body)): LenientBody<Given>,
) -> Answer<Made> {
    let member: MemberId = required(&mut body, "membership_user_id")?;
    let stack = Stack::read(body)?;
    let done =
        answered(&app, &caller, member, &IfMatch::default(), |seat, settings| stack.read_answers(seat, settings)).await;
    done.map_err(|error| stack.tell(error))?;
    Ok(Made(json!({})))
}

/// Lists the answers of a member.
#[utoipa::path(get, path = "/flows/membership-custom-field-answer/list/{membership_user_id}",
    tag = "membership-custom-field-answer", params(Pages),
    responses((status = 200, description = "A page of answers.", body = [schema::MembershipCustomFieldAnswer],
        headers(("x-total-pages" = u64, description = "How many pages there are."),
            ("x-total-results" = u64, description = "How many rows there are.")), example = json!([{
        "id": "0199d2a4-5c00-7000-8000-00000000ae01.0199d2a4-5c00-7000-8000-00000000f1e1", "answer": "bbva",
        "answer_for_catalog": null, "membership_custom_field_id": "0199d2a4-5c00-7000-8000-00000000f1e1",
        "membership_id": "0199d2a4-5c00-7000-8000-00000000ab01", "membership_user_id": "0199d2a4-5c00-7000-8000-00000000ae01",
        "user_id": "0199d2a4-5c00-7000-8000-000000000002", "status": true, "removed": false,
        "created_at": "2026-11-21T10:00:00.000Z", "updated_at": "2026-11-21T10:05:00.000Z",
    }]))))]
async fn list_answers(
    Shared(app): Shared<App>,
    caller: Caller,
    Path(member): Path<MemberId>,
    pages: Pages,
) -> Answer<Rows> {
    let seat = Seat::take(&app, &caller, member, KeyScope::Read).await?;
    if pages.removed {
        return Ok(pages.of(Vec::new()));
    }
    let member = seat.shown();
    let mut questions = seat.configuration.questions();
    questions.sort_by_key(|question| question.field.id);
    let row = |question: &Question<'_>| {
        let answer = member.answers.get(question.field.fields.key.as_str())?;
        Some(row(&member, question, answer))
    };
    Ok(pages.of(questions.iter().filter_map(row).collect()))
}

fn row(member: &Member, question: &Question<'_>, answer: &Answered) -> Fields {
    let field = question.field.id;
    let value = |key: &str| {
        let choice = question.choices.iter().find(|choice| choice.key.as_str() == key);
        choice.map_or(Value::Null, |choice| choice.value.as_str().into())
    };
    let spelling = member.spellings.get(question.field.fields.key.as_str());
    // The text of a choice of a catalog. The options of a field come with the field.
    let of_catalog = match answer {
        _ if question.field.fields.catalog_id.is_none() => Value::Null,
        Answered::Text(key) if question.field.fields.kind.chooses() => value(key),
        Answered::Several(keys) => keys.iter().map(|key| value(key)).collect(),
        Answered::Text(_) | Answered::Number { .. } | Answered::Boolean(_) => Value::Null,
    };
    Map::from_iter(
        [
            ("id", format!("{}.{field}", member.id).into()),
            ("answer", spelling.unwrap_or_else(|| answer.show())),
            ("answer_for_catalog", of_catalog),
            ("membership_custom_field_id", field.show()),
            ("membership_id", member.membership_id.show()),
            ("membership_user_id", member.id.show()),
            ("user_id", member.fields.user_id.show()),
            ("status", true.into()),
            ("removed", false.into()),
            ("created_at", member.created_at.show()),
            ("updated_at", member.updated_at.show()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    )
}
