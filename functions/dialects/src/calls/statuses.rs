//! `POST /calls/statuses`.

use axum::extract::State;
use axum::response::Response;
use domain::{Body as _, CustomStatusFields, Error, KeyScope};
use edge::{Answer, App, LenientBody, Seed};
use segments::statuses;
use serde_json::{Map, Value, json};

use crate::calls::agent::Agent;
use crate::calls::answer::{SUCCESS, answer};
use crate::calls::doc::{as_text, required};
use crate::calls::request::Call;
use crate::calls::schema::{StatusAnswer, StatusCall};
use crate::lenient::{Json, given, switch};

/// Makes a status of a group, by the action `create`. Needs a key with the scope admin. A user who gets an excluded one is locked,
/// and left out of counts and lists, until it is taken away.
#[utoipa::path(post, path = "/calls/statuses/", tag = "calls",
    request_body(content = StatusCall, example = json!({ "action": "create", "group_id": 1,
        "doc": { "status_name": "On hold", "color": "#800000", "is_excluded": 0 } })),
    responses((status = 200, description = "Its number.", body = StatusAnswer, example = json!({ "success": true, "msg": "The status is made.",
        "meta_info": {}, "user_info": {}, "msg_type": "success", "status_id": 1 }))))]
pub(super) async fn call(
    State(app): State<App>,
    agent: Agent,
    seed: Seed,
    LenientBody(Json(body)): LenientBody<Json>,
) -> Answer<Response> {
    let call = match Call::parse(&body) {
        Ok(call) if call.action == "create" => call,
        refused => {
            agent.holds(KeyScope::Admin).await?;
            refused?;
            return Err(Error::invalid("/action", "unknown", "must be create").into());
        }
    };
    let segment = agent.group(&app, &call, KeyScope::Admin).await?;
    let fields = CustomStatusFields::parse(fields(&call.doc)?).map_err(named)?;
    let caller = agent.caller.silently(call.silent);
    let made = statuses::made(&app, (segment, seed.id(0)), fields, caller.act()).await.map_err(named)?;
    let number = [("msg_type".to_owned(), SUCCESS.into()), ("status_id".to_owned(), made.number.get().into())];
    Ok(answer("The status is made.", json!({}), json!({}), Map::from_iter(number)))
}

fn fields(doc: &Value) -> Result<Value, Error> {
    let mut fields = Map::from_iter([("name".to_owned(), as_text(required(doc, "status_name")?))]);
    if let Some(color) = given(doc, "color") {
        fields.insert("color".to_owned(), six_digits(color));
    }
    if let Some(excluded) = given(doc, "is_excluded") {
        let wrong = || Error::invalid("/is_excluded", "invalid_type", "must be 0 or 1");
        fields.insert("is_excluded".to_owned(), switch(excluded).ok_or_else(wrong)?.into());
    }
    Ok(fields.into())
}

/// A color with six digits, where it is written with three.
fn six_digits(color: &Value) -> Value {
    let digits = color.as_str().map(str::trim).and_then(|text| text.strip_prefix('#')).filter(|text| text.len() == 3);
    let doubled = digits.map(|digits| digits.chars().flat_map(|digit| [digit, digit]).collect::<String>());
    doubled.map_or_else(|| as_text(color), |digits| format!("#{digits}").into())
}

/// The error with the name that a status has here for its own.
fn named(error: Error) -> Error {
    error.map_fields(|field| match field.pointer.as_str() {
        "/name" => domain::FieldError { pointer: "/status_name".to_owned(), ..field },
        _ => field,
    })
}
