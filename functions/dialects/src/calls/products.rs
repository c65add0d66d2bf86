//! `add_product`: what a user subscribes to.

use domain::field::Pointer;
use domain::money::Amount;
use domain::subscription::Quantity;
use domain::{
    Act, Body as _, Error, Field as _, FieldError, MemberId, Product, ProductFields, SegmentId, SubscriptionFields,
    User, UserId,
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
/// it, before the first is subscribed to. A named product that does not exist is created before that, as a private one. A price
/// that is sent is that of the subscription, whatever the product costs.
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
    for (index, Order { product, quantity, price }) in existing.into_iter().chain(new) {
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
        let fields = SubscriptionFields { price, ..SubscriptionFields::parse(fields)? };
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
    price: Option<Amount>,
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
        let message = "must be a whole number from 1 to 1000000";
        let quantity =
            quantity.ok_or_else(|| Error::invalid(&format!("{}/q", place(index)), "out_of_range", message))?;
        let price = read_price(row, index)?;
        let product = find_product(app, segment, (row, price.as_ref()), index).await?;
        if let Ordered::New(fields) = &product {
            let title = fold(fields.title.as_str());
            if titles.contains(&title) {
                return Err(Error::conflict(&place(index), "taken", "has this product already"));
            }
            titles.push(title);
        }
        orders.push(Order { product, quantity, price });
    }
    Ok(orders)
}

/// The product that a row names: by its id, its id in another system, or its title.
async fn find_product(
    app: &App,
    segment: SegmentId,
    (row, price): (&Value, Option<&Amount>),
    index: usize,
) -> Result<Ordered, Error> {
    let unknown = || wrong(index, "unknown", "is no product of this group");
    let name = given(row, "name").and_then(text);
    // Beside a name, 0 is no id.
    let id = given(row, "p_id").and_then(text).filter(|id| id != "0" || name.is_none());
    let Some(id) = id else {
        return find_by_name(app, segment, name.ok_or_else(unknown)?, (price, index)).await;
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
    (price, index): (Option<&Amount>, usize),
) -> Result<Ordered, Error> {
    if let Some(found) = find_by(app, segment, "title", store::search::Value::Text(name.clone())).await? {
        return Ok(Ordered::Existing(found));
    }
    let mut fields = Map::from_iter([("title".to_owned(), name.into())]);
    fields.extend(price.map(|price| ("value".to_owned(), price.show())));
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

/// A number that may have come as text, or with an exponent.
fn quantity(value: &Value) -> Option<Quantity> {
    text(value).and_then(|text| decimal(&text).parse().ok()).and_then(Quantity::new)
}

/// The price of a row.
fn read_price(row: &Value, index: usize) -> Result<Option<Amount>, Error> {
    let Some(sent) = given(row, "price") else { return Ok(None) };
    let value = text(sent).map_or_else(|| sent.clone(), |text| decimal(&text).into());
    let mut errors = Vec::new();
    let at = Pointer::root().child("product_list").child(index).child("price");
    let price = Amount::read(value, &at, &mut errors);
    if errors.is_empty() { Ok(price) } else { Err(Error::Invalid(errors)) }
}

/// A number without its exponent; any other text as it is.
fn decimal(text: &str) -> String {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return text.to_owned() };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let exponent = exponent.parse::<i32>().ok().filter(|exponent| (-30..=30).contains(exponent));
    let is_number = !whole.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    let Some(exponent) = exponent.filter(|_| is_number) else { return text.to_owned() };
    let point = i32::try_from(whole.len()).unwrap_or(i32::MAX).saturating_add(exponent);
    // At least one digit before the point, and zeros up to it.
    let missing = usize::try_from(1 - point).unwrap_or(0);
    let point = usize::try_from(point.max(1)).unwrap_or(1);
    let digits = format!("{}{digits:0<point$}", "0".repeat(missing));
    let (whole, fraction) = digits.split_at_checked(point).unwrap_or((&digits, ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let whole = if whole.is_empty() { "0" } else { whole };
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

fn place(index: usize) -> String {
    format!("/product_list/{index}")
}

/// The error with the place of the row in the list, or of its field.
fn at_row(error: Error, index: usize) -> Error {
    error.map_fields(|field| {
        let inner = match field.pointer.as_str() {
            "/title" => "/name",
            "/value" => "/price",
            _ => "",
        };
        FieldError { pointer: format!("{}{inner}", place(index)), ..field }
    })
}

fn wrong(index: usize, code: &'static str, message: &str) -> Error {
    Error::invalid(&place(index), code, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_become_digits() {
        for (sent, expected) in [
            ("1E2", "100"),
            ("1e+2", "100"),
            ("6.05E1", "60.5"),
            ("1.250e2", "125"),
            ("605e-1", "60.5"),
            ("5e-2", "0.05"),
            ("50E-1", "5"),
            ("0e0", "0"),
            ("12E-4", "0.0012"),
            ("60.50", "60.50"),
            ("-1E2", "-1E2"),
            ("1E99", "1E99"),
            ("E2", "E2"),
            ("one", "one"),
        ] {
            assert_eq!(decimal(sent), expected, "{sent}");
        }
    }
}
