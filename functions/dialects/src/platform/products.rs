//! `products/all-products`.

use axum::extract::{OriginalUri, State as Shared};
use domain::{KeyScope, Product};
use edge::{Answer, List, Query, Rendered};
use segments::Products;
use serde_json::{Value, json};

use super::pages;
use crate::State;
use crate::place::Place;

/// Lists the products of the platform. `per_page` is 1 to 100, 20 without it; `cursor` goes on where a page has ended.
#[utoipa::path(get, path = "/platform/products/all-products", tag = "products",
    params(("per_page" = Option<u32>, Query, description = "How many at most."),
        ("cursor" = Option<String>, Query, description = "`meta.next_cursor` of the page before.")),
    responses((status = 200, description = "A page of products.", body = serde_json::Value, example = json!({
        "data": [{
            "id": "0199d2a4-5c00-7000-8000-000000000d01", "title": "Pottery, first year", "description": "Twelve evenings.",
            "period": "P1Y", "value": "499.90", "currency": "BRL", "product_id": "0199d2a4-5c00-7000-8000-000000000d01",
            "reference_id": "course-1", "lifetime": 0, "status": 1, "created_at": "2026-11-21 10:00:00",
            "updated_at": "2026-11-21 10:00:00"
        }],
        "links": { "next": null }, "meta": { "next_cursor": null }
    }))))]
pub(super) async fn list(
    Shared(state): Shared<State>,
    place: Place,
    OriginalUri(uri): OriginalUri,
    query: Query,
) -> Answer<Rendered> {
    let list = List::<Products>::asked(&state.app, &place.caller, pages::renamed(query), uri.path()).await?;
    let search = state.app.store.products(place.id, list.search());
    let (segment, found) = tokio::join!(place.segment(KeyScope::Read), search);
    segment?;
    let found = found?;
    let data: Vec<_> = found.rows.iter().map(shown).collect();
    let listed = list.found(&state.app, found).await?;
    Ok(Rendered(pages::paged(data, &listed, Vec::new())))
}

fn shown(product: &Product) -> Value {
    let fields = &product.fields;
    json!({
        "id": product.id,
        "title": fields.title,
        "description": fields.description,
        "period": fields.period,
        "value": fields.value,
        "currency": fields.currency,
        "product_id": product.id,
        "reference_id": fields.reference_id,
        "lifetime": u8::from(fields.lifetime.0),
        "status": u8::from(fields.status.0),
        "created_at": super::shown::time(product.created_at),
        "updated_at": super::shown::time(product.updated_at),
    })
}
