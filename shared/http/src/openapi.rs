//! What every operation of the OpenAPI document has, added by rule so that no route can forget it.
//!
//! How to authenticate, the headers that it honours, each error that it can answer, an example for its body.

mod components;
mod errors;
mod examples;
mod ids;
mod lists;
mod shapes;

use std::collections::BTreeMap;

use serde_json::json;
use utoipa::PartialSchema;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{OpenApi, Ref, RefOr, Required, Response, Schema};

use examples::example_of;

pub use components::share_schemas;
pub use ids::operation_id;
pub use lists::ListOf;
pub use shapes::{OneOrDataOf, OneOrManyOf, with, with_list, with_property};

use crate::failure::{FieldProblem, Problem};
use crate::scopes::required_scopes;

/// The components that are schemas, by their names.
pub type Schemas = BTreeMap<String, RefOr<Schema>>;

/// Completes a document that the handlers have described.
pub fn complete(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    for (name, schema) in [("Problem", Problem::schema()), ("FieldProblem", FieldProblem::schema())] {
        components.schemas.insert(name.to_owned(), schema);
    }
    errors::add_components(components);
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
    let bearer = bearer.description(Some("The access token of a login, or a key.")).build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    let key = ApiKeyValue::with_description("X-Api-Key", "A key of a segment or an account.");
    components.add_security_scheme("key", SecurityScheme::ApiKey(ApiKey::Header(key)));
    share_schemas(document);
    let components = document.components.get_or_insert_default();
    examples::add_examples(components);
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            complete_operation(path, method, operation, &components.schemas);
        }
    }
}

/// The operations of a path, with their methods.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let each = [
        ("get", &mut item.get),
        ("put", &mut item.put),
        ("post", &mut item.post),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
    ];
    each.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn complete_operation(path: &str, method: &str, operation: &mut Operation, schemas: &Schemas) {
    let tag = operation.tags.iter().flatten().next();
    operation.operation_id = tag.zip(operation.operation_id.as_ref()).map(|(tag, handler)| operation_id(tag, handler));
    let public = operation.security.is_some();
    // Where a credential may be sent instead, so may the body be left out.
    let body_required = operation.security.as_ref().is_none_or(|security| security.len() == 1);
    if !public {
        let scopes = scope_names(method, path);
        let bearer = SecurityRequirement::new::<_, [&str; 0], &str>("bearer", []);
        operation.security = Some(vec![bearer, SecurityRequirement::new("key", scopes)]);
    }
    if operation.security.iter().flatten().any(|security| *security != SecurityRequirement::default()) {
        show_scopes(method, path, operation);
    }
    open(operation);
    let parameters = operation.parameters.get_or_insert_default();
    for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        let named = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(parameter) if parameter.name == name);
        if !parameters.iter().any(named) {
            parameters.push(RefOr::T(path_parameter(name, public)));
        }
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        show_body(body, body_required, schemas);
    }
    if path.starts_with("/v1/") {
        parameters.extend(headers(method, path).into_iter().map(RefOr::T));
        complete_responses(path, method, public, operation);
    }
}

/// Writes that an operation takes no credential as an empty list: generated clients take a list for a need of one.
pub fn open(operation: &mut Operation) {
    if let Some(security) = &mut operation.security
        && security.iter().all(|security| *security == SecurityRequirement::default())
    {
        security.clear();
    }
}

/// Documents the scopes that an operation needs of a key, whichever way the key is sent.
pub fn show_scopes(method: &str, path: &str, operation: &mut Operation) {
    let scopes = scope_names(method, path);
    let extension = utoipa::openapi::extensions::ExtensionsBuilder::new().add("x-key-scopes", scopes).build();
    operation.extensions.get_or_insert_default().merge(extension);
}

fn scope_names(method: &str, path: &str) -> Vec<&'static str> {
    required_scopes(method, path).iter().map(|scope| scope.as_str()).collect()
}

/// A body has the description and the example of its schema.
fn show_body(body: &mut RequestBody, required: bool, schemas: &Schemas) {
    body.required = Some(if required { Required::True } else { Required::False });
    for content in body.content.values_mut() {
        let RefOr::T(content) = content else { continue };
        let Some(schema) = content.schema.as_ref() else { continue };
        content.example = Some(example_of(schema, schemas));
    }
    describe_body(body, schemas);
}

/// Gives a body the description of its schema, where it has none of its own.
pub fn describe_body(body: &mut RequestBody, schemas: &Schemas) {
    let contents = body.content.values().filter_map(|content| match content {
        RefOr::T(content) => content.schema.as_ref(),
        RefOr::Ref(_) => None,
    });
    let description = contents.filter_map(|schema| description_of(schema, schemas)).next();
    body.description = body.description.take().or(description);
}

fn description_of(schema: &RefOr<Schema>, schemas: &Schemas) -> Option<String> {
    match schema {
        RefOr::Ref(reference) => description_of(schemas.get(reference.ref_location.rsplit('/').next()?)?, schemas),
        RefOr::T(Schema::Object(object)) => object.description.clone(),
        RefOr::T(Schema::Array(array)) => array.description.clone(),
        RefOr::T(Schema::OneOf(one_of)) => one_of.description.clone(),
        RefOr::T(_) => None,
    }
}

fn complete_responses(path: &str, method: &str, public: bool, operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    for response in responses.values_mut() {
        if let RefOr::T(response) = response {
            succeed(response);
        }
    }
    for status in error_statuses(path, method, public, operation.request_body.is_some()) {
        errors::document_error(operation, status);
    }
    if method == "get" && has_version(path) {
        errors::document_unchanged(operation);
    }
}

/// The statuses of the errors that an operation can answer.
fn error_statuses(path: &str, method: &str, public: bool, has_body: bool) -> Vec<u16> {
    let rules: [(bool, &[u16]); 7] = [
        (true, &[400, 429, 500, 503]),
        (!public, &[401, 403, 404]),
        (path.contains('{'), &[404]),
        (public && has_body, &[401, 403]),
        (has_body, &[413, 415]),
        (matches!(method, "post" | "patch"), &[409, 410, 422]),
        (matches!(method, "patch" | "put" | "delete"), &[409, 412]),
    ];
    rules.into_iter().filter(|(holds, _)| *holds).flat_map(|(_, statuses)| statuses).copied().collect()
}

/// Whether a path is that of one thing with a version, or of a part of a member, which has the member's.
fn has_version(path: &str) -> bool {
    let (before, last) = path.rsplit_once('/').unwrap_or_default();
    last.ends_with('}') || (before.ends_with("{member}") && matches!(last, "answers" | "profile"))
}

/// The headers that a request of this method may carry.
fn headers(method: &str, path: &str) -> Vec<Parameter> {
    let header = |name: &str, about: &str| {
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Header);
        parameter.required(Required::False).description(Some(about)).schema(Some(text())).build()
    };
    match method {
        "get" if has_version(path) => {
            vec![header("If-None-Match", "ETags that the client has; 304 if one is current.")]
        }
        "patch" | "put" | "delete" => {
            let mut both = vec![header("If-Match", "The ETag that the object must still have; 412 otherwise.")];
            if method == "patch" {
                both.push(idempotency_key());
            }
            both
        }
        "post" => vec![idempotency_key()],
        _ => Vec::new(),
    }
}

fn idempotency_key() -> Parameter {
    let schema = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255));
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "1 to 255 visible ASCII characters: the same request again gets the first answer again, for 24 hours.",
        ))
        .schema(Some(schema.pattern(Some("^[!-~]+$")).build()))
        .build()
}

fn path_parameter(name: &str, public: bool) -> Parameter {
    let (about, schema) = match name {
        // Who is nobody yet is not `me`.
        "user" if !public => ("The user's id, or `me` for the caller.".to_owned(), text().examples([json!("me")])),
        _ => (format!("The {name}'s id."), text().format(Some(SchemaFormat::Custom("uuid".to_owned())))),
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}

/// What every good answer carries besides its body.
fn succeed(response: &mut Response) {
    let id = Ref::new("#/components/headers/RequestId");
    response.headers.insert("X-Request-Id".to_owned(), RefOr::Ref(id));
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}
