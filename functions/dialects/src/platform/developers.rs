//! `register` and `generate-token`: developers register themselves, without a credential, and get tokens the same way. Where the
//! deployment's `DeveloperRegistration` is `account`, an account does both.

use axum::extract::State as Shared;
use domain::field::Body as _;
use domain::{DeveloperFields, DeveloperId, Error, Field as _, field::Pointer};
use edge::{Answer, Anybody, Caller, DeveloperRegistration, Failure, LenientBody, Rendered, Seed, Visitor};
use serde_json::{Map, Value, json};

use super::names::as_text;
use super::schema::{NewDeveloper, NewToken, RegisteredDeveloper, TokenOwner};
use crate::State;
use crate::lenient::{self, given};

/// The fields of a registration that are kept; others are ignored.
pub(super) const FIELDS: &[&str] = DeveloperFields::NAMES;

/// Registers a developer, of no account and without a credential. It expires after 30 days unless a key is used with it.
///
/// With the token of a master user, or a key of the account with the scope `admin`, the developer is the account's own, as with
/// `POST /v1/developers`. A credential that is not valid is ignored. A deployment whose `DeveloperRegistration` is `account`
/// demands one of these.
#[utoipa::path(post, path = "/platform/register", tag = "developers", security((), ("bearer" = [])),
    request_body(content = NewDeveloper, example = json!(DeveloperFields::example())),
    responses((status = 200, description = "An array of one, the developer.", body = Vec<RegisteredDeveloper>,
        example = json!([example()]))))]
pub(super) async fn register(
    Shared(state): Shared<State>,
    caller: Result<Anybody, Failure>,
    visitor: Visitor,
    seed: Seed,
    LenientBody(lenient::Json(body)): LenientBody<lenient::Json>,
) -> Answer<Rendered> {
    let fields = || {
        let field = |name: &&str| Some(((*name).to_owned(), as_text(given(&body, name)?)));
        DeveloperFields::parse(Value::Object(FIELDS.iter().filter_map(field).collect()))
    };
    let own = match caller_of(caller)? {
        Some(caller) => unless_invalid(keys::register(&state.app, &caller, seed, fields()?).await)?,
        None => None,
    };
    let new = match (own, state.app.developer_registration) {
        (Some(new), _) => new,
        (None, DeveloperRegistration::Open) => keys::register_openly(&state.app, &visitor, seed, fields()?).await?,
        (None, DeveloperRegistration::Account) => return Err(Error::Unauthenticated.into()),
    };
    let mut whole = Map::from_iter([("id".to_owned(), json!(new.id))]);
    whole.extend(new.fields.show());
    Ok(Rendered(json!([whole])))
}

/// Issues a token of a developer, valid for 24 hours; the newest 100 tokens of a developer are valid at the same time.
///
/// A deployment whose `DeveloperRegistration` is `account` demands the token of a master user, or a key of the account with the
/// scope `admin`, and issues tokens of the account's own developers.
#[utoipa::path(post, path = "/platform/generate-token", tag = "developers", security((), ("bearer" = [])),
    request_body(content = TokenOwner, example = json!({ "user_id": "0199d2a4-5c00-7000-8000-00000000de01" })),
    responses((status = 200, description = "The token.", body = NewToken, example = json!({ "token": "dv_…" }))))]
pub(super) async fn generate_token(
    Shared(state): Shared<State>,
    caller: Result<Anybody, Failure>,
    visitor: Visitor,
    LenientBody(lenient::Json(body)): LenientBody<lenient::Json>,
) -> Answer<Rendered> {
    let id = || {
        let (at, mut errors) = (Pointer::root().child("user_id"), Vec::new());
        let id = match given(&body, "user_id") {
            Some(id) => DeveloperId::read(as_text(id), &at, &mut errors),
            None => DeveloperId::absent(&at, &mut errors),
        };
        id.ok_or(Error::Invalid(errors))
    };
    let own = match caller_of(caller)? {
        Some(caller) => unless_invalid(keys::new_token(&state.app, &caller, id()?).await)?,
        None => None,
    };
    let token = match (own, state.app.developer_registration) {
        (Some(token), _) => token,
        (None, DeveloperRegistration::Open) => keys::new_token_openly(&state.app, &visitor, id()?).await?,
        (None, DeveloperRegistration::Account) => return Err(Error::Unauthenticated.into()),
    };
    Ok(Rendered(json!({ "token": token })))
}

/// The caller with its credential, if it sent one that can be valid: these routes need none, and ignore any other.
fn caller_of(caller: Result<Anybody, Failure>) -> Answer<Option<Caller>> {
    match caller {
        Ok(Anybody(caller)) => Ok(caller),
        Err(Failure::Domain(error)) => Ok(unless_invalid(Err(error))?),
        Err(failure) => Err(failure),
    }
}

/// What a credential allowed; nothing where it is not valid.
fn unless_invalid<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Err(Error::Unauthenticated | Error::Expired | Error::SegmentInactive) => Ok(None),
        result => result.map(Some),
    }
}

fn example() -> Value {
    let mut example = Map::from_iter([("id".to_owned(), json!("0199d2a4-5c00-7000-8000-00000000de01"))]);
    if let Value::Object(fields) = DeveloperFields::example() {
        example.extend(fields);
    }
    Value::Object(example)
}
