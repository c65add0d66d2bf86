//! `/flows/address`: where users live, get bills and parcels.

use ::addresses::changed;
use axum::extract::State as Shared;
use domain::answer::Given;
use domain::{Address, AddressFields, AddressId, Body as _, KeyScope, MergePatch, Object as _, UserId};
use edge::{Answer, App, Body, Caller, IfMatch, LenientBody, OneOrMany, Path, Rendered, Seed, UserRef};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Made, Pages, Rows, done, shown};
use super::forms::text;
use super::names::{Fields, Form, Names, required, with};
use super::schema;
use crate::State;
use crate::openapi::objects::Empty;

pub(super) const NAMES: Names = Names(&[
    ("owner_id", "user_id", Form::Shown),
    ("alias", "alias", Form::Text),
    ("latitude", "latitude", Form::Degrees),
    ("longitude", "longitude", Form::Degrees),
    ("street", "street", Form::Text),
    ("external_number", "external_number", Form::Text),
    ("internal_number", "internal_number", Form::Text),
    ("zipcode", "zip_code", Form::Text),
    ("neighbourhood", "neighborhood", Form::Text),
    ("references", "references", Form::Text),
    ("rfc", "rfc", Form::Kept("Tax number.")),
    ("business", "business", Form::Kept("The business there.")),
    ("status", "status", Form::Switch),
    ("location", "is_location", Form::Switch),
    ("billing", "is_billing", Form::Switch),
    ("shipping", "is_shipping", Form::Switch),
    ("country", "country", Form::Place),
    ("state", "state", Form::Place),
    ("city", "city", Form::Place),
]);

/// The routes.
pub(crate) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(create_address))
        .routes(routes!(read_address, change_address, delete_address))
        .routes(routes!(list_addresses))
}

fn address(address: &Address) -> Fields {
    let thing = address.show();
    with(NAMES.show(&thing), &thing, &[])
}

/// Adds an address.
#[utoipa::path(post, path = "/flows/address", tag = "address",
    request_body(content = schema::NewAddress, example = json!({
        "owner_id": "0199d2a4-5c00-7000-8000-000000000001", "alias": "Home", "latitude": 19.426967, "longitude": -99.168097,
        "street": "Avenida Reforma", "external_number": 222, "internal_number": "4B", "zipcode": "06600",
        "neighbourhood": "Juárez", "references": "Ring twice", "rfc": "GODE561231GR8", "business": "Café Núñez", "status": true,
        "location": true, "billing": false, "shipping": true, "country": { "id": 142, "code": "MEX", "name": "México" },
        "state": { "id": 9, "code": "CMX", "name": "Ciudad de México" }, "city": { "id": null, "code": null, "name": "Ciudad de México" },
    })),
    responses((status = 201, description = "The address.", body = schema::CreatedId,
        example = json!({ "id": "0199d2a4-5c00-7000-8000-00000000a001" }))))]
async fn create_address(
    Shared(app): Shared<App>,
    caller: Caller,
    seed: Seed,
    LenientBody(Given(mut body)): LenientBody<Given>,
) -> Answer<Made> {
    let owner: UserId = required(&mut body, "owner_id")?;
    let new = AddressFields::parse(Value::Object(NAMES.read(body, true))).map_err(|error| NAMES.tell(error))?;
    let (owner, new) = (Path(UserRef::Id(owner)), Body(OneOrMany::One(new)));
    ::addresses::create(Shared(app), caller, owner, seed, new).await?;
    Ok(Made::id(seed.id::<AddressId>(0)))
}

/// Reads an address.
#[utoipa::path(get, path = "/flows/address/{id}", tag = "address",
    responses((status = 200, description = "The address.", body = schema::Address, example = json!(example()))))]
async fn read_address(Shared(app): Shared<App>, caller: Caller, Path(id): Path<AddressId>) -> Answer<Rendered> {
    let owner = UserRef::Id(caller.home_of(id.uuid()).await?);
    let (_, found) = caller.reads(owner, KeyScope::Read, |owner| app.store.address(owner, id)).await?;
    Ok(shown(address(&found)))
}

/// Changes the fields of an address that are sent.
#[utoipa::path(put, path = "/flows/address/{id}", tag = "address",
    request_body(content = schema::AddressChange, example = json!({ "alias": "Office", "internal_number": null, "billing": true })),
    responses((status = 200, description = "The address is changed.", body = Empty, example = json!({}))))]
async fn change_address(
    Shared(app): Shared<App>,
    caller: Caller,
    Path(id): Path<AddressId>,
    LenientBody(Given(body)): LenientBody<Given>,
) -> Answer<Rendered> {
    let fields = NAMES.read(body, false);
    let patch = |before: &Address| MergePatch::parse(Value::Object(elsewhere(fields.clone(), before)));
    let named = (UserRef::Id(caller.home_of(id.uuid()).await?), id);
    let changed = changed(&app, &caller, named, &IfMatch::default(), patch).await;
    changed.map(|_| done()).map_err(|error| NAMES.tell(error))
}

/// A change without a latitude and a longitude that say what is shown of those of before: who sends back what it read
/// means the same place, and not the one that two decimals are.
fn elsewhere(mut fields: Fields, before: &Address) -> Fields {
    let shown = NAMES.show(&before.show());
    for name in ["latitude", "longitude"] {
        if fields.get(name).cloned().map(text).as_ref() == shown.get(name) {
            fields.remove(name);
        }
    }
    fields
}

/// Deletes an address.
#[utoipa::path(delete, path = "/flows/address/{id}", tag = "address",
    responses((status = 200, description = "The address is gone.", body = Empty, example = json!({}))))]
async fn delete_address(Shared(app): Shared<App>, caller: Caller, Path(id): Path<AddressId>) -> Answer<Rendered> {
    let path = Path((UserRef::Id(caller.home_of(id.uuid()).await?), id));
    ::addresses::delete(Shared(app), caller, path, IfMatch::default()).await?;
    Ok(done())
}

/// Lists a user's addresses.
#[utoipa::path(get, path = "/flows/address/list/{owner_id}", tag = "address", params(Pages),
    responses((status = 200, description = "A page of addresses.", body = [schema::Address],
        headers(("x-total-pages" = u64, description = "How many pages there are."),
            ("x-total-results" = u64, description = "How many rows there are.")), example = json!([example()]))))]
async fn list_addresses(
    Shared(app): Shared<App>,
    caller: Caller,
    Path(owner): Path<UserId>,
    pages: Pages,
) -> Answer<Rows> {
    if pages.removed {
        let read = |owner: UserId| app.store.deleted(owner.uuid());
        let (_, found) = caller.reads(UserRef::Id(owner), KeyScope::Read, read).await?;
        return Ok(pages.removed(&found, address));
    }
    let window = &pages.window();
    let read = |owner| app.store.addresses(owner, window);
    let (owner, found) = caller.reads(UserRef::Id(owner), KeyScope::Read, read).await?;
    Ok(pages.rows(found.rows.iter().map(address), owner.record.address_count))
}

fn example() -> Value {
    json!({
        "owner_id": "0199d2a4-5c00-7000-8000-000000000001", "alias": "Home", "latitude": "19.43", "longitude": "-99.17",
        "street": "Avenida Reforma", "external_number": "222", "internal_number": "4B", "zipcode": "06600",
        "neighbourhood": "Juárez", "references": "Ring twice", "rfc": "GODE561231GR8", "business": "Café Núñez", "status": true,
        "location": true, "billing": false, "shipping": true, "country": { "id": 142, "code": "MEX", "name": "México" },
        "state": { "id": 9, "code": "CMX", "name": "Ciudad de México" }, "city": { "id": null, "code": null, "name": "Ciudad de México" },
        "id": "0199d2a4-5c00-7000-8000-00000000a001", "created_at": "2026-11-21T10:00:00.000Z",
        "updated_at": "2026-11-21T10:00:00.000Z", "removed": false,
    })
}
