//! Partners: the businesses that users of a segment belong to.

use std::collections::BTreeSet;

use axum::extract::State;
use domain::{Act, Error, FieldError, KeyScope, MergePatch, Partner, PartnerFields, PartnerId, SegmentId, Time};
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

/// How partners are listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Partners;

impl ListSpec for Partners {
    const SORTS: &'static [&'static str] =
        &["id", "created_at", "reference_id", "commercial_name", "contact_name", "tin", "role"];
    const DEFAULT_SORT: &'static str = "id";
    const FILTERS: &'static [(&'static str, FilterKind)] = &[
        ("reference_id", FilterKind::Identifier),
        ("commercial_name", FilterKind::Text),
        ("contact_name", FilterKind::Text),
        ("tin", FilterKind::Word),
        ("role", FilterKind::Text),
        ("status", FilterKind::Switch),
        ("created_at", FilterKind::Made),
    ];
}

// The document's macro takes no generic types, but names of them.
type PartnerList = openapi::ListOf<Partner>;
type PartnerPatch = MergePatch<PartnerFields>;

/// Lists the partners of a segment; `filter[reference_id]` finds the one that another system calls so.
#[utoipa::path(get, path = "/v1/segments/{segment}/partners", tag = "partners", params(List<Partners>),
    responses((status = 200, description = "A page of partners.", body = PartnerList)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    list: List<Partners>,
) -> Answer<Listed> {
    let reads = async { tokio::try_join!(app.store.segment(segment), app.store.partners(segment, list.search())) };
    let (access, (segment, found)) = caller.accesses(reads).await?;
    access.manages(&segment, KeyScope::Read)?;
    Ok(list.found(&app, found).await?)
}

/// Makes a partner.
#[utoipa::path(post, path = "/v1/segments/{segment}/partners", tag = "partners", request_body = PartnerFields,
    responses((status = 201, description = "The partner.", body = Partner)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    seed: Seed,
    Body(fields): Body<PartnerFields>,
) -> Answer<Created> {
    caller.segment(segment, KeyScope::Admin).await?;
    let new = made(&app, (segment, seed.id(0)), fields, caller.act()).await?;
    Ok(Created::one(format!("/v1/segments/{segment}/partners/{}", new.id), &new))
}

/// Makes a partner of a segment.
///
/// # Errors
/// [`Error::Conflict`] where its reference id is taken.
pub async fn made(
    app: &App,
    (segment, id): (SegmentId, PartnerId),
    fields: PartnerFields,
    act: Act<'_>,
) -> Result<Partner, Error> {
    let new = Partner::new(id, segment, fields, Time::of(id.uuid()));
    match app.store.create_partner(&new, act).await {
        Err(error) if made_before(&error) => {}
        made => made?,
    }
    Ok(new)
}

/// Creates partners of a segment: all of them, or none. 1 read for each 50 reference ids, and 1 transaction for each partner.
///
/// # Errors
/// [`Error::Conflict`] with the place of each partner whose reference id is taken.
pub async fn create_all(
    app: &App,
    segment: SegmentId,
    new: Vec<(PartnerId, PartnerFields)>,
    act: Act<'_>,
) -> Result<Vec<Partner>, Error> {
    check_references(app, segment, &new).await?;
    let mut created = Vec::new();
    for (index, (id, fields)) in new.into_iter().enumerate() {
        match made(app, (segment, id), fields, act).await {
            Ok(partner) => created.push(partner),
            Err(error) => {
                // Another request has taken its reference id in between.
                for partner in &created {
                    app.store.delete_partner(partner, act).await?;
                }
                let at = |field: FieldError| FieldError { pointer: format!("/{index}{}", field.pointer), ..field };
                return Err(error.map_fields(at));
            }
        }
    }
    Ok(created)
}

/// Refuses reference ids that are taken, or sent twice.
async fn check_references(app: &App, segment: SegmentId, new: &[(PartnerId, PartnerFields)]) -> Result<(), Error> {
    let references = || new.iter().map(|(_, fields)| fields.reference_id.as_ref().map(|id| id.as_str().to_owned()));
    // A text that is an id would find the partner that has the id.
    let wanted: BTreeSet<_> = references().flatten().filter(|text| text.parse::<PartnerId>().is_err()).collect();
    let taken = app.store.partners_named(segment, &wanted).await?;
    let (mut seen, mut errors) = (BTreeSet::new(), Vec::new());
    for (index, reference) in references().enumerate() {
        let Some(reference) = reference else { continue };
        // An earlier try of this very request may have created it.
        let is_another = taken.get(&reference).is_some_and(|holder| new.iter().all(|(id, _)| id != holder));
        if is_another || !seen.insert(reference) {
            let message = "is another partner's; choose another one";
            errors.push(FieldError::new(&format!("/{index}/reference_id"), "taken", message));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::Conflict(errors)) }
}

/// Reads a partner.
#[utoipa::path(get, path = "/v1/segments/{segment}/partners/{partner}", tag = "partners",
    responses((status = 200, description = "The partner.", body = Partner)))]
pub(crate) async fn read(
    State(app): State<App>,
    caller: Caller,
    Path((segment, partner)): Path<(SegmentId, PartnerId)>,
    has: IfNoneMatch,
) -> Answer<Shown> {
    Ok(Shown::unless(&has, &found(&app, &caller, (segment, partner), KeyScope::Read).await?.thing))
}

/// Changes a partner by a merge patch.
#[utoipa::path(patch, path = "/v1/segments/{segment}/partners/{partner}", tag = "partners",
    request_body = PartnerPatch,
    responses((status = 200, description = "The partner after the change.", body = Partner)))]
pub(crate) async fn change(
    State(app): State<App>,
    caller: Caller,
    Path((segment, partner)): Path<(SegmentId, PartnerId)>,
    matches: IfMatch,
    Body(Patch(patch)): Body<Patch<PartnerFields>>,
) -> Answer<Shown> {
    Ok(Shown::new(&changed((&app, &caller), (segment, partner), &matches, &patch).await?))
}

/// Changes a partner that the caller may act on.
///
/// # Errors
/// As [`Caller::segment`]; [`Error::NotFound`]; [`Error::OtherVersion`] where its version is not one of `matches`; those of the patch.
pub async fn changed(
    (app, caller): (&App, &Caller),
    (segment, partner): (SegmentId, PartnerId),
    matches: &IfMatch,
    patch: &MergePatch<PartnerFields>,
) -> Result<Partner, Error> {
    retried(|| async {
        let before = found(app, caller, (segment, partner), KeyScope::Admin).await?.thing;
        let after = before.patched(patch.clone(), Time::now())?;
        matches.check(before.version)?;
        app.store.change_partner(&before, &after, caller.act()).await.map(|()| after)
    })
    .await
}

/// Deletes a partner that no user belongs to.
#[utoipa::path(delete, path = "/v1/segments/{segment}/partners/{partner}", tag = "partners",
    responses((status = 204, description = "The partner is gone.")))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path((segment, partner)): Path<(SegmentId, PartnerId)>,
    matches: IfMatch,
) -> Answer<NoContent> {
    gone((&app, &caller), (segment, partner), &matches).await?;
    Ok(NoContent)
}

/// Deletes a partner that the caller may act on, and that no user belongs to.
///
/// # Errors
/// As [`Caller::segment`]; [`Error::NotFound`]; [`Error::OtherVersion`] where its version is not one of `matches`;
/// [`Error::Conflict`] where a user belongs to it.
pub async fn gone(
    (app, caller): (&App, &Caller),
    (segment, partner): (SegmentId, PartnerId),
    matches: &IfMatch,
) -> Result<(), Error> {
    retried(|| async {
        let before = found(app, caller, (segment, partner), KeyScope::Admin).await?;
        matches.check(before.thing.version)?;
        before.unused("Users")?;
        app.store.delete_partner(&before.thing, caller.act()).await
    })
    .await
}

/// A partner that the caller may act on: 1 round of latency.
async fn found(
    app: &App,
    caller: &Caller,
    (segment, partner): (SegmentId, PartnerId),
    scope: KeyScope,
) -> Result<Used<Partner>, Error> {
    let reads = async { tokio::try_join!(app.store.segment(segment), app.store.partner(segment, partner)) };
    let (access, (segment, partner)) = caller.accesses(reads).await?;
    access.manages(&segment, scope)?;
    Ok(partner)
}
