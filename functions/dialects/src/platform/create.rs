//! `users/create`: students in bulk, each with a subscription to each of the products.

use std::collections::BTreeSet;

use axum::extract::State as Shared;
use domain::clock::Date;
use domain::field::Body as _;
use domain::{
    Error, Field as _, FieldError, KeyScope, MemberId, NewUser, ProductId, Segment, SubscriptionFields, Time, UserId,
    field::Pointer,
};
use edge::{Answer, Body, Failure, Rendered, Seed};
use futures_util::future::try_join_all;
use serde_json::{Map, Value, json};
use store::Configuration;

use super::names::{field, told};
use crate::State;
use crate::lenient::{self, given, text};
use crate::place::Place;

/// How many students a request may have, and how many products.
const MOST: usize = 100;
const MOST_PRODUCTS: usize = 16;

/// Their fields that are ours too.
const SAME: [&str; 6] = ["name", "last_name", "email", "password", "phone", "reference_id"];

/// Creates up to 100 students, each with a subscription to each of the products, which begins at its `accession_date`.
///
/// Each student stands or falls alone; of two with the same e-mail the first stands. A product that is unknown, or two
/// products of one membership, refuse the whole request.
#[utoipa::path(post, path = "/platform/users/create", tag = "users",
    request_body(content = serde_json::Value, example = json!({
        "product_id": ["0199d2a4-5c00-7000-8000-000000000d01"],
        "users": [
            { "name": "Ana", "last_name": "López", "email": "ana@example.com", "password": "correct horse battery",
              "document": "390.533.447-05", "phone": "+5511987654321", "reference_id": "crm-1",
              "accession_date": "2026-11-01" },
            { "email": "eva@example.com" }
        ]
    })),
    responses((status = 200, description = "What came of each.", body = serde_json::Value, example = json!({
        "message": "1 created, 1 failed.",
        "created": [{ "index": 0, "id": "0199d2a4-5c00-7000-8000-000000000002" }],
        "failed": [{ "index": 1, "code": "taken", "field": "email",
            "message": "email is taken by another user; choose another one" }]
    }))))]
pub(super) async fn create(
    Shared(state): Shared<State>,
    place: Place,
    seed: Seed,
    Body(lenient::Json(body)): Body<lenient::Json>,
) -> Answer<Rendered> {
    let mut errors = Vec::new();
    let (products, rows) = (products(&body, &mut errors), rows(&body, &mut errors));
    if !errors.is_empty() {
        return Err(Error::Invalid(errors).into());
    }
    let offers = offers(&state, &place, &products);
    let (segment, offers) = tokio::join!(place.segment(KeyScope::Write), offers);
    let (segment, offers) = (segment?, offers?);
    let rows: Vec<_> = rows.iter().map(Row::read).collect();
    let starts: Vec<_> = rows.iter().map(|row| row.as_ref().ok().and_then(|row| row.starts_at)).collect();
    let users = rows.into_iter().map(|row| row.map(|row| row.user));
    let one = Making { state: &state, place: &place, segment: &segment, seed, offers: &offers };
    let results =
        users::each_alone(users, |index, new| one.row(index, new, starts.get(index).copied().flatten())).await;
    Ok(Rendered(answer(results, place.caller.request_id())))
}

fn answer(results: Vec<(usize, Result<UserId, Error>)>, request_id: &str) -> Value {
    let (mut created, mut failed) = (Vec::new(), Vec::new());
    for (index, result) in results {
        match result {
            Ok(id) => created.push(json!({ "index": index, "id": id })),
            Err(error) => {
                let problem = Failure::from(error).problem(request_id);
                let first = problem.errors.first();
                failed.push(json!({
                    "index": index,
                    "code": first.map_or(problem.code.as_str(), |first| first.code),
                    "field": first.map(|first| field(&first.pointer)).filter(|field| !field.is_empty()),
                    "message": told(&problem),
                }));
            }
        }
    }
    let message = format!("{} created, {} failed.", created.len(), failed.len());
    json!({ "message": message, "created": created, "failed": failed })
}

/// The ids of products that the body names; one alone may stand without an array.
fn products(body: &Value, errors: &mut Vec<FieldError>) -> Vec<ProductId> {
    let at = Pointer::root().child("product_id");
    let named: Vec<Value> = match given(body, "product_id") {
        None => Vec::new(),
        Some(Value::Array(named)) => named.clone(),
        Some(one) => vec![one.clone()],
    };
    if named.len() > MOST_PRODUCTS {
        errors.push(at.error("too_long", "must have at most 16 products"));
        return Vec::new();
    }
    let each = named.into_iter().enumerate();
    let ids: BTreeSet<_> = each.filter_map(|(nth, id)| ProductId::read(id, &at.child(nth), errors)).collect();
    ids.into_iter().collect()
}

fn rows<'a>(body: &'a Value, errors: &mut Vec<FieldError>) -> &'a [Value] {
    let at = Pointer::root().child("users");
    match given(body, "users") {
        Some(Value::Array(rows)) if (1..=MOST).contains(&rows.len()) => return rows,
        Some(Value::Array(_)) => errors.push(at.error("invalid_length", "must have 1 to 100 users")),
        Some(_) => errors.push(at.error("invalid_type", "must be an array")),
        None => errors.push(at.error("required", "is required")),
    }
    &[]
}

/// A product, and the membership that whoever subscribes to it joins.
type Offer = (ProductId, Configuration);

/// The products with their memberships.
async fn offers(state: &State, place: &Place, products: &[ProductId]) -> Result<Vec<Offer>, Error> {
    let reads = products.iter().enumerate().map(|(nth, id)| async move {
        let unknown = || {
            let pointer = format!("/product_id/{nth}");
            Error::invalid(&pointer, "unknown", "must be the id of a product of this platform")
        };
        let product = match state.app.store.product(place.id, *id).await {
            Err(Error::NotFound) => return Err(unknown()),
            found => found?,
        };
        Ok((*id, members::joined_by(&state.app, Some(&product)).await?))
    });
    let offers: Vec<Offer> = try_join_all(reads).await?;
    let memberships: BTreeSet<_> = offers.iter().map(|(_, of)| of.membership.id).collect();
    if memberships.len() < offers.len() {
        let message = "has two products of one membership, of which a user has one alone";
        return Err(Error::invalid("/product_id", "exclusive", message));
    }
    Ok(offers)
}

/// A student as it was sent.
struct Row {
    user: NewUser,
    starts_at: Option<Time>,
}

impl Row {
    fn read(row: &Value) -> Result<Self, Error> {
        if !row.is_object() {
            return Err(Error::invalid("", "invalid_type", "The user must be a JSON object."));
        }
        let mut errors = Vec::new();
        let as_text = |value: &Value| text(value).map_or_else(|| value.clone(), Value::from);
        let mut fields: Map<_, _> =
            SAME.iter().filter_map(|name| Some(((*name).to_owned(), as_text(given(row, name)?)))).collect();
        if !fields.contains_key("email") {
            errors.push(Pointer::root().child("email").error("required", "is required"));
        }
        if let Some(number) = given(row, "document") {
            fields.insert("identification".to_owned(), json!({ "type": "DOCUMENT", "value": as_text(number) }));
        }
        let begins = given(row, "accession_date").map(|date| {
            let day = Date::read(date.clone(), &Pointer::root().child("accession_date"), &mut errors);
            day.and_then(|day| lenient::time(&day.to_string()))
        });
        match NewUser::parse(Value::Object(fields)) {
            Err(Error::Invalid(more)) => {
                errors.extend(more);
                Err(Error::Invalid(errors))
            }
            Err(error) => Err(error),
            Ok(_) if !errors.is_empty() => Err(Error::Invalid(errors)),
            Ok(user) => Ok(Self { user, starts_at: begins.flatten() }),
        }
    }
}

/// What all students of a request have in common.
struct Making<'a> {
    state: &'a State,
    place: &'a Place,
    segment: &'a Segment,
    seed: Seed,
    offers: &'a [Offer],
}

impl Making<'_> {
    /// Makes one student with its subscriptions, or nothing of it.
    async fn row(
        &self,
        index: usize,
        new: Result<NewUser, Error>,
        starts_at: Option<Time>,
    ) -> (usize, Result<UserId, Error>) {
        let made = async {
            let State { app, identity, .. } = self.state;
            let (id, act) = (self.seed.scattered(index), self.place.caller.act());
            let user = users::made(app, identity, (self.segment, id), new?, act).await?.id;
            match self.subscribe(index, user, starts_at).await {
                Ok(()) => Ok(user),
                Err(error) => {
                    let record = app.store.user(user).await?.ok_or(Error::NotFound)?;
                    users::purge(app, identity, record, act).await?;
                    Err(error)
                }
            }
        };
        (index, made.await)
    }

    async fn subscribe(&self, index: usize, user: UserId, starts_at: Option<Time>) -> Result<(), Error> {
        for (nth, (product, of)) in self.offers.iter().enumerate() {
            let fields = json!({ "user_id": user, "product_id": product, "starts_at": starts_at });
            let id: MemberId = self.seed.scattered(MOST + index * MOST_PRODUCTS + nth);
            let act = self.place.caller.act();
            members::subscribed(&self.state.app, of, (id, SubscriptionFields::parse(fields)?), act).await?;
        }
        Ok(())
    }
}
