//! `partners/magic-link`: a link that signs a student in.

use axum::extract::State as Shared;
use domain::user::Unique;
use domain::{Email, Error, Field as _, KeyScope, field::Pointer};
use edge::{Answer, Base, Body, Rendered};
use serde_json::json;

use crate::State;
use crate::lenient::{self, given};
use crate::place::Place;

/// Makes a link that signs the student with this e-mail in, once, within 24 hours.
#[utoipa::path(post, path = "/platform/partners/magic-link", tag = "partners",
    request_body(content = serde_json::Value, example = json!({ "email": "ana@example.com" })),
    responses((status = 200, description = "The link.", body = serde_json::Value,
        example = json!({ "status": "success", "url": "https://example.com/welcome?token=ml_…" }))))]
pub(super) async fn create(
    Shared(state): Shared<State>,
    place: Place,
    base: Base,
    Body(lenient::Json(body)): Body<lenient::Json>,
) -> Answer<Rendered> {
    let (at, mut errors) = (Pointer::root().child("email"), Vec::new());
    let email = match given(&body, "email") {
        Some(email) => Email::read(email.clone(), &at, &mut errors),
        None => Email::absent(&at, &mut errors),
    };
    let unique = Unique::email(&email.ok_or(Error::Invalid(errors))?);
    let holder = state.app.store.holder(Some(place.id).into(), &unique);
    let (segment, holder) = tokio::join!(place.segment(KeyScope::Admin), holder);
    let (segment, holder) = (segment?, holder?.ok_or(Error::NotFound)?);
    let record = state.app.store.user(holder).await?.ok_or(Error::NotFound)?;
    let link = users::new_link(&state.app, &base, (&segment, &record.user), place.caller.act()).await?;
    Ok(Rendered(json!({ "status": "success", "url": link.url })))
}
