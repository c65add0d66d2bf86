//! `/flows/login`.

use auth::{login, session};
use axum::extract::State as Shared;
use domain::Body as _;
use domain::answer::Given;
use edge::{Answer, Body, Rendered, RequestId, Visitor};
use serde_json::{Map, Value};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::names::{Form, Names};
use crate::State;

const LOGIN: Names = Names(&[("email", "email", Form::Text), ("password", "password", Form::Text)]);
const REFRESH: Names = Names(&[("refresh_token", "refresh_token", Form::Text), ("user_id", "user_id", Form::Text)]);

/// The routes.
pub(crate) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(log_in)).routes(routes!(refresh_login))
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
    Body(Given(body)): Body<Given>,
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
    Body(Given(body)): Body<Given>,
) -> Answer<Rendered> {
    let refresh = session::Refresh::parse(Value::Object(REFRESH.read(body, true)))?;
    let refreshed = session::refresh(Shared(state.app), Shared(state.identity), visitor, Body(refresh)).await?;
    Ok(tokens(refreshed, false))
}
