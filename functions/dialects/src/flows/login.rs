//! `/flows/login`.

use auth::recovery::{self, Confirmation, Recovery};
use auth::{login, session};
use axum::extract::State as Shared;
use domain::Body as _;
use domain::answer::Given;
use edge::{Answer, Body, LenientBody, Rendered, RequestId, Visitor};
use serde_json::{Map, Value};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::done;
use super::names::{Form, Names};
use crate::State;

const LOGIN: Names = Names(&[("email", "email", Form::Text), ("password", "password", Form::Secret)]);
const RECOVERY: Names = Names(&[("email", "email", Form::Text)]);
const CONFIRMATION: Names =
    Names(&[("email", "email", Form::Text), ("code", "code", Form::Text), ("password", "new_password", Form::Secret)]);
const REFRESH: Names = Names(&[("refresh_token", "refresh_token", Form::Text), ("user_id", "user_id", Form::Text)]);

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
    let of = |name: &str| tokens.get(name).cloned().unwrap_or_default();
    let mut told = Map::new();
    if whose {
        told.insert("id".to_owned(), of("user_id"));
    }
    told.extend(["access_token", "refresh_token", "expires_in"].map(|name| (name.to_owned(), of(name))));
    Rendered(Value::Object(told))
}

/// Logs in.
#[utoipa::path(post, path = "/flows/login", tag = "login", security(()),
    request_body(content = Value, example = json!({ "email": "ana@example.com", "password": "correct horse battery" })),
    responses((status = 200, description = "Tokens.", body = Value, example = json!({
        "id": "0199d2a4-5c00-7000-8000-000000000001", "access_token": "eyJraWQ…", "refresh_token": "eyJjdHk…", "expires_in": 3600,
    }))))]
async fn log_in(
    Shared(state): Shared<State>,
    visitor: Visitor,
    request_id: RequestId,
    LenientBody(Given(body)): LenientBody<Given>,
) -> Answer<Rendered> {
    let who = login::Login::parse(Value::Object(LOGIN.read(body, true)))?;
    let logged_in = login::login(Shared(state.app), Shared(state.identity), visitor, request_id, Body(who)).await?;
    Ok(tokens(logged_in, true))
}

/// Gets new tokens. The access token of before need not hold any more, and is not looked at.
#[utoipa::path(post, path = "/flows/login/refresh", tag = "login", security(()),
    request_body(content = Value, example = json!({
        "refresh_token": "eyJjdHk…", "access_token": "eyJraWQ…", "user_id": "0199d2a4-5c00-7000-8000-000000000001",
    })),
    responses((status = 200, description = "New tokens, with another refresh token.", body = Value,
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
    request_body(content = Value, example = json!({ "email": "ana@example.com" })),
    responses((status = 200, description = "A code is sent if the e-mail has a user.", body = Value, example = json!({}))))]
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
    request_body(content = Value, example = json!({ "email": "ana@example.com", "code": "492817", "password": "staple battery horse" })),
    responses((status = 200, description = "The password is changed.", body = Value, example = json!({}))))]
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
