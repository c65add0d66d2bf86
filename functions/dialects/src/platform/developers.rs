//! `register` and `generate-token`: an account registers those who write programs against it.

use axum::extract::State as Shared;
use domain::field::Body as _;
use domain::{DeveloperFields, DeveloperId, Error, Field as _, field::Pointer};
use edge::{Answer, Body, Caller, Rendered, Seed};
use serde_json::{Map, Value, json};

use crate::State;
use crate::lenient::{self, given, text};

/// What is kept of what a registration sends; what else it sends is left alone.
const FIELDS: &[&str] = DeveloperFields::NAMES;

/// Registers a developer. Asks for the token of a master user, or a key of the account with the scope `admin`.
#[utoipa::path(post, path = "/platform/register", tag = "developers", security(("bearer" = [])),
    request_body(content = serde_json::Value, example = json!(DeveloperFields::example())),
    responses((status = 200, description = "The developer, alone in an array.", body = serde_json::Value,
        example = json!([example()]))))]
pub(super) async fn register(
    Shared(state): Shared<State>,
    caller: Caller,
    seed: Seed,
    Body(lenient::Json(body)): Body<lenient::Json>,
) -> Answer<Rendered> {
    let fields: Map<_, _> =
        FIELDS.iter().filter_map(|name| Some(((*name).to_owned(), given(&body, name).map(written)?))).collect();
    let made = keys::register(&state.app, &caller, seed, DeveloperFields::parse(Value::Object(fields))?).await?;
    let mut whole = Map::from_iter([("id".to_owned(), json!(made.id))]);
    whole.extend(made.fields.show());
    Ok(Rendered(json!([whole])))
}

/// Gives a developer a new token, which is shown this once and ends the former one. Asks for the token of a master user, or
/// a key of the account with the scope `admin`.
#[utoipa::path(post, path = "/platform/generate-token", tag = "developers", security(("bearer" = [])),
    request_body(content = serde_json::Value, example = json!({ "user_id": "0199d2a4-5c00-7000-8000-00000000de01" })),
    responses((status = 200, description = "The token.", body = serde_json::Value,
        example = json!({ "token": "dv_…" }))))]
pub(super) async fn generate_token(
    Shared(state): Shared<State>,
    caller: Caller,
    Body(lenient::Json(body)): Body<lenient::Json>,
) -> Answer<Rendered> {
    let (at, mut errors) = (Pointer::root().child("user_id"), Vec::new());
    let id = match given(&body, "user_id") {
        Some(id) => DeveloperId::read(id.clone(), &at, &mut errors),
        None => DeveloperId::absent(&at, &mut errors),
    };
    let token = keys::new_token(&state.app, &caller, id.ok_or(Error::Invalid(errors))?).await?;
    Ok(Rendered(json!({ "token": token.reveal() })))
}

/// A value as the domain reads it: a number as its digits were written.
fn written(value: &Value) -> Value {
    text(value).map_or_else(|| value.clone(), Value::from)
}

fn example() -> Value {
    let mut example = Map::from_iter([("id".to_owned(), json!("0199d2a4-5c00-7000-8000-00000000de01"))]);
    if let Value::Object(fields) = DeveloperFields::example() {
        example.extend(fields);
    }
    Value::Object(example)
}
