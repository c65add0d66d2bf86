//! `POST /b2b/login`: a token for a key, or for a master user.

use auth::login::{Login, Requirement, log_in};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use domain::{Body as _, Error, FieldError, KeyId, SegmentId};
use edge::{App, LenientBody, RequestId, Visitor};
use identity::Identity;
use serde_json::{Value, json};

use crate::b2b::format::Format;
use crate::b2b::refused::Refused;
use crate::b2b::schema::{Credentials, SegmentHeader, Token};
use crate::lenient::{Json, given, secret, text};
use crate::place::SEGMENT_HEADER;

const USERNAME: &str = "_username";
const PASSWORD: &str = "_password";

/// Logs in: by the id and the secret of a key, or by the e-mail and the password of a master user who has the segment that
/// `X-Segment-Id` names, or exactly one segment. The token is valid for an hour.
#[utoipa::path(post, path = "/b2b/login", tag = "b2b", security(()), params(SegmentHeader),
    request_body(content = Credentials, example = json!({ "_username": "ana@example.com", "_password": "correct horse battery" })),
    responses((status = 200, description = "The token.", body = Token, example = json!({ "token": "mt_AAAAAAAA" }))))]
pub(super) async fn log_in_to_segment(
    State(app): State<App>,
    State(identity): State<Identity>,
    format: Format,
    visitor: Visitor,
    request_id: RequestId,
    headers: HeaderMap,
    LenientBody(Json(body)): LenientBody<Json>,
) -> Result<Response, Refused> {
    let (username, password) = credentials(&body)?;
    let token = if username.parse::<KeyId>().is_ok() {
        visitor.comes().await?;
        let kept = app.client_key(&username, &password).await?;
        let token = keys::oauth::issue(&app, &visitor, &kept, kept.key.fields.scopes.clone()).await?;
        Value::from(token.text)
    } else {
        let Ok(login) = Login::parse(json!({ "email": username, "password": password })) else {
            // The name is nobody's, and costs what anybody's costs.
            visitor.comes().await?;
            return Err(Error::Unauthenticated.into());
        };
        let required = requirement(&headers)?;
        let tokens = log_in((&app, &identity), (&visitor, &request_id), login, required).await?;
        tokens.0.get("access_token").cloned().unwrap_or_default()
    };
    Ok(format.answer(StatusCode::OK, json!({ "token": token })))
}

/// The name and the password that are sent, both of which are required.
fn credentials(body: &Value) -> Result<(String, String), Error> {
    let password = given(body, PASSWORD).map(secret).and_then(|password| password.as_str().map(str::to_owned));
    match (given(body, USERNAME).and_then(text), password) {
        (Some(username), Some(password)) => Ok((username, password)),
        (username, _) => {
            let missing = if username.is_none() { USERNAME } else { PASSWORD };
            Err(Error::Invalid(vec![FieldError::new(&format!("/{missing}"), "required", "is required")]))
        }
    }
}

/// Returns the condition of a master user's login: it has the segment of the header, or exactly one.
fn requirement(headers: &HeaderMap) -> Result<Requirement, Error> {
    let Some(named) = headers.get(SEGMENT_HEADER).filter(|named| !named.is_empty()) else {
        return Ok(Requirement::OnlySegment);
    };
    let id = named.to_str().ok().and_then(|named| named.parse::<SegmentId>().ok());
    id.map(Requirement::Segment).ok_or(Error::Unauthenticated)
}
