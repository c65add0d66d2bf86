//! The OpenAPI document of a dialect: what its handlers say, and what all of them have.

pub(crate) mod objects;

use std::collections::BTreeSet;

use utoipa::PartialSchema as _;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Required, Response,
    ResponseBuilder, Schema, ServerBuilder,
};

/// The component of a dialect's errors. A client's class `Error` would clash with the property `error`.
pub(crate) const ERROR: &str = "ErrorResponse";

/// What a dialect's document says of the whole.
pub(crate) struct About {
    /// As in the paths.
    pub(crate) name: &'static str,
    /// Where the document is.
    pub(crate) path: &'static str,
    /// What it is.
    pub(crate) description: &'static str,
    /// The ways to say who calls; any one of these groups will do, all schemes of a group together.
    pub(crate) security: fn() -> Vec<Vec<(&'static str, SecurityScheme)>>,
    /// How an error looks.
    pub(crate) error: fn() -> RefOr<Schema>,
    /// The errors that each route can answer.
    pub(crate) errors: &'static [(u16, &'static str)],
    /// The media types that answers also come in, beside JSON.
    pub(crate) also: &'static [&'static str],
}

/// The whole document of a dialect.
pub(crate) fn document(about: &About, described: OpenApi) -> OpenApi {
    let info = InfoBuilder::new().title(format!("Muster as {}", about.name)).description(Some(about.description));
    let server = ServerBuilder::new().url("/").description(Some("This deployment.")).build();
    let info = info.license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()));
    let whole = OpenApiBuilder::new().info(info.version(env!("CARGO_PKG_VERSION")).build());
    let mut whole = whole.servers(Some([server])).build().merge_from(described);
    let groups = (about.security)();
    let components = whole.components.get_or_insert_default();
    components.schemas.insert(ERROR.to_owned(), (about.error)());
    for (status, description) in about.errors {
        components.responses.insert(error_name(*status), error(about, description).into());
    }
    for (name, scheme) in groups.iter().flatten() {
        components.add_security_scheme(*name, scheme.clone());
    }
    edge::openapi::share_schemas(&mut whole);
    let schemas = whole.components.as_ref().map(|components| components.schemas.clone()).unwrap_or_default();
    let required: Vec<_> = groups.iter().map(|group| requirement(group)).collect();
    let mut ids = BTreeSet::new();
    // A last slash may be sent or not; a document names the path without it.
    let paths = std::mem::take(&mut whole.paths.paths);
    whole.paths.paths = paths.into_iter().map(|(path, item)| (path.trim_end_matches('/').to_owned(), item)).collect();
    for (path, item) in &mut whole.paths.paths {
        let operations = [
            ("get", &mut item.get),
            ("put", &mut item.put),
            ("post", &mut item.post),
            ("patch", &mut item.patch),
            ("delete", &mut item.delete),
        ];
        for (method, operation) in operations {
            let Some(operation) = operation else { continue };
            complete(about, path, operation, &required);
            if let Some(RefOr::T(body)) = &mut operation.request_body {
                edge::openapi::describe_body(body, &schemas);
            }
            operation.operation_id = Some(unique_id(about, (method, path), operation, &mut ids));
            if operation.security.iter().flatten().any(|security| *security != SecurityRequirement::default()) {
                edge::openapi::show_scopes(method, path, operation);
            }
        }
    }
    whole
}

/// The id of an operation, unique in all documents: of the dialect, the handler and what the path is about; with the
/// parameters of the path where a handler serves several.
fn unique_id(about: &About, (method, path): (&str, &str), operation: &Operation, ids: &mut BTreeSet<String>) -> String {
    let prefix = format!("/{}/", about.name);
    let words: Vec<_> = path.trim_start_matches(&prefix).split('/').filter(|part| !part.is_empty()).collect();
    let first = words.first().copied().filter(|word| !is_version(word) && !word.starts_with('{')).unwrap_or(about.name);
    let tag = operation.tags.iter().flatten().map(String::as_str).find(|tag| *tag != about.name).unwrap_or(first);
    let handler = operation.operation_id.as_deref().unwrap_or(method);
    let parameters = words.iter().filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let short = edge::openapi::operation_id(&plain(tag), handler);
    let with_noun = format!("{short}_{first}");
    let with_parameters = parameters.fold(with_noun.clone(), |id, parameter| format!("{id}_{parameter}"));
    let candidates = [short, with_noun, with_parameters].map(|id| format!("{}_{}", about.name, plain(&id)));
    let free = candidates.iter().find(|id| !ids.contains(*id)).or(candidates.last()).cloned().unwrap_or_default();
    ids.insert(free.clone());
    free
}

fn is_version(word: &str) -> bool {
    word.strip_prefix('v').is_some_and(|number| number.parse::<u8>().is_ok())
}

/// `BusinessPartner` and `custom-fields` as `business_partner` and `custom_fields`.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for sign in text.chars() {
        if sign.is_ascii_uppercase() && !plain.is_empty() && !plain.ends_with('_') {
            plain.push('_');
        }
        plain.push(if sign.is_ascii_alphanumeric() { sign.to_ascii_lowercase() } else { '_' });
    }
    plain
}

/// A bearer token, as `/v1` has it.
pub(crate) fn bearer() -> Vec<Vec<(&'static str, SecurityScheme)>> {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let bearer = bearer.description(Some("The access token of a login, or a key.")).build();
    vec![vec![("bearer", SecurityScheme::Http(bearer))]]
}

/// The schema of a property of an object of `/v1`, by its name there; one within another as `identification/value`.
pub(crate) fn property(object: &RefOr<Schema>, path: &str) -> RefOr<Schema> {
    let (name, rest) = path.split_once('/').unwrap_or((path, ""));
    let own = match object {
        RefOr::T(Schema::Object(object)) => object.properties.get(name),
        RefOr::T(Schema::OneOf(one_of)) => return one_of.items.first().map_or_else(any, |value| property(value, path)),
        RefOr::T(_) | RefOr::Ref(_) => None,
    };
    let own = own.cloned().unwrap_or_else(any);
    if rest.is_empty() { own } else { property(&own, rest) }
}

/// The schema of anything, which a test of the documents rejects.
fn any() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue).into()
}

fn requirement(group: &[(&'static str, SecurityScheme)]) -> SecurityRequirement {
    group.iter().fold(SecurityRequirement::default(), |all, (name, _)| all.add::<_, [&str; 0], &str>(*name, []))
}

fn complete(about: &About, path: &str, operation: &mut Operation, required: &[SecurityRequirement]) {
    if operation.security.is_none() {
        operation.security = Some(required.to_vec());
    }
    edge::openapi::open(operation);
    let parameters = operation.parameters.get_or_insert_default();
    for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        let named = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(parameter) if parameter.name == name);
        if !parameters.iter().any(named) {
            let about = format!("The {} of the object.", name.replace('_', " "));
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).description(Some(about));
            parameters.push(RefOr::T(parameter.required(Required::True).schema(Some(String::schema())).build()));
        }
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        body.required = Some(Required::True);
    }
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            add_other_types(about, response);
        }
    }
    for (status, _) in about.errors {
        let shared = || Ref::from_response_name(error_name(*status)).into();
        operation.responses.responses.entry(status.to_string()).or_insert_with(shared);
    }
}

/// The name of the answer that all operations give with an error's status.
fn error_name(status: u16) -> String {
    format!("Error{status}")
}

fn error(about: &About, description: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(ERROR))).build();
    let mut told = ResponseBuilder::new().description(description).content("application/json", content).build();
    add_other_types(about, &mut told);
    told
}

/// Documents the other types that an answer comes in: the same members, written otherwise.
fn add_other_types(about: &About, response: &mut Response) {
    let Some(RefOr::T(content)) = response.content.get("application/json") else { return };
    let content = ContentBuilder::new().schema(content.schema.clone()).example(content.example.clone()).build();
    response.content.extend(about.also.iter().map(|name| ((*name).to_owned(), content.clone().into())));
}
