//! `users/…/user-subscription`: what students have of the platform's products.

use axum::extract::State as Shared;
use domain::field::Body as _;
use domain::{
    Error, Field as _, FieldError, KeyScope, MemberId, MergePatch, Product, SubscriptionFields, UserId, field::Pointer,
};
use edge::{Answer, LenientBody, Rendered, Seed, retried};
use serde_json::{Map, Value, json};

use super::names::as_text;
use super::products::find_product;
use super::schema::{NewSubscription, SubscriptionChange, SubscriptionResult};
use super::shown::whole_subscription;
use crate::State;
use crate::lenient::{self, given, text, time};
use crate::place::Place;

/// Their fields of times, and ours.
const TIMES: [(&str, &str); 2] = [("payment_last_date", "last_payment_at"), ("expiration_date", "expires_at")];

/// Subscribes a student to a product, which `product_id` names by the account's number or by its id.
///
/// A subscription that is inactive or past its end is bought again: it is active with the dates of this request.
#[utoipa::path(post, path = "/platform/users/create/user-subscription", tag = "subscriptions",
    request_body(content = NewSubscription, example = json!(request())),
    responses((status = 200, description = "The subscription.", body = SubscriptionResult, example = json!({
        "message": "The user is subscribed.", "subscription": example()
    }))))]
pub(super) async fn create(
    Shared(state): Shared<State>,
    place: Place,
    seed: Seed,
    LenientBody(lenient::Json(body)): LenientBody<lenient::Json>,
) -> Answer<Rendered> {
    let mut errors = Vec::new();
    let mut fields = times(&body, &mut errors);
    for name in ["user_id", "reference_id"] {
        fields.extend(given(&body, name).map(|value| (name.to_owned(), as_text(value))));
    }
    let named = named_product(&state, &place, &body);
    let (segment, product) = tokio::join!(place.segment(KeyScope::Write), named);
    let (segment, product) = (segment?, product?);
    fields.extend(product.as_ref().map(|product| ("product_id".to_owned(), json!(product.id))));
    let fields = all(SubscriptionFields::parse(Value::Object(fields)), errors)?;
    let product = product.ok_or(Error::NotFound)?;
    let (known, of) = tokio::join!(
        members::knows(&state.app, &segment, Some(fields.user_id)),
        members::joined_by(&state.app, Some(&product))
    );
    // A user of another segment is absent, as everywhere.
    known.map_err(|error| if matches!(error, Error::Invalid(_)) { Error::NotFound } else { error })?;
    let new = (seed.id::<MemberId>(0), fields);
    let new = members::subscribe_or_renew(&state.app, &of?, new, place.caller.act()).await?;
    let shown = whole_subscription(&new, &product);
    Ok(Rendered(json!({ "message": "The user is subscribed.", "subscription": shown })))
}

/// Changes the subscription that a student has to a product: what is left out stays, null or empty text clears.
#[utoipa::path(put, path = "/platform/users/update/user-subscription", tag = "subscriptions",
    request_body(content = SubscriptionChange, example = json!({
        "product_id": "0199d2a4-5c00-7000-8000-000000000d01", "user_id": "0199d2a4-5c00-7000-8000-000000000002",
        "payment_last_date": "2027-10-30", "expiration_date": "2028-11-01", "active": 1
    })),
    responses((status = 200, description = "The subscription after the change.", body = SubscriptionResult, example = json!({
        "message": "The subscription is changed.", "subscription": example()
    }))))]
pub(super) async fn update(
    Shared(state): Shared<State>,
    place: Place,
    LenientBody(lenient::Json(body)): LenientBody<lenient::Json>,
) -> Answer<Rendered> {
    let mut errors = Vec::new();
    let (at, named) = (Pointer::root(), named_product(&state, &place, &body));
    let user = match given(&body, "user_id") {
        Some(user) => UserId::read(as_text(user), &at.child("user_id"), &mut errors),
        None => UserId::absent(&at.child("user_id"), &mut errors),
    };
    let patch = patch(&body, &mut errors)?;
    let (segment, product) = tokio::join!(place.segment(KeyScope::Write), named);
    segment?;
    let product = product?;
    if product.is_none() {
        errors.push(at.child("product_id").error("required", "is required"));
    }
    let (product, user) = product.zip(user).filter(|_| errors.is_empty()).ok_or(Error::Invalid(errors))?;
    let membership = product.fields.membership_id.ok_or(Error::NotFound)?;
    let store = &state.app.store;
    let changed = retried(|| async {
        let of = async { store.with_catalogs(store.configuration(membership).await?).await };
        let (of, record) = tokio::try_join!(of, store.member_of(membership, user))?;
        let record = record.filter(|record| record.member.fields.product_id == Some(product.id));
        let record = record.ok_or(Error::NotFound)?;
        members::changed_subscription(&state.app, (&record, &of), patch.clone(), place.caller.act()).await
    })
    .await?;
    let shown = whole_subscription(&changed, &product);
    Ok(Rendered(json!({ "message": "The subscription is changed.", "subscription": shown })))
}

/// The product of the segment that the body names, if it names one.
async fn named_product(state: &State, place: &Place, body: &Value) -> Result<Option<Product>, Error> {
    match given(body, "product_id").map(lenient::items).unwrap_or_default().as_slice() {
        [] => Ok(None),
        [(_, named)] => find_product(state, place, (named, "/product_id")).await.map(Some),
        _ => Err(Error::invalid("/product_id", "too_long", "must be one product")),
    }
}

/// What the body says of times, in our words; what cannot be read is an error.
fn times(body: &Value, errors: &mut Vec<FieldError>) -> Map<String, Value> {
    let mut times = Map::new();
    for (theirs, ours) in TIMES {
        let Some(value) = given(body, theirs) else { continue };
        match text(value).as_deref().and_then(time) {
            Some(time) => drop(times.insert(ours.to_owned(), json!(time))),
            None => errors.push(
                Pointer::root()
                    .child(theirs)
                    .error("invalid_time", "must be a day or a time such as 2026-01-31 or 2026-01-31 09:30:00"),
            ),
        }
    }
    times
}

/// The change that the body asks for.
fn patch(body: &Value, errors: &mut Vec<FieldError>) -> Result<MergePatch<SubscriptionFields>, Error> {
    let mut patch = times(body, errors);
    for (theirs, ours) in TIMES {
        if body.get(theirs).is_some() && given(body, theirs).is_none() {
            patch.insert(ours.to_owned(), Value::Null);
        }
    }
    match given(body, "active").map(lenient::switch) {
        None => {}
        Some(Some(active)) => {
            let status = if active { "ACTIVE" } else { "INACTIVE" };
            patch.insert("status".to_owned(), status.into());
        }
        Some(None) => errors.push(Pointer::root().child("active").error("invalid_choice", "must be 0 or 1")),
    }
    MergePatch::parse(Value::Object(patch))
}

/// What was read if nothing is wrong; else all that is.
fn all<T>(read: Result<T, Error>, mut errors: Vec<FieldError>) -> Result<T, Error> {
    match read {
        Err(Error::Invalid(more)) => {
            errors.extend(more);
            Err(Error::Invalid(errors))
        }
        read if errors.is_empty() => read,
        _ => Err(Error::Invalid(errors)),
    }
}

fn request() -> Value {
    json!({
        "product_id": "0199d2a4-5c00-7000-8000-000000000d01", "user_id": "0199d2a4-5c00-7000-8000-000000000002",
        "payment_last_date": "2026-11-01", "expiration_date": "2027-11-01", "reference_id": "order-5"
    })
}

fn example() -> Value {
    json!({
        "id": "0199d2a4-5c00-7000-8000-00000000ae01", "tenant_id": "0199d2a4-5c00-7000-8000-0000000005e6", "active": 1,
        "user_id": "0199d2a4-5c00-7000-8000-000000000002", "package_id": "0199d2a4-5c00-7000-8000-000000000d01",
        "created_at": "2026-11-21 10:00:00", "updated_at": "2026-11-21 10:00:00",
        "product_id": "123456789", "reference_id": "order-5",
        "payment_last_date": "2026-11-01 00:00:00", "expiration_date": "2027-11-01 00:00:00"
    })
}
