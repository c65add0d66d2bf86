//! Each field that holds an id, sent with an id that the caller does not reach: it is refused, and alike whether the thing
//! exists or not.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use local::Options;
use serde_json::{Value, json};

use crate::system::{Ana, Muster, Reply};
use crate::uploads::samples::{PDF, PNG};
use crate::uploads::sent::upload;
use crate::world::{World, id};

/// Where a thing is, as its caller sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Own,
    OtherSegment,
    ForeignAccount,
    Deleted,
    Unknown,
}

const REACHES: [Reach; 5] = [Reach::Own, Reach::OtherSegment, Reach::ForeignAccount, Reach::Deleted, Reach::Unknown];

/// Fields that need no walk: the caller proves who it is by something else, or the field is about no thing of Muster's.
const PUBLIC: [(&str, &str); 5] = [
    // No caller: the answer is the same whether segment or user exist; `auth`, `limits` and `sign_up` try that.
    ("POST /v1/auth/login", "segment_id"),
    ("POST /v1/auth/recovery", "segment_id"),
    ("POST /v1/auth/recovery/confirm", "segment_id"),
    ("POST /v1/auth/refresh", "user_id"),
    ("POST /v1/users/{user}/restoration", "segment_id"),
];

/// A request with a field that holds an id.
struct Case {
    kind: &'static str,
    method: &'static str,
    path: String,
    body: Value,
    /// Where the id goes in the body.
    at: &'static str,
}

/// Numbers of levels and fields, which are each made once.
static NEXT: AtomicU32 = AtomicU32::new(1);

struct Walk {
    own: World,
    other: (Ana, String, String),
    foreign: (Ana, String, String),
    key: String,
}

impl Walk {
    async fn start() -> Self {
        let still = Duration::from_secs(3600);
        let options = Options { reconcile_every: still, transfer_every: still, ..Options::default() };
        let own = World::on(Muster::with(options).await, json!({ "name": "Club" })).await;
        let eve = own.muster.ana().await;
        let other = segment_of(&own.muster, &own.ana).await;
        let foreign = segment_of(&own.muster, &eve).await;
        let (_, key) = own.key(&["read", "write", "admin"]).await;
        Self { own, other, foreign, key }
    }

    /// The id of a new thing of a kind, within this reach.
    async fn make(&self, kind: &str, reach: Reach) -> String {
        let own = (self.own.ana.clone(), self.own.segment.clone(), self.own.membership.clone());
        let (by, segment, membership) = match reach {
            Reach::Own | Reach::Deleted => &own,
            Reach::OtherSegment => &self.other,
            Reach::ForeignAccount => &self.foreign,
            Reach::Unknown => return domain::UserId::fresh().to_string(),
        };
        let muster = &self.own.muster;
        let made = async |path: String, body: Value| id(&muster.made(by, &path, body).await);
        let of_segment = format!("/v1/segments/{segment}");
        let name = domain::UserId::fresh().to_string();
        let options = json!([{ "key": "a", "value": "A" }]);
        let (made, path) = match kind {
            "user" => {
                let user = made(format!("{of_segment}/users"), json!({ "email": format!("{name}@example.com") })).await;
                (user.clone(), format!("/v1/users/{user}"))
            }
            "partner" => with_path(made, format!("{of_segment}/partners"), json!({ "commercial_name": name })).await,
            "status" => with_path(made, format!("{of_segment}/statuses"), json!({ "name": name })).await,
            "catalog" => {
                with_path(made, format!("{of_segment}/catalogs"), json!({ "name": name, "options": options })).await
            }
            "membership" => {
                let id = made(format!("{of_segment}/memberships"), json!({ "name": name })).await;
                (id.clone(), format!("/v1/memberships/{id}"))
            }
            "product" => {
                let product = json!({ "title": name, "membership_id": membership });
                with_path(made, format!("{of_segment}/products"), product).await
            }
            "level" => {
                let from = NEXT.fetch_add(1, Ordering::Relaxed);
                let level = json!({ "name": name, "number": from, "from_point": from, "to_point": from });
                with_path(made, format!("/v1/memberships/{membership}/levels"), level).await
            }
            "member" => {
                let id = made(format!("/v1/memberships/{membership}/members"), json!({ "name": "Ana" })).await;
                (id.clone(), format!("/v1/members/{id}"))
            }
            "address" => with_path(made, "/v1/users/me/addresses".to_owned(), json!({ "alias": "Home" })).await,
            "segment" => with_path(made, "/v1/segments".to_owned(), json!({ "name": name })).await,
            "webhook" => {
                let webhook = json!({ "url": "https://example.com/" });
                with_path(made, format!("{of_segment}/webhooks"), webhook).await
            }
            "photo" | "import" => {
                let (content_type, bytes) = match kind {
                    "photo" => ("image/png", PNG),
                    _ => ("text/csv", b"email\nana@example.com\n".as_slice()),
                };
                let more = json!({ "segment_id": segment, "purpose": kind, "content_type": content_type });
                let id = upload((muster, by), more, bytes).await;
                (id.clone(), format!("/v1/uploads/{id}"))
            }
            unknown => panic!("a field names a {unknown}: say here how one is made"),
        };
        if reach == Reach::Deleted {
            let deleted = muster.delete(&path).by(by).send().await;
            assert_eq!(deleted.status, 204, "{kind}: {deleted:?}");
        }
        made
    }

    /// How a field of a route is tried. A new field has no arm, and fails the test until somebody decides.
    async fn case(&self, route: &str, field: &str) -> Case {
        let (segment, membership) = (&self.own.segment, &self.own.membership);
        let of_segment = format!("/v1/segments/{segment}");
        let email = || format!("{}@example.com", domain::UserId::fresh());
        let upload = json!({ "segment_id": segment, "filename": "a.png", "content_type": "image/png", "size": 5 });
        let kind = match field {
            "parent_id" | "user_id" | "user_ids" => "user",
            "partner_id" => "partner",
            "status_id" => "status",
            "photo_upload_id" => "photo",
            "upload_id" => "import",
            "product_id" => "product",
            "membership_id" => "membership",
            "level_id" | "level_ids" => "level",
            "catalog_id" => "catalog",
            "member_id" => "member",
            "segment_id" => "segment",
            "shipping_address_id" => "address",
            "webhook_id" => "webhook",
            other => panic!("{route} takes {other}: say here what it names"),
        };
        let (method, path, body, at) = match (route, field) {
            ("POST /v1/segments/{segment}/users", _) => {
                ("POST", format!("{of_segment}/users"), json!({ "email": email() }), "")
            }
            ("POST /v1/segments/{segment}/users/batch", _) => {
                let body = json!({ "users": [{ "email": email() }], "atomic": true });
                ("POST", format!("{of_segment}/users/batch"), body, "/users/0")
            }
            ("PATCH /v1/users/{user}", _) => {
                let user = self.make("user", Reach::Own).await;
                ("PATCH", format!("/v1/users/{user}"), json!({}), "")
            }
            ("POST /v1/memberships/{membership}/members", "product_id") => {
                let body = json!({ "user_id": self.make("user", Reach::Own).await });
                ("POST", format!("/v1/memberships/{membership}/members"), body, "")
            }
            ("POST /v1/memberships/{membership}/members", _) => {
                ("POST", format!("/v1/memberships/{membership}/members"), json!({}), "")
            }
            ("PATCH /v1/members/{member}", _) => {
                let member = json!({ "user_id": self.make("user", Reach::Own).await });
                let member = self.own.member(member).await;
                ("PATCH", member, json!({}), "")
            }
            ("POST /v1/segments/{segment}/subscriptions", "user_id") => {
                let body = json!({ "product_id": self.make("product", Reach::Own).await });
                ("POST", format!("{of_segment}/subscriptions"), body, "")
            }
            ("POST /v1/segments/{segment}/subscriptions", "product_id") => {
                let body = json!({ "user_id": self.make("user", Reach::Own).await });
                ("POST", format!("{of_segment}/subscriptions"), body, "")
            }
            ("POST /v1/segments/{segment}/products", _) => {
                ("POST", format!("{of_segment}/products"), json!({ "title": email() }), "")
            }
            (
                "PUT /v1/segments/{segment}/products/{product}" | "PATCH /v1/segments/{segment}/products/{product}",
                _,
            ) => {
                let product = self.make("product", Reach::Own).await;
                let method = if route.starts_with("PUT") { "PUT" } else { "PATCH" };
                (method, format!("{of_segment}/products/{product}"), json!({ "title": email() }), "")
            }
            ("POST /v1/memberships/{membership}/fields", _) => {
                let key = format!("k{}", NEXT.fetch_add(1, Ordering::Relaxed));
                let body = json!({ "key": key, "name": "Field", "type": "dropdown" });
                let body = match field {
                    "level_ids" => json!({ "key": key, "name": "Field", "type": "string" }),
                    _ => body,
                };
                ("POST", format!("/v1/memberships/{membership}/fields"), body, "")
            }
            ("PATCH /v1/memberships/{membership}/fields/{field}", _) => {
                let key = format!("p{}", NEXT.fetch_add(1, Ordering::Relaxed));
                let (kind, more) = match field {
                    "level_ids" => ("string", json!({})),
                    _ => ("dropdown", json!({ "options": [{ "key": "a", "value": "A" }] })),
                };
                let path = self.own.field(&key, kind, more).await;
                let body = if field == "catalog_id" { json!({ "options": null }) } else { json!({}) };
                ("PATCH", format!("{path}?force=true"), body, "")
            }
            ("POST /v1/segments", _) => ("POST", "/v1/segments".to_owned(), json!({ "name": "New" }), ""),
            ("PATCH /v1/segments/{segment}", _) => ("PATCH", of_segment, json!({}), ""),
            ("POST /v1/segments/{segment}/imports", _) => {
                ("POST", format!("{of_segment}/imports"), json!({ "format": "csv" }), "")
            }
            ("POST /v1/segments/{segment}/notifications", _) => {
                let later = domain::Time::now().plus(Duration::from_secs(3600));
                let body = json!({ "title": "Hello", "body": "Later.", "schedule": later });
                ("POST", format!("{of_segment}/notifications"), body, "")
            }
            ("POST /v1/segments/{segment}/events/{event}/replay", _) => {
                self.make("user", Reach::Own).await;
                let events = self.own.read(&format!("{of_segment}/events")).await;
                let event = events["data"][0]["id"].as_str().unwrap();
                ("POST", format!("{of_segment}/events/{event}/replay"), json!({}), "")
            }
            ("POST /v1/segments/{segment}/events/replay", _) => {
                let since = domain::Time::now().minus(Duration::from_secs(60));
                ("POST", format!("{of_segment}/events/replay"), json!({ "since": since }), "")
            }
            ("POST /v1/uploads", "user_id") => {
                let mut body = upload;
                body["purpose"] = json!("photo");
                ("POST", "/v1/uploads".to_owned(), body, "")
            }
            ("POST /v1/uploads", _) => ("POST", "/v1/uploads".to_owned(), upload, ""),
            (route, field) => panic!("{route} takes {field}: say here how it is tried"),
        };
        Case { kind, method, path, body, at }
    }

    /// Sends a case with an id.
    async fn send(&self, case: &Case, field: &str, id: &str, token: &str) -> Reply {
        let mut body = case.body.clone();
        let value = if field.ends_with("_ids") { json!([id]) } else { json!(id) };
        body.pointer_mut(case.at).unwrap()[field] = value;
        self.own.muster.call(case.method, &case.path).token(token).json(body).send().await
    }
}

async fn with_path(made: impl AsyncFn(String, Value) -> String, path: String, body: Value) -> (String, String) {
    let id = made(path.clone(), body).await;
    (id.clone(), format!("{path}/{id}"))
}

/// A segment with a membership: its owner, and their ids.
async fn segment_of(muster: &Muster, by: &Ana) -> (Ana, String, String) {
    let segment = id(&muster.made(by, "/v1/segments", json!({ "name": "Other" })).await);
    let memberships = format!("/v1/segments/{segment}/memberships");
    let membership = id(&muster.made(by, &memberships, json!({ "name": "Club" })).await);
    (by.clone(), segment, membership)
}

/// The names of the fields of a schema that hold ids.
fn id_fields(document: &Value, schema: &Value, name: &str, found: &mut BTreeSet<String>) {
    if schema["format"] == "uuid" {
        found.insert(name.to_owned());
    }
    if let Some(to) = schema["$ref"].as_str() {
        id_fields(document, document.pointer(to.trim_start_matches('#')).unwrap(), name, found);
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        id_fields(document, property, name, found);
    }
    for all in ["anyOf", "oneOf", "allOf"] {
        for one in schema[all].as_array().into_iter().flatten() {
            id_fields(document, one, name, found);
        }
    }
    if schema["items"].is_object() {
        id_fields(document, &schema["items"], name, found);
    }
}

/// Each route of `/v1` with each field of its body that holds an id.
async fn fields_with_ids(muster: &Muster) -> Vec<(String, String)> {
    let document = muster.get("/openapi.json").send().await.body;
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let mut fields = BTreeSet::new();
            id_fields(&document, schema, "", &mut fields);
            all.extend(fields.into_iter().map(|field| (format!("{} {path}", method.to_uppercase()), field)));
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn field_with_an_id_takes_only_what_the_caller_reaches() {
    let walk = Walk::start().await;
    let (mut walked, mut wrong) = (0, Vec::new());
    for (route, field) in fields_with_ids(&walk.own.muster).await {
        if PUBLIC.contains(&(route.as_str(), field.as_str())) {
            continue;
        }
        walked += 1;
        for by in ["owner", "key"] {
            // A key of a segment makes and names no other segment.
            if by == "key" && (route.starts_with("POST /v1/segments ") || route == "POST /v1/segments") {
                continue;
            }
            let token = if by == "owner" { &walk.own.ana.access } else { &walk.key };
            let mut unknown = None;
            for reach in REACHES.into_iter().rev() {
                let case = walk.case(&route, &field).await;
                let id = match (reach, case.kind) {
                    (Reach::Own, "segment") => walk.own.segment.clone(),
                    // It is another segment of the same account: its owner reaches it.
                    (Reach::OtherSegment, "segment" | "address") => continue,
                    _ => walk.make(case.kind, reach).await,
                };
                let reply = walk.send(&case, &field, &id, token).await;
                let status = reply.status.as_u16();
                let told = (status, reply.body["errors"].clone(), reply.body["detail"].clone());
                let is_right = match reach {
                    Reach::Own => reply.status.is_success(),
                    _ => matches!(status, 400 | 404 | 409) && !reply.text.contains(&id),
                };
                if reach == Reach::Unknown {
                    unknown = Some(told.clone());
                }
                let is_alike =
                    reach != Reach::ForeignAccount && reach != Reach::OtherSegment || unknown.as_ref() == Some(&told);
                if !is_right || !is_alike {
                    wrong.push(format!("{by}: {route} {field} {reach:?}: {reply:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(walked >= 25, "{walked}");
}

/// Each route of `/v1` with each parameter of its query that holds an id, but for filters, which look in what is listed.
async fn parameters_with_ids(muster: &Muster) -> Vec<String> {
    let document = muster.get("/openapi.json").send().await.body;
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap();
                if parameter["in"] == "query" && name.ends_with("_id") && name != "reference_id" {
                    all.push(format!("{} {path}?{name}", method.to_uppercase()));
                }
            }
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn parameter_with_an_id_takes_only_what_the_caller_reaches() {
    let walk = Walk::start().await;
    // A new parameter belongs here, with a try below.
    let known = ["GET /v1/users/exists?segment_id"];
    assert_eq!(parameters_with_ids(&walk.own.muster).await, known);
    for reach in REACHES {
        let segment = match reach {
            Reach::Own => walk.own.segment.clone(),
            Reach::OtherSegment => walk.other.1.clone(),
            Reach::ForeignAccount => walk.foreign.1.clone(),
            Reach::Deleted | Reach::Unknown => walk.make("segment", reach).await,
        };
        let path = format!("/v1/users/exists?email=a@example.com&segment_id={segment}");
        let status = async |token: &str| walk.own.muster.get(&path).token(token).send().await.status.as_u16();
        let by_owner = if matches!(reach, Reach::Own | Reach::OtherSegment) { 200 } else { 404 };
        let by_key = if reach == Reach::Own { 200 } else { 404 };
        assert_eq!((status(&walk.own.ana.access).await, status(&walk.key).await), (by_owner, by_key), "{reach:?}");
    }
}

/// Who may not have a photo, an answer or an import of this file: each place with each file.
#[tokio::test(flavor = "multi_thread")]
async fn user_of_a_segment_names_nothing_of_others() {
    let walk = Walk::start().await;
    let eva = walk.own.segment_user().await;
    let document = walk.own.upload(json!({ "purpose": "answer", "content_type": "application/pdf" }), PDF).await;
    let undeclared = walk.own.upload(json!({ "content_type": "image/png" }), PNG).await;
    for reach in REACHES {
        for (field, kind) in [("parent_id", "user"), ("partner_id", "partner"), ("status_id", "status")] {
            let patch = json!({ field: walk.make(kind, reach).await });
            let reply = walk.own.muster.patch("/v1/users/me", patch).by(&eva).send().await;
            assert_eq!(reply.status, 403, "{field} {reach:?}: {reply:?}");
        }
        let patch = json!({ "photo_upload_id": walk.make("photo", reach).await });
        let reply = walk.own.muster.patch("/v1/users/me", patch).by(&eva).send().await;
        let expected = if reach == Reach::Own { 200 } else { 400 };
        assert_eq!(reply.status, expected, "{reach:?}: {reply:?}");
    }
    for file in [document, undeclared, walk.make("import", Reach::Own).await] {
        let reply = walk.own.muster.patch("/v1/users/me", json!({ "photo_upload_id": file })).by(&eva).send().await;
        assert_eq!((reply.status.as_u16(), reply.errors()[0].0.as_str()), (400, "/photo_upload_id"), "{reply:?}");
    }
}
