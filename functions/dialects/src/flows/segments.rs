//! `/flows/segment`: logical databases of users.

use ::segments::segments::{change, delete, made};
use axum::extract::State as Shared;
use domain::answer::Given;
use domain::{Body as _, Error, KeyScope, MergePatch, Object as _, Segment, SegmentFields, SegmentId, UserId};
use edge::{Answer, App, Body, Caller, IfMatch, LenientBody, Patch, Path, Rendered, Seed};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Made, Pages, Rows, done, shown};
use super::names::{Fields, Form, Names, optional, with};
use super::schema;
use crate::State;
use crate::openapi::objects::Empty;

pub(super) const NAMES: Names = Names(&[
    ("owner_id", "owner_id", Form::Shown),
    ("name", "name", Form::Text),
    ("managed_by", "managed_by", Form::Text),
    ("role", "role", Form::Text),
    ("status", "status", Form::Switch),
    ("shipping_address_id", "shipping_address_id", Form::Text),
]);

/// What these clients know of a segment, and Muster has no use for.
pub(super) const UNUSED: [&str; 4] = ["extra_space", "beacons", "readers", "cards"];

/// The routes.
pub(crate) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(create_segment))
        .routes(routes!(read_segment, change_segment, delete_segment))
        .routes(routes!(list_segments))
}

fn segment(segment: &Segment) -> Fields {
    let thing = segment.show();
    with(NAMES.show(&thing), &thing, &UNUSED)
}

/// The account of the caller, which must be this one where one is named.
async fn account(caller: &Caller, named: Option<UserId>, scope: KeyScope) -> Result<UserId, Error> {
    let account = caller.access().await?.account(scope)?;
    if named.is_some_and(|named| named != account) { Err(Error::NotFound) } else { Ok(account) }
}

/// Makes a segment.
#[utoipa::path(post, path = "/flows/segment", tag = "segment",
    request_body(content = schema::NewSegment, example = json!({
        "owner_id": "0199d2a4-5c00-7000-8000-000000000001", "name": "Merchants", "managed_by": "Ana López", "role": "consumer",
        "status": true, "shipping_address_id": null,
    })),
    responses((status = 201, description = "The segment.", body = schema::CreatedId,
        example = json!({ "id": "0199d2a4-5c00-7000-8000-0000000005e6" }))))]
async fn create_segment(
    Shared(app): Shared<App>,
    caller: Caller,
    seed: Seed,
    LenientBody(Given(mut body)): LenientBody<Given>,
) -> Answer<Made> {
    let owner: Option<UserId> = optional(&mut body, "owner_id")?;
    let new = SegmentFields::parse(Value::Object(NAMES.read(body, true))).map_err(|error| NAMES.tell(error))?;
    let account = account(&caller, owner, KeyScope::Admin).await?;
    let made = made(&app, account, seed, new).await?;
    Ok(Made::id(made.id))
}

/// Reads a segment.
#[utoipa::path(get, path = "/flows/segment/{id}", tag = "segment",
    responses((status = 200, description = "The segment.", body = schema::Segment, example = json!(example()))))]
async fn read_segment(caller: Caller, Path(id): Path<SegmentId>) -> Answer<Rendered> {
    Ok(shown(segment(&caller.segment(id, KeyScope::Read).await?)))
}

/// Changes the fields of a segment that are sent.
#[utoipa::path(put, path = "/flows/segment/{id}", tag = "segment",
    request_body(content = schema::SegmentChange, example = json!({ "name": "Shops", "managed_by": null, "status": false })),
    responses((status = 200, description = "The segment is changed.", body = Empty, example = json!({}))))]
async fn change_segment(
    Shared(app): Shared<App>,
    caller: Caller,
    Path(id): Path<SegmentId>,
    LenientBody(Given(body)): LenientBody<Given>,
) -> Answer<Rendered> {
    let patch = MergePatch::<SegmentFields>::parse(Value::Object(NAMES.read(body, false)));
    let patch = Body(Patch(patch.map_err(|error| NAMES.tell(error))?));
    let changed = change(Shared(app), caller, Path(id), IfMatch::default(), patch).await;
    changed.map(|_| done()).map_err(|error| NAMES.tell(error))
}

/// Deletes a segment with all that is in it.
#[utoipa::path(delete, path = "/flows/segment/{id}", tag = "segment",
    responses((status = 200, description = "The segment is gone.", body = Empty, example = json!({}))))]
async fn delete_segment(Shared(app): Shared<App>, caller: Caller, Path(id): Path<SegmentId>) -> Answer<Rendered> {
    delete(Shared(app), caller, Path(id), IfMatch::default()).await?;
    Ok(done())
}

/// Lists the segments of a master user.
#[utoipa::path(get, path = "/flows/segment/list/{owner_id}", tag = "segment", params(Pages),
    responses((status = 200, description = "A page of segments.", body = [schema::Segment],
        headers(("x-total-pages" = u64, description = "How many pages there are."),
            ("x-total-results" = u64, description = "How many rows there are.")), example = json!([example()]))))]
async fn list_segments(
    Shared(app): Shared<App>,
    caller: Caller,
    Path(owner): Path<UserId>,
    pages: Pages,
) -> Answer<Rows> {
    let account = account(&caller, Some(owner), KeyScope::Read).await?;
    if pages.removed {
        return Ok(pages.removed(&app.store.deleted(account.uuid()).await?, segment));
    }
    let found = app.store.segments(account, &pages.search()).await?;
    Ok(pages.rows(found.rows.iter().map(segment), found.total))
}

fn example() -> Value {
    json!({
        "owner_id": "0199d2a4-5c00-7000-8000-000000000001", "name": "Merchants", "managed_by": "Ana López", "role": "consumer",
        "status": true, "shipping_address_id": null, "id": "0199d2a4-5c00-7000-8000-0000000005e6",
        "created_at": "2026-11-21T10:00:00.000Z", "updated_at": "2026-11-21T10:00:00.000Z", "removed": false,
        "extra_space": null, "beacons": null, "readers": null, "cards": null,
    })
}
