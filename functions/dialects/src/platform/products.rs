//! `products/all-products`, and the product that a request names.

use axum::extract::{OriginalUri, State as Shared};
use domain::{Error, KeyScope, Product, ProductId, ReferenceId};
use edge::{Answer, List, Query, Rendered};
use segments::Products;
use serde_json::{Number, Value, json};

use super::pages;
use super::schema::ProductPage;
use crate::place::Place;
use crate::{State, lenient};

/// Lists the products of the platform. `per_page` is 1 to 100, 20 without it; `cursor` goes on where a page has ended.
///
/// `product_id` is the number that the account gave the product, which is its `reference_id` under `/v1`; the id of a product
/// that has none.
#[utoipa::path(get, path = "/platform/products/all-products", tag = "products",
    params(("per_page" = Option<u32>, Query, description = "Number of products of a page, 1 to 100, 20 without it."),
        ("cursor" = Option<String>, Query, description = "`meta.next_cursor` of the page before.")),
    responses((status = 200, description = "A page of products.", body = ProductPage, example = json!({
        "data": [{
            "id": "0199d2a4-5c00-7000-8000-000000000d01", "title": "Pottery, first year", "description": "Twelve evenings.",
            "period": "P1Y", "value": 499.90, "currency": "BRL", "product_id": "123456789",
            "reference_id": "123456789", "lifetime": 0, "status": "active", "type": null, "checkout": null,
            "trial": null, "interval": null, "created_at": "2026-11-21 10:00:00", "updated_at": "2026-11-21 10:00:00"
        }],
        "links": { "next": null }, "meta": { "next_cursor": null }
    }))))]
pub(super) async fn list(
    Shared(state): Shared<State>,
    place: Place,
    OriginalUri(uri): OriginalUri,
    query: Query,
) -> Answer<Rendered> {
    let list = List::<Products>::asked(&state.app, &place.caller, pages::known_parameters(query), uri.path()).await?;
    let search = state.app.store.products(place.id, list.search());
    let (segment, found) = tokio::join!(place.segment(KeyScope::Read), search);
    segment?;
    let found = found?;
    let data: Vec<_> = found.rows.iter().map(shown).collect();
    let listed = list.found(&state.app, found).await?;
    Ok(Rendered(pages::paged(data, &listed, Vec::new())))
}

/// The number that the account gave a product, or else the product's id.
pub(super) fn number(product: &Product) -> Value {
    product.fields.reference_id.as_ref().map_or_else(|| json!(product.id), |id| json!(id))
}

/// The product that a value names, by the account's number or by its id: 2 reads by a number, 1 by an id.
///
/// # Errors
/// [`Error::Invalid`] at `pointer` where the segment has no such product.
pub(super) async fn find_product(
    state: &State,
    place: &Place,
    (named, pointer): (&Value, &str),
) -> Result<Product, Error> {
    let Some(named) = lenient::text(named) else {
        return Err(Error::invalid(pointer, "invalid_type", "must be the number or the id of a product"));
    };
    let (store, named) = (&state.app.store, named.trim());
    let by_id = match named.parse::<ProductId>() {
        Ok(id) => store.product(place.id, id).await,
        Err(_) => Err(Error::NotFound),
    };
    let found = match (by_id, ReferenceId::parse(named)) {
        (Err(Error::NotFound), Ok(reference)) => store.product_with_reference(place.id, &reference).await,
        (by_id, _) => by_id,
    };
    let unknown = || Error::invalid(pointer, "unknown", "must be the number or the id of a product of this platform");
    found.map_err(|error| if matches!(error, Error::NotFound) { unknown() } else { error })
}

fn shown(product: &Product) -> Value {
    let fields = &product.fields;
    let value = fields.value.as_ref().and_then(|value| json_number(value.as_str()));
    json!({
        "id": product.id,
        "title": fields.title,
        "description": fields.description,
        "period": fields.period,
        "value": value,
        "currency": fields.currency,
        "product_id": number(product),
        "reference_id": fields.reference_id,
        "lifetime": u8::from(fields.lifetime.0),
        "status": if fields.status.0 { "active" } else { "inactive" },
        "type": null,
        "checkout": null,
        "trial": null,
        "interval": null,
        "created_at": super::shown::time(product.created_at),
        "updated_at": super::shown::time(product.updated_at),
    })
}

/// An amount as a JSON number with the digits that were written, but for zeros in front, which JSON does not have.
fn json_number(digits: &str) -> Option<Number> {
    let digits = digits.trim_start_matches('0');
    let whole = digits.bytes().next().is_some_and(|first| first != b'.');
    if whole { digits.parse().ok() } else { format!("0{digits}").parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amount_is_a_json_number_with_its_digits() {
        for (amount, number) in [("499.90", "499.90"), ("0", "0"), ("007.50", "7.50"), ("00.5", "0.5"), ("12", "12")] {
            assert_eq!(json_number(amount).map(|number| number.to_string()).as_deref(), Some(number), "{amount}");
        }
    }
}
