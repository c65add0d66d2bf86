//! Catalogs: lists of choices that the custom fields of a segment share.

use axum::extract::State;
use domain::{Catalog, CatalogFields, CatalogId, CustomField, Error, KeyScope, Question, SegmentId, Time};
use edge::{
    Answer, App, Body, Caller, Created, FilterKind, Force, IfMatch, IfNoneMatch, List, ListSpec, Listed, NoContent,
    Path, Seed, Shown, openapi, retried,
};

use store::{Affected, CatalogRecord, Configuration};

/// How catalogs are listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Catalogs;

impl ListSpec for Catalogs {
    const SORTS: &'static [&'static str] = &["id", "created_at", "name"];
    const DEFAULT_SORT: &'static str = "id";
    const FILTERS: &'static [(&'static str, FilterKind)] = &[("name", FilterKind::Text)];
}

// The document's macro takes no generic types, but names of them.
type CatalogList = openapi::ListOf<Catalog>;

/// Lists the catalogs of a segment.
#[utoipa::path(get, path = "/v1/segments/{segment}/catalogs", tag = "catalogs", params(List<Catalogs>),
    responses((status = 200, description = "A page of catalogs.", body = CatalogList)))]
pub(crate) async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    list: List<Catalogs>,
) -> Answer<Listed> {
    let reads = async { tokio::try_join!(app.store.segment(segment), app.store.catalogs(segment)) };
    let (access, (segment, catalogs)) = caller.accesses(reads).await?;
    access.manages(&segment, KeyScope::Read)?;
    Ok(list.within(&app, catalogs).await?)
}

/// Makes a catalog.
#[utoipa::path(post, path = "/v1/segments/{segment}/catalogs", tag = "catalogs", request_body = CatalogFields,
    responses((status = 201, description = "The catalog.", body = Catalog)))]
pub(crate) async fn create(
    State(app): State<App>,
    caller: Caller,
    Path(segment): Path<SegmentId>,
    seed: Seed,
    Body(fields): Body<CatalogFields>,
) -> Answer<Created> {
    caller.segment(segment, KeyScope::Admin).await?;
    let id: CatalogId = seed.id(0);
    let new = Catalog::new(id, segment, fields, Time::of(id.uuid()));
    match app.store.create_catalog(&new, caller.act()).await {
        // An earlier try of this very request had made it before it was cut off.
        Ok(()) | Err(Error::Conflict(_)) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(Created::one(format!("/v1/segments/{segment}/catalogs/{id}"), &new))
}

/// Reads a catalog.
#[utoipa::path(get, path = "/v1/segments/{segment}/catalogs/{catalog}", tag = "catalogs",
    responses((status = 200, description = "The catalog.", body = Catalog)))]
pub(crate) async fn read(
    State(app): State<App>,
    caller: Caller,
    Path((segment, catalog)): Path<(SegmentId, CatalogId)>,
    has: IfNoneMatch,
) -> Answer<Shown> {
    Ok(Shown::unless(&has, &found(&app, &caller, (segment, catalog), KeyScope::Read).await?.catalog))
}

/// Replaces a catalog as a whole. Where members have chosen what is gone then, it is refused with their number, unless
/// `force=true`: they have the field among their `missing_fields` then.
#[utoipa::path(put, path = "/v1/segments/{segment}/catalogs/{catalog}", tag = "catalogs", params(Force),
    request_body = CatalogFields,
    responses((status = 200, description = "The catalog after the change.", body = Catalog)))]
pub(crate) async fn replace(
    State(app): State<App>,
    caller: Caller,
    Path((segment, catalog)): Path<(SegmentId, CatalogId)>,
    force: Force,
    matches: IfMatch,
    Body(fields): Body<CatalogFields>,
) -> Answer<Shown> {
    Ok(retried(|| async {
        let before = found(&app, &caller, (segment, catalog), KeyScope::Admin).await?;
        let after = before.catalog.replaced(fields.clone(), Time::now());
        matches.check(before.catalog.version)?;
        let uses = app.store.catalog_uses(segment, catalog).await?;
        force.allows(affected(&app, &uses, (&before.catalog, &after)).await?)?;
        let memberships = uses.iter().map(|configuration| configuration.membership.id);
        app.store.change_catalog(&before, &after, memberships, caller.act()).await?;
        Ok(Shown::new(&after))
    })
    .await?)
}

/// Deletes a catalog that no custom field names any more.
#[utoipa::path(delete, path = "/v1/segments/{segment}/catalogs/{catalog}", tag = "catalogs",
    responses((status = 204, description = "The catalog is gone.")))]
pub(crate) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path((segment, catalog)): Path<(SegmentId, CatalogId)>,
    matches: IfMatch,
) -> Answer<NoContent> {
    Ok(retried(|| async {
        let before = found(&app, &caller, (segment, catalog), KeyScope::Admin).await?;
        matches.check(before.catalog.version)?;
        if let Some(used) = app.store.catalog_uses(segment, catalog).await?.first() {
            let name = used.membership.fields.name.as_str();
            let message = format!("A custom field of the membership {name} names this catalog; change it first.");
            return Err(Error::conflict("", "in_use", &message));
        }
        app.store.delete_catalog(&before, caller.act()).await?;
        Ok(NoContent)
    })
    .await?)
}

/// How many members have chosen what is gone after the change of a catalog.
async fn affected(app: &App, uses: &[Configuration], (before, after): (&Catalog, &Catalog)) -> Result<Affected, Error> {
    let mut all = Affected::default();
    for configuration in uses {
        let names = |field: &&CustomField| field.fields.catalog_id == Some(before.id);
        for field in configuration.fields.iter().filter(names) {
            let (old, new) = (Question::new(field, Some(before)), Question::new(field, Some(after)));
            all.members += app.store.affected(configuration.membership.id, &old, Some(&new)).await?.members;
        }
    }
    Ok(all)
}

/// A catalog that the caller may act on: 1 round of latency.
async fn found(
    app: &App,
    caller: &Caller,
    (segment, catalog): (SegmentId, CatalogId),
    scope: KeyScope,
) -> Result<CatalogRecord, Error> {
    let reads = async { tokio::try_join!(app.store.segment(segment), app.store.catalog(segment, catalog)) };
    let (access, (segment, catalog)) = caller.accesses(reads).await?;
    access.manages(&segment, scope)?;
    Ok(catalog)
}
