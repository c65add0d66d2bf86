//! The scopes of keys, derived from the six documents: without one of them each operation is refused, with them it is not,
//! and what a key writes tells it nothing that it may not read.

use std::collections::BTreeMap;

use domain::field::Body as _;
use serde_json::{Value, json};

use crate::isolation::{Isolated, Route, unchanged};
use crate::system::{Call, Muster, Reply};
use crate::world::{World, id};

const ALL: [&str; 3] = ["read", "write", "admin"];

/// The ids that the documents' examples have, and what they name here.
const EXAMPLES: [(&str, &str); 11] = [
    ("0199d2a4-5c00-7000-8000-000000000001", "user"),
    ("0199d2a4-5c00-7000-8000-000000000002", "user"),
    ("0199d2a4-5c00-7000-8000-0000000000a1", "address"),
    ("0199d2a4-5c00-7000-8000-0000000005e6", "segment"),
    ("0199d2a4-5c00-7000-8000-00000000ab01", "membership"),
    ("0199d2a4-5c00-7000-8000-000000001e01", "level"),
    ("0199d2a4-5c00-7000-8000-00000000f1e1", "field"),
    ("0199d2a4-5c00-7000-8000-00000000ae01", "member"),
    ("0199d2a4-5c00-7000-8000-00000000ba01", "partner"),
    ("0199d2a4-5c00-7000-8000-000000000d01", "product"),
    ("0199d2a4-5c00-7000-8000-00000000de01", "developer"),
];

/// An operation of a dialect, with the ids of things that exist.
struct Operation {
    name: String,
    method: String,
    path: String,
    scopes: Vec<String>,
    body: Option<Value>,
}

/// What dialects work on.
struct Fixture {
    world: World,
    ids: BTreeMap<&'static str, String>,
    developer: String,
    operations: Vec<Operation>,
}

/// The thing that the last part of a path of a dialect names.
fn named(path: &str) -> &'static str {
    let kinds = [
        ("/flows/address/list/", "user"),
        ("/flows/segment/list/", "owner"),
        ("/flows/membership-custom-field-answer/list/", "member"),
        ("/flows/membership-custom-field/list/", "membership"),
        ("/flows/membership-level/list/", "membership"),
        ("/flows/membership-user/list/", "membership"),
        ("/flows/membership/list/", "segment"),
        ("/flows/address/", "address"),
        ("/flows/segment/", "segment"),
        ("/flows/upload/", "segment"),
        ("/flows/membership-custom-field/", "field"),
        ("/flows/membership-level/", "level"),
        ("/flows/membership-user/", "member"),
        ("/flows/membership/", "membership"),
        ("/flows/user/", "user"),
        ("/b2b/BusinessPartner/", "partner"),
        ("/b2b/User/", "user"),
        ("/identity/users/v1/", "usr"),
        ("/platform/push/", "notification"),
        ("/platform/ranking/", "user"),
        ("/platform/users/show-document/", "document"),
        ("/platform/users/destroy-document/", "document"),
        ("/platform/users/show-email/", "email"),
        ("/platform/users/destroy-email/", "email"),
        ("/platform/users/show-reference/", "reference"),
        ("/platform/users/destroy-reference-id/", "reference"),
        ("/platform/users/", "user"),
    ];
    kinds.iter().find(|(prefix, _)| path.starts_with(prefix)).unwrap_or_else(|| panic!("{path}")).1
}

impl Fixture {
    async fn start() -> Self {
        let world = World::start().await;
        let segment = format!("/v1/segments/{}", world.segment);
        let made =
            async |path: &str, body: Value| id(&world.muster.made(&world.ana, &format!("{segment}{path}"), body).await);
        let user = world
            .user(json!({ "email": "user@example.com", "name": "Marker", "reference_id": "erp-1",
                "identification": { "type": "DOCUMENT", "value": "39053344705" } }))
            .await;
        let address =
            world.muster.made(&world.ana, &format!("/v1/users/{user}/addresses"), json!({ "alias": "Home" })).await;
        let last = |path: String| path.rsplit('/').next().unwrap().to_owned();
        let developer = world.muster.made(&world.ana, "/v1/developers", domain::DeveloperFields::example()).await;
        let token = world.send("POST", &format!("/v1/developers/{}/token", id(&developer)), json!({})).await;
        let later = domain::Time::now().plus(std::time::Duration::from_secs(3600));
        let push = world
            .send("POST", &format!("{segment}/notifications"), json!({ "title": "a", "body": "b", "schedule": later }))
            .await;
        let ids = BTreeMap::from([
            ("level", world.level(1, 0, 9).await),
            ("field", last(world.field("bank", "text", json!({})).await)),
            ("member", last(world.member(json!({ "name": "Marker", "user_id": user })).await)),
            ("partner", made("/partners", json!({ "commercial_name": "A", "reference_id": "erp-77" })).await),
            ("product", made("/products", json!({ "title": "Course" })).await),
            ("address", id(&address)),
            ("segment", world.segment.clone()),
            ("membership", world.membership.clone()),
            ("owner", world.ana.id.clone()),
            ("usr", format!("usr-{user}")),
            ("notification", id(&push.body)),
            ("developer", id(&developer)),
            ("document", "39053344705".to_owned()),
            ("email", "user@example.com".to_owned()),
            ("reference", "erp-1".to_owned()),
            ("user", user),
        ]);
        let developer = token.body["token"].as_str().unwrap().to_owned();
        let operations = operations(&world.muster, &ids).await;
        Self { world, ids, developer, operations }
    }

    /// A key of the account, and one of the segment: ids and secrets.
    async fn keys(&self, scopes: &[&str]) -> [(String, String); 2] {
        let keys = [self.world.muster.key(&self.world.ana, "/v1/keys", scopes).await, self.world.key(scopes).await];
        for (_, secret) in &keys {
            // The first use is noted in the table.
            self.world.muster.get("/v1/users/me").token(secret).send().await;
        }
        // So is that of the developer.
        let call =
            self.world.muster.get("/platform/products/all-products").header("x-developer-token", &self.developer);
        call.header("x-platform-token", &keys[1].1).send().await;
        keys
    }

    /// Sends an operation by one of the keys; a segment that its example switches off is switched on again.
    async fn send(&self, operation: &Operation, keys: &[(String, String); 2]) -> Reply {
        let reply = self.call(operation, keys).send().await;
        if operation.name == "PUT /flows/segment/{id}" {
            let path = format!("/v1/segments/{}", self.world.segment);
            assert_eq!(self.world.send("PATCH", &path, json!({ "status": true })).await.status, 200);
        }
        reply
    }

    /// The operation as its dialect's clients send it, by one of the keys.
    fn call<'a>(&'a self, operation: &Operation, [account, segment]: &[(String, String); 2]) -> Call<'a> {
        let call = self.world.muster.call(&operation.method, &operation.path);
        let call = match &operation.body {
            Some(body) => call.json(body.clone()),
            None => call,
        };
        match operation.path.split('/').nth(1).unwrap() {
            "calls" => call.header("api-id", &account.0).header("api-token", &account.1),
            "platform" if operation.name.ends_with("/register") || operation.name.ends_with("/generate-token") => {
                call.token(&account.1)
            }
            "platform" => call.header("x-developer-token", &self.developer).header("x-platform-token", &segment.1),
            "flows" => call.token(&account.1),
            _ => call.token(&segment.1),
        }
    }
}

/// The private operations of the five dialects.
async fn operations(muster: &Muster, ids: &BTreeMap<&'static str, String>) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (_, document, _) in dialects::documents() {
        let document = muster.get(document).send().await.body;
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let Some(scopes) = operation["x-key-scopes"].as_array() else {
                    let security = operation["security"].as_array().unwrap();
                    assert!(security.iter().all(|one| one == &json!({})), "{method} {path} documents no scopes");
                    continue;
                };
                if path.contains("/{dev}/{plat}") {
                    continue;
                }
                let scopes = scopes.iter().map(|scope| scope.as_str().unwrap().to_owned()).collect();
                let content = &operation["requestBody"]["content"]["application/json"];
                let first = content["examples"].as_object().and_then(|all| all.values().next());
                let body = first.map_or(&content["example"], |first| &first["value"]).to_string();
                let body = EXAMPLES.iter().fold(body, |body, (example, kind)| body.replace(example, &ids[kind]));
                let body: Value = serde_json::from_str(&body).unwrap();
                let filled = match path.find('{') {
                    Some(at) => format!("{}{}", &path[..at], ids[named(path)]),
                    None if path.ends_with("/updateFrom") => format!("{path}?date=2026-01-01"),
                    None => path.clone(),
                };
                let name = format!("{} {path}", method.to_uppercase());
                let body = (!body.is_null()).then_some(body);
                operations.push(Operation { name, method: method.to_uppercase(), path: filled, scopes, body });
            }
        }
    }
    operations
}

/// Whether a dialect's answer says that the key may not do this.
fn is_forbidden(operation: &str, reply: &Reply) -> bool {
    if operation.contains("/calls/") {
        return reply.body["success"] == false && reply.text.contains("scope");
    }
    [401, 403].contains(&reply.status.as_u16())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operation_of_each_dialect_needs_each_of_its_scopes() {
    let fixture = Fixture::start().await;
    let mut without = BTreeMap::new();
    for scope in ALL {
        let others: Vec<_> = ALL.into_iter().filter(|other| *other != scope).collect();
        without.insert(scope, fixture.keys(&others).await);
    }
    let before = fixture.world.muster.lasting().await;
    let mut tried = 0;
    for operation in &fixture.operations {
        for scope in &operation.scopes {
            let reply = fixture.call(operation, &without[scope.as_str()]).send().await;
            assert!(is_forbidden(&operation.name, &reply), "{} without {scope}: {reply:?}", operation.name);
            tried += 1;
        }
    }
    unchanged(&before, &fixture.world.muster.lasting().await);
    assert!(tried > 50, "{tried}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operation_of_each_dialect_needs_no_other_scope() {
    let fixture = Fixture::start().await;
    let order = |operation: &&Operation| match operation.method.as_str() {
        // It ends the token that the others are sent with.
        _ if operation.name.ends_with("/generate-token") => 3,
        // All that is left goes with it.
        _ if operation.name.starts_with("DELETE /flows/segment/") => 4,
        "GET" => 0,
        "DELETE" => 2,
        _ => 1,
    };
    let mut operations: Vec<_> = fixture.operations.iter().filter(|operation| !operation.scopes.is_empty()).collect();
    operations.sort_by_key(order);
    for operation in operations {
        let scopes: Vec<_> = operation.scopes.iter().map(String::as_str).collect();
        let reply = fixture.send(operation, &fixture.keys(&scopes).await).await;
        assert!(!is_forbidden(&operation.name, &reply), "{}: {reply:?}", operation.name);
    }
    assert!(fixture.ids.len() > 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_action_of_calls_needs_its_scope() {
    let fixture = Fixture::start().await;
    let user = &fixture.ids["user"];
    let number = fixture.world.call("POST", &format!("/v1/users/{user}/number")).send().await.body["number"].clone();
    let segment = fixture.world.read(&format!("/v1/segments/{}", fixture.world.segment)).await["number"].clone();
    for (action, scope) in [
        ("create", "write"),
        ("create_child", "write"),
        ("login", "admin"),
        ("update", "write"),
        ("add_product", "write"),
        ("add_email", "write"),
        ("set_status", "write"),
        ("get_info", "read"),
        ("get_user_list", "read"),
    ] {
        let others: Vec<_> = ALL.into_iter().filter(|other| *other != scope).collect();
        let doc = json!({ "main_email": "new@example.com", "first_name": "New", "status_id": 1 });
        let body = json!({ "action": action, "group_id": segment, "clogin_id": number, "doc": doc });
        let operation = Operation {
            name: "POST /calls/users/".to_owned(),
            method: "POST".to_owned(),
            path: "/calls/users/".to_owned(),
            scopes: Vec::new(),
            body: Some(body),
        };
        let reply = fixture.call(&operation, &fixture.keys(&others).await).send().await;
        assert!(is_forbidden(&operation.name, &reply), "{action} without {scope}: {reply:?}");
        assert!(!reply.text.contains("Marker"), "{action}: {reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operation_of_v1_needs_no_other_scope_than_it_documents() {
    let isolated = Isolated::start().await;
    let muster = &isolated.world.muster;
    let order = |route: &&Route| match route.method.as_str() {
        "GET" => 0,
        "DELETE" => 2,
        _ => 1,
    };
    let mut routes: Vec<_> = isolated.routes.iter().filter(|route| !route.scopes.is_empty()).collect();
    routes.sort_by_key(order);
    for route in routes {
        let scopes: Vec<_> = route.scopes.iter().map(String::as_str).collect();
        let (_, account) = muster.key(&isolated.world.ana, "/v1/keys", &scopes).await;
        let reply = route.call(muster).token(&account).send().await;
        // Nobody's password but one's own is changed by the old one, and no key has sessions.
        let of_session = reply.body["detail"] == "A key cannot do this; log in as the user.";
        // The example asks for more scopes than the key has.
        let gives_more = route.name.ends_with("/keys");
        assert!(reply.status != 403 || of_session || gives_more, "{} {reply:?}", route.name);
    }
}

/// What writes may answer a key without `read`.
const LEAST: [&str; 12] = [
    "id",
    "version",
    "data",
    "results",
    "secret",
    "token",
    "url",
    "method",
    "headers",
    "expires_at",
    "message",
    "status",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_the_scope_is_not_told_whom_a_look_up_finds() {
    let world = World::start().await;
    let developer = crate::walk::new_developer(&world.muster, &world.ana).await;
    world.user(json!({ "email": "eva@example.com", "reference_id": "R1", "username": "eva" })).await;
    let (_, blind) = world.key(&["write"]).await;
    for (method, path) in [
        ("GET", "users/show-email/"),
        ("DELETE", "users/destroy-email/"),
        ("GET", "users/show-reference/"),
        ("DELETE", "users/destroy-reference-id/"),
    ] {
        for named in ["eva@example.com", "R1", "nobody@example.com"] {
            let call = world.muster.call(method, &format!("/platform/{path}{named}"));
            let reply = call.header("x-platform-token", &blind).header("x-developer-token", &developer).send().await;
            assert_eq!(reply.status, 403, "{method} {path}{named} {reply:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_and_versions_in_the_answers_of_writes_belong_together() {
    let world = World::start().await;
    let member = world.member(json!({ "name": "Ana" })).await;
    let (_, blind) = world.key(&["write", "admin"]).await;
    let send = async |path: &str, body: Value| world.muster.post(path, body).token(&blind).send().await;
    let award = send(&format!("{member}/points"), json!({ "delta": 1, "reason": "x" })).await;
    let awards = world.read(&format!("{member}/points")).await;
    assert_eq!(award.body, json!({ "id": awards["data"][0]["id"], "version": 1 }), "{award:?}");
    let path = format!("/v1/segments/{}/notifications", world.segment);
    let told = send(&path, json!({ "title": "t", "body": "b", "data": { "screen": "card" } })).await;
    assert_eq!(told.body.as_object().unwrap().keys().collect::<Vec<_>>(), ["id", "version"], "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_of_a_key_without_read_answer_ids_and_versions() {
    let isolated = Isolated::start().await;
    let muster = &isolated.world.muster;
    let (_, blind) = muster.key(&isolated.world.ana, "/v1/keys", &["write", "admin"]).await;
    let mut answered = 0;
    let writes = isolated.routes.iter().filter(|route| !["GET", "DELETE"].contains(&route.method.as_str()));
    for route in writes {
        let send =
            || route.call(muster).token(&blind).header("idempotency-key", &route.name.replace([' ', '/'], "-")).send();
        let (first, again) = (send().await, send().await);
        if !first.status.is_success() || first.body.is_null() {
            continue;
        }
        answered += 1;
        let is_kept = ["POST", "PATCH"].contains(&route.method.as_str());
        assert!(!is_kept || first.body == again.body, "{}: a replay tells no more: {again:?}", route.name);
        let names: Vec<_> = first.body.as_object().unwrap().keys().map(String::as_str).collect();
        assert!(names.iter().all(|name| LEAST.contains(name)), "{} {first:?}", route.name);
        let rows = ["data", "results"].iter().flat_map(|list| first.body[list].as_array().into_iter().flatten());
        for row in rows {
            let names = ["index", "status", "id", "version", "error"];
            assert!(row.as_object().unwrap().keys().all(|name| names.contains(&name.as_str())), "{} {row}", route.name);
        }
    }
    assert!(answered > 20, "{answered}");
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_of_dialects_tell_a_key_without_read_nothing_of_what_is_kept() {
    let fixture = Fixture::start().await;
    let keys = fixture.keys(&["write", "admin"]).await;
    let (mut answered, user) = (0, &fixture.ids["user"]);
    let writes =
        fixture.operations.iter().filter(|operation| ["PUT", "POST", "PATCH"].contains(&operation.method.as_str()));
    for operation in writes {
        let reply = fixture.send(operation, &keys).await;
        for kept in ["Marker", "user@example.com", "39053344705", "erp-1\""] {
            let sent = operation.body.as_ref().is_some_and(|body| body.to_string().contains(kept));
            assert!(sent || !reply.text.contains(kept), "{}: {kept} in {reply:?}", operation.name);
        }
        answered += u32::from(reply.status.is_success());
    }
    let reply = fixture.world.muster.call("PATCH", &format!("/identity/users/v1/usr-{user}")).token(&keys[1].1);
    let reply = reply.json(json!({ "data": { "last_name": "New" } })).send().await;
    assert_eq!((reply.status.as_u16(), &reply.body), (200, &json!({ "data": { "id": format!("usr-{user}") } })));
    let reply = fixture.world.muster.call("PUT", &format!("/b2b/User/update/{user}")).token(&keys[1].1);
    let reply = reply.header("accept", "application/xml").json(json!({ "name": "New" })).send().await;
    assert!(reply.status == 200 && !reply.text.contains("erp-1"), "{reply:?}");
    assert!(answered > 10, "{answered}");
}
