//! `users/create`: students in bulk, each with a subscription to each of the products.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use axum::extract::State as Shared;
use domain::clock::Date;
use domain::field::Body as _;
use domain::text::Country;
use domain::user::Unique;
use domain::{
    Error, Field as _, FieldError, KeyScope, MemberId, NewUser, ParsedBody, ProductId, ReferenceId, Segment,
    SubscriptionFields, Time, UserId, field::Pointer,
};
use edge::{Answer, Failure, LenientBody, RowResults, Seed};
use futures_util::future::try_join_all;
use serde_json::{Map, Value, json};
use store::Configuration;

use super::names::{as_text, field, told};
use super::products::find_product;
use super::schema::{CreationReport, NewStudents};
use crate::State;
use crate::lenient::{self, given};
use crate::place::Place;

/// How many students a request may have, and how many products.
pub(super) const MOST: usize = 100;
pub(super) const MOST_PRODUCTS: usize = 16;

/// The country of phones where the segment's settings name none.
const USUAL_COUNTRY: &str = "BRA";

/// The fields of a student that a user has by the same name.
const SAME: [&str; 4] = ["name", "last_name", "email", "reference_id"];

/// Creates up to 100 students, each with a subscription to each of the products, which begins at its `accession_date`.
///
/// `product_id` is the number that the account gave the product, or the product's id; one may be sent without an array. An
/// unknown product, or two products of one membership, reject the whole request.
///
/// Rows succeed or fail independently. A row whose e-mail belongs to a student already makes the subscriptions that the
/// student lacks, and buys those again that are inactive or past their end. It is in `created` with `existing: true`. Of such a
/// row only `email` and `accession_date` are used; the other fields are ignored, whatever is wrong with them. It fails with
/// `already_subscribed` where no subscription is missing. Of two rows with the same e-mail the second fails with `taken`.
#[utoipa::path(post, path = "/platform/users/create", tag = "users",
    request_body(content = NewStudents, example = json!({
        "product_id": ["0199d2a4-5c00-7000-8000-000000000d01"],
        "users": [
            { "name": "Ana", "last_name": "López", "email": "ana@example.com", "password": "correct horse battery",
              "document": "390.533.447-05", "phone": "(11)98765-4321", "reference_id": "crm-1",
              "accession_date": "2026-11-01" },
            { "email": "eva@example.com" },
            { "email": "ana@example.com" }
        ]
    })),
    responses((status = 200, description = "The result of each row.", body = CreationReport, example = json!({
        "message": "2 created, 1 failed.",
        "created": [
            { "index": 0, "id": "0199d2a4-5c00-7000-8000-000000000002" },
            { "index": 1, "id": "0199d2a4-5c00-7000-8000-000000000003", "existing": true }
        ],
        "failed": [{ "index": 2, "code": "taken", "field": "email",
            "message": "email is the same as in an earlier row" }]
    }))))]
pub(super) async fn create(
    Shared(state): Shared<State>,
    place: Place,
    seed: Seed,
    LenientBody(lenient::Json(body)): LenientBody<lenient::Json>,
) -> Answer<RowResults> {
    let mut errors = Vec::new();
    let (products, rows) = (list_products(&body, &mut errors), list_rows(&body, &mut errors));
    if !errors.is_empty() {
        return Err(Error::Invalid(errors).into());
    }
    let offers = read_offers(&state, &place, &products);
    let (segment, offers) = tokio::join!(place.segment(KeyScope::Write), offers);
    let (segment, offers) = (segment?, offers?);
    let (places, rows): (Vec<_>, Vec<_>) =
        rows.into_iter().map(|(place, row)| (place, Row::read(row, &segment))).unzip();
    let times: Vec<_> = rows.iter().map(|row| row.starts_at).collect();
    let users = rows.into_iter().map(|row| row.user);
    let batch =
        Batch { state: &state, place: &place, segment: &segment, seed, offers: &offers, students: Mutex::default() };
    let starts_at = |index: usize| times.get(index).copied().flatten();
    let results = users::each_alone(users, |index, new| batch.write_row(index, new, starts_at(index))).await;
    let results: Vec<_> = results.into_iter().zip(places).map(|((_, result), place)| (place, result)).collect();
    let are_final = RowResults::are_final(results.iter().filter_map(|(_, result)| result.as_ref().err()));
    Ok(RowResults { body: answer(results, place.caller.request_id()), are_final })
}

fn answer(results: Vec<(usize, Result<Student, Error>)>, request_id: &str) -> Value {
    let (mut created, mut failed) = (Vec::new(), Vec::new());
    for (index, result) in results {
        match result {
            Ok(Student { id, is_existing: false }) => created.push(json!({ "index": index, "id": id })),
            Ok(Student { id, is_existing: true }) => {
                created.push(json!({ "index": index, "id": id, "existing": true }));
            }
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

/// The products that the body names, each with its place there.
fn list_products<'a>(body: &'a Value, errors: &mut Vec<FieldError>) -> Vec<(usize, &'a Value)> {
    let named = given(body, "product_id").map(lenient::items).unwrap_or_default();
    if named.len() > MOST_PRODUCTS {
        errors.push(Pointer::root().child("product_id").error("too_long", "must have at most 16 products"));
    }
    named
}

/// The students that the body has, each with its place there.
fn list_rows<'a>(body: &'a Value, errors: &mut Vec<FieldError>) -> Vec<(usize, &'a Value)> {
    let at = Pointer::root().child("users");
    let Some(users) = given(body, "users") else {
        errors.push(at.error("required", "is required"));
        return Vec::new();
    };
    let rows = lenient::items(users);
    if !(users.is_array() || users.is_object()) {
        errors.push(at.error("invalid_type", "must be an array"));
    } else if !(1..=MOST).contains(&rows.len()) {
        errors.push(at.error("invalid_length", "must have 1 to 100 users"));
    }
    rows
}

/// A product, and the membership that a subscriber joins.
type Offer = (ProductId, Configuration);

/// The products with their memberships.
async fn read_offers(state: &State, place: &Place, products: &[(usize, &Value)]) -> Result<Vec<Offer>, Error> {
    let reads = products.iter().map(|(nth, named)| async move {
        let product = find_product(state, place, (named, &format!("/product_id/{nth}"))).await?;
        Ok::<Offer, Error>((product.id, members::joined_by(&state.app, Some(&product)).await?))
    });
    let mut offers: Vec<Offer> = try_join_all(reads).await?;
    // Named twice, by its number and by its id, it is one product.
    let mut known = BTreeSet::new();
    offers.retain(|(product, _)| known.insert(*product));
    let memberships: BTreeSet<_> = offers.iter().map(|(_, of)| of.membership.id).collect();
    if memberships.len() < offers.len() {
        let message = "has two products of one membership, of which a user has one alone";
        return Err(Error::invalid("/product_id", "exclusive", message));
    }
    Ok(offers)
}

/// When a student that a row creates or finds begins its subscriptions.
const ACCESSION: &str = "accession_date";

/// A student as it was sent.
struct Row {
    user: ParsedBody<NewUser>,
    /// When its subscriptions begin.
    starts_at: Option<Time>,
}

impl Row {
    fn read(row: &Value, segment: &Segment) -> Self {
        if !row.is_object() {
            return Self { user: ParsedBody::parse(row.clone()), starts_at: None };
        }
        let mut errors = Vec::new();
        let mut fields: Map<_, _> =
            SAME.iter().filter_map(|name| Some(((*name).to_owned(), as_text(given(row, name)?)))).collect();
        if !fields.contains_key("email") {
            errors.push(Pointer::root().child("email").error("required", "is required"));
        }
        fields.extend(phone_fields(row, segment));
        fields.extend(given(row, "password").map(|password| ("password".to_owned(), lenient::secret(password))));
        if let Some(number) = given(row, "document") {
            fields.insert("identification".to_owned(), json!({ "type": "DOCUMENT", "value": as_text(number) }));
        }
        let begins = given(row, ACCESSION).map(|date| {
            let day = Date::read(lenient::day(date), &Pointer::root().child(ACCESSION), &mut errors);
            day.and_then(|day| lenient::time(&day.to_string()))
        });
        let mut user = ParsedBody::parse(Value::Object(fields));
        user.add_errors(errors);
        Self { user, starts_at: begins.flatten() }
    }
}

/// The phone of a row, as the domain keeps it.
fn phone_fields(row: &Value, segment: &Segment) -> Vec<(String, Value)> {
    let usual = Country::parse(USUAL_COUNTRY).ok();
    let country = segment.fields.settings.0.country.as_ref().or(usual.as_ref());
    given(row, "phone").map(|phone| lenient::phone(phone, country).into()).unwrap_or_default()
}

/// The part of a row that is about its subscriptions.
struct Purchase {
    starts_at: Option<Time>,
    /// The row's id in the other system, where it is not the student's own.
    reference_id: Option<ReferenceId>,
}

/// A student that a row has created or found.
struct Student {
    id: UserId,
    is_existing: bool,
}

/// The common part of all rows of a request.
struct Batch<'a> {
    state: &'a State,
    place: &'a Place,
    segment: &'a Segment,
    seed: Seed,
    offers: &'a [Offer],
    /// The students of earlier rows.
    students: Mutex<BTreeSet<UserId>>,
}

impl Batch<'_> {
    /// Creates the student of a row with its subscriptions, or subscribes the student that has its e-mail already.
    async fn write_row(
        &self,
        index: usize,
        new: ParsedBody<NewUser>,
        starts_at: Option<Time>,
    ) -> (usize, Result<Student, Error>) {
        let written = async {
            let email = new.body().and_then(|new| new.fields.email.as_ref()).map(Unique::email);
            let reference_id = new.body().and_then(|new| new.fields.reference_id.clone());
            let can_subscribe = !new.has_error(ACCESSION);
            let first = Purchase { starts_at, reference_id: None };
            let rejected = match self.create_student(index, new, &first).await {
                // The other fields of a student who exists are not used.
                Err(error @ Error::Invalid(_)) if can_subscribe => error,
                Err(Error::Conflict(taken)) if taken.iter().any(|one| one.pointer == "/email") => {
                    Error::Conflict(taken)
                }
                created => return created,
            };
            match self.find_student(email).await? {
                Some(user) => self.subscribe_known(index, user, &Purchase { starts_at, reference_id }).await,
                None => Err(rejected),
            }
        };
        let written = written.await;
        if let Ok(student) = &written {
            self.students.lock().unwrap_or_else(PoisonError::into_inner).insert(student.id);
        }
        (index, written)
    }

    /// Finds the student with an e-mail, if there is something to subscribe it to.
    async fn find_student(&self, email: Option<Unique>) -> Result<Option<UserId>, Error> {
        match email.filter(|_| !self.offers.is_empty()) {
            Some(email) => self.state.app.store.holder(Some(self.place.id).into(), &email).await,
            None => Ok(None),
        }
    }

    /// Creates a student with its subscriptions, or nothing of it.
    async fn create_student(
        &self,
        index: usize,
        new: ParsedBody<NewUser>,
        purchase: &Purchase,
    ) -> Result<Student, Error> {
        let State { app, identity, .. } = self.state;
        let (id, act) = (self.seed.scattered(index), self.place.caller.act());
        let user = users::made(app, identity, (self.segment, id), new, act).await?.id;
        for nth in 0..self.offers.len() {
            if let Err(error) = self.subscribe((index, nth), user, purchase).await {
                // The same request completes it.
                if error.is_transient() {
                    return Err(error);
                }
                let record = app.store.user(user).await?.ok_or(Error::NotFound)?;
                users::purge(app, identity, record, act).await?;
                return Err(error);
            }
        }
        Ok(Student { id: user, is_existing: false })
    }

    /// Subscribes a student who exists to those products that it lacks or had, of which there must be one.
    async fn subscribe_known(&self, index: usize, user: UserId, purchase: &Purchase) -> Result<Student, Error> {
        if self.students.lock().unwrap_or_else(PoisonError::into_inner).contains(&user) {
            return Err(Error::conflict("/email", "taken", "is the same as in an earlier row"));
        }
        let known = members::knows(&self.state.app, self.segment, Some(user)).await;
        // A deleted user keeps its e-mail until it is purged.
        let deleted = || Error::conflict("/email", "taken", "is the e-mail of a deleted user; restore it first");
        known.map_err(|error| if matches!(error, Error::Invalid(_)) { deleted() } else { error })?;
        // An earlier try of this request may have subscribed it.
        let mut lacked = self.seed.is_repeated();
        for nth in 0..self.offers.len() {
            match self.subscribe((index, nth), user, purchase).await {
                Ok(()) => lacked = true,
                Err(Error::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
        if lacked {
            return Ok(Student { id: user, is_existing: true });
        }
        let message = "is a product that the user with this e-mail has already, or another one of its membership";
        Err(Error::conflict("/product_id", "already_subscribed", message))
    }

    /// Subscribes a student to one of the products.
    async fn subscribe(&self, (index, nth): (usize, usize), user: UserId, purchase: &Purchase) -> Result<(), Error> {
        let Some((product, of)) = self.offers.get(nth) else { return Ok(()) };
        let Purchase { starts_at, reference_id } = purchase;
        let fields =
            json!({ "user_id": user, "product_id": product, "starts_at": starts_at, "reference_id": reference_id });
        let id: MemberId = self.seed.scattered(MOST + index * MOST_PRODUCTS + nth);
        let act = self.place.caller.act();
        members::subscribe_or_renew(&self.state.app, of, (id, SubscriptionFields::parse(fields)?), act).await.map(drop)
    }
}
