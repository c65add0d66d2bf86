//! One store behind all: what one dialect writes, every other and `/v1` read.

use serde_json::{Value, json};

use crate::system::{Ana, Muster, PASSWORD, Reply};
use crate::world::id;

/// A segment, and what each dialect's client says who it is with.
struct All {
    muster: Muster,
    ana: Ana,
    segment: Value,
    key: String,
    account: Value,
    developer: String,
}

impl All {
    async fn start() -> Self {
        let muster = Muster::start().await;
        let ana = muster.ana().await;
        // What flows makes all others work in.
        let segment = muster.made(&ana, "/flows/segment", json!({ "name": "S" })).await;
        let segment = muster.get(&format!("/v1/segments/{}", id(&segment))).by(&ana).send().await.body;
        let scopes = json!({ "name": "K", "scopes": ["read", "write", "admin"] });
        let key = muster.made(&ana, &format!("/v1/segments/{}/keys", id(&segment)), scopes.clone()).await;
        let account = muster.made(&ana, "/v1/keys", scopes).await;
        let developer = json!({ "name": "Dev", "document": "1", "email": "dev@example.com", "phone": "+5215512345678",
            "corporation_name": "Acme", "corporation_cnpj": "11222333000181", "app_name": "App", "app_desc": "An app",
            "corporation_address": "Main street 1" });
        let developer = muster.post("/platform/register", developer).by(&ana).send().await;
        let token = json!({ "user_id": developer.body[0]["id"] });
        let token = muster.post("/platform/generate-token", token).by(&ana).send().await;
        let text =
            |value: &Value| value.as_str().unwrap_or_else(|| panic!("{value} {developer:?} {token:?}")).to_owned();
        Self { key: text(&key["secret"]), developer: text(&token.body["token"]), muster, ana, segment, account }
    }

    async fn platform(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let call = self.muster.call(method, &format!("/platform{path}")).header("x-developer-token", &self.developer);
        let call = call.header("x-platform-token", &self.key);
        match body {
            Some(body) => call.json(body).send().await,
            None => call.send().await,
        }
    }

    async fn keyed(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let call = self.muster.call(method, path).token(&self.key);
        match body {
            Some(body) => call.json(body).send().await,
            None => call.send().await,
        }
    }

    async fn calls(&self, action: &str, more: Value) -> Reply {
        let mut body = json!({ "action": action, "group_id": self.segment["number"] });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let call = self.muster.post("/calls/users", body).header("api-id", &id(&self.account));
        let call = call.header("api-user", "Eva").header("api-token", self.account["secret"].as_str().unwrap());
        call.send().await
    }

    /// The id of the user who has this e-mail.
    async fn found(&self, email: &str) -> String {
        let path = format!("/v1/segments/{}/users?filter[email]={email}", id(&self.segment));
        let found = self.muster.get(&path).by(&self.ana).send().await;
        assert_eq!(found.body["data"].as_array().unwrap().len(), 1, "{email} {found:?}");
        id(&found.body["data"][0])
    }

    /// Makes a user by each dialect whose clients make users: the e-mails.
    async fn make(&self) -> Vec<&'static str> {
        let body = json!({ "email": "v1@example.com", "name": "Ana" });
        let v1 = self.keyed("POST", &format!("/v1/segments/{}/users", id(&self.segment)), Some(body)).await;
        let body = json!({ "product_id": [], "users": [{ "name": "Ana", "email": "platform@example.com" }] });
        let platform = self.platform("POST", "/users/create", Some(body)).await;
        let body = json!({ "data": { "email": "identity@example.com", "operation_country": "MEX", "name": "Ana" } });
        let identity = self.keyed("POST", "/identity/users/v1/", Some(body)).await;
        let partner = json!({ "idRemote": "p1", "commercialName": "P" });
        assert_eq!(self.keyed("POST", "/b2b/BusinessPartner/create", Some(partner)).await.status, 201);
        let body = json!([{ "idRemote": "r1", "username": "b2buser", "name": "Ana", "email": "b2b@example.com", "active": true,
            "languageId": "14284", "businessPartnerId": "p1" }]);
        let b2b = self.keyed("POST", "/b2b/User/create", Some(body)).await;
        let doc = json!({ "doc": { "username": "", "main_email": "calls@example.com", "first_name": "Ana" } });
        let calls = self.calls("create", doc).await;
        for (reply, status) in [(&v1, 201), (&platform, 200), (&identity, 201), (&b2b, 201), (&calls, 200)] {
            assert_eq!(reply.status, status, "{reply:?}");
        }
        assert_eq!(calls.body["success"], true, "{calls:?}");
        vec!["v1@example.com", "platform@example.com", "identity@example.com", "b2b@example.com", "calls@example.com"]
    }

    /// What each dialect answers who is asked for a user: its name, the status, and the e-mail and the name in it.
    async fn read(&self, user: &str) -> Vec<(&'static str, u16, Value, Value)> {
        let v1 = self.keyed("GET", &format!("/v1/users/{user}"), None).await;
        let platform = self.platform("GET", &format!("/users/show-id/{user}"), None).await;
        let identity = self.keyed("GET", &format!("/identity/users/v1/usr-{user}"), None).await;
        let b2b = self.keyed("GET", &format!("/b2b/User/getUser?id={user}"), None).await;
        let flows = self.muster.get(&format!("/flows/user/{user}")).by(&self.ana).send().await;
        let told =
            |name, reply: &Reply, of: &Value| (name, reply.status.as_u16(), of["email"].clone(), of["name"].clone());
        vec![
            told("v1", &v1, &v1.body),
            told("platform", &platform, &platform.body),
            told("identity", &identity, &identity.body["data"]),
            told("b2b", &b2b, &b2b.body["data"][0]),
            told("flows", &flows, &flows.body),
        ]
    }

    /// What `calls` does with a user.
    async fn with(&self, user: &str, action: &str, doc: Value) -> Reply {
        let number = self.keyed("POST", &format!("/v1/users/{user}/number"), None).await;
        assert_eq!(number.status, 200, "{number:?}");
        let reply = self.calls(action, json!({ "clogin_id": number.body["number"], "doc": doc })).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply
    }

    /// What `calls` answers who is asked for a user with all of its fields.
    async fn info(&self, user: &str) -> Reply {
        self.with(user, "get_info", json!({ "_allfields": true })).await
    }

    /// Makes something by flows, as the owner of all: its id.
    async fn flows(&self, path: &str, body: Value) -> String {
        id(&self.muster.made(&self.ana, &format!("/flows{path}"), body).await)
    }

    /// What the owner reads.
    async fn owned(&self, path: &str) -> Value {
        let reply = self.muster.get(path).by(&self.ana).send().await;
        assert_eq!(reply.status, 200, "{path} {reply:?}");
        reply.body
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_dialect_writes_all_others_and_v1_read() {
    let all = All::start().await;
    for email in all.make().await {
        let user = all.found(email).await;
        for (dialect, status, mail, name) in all.read(&user).await {
            assert_eq!((status, &mail, &name), (200, &json!(email), &json!("Ana")), "{email} by {dialect}");
        }
        let info = all.info(&user).await;
        assert!(info.status == 200 && info.text.contains(email), "{info:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_flows_makes_around_users_v1_and_all_others_read() {
    let all = All::start().await;
    let segment = id(&all.segment);
    let membership = all.flows("/membership", json!({ "segment_id": segment, "name": "Card" })).await;
    let level =
        json!({ "membership_id": membership, "name": "Gold", "number_level": 1, "from_point": 0, "to_point": 100 });
    let level = all.flows("/membership-level", level).await;
    let field = json!({ "membership_id": membership, "name": "City", "type": "string" });
    let field = all.flows("/membership-custom-field", field).await;
    for email in all.make().await {
        let user = all.found(email).await;
        let member = json!({ "membership_id": membership, "user_id": user, "segment_id": segment, "name": "Ana" });
        let member = all.flows("/membership-user", member).await;
        let answers = json!([{ "membership_custom_field_id": field, "answer": "Lima" }]);
        let answers = json!({ "membership_user_id": member, "custom_fields": answers });
        all.muster.made(&all.ana, "/flows/membership-custom-field-answer/stack", answers).await;
        all.flows("/address", json!({ "owner_id": user, "alias": "Home" })).await;
        let own = all.owned(&format!("/v1/members/{member}")).await;
        assert_eq!((&own["user_id"], &own["level_id"]), (&json!(user), &json!(level)), "{email}");
        let answers = all.owned(&format!("/v1/members/{member}/answers")).await;
        assert!(answers.to_string().contains("Lima"), "{answers}");
        let addresses = all.owned(&format!("/v1/users/{user}/addresses")).await;
        assert_eq!(addresses["data"][0]["alias"], "Home");
        let place = all.platform("GET", &format!("/ranking/{user}"), None).await;
        assert_eq!((place.status.as_u16(), &place.body["level"]), (200, &json!("Gold")), "{place:?}");
        assert_eq!(all.info(&user).await.body["meta_info"]["total_forms"], "1");
        let listed = all.owned(&format!("/flows/membership-user/list/{membership}?user_id={user}")).await;
        assert_eq!((&listed[0]["id"], &listed[0]["user"]["email"]), (&json!(member), &json!(email)));
    }
    // And what platform and calls make around users.
    let product = all.keyed("POST", &format!("/v1/segments/{segment}/products"), Some(json!({ "title": "P" }))).await;
    let user = all.found("b2b@example.com").await;
    let body = json!({ "product_id": product.body["id"], "user_id": user });
    let subscribed = all.platform("POST", "/users/create/user-subscription", Some(body)).await;
    assert!(subscribed.status.is_success(), "{subscribed:?}");
    let status = json!({ "action": "create", "group_id": all.segment["number"], "doc": { "status_name": "Out", "is_excluded": 1 } });
    let call = all.muster.post("/calls/statuses", status).header("api-id", &id(&all.account));
    let status = call.header("api-token", all.account["secret"].as_str().unwrap()).send().await;
    let info = all.with(&user, "get_info", json!({ "_userproducts": 1 })).await;
    assert_eq!(info.body["doc"]["_userproducts"][0]["p_id"], product.body["id"]);
    all.with(&user, "set_status", json!({ "status_id": status.body["status_id"] })).await;
    for path in ["/b2b/User/getUser", "/identity/users/v1/", &format!("/v1/segments/{segment}/users")] {
        let listed = all.keyed("GET", path, None).await;
        assert!(listed.status == 200 && !listed.text.contains("b2b@example.com"), "{path} lists who is excluded");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_up_by_flows_is_a_master_user_of_v1_and_the_other_way_round() {
    let muster = Muster::start().await;
    let new = json!({ "email": "flora@example.com", "name": "Flora", "password": PASSWORD, "mobile": "5215512345678" });
    let made = muster.post("/flows/user", new).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    let code = json!({ "user_id": made.body["id"], "verification_code": muster.code("flora@example.com") });
    let token = muster.post("/flows/user/validate-code", code).send().await;
    let own = muster.get("/v1/users/me").token(token.body["access_token"].as_str().unwrap()).send().await;
    assert_eq!((&own.body["id"], &own.body["name"]), (&made.body["id"], &json!("Flora")), "{token:?}");
    assert_eq!(muster.login("flora@example.com", PASSWORD).await.status, 200);
    let ana = muster.ana().await;
    let login = muster.post("/flows/login", json!({ "email": ana.email, "password": PASSWORD })).send().await;
    assert_eq!((login.status.as_u16(), &login.body["id"]), (200, &json!(ana.id)), "{login:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_dialect_changes_all_others_see_changed_and_what_is_deleted_is_gone_for_all() {
    let all = All::start().await;
    let emails = all.make().await;
    let user = all.found(emails[0]).await;
    let changes = [
        ("v1", all.keyed("PATCH", &format!("/v1/users/{user}"), Some(json!({ "name": "v1" }))).await),
        (
            "identity",
            all.keyed(
                "PATCH",
                &format!("/identity/users/v1/usr-{user}"),
                Some(json!({ "data": { "name": "identity" } })),
            )
            .await,
        ),
    ];
    for (by, changed) in changes {
        assert_eq!(changed.status, 200, "{by} {changed:?}");
    }
    let b2b = all.keyed("PUT", &format!("/b2b/User/update/{user}"), Some(json!({ "name": "b2b" }))).await;
    assert_eq!(b2b.status, 200, "{b2b:?}");
    assert!(all.read(&user).await.iter().all(|(_, _, _, name)| name == "b2b"), "{:?}", all.read(&user).await);
    all.with(&user, "update", json!({ "first_name": "calls" })).await;
    assert!(all.read(&user).await.iter().all(|(_, _, _, name)| name == "calls"), "{:?}", all.read(&user).await);
    let flows = all.muster.call("PUT", &format!("/flows/user/{user}")).by(&all.ana).json(json!({ "name": "flows" }));
    let flows = flows.send().await;
    assert_eq!(flows.status, 200, "{flows:?}");
    assert!(all.read(&user).await.iter().all(|(_, _, _, name)| name == "flows"), "{:?}", all.read(&user).await);
    let gone = all.keyed("DELETE", &format!("/b2b/User/delete/{user}"), None).await;
    assert_eq!(gone.status, 200, "{gone:?}");
    for (dialect, status, _, _) in all.read(&user).await {
        // These two show what can be brought back, and that it is gone.
        assert_eq!(status, if ["v1", "flows"].contains(&dialect) { 200 } else { 404 }, "{dialect}");
    }
    let removed = all.muster.get(&format!("/flows/user/{user}")).by(&all.ana).send().await;
    assert_eq!(removed.body["removed"], true);
    assert_eq!(all.keyed("GET", &format!("/v1/users/{user}"), None).await.body["status"], "DELETED");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_route_of_each_dialect_has_an_event() {
    let muster = Muster::start().await;
    let events = crate::events::events();
    let mut routes = 0;
    for (_, document, _) in dialects::documents() {
        let document = muster.get(document).send().await.body;
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                // What has its tokens in its path is the same route as what has them in headers.
                let one = path.strip_suffix("/{dev}/{plat}").unwrap_or(path);
                let event = events.values().find(|event| is_of(event, &method.to_uppercase(), one));
                assert!(event.is_some(), "no event for {method} {path}");
                routes += 1;
            }
        }
    }
    assert!(routes > 80, "{routes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_route_of_each_dialect_is_documented_with_what_it_takes_and_answers() {
    let muster = Muster::start().await;
    for (_, document, _) in dialects::documents() {
        let document = muster.get(document).send().await.body;
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let told = |content: &Value| {
                    let mut types = content["content"].as_object().into_iter().flat_map(serde_json::Map::values);
                    types.clone().count() > 0
                        && types.all(|one| !one["example"].is_null() || !one["examples"].is_null())
                };
                let body = &operation["requestBody"];
                assert!(body.is_null() || told(body), "no example of what {method} {path} takes");
                let answers = operation["responses"].as_object().unwrap();
                let mut done = answers.iter().filter(|(status, _)| status.starts_with('2'));
                let redirects = answers.keys().any(|status| status.starts_with('3'));
                assert!(
                    redirects || done.clone().count() > 0 && done.all(|(_, answer)| told(answer)),
                    "of what {method} {path} answers"
                );
                assert!(answers.keys().any(|status| status == "401"), "{method} {path} says nothing of errors");
                let resolved = |answer: &Value| match answer["$ref"].as_str() {
                    Some(reference) => document.pointer(reference.trim_start_matches('#')).cloned().unwrap(),
                    None => answer.clone(),
                };
                let in_xml =
                    answers.values().map(resolved).all(|answer| answer["content"]["application/xml"].is_object());
                assert_eq!(in_xml, path.starts_with("/b2b/"), "{method} {path}");
                assert!(!operation["summary"].is_null(), "{method} {path} is not described");
            }
        }
    }
}

/// Whether an event is one of a route.
fn is_of(event: &Value, method: &str, path: &str) -> bool {
    let raw = event["rawPath"].as_str().unwrap_or_default();
    let raw = raw.strip_suffix("/DEVELOPER_TOKEN/PLATFORM_TOKEN").unwrap_or(raw);
    let fits = |(part, named): (&str, &str)| named.starts_with('{') || part == named;
    let raw = raw.trim_end_matches('/');
    let same = raw.split('/').count() == path.split('/').count();
    event["requestContext"]["http"]["method"] == method && same && raw.split('/').zip(path.split('/')).all(fits)
}
