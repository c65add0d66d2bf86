//! What every operation of the OpenAPI document has, added by rule so that no route can forget it.
//!
//! How to authenticate, the headers that it honours, each error that it can answer, an example for its body.

use std::marker::PhantomData;

use serde_json::{Value, json};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, SchemaFormat, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ContentBuilder, HeaderBuilder, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder, Schema,
};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::failure::{FieldProblem, Problem};
use crate::filter::FilterKind;
use crate::list::{List, ListSpec};
use crate::scopes::required_scopes;

/// Completes a document that the handlers have described.
pub fn complete(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    for (name, schema) in [("Problem", Problem::schema()), ("FieldProblem", FieldProblem::schema())] {
        components.schemas.insert(name.to_owned(), schema);
    }
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
    let bearer = bearer.description(Some("The access token of a login, or a key.")).build();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    let key = ApiKeyValue::with_description("X-Api-Key", "A key of a segment or an account.");
    components.add_security_scheme("key", SecurityScheme::ApiKey(ApiKey::Header(key)));
    let examples = components.schemas.iter().filter_map(|(name, schema)| Some((name.clone(), example(schema)?)));
    let examples: Vec<_> = examples.collect();
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            complete_operation(path, method, operation, &examples);
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

fn complete_operation(path: &str, method: &str, operation: &mut Operation, examples: &[(String, Value)]) {
    // Generated clients name their methods after it; two functions may have a handler of the same name.
    let tag = operation.tags.iter().flatten().next();
    operation.operation_id = tag.zip(operation.operation_id.as_ref()).map(|(tag, handler)| format!("{tag}_{handler}"));
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
    let parameters = operation.parameters.get_or_insert_default();
    for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        let named = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(parameter) if parameter.name == name);
        if !parameters.iter().any(named) {
            parameters.push(RefOr::T(path_parameter(name, public)));
        }
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        show_body(body, body_required, examples);
    }
    if path.starts_with("/v1/") {
        parameters.extend(headers(method, path).into_iter().map(RefOr::T));
        complete_responses(path, method, public, operation);
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

/// A body has the example of its schema.
fn show_body(body: &mut RequestBody, required: bool, examples: &[(String, Value)]) {
    body.required = Some(if required { Required::True } else { Required::False });
    for content in body.content.values_mut() {
        if let RefOr::T(content) = content {
            content.example = example_of(content.schema.as_ref(), examples);
        }
    }
}

fn complete_responses(path: &str, method: &str, public: bool, operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    for response in responses.values_mut() {
        if let RefOr::T(response) = response {
            succeed(response);
        }
    }
    for status in errors(path, method, public, operation.request_body.is_some()) {
        let told = problem(status);
        match responses.get_mut(&status.to_string()) {
            // A handler may have more to say of an error; its shape is always the same.
            Some(RefOr::T(own)) => own.content = told.content,
            Some(RefOr::Ref(_)) | None => drop(responses.insert(status.to_string(), told.into())),
        }
    }
    if method == "get" && path.ends_with('}') {
        let unchanged = ResponseBuilder::new().description("The client has this version.");
        responses.insert("304".to_owned(), unchanged.build().into());
    }
}

/// The statuses of the errors that an operation can answer.
fn errors(path: &str, method: &str, public: bool, has_body: bool) -> Vec<u16> {
    let rules: [(bool, &[u16]); 7] = [
        (true, &[400, 429, 500, 503]),
        (!public, &[401, 403, 404]),
        (path.contains('{'), &[404]),
        (public && has_body, &[401, 403]),
        (has_body, &[413, 415]),
        (matches!(method, "post" | "patch"), &[409, 422]),
        (matches!(method, "patch" | "put" | "delete"), &[409, 412]),
    ];
    rules.into_iter().filter(|(holds, _)| *holds).flat_map(|(_, statuses)| statuses).copied().collect()
}

/// The headers that a request of this method may carry.
fn headers(method: &str, path: &str) -> Vec<Parameter> {
    let header = |name: &str, about: &str| {
        let schema = ObjectBuilder::new().schema_type(Type::String).build();
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Header);
        parameter.required(Required::False).description(Some(about)).schema(Some(schema)).build()
    };
    match method {
        "get" if path.ends_with('}') => {
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
    let (about, schema): (_, Schema) = match name {
        // Who is nobody yet is not `me`.
        "user" if !public => {
            ("A user's id, or `me`.", ObjectBuilder::new().schema_type(Type::String).examples([json!("me")]).into())
        }
        _ => (
            "An id.",
            ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::Custom("uuid".to_owned()))).into(),
        ),
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}

/// What every good answer carries beside its body.
fn succeed(response: &mut Response) {
    let text = || ObjectBuilder::new().schema_type(Type::String).build();
    let id = HeaderBuilder::new().schema(Some(text())).description(Some("The request's id.")).build();
    response.headers.insert("X-Request-Id".to_owned(), RefOr::T(id));
}

/// An error's answer.
fn problem(status: u16) -> Response {
    let about = match status {
        400 => "A field, a parameter or the JSON itself is wrong.",
        401 => "No credential, or one that does not hold.",
        403 => "Not with this credential, or not in this state.",
        404 => "Nothing that the caller can reach.",
        409 => "In conflict with what is there.",
        412 => "The object has another version.",
        413 => "The body is over 256 KiB, or is after decompression.",
        415 => "The body is not JSON in UTF-8, or has another `Content-Encoding` than gzip or deflate.",
        422 => "The Idempotency-Key was used with another body.",
        429 => "Too many requests.",
        503 => "Not right now; see Retry-After.",
        _ => "A fault of ours.",
    };
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(about).content("application/problem+json", content).build()
}

/// The example of a body: its schema's own.
fn example_of(schema: Option<&RefOr<Schema>>, examples: &[(String, Value)]) -> Option<Value> {
    match schema? {
        RefOr::Ref(reference) => {
            let name = reference.ref_location.rsplit('/').next()?;
            examples.iter().find(|(found, _)| found == name).map(|(_, example)| example.clone())
        }
        schema @ RefOr::T(_) => example(schema),
    }
}

fn example(schema: &RefOr<Schema>) -> Option<Value> {
    let RefOr::T(schema) = schema else { return None };
    if let Schema::Object(object) = schema {
        return object.examples.first().cloned();
    }
    if let Schema::OneOf(one_of) = schema { one_of.examples.first().cloned() } else { None }
}

/// The schema of a page of `T`s.
#[derive(Debug)]
pub struct ListOf<T>(PhantomData<T>);

impl<T: ToSchema> PartialSchema for ListOf<T> {
    fn schema() -> RefOr<Schema> {
        let whole = || ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
        let link = || OneOfBuilder::new().item(text()).item(ObjectBuilder::new().schema_type(Type::Null));
        let page = ObjectBuilder::new()
            .property("number", whole())
            .property("size", whole())
            .property("total_items", whole())
            .property("total_pages", whole())
            .property("total_capped", ObjectBuilder::new().schema_type(Type::Boolean));
        let page = ["number", "size", "total_items", "total_pages"].into_iter().fold(page, ObjectBuilder::required);
        let links = ObjectBuilder::new().property("self", text()).property("next", link()).property("prev", link());
        let links = ["self", "next", "prev"].into_iter().fold(links, ObjectBuilder::required);
        let data = ArrayBuilder::new().items(Ref::from_schema_name(T::name()));
        let list = ObjectBuilder::new().property("data", data).property("page", page).property("links", links);
        ["data", "page", "links"].into_iter().fold(list, ObjectBuilder::required).into()
    }
}

impl<T: ToSchema> ToSchema for ListOf<T> {
    fn name() -> std::borrow::Cow<'static, str> {
        format!("{}List", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

/// The schema of one `T`, or an array of 1 to 20.
#[derive(Debug)]
pub struct OneOrManyOf<T>(PhantomData<T>);

impl<T: domain::Body + ToSchema> PartialSchema for OneOrManyOf<T> {
    fn schema() -> RefOr<Schema> {
        let one = Ref::from_schema_name(T::name());
        let many = ArrayBuilder::new().items(one.clone()).min_items(Some(1)).max_items(Some(20));
        OneOfBuilder::new().item(one).item(many).examples([T::example()]).into()
    }
}

impl<T: domain::Body + ToSchema> ToSchema for OneOrManyOf<T> {
    fn name() -> std::borrow::Cow<'static, str> {
        format!("OneOrMany{}", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), <T as PartialSchema>::schema()));
    }
}

/// The schema of one `T`, or of several under `data`.
#[derive(Debug)]
pub struct OneOrDataOf<T>(PhantomData<T>);

impl<T: ToSchema> PartialSchema for OneOrDataOf<T> {
    fn schema() -> RefOr<Schema> {
        let one = Ref::from_schema_name(T::name());
        let data = ObjectBuilder::new().property("data", ArrayBuilder::new().items(one.clone())).required("data");
        OneOfBuilder::new().item(one).item(data).into()
    }
}

impl<T: ToSchema> ToSchema for OneOrDataOf<T> {
    fn name() -> std::borrow::Cow<'static, str> {
        format!("OneOrMany{}", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

/// The parameters of a list.
impl<L: ListSpec> IntoParams for List<L> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let whole = |low: f64, high: f64| {
            ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(low)).maximum(Some(high))
        };
        let query = |name: &str, about: &str, schema: ObjectBuilder| {
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query);
            parameter.required(Required::False).description(Some(about)).schema(Some(schema)).build()
        };
        let sort = sort_schema::<L>();
        let mut parameters = vec![
            query("page[size]", "How many rows, 20 by default.", whole(1.0, 100.0)),
            query("page[number]", "Which page, from 1; or else page[cursor].", whole(1.0, 1_000_000.0)),
            query(
                "page[cursor]",
                "Where a link of another page goes on.",
                ObjectBuilder::new().schema_type(Type::String),
            ),
            query("sort", "The order; - goes down. Several fields are divided by commas.", sort),
        ];
        for option in L::OPTIONS {
            let values = text().enum_values(Some(option.values.iter().copied()));
            parameters.push(query(option.name, option.about, values));
        }
        for (field, kind) in L::FILTERS {
            parameters.push(query(&format!("filter[{field}]"), about(*kind), filter_schema(*kind)));
            for end in ["gt", "gte", "lt", "lte"].into_iter().filter(|_| kind.has_ranges()) {
                parameters.push(query(&format!("filter[{field}][{end}]"), "An end of a range.", filter_schema(*kind)));
            }
        }
        parameters
    }
}

/// `a,-b`; where answers are sorted by, nobody knows their keys here.
fn sort_schema<L: ListSpec>() -> ObjectBuilder {
    let mut fields = L::SORTS.join("|").replace('.', "\\.");
    if L::ANSWERS {
        fields.push_str("|answers\\.[a-z][a-z0-9_]*");
    }
    let pattern = format!("^-?({fields})(,-?({fields}))*$");
    text().pattern(Some(pattern)).default(Some(L::DEFAULT_SORT.into())).examples([json!(L::DEFAULT_SORT)])
}

fn about(kind: FilterKind) -> &'static str {
    match kind {
        FilterKind::Switch | FilterKind::Choice(_) => "Only rows with one of these values, divided by commas.",
        FilterKind::Text => {
            "Only rows with one of these values, divided by commas; `abc*` is a prefix, `\\,` a comma within a value. Case \
             and accents do not count."
        }
        FilterKind::Word => {
            "Only rows with one of these values, divided by commas; `abc*` is a prefix, `\\,` a comma within a value."
        }
        FilterKind::Email => {
            "Only rows with one of these e-mails, divided by commas; `abc*` is a prefix. Case does not count."
        }
        FilterKind::Phone => {
            "Only rows with one of these phones, divided by commas, in any spelling; `+52*` is a prefix. A number without a \
             plus is also looked for as it was sent."
        }
        FilterKind::Document => {
            "Only rows with one of these numbers, divided by commas; `abc*` is a prefix. Separators and case do not count."
        }
        FilterKind::Number | FilterKind::Date | FilterKind::Time | FilterKind::Made => {
            "Only rows with one of these values, divided by commas."
        }
    }
}

fn filter_schema(kind: FilterKind) -> ObjectBuilder {
    match kind {
        FilterKind::Switch => text().enum_values(Some(["true", "false"])),
        FilterKind::Choice(choices) => text().enum_values(Some(choices.iter().copied())),
        FilterKind::Text | FilterKind::Word | FilterKind::Document | FilterKind::Email | FilterKind::Phone => {
            text().min_length(Some(1))
        }
        FilterKind::Number => ObjectBuilder::new().schema_type(Type::Number),
        FilterKind::Date => text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Date))),
        FilterKind::Time | FilterKind::Made => text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))),
    }
}

/// A schema with one more property, a list of `T`, which need not be there.
#[must_use]
pub fn with_list<T: ToSchema>(mut schema: RefOr<Schema>, name: &str, about: &str) -> RefOr<Schema> {
    if let RefOr::T(Schema::Object(object)) = &mut schema {
        let list = ArrayBuilder::new().items(Ref::from_schema_name(T::name())).description(Some(about));
        object.properties.insert(name.to_owned(), list.into());
    }
    schema
}

/// A schema with one more property, which is required.
#[must_use]
pub fn with_property(schema: RefOr<Schema>, name: &str, about: &str) -> RefOr<Schema> {
    with(schema, name, text().description(Some(about)).into())
}

/// A schema with one more property of its own schema, which is required.
#[must_use]
pub fn with(mut schema: RefOr<Schema>, name: &str, property: RefOr<Schema>) -> RefOr<Schema> {
    if let RefOr::T(Schema::Object(object)) = &mut schema {
        object.properties.insert(name.to_owned(), property);
        object.required.push(name.to_owned());
    }
    schema
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}
