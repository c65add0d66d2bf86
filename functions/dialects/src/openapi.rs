//! The OpenAPI document of a dialect: what its handlers say, and what all of them have.

use serde_json::Value;
use utoipa::PartialSchema as _;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, RefOr, Required, ResponseBuilder, Schema, ServerBuilder,
};

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
    /// What answers also come in, beside JSON.
    pub(crate) also: Option<Also>,
}

/// Another type that answers come in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Also {
    /// Its name.
    pub(crate) name: &'static str,
    /// How an answer is written in it.
    pub(crate) write: fn(&Value) -> String,
}

/// The whole document of a dialect.
pub(crate) fn document(about: &About, described: OpenApi) -> OpenApi {
    let info = InfoBuilder::new().title(format!("Muster as {}", about.name)).description(Some(about.description));
    let server = ServerBuilder::new().url("/").description(Some("This deployment.")).build();
    let whole = OpenApiBuilder::new().info(info.version(env!("CARGO_PKG_VERSION")).build());
    let mut whole = whole.servers(Some([server])).build().merge_from(described);
    let groups = (about.security)();
    let components = whole.components.get_or_insert_default();
    components.schemas.insert("Error".to_owned(), (about.error)());
    for (name, scheme) in groups.iter().flatten() {
        components.add_security_scheme(*name, scheme.clone());
    }
    let required: Vec<_> = groups.iter().map(|group| requirement(group)).collect();
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
            if operation.security.iter().flatten().any(|security| *security != SecurityRequirement::default()) {
                edge::openapi::show_scopes(method, path, operation);
            }
        }
    }
    whole
}

/// A bearer token, as `/v1` has it.
pub(crate) fn bearer() -> Vec<Vec<(&'static str, SecurityScheme)>> {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let bearer = bearer.description(Some("The access token of a login, or a key.")).build();
    vec![vec![("bearer", SecurityScheme::Http(bearer))]]
}

fn requirement(group: &[(&'static str, SecurityScheme)]) -> SecurityRequirement {
    group.iter().fold(SecurityRequirement::default(), |all, (name, _)| all.add::<_, [&str; 0], &str>(*name, []))
}

fn complete(about: &About, path: &str, operation: &mut Operation, required: &[SecurityRequirement]) {
    if operation.security.is_none() {
        operation.security = Some(required.to_vec());
    }
    let parameters = operation.parameters.get_or_insert_default();
    for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        let named = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(parameter) if parameter.name == name);
        if !parameters.iter().any(named) {
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path);
            parameters.push(RefOr::T(parameter.required(Required::True).schema(Some(String::schema())).build()));
        }
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        body.required = Some(Required::True);
    }
    for (status, description) in about.errors {
        let content = ContentBuilder::new().schema(Some(utoipa::openapi::Ref::from_schema_name("Error"))).build();
        let told = ResponseBuilder::new().description(*description).content("application/json", content).build();
        operation.responses.responses.entry(status.to_string()).or_insert_with(|| told.into());
    }
    let Some(also) = about.also else { return };
    for response in operation.responses.responses.values_mut() {
        let RefOr::T(response) = response else { continue };
        let Some(RefOr::T(content)) = response.content.get("application/json") else { continue };
        let example = content.example.as_ref().map(|example| (also.write)(example).into());
        let content = ContentBuilder::new().schema(Some(String::schema())).example(example).build();
        response.content.insert(also.name.to_owned(), content.into());
    }
}
