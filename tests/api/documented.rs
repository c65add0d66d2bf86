//! Each answer is as its OpenAPI document says: the status, and the body with no property more.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use crate::system::Reply;

/// The document of each part of the API, by the beginning of its paths.
static DOCUMENTS: LazyLock<Vec<(&str, Value)>> = LazyLock::new(|| {
    let texts = [
        ("/v1/", include_str!("../../openapi/v1.json")),
        ("/flows/", include_str!("../../openapi/flows.json")),
        ("/platform/", include_str!("../../openapi/platform.json")),
        ("/identity/", include_str!("../../openapi/identity.json")),
        ("/b2b/", include_str!("../../openapi/b2b.json")),
        ("/calls/", include_str!("../../openapi/calls.json")),
    ];
    texts.into_iter().map(|(prefix, text)| (prefix, closed(serde_json::from_str(text).unwrap()))).collect()
});

/// What checks the body of an answer, by the prefix of its document and the place of its schema there.
type Validators = HashMap<(&'static str, String), Arc<Validator>>;

static VALIDATORS: LazyLock<Mutex<Validators>> = LazyLock::new(Mutex::default);

/// A schema whose objects have no property that it does not name.
fn closed(schema: Value) -> Value {
    match schema {
        Value::Object(fields) => {
            let mut fields: Map<_, _> = fields.into_iter().map(|(name, value)| (name, closed(value))).collect();
            if fields.get("type") == Some(&json!("object")) && fields.contains_key("properties") {
                fields.entry("additionalProperties").or_insert(false.into());
            }
            Value::Object(fields)
        }
        Value::Array(items) => items.into_iter().map(closed).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => schema,
    }
}

/// Asserts that the document of a path has this answer; nothing where no document has the path.
pub(crate) fn check(method: &str, path: &str, reply: &Reply) {
    let path = path.split('?').next().unwrap_or_default();
    let Some((prefix, document)) = DOCUMENTS.iter().find(|(prefix, _)| path.starts_with(prefix)) else { return };
    let Some(template) = template(document, path) else { return };
    let method = method.to_ascii_lowercase();
    let Some(operation) = document["paths"][&template].get(&method) else { return };
    let status = reply.status.as_u16().to_string();
    let Some(mut response) = operation["responses"].get(&status) else {
        panic!("{method} {template} has no answer {status}: {reply:?}")
    };
    let mut place = format!("/paths/{}/{method}/responses/{status}", escaped(&template));
    if let Some(shared) = response["$ref"].as_str() {
        place = shared.trim_start_matches('#').to_owned();
        response = document.pointer(&place).unwrap();
    }
    let kind = reply.header("content-type").split(';').next().unwrap_or_default().to_owned();
    let Some(content) = response["content"].as_object() else {
        assert!(reply.text.is_empty(), "{method} {template} has no body with {status}: {reply:?}");
        return;
    };
    assert!(content.contains_key(&kind), "{method} {template} does not answer {status} as {kind:?}: {reply:?}");
    if kind.ends_with("json") && !is_minimum(&reply.body) {
        let place = format!("{place}/content/{}/schema", escaped(&kind));
        let validator = validator(prefix, document, place);
        let errors: Vec<_> =
            validator.iter_errors(&reply.body).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(
            errors.is_empty(),
            "{method} {template} answers {status} otherwise than documented: {errors:#?}\n{}",
            reply.text
        );
    }
}

/// What a key without `read` is answered when it writes: ids, versions, and what only this answer can say.
const MINIMUM: [&str; 11] =
    ["id", "version", "secret", "token", "url", "expires_at", "method", "headers", "index", "status", "error"];

/// Whether a body has no more than what a key without `read` may know.
fn is_minimum(body: &Value) -> bool {
    match body {
        Value::Object(fields) => fields.iter().all(|(name, value)| match name.as_str() {
            "data" | "results" => is_minimum(value),
            name => MINIMUM.contains(&name),
        }),
        Value::Array(rows) => rows.iter().all(is_minimum),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn validator(prefix: &'static str, document: &Value, place: String) -> Arc<Validator> {
    let mut validators = VALIDATORS.lock().unwrap();
    let known = validators.entry((prefix, place)).or_insert_with_key(|(_, place)| {
        let schema = document.pointer(place).unwrap();
        let schema = json!({ "allOf": [schema], "components": document["components"] });
        Arc::new(jsonschema::options().with_draft(Draft::Draft202012).build(&schema).unwrap())
    });
    Arc::clone(known)
}

/// The path of a document that stands for this one; of several the one with the fewest parameters.
fn template(document: &Value, path: &str) -> Option<String> {
    let sent: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    let is_parameter = |part: &&str| part.starts_with('{');
    let fits = |template: &&String| {
        let parts: Vec<_> = template.split('/').filter(|part| !part.is_empty()).collect();
        parts.len() == sent.len() && parts.iter().zip(&sent).all(|(part, sent)| is_parameter(part) || part == sent)
    };
    let parameters = |template: &&String| template.split('/').filter(is_parameter).count();
    document["paths"].as_object()?.keys().filter(fits).min_by_key(parameters).cloned()
}

/// A part of a JSON pointer (RFC 6901).
fn escaped(part: &str) -> String {
    part.replace('~', "~0").replace('/', "~1")
}
