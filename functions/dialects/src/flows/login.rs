//! `/flows/login`.

use auth::recovery::{self, Confirmation, Recovery};
use auth::{login, session};
use axum::extract::State as Shared;
use domain::answer::Given;
use domain::{Body as _, Error, FieldError};
use edge::{Answer, Body, LenientBody, Rendered, RequestId, Visitor};
use serde_json::{Map, Value};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::done;
use super::names::{Form, Names};
use super::schema;
use crate::State;
use crate::openapi::objects::Empty;

pub(super) const LOGIN: Names = Names(&[("email", "email", Form::Text), ("password", "password", Form::Secret)]);
pub(super) const RECOVERY: Names = Names(&[("email", "email", Form::Text)]);
pub(super) const CONFIRMATION: Names =
    Names(&[("email", "email", Form::Text), ("code", "code", Form::Text), ("password", "new_password", Form::Secret)]);
pub(super) const REFRESH: Names =
    Names(&[("refresh_token", "refresh_token", Form::Text), ("user_id", "user_id", Form::Text)]);

/// The tokens of a session.
pub(super) const TOKENS: Names = Names(&[
    ("access_token", "access_token", Form::Shown),
    ("refresh_token", "refresh_token", Form::Shown),
    ("expires_in", "expires_in", Form::Shown),
]);

/// The routes.
pub(crate) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(log_in))
        .routes(routes!(refresh_login))
        .routes(routes!(recover_login))
        .routes(routes!(confirm_recovery))
}

/// Tokens as they are told there, with whose they are or without.
pub(crate) fn tokens(Rendered(tokens): Rendered, whose: bool) -> Rendered {
    let mut told = Map::new();
    if whose {
        told.insert("id".to_owned(), tokens.get("user_id").cloned().unwrap_or_default());
    }
    told.extend(TOKENS.show(&tokens));
    Rendered(Value::Object(told))
}

/// Logs in.
#[utoipa::path(post, path = "/flows/login", tag = "login", security(()),
    request_body(content = schema::Login, example = json!({ "email": "ana@example.com", "password": "correct horse battery" })),
    responses((status = 200, description = "Tokens.", body = schema::Tokens, example = json!({
        "id": "0199d2a4-5c00-7000-8000-000000000001", "access_token": "eyJraWQ…", "refresh_token": "eyJjdHk…", "expires_in": 3600,
    }))))]
async fn log_in(
    Shared(state): Shared<State>,
    visitor: Visitor,
    request_id: RequestId,
    LenientBody(Given(body)): LenientBody<Given>,
) -> Answer<Rendered> {
    let fields = LOGIN.read(body, true);
    // Under /v1 there are other names to log in by.
    let missing = (!fields.contains_key("email")).then(|| FieldError::new("/email", "required", "is required"));
    let who = match (login::Login::parse(Value::Object(fields)), missing) {
        (Err(Error::Invalid(errors)), missing) => Err(Error::Invalid(missing.into_iter().chain(errors).collect())),
        (Ok(_), Some(missing)) => Err(Error::Invalid(vec![missing])),
        (who, _) => who,
    };
    let who = who?;
    let logged_in = login::login(Shared(state.app), Shared(state.identity), visitor, request_id, Body(who)).await?;
    Ok(tokens(logged_in, true))
}

/// Gets new tokens. The access token of before need not hold any more, and is not looked at.
#[utoipa::path(post, path = "/flows/login/refresh", tag = "login", security(()),
    request_body(content = schema::Refresh, example = json!({
        "refresh_token": "eyJjdHk…", "access_token": "eyJraWQ…", "user_id": "0199d2a4-5c00-7000-8000-000000000001",
    })),
    responses((status = 200, description = "New tokens, with another refresh token.", body = schema::NewTokens,
        example = json!({ "access_token": "eyJraWQ…", "refresh_token": "eyJjdHk…", "expires_in": 3600 }))))]
async fn refresh_login(
    Shared(state): Shared<State>,
    visitor: Visitor,
    LenientBody(Given(body)): LenientBody<Given>,
) -> Answer<Rendered> {
    let refresh = session::Refresh::parse(Value::Object(REFRESH.read(body, true)))?;
    let refreshed = session::refresh(Shared(state.app), Shared(state.identity), visitor, Body(refresh)).await?;
    Ok(tokens(refreshed, false))
}

/// Sends a code to the e-mail, if it has a user; the answer is always the same.
#[utoipa::path(post, path = "/flows/login/recover", tag = "login", security(()),
    request_body(content = schema::Recovery, example = json!({ "email": "ana@example.com" })),
    responses((status = 200, description = "A code is sent if the e-mail has a user.", body = Empty, example = json!({}))))]
async fn recover_login(
    Shared(state): Shared<State>,
    visitor: Visitor,
    LenientBody(Given(body)): LenientBody<Given>,
) -> Answer<Rendered> {
    let recovery = Recovery::parse(Value::Object(RECOVERY.read(body, true)))?;
    recovery::recover(Shared(state.app), Shared(state.identity), visitor, Body(recovery)).await?;
    Ok(done())
}

/// Sets a new password by the code. All sessions of the user end.
#[utoipa::path(post, path = "/flows/login/recover/confirm", tag = "login", security(()),
    request_body(content = schema::RecoveryConfirmation, example = json!({ "email": "ana@example.com", "code": "492817", "password": "staple battery horse" })),
    responses((status = 200, description = "The password is changed.", body = Empty, example = json!({}))))]
async fn confirm_recovery(
    Shared(state): Shared<State>,
    visitor: Visitor,
    LenientBody(Given(body)): LenientBody<Given>,
) -> Answer<Rendered> {
    let confirmation =
        Confirmation::parse(Value::Object(CONFIRMATION.read(body, true))).map_err(|error| CONFIRMATION.tell(error))?;
    let confirmed = recovery::confirm_recovery(Shared(state.app), Shared(state.identity), visitor, Body(confirmation));
    confirmed.await.map(|_| done()).map_err(|error| CONFIRMATION.tell(error))
}
