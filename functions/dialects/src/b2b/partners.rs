//! Business partners, by local or remote id.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Body as _, Error, Field as _, KeyScope, MergePatch, PartnerFields, PartnerId};
use edge::{App, IfMatch, LenientBody, Path, Seed};
use segments::partners;
use serde_json::json;

use crate::b2b::format::Format;
use crate::b2b::page::Page;
use crate::b2b::refused::Refused;
use crate::b2b::schema::{
    BusinessPartnerChange, BusinessPartnerPage, ChangedIds, CreatedBusinessPartners, DeletedId, NewBusinessPartners,
    PageParameters, SegmentHeader,
};
use crate::b2b::{Connection, body, shown};
use crate::lenient::Json;
use crate::place::Place;

/// What is not there, in an error.
const ENTITY: &str = "BusinessPartner";

/// Reads business partners: the one with the local id or `idRemote` that is given, or all in pages.
#[utoipa::path(get, path = "/b2b/BusinessPartner/getBPartner", tag = "b2b",
    params(("id" = Option<String>, Query, description = "A local id or `idRemote`."),
        PageParameters, SegmentHeader),
    responses((status = 200, description = "A page of business partners.", body = BusinessPartnerPage, example = json!({
        "data": [{ "id": "0199d2a4-5c00-7000-8000-00000000ba01", "idRemote": "erp-77", "contactName": "Eva Ruiz",
            "commercialName": "Café Sur", "tin": "CSU010203AB1", "role": "customer", "status": true }],
        "pagination": { "totalItems": 1, "itemsPerPage": 10, "currentPage": 1, "totalPages": 1, "nextPageUrl": null } }))))]
pub(super) async fn get_partner(
    State(app): State<App>,
    format: Format,
    Connection(place): Connection,
    page: Page,
) -> Result<Response, Refused> {
    if let Some(id) = &page.id {
        let (managed, partner) = tokio::join!(place.segment(KeyScope::Read), named(&app, &place, id));
        managed?;
        let partner = app.store.partner(place.id, partner?).await.map_err(|error| Refused::of(error, ENTITY, id))?;
        return Ok(format.answer(StatusCode::OK, page.one(shown::partner(&partner.thing))));
    }
    let search = page.search();
    let (managed, found) = tokio::join!(place.segment(KeyScope::Read), app.store.partners(place.id, &search));
    managed?;
    let found = found?;
    let rows = found.rows.iter().map(shown::partner).collect();
    Ok(format.answer(StatusCode::OK, page.shown(&found, rows)))
}

/// Creates a business partner, or 1 to 20 of an array: all of them, or none. Needs a key with the scope admin, or the master
/// user.
#[utoipa::path(post, path = "/b2b/BusinessPartner/create", tag = "b2b", params(SegmentHeader),
    request_body(content = NewBusinessPartners, example = json!({ "idRemote": "erp-77", "contactName": "Eva Ruiz", "commercialName": "Café Sur",
        "tin": "CSU010203AB1", "role": "customer", "status": true })),
    responses((status = 201, description = "Its ids; of an array, an array of them.", body = CreatedBusinessPartners,
        example = json!({ "id": "0199d2a4-5c00-7000-8000-00000000ba01", "idRemote": "erp-77" }))))]
pub(super) async fn create(
    State(app): State<App>,
    format: Format,
    Connection(place): Connection,
    seed: Seed,
    LenientBody(Json(body)): LenientBody<Json>,
) -> Result<Response, Refused> {
    place.segment(KeyScope::Admin).await?;
    if let Some(rows) = body.as_array() {
        let new = body::partners(rows)?.into_iter().enumerate().map(|(index, fields)| (seed.scattered(index), fields));
        let created = partners::create_all(&app, place.id, new.collect(), place.caller.act()).await?;
        return Ok(format.answer(StatusCode::CREATED, created.iter().map(shown::partner_ids).collect()));
    }
    let fields = PartnerFields::parse(body::partner(&body, "")?)?;
    let made = partners::made(&app, (place.id, seed.id(0)), fields, place.caller.act()).await?;
    Ok(format.answer(StatusCode::CREATED, shown::partner_ids(&made)))
}

/// Changes what is sent of a business partner, which may also be the only one of an array. Needs a key with the scope admin, or the master user.
#[utoipa::path(put, path = "/b2b/BusinessPartner/update/{id}", tag = "b2b",
    params(("id" = String, Path, description = "The local id, or the `idRemote`."), SegmentHeader),
    request_body(content = BusinessPartnerChange, example = json!({ "contactName": "Ana López", "status": false })),
    responses((status = 200, description = "Its ids.", body = ChangedIds,
        example = json!({ "id": "0199d2a4-5c00-7000-8000-00000000ba01", "idRemote": "erp-77" }))))]
pub(super) async fn update(
    State(app): State<App>,
    format: Format,
    Connection(place): Connection,
    Path(id): Path<String>,
    LenientBody(Json(body)): LenientBody<Json>,
) -> Result<Response, Refused> {
    let partner = own((&app, &place), &id).await?;
    let patch = match body::one(body).and_then(|body| body::partner(&body, "")).and_then(MergePatch::parse) {
        Ok(patch) => patch,
        Err(error) => {
            place.segment(KeyScope::Admin).await?;
            return Err(error.into());
        }
    };
    let changed = partners::changed((&app, &place.caller), (place.id, partner), &IfMatch::default(), &patch).await;
    let changed = changed.map_err(|error| Refused::of(error, ENTITY, &id))?;
    // A key that does not read does not learn the remote id that goes with the local one.
    let ids = if place.caller.can_read() { shown::partner_ids(&changed) } else { json!({ "id": partner.show() }) };
    Ok(format.answer(StatusCode::OK, ids))
}

/// Deletes a business partner that no user belongs to. Needs a key with the scope admin, or the master user.
#[utoipa::path(delete, path = "/b2b/BusinessPartner/delete/{id}", tag = "b2b",
    params(("id" = String, Path, description = "The local id, or the `idRemote`."), SegmentHeader),
    responses((status = 200, description = "Its local id.", body = DeletedId, example = json!({ "id": "0199d2a4-5c00-7000-8000-00000000ba01" }))))]
pub(super) async fn delete(
    State(app): State<App>,
    format: Format,
    Connection(place): Connection,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let partner = own((&app, &place), &id).await?;
    let gone = partners::gone((&app, &place.caller), (place.id, partner), &IfMatch::default()).await;
    gone.map_err(|error| Refused::of(error, ENTITY, &id))?;
    Ok(format.answer(StatusCode::OK, json!({ "id": partner.show() })))
}

/// The partner that is to be changed; who may not change it is told so first.
async fn own((app, place): (&App, &Place), id: &str) -> Result<PartnerId, Refused> {
    match named(app, place, id).await {
        Ok(partner) => Ok(partner),
        Err(refused) => {
            place.segment(KeyScope::Admin).await?;
            Err(refused)
        }
    }
}

/// The partner that is meant: 1 read.
async fn named(app: &App, place: &Place, id: &str) -> Result<PartnerId, Refused> {
    let found = app.store.partners_named(place.id, &BTreeSet::from([id.to_owned()])).await?;
    found.get(id).copied().ok_or_else(|| Refused::of(Error::NotFound, ENTITY, id))
}
