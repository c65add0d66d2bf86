//! `/flows/membership-custom-field`: what members are asked.

use ::memberships::fields::{changed, create, delete};
use ::memberships::{deleted, shown as shown_to};
use axum::extract::State as Shared;
use domain::answer::Given;
use domain::custom_field::FieldType;
use domain::error::FieldError;
use domain::{Body as _, CustomField, CustomFieldFields, Error, FieldId, MembershipId, MergePatch, Object as _};
use edge::{Answer, App, Body, Caller, Failure, Force, IfMatch, LenientBody, Path, Rendered, Seed};
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Made, Pages, Rows, done, shown};
use super::forms::{switch, text};
use super::names::{Fields, Form, Names, required, with};
use super::schema;
use crate::openapi::objects::Empty;
use crate::{State, lenient};

pub(super) const NAMES: Names = Names(&[
    ("membership_id", "membership_id", Form::Shown),
    ("name", "name", Form::Text),
    ("type", "type", Form::Same),
    ("options", "options", Form::Same),
    ("catalog_id", "catalog_id", Form::Text),
    ("required", "required", Form::Switch),
    ("render", "render", Form::Same),
    ("status", "status", Form::Switch),
    ("position", "position", Form::Count),
    ("tag_level", "tag", Form::Text),
    ("tooltip", "tooltip", Form::Text),
]);

/// What a field is called there whose answers are addresses or files.
const URL: &str = "url";

/// The routes.
pub(crate) fn router() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(create_field))
        .routes(routes!(read_field, change_field, delete_field))
        .routes(routes!(list_fields))
}

/// What of a body is known, as `/v1` takes it; a field whose type is called so now keeps the one that it has.
fn read(body: Fields, before: Option<FieldType>) -> Fields {
    let mut fields = NAMES.read(body, before.is_none());
    if fields.get("type").is_some_and(|kind| *kind == URL) {
        match before {
            Some(before) if name(before) == URL => drop(fields.remove("type")),
            _ => drop(fields.insert("type".to_owned(), FieldType::Link.as_str().into())),
        }
    }
    for (name, read) in [("options", options as fn(Value) -> Value), ("render", rendered)] {
        if let Some(value) = fields.remove(name) {
            fields.insert(name.to_owned(), read(value));
        }
    }
    fields
}

/// The names of types there.
pub(super) fn type_names() -> impl Iterator<Item = &'static str> {
    let is_known = |kind: &&&str| FieldType::parse(kind).is_some_and(|kind| !kind.takes_files());
    FieldType::NAMES.iter().filter(is_known).copied()
}

/// A failure that names the fields, and the types, as they are called there.
fn tell(failure: impl Into<Failure>) -> Failure {
    let named = |error: FieldError| match (error.pointer.as_str(), error.code) {
        ("/type", "invalid_choice") => {
            let message = format!("must be one of {}", type_names().collect::<Vec<_>>().join(", "));
            FieldError { message, ..error }
        }
        _ => error,
    };
    let failure = NAMES.tell(failure);
    if let Failure::Domain(error) = failure {
        return error.map_fields(named).into();
    }
    failure
}

/// The name of a type there.
fn name(kind: FieldType) -> &'static str {
    if kind.takes_files() { URL } else { kind.as_str() }
}

/// Options with what is known of each; none at all is as good as none sent.
fn options(options: Value) -> Value {
    let Value::Array(options) = options else { return options };
    let known = |option: Value| {
        let Value::Object(mut option) = option else { return option };
        let mut part = |name: &str| {
            let value = option.remove(name).filter(|value| !value.is_null())?;
            Some((name.to_owned(), if name == "status" { switch(value) } else { text(value) }))
        };
        Value::Object(["key", "value", "status"].into_iter().filter_map(&mut part).collect())
    };
    // The text `a:1, b:2,` becomes an option more, of nothing.
    let is_blank = |option: &Value| option.as_object().is_some_and(|option| option.values().all(lenient::is_blank));
    let options: Vec<_> = options.into_iter().map(known).filter(|option| !is_blank(option)).collect();
    if options.is_empty() { Value::Null } else { options.into() }
}

/// A hint of any kind as text.
fn rendered(render: Value) -> Value {
    if render.is_null() || render.is_string() { render } else { render.to_string().into() }
}

fn field(field: &CustomField) -> Fields {
    let thing = field.show();
    let mut fields = NAMES.show(&thing);
    fields.insert("type".to_owned(), name(field.fields.kind).into());
    let options = field.fields.options.as_ref().map(|options| {
        let option = |choice: &domain::catalog::Choice| {
            let mut option = json!({ "key": choice.key.as_str(), "value": choice.value.as_str() });
            // Left out, it would be switched on again by whoever sends back what was read.
            if let (false, Some(option)) = (choice.status.0, option.as_object_mut()) {
                option.insert("status".to_owned(), false.into());
            }
            option
        };
        options.as_slice().iter().map(option).collect::<Value>()
    });
    fields.insert("options".to_owned(), options.unwrap_or_default());
    with(fields, &thing, &[])
}

/// Makes a custom field.
#[utoipa::path(post, path = "/flows/membership-custom-field", tag = "membership-custom-field",
    request_body(content = schema::NewMembershipCustomField, example = json!({
        "membership_id": "0199d2a4-5c00-7000-8000-00000000ab01", "name": "Bank", "type": "dropdown",
        "options": [{ "key": "bbva", "value": "BBVA" }, { "key": "banorte", "value": "Banorte" }], "required": true,
        "render": "two-columns", "status": true, "position": 1, "tag_level": "fiscal", "tooltip": "Where you are paid", "catalog_id": null,
    })),
    responses((status = 201, description = "The custom field.", body = schema::CreatedId,
        example = json!({ "id": "0199d2a4-5c00-7000-8000-00000000f1e1" }))))]
async fn create_field(
    Shared(app): Shared<App>,
    caller: Caller,
    seed: Seed,
    LenientBody(Given(mut body)): LenientBody<Given>,
) -> Answer<Made> {
    let membership: MembershipId = required(&mut body, "membership_id")?;
    let id: FieldId = seed.id(0);
    let mut fields = read(body, None);
    // There, a field has no key: it gets one that no other has.
    fields.insert("key".to_owned(), format!("f_{}", id.uuid().simple()).into());
    let new = CustomFieldFields::parse(Value::Object(fields)).map_err(tell)?;
    create(Shared(app), caller, Path(membership), seed, Body(new)).await.map_err(tell)?;
    Ok(Made::id(id))
}

/// Reads a custom field.
#[utoipa::path(get, path = "/flows/membership-custom-field/{id}", tag = "membership-custom-field",
    responses((status = 200, description = "The custom field.", body = schema::MembershipCustomField, example = json!(example()))))]
async fn read_field(Shared(app): Shared<App>, caller: Caller, Path(id): Path<FieldId>) -> Answer<Rendered> {
    let membership: MembershipId = caller.home_of(id.uuid()).await?;
    let configuration = shown_to(&app, &caller, membership).await?;
    Ok(shown(field(configuration.field(id).ok_or(Error::NotFound)?)))
}

/// Changes the fields of a custom field that are sent, whatever that means for answers.
#[utoipa::path(put, path = "/flows/membership-custom-field/{id}", tag = "membership-custom-field",
    request_body(content = schema::MembershipCustomFieldChange, example = json!({ "name": "Your bank", "required": false, "tooltip": null })),
    responses((status = 200, description = "The custom field is changed.", body = Empty, example = json!({}))))]
async fn change_field(
    Shared(app): Shared<App>,
    caller: Caller,
    Path(id): Path<FieldId>,
    LenientBody(Given(body)): LenientBody<Given>,
) -> Answer<Rendered> {
    let membership: MembershipId = caller.home_of(id.uuid()).await?;
    let patch = |before: &CustomField| MergePatch::parse(Value::Object(read(body.clone(), Some(before.fields.kind))));
    let changed = changed((&app, &caller), (membership, id), Force::YES, &IfMatch::default(), patch).await;
    changed.map(|_| done()).map_err(tell)
}

/// Deletes a custom field, with all answers to it.
#[utoipa::path(delete, path = "/flows/membership-custom-field/{id}", tag = "membership-custom-field",
    responses((status = 200, description = "The custom field is gone.", body = Empty, example = json!({}))))]
async fn delete_field(Shared(app): Shared<App>, caller: Caller, Path(id): Path<FieldId>) -> Answer<Rendered> {
    let membership: MembershipId = caller.home_of(id.uuid()).await?;
    delete(Shared(app), caller, Path((membership, id)), Force::YES, IfMatch::default()).await?;
    Ok(done())
}

/// Lists the custom fields of a membership.
#[utoipa::path(get, path = "/flows/membership-custom-field/list/{membership_id}", tag = "membership-custom-field",
    params(Pages),
    responses((status = 200, description = "A page of custom fields.", body = [schema::MembershipCustomField],
        headers(("x-total-pages" = u64, description = "How many pages there are."),
            ("x-total-results" = u64, description = "How many rows there are.")), example = json!([example()]))))]
async fn list_fields(
    Shared(app): Shared<App>,
    caller: Caller,
    Path(membership): Path<MembershipId>,
    pages: Pages,
) -> Answer<Rows> {
    if pages.removed {
        return Ok(pages.removed(&deleted(&app, &caller, membership).await?, field));
    }
    let mut fields = shown_to(&app, &caller, membership).await?.fields;
    fields.sort_by_key(|field| field.id);
    Ok(pages.of(fields.iter().map(field).collect()))
}

fn example() -> Value {
    json!({
        "membership_id": "0199d2a4-5c00-7000-8000-00000000ab01", "name": "Bank", "type": "dropdown",
        "options": [{ "key": "bbva", "value": "BBVA" }, { "key": "banorte", "value": "Banorte" }], "catalog_id": null,
        "required": true, "render": "two-columns", "status": true, "position": 1, "tag_level": "fiscal",
        "tooltip": "Where you are paid", "id": "0199d2a4-5c00-7000-8000-00000000f1e1",
        "created_at": "2026-11-21T10:00:00.000Z", "updated_at": "2026-11-21T10:00:00.000Z", "removed": false,
    })
}
