//! Segments: made, changed and deleted by their master user and by keys of the account.

use axum::extract::State;
use domain::{Error, KeyScope, MergePatch, Segment, SegmentFields, SegmentId, Time, UserId};
use edge::{
    Answer, App, Body, Caller, Created, DELETED, FilterKind, IfMatch, IfNoneMatch, List, ListOption, ListSpec, Listed,
    NoContent, Patch, Path, Seed, Shown, openapi, retried,
};

/// How segments are listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segments;

impl ListSpec for Segments {
    const SORTS: &'static [&'static str] = &["id", "created_at", "name", "role", "managed_by", "number"];
    const DEFAULT_SORT: &'static str = "id";
    const FILTERS: &'static [(&'static str, FilterKind)] = &[
        ("name", FilterKind::Text),
        ("role", FilterKind::Text),
        ("managed_by", FilterKind::Text),
        ("number", FilterKind::Number),
        ("status", FilterKind::Switch),
        ("created_at", FilterKind::Made),
    ];
    const OPTIONS: &'static [ListOption] = &[DELETED];
}

// The document's macro takes no generic types, but names of them.
type SegmentList = openapi::ListOf<Segment>;
type SegmentPatch = MergePatch<SegmentFields>;

/// Lists the segments that the caller manages.
#[utoipa::path(get, path = "/v1/segments", tag = "segments", params(List<Segments>),
    responses((status = 200, description = "A page of segments.", body = SegmentList)))]
pub(crate) async fn list(State(app): State<App>, caller: Caller, list: List<Segments>) -> Answer<Listed> {
    let account = caller.access().await?.account(KeyScope::Read)?;
    if list.of_deleted() {
        return Ok(list.within(&app, app.store.deleted::<Segment>(account.uuid()).await?).await?);
    }
    let found = app.store.segments(account, list.search()).await?;
    Ok(list.found(&app, found).await?)
}

/// Makes a segment.
#[utoipa::path(post, path = "/v1/segments", tag = "segments", request_body = SegmentFields,
    responses((status = 201, description = "The segment.", body = Segment)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    seed: Seed,
    Body(fields): Body<SegmentFields>,
) -> Answer<Created> {
    let account = caller.access().await?.account(KeyScope::Admin)?;
    let made = made(&app, account, seed, fields).await?;
    Ok(Created::one(format!("/v1/segments/{}", made.id), &made))
}

/// Makes a segment of the account.
///
/// # Errors
/// [`Error::Invalid`] where it names somebody else's address.
pub async fn made(app: &App, account: UserId, seed: Seed, fields: SegmentFields) -> Result<Segment, Error> {
    reachable(app, account, &fields).await?;
    let id: SegmentId = seed.id(0);
    // The store gives it its number.
    let new = Segment::new(id, account, domain::segment::SegmentNumber::default(), fields, Time::of(id.uuid()));
    match app.store.create_segment(&new).await {
        // An earlier try of this very request had made it before it was cut off.
        Err(Error::Conflict(_)) => app.store.segment(id).await,
        made => made,
    }
}

/// Reads a segment.
#[utoipa::path(get, path = "/v1/segments/{segment}", tag = "segments",
    responses((status = 200, description = "The segment.", body = Segment)))]
pub(crate) async fn read(caller: Caller, Path(segment): Path<SegmentId>, has: IfNoneMatch) -> Answer<Shown> {
    Ok(Shown::unless(&has, &caller.segment(segment, KeyScope::Read).await?))
}

/// Changes a segment by a merge patch.
#[utoipa::path(patch, path = "/v1/segments/{segment}", tag = "segments", request_body = SegmentPatch,
    responses((status = 200, description = "The segment after the change.", body = Segment)))]
pub async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    matches: IfMatch,
    Body(Patch(patch)): Body<Patch<SegmentFields>>,
) -> Answer<Shown> {
    Ok(Shown::new(&changed(&app, &caller, segment, &matches, &patch).await?))
}

/// Changes a segment by a patch.
///
/// # Errors
/// As [`Caller::segment`]; [`Error::OtherVersion`] where its version is not one of `matches`; those of the patch.
pub async fn changed(
    app: &App,
    caller: &Caller,
    segment: SegmentId,
    matches: &IfMatch,
    patch: &SegmentPatch,
) -> Result<Segment, Error> {
    retried(|| async {
        let before = caller.segment(segment, KeyScope::Admin).await?;
        let after = before.patched(patch.clone(), Time::now())?;
        matches.check(before.version)?;
        if after.fields.shipping_address_id != before.fields.shipping_address_id {
            reachable(app, before.owner_id, &after.fields).await?;
        }
        check_identification_scope(app, &before, &after).await?;
        app.store.change_segment(&before, &after, caller.act()).await?;
        Ok(after)
    })
    .await
}

/// Refuses another scope of identifications once the segment has users, whose documents are claimed in the old one.
async fn check_identification_scope(app: &App, before: &Segment, after: &Segment) -> Result<(), Error> {
    let scope = |segment: &Segment| segment.fields.settings.0.identification_scope.0;
    if scope(before) == scope(after) || !app.store.has_users(before.id).await? {
        return Ok(());
    }
    let message = "cannot change once the segment has users; create another segment and import them there";
    Err(Error::conflict("/settings/identification_scope", "immutable", message))
}

/// Deletes a segment with all that is in it: keys and catalogs, memberships and their members, files.
#[utoipa::path(delete, path = "/v1/segments/{segment}", tag = "segments",
    responses((status = 204, description = "The segment is gone; what was in it goes within minutes.")))]
pub async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    matches: IfMatch,
) -> Answer<NoContent> {
    retried(|| async {
        let before = caller.segment(segment, KeyScope::Admin).await?;
        matches.check(before.version)?;
        app.store.delete_segment(&before, caller.act()).await
    })
    .await?;
    // At once, so that nothing in the segment answers any more; the rest is the job's.
    app.store.delete_memberships(segment).await?;
    Ok(NoContent)
}

/// Whether a thing was made by an earlier try of this very request, which was cut off then.
pub(crate) fn made_before(error: &Error) -> bool {
    matches!(error, Error::Conflict(taken) if taken.iter().any(|one| one.code == "exists"))
}

/// Refuses an address that is not its owner's.
async fn reachable(app: &App, account: UserId, fields: &SegmentFields) -> Result<(), Error> {
    match fields.shipping_address_id {
        Some(address) if !app.store.has_address(account, address).await? => {
            Err(Error::invalid("/shipping_address_id", "unknown", "must be the id of one of your addresses"))
        }
        Some(_) | None => Ok(()),
    }
}
