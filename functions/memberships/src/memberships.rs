//! Memberships themselves.

use axum::extract::State;
use domain::{Error, KeyScope, Membership, MembershipFields, MembershipId, MergePatch, SegmentId, Time};
use edge::{
    Answer, App, Body, Caller, Created, DELETED, FilterKind, IfMatch, IfNoneMatch, List, ListOption, ListSpec, Listed,
    NoContent, Patch, Path, Seed, Shown, openapi, retried,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::readable;

/// The routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(read, change, delete))
}

/// How memberships are listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memberships;

impl ListSpec for Memberships {
    const SORTS: &'static [&'static str] = &["id", "created_at", "name"];
    const DEFAULT_SORT: &'static str = "id";
    const FILTERS: &'static [(&'static str, FilterKind)] = &[
        ("name", FilterKind::Text),
        ("status", FilterKind::Switch),
        ("self_enrolment", FilterKind::Switch),
        ("created_at", FilterKind::Made),
    ];
    const OPTIONS: &'static [ListOption] = &[DELETED];
}

// The document's macro takes no generic types, but names of them.
type MembershipList = openapi::ListOf<Membership>;
type MembershipPatch = MergePatch<MembershipFields>;

/// Lists the memberships of a segment.
#[utoipa::path(get, path = "/v1/segments/{segment}/memberships", tag = "memberships", params(List<Memberships>),
    responses((status = 200, description = "A page of memberships.", body = MembershipList)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    list: List<Memberships>,
) -> Answer<Listed> {
    if list.of_deleted() {
        return Ok(list.within(&app, deleted(&app, &caller, segment).await?).await?);
    }
    let reads = async { tokio::try_join!(app.store.segment(segment), app.store.memberships(segment, list.search())) };
    let (access, (segment, found)) = caller.accesses(reads).await?;
    access.manages(&segment, KeyScope::Read)?;
    Ok(list.found(&app, found).await?)
}

/// The memberships of a segment that were deleted, for those who manage it: 1 round of latency.
///
/// # Errors
/// As [`Caller::segment`].
pub async fn deleted(app: &App, caller: &Caller, segment: SegmentId) -> Result<Vec<Membership>, Error> {
    let reads = async { tokio::try_join!(app.store.segment(segment), app.store.deleted(segment.uuid())) };
    let (access, (segment, found)) = caller.accesses(reads).await?;
    access.manages(&segment, KeyScope::Read)?;
    Ok(found)
}

/// Makes a membership.
#[utoipa::path(post, path = "/v1/segments/{segment}/memberships", tag = "memberships",
    request_body = MembershipFields,
    responses((status = 201, description = "The membership.", body = Membership)))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    seed: Seed,
    Body(fields): Body<MembershipFields>,
) -> Answer<Created> {
    let (access, segment) = caller.accesses(app.store.segment(segment)).await?;
    access.manages(&segment, KeyScope::Admin)?;
    let id: MembershipId = seed.id(0);
    let new = Membership::new(id, segment.id, segment.owner_id, fields, Time::of(id.uuid()));
    match app.store.create_membership(&new, caller.act()).await {
        // An earlier try of this very request had made it before it was cut off.
        Ok(()) | Err(Error::Conflict(_)) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(Created::one(format!("/v1/memberships/{id}"), &new))
}

/// Reads a membership.
#[utoipa::path(get, path = "/v1/memberships/{membership}", tag = "memberships",
    responses((status = 200, description = "The membership.", body = Membership)))]
pub(crate) async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(membership): Path<MembershipId>,
    has: IfNoneMatch,
) -> Answer<Shown> {
    let (access, membership) = caller.accesses(app.store.membership(membership)).await?;
    readable(&app, &access, &membership).await?;
    Ok(Shown::unless(&has, &membership))
}

/// Changes a membership by a merge patch.
#[utoipa::path(patch, path = "/v1/memberships/{membership}", tag = "memberships", request_body = MembershipPatch,
    responses((status = 200, description = "The membership after the change.", body = Membership)))]
pub(crate) async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(membership): Path<MembershipId>,
    matches: IfMatch,
    Body(Patch(patch)): Body<Patch<MembershipFields>>,
) -> Answer<Shown> {
    Ok(retried(|| async {
        let before = managed(&app, &caller, membership).await?;
        let after = before.patched(patch.clone(), Time::now())?;
        matches.check(before.version)?;
        app.store.change_membership(&before, &after, caller.act()).await?;
        Ok(Shown::new(&after))
    })
    .await?)
}

/// Deletes a membership with its levels, fields and members; not while a product names it.
#[utoipa::path(delete, path = "/v1/memberships/{membership}", tag = "memberships",
    responses((status = 204, description = "The membership is gone; its members go within minutes.")))]
pub async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(membership): Path<MembershipId>,
    matches: IfMatch,
) -> Answer<NoContent> {
    Ok(retried(|| async {
        let (access, before) = caller.accesses(app.store.used_membership(membership)).await?;
        access.manages(&before.thing, KeyScope::Admin)?;
        matches.check(before.thing.version)?;
        before.unused("Products")?;
        app.store.delete_unused_membership(&before.thing, caller.act()).await?;
        Ok(NoContent)
    })
    .await?)
}

/// A membership that the caller manages: 1 round of latency.
async fn managed(app: &App, caller: &Caller, id: MembershipId) -> Result<Membership, Error> {
    let (access, membership) = caller.accesses(app.store.membership(id)).await?;
    access.manages(&membership, KeyScope::Admin)?;
    Ok(membership)
}
