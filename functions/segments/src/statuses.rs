//! Statuses that a segment makes up for its users.

use axum::extract::State;
use domain::custom_status::StatusNumber;
use domain::{Act, CustomStatus, CustomStatusFields, Error, KeyScope, MergePatch, SegmentId, StatusId, Time};
use edge::{
    Answer, App, Body, Caller, Created, FilterKind, IfMatch, IfNoneMatch, List, ListSpec, Listed, NoContent, Patch,
    Path, Seed, Shown, openapi, retried,
};
use store::Used;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::segments::made_before;

/// The routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(read, change, delete))
}

/// How statuses are listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statuses;

impl ListSpec for Statuses {
    const SORTS: &'static [&'static str] = &["id", "created_at", "name", "number"];
    const DEFAULT_SORT: &'static str = "id";
    const FILTERS: &'static [(&'static str, FilterKind)] =
        &[("name", FilterKind::Text), ("number", FilterKind::Number), ("is_excluded", FilterKind::Switch)];
}

// The document's macro takes no generic types, but names of them.
type StatusList = openapi::ListOf<CustomStatus>;
type StatusPatch = MergePatch<CustomStatusFields>;

/// Lists the statuses of a segment.
#[utoipa::path(get, path = "/v1/segments/{segment}/statuses", tag = "statuses", params(List<Statuses>),
    responses((status = 200, description = "A page of statuses.", body = StatusList)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    list: List<Statuses>,
) -> Answer<Listed> {
    let reads = async { tokio::try_join!(app.store.segment(segment), app.store.custom_statuses(segment)) };
    let (access, (segment, statuses)) = caller.accesses(reads).await?;
    access.manages(&segment, KeyScope::Read)?;
    Ok(list.within(&app, statuses).await?)
}

/// Makes a status that users of the segment can have.
#[utoipa::path(post, path = "/v1/segments/{segment}/statuses", tag = "statuses", request_body = CustomStatusFields,
    responses((status = 201, description = "The status.", body = CustomStatus)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    seed: Seed,
    Body(fields): Body<CustomStatusFields>,
) -> Answer<Created> {
    caller.segment(segment, KeyScope::Admin).await?;
    let made = made(&app, (segment, seed.id(0)), fields, caller.act()).await?;
    Ok(Created::one(format!("/v1/segments/{segment}/statuses/{}", made.id), &made))
}

/// Makes a status of a segment.
///
/// # Errors
/// [`Error::Conflict`] where its name is taken.
pub async fn made(
    app: &App,
    (segment, id): (SegmentId, StatusId),
    fields: CustomStatusFields,
    act: Act<'_>,
) -> Result<CustomStatus, Error> {
    // The store gives it its number.
    let new = CustomStatus::new(id, segment, StatusNumber::default(), fields, Time::of(id.uuid()));
    match app.store.create_custom_status(&new, act).await {
        Err(error) if made_before(&error) => Ok(app.store.custom_status(segment, id).await?.thing),
        made => made,
    }
}

/// Reads a status.
#[utoipa::path(get, path = "/v1/segments/{segment}/statuses/{status}", tag = "statuses",
    responses((status = 200, description = "The status.", body = CustomStatus)))]
pub(crate) async fn read(
    State(app): State<App>,
    caller: Caller,
    Path((segment, status)): Path<(SegmentId, StatusId)>,
    has: IfNoneMatch,
) -> Answer<Shown> {
    Ok(Shown::unless(&has, &found(&app, &caller, (segment, status), KeyScope::Read).await?.thing))
}

/// Changes a status by a merge patch. Whether it excludes stays as it was made.
#[utoipa::path(patch, path = "/v1/segments/{segment}/statuses/{status}", tag = "statuses",
    request_body = StatusPatch,
    responses((status = 200, description = "The status after the change.", body = CustomStatus)))]
pub(crate) async fn change(
    State(app): State<App>,
    caller: Caller,
    Path((segment, status)): Path<(SegmentId, StatusId)>,
    matches: IfMatch,
    Body(Patch(patch)): Body<Patch<CustomStatusFields>>,
) -> Answer<Shown> {
    Ok(retried(|| async {
        let before = found(&app, &caller, (segment, status), KeyScope::Admin).await?.thing;
        let after = before.patched(patch.clone(), Time::now())?;
        matches.check(before.version)?;
        after.follows(&before)?;
        app.store.change_custom_status(&before, &after, caller.act()).await?;
        Ok(Shown::new(&after))
    })
    .await?)
}

/// Deletes a status that no user has.
#[utoipa::path(delete, path = "/v1/segments/{segment}/statuses/{status}", tag = "statuses",
    responses((status = 204, description = "The status is gone.")))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path((segment, status)): Path<(SegmentId, StatusId)>,
    matches: IfMatch,
) -> Answer<NoContent> {
    Ok(retried(|| async {
        let before = found(&app, &caller, (segment, status), KeyScope::Admin).await?;
        matches.check(before.thing.version)?;
        before.unused("Users")?;
        app.store.delete_custom_status(&before.thing, caller.act()).await?;
        Ok(NoContent)
    })
    .await?)
}

/// A status that the caller may act on: 1 round of latency.
async fn found(
    app: &App,
    caller: &Caller,
    (segment, status): (SegmentId, StatusId),
    scope: KeyScope,
) -> Result<Used<CustomStatus>, Error> {
    let reads = async { tokio::try_join!(app.store.segment(segment), app.store.custom_status(segment, status)) };
    let (access, (segment, status)) = caller.accesses(reads).await?;
    access.manages(&segment, scope)?;
    Ok(status)
}
