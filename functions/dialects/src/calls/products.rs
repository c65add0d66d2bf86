//! `add_product`: what a user subscribes to.

use domain::{Act, Body as _, Error, FieldError, MemberId, Product, SegmentId, SubscriptionFields, User};
use edge::{App, Seed};
use serde_json::{Map, Value, json};
use store::From;
use store::search::{Filter, Match, Search, Test};

use crate::calls::answer::Joined;
use crate::calls::doc;
use crate::lenient::{given, text};

/// Subscribes a user to the products of a list: what it has joined then. Each is looked for, and whether the user can have
/// it, before the first is subscribed to.
pub(super) async fn added(
    app: &App,
    (user, mut joined): (&User, Joined),
    (document, seed): (&Map<String, Value>, Seed),
    act: Act<'_>,
) -> Result<Joined, Error> {
    let segment = user.segment_id.ok_or(Error::NotFound)?;
    let mut wanted = Vec::new();
    for (index, row) in doc::rows(document, "product_list")?.iter().enumerate() {
        let product = found(app, segment, row).await?;
        let product = product.ok_or_else(|| wrong(index, "unknown", "is no product of this group"))?;
        let quantity = given(row, "q").map_or_else(|| json!(1), number);
        let fields = json!({ "user_id": user.id, "product_id": product.id, "quantity": quantity });
        let fields = SubscriptionFields::parse(fields);
        let fields =
            fields.map_err(|_| wrong(index, "out_of_range", "has a q that is no whole number from 1 to 1000000"))?;
        let configuration = members::joined_by(app, Some(&product)).await?;
        let id: MemberId = seed.scattered(index);
        let added = joined.add((id, &configuration.membership), (&product, fields.clone()));
        added.map_err(|message| Error::conflict(&place(index), "taken", message))?;
        wanted.push((configuration, id, fields));
    }
    for (index, (configuration, id, fields)) in wanted.into_iter().enumerate() {
        let subscribed = members::subscribed(app, &configuration, (id, fields), act).await;
        subscribed.map_err(|error| error.map_fields(|field| FieldError { pointer: place(index), ..field }))?;
    }
    Ok(joined)
}

/// The product that a row names: by its id, its id in another system, or its title.
async fn found(app: &App, segment: SegmentId, row: &Value) -> Result<Option<Product>, Error> {
    let id = given(row, "p_id").and_then(text);
    if let Some(own) = id.as_deref().and_then(|id| id.parse().ok()) {
        match app.store.product(segment, own).await {
            Err(Error::NotFound) => {}
            found => return found.map(Some),
        }
    }
    let (field, value) = match (id, given(row, "name").and_then(text)) {
        (Some(id), _) => ("reference_id", store::search::Value::word(id)),
        (None, Some(name)) => ("title", store::search::Value::Text(name)),
        (None, None) => return Ok(None),
    };
    let test = Test::AnyOf(vec![Match::Exact(value)]);
    let filters = vec![Filter { field: field.to_owned(), test }];
    let search = Search { filters, sort: Vec::new(), size: 1, from: From::Offset(0), total: None };
    Ok(app.store.products(segment, &search).await?.rows.pop())
}

/// A number that may have come as text.
fn number(value: &Value) -> Value {
    text(value).and_then(|text| text.parse::<i64>().ok()).map_or(Value::Null, Value::from)
}

fn place(index: usize) -> String {
    format!("/product_list/{index}")
}

fn wrong(index: usize, code: &'static str, message: &str) -> Error {
    Error::invalid(&place(index), code, message)
}
