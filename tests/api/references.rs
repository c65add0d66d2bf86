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

/// Fields that never change: whatever id they are sent, it is refused.
const FIXED: [(&str, &str); 3] = [
    ("PATCH /v1/segments/{segment}/products/{product}", "membership_id"),
    ("PATCH /v1/subscriptions/{subscription}", "product_id"),
    ("PATCH /v1/subscriptions/{subscription}", "user_id"),
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
        let (collection, body) = match thing(kind, (segment, membership)) {
            Some((collection, body)) => (collection, body),
            None => return self.file(kind, by, segment, reach).await,
        };
        let made = id(&muster.made(by, &collection, body).await);
        let path = match kind {
            "user" => format!("/v1/users/{made}"),
            "membership" => format!("/v1/memberships/{made}"),
            "member" => format!("/v1/members/{made}"),
            _ => format!("{collection}/{made}"),
        };
        self.deleted_if(reach, (by, &path)).await;
        made
    }

    /// The id of a new file.
    async fn file(&self, kind: &str, by: &Ana, segment: &str, reach: Reach) -> String {
        let (content_type, bytes) = match kind {
            "photo" => ("image/png", PNG),
            "import" => ("text/csv", b"email\nana@example.com\n".as_slice()),
            unknown => panic!("a field names a {unknown}: say here how one is made"),
        };
        let more = json!({ "segment_id": segment, "purpose": kind, "content_type": content_type });
        let file = upload((&self.own.muster, by), more, bytes).await;
        self.deleted_if(reach, (by, &format!("/v1/uploads/{file}"))).await;
        file
    }

    async fn deleted_if(&self, reach: Reach, (by, path): (&Ana, &str)) {
        if reach == Reach::Deleted {
            let deleted = self.own.muster.delete(path).by(by).send().await;
            assert_eq!(deleted.status, 204, "{path}: {deleted:?}");
        }
    }

    /// How a field of a route is tried. A new field has no arm, and fails the test until somebody decides.
    async fn case(&self, route: &str, field: &str) -> Case {
        let kind = kind(route, field);
        let found = match self.case_of_users(route).await {
            None => self.case_of_members(route, field).await,
            found => found,
        };
        let found = match found {
            None => self.case_of_segments(route, field).await,
            found => found,
        };
        let Some((method, path, body, at)) = found else { panic!("{route} takes {field}: say here how it is tried") };
        Case { kind, method, path, body, at }
    }

    async fn case_of_users(&self, route: &str) -> Option<Request> {
        let users = format!("/v1/segments/{}/users", self.own.segment);
        Some(match route {
            "POST /v1/segments/{segment}/users" => ("POST", users, json!({ "email": email() }), ""),
            "POST /v1/segments/{segment}/users/batch" => {
                let body = json!({ "users": [{ "email": email() }], "atomic": true });
                ("POST", format!("{users}/batch"), body, "/users/0")
            }
            "PATCH /v1/users/{user}" => {
                let user = self.make("user", Reach::Own).await;
                ("PATCH", format!("/v1/users/{user}"), json!({}), "")
            }
            _ => return None,
        })
    }

    async fn case_of_members(&self, route: &str, field: &str) -> Option<Request> {
        let (members, fields) = (self.own.path("/members"), self.own.path("/fields"));
        let subscriptions = format!("/v1/segments/{}/subscriptions", self.own.segment);
        Some(match (route, field) {
            ("POST /v1/memberships/{membership}/members", "product_id") => {
                ("POST", members, json!({ "user_id": self.make("user", Reach::Own).await }), "")
            }
            ("POST /v1/memberships/{membership}/members", _) => ("POST", members, json!({}), ""),
            ("PATCH /v1/members/{member}", _) => {
                let member = json!({ "user_id": self.make("user", Reach::Own).await });
                ("PATCH", self.own.member(member).await, json!({}), "")
            }
            ("POST /v1/segments/{segment}/subscriptions", "user_id") => {
                ("POST", subscriptions, json!({ "product_id": self.make("product", Reach::Own).await }), "")
            }
            ("POST /v1/segments/{segment}/subscriptions", "product_id") => {
                ("POST", subscriptions, json!({ "user_id": self.make("user", Reach::Own).await }), "")
            }
            ("PATCH /v1/subscriptions/{subscription}", _) => {
                let (user, product) = (self.make("user", Reach::Own).await, self.make("product", Reach::Own).await);
                let made = json!({ "user_id": user, "product_id": product });
                let made = id(&self.own.muster.made(&self.own.ana, &subscriptions, made).await);
                ("PATCH", format!("/v1/subscriptions/{made}"), json!({}), "")
            }
            ("POST /v1/memberships/{membership}/fields", _) => {
                let kind = if field == "level_ids" { "string" } else { "dropdown" };
                ("POST", fields, json!({ "key": key(), "name": "Field", "type": kind }), "")
            }
            ("PATCH /v1/memberships/{membership}/fields/{field}", "level_ids") => {
                ("PATCH", self.own.field(&key(), "string", json!({})).await, json!({}), "")
            }
            ("PATCH /v1/memberships/{membership}/fields/{field}", _) => {
                let options = json!({ "options": [{ "key": "a", "value": "A" }] });
                let path = self.own.field(&key(), "dropdown", options).await;
                ("PATCH", format!("{path}?force=true"), json!({ "options": null }), "")
            }
            _ => return None,
        })
    }

    async fn case_of_segments(&self, route: &str, field: &str) -> Option<Request> {
        let of_segment = format!("/v1/segments/{}", self.own.segment);
        let upload =
            json!({ "segment_id": self.own.segment, "filename": "a.png", "content_type": "image/png", "size": 5 });
        Some(match (route, field) {
            ("POST /v1/segments", _) => ("POST", "/v1/segments".to_owned(), json!({ "name": "New" }), ""),
            ("PATCH /v1/segments/{segment}", _) => ("PATCH", of_segment, json!({}), ""),
            ("POST /v1/segments/{segment}/products", _) => {
                ("POST", format!("{of_segment}/products"), json!({ "title": email() }), "")
            }
            ("PATCH /v1/segments/{segment}/products/{product}", _) => {
                let product = self.make("product", Reach::Own).await;
                ("PATCH", format!("{of_segment}/products/{product}"), json!({}), "")
            }
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
            _ => return None,
        })
    }

    /// Sends a case with an id.
    async fn send(&self, case: &Case, field: &str, id: &str, token: &str) -> Reply {
        let mut body = case.body.clone();
        let value = if field.ends_with("_ids") { json!([id]) } else { json!(id) };
        body.pointer_mut(case.at).unwrap()[field] = value;
        self.own.muster.call(case.method, &case.path).token(token).json(body).send().await
    }
}

/// A request: its method and path, its body without the field, and where in the body the field goes.
type Request = (&'static str, String, Value, &'static str);

fn email() -> String {
    format!("{}@example.com", domain::UserId::fresh())
}

/// The key of a field that there is not yet.
fn key() -> String {
    format!("k{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// What a field names.
fn kind(route: &str, field: &str) -> &'static str {
    match field {
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
    }
}

/// Where a thing is made, and by which body; nothing for a file.
fn thing(kind: &str, (segment, membership): (&str, &str)) -> Option<(String, Value)> {
    let (of_segment, of_membership) = (format!("/v1/segments/{segment}"), format!("/v1/memberships/{membership}"));
    let name = domain::UserId::fresh().to_string();
    Some(match kind {
        "user" => (format!("{of_segment}/users"), json!({ "email": email() })),
        "partner" => (format!("{of_segment}/partners"), json!({ "commercial_name": name })),
        "status" => (format!("{of_segment}/statuses"), json!({ "name": name })),
        "catalog" => {
            let options = json!([{ "key": "a", "value": "A" }]);
            (format!("{of_segment}/catalogs"), json!({ "name": name, "options": options }))
        }
        "membership" => (format!("{of_segment}/memberships"), json!({ "name": name })),
        "product" => (format!("{of_segment}/products"), json!({ "title": name, "membership_id": membership })),
        "level" => {
            let from = NEXT.fetch_add(1, Ordering::Relaxed);
            let level = json!({ "name": name, "number": from, "from_point": from, "to_point": from });
            (format!("{of_membership}/levels"), level)
        }
        "member" => (format!("{of_membership}/members"), json!({ "name": "Ana" })),
        "address" => ("/v1/users/me/addresses".to_owned(), json!({ "alias": "Home" })),
        "segment" => ("/v1/segments".to_owned(), json!({ "name": name })),
        "webhook" => (format!("{of_segment}/webhooks"), json!({ "url": "https://example.com/" })),
        _ => return None,
    })
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

impl Walk {
    /// Tries a field with an id of each reach: what went wrong.
    async fn try_field(&self, (route, field): (&str, &str), by: &str) -> Vec<String> {
        let token = if by == "owner" { &self.own.ana.access } else { &self.key };
        let (mut unknown, mut wrong) = (None, Vec::new());
        for reach in REACHES.into_iter().rev() {
            let case = self.case(route, field).await;
            let id = match (reach, case.kind) {
                (Reach::Own, "segment") => self.own.segment.clone(),
                // It is another segment of the same account: its owner reaches it.
                (Reach::OtherSegment, "segment" | "address") => continue,
                _ => self.make(case.kind, reach).await,
            };
            let reply = self.send(&case, field, &id, token).await;
            let told = (reply.status.as_u16(), reply.body["errors"].clone(), reply.body["detail"].clone());
            let is_right = if reach == Reach::Own && !FIXED.contains(&(route, field)) {
                reply.status.is_success()
            } else {
                matches!(told.0, 400 | 404 | 409) && !reply.text.contains(&id)
            };
            if reach == Reach::Unknown {
                unknown = Some(told.clone());
            }
            // The owner of an account may be told that a thing is in another segment of it.
            let is_hidden = reach == Reach::ForeignAccount || (reach == Reach::OtherSegment && by == "key");
            if !is_right || (is_hidden && unknown.as_ref() != Some(&told)) {
                wrong.push(format!("{by}: {route} {field} {reach:?}: {} {}", reply.status, reply.text));
            }
        }
        wrong
    }
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
        wrong.extend(walk.try_field((&route, &field), "owner").await);
        // A key of a segment makes no segments.
        if route != "POST /v1/segments" {
            wrong.extend(walk.try_field((&route, &field), "key").await);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(walked >= 30, "{walked}");
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
