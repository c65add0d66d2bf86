//! `add_product`: what a user subscribes to.

use domain::subscription::Quantity;
use domain::{
    Act, Body as _, Error, FieldError, MemberId, Product, ProductFields, SegmentId, SubscriptionFields, User, UserId,
};
use edge::{App, Seed};
use segments::{NewProduct, find_or_create_private};
use serde_json::{Map, Value, json};
use store::search::{Filter, Match, Search, Test, fold};
use store::{Configuration, From};

use crate::calls::answer::Joined;
use crate::calls::doc;
use crate::lenient::{given, text};

/// Subscribes a user to the products of a list: what it has joined then. Each is looked for, and whether the user can have
/// it, before the first is subscribed to. A named product that does not exist is created before that, as a private one.
pub(super) async fn added(
    app: &App,
    account: UserId,
    (user, mut joined): (&User, Joined),
    (document, seed): (&Value, Seed),
    act: Act<'_>,
) -> Result<Joined, Error> {
    let segment = user.segment_id.ok_or(Error::NotFound)?;
    let orders = read_orders(app, segment, document).await?;
    let mut subscriptions = Vec::new();
    // Products that exist come first, so that nothing is created for an order that they stop.
    let (existing, new): (Vec<_>, Vec<_>) =
        orders.into_iter().enumerate().partition(|(_, order)| matches!(order.product, Ordered::Existing(_)));
    for (index, Order { product, quantity }) in existing.into_iter().chain(new) {
        let product = match product {
            Ordered::Existing(product) => product,
            Ordered::New(fields) => {
                // Beyond the ids of the rows' members.
                let (id, membership) = (seed.scattered(100 + index), seed.scattered(200 + index));
                let new = NewProduct { segment, owner: account, id, membership, fields };
                Box::pin(find_or_create_private(app, new, act)).await.map_err(|error| at_row(error, index))?
            }
        };
        let configuration = members::joined_by(app, Some(&product)).await?;
        let fields = json!({ "user_id": user.id, "product_id": product.id, "quantity": quantity.get() });
        let fields = SubscriptionFields::parse(fields)?;
        let id: MemberId = seed.scattered(index);
        let added = joined.add((id, &configuration.membership), (&product, fields.clone()));
        added.map_err(|message| Error::conflict(&place(index), "taken", message))?;
        subscriptions.push(Planned { index, configuration, id, fields });
    }
    subscriptions.sort_by_key(|planned| planned.index);
    for Planned { index, configuration, id, fields } in subscriptions {
        let subscribed = members::subscribed(app, &configuration, (id, fields), act).await;
        subscribed.map_err(|error| at_row(error, index))?;
    }
    Ok(joined)
}

/// A subscription that is about to be created.
struct Planned {
    index: usize,
    configuration: Configuration,
    id: MemberId,
    fields: SubscriptionFields,
}

/// A row of the list.
struct Order {
    product: Ordered,
    quantity: Quantity,
}

/// The product that a row names.
enum Ordered {
    Existing(Product),
    /// No product of the segment has the name: one is created.
    New(ProductFields),
}

/// Reads the rows of the list, and the products that they name.
async fn read_orders(app: &App, segment: SegmentId, document: &Value) -> Result<Vec<Order>, Error> {
    let (mut orders, mut titles): (Vec<Order>, Vec<String>) = (Vec::new(), Vec::new());
    for (index, row) in doc::rows(document, "product_list")?.iter().enumerate() {
        let quantity = given(row, "q").map_or_else(|| Some(Quantity::default()), quantity);
        let message = "has a q that is no whole number from 1 to 1000000";
        let quantity = quantity.ok_or_else(|| wrong(index, "out_of_range", message))?;
        let product = find_product(app, segment, row, index).await?;
        if let Ordered::New(fields) = &product {
            let title = fold(fields.title.as_str());
            if titles.contains(&title) {
                return Err(Error::conflict(&place(index), "taken", "has this product already"));
            }
            titles.push(title);
        }
        orders.push(Order { product, quantity });
    }
    Ok(orders)
}

/// The product that a row names: by its id, its id in another system, or its title.
async fn find_product(app: &App, segment: SegmentId, row: &Value, index: usize) -> Result<Ordered, Error> {
    let unknown = || wrong(index, "unknown", "is no product of this group");
    let Some(id) = given(row, "p_id").and_then(text) else {
        let name = given(row, "name").and_then(text).ok_or_else(unknown)?;
        return find_by_name(app, segment, name, (row, index)).await;
    };
    if let Ok(own) = id.parse() {
        match app.store.product(segment, own).await {
            Err(Error::NotFound) => {}
            found => return found.map(Ordered::Existing),
        }
    }
    let found = find_by(app, segment, "reference_id", store::search::Value::word(id)).await?;
    found.map(Ordered::Existing).ok_or_else(unknown)
}

/// The product with this title, or the private one; else the one that is to be created.
async fn find_by_name(
    app: &App,
    segment: SegmentId,
    name: String,
    (row, index): (&Value, usize),
) -> Result<Ordered, Error> {
    if let Some(found) = find_by(app, segment, "title", store::search::Value::Text(name.clone())).await? {
        return Ok(Ordered::Existing(found));
    }
    let mut fields = Map::from_iter([("title".to_owned(), name.into())]);
    fields.extend(given(row, "price").and_then(text).map(|price| ("value".to_owned(), price.into())));
    let fields = ProductFields::parse(Value::Object(fields)).map_err(|error| at_row(error, index))?;
    let found = app.store.private_product(segment, &fields.title).await?;
    Ok(found.map_or(Ordered::New(fields), Ordered::Existing))
}

/// The first product, in the order of their ids, of which a field has this value.
async fn find_by(
    app: &App,
    segment: SegmentId,
    field: &str,
    value: store::search::Value,
) -> Result<Option<Product>, Error> {
    let test = Test::AnyOf(vec![Match::Exact(value)]);
    let filters = vec![Filter { field: field.to_owned(), test }];
    let search = Search { filters, sort: Vec::new(), size: 1, from: From::Offset(0), total: None };
    Ok(app.store.products(segment, &search).await?.rows.pop())
}

/// A number that may have come as text.
fn quantity(value: &Value) -> Option<Quantity> {
    text(value).and_then(|text| text.parse().ok()).and_then(Quantity::new)
}

fn place(index: usize) -> String {
    format!("/product_list/{index}")
}

/// The error with the place of the row in the list.
fn at_row(error: Error, index: usize) -> Error {
    error.map_fields(|field| FieldError { pointer: place(index), ..field })
}

fn wrong(index: usize, code: &'static str, message: &str) -> Error {
    Error::invalid(&place(index), code, message)
}
