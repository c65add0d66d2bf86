//! Walks over every operation of all six OpenAPI documents, with credentials that must open nothing.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::isolation::Isolated;
use crate::routes::is_public;
use crate::system::{Ana, Call, Muster};
use crate::world::{World, id};

mod existence;
mod foreign;
mod forged;
mod head;
mod inactive;

/// An operation of one of the documents.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    /// The path with its parameters in braces.
    pub(crate) path: String,
    /// The first example of its body.
    pub(crate) body: Option<Value>,
    /// Whether it needs no credential.
    pub(crate) public: bool,
}

/// Lists every operation of every document.
pub(crate) async fn list_operations(muster: &Muster) -> Vec<Operation> {
    let mut operations = Vec::new();
    let documents = std::iter::once("/openapi.json").chain(dialects::documents().into_iter().map(|(_, path, _)| path));
    for document in documents {
        let document = muster.get(document).send().await.body;
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let public = is_public(operation);
                let method = method.to_uppercase().parse().unwrap();
                operations.push(Operation { method, path: path.clone(), body: example_of(operation), public });
            }
        }
    }
    assert!(operations.len() > 200, "{}", operations.len());
    operations
}

/// The first example of an operation's body.
fn example_of(operation: &Value) -> Option<Value> {
    let content = &operation.get("requestBody")?["content"]["application/json"];
    let first = content["examples"].as_object().and_then(|all| all.values().next());
    Some(first.map_or_else(|| content["example"].clone(), |first| first["value"].clone()))
}

/// Text that occurs in everything that the victim wrote, and nowhere else.
const MARKER: &str = "Quetzal";

/// An account with one of everything, which nobody else may see or change.
struct Victim {
    world: World,
    /// The ids of one of everything, by the names of path parameters.
    ids: BTreeMap<&'static str, String>,
    /// The segment's number in the account.
    segment_number: Value,
    /// The user's number in the account.
    user_number: Value,
}

impl Victim {
    async fn start() -> Self {
        let Isolated { world, ids, .. } = Isolated::start().await;
        let named = |name: &str| json!({ name: format!("{MARKER} {name}") });
        for (path, body) in [
            (format!("/v1/segments/{}", ids["segment"]), named("name")),
            (format!("/v1/memberships/{}", ids["membership"]), named("name")),
            (format!("/v1/memberships/{}/levels/{}", ids["membership"], ids["level"]), named("name")),
            (format!("/v1/memberships/{}/fields/{}", ids["membership"], ids["field"]), named("name")),
            (format!("/v1/members/{}", ids["member"]), named("name")),
            (format!("/v1/users/{}", ids["user"]), json!({ "name": MARKER, "email": "quetzal@example.com" })),
            (format!("/v1/users/{}/addresses/{}", ids["user"], ids["address"]), named("alias")),
            (format!("/v1/segments/{}/partners/{}", ids["segment"], ids["partner"]), named("commercial_name")),
            (format!("/v1/segments/{}/products/{}", ids["segment"], ids["product"]), named("title")),
        ] {
            let reply = world.send("PATCH", &path, body).await;
            assert_eq!(reply.status, 200, "{path} {reply:?}");
        }
        let closed = world.send("PATCH", &world.path(""), json!({ "self_enrolment": false })).await;
        assert_eq!(closed.status, 200, "{closed:?}");
        let segment_number = world.read(&format!("/v1/segments/{}", ids["segment"])).await["number"].clone();
        let numbered = world.call("POST", &format!("/v1/users/{}/number", ids["user"])).send().await;
        let user_number = numbered.body["number"].clone();
        assert!(segment_number.is_number() && user_number.is_number(), "{segment_number} {numbered:?}");
        Self { world, ids, segment_number, user_number }
    }

    /// Returns what a parameter or a field of this name means, where it names a thing; `after` is the part of the path before it.
    fn value_of(&self, name: &str, after: &str) -> Option<Value> {
        let thing = match name {
            "segment_number" | "group_id" => return Some(self.segment_number.clone()),
            "clogin_id" | "connected_to" => return Some(self.user_number.clone()),
            "token" => return Some(json!("ml_AAAAAAAAAAAAAAAAAAAAAAGZ0qRcAHAAgAAAAAAAAAE")),
            "email" => return Some(json!("quetzal@example.com")),
            "document" | "reference_id" => return Some(json!("QUETZAL1")),
            "owner_id" => return Some(json!(self.world.ana.id)),
            "id" => match after {
                "v1" => return Some(json!(format!("usr-{}", self.ids["user"]))),
                "user" | "show-id" | "destroy-user-id" | "change-password" | "update" | "delete" => "user",
                "address" => "address",
                "segment" => "segment",
                "membership" => "membership",
                "membership-level" => "level",
                "membership-custom-field" => "field",
                "membership-user" => "member",
                "push" => "notification",
                _ => return None,
            },
            "parent_id" | "user_ids" => "user",
            "membership_user_id" => "member",
            "membership_level_id" | "level_ids" => "level",
            "membership_custom_field_id" => "field",
            "photo_upload_id" | "upload_id" => "upload",
            "shipping_address_id" => "address",
            _ => name.strip_suffix("_id").unwrap_or(name),
        };
        self.ids.get(thing).map(|id| json!(id))
    }

    /// Fills the path with the victim's ids; the credentials fill the two tokens of `platform`.
    fn fill_path(&self, path: &str, credentials: &Credentials) -> String {
        let mut after = "";
        let mut filled = Vec::new();
        for part in path.split('/') {
            let name = part.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
            filled.push(match name {
                None => part.to_owned(),
                Some("dev") => credentials.developer.clone(),
                Some("plat") => credentials.token.clone(),
                Some(name) => match self.value_of(name, after) {
                    Some(Value::String(id)) => id,
                    other => panic!("{path}: the walk does not know {name}: {other:?}"),
                },
            });
            after = part;
        }
        let query = if path == "/v1/users/exists" { "?email=quetzal@example.com" } else { "" };
        format!("{}{query}", filled.join("/"))
    }

    /// Replaces each id in the example by the victim's.
    fn fill_body(&self, body: &mut Value) {
        match body {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let is_named = name.ends_with("_id") || name.ends_with("_ids") || name == "connected_to";
                    let is_named = is_named && !value.is_null();
                    let named = is_named.then(|| self.value_of(name, "")).flatten();
                    match (value.is_object(), named) {
                        (false, Some(id)) if value.is_array() => *value = json!([id]),
                        (false, Some(id)) => *value = id,
                        _ => self.fill_body(value),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.fill_body(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// The operation as a caller with these credentials sends it, and the text that it sends.
    fn call<'a>(&'a self, operation: &Operation, credentials: &Credentials) -> (Call<'a>, String) {
        let path = self.fill_path(&operation.path, credentials);
        let call = credentials.apply(self.world.muster.call(operation.method.as_str(), &path));
        match operation.body.clone() {
            Some(mut body) => {
                self.fill_body(&mut body);
                let sent = format!("{path} {body}");
                (call.json(body), sent)
            }
            None => (call, path),
        }
    }
}

/// Everything that a caller can say of itself, in every place that a dialect reads.
#[derive(Debug, Clone)]
struct Credentials {
    /// A name for messages.
    name: String,
    /// The bearer token, key or secret.
    token: String,
    /// The id of the key, where the token is the secret of one.
    key_id: String,
    /// The developer's token.
    developer: String,
    /// The segment of `X-Segment-Id`.
    segment: Option<String>,
}

impl Credentials {
    /// Credentials without a developer or a segment.
    fn new(name: &str, token: &str) -> Self {
        let (name, token) = (name.to_owned(), token.to_owned());
        Self { name, token, key_id: String::new(), developer: "none".to_owned(), segment: None }
    }

    fn apply<'a>(&self, call: Call<'a>) -> Call<'a> {
        let call = call.token(&self.token).header("x-developer-token", &self.developer);
        let call = call.header("x-platform-token", &self.token);
        let call = call.header("api-id", &self.key_id).header("api-token", &self.token);
        match &self.segment {
            Some(segment) => call.header("x-segment-id", segment),
            None => call,
        }
    }
}

/// The id and token of a developer of an account.
pub(crate) async fn new_developer(muster: &Muster, owner: &Ana) -> String {
    let developer = <domain::DeveloperFields as domain::field::Body>::example();
    let developer = muster.made(owner, "/v1/developers", developer).await;
    let token = json!({ "user_id": id(&developer) });
    let token = muster.post("/platform/generate-token", token).by(owner).send().await;
    token.body["token"].as_str().unwrap().to_owned()
}
