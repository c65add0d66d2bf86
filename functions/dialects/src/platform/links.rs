//! `partners/magic-link`: a link that signs a student in.

use axum::extract::State as Shared;
use axum::response::Response;
use domain::user::Unique;
use domain::{Email, Error, Field as _, KeyScope, field::Pointer};
use edge::{Answer, Base, LenientBody, LinkToken, Path, Rendered, Visitor};
use serde::Deserialize;
use serde_json::json;

use super::names::as_text;
use super::schema::{LinkRequest, MagicLink};
use crate::State;
use crate::lenient::{self, given};
use crate::place::Place;

/// The beginning of the path of each link, by which clients recognize one.
const LINKS: &str = "/platform/login-magico/";

/// The link that a path names.
#[derive(Debug, Deserialize)]
pub(super) struct ByToken {
    token: String,
}

/// Creates a link that signs the student with this e-mail in, once, within 24 hours.
///
/// The two tokens may also be sent as `?developer_token=…&platform_token=…`.
#[utoipa::path(post, path = "/platform/partners/magic-link", tag = "partners",
    request_body(content = LinkRequest, example = json!({ "email": "ana@example.com" })),
    responses((status = 200, description = "The link.", body = MagicLink,
        example = json!({
            "status": "success", "url": "https://api.example.com/platform/login-magico/ml_…",
            "user": { "id": "0199d2a4-5c00-7000-8000-000000000002", "name": "Ana", "last_name": "López",
                "email": "ana@example.com" }
        }))))]
pub(super) async fn create(
    Shared(state): Shared<State>,
    place: Place,
    base: Base,
    LenientBody(lenient::Json(body)): LenientBody<lenient::Json>,
) -> Answer<Rendered> {
    let (at, mut errors) = (Pointer::root().child("email"), Vec::new());
    let email = match given(&body, "email") {
        Some(email) => Email::read(as_text(email), &at, &mut errors),
        None => Email::absent(&at, &mut errors),
    };
    let unique = Unique::email(&email.ok_or(Error::Invalid(errors))?);
    let holder = state.app.store.holder(Some(place.id).into(), &unique);
    let (segment, holder) = tokio::join!(place.segment(KeyScope::Admin), holder);
    let (segment, holder) = (segment?, holder?.ok_or(Error::NotFound)?);
    let user = state.app.store.user(holder).await?.ok_or(Error::NotFound)?.user;
    users::check_links(&segment)?;
    let (token, _) = users::new_token(&state.app, &segment, &user, place.caller.act()).await?;
    let fields = &user.fields;
    Ok(Rendered(json!({
        "status": "success",
        "url": base.url(&format!("{LINKS}{token}")),
        "user": { "id": user.id, "name": fields.name, "last_name": fields.last_name, "email": fields.email },
    })))
}

/// Opens a magic link: redirects to the page that the segment's settings name, or else shows a page with a button that signs
/// in. Opening it does not use the link.
#[utoipa::path(get, path = "/platform/login-magico/{token}", tag = "partners", security(()),
    responses((status = 200, description = "The page.", body = String, content_type = "text/html"),
        (status = 302, description = "The segment has a page of its own, in `Location` with the token in its query.")))]
pub(super) async fn open(
    Shared(state): Shared<State>,
    visitor: Visitor,
    Path(ByToken { token }): Path<ByToken>,
) -> Answer<Response> {
    let token = LinkToken::parse(&token).ok_or(Error::NotFound)?;
    Ok(users::open_link(&state.app, &visitor, &token).await?)
}
