//! `/flows/membership-level`: ranges of points.

use ::memberships::levels::{create, delete};
use ::memberships::{deleted, shown as shown_to};
use axum::extract::State as Shared;
use domain::answer::Given;
use domain::{Body as _, Level, LevelFields, LevelId, MembershipId, Object as _};
use edge::{Answer, App, Body, Caller, IfMatch, LenientBody, Path, Rendered, Seed};
use serde_json::{Map, Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Made, Pages, Rows, done};
use super::names::{Fields, Form, Names, required, with};
use super::schema;
use crate::State;
use crate::openapi::objects::Empty;

pub(super) const NAMES: Names = Names(&[
    ("membership_id", "membership_id", Form::Shown),
    ("name", "name", Form::Text),
    ("number_level", "number", Form::Whole),
    ("from_point", "from_point", Form::Whole),
    ("to_point", "to_point", Form::Whole),
    ("image", "image", Form::Text),
    ("type_image", "type_image", Form::Kept("What kind of image it is.")),
    ("background_color", "background_color", Form::Color),
    ("text_color", "text_color", Form::Color),
    ("status", "status", Form::Switch),
]);

/// What these clients know of a level, and Muster has no use for.
pub(super) const UNUSED: [&str; 38] = [
    "points_by_impacts",
    "points_by_checkins",
    "points_by_enrollment",
    "points_by_geo_checkins",
    "points_by_qr",
    "points_by_redeem",
    "points_by_generate",
    "points_by_buy",
    "points_by_pickup",
    "points_by_scan",
    "caducity_by_impacts",
    "caducity_by_checkins",
    "caducity_by_geo_checkins",
    "caducity_by_qr",
    "caducity_by_redeem",
    "caducity_by_generate",
    "caducity_by_buy",
    "caducity_by_pickup",
    "caducity_by_scan",
    "caducity_by_share",
    "caducity_by_enrollment",
    "caducity_by_answer_format",
    "content_impacts",
    "content_checkins",
    "content_geo_checkins",
    "content_qr",
    "content_redeem",
    "content_generate",
    "content_buy",
    "content_pickup",
    "content_scan",
    "content_share",
    "content_enrollment",
    "content_answer_format",
    "redemption_image",
    "home_section_image",
    "segment_image",
    "content",
];

/// The routes.
pub(crate) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(create_level)).routes(routes!(delete_level)).routes(routes!(list_levels))
}

/// A level as it is shown there.
pub(crate) fn level(level: &Level) -> Fields {
    let thing = level.show();
    with(NAMES.show(&thing), &thing, &UNUSED)
}

/// Makes a level. Members whose points are in its range come to it.
#[utoipa::path(post, path = "/flows/membership-level", tag = "membership-level",
    request_body(content = schema::NewMembershipLevel, example = json!({
        "membership_id": "0199d2a4-5c00-7000-8000-00000000ab01", "name": "Gold", "number_level": 3, "from_point": 201,
        "to_point": 300, "image": "https://example.com/gold.png", "type_image": "png", "background_color": "#FFD700",
        "text_color": "#000000", "status": true,
    })),
    responses((status = 201, description = "The level.", body = schema::CreatedId,
        example = json!({ "id": "0199d2a4-5c00-7000-8000-000000001e01" }))))]
async fn create_level(
    Shared(app): Shared<App>,
    caller: Caller,
    seed: Seed,
    LenientBody(Given(mut body)): LenientBody<Given>,
) -> Answer<Made> {
    let membership: MembershipId = required(&mut body, "membership_id")?;
    let new = LevelFields::parse(Value::Object(NAMES.read(body, true))).map_err(|error| NAMES.tell(error))?;
    create(Shared(app), caller, Path(membership), seed, Body(new)).await.map_err(|error| NAMES.tell(error))?;
    Ok(Made::id(seed.id::<LevelId>(0)))
}

/// Deletes a level that no custom field is for. Its members come to the next one below.
#[utoipa::path(delete, path = "/flows/membership-level/{id}", tag = "membership-level",
    responses((status = 200, description = "The level is gone.", body = Empty, example = json!({}))))]
async fn delete_level(Shared(app): Shared<App>, caller: Caller, Path(id): Path<LevelId>) -> Answer<Rendered> {
    let membership: MembershipId = caller.home_of(id.uuid()).await?;
    delete(Shared(app), caller, Path((membership, id)), IfMatch::default()).await?;
    Ok(done())
}

/// Lists the levels of a membership.
#[utoipa::path(get, path = "/flows/membership-level/list/{membership_id}", tag = "membership-level", params(Pages),
    responses((status = 200, description = "A page of levels.", body = [schema::MembershipLevel],
        headers(("x-total-pages" = u64, description = "How many pages there are."),
            ("x-total-results" = u64, description = "How many rows there are.")), example = json!([example()]))))]
async fn list_levels(
    Shared(app): Shared<App>,
    caller: Caller,
    Path(membership): Path<MembershipId>,
    pages: Pages,
) -> Answer<Rows> {
    if pages.removed {
        return Ok(pages.removed(&deleted(&app, &caller, membership).await?, level));
    }
    let mut levels = shown_to(&app, &caller, membership).await?.levels;
    levels.sort_by_key(|level| level.id);
    Ok(pages.of(levels.iter().map(level).collect()))
}

pub(super) fn example() -> Value {
    let mut level = Map::new();
    if let Value::Object(shown) = json!({
        "membership_id": "0199d2a4-5c00-7000-8000-00000000ab01", "name": "Gold", "number_level": "3.00",
        "from_point": "201.00", "to_point": "300.00", "image": "https://example.com/gold.png", "type_image": "png",
        "background_color": "#FFD700", "text_color": "#000000", "status": true, "removed": false,
    }) {
        level.extend(shown);
    }
    let written = json!({
        "id": "0199d2a4-5c00-7000-8000-000000001e01", "created_at": "2026-11-21T10:00:00.000Z",
        "updated_at": "2026-11-21T10:00:00.000Z",
    });
    with(level, &written, &UNUSED).into()
}
