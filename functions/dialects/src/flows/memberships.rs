//! `/flows/membership`: what people join.

use ::memberships::memberships::{create, delete, deleted};
use axum::extract::State as Shared;
use domain::answer::Given;
use domain::{Body as _, KeyScope, Membership, MembershipFields, MembershipId, Object as _, SegmentId};
use edge::{Answer, App, Body, Caller, IfMatch, LenientBody, Path, Rendered, Seed};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Made, Pages, Rows, done};
use super::names::{Fields, Form, Names, required, with};
use super::schema;
use crate::State;
use crate::openapi::objects::Empty;

pub(super) const NAMES: Names = Names(&[
    ("segment_id", "segment_id", Form::Shown),
    ("name", "name", Form::Text),
    ("status", "status", Form::Switch),
]);

/// The routes.
pub(crate) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(create_membership))
        .routes(routes!(delete_membership))
        .routes(routes!(list_memberships))
}

fn membership(membership: &Membership) -> Fields {
    let thing = membership.show();
    with(NAMES.show(&thing), &thing, &[])
}

/// Makes a membership, in which people may enrol themselves.
#[utoipa::path(post, path = "/flows/membership", tag = "membership",
    request_body(content = schema::NewMembership, example = json!({ "segment_id": "0199d2a4-5c00-7000-8000-0000000005e6", "name": "Card" })),
    responses((status = 201, description = "The membership.", body = schema::CreatedId,
        example = json!({ "id": "0199d2a4-5c00-7000-8000-00000000ab01" }))))]
async fn create_membership(
    Shared(app): Shared<App>,
    caller: Caller,
    seed: Seed,
    LenientBody(Given(mut body)): LenientBody<Given>,
) -> Answer<Made> {
    let segment: SegmentId = required(&mut body, "segment_id")?;
    let mut fields = NAMES.read(body, true);
    // There, whoever has signed up joins any membership by itself.
    fields.insert("self_enrolment".to_owned(), true.into());
    let new = MembershipFields::parse(Value::Object(fields)).map_err(|error| NAMES.tell(error))?;
    create(Shared(app), caller, Path(segment), seed, Body(new)).await?;
    Ok(Made::id(seed.id::<MembershipId>(0)))
}

/// Deletes a membership with its levels, fields and members.
#[utoipa::path(delete, path = "/flows/membership/{id}", tag = "membership",
    responses((status = 200, description = "The membership is gone.", body = Empty, example = json!({}))))]
async fn delete_membership(Shared(app): Shared<App>, caller: Caller, Path(id): Path<MembershipId>) -> Answer<Rendered> {
    delete(Shared(app), caller, Path(id), IfMatch::default()).await?;
    Ok(done())
}

/// Lists the memberships of a segment.
#[utoipa::path(get, path = "/flows/membership/list/{segment_id}", tag = "membership", params(Pages),
    responses((status = 200, description = "A page of memberships.", body = [schema::Membership],
        headers(("x-total-pages" = u64, description = "How many pages there are."),
            ("x-total-results" = u64, description = "How many rows there are.")), example = json!([{
        "segment_id": "0199d2a4-5c00-7000-8000-0000000005e6", "name": "Card", "status": true,
        "id": "0199d2a4-5c00-7000-8000-00000000ab01", "created_at": "2026-11-21T10:00:00.000Z",
        "updated_at": "2026-11-21T10:00:00.000Z", "removed": false,
    }]))))]
async fn list_memberships(
    Shared(app): Shared<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    pages: Pages,
) -> Answer<Rows> {
    if pages.removed {
        return Ok(pages.removed(&deleted(&app, &caller, segment).await?, membership));
    }
    let search = &pages.search();
    let reads = async { tokio::try_join!(app.store.segment(segment), app.store.memberships(segment, search)) };
    let (access, (segment, found)) = caller.accesses(reads).await?;
    access.manages(&segment, KeyScope::Read)?;
    Ok(pages.rows(found.rows.iter().map(membership), found.total))
}
