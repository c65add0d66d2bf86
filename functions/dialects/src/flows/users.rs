//! `/flows/user`: master users, from sign-up to deletion.

use ::members::read_shared_user;
use ::users::{EmailCode, changed_in, delete, password, prove_email, sign_up, verify};
use axum::extract::State as Shared;
use domain::answer::Given;
use domain::segment::Settings;
use domain::user::{CURRENT_PASSWORD, Unique};
use domain::{Body as _, field::Pointer};
use domain::{Email, Error, Field as _, MergePatch, Object as _, SignUp, Status, User, UserId, UserState};
use edge::{
    Answer, App, Base, Body, Caller, Failure, IfMatch, LenientBody, Path, Query, Rendered, RequestId, Seed, UserRef,
    Visitor,
};
use serde_json::Value;
use store::Scope;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Made, done, shown};
use super::login::tokens;
use super::names::{Fields, Form, KEPT, Names, optional_switch, required, with};
use super::schema;
use crate::openapi::objects::Empty;
use crate::{State, lenient};

pub(super) const NAMES: Names = Names(&[
    ("email", "email", Form::Text),
    ("name", "name", Form::Text),
    ("lastname", "last_name", Form::Text),
    ("lastname2", "second_last_name", Form::Text),
    ("mobile", "phone", Form::Phone),
    ("gender", "gender", Form::Word),
    ("birthdate", "birthdate", Form::Day),
    ("lang", "language", Form::Text),
    ("country", "country", Form::Place),
    ("state", "state", Form::Place),
    ("city", "city", Form::Place),
    ("profit_center", "profit_center", Form::Kept("Profit center.")),
    ("player_id", "player_id", Form::Kept("Id of its player of push notifications.")),
    ("active", "status", Form::Shown),
]);

/// What these clients know of a user, and Muster has no use for.
pub(super) const UNUSED: [&str; 3] = ["stripe_id", "guest", "no_guest"];

/// The fields of a code and of a password.
pub(super) const CODE: Names = Names(&[("verification_code", "code", Form::Text)]);
pub(super) const PASSWORDS: Names =
    Names(&[("old_password", "old_password", Form::Secret), ("new_password", "new_password", Form::Secret)]);

/// What proves that whoever changes its e-mail is the user; a sign-in within the last 10 minutes does so too.
const PROOF: Names = Names(&[("old_password", CURRENT_PASSWORD, Form::Secret)]);

/// The routes.
pub(crate) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(user_available))
        .routes(routes!(create_user))
        .routes(routes!(validate_code))
        .routes(routes!(read_user, change_user, delete_user))
        .routes(routes!(change_password))
}

/// A user as it is shown there.
pub(crate) fn user(user: &User) -> Fields {
    let thing = user.show();
    let mut fields = NAMES.show(&thing);
    fields.insert("active".to_owned(), (user.status == Status::Active).into());
    fields.insert("removed".to_owned(), (user.status == Status::Deleted).into());
    with(fields, &thing, &UNUSED)
}

/// Tells whether an e-mail has a user (200) or is free (404).
#[utoipa::path(get, path = "/flows/user/available", tag = "user", security(()),
    params(("key" = String, Query, description = "The e-mail.", example = "ana@example.com")),
    responses((status = 200, description = "The e-mail has a user.", body = Empty, example = json!({}))))]
async fn user_available(Shared(state): Shared<State>, visitor: Visitor, mut query: Query) -> Answer<Rendered> {
    let mut errors = Vec::new();
    let key = query.take_unspaced("key", &mut errors).unwrap_or_default();
    let email = Email::read(key.into(), &Pointer::root().child("key"), &mut errors);
    let Some(email) = email.filter(|_| errors.is_empty()) else { return Err(Error::Invalid(errors).into()) };
    visitor.asks_who_exists().await?;
    let holder = state.app.store.holder(Scope::Masters, &Unique::email(&email)).await?;
    holder.map(|_| done()).ok_or_else(|| Error::NotFound.into())
}

/// Signs up a master user. A verification code is sent to the e-mail.
#[utoipa::path(post, path = "/flows/user", tag = "user", security(()),
    request_body(content = schema::NewUser, example = json!({
        "email": "ana@example.com", "name": "Ana", "lastname": "López", "lastname2": "García",
        "password": "correct horse battery", "mobile": "5512345678", "gender": "female",
        "birthdate": "1990-02-28T00:00:00.000Z", "lang": "es", "profit_center": "online",
        "country": { "id": 142, "code": "MEX", "name": "México" }, "state": { "id": 9, "code": "CMX", "name": "Ciudad de México" },
        "city": { "id": null, "code": null, "name": "Ciudad de México" },
    })),
    responses((status = 201, description = "The user, who has to verify its e-mail.", body = schema::CreatedId,
        example = json!({ "id": "0199d2a4-5c00-7000-8000-000000000001" }))))]
async fn create_user(
    Shared(state): Shared<State>,
    visitor: Visitor,
    seed: Seed,
    request_id: RequestId,
    LenientBody(Given(mut body)): LenientBody<Given>,
) -> Answer<Made> {
    let password = body.remove("password").map(|password| lenient::secret(&password));
    let mut fields = NAMES.read(body, true);
    fields.extend(password.map(|password| ("password".to_owned(), password)));
    let new = SignUp::parse(Value::Object(fields)).map_err(|error| NAMES.tell(error))?;
    let (app, identity) = (Shared(state.app), Shared(state.identity));
    sign_up::sign_up(app, identity, visitor, seed, request_id, Body(new)).await.map_err(|error| NAMES.tell(error))?;
    Ok(Made::id(seed.id::<UserId>(0)))
}

/// Verifies a user's e-mail by the code that was sent, and signs the user in.
///
/// With the user's own token it confirms the e-mail that the user has changed, which is the former one until then.
#[utoipa::path(post, path = "/flows/user/validate-code", tag = "user", security(()),
    request_body(content = schema::CodeValidation, example = json!({
        "verification_code": "492817", "user_id": "0199d2a4-5c00-7000-8000-000000000001", "phone": "5512345678",
    })),
    responses((status = 200, description = "Tokens, as after a login.", body = schema::Tokens, example = json!({
        "id": "0199d2a4-5c00-7000-8000-000000000001", "access_token": "eyJraWQ…", "refresh_token": "eyJjdHk…", "expires_in": 3600,
    }))))]
async fn validate_code(
    Shared(state): Shared<State>,
    caller: Result<Caller, Failure>,
    visitor: Visitor,
    request_id: RequestId,
    base: Base,
    LenientBody(Given(mut body)): LenientBody<Given>,
) -> Answer<Rendered> {
    let code = Value::Object(CODE.read(body.clone(), true));
    let user: UserId = required(&mut body, "user_id")?;
    // Clients send the token of a former session too, and whoever signs up has none.
    let itself = caller.ok().filter(|caller| caller.session().is_ok_and(|session| session.claims.user_id == user));
    let verified = match itself {
        Some(itself) => prove((state, &itself, &visitor, &base), code).await,
        None => {
            let code = verify::Verification::parse(code).map_err(|error| CODE.tell(error))?;
            let (app, identity) = (Shared(state.app), Shared(state.identity));
            verify::verify(app, identity, visitor, request_id, Path(user), Body(code)).await
        }
    };
    Ok(tokens(verified.map_err(|error| CODE.tell(error))?, true))
}

/// Confirms the e-mail that a user has changed, and begins a session, since these clients go on with the tokens of the answer.
async fn prove((state, itself, visitor, base): (State, &Caller, &Visitor, &Base), code: Value) -> Answer<Rendered> {
    let code = EmailCode::parse(code)?;
    let state = ::users::State { app: state.app, identity: state.identity, mail: state.mail };
    let record = prove_email(&state, itself, visitor, (base, UserRef::Me), &code).await?;
    Ok(verify::sign_in((&state.app, &state.identity), visitor, &record).await?)
}

/// Reads a user: oneself, a user of one's segments, or the profile of who has joined a membership of one's segments.
#[utoipa::path(get, path = "/flows/user/{id}", tag = "user",
    responses((status = 200, description = "The user.", body = schema::User, example = json!({
        "id": "0199d2a4-5c00-7000-8000-000000000001", "email": "ana@example.com", "name": "Ana", "lastname": "López",
        "lastname2": "García", "mobile": "5512345678", "gender": "female", "birthdate": "1990-02-28T00:00:00.000Z", "lang": "es",
        "country": { "id": 142, "code": "MEX", "name": "México" }, "state": { "id": 9, "code": "CMX", "name": "Ciudad de México" },
        "city": { "id": null, "code": null, "name": "Ciudad de México" }, "profit_center": "online", "active": true,
        "removed": false, "created_at": "2026-11-21T10:00:00.000Z", "updated_at": "2026-11-21T10:00:00.000Z",
        "player_id": null, "stripe_id": null, "guest": null, "no_guest": null,
    }))))]
async fn read_user(Shared(app): Shared<App>, caller: Caller, Path(id): Path<UserId>) -> Answer<Rendered> {
    Ok(shown(user(&read_shared_user(&app, &caller, id, KEPT).await?)))
}

/// Changes the fields of a user that are sent. `active` shuts a user of a segment out, and lets it in again.
#[utoipa::path(put, path = "/flows/user/{id}", tag = "user",
    request_body(content = schema::UserChange, example = json!({ "lastname": "López García", "mobile": "", "profit_center": "stores" })),
    responses((status = 200, description = "The user is changed.", body = Empty, example = json!({}))))]
async fn change_user(
    Shared(state): Shared<State>,
    caller: Caller,
    Path(id): Path<UserId>,
    LenientBody(Given(mut body)): LenientBody<Given>,
) -> Answer<Rendered> {
    let active = optional_switch(&mut body, "active")?;
    let proof = PROOF.read(body.clone(), true);
    let patch = |before: &User, settings: Option<&Settings>| {
        let country = settings.and_then(|settings| settings.country.as_ref());
        let country = country.or(before.fields.operation_country.as_ref());
        let mut fields = NAMES.read_in(body.clone(), false, country);
        fields.extend(proof.clone());
        fields.extend(status(active, before).map(|status| ("status".to_owned(), status.as_str().into())));
        Ok(MergePatch::<UserState>::read(Value::Object(fields)))
    };
    let (named, any) = ((UserRef::Id(id), None), IfMatch::default());
    let changed = changed_in((&state.app, &state.identity), &caller, named, &any, patch).await;
    changed.map(|_| done()).map_err(|error| PROOF.tell(NAMES.tell(error)))
}

/// The status that `active` means, where it is another one than a user has.
fn status(active: Option<bool>, before: &User) -> Option<Status> {
    let changed = active.filter(|active| *active != (before.status == Status::Active));
    changed.map(|active| if active { Status::Active } else { Status::Blocked })
}

/// Deletes a user: out of use, its e-mail free again at once, restorable.
#[utoipa::path(delete, path = "/flows/user/{id}", tag = "user",
    responses((status = 200, description = "The user is removed.", body = Empty, example = json!({}))))]
async fn delete_user(Shared(state): Shared<State>, caller: Caller, Path(id): Path<UserId>) -> Answer<Rendered> {
    let (app, identity) = (Shared(state.app), Shared(state.identity));
    let (id, any, query) = (Path(UserRef::Id(id)), IfMatch::default(), Query::default());
    delete::delete(app, identity, caller, id, any, query).await?;
    Ok(done())
}

/// Changes the password, by the present one, and ends all other sessions of the user.
#[utoipa::path(post, path = "/flows/user/change-password/{id}", tag = "user",
    request_body(content = schema::PasswordChange, example = json!({ "old_password": "correct horse battery", "new_password": "staple battery horse" })),
    responses((status = 200, description = "The new password holds.", body = Empty, example = json!({}))))]
async fn change_password(
    Shared(state): Shared<State>,
    caller: Caller,
    Path(id): Path<UserId>,
    LenientBody(Given(body)): LenientBody<Given>,
) -> Answer<Rendered> {
    let change = password::PasswordChange::parse(Value::Object(PASSWORDS.read(body, true)))?;
    let (app, identity) = (Shared(state.app), Shared(state.identity));
    let (id, query) = (Path(UserRef::Id(id)), Query::default());
    password::change_password(app, identity, caller, id, query, Body(change)).await?;
    Ok(done())
}
