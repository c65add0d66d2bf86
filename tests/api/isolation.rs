//! Every route of the OpenAPI document under `/v1`, asked by those whom it is none of the business of: each is refused,
//! and nothing changes.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::field::Body as _;
use local::Options;
use serde_json::{Value, json};

use crate::imports::{begun_export, begun_import};
use crate::routes::is_public;
use crate::system::{Ana, Call, Muster, PASSWORD, Reply};
use crate::world::{World, id};

/// A route, with what a request to it needs.
pub(crate) struct Route {
    pub(crate) name: String,
    pub(crate) method: String,
    pub(crate) path: String,
    /// The scopes that the document says a key needs.
    pub(crate) scopes: Vec<String>,
    pub(crate) body: Option<Value>,
    /// The parameters of its query.
    pub(crate) query: Vec<String>,
}

/// A world with one of everything, and every private route with the ids of that.
pub(crate) struct Isolated {
    pub(crate) world: World,
    pub(crate) routes: Vec<Route>,
    /// The ids of one of everything, by the names of path parameters.
    pub(crate) ids: BTreeMap<&'static str, String>,
}

/// Private routes that name nothing in their path: they are about the caller's own things, or everybody's.
const OWN: [&str; 11] = [
    "GET /v1/audit",
    "GET /v1/developers",
    "GET /v1/keys",
    "GET /v1/languages",
    "GET /v1/segments",
    "GET /v1/users/exists",
    "POST /v1/auth/logout",
    "POST /v1/developers",
    "POST /v1/keys",
    "POST /v1/segments",
    "POST /v1/uploads",
];

impl Isolated {
    pub(crate) async fn start() -> Self {
        // Nothing else may change the table meanwhile.
        let still = Duration::from_secs(3600);
        let options = Options { reconcile_every: still, transfer_every: still, ..Options::default() };
        let open = json!({ "name": "Club", "self_enrolment": true });
        let world = World::on(Muster::with(options).await, open).await;
        let mut ids = one_of_everything(&world).await;
        ids.insert("import", begun_import(&world.muster, &world.ana, &world.segment).await);
        ids.insert("notification", begun_notification(&world).await);
        ids.insert("export", begun_export(&world.muster, &world.ana, &world.segment).await);
        let document = world.muster.get("/openapi.json").send().await.body;
        let mut routes = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let public = is_public(operation);
                if path.starts_with("/v1/") && !public {
                    routes.push(Route::new(path, method, operation, &ids));
                }
            }
        }
        assert!(routes.len() >= 79, "{}", routes.len());
        Self { world, routes, ids }
    }

    /// Asks all routes that name something, each as `by` says; `expected` are the statuses that are good.
    async fn refuses<'a>(
        &'a self,
        by: impl Fn(Call<'a>, &Route) -> Option<Call<'a>>,
        expected: impl Fn(&Route) -> Vec<u16>,
    ) {
        let before = self.world.muster.lasting().await;
        for route in &self.routes {
            let Some(call) = by(route.call(&self.world.muster), route) else { continue };
            let reply = call.send().await;
            let expected = expected(route);
            assert!(expected.contains(&reply.status.as_u16()), "{} {expected:?} {reply:?}", route.name);
            tells_nothing(route, &reply);
        }
        unchanged(&before, &self.world.muster.lasting().await);
    }
}

/// The whole table is as it was.
pub(crate) fn unchanged(before: &[String], after: &[String]) {
    let gone: Vec<_> = before.iter().filter(|item| !after.contains(item)).collect();
    let new: Vec<_> = after.iter().filter(|item| !before.contains(item)).collect();
    assert!(gone.is_empty() && new.is_empty() && before.len() == after.len(), "{gone:#?} became {new:#?}");
}

impl Route {
    fn new(path: &str, method: &str, operation: &Value, ids: &BTreeMap<&str, String>) -> Self {
        let name = format!("{} {path}", method.to_uppercase());
        let mut filled = path.to_owned();
        for (parameter, id) in ids {
            filled = filled.replace(&format!("{{{parameter}}}"), id);
        }
        if name == "GET /v1/users/exists" {
            filled.push_str("?email=nobody@example.com");
        }
        assert!(!filled.contains('{'), "{name} names something that the test does not have");
        let body = operation.get("requestBody").map(|body| body["content"]["application/json"]["example"].clone());
        let body = body.map(|mut body| {
            for (field, named) in [("segment_id", "segment"), ("member_id", "member")] {
                if body.get(field).is_some() {
                    body[field] = json!(ids[named]);
                }
            }
            body
        });
        let scopes = operation["x-key-scopes"].as_array().unwrap().iter();
        let scopes = scopes.map(|scope| scope.as_str().unwrap().to_owned()).collect();
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let query = parameters.filter(|parameter| parameter["in"] == "query").map(|parameter| &parameter["name"]);
        let query = query.map(|name| name.as_str().unwrap().to_owned()).collect();
        Self { name, method: method.to_uppercase(), path: filled, scopes, body, query }
    }

    pub(crate) fn call<'a>(&self, muster: &'a Muster) -> Call<'a> {
        let call = muster.call(&self.method, &self.path);
        match &self.body {
            Some(body) => call.json(body.clone()),
            None => call,
        }
    }

    fn is_own(&self) -> bool {
        OWN.contains(&self.name.as_str())
    }
}

/// The ids of one of everything that a path can name.
async fn one_of_everything(world: &World) -> BTreeMap<&'static str, String> {
    let segment = format!("/v1/segments/{}", world.segment);
    let of = |path: String| path.rsplit('/').next().unwrap().to_owned();
    let options = json!([{ "key": "a", "value": "A" }]);
    let catalogs = format!("{segment}/catalogs");
    let catalog = world.muster.made(&world.ana, &catalogs, json!({ "name": "C", "options": options })).await;
    let status = world.muster.made(&world.ana, &format!("{segment}/statuses"), json!({ "name": "New" })).await;
    let partners = format!("{segment}/partners");
    let partner = world.muster.made(&world.ana, &partners, json!({ "commercial_name": "A" })).await;
    let product = world.muster.made(&world.ana, &format!("{segment}/products"), json!({ "title": "Course" })).await;
    let developer = world.muster.made(&world.ana, "/v1/developers", domain::DeveloperFields::example()).await;
    let field = world.field("bank", "dropdown", json!({ "options": options, "searchable": true })).await;
    let level = world.level(1, 0, 9).await;
    let member = world.member(json!({ "name": "Ana", "user_id": world.ana.id, "answers": { "bank": "a" } })).await;
    world.award(&member, 5).await;
    let subscription = json!({ "user_id": world.ana.id, "product_id": id(&product) });
    let subscription = world.muster.made(&world.ana, &format!("{segment}/subscriptions"), subscription).await;
    let upload =
        json!({ "segment_id": world.segment, "filename": "a.pdf", "content_type": "application/pdf", "size": 5 });
    let upload = world.muster.made(&world.ana, "/v1/uploads", upload).await;
    let [user, address, device, session] = user_with_things(world, &segment).await;
    let (event, webhook) = event_and_webhook(world, &segment).await;
    BTreeMap::from([
        ("event", event),
        ("webhook", webhook),
        ("user", user),
        ("device", device),
        ("session", session),
        ("address", address),
        ("segment", world.segment.clone()),
        ("catalog", id(&catalog)),
        ("status", id(&status)),
        ("partner", id(&partner)),
        ("product", id(&product)),
        ("key", world.key(&["read"]).await.0),
        ("developer", id(&developer)),
        ("membership", world.membership.clone()),
        ("level", level),
        ("field", of(field)),
        ("member", of(member)),
        ("subscription", id(&subscription)),
        ("upload", id(&upload)),
    ])
}

/// The ids of a user of the segment, and of an address, a device and a session that it has.
async fn user_with_things(world: &World, segment: &str) -> [String; 4] {
    let made = async |path: String, body| id(&world.muster.made(&world.ana, &path, body).await);
    let user = made(format!("{segment}/users"), json!({ "email": "user@example.com", "password": PASSWORD })).await;
    let address = made(format!("/v1/users/{user}/addresses"), json!({ "alias": "Home" })).await;
    let device = json!({ "platform": "fcm", "token": "a-token-of-a-phone" });
    let device = made(format!("/v1/users/{user}/devices"), device).await;
    let login = json!({ "email": "user@example.com", "password": PASSWORD, "segment_id": world.segment });
    assert_eq!(world.muster.post("/v1/auth/login", login).send().await.status, 200);
    let session = id(&world.read(&format!("/v1/users/{user}/sessions")).await["data"][0]);
    [user, address, device, session]
}

/// A notification that nobody sends while a test runs: its id.
async fn begun_notification(world: &World) -> String {
    let later = domain::Time::now().plus(Duration::from_secs(24 * 3600));
    let body = json!({ "title": "Hello", "body": "Later.", "schedule": later });
    let begun = world.send("POST", &format!("/v1/segments/{}/notifications", world.segment), body).await;
    assert_eq!(begun.status, 202, "{begun:?}");
    id(&begun.body)
}

/// The ids of an event of the segment, and of a webhook that is sent none.
async fn event_and_webhook(world: &World, segment: &str) -> (String, String) {
    let body = json!({ "url": "https://example.com/", "status": "DISABLED" });
    let webhook = world.muster.made(&world.ana, &format!("{segment}/webhooks"), body).await;
    (id(&world.read(&format!("{segment}/events")).await["data"][0]), id(&webhook))
}

/// A refusal is an error, and no object.
fn tells_nothing(route: &Route, reply: &Reply) {
    if reply.status.is_client_error() {
        for member in ["id", "data", "name", "secret"] {
            assert!(reply.body.get(member).is_none(), "{} {reply:?}", route.name);
        }
    }
}

/// A key's secret that has been used already: the first use is noted in the table.
async fn used(muster: &Muster, by: &Ana, path: &str, scopes: &[&str]) -> String {
    let (_, secret) = muster.key(by, path, scopes).await;
    muster.get("/v1/users/me").token(&secret).send().await;
    secret
}

/// Without this, all of the others could be asking for what is not there.
#[tokio::test(flavor = "multi_thread")]
async fn the_owner_reads_all_that_the_others_do_not() {
    let isolated = Isolated::start().await;
    for route in isolated.routes.iter().filter(|route| route.method == "GET") {
        let reply = route.call(&isolated.world.muster).by(&isolated.world.ana).send().await;
        // The file that was begun has not arrived, and the others are not written.
        let expected = if route.name.ends_with("/content") || route.name.ends_with("/report") { 409 } else { 200 };
        assert_eq!(reply.status, expected, "{} {reply:?}", route.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_credential_every_private_route_is_401() {
    let isolated = Isolated::start().await;
    isolated.refuses(|call, _| Some(call), |_| vec![401]).await;
    let nobodys = edge::KeySecret::fresh(domain::KeyId::fresh(), domain::UserId::fresh(), None).unwrap();
    let (revoked, secret) = isolated.world.key(&["read", "write", "admin"]).await;
    let path = format!("/v1/segments/{}/keys/{revoked}", isolated.world.segment);
    assert_eq!(isolated.world.call("DELETE", &path).send().await.status, 204);
    for wrong in ["nonsense", "mk_nonsense", nobodys.reveal(), &secret] {
        isolated.refuses(|call, _| Some(call.token(wrong)), |_| vec![401]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_accounts_user_and_keys_find_nothing_anywhere() {
    let isolated = Isolated::start().await;
    let muster = &isolated.world.muster;
    let eve = muster.ana().await;
    muster.made(&eve, "/v1/segments", json!({ "name": "Hers" })).await;
    let key = used(muster, &eve, "/v1/keys", &["read", "write", "admin"]).await;
    let readable = |route: &Route| {
        // Whoever has signed in may read a membership that people join by themselves, see itself in the list, and join.
        let open = [
            "GET /v1/memberships/{membership}",
            "GET /v1/memberships/{membership}/levels",
            "GET /v1/memberships/{membership}/levels/{level}",
            "GET /v1/memberships/{membership}/fields",
            "GET /v1/memberships/{membership}/fields/{field}",
            "GET /v1/memberships/{membership}/members",
            "POST /v1/memberships/{membership}/members",
        ];
        open.contains(&route.name.as_str())
    };
    let asked = |route: &Route| route.name == "POST /v1/uploads" || !route.is_own();
    isolated
        .refuses(|call, route| (asked(route) && !readable(route)).then(|| call.token(&eve.access)), |_| vec![404])
        .await;
    isolated.refuses(|call, route| asked(route).then(|| call.token(&key)), |_| vec![404]).await;
    let closed = isolated.world.send("PATCH", &isolated.world.path(""), json!({ "self_enrolment": false })).await;
    assert_eq!(closed.status, 200);
    isolated.refuses(|call, route| asked(route).then(|| call.token(&eve.access)), |_| vec![404]).await;
    for path in ["/v1/segments", "/v1/keys"] {
        for token in [&eve.access, &key] {
            let reply = muster.get(path).token(token).send().await;
            assert!(reply.status == 200 && !reply.text.contains(&isolated.world.ana.id), "{reply:?}");
            assert!(!reply.text.contains(&isolated.world.segment), "{reply:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_segments_key_finds_nothing_and_has_no_account() {
    let isolated = Isolated::start().await;
    let (muster, ana) = (&isolated.world.muster, &isolated.world.ana);
    let other = muster.made(ana, "/v1/segments", json!({ "name": "Other" })).await;
    let path = format!("/v1/segments/{}/keys", id(&other));
    let key = used(muster, ana, &path, &["read", "write", "admin"]).await;
    let expected = |route: &Route| match route.name.as_str() {
        name if name.contains("/v1/developers") => vec![403],
        "GET /v1/audit" => vec![403],
        "GET /v1/keys" | "POST /v1/keys" | "DELETE /v1/keys/{key}" | "GET /v1/segments" | "POST /v1/segments" => {
            vec![403]
        }
        "POST /v1/auth/logout" => vec![403],
        // Whether somebody exists, and which languages there are, may be asked with any credential that holds.
        "GET /v1/users/exists" | "GET /v1/languages" => vec![200],
        _ => vec![404],
    };
    isolated.refuses(|call, _| Some(call.token(&key)), expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_the_scope_is_told_so_and_changes_nothing() {
    let isolated = Isolated::start().await;
    let (muster, ana) = (&isolated.world.muster, &isolated.world.ana);
    let keys = format!("/v1/segments/{}/keys", isolated.world.segment);
    for path in [keys.as_str(), "/v1/keys"] {
        let mut without = BTreeMap::new();
        for scope in ["read", "write", "admin"] {
            let others: Vec<_> = ["read", "write", "admin"].into_iter().filter(|other| *other != scope).collect();
            without.insert(scope, used(muster, ana, path, &others).await);
        }
        let before = muster.lasting().await;
        let missing = isolated.routes.iter().flat_map(|route| route.scopes.iter().map(move |scope| (route, scope)));
        for (route, scope) in missing {
            let reply = route.call(muster).token(&without[scope.as_str()]).send().await;
            assert_eq!(
                (reply.status.as_u16(), &reply.body["code"]),
                (403, &json!("forbidden")),
                "{} {reply:?}",
                route.name
            );
        }
        unchanged(&before, &muster.lasting().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_members_own_token_reaches_itself_alone() {
    let isolated = Isolated::start().await;
    let world = &isolated.world;
    let eve = world.muster.ana().await;
    let joined = world.muster.post(&world.path("/members"), json!({ "name": "Eve" })).by(&eve).send().await;
    assert_eq!(joined.status, 201);
    let closed = world.send("PATCH", &world.path(""), json!({ "self_enrolment": false })).await;
    assert_eq!(closed.status, 200);
    // All that names somebody else's, another member too.
    let asked = |route: &Route| route.name == "POST /v1/uploads" || !route.is_own();
    isolated.refuses(|call, route| asked(route).then(|| call.token(&eve.access)), |_| vec![404]).await;
    // Of itself as a member it reads all, writes what is its own, and the rest is not its to do.
    let own = format!("/v1/members/{}", id(&joined.body));
    let before = world.muster.lasting().await;
    for route in isolated.routes.iter().filter(|route| route.path.starts_with("/v1/members/")) {
        let rest = route.path.splitn(5, '/').nth(4).map(|rest| format!("/{rest}")).unwrap_or_default();
        let expected = match route.name.as_str() {
            "DELETE /v1/members/{member}" | "POST /v1/members/{member}/points" => 403,
            // The examples are an owner's: an approval, an answer to a field that is not asked.
            "PATCH /v1/members/{member}" | "PUT /v1/members/{member}/answers" => 400,
            name if name.starts_with("GET ") => 200,
            name => panic!("{name}: what may a member do of itself?"),
        };
        let call = world.muster.call(&route.method, &format!("{own}{rest}")).by(&eve);
        let call = match &route.body {
            Some(body) => call.json(body.clone()),
            None => call,
        };
        let reply = call.send().await;
        assert_eq!(reply.status.as_u16(), expected, "{} {reply:?}", route.name);
    }
    unchanged(&before, &world.muster.lasting().await);
}
