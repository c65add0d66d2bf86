//! A fresh system for a test, and the one helper that sends.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use axum::http::StatusCode;
use local::{Functions, Options, Sent, System, Wiring};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{documented, elsewhere};

/// How long a function may run here: it has a processor of its own in Lambda, and shares two with hundreds of requests here.
const SHARED_FUNCTION_TIMEOUT: Duration = Duration::from_secs(120);

/// The password of every test user.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A running system of a test's own.
pub(crate) struct Muster {
    pub(crate) url: String,
    pub(crate) wiring: Wiring,
    pub(crate) functions: Functions,
    /// Ours; without it the services are somebody else's.
    system: Option<System>,
    /// What goes on elsewhere in place of what a system of ours does by itself.
    _tasks: JoinSet<()>,
    http: Client,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

/// A master user who has signed up, verified and logged in.
#[derive(Debug, Clone)]
pub(crate) struct Ana {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) access: String,
    pub(crate) refresh: String,
}

/// A request, to be sent by [`Call::send`].
pub(crate) struct Call<'a> {
    muster: &'a Muster,
    request: reqwest::RequestBuilder,
    /// The method and the path.
    asked: (String, String),
    /// Whether it is answered as `/v1` answers.
    own: bool,
}

impl Muster {
    pub(crate) async fn start() -> Self {
        Self::with(Options::default()).await
    }

    /// A system with these options: our own, or, where `MUSTER_TEST_ENDPOINT` names one, over another emulator.
    pub(crate) async fn with(options: Options) -> Self {
        let options = Options { function_timeout: SHARED_FUNCTION_TIMEOUT, ..options };
        if let Some(endpoint) = elsewhere::endpoint() {
            let (wiring, functions, url, tasks) = elsewhere::start(&endpoint, &options).await;
            return Self { url, wiring, functions, system: None, _tasks: tasks, http: client() };
        }
        let system = System::start(options).await.unwrap();
        let (wiring, functions) = (system.wiring.clone(), system.functions.clone());
        Self {
            url: system.url.clone(),
            wiring,
            functions,
            system: Some(system),
            _tasks: JoinSet::new(),
            http: client(),
        }
    }

    /// What would have been sent to an address, or to all.
    pub(crate) fn outbox(&self, address: Option<&str>) -> Vec<Sent> {
        let Some(system) = &self.system else { return elsewhere::outbox(address) };
        system.outbox.to(address)
    }

    /// Makes Cognito believe that time has passed.
    pub(crate) fn clock_advances(&self, by: Duration) {
        self.system.as_ref().unwrap().emulators.cognito.advance_clock(by);
    }

    /// Makes every sign-in look as if it had been an hour ago; a refresh gives a token that says so.
    pub(crate) fn sign_ins_age(&self) {
        self.system.as_ref().unwrap().emulators.cognito.age_logins(Duration::from_secs(3600)).unwrap();
    }

    /// Changes a user's own e-mail, as far as the code that proves it.
    pub(crate) async fn email_moves(&self, ana: &Ana, email: &str) -> Reply {
        let asked = self.patch("/v1/users/me", json!({ "email": email })).by(ana).send().await;
        assert_eq!((asked.status.as_u16(), &asked.body["pending_email"]), (200, &json!(email)), "{asked:?}");
        let body = json!({ "code": self.code(email) });
        self.post("/v1/users/me/email/verification", body).by(ana).send().await
    }

    pub(crate) fn call(&self, method: &str, path: &str) -> Call<'_> {
        let asked = (method.to_owned(), path.to_owned());
        let method: Method = method.parse().unwrap();
        let is_dialect = dialects::DIALECTS.iter().any(|dialect| path.starts_with(dialect.prefix));
        // An answer to HEAD has no body to look into.
        let own = !is_dialect && method != Method::HEAD;
        Call { muster: self, request: self.http.request(method, format!("{}{path}", self.url)), asked, own }
    }

    /// A request from another address, 127.0.0.`host`.
    pub(crate) fn call_from(&self, host: u8, method: &str, path: &str) -> Call<'_> {
        let source = std::net::Ipv4Addr::new(127, 0, 0, host);
        let http = Client::builder().local_address(Some(source.into())).build().unwrap();
        Call {
            request: http.request(method.parse().unwrap(), format!("{}{path}", self.url)),
            ..self.call(method, path)
        }
    }

    pub(crate) fn get(&self, path: &str) -> Call<'_> {
        self.call("GET", path)
    }

    pub(crate) fn post(&self, path: &str, body: Value) -> Call<'_> {
        self.call("POST", path).json(body)
    }

    pub(crate) fn patch(&self, path: &str, body: Value) -> Call<'_> {
        self.call("PATCH", path).json(body)
    }

    pub(crate) fn delete(&self, path: &str) -> Call<'_> {
        self.call("DELETE", path)
    }

    /// Signs up with this e-mail: the user's id.
    pub(crate) async fn sign_up(&self, email: &str) -> String {
        let body = json!({ "email": email, "name": "Ana", "password": PASSWORD });
        let reply = self.post("/v1/users", body).send().await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.body["id"].as_str().unwrap().to_owned()
    }

    /// The newest code that was sent to an address.
    pub(crate) fn code(&self, email: &str) -> String {
        self.outbox(Some(email)).last().unwrap().code.clone().unwrap()
    }

    /// The newest recovery code that was sent to an address.
    pub(crate) fn recovery_code(&self, email: &str) -> String {
        let sent = self.outbox(Some(email));
        sent.iter().rev().find(|sent| sent.kind == "recovery").unwrap().code.clone().unwrap()
    }

    /// A new master user with tokens.
    pub(crate) async fn ana(&self) -> Ana {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let email = format!("ana{}@example.com", NEXT.fetch_add(1, Ordering::Relaxed));
        let id = self.sign_up(&email).await;
        let code = self.code(&email);
        let reply = self.post(&format!("/v1/users/{id}/verification"), json!({ "code": code })).send().await;
        assert_eq!(reply.status, 200, "{reply:?}");
        Ana::of(email, &reply)
    }

    /// Logs in again.
    pub(crate) async fn login(&self, email: &str, password: &str) -> Reply {
        self.post("/v1/auth/login", json!({ "email": email, "password": password })).send().await
    }

    /// An address of this user: its id.
    pub(crate) async fn address(&self, ana: &Ana, alias: &str) -> String {
        let reply = self.post("/v1/users/me/addresses", json!({ "alias": alias })).by(ana).send().await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.body["id"].as_str().unwrap().to_owned()
    }

    /// How many items the whole table has whose partition key begins so.
    pub(crate) async fn items(&self, prefix: &str) -> Vec<String> {
        let table = &self.wiring.table;
        let scanned = self.dynamodb().scan().table_name(table).send().await.unwrap();
        let keys = scanned.items().iter().map(|item| item["PK"].as_s().unwrap().clone());
        keys.filter(|key| key.starts_with(prefix)).collect()
    }

    /// The keys of the items that have an attribute.
    pub(crate) async fn items_with(&self, attribute: &str) -> Vec<HashMap<String, AttributeValue>> {
        let scan = self.dynamodb().scan().table_name(&self.wiring.table).projection_expression("PK, SK");
        let scan = scan.filter_expression(format!("attribute_exists({attribute})"));
        scan.send().await.unwrap().items.unwrap_or_default()
    }

    /// Deletes an item by its key.
    pub(crate) async fn delete_item(&self, key: &HashMap<String, AttributeValue>) {
        let delete = self.dynamodb().delete_item().table_name(&self.wiring.table).set_key(Some(key.clone()));
        delete.send().await.unwrap();
    }

    /// The whole table as text, to look for what should not be there.
    pub(crate) async fn whole_table(&self) -> String {
        let scanned = self.dynamodb().scan().table_name(&self.wiring.table).send().await.unwrap();
        format!("{:?}", scanned.items())
    }

    /// The same without events and audit entries, which hold ids alone of what is gone, and go by themselves.
    pub(crate) async fn table_but_events(&self) -> String {
        let scanned = self.dynamodb().scan().table_name(&self.wiring.table).send().await.unwrap();
        let kept = ["Y#", "AU#", "AS#"];
        let is_event = |pk: &AttributeValue| kept.iter().any(|prefix| pk.as_s().unwrap().starts_with(prefix));
        format!("{:?}", scanned.items().iter().filter(|item| !is_event(&item["PK"])).collect::<Vec<_>>())
    }

    /// Gives an attribute this value in each item that has it, as if it had been written at another time.
    pub(crate) async fn age(&self, attribute: &str, value: AttributeValue) {
        let (table, dynamodb) = (&self.wiring.table, self.dynamodb());
        let having = dynamodb.scan().table_name(table).filter_expression(format!("attribute_exists({attribute})"));
        for item in having.send().await.unwrap().items() {
            let aged = dynamodb.update_item().table_name(table).update_expression(format!("SET {attribute} = :value"));
            let aged = aged.key("PK", item["PK"].clone()).key("SK", item["SK"].clone());
            aged.expression_attribute_values(":value", value.clone()).send().await.unwrap();
        }
    }

    /// Makes whoever is there have signed up more than a day ago.
    pub(crate) async fn a_day_passes(&self) {
        let then = domain::Time::now().minus(Duration::from_secs(24 * 60 * 60 + 60));
        self.age("created_at", AttributeValue::S(then.to_string())).await;
    }

    pub(crate) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let wiring = &self.wiring;
        let config = aws_sdk_dynamodb::config::Builder::from(&wiring.config());
        aws_sdk_dynamodb::Client::from_conf(config.endpoint_url(&wiring.endpoints.dynamodb).build())
    }

    pub(crate) fn cognito(&self) -> aws_sdk_cognitoidentityprovider::Client {
        let wiring = &self.wiring;
        let config = aws_sdk_cognitoidentityprovider::config::Builder::from(&wiring.config());
        aws_sdk_cognitoidentityprovider::Client::from_conf(config.endpoint_url(&wiring.endpoints.cognito).build())
    }

    /// The usernames of all Cognito identities.
    pub(crate) async fn identities(&self) -> Vec<String> {
        let listed = self.cognito().list_users().user_pool_id(&self.wiring.pool_id).send().await.unwrap();
        listed.users().iter().map(|user| user.username().unwrap().to_owned()).collect()
    }

    /// Sets an attribute of a user's item, as an operator would.
    pub(crate) async fn set_status(&self, id: &str, status: &str) {
        self.dynamodb()
            .update_item()
            .table_name(&self.wiring.table)
            .key("PK", AttributeValue::S(format!("U#{id}")))
            .key("SK", AttributeValue::S("U".to_owned()))
            .update_expression("SET #status = :status")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", AttributeValue::S(status.to_owned()))
            .send()
            .await
            .unwrap();
    }
}

/// A client that shows where it is sent instead of going there.
fn client() -> Client {
    Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

impl Ana {
    /// Who got these tokens.
    pub(crate) fn of(email: String, tokens: &Reply) -> Self {
        let text = |name: &str| tokens.body[name].as_str().unwrap().to_owned();
        Self { id: text("user_id"), email, access: text("access_token"), refresh: text("refresh_token") }
    }
}

impl Call<'_> {
    pub(crate) fn by(self, ana: &Ana) -> Self {
        self.token(&ana.access)
    }

    pub(crate) fn token(mut self, token: &str) -> Self {
        self.request = self.request.bearer_auth(token);
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn json(mut self, body: Value) -> Self {
        self.request = self.request.header("content-type", "application/json").body(body.to_string());
        self
    }

    pub(crate) fn raw(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.request = self.request.header("content-type", content_type).body(body.into());
        self
    }

    /// A body without a media type.
    pub(crate) fn untyped(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.request = self.request.body(body.into());
        self
    }

    pub(crate) async fn send(self) -> Reply {
        let again = self.request.try_clone();
        let response = match (self.request.send().await, again) {
            // A server that has refused a long body closes the connection, maybe while this request was on its way.
            (Err(error), Some(again)) if error.is_request() => again.send().await.unwrap(),
            (sent, _) => sent.unwrap(),
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        let reply = Reply { status, headers, body, text };
        reply.check(&self.muster.url, self.own);
        documented::check(&self.asked.0, &self.asked.1, &reply);
        reply
    }
}

impl Reply {
    /// The header, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The pointers and codes of the field errors.
    pub(crate) fn errors(&self) -> Vec<(String, String)> {
        let errors = self.body["errors"].as_array().unwrap().iter();
        errors
            .map(|error| (error["pointer"].as_str().unwrap().to_owned(), error["code"].as_str().unwrap().to_owned()))
            .collect()
    }

    /// What holds for every answer, whatever was asked; dialects tell failures in their own way.
    fn check(&self, url: &str, own: bool) {
        for (name, value) in [
            ("strict-transport-security", "max-age=63072000; includeSubDomains"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(self.header(name), value, "{self:?}");
        }
        let policy = self.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{self:?}");
        if self.text.starts_with("<!DOCTYPE") || self.headers.get("x-request-id").is_none() {
            return;
        }
        // A dialect may tell a client's own mistake by such a status, and its tests say when.
        assert!(!own || self.status.as_u16() < 500, "{url}: {self:?}");
        if own && self.status.is_client_error() {
            assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
            assert_eq!(self.body["status"], self.status.as_u16(), "{self:?}");
            if self.header("idempotency-replayed").is_empty() {
                assert_eq!(self.body["instance"], self.header("x-request-id"), "{self:?}");
            }
            for member in ["type", "title", "detail", "code"] {
                assert!(self.body[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {self:?}");
            }
            assert!(self.body["errors"].is_array(), "{self:?}");
        }
    }
}
