//! Card users: created, listed, read, changed.

use axum::extract::{OriginalUri, State as Shared};
use axum::http::StatusCode;
use domain::{Error, KeyScope, MergePatch, ParsedBody, Status, User, UserId};
use edge::{Answer, IfMatch, LenientBody, List, Path, Query, Rendered, Seed, UserRef};
use serde_json::{Value, json};

use super::fields;
use super::grammar::{self, CardUsers};
use super::id::Usr;
use super::schema::{CardUserData, CardUserPage, CreateCardUser, UpdateCardUser};
use crate::State;
use crate::lenient;
use crate::place::Place;

/// Creates a user, ACTIVE at once; the fields stand in `data`, or are the body itself. `email` and `operation_country` are always required, the rest as the segment's settings
/// say.
#[utoipa::path(post, path = "/identity/users/v1/", tag = "users",
    request_body(content = CreateCardUser, example = json!({ "data": request() })),
    responses((status = 201, description = "The user.", body = CardUserData, example = json!({ "data": example() }))))]
pub(super) async fn create(
    Shared(state): Shared<State>,
    place: Place,
    seed: Seed,
    LenientBody(lenient::Json(body)): LenientBody<lenient::Json>,
) -> Answer<(StatusCode, Rendered)> {
    let segment = place.segment(KeyScope::Write).await?;
    let data = fields::data(body)?;
    let mut new = ParsedBody::parse(fields::created(&data, &segment.fields.settings.0));
    new.add_errors(fields::missing(&data, true));
    let id: UserId = seed.id(0);
    let user = users::made(&state.app, &state.identity, (&segment, id), new, place.caller.act()).await?;
    Ok((StatusCode::CREATED, Rendered(json!({ "data": fields::shown(&user) }))))
}

/// Lists users. Several values of a filter are OR, several filters AND; `-` before a field sorts down.
#[utoipa::path(get, path = "/identity/users/v1/", tag = "users",
    params(("page[number]" = Option<u32>, Query, description = "From 0, as `current_page`."),
        ("page[size]" = Option<u32>, Query, description = "1 to 100, 20 without it."),
        ("sort" = Option<String>, Query, description = "Of id, gender, identification_type, identification_value, status: `status,-gender`."),
        ("filter[gender]" = Option<String>, Query, description = "MALE, FEMALE, OTHER."),
        ("filter[identification_type]" = Option<String>, Query, description = "As `DNI,PASSPORT`."),
        ("filter[identification_value]" = Option<String>, Query, description = "Separators and case aside."),
        ("filter[status]" = Option<String>, Query, description = "ACTIVE, BLOCKED."),
        ("filter[name]" = Option<String>, Query, description = "Case and accents aside."),
        ("filter[surname]" = Option<String>, Query, description = "Case and accents aside."),
        ("filter[email]" = Option<String>, Query, description = "Case aside."),
        ("filter[birthdate]" = Option<String>, Query, description = "YYYY-MM-DD."),
        ("filter[tax_identification_type]" = Option<String>, Query, description = "As `CUIL`."),
        ("filter[tax_identification_value]" = Option<String>, Query, description = "Separators and case aside."),
        ("filter[tax_condition]" = Option<String>, Query, description = "As it was written."),
        ("filter[country_code]" = Option<String>, Query, description = "The `operation_country`."),
        ("filter[company_id]" = Option<String>, Query, description = "The id of a partner.")),
    responses((status = 200, description = "A page of users.", body = CardUserPage, example = json!({
        "data": [example()],
        "meta": {
            "pagination": { "total_pages": 1, "current_page": 0 },
            "filters": [{ "field": "status", "values": ["ACTIVE"] }]
        }
    }))))]
pub(super) async fn list(
    Shared(state): Shared<State>,
    place: Place,
    OriginalUri(uri): OriginalUri,
    query: Query,
) -> Answer<Rendered> {
    let (query, filters) = grammar::read(query)?;
    let list = List::<CardUsers>::asked(&state.app, &place.caller, query, uri.path()).await?;
    let search = state.app.store.users(place.id, list.search());
    let (segment, found) = tokio::join!(place.segment(KeyScope::Read), search);
    segment?;
    let found = found?;
    let data: Vec<_> = found.rows.iter().map(fields::shown).collect();
    let listed = list.found(&state.app, found).await?;
    let pagination = json!({ "total_pages": listed.total_pages(), "current_page": listed.number().saturating_sub(1) });
    Ok(Rendered(json!({ "data": data, "meta": { "pagination": pagination, "filters": filters } })))
}

/// Reads a user.
#[utoipa::path(get, path = "/identity/users/v1/{id}", tag = "users",
    responses((status = 200, description = "The user.", body = CardUserData, example = json!({ "data": example() }))))]
pub(super) async fn read(place: Place, Path(Usr(id)): Path<Usr>) -> Answer<Rendered> {
    let user = place.caller.acts(UserRef::Id(id), KeyScope::Read).await?.record.user;
    if user.segment_id != Some(place.id) || user.status == Status::Deleted {
        return Err(Error::NotFound.into());
    }
    Ok(Rendered(json!({ "data": fields::shown(&user) })))
}

/// Changes a user: what is left out stays, null or empty text clears. `status: BLOCKED` with a `status_reason` shuts it out,
/// and signs it out at once; `status: ACTIVE` lets it in again.
#[utoipa::path(patch, path = "/identity/users/v1/{id}", tag = "users",
    request_body(content = UpdateCardUser, example = json!({
        "data": { "status": "BLOCKED", "status_reason": "CLIENT_INTERNAL_REASON" }
    })),
    responses((status = 200, description = "The user after the change.", body = CardUserData,
        example = json!({ "data": example() }))))]
pub(super) async fn change(
    Shared(state): Shared<State>,
    place: Place,
    Path(Usr(id)): Path<Usr>,
    LenientBody(lenient::Json(body)): LenientBody<lenient::Json>,
) -> Answer<Rendered> {
    let data = fields::data(body)?;
    let errors = fields::missing(&data, false);
    if !errors.is_empty() {
        return Err(Error::Invalid(errors).into());
    }
    let segment = match data.contains_key("phone") {
        // Whether the caller reaches it is checked with the user.
        true => state.app.store.segment(place.id).await.ok(),
        false => None,
    };
    let settings = segment.as_ref().map(|segment| &segment.fields.settings.0);
    let named = (UserRef::Id(id), Some(place.id));
    let changes = (&state.app, &state.identity);
    let patched = |before: &User| match before.status {
        // Nobody is deleted here: who is, is not there.
        Status::Deleted => Err(Error::NotFound),
        Status::Unverified | Status::Active | Status::Blocked => match fields::missing_reason(&data, before) {
            Some(missing) => Err(Error::Invalid(vec![missing])),
            None => Ok(MergePatch::read(Value::Object(fields::patched(&data, settings, Some(before))))),
        },
    };
    let user = users::changed(changes, &place.caller, named, &IfMatch::default(), patched).await?;
    Ok(Rendered(json!({ "data": fields::shown(&user) })))
}

fn request() -> Value {
    json!({
        "name": "Ana", "surname": "López", "identification_type": "DNI", "identification_value": 20_123_456,
        "birthdate": "1990-02-28", "gender": "FEMALE", "email": "ana@example.com", "phone": "+5491123456789",
        "tax_identification_type": "CUIL", "tax_identification_value": "20055361682", "nationality": "ARG",
        "tax_condition": "MONOTRIBUTO", "operation_country": "ARG",
        "legal_address": {
            "street_name": "Avenida de Mayo", "street_number": "1370", "floor": "2", "apartment": "B", "zip_code": "01085",
            "neighborhood": "Monserrat", "city": "Buenos Aires", "region": "Ciudad Autónoma de Buenos Aires",
            "additional_info": "Ring twice", "country": "ARG"
        }
    })
}

fn example() -> Value {
    let mut example = json!({
        "id": "usr-0199d2a4-5c00-7000-8000-000000000002", "client_id": "cli-0199d2a4-5c00-7000-8000-0000000005e6",
        "status": "ACTIVE", "status_reason": null, "company_id": null, "created_at": "2026-11-21T10:00:00.000Z",
        "updated_at": "2026-11-21T10:00:00.000Z"
    });
    if let (Some(example), Value::Object(request)) = (example.as_object_mut(), request()) {
        example.extend(request);
        example.insert("identification_value".to_owned(), "20123456".into());
    }
    example
}
