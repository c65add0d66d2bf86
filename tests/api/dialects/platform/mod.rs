//! `/platform`.

pub(crate) mod costs;
mod create;
mod events;
mod links;
mod people;
mod push;
mod ranking;
mod subscriptions;
mod tokens;
mod transcript;

use std::time::Duration;

use domain::field::Body as _;
use domain::{DeveloperFields, Time};
use serde_json::{Value, json};

use crate::system::{Call, Muster, Reply};
use crate::world::{World, id};

/// A segment whose students are asked for, and the two tokens to ask with.
pub(crate) struct Platform {
    pub(crate) world: World,
    pub(crate) dev: String,
    pub(crate) plat: String,
    /// A notification that waits for its time.
    notification: String,
}

/// The routes with two tokens: method, path and body, each with ids to be filled in.
const ROUTES: [(&str, &str, &str); 17] = [
    ("GET", "/users/show-id/ID", ""),
    ("GET", "/users/show-document/12345678", ""),
    ("GET", "/users/show-email/ana@example.com", ""),
    ("GET", "/users/show-reference/crm-1", ""),
    ("POST", "/users/create", r#"{ "users": [{ "email": "new@example.com" }] }"#),
    ("POST", "/users/create/user-subscription", r#"{ "product_id": "PRODUCT", "user_id": "ID" }"#),
    ("PUT", "/users/update/user-subscription", r#"{ "product_id": "PRODUCT", "user_id": "ID", "active": 0 }"#),
    ("GET", "/products/all-products", ""),
    ("POST", "/partners/magic-link", r#"{ "email": "ana@example.com" }"#),
    ("GET", "/ranking", ""),
    ("GET", "/ranking/ID", ""),
    ("POST", "/push", r#"{ "title": "Hello", "body": "A new lesson is there.", "user_ids": ["ID"] }"#),
    ("GET", "/push/NOTIFICATION", ""),
    ("DELETE", "/users/destroy-document/12345678", ""),
    ("DELETE", "/users/destroy-email/ana@example.com", ""),
    ("DELETE", "/users/destroy-reference-id/crm-1", ""),
    ("DELETE", "/users/destroy-user-id/ID", ""),
];

impl Platform {
    pub(crate) async fn start() -> Self {
        Self::of(World::start().await).await
    }

    pub(crate) async fn of(world: World) -> Self {
        let plat = world.key(&["read", "write", "admin"]).await.1;
        let dev = token(&world.muster, &world.ana.access).await;
        let path = format!("/v1/segments/{}/notifications", world.segment);
        let later = Time::now().plus(Duration::from_secs(3600));
        let begun = world.send("POST", &path, json!({ "title": "A", "body": "B", "schedule": later })).await;
        Self { world, dev, plat, notification: id(&begun.body) }
    }

    /// Each route, of a student and a product.
    fn routes(&self, user: &str, product: &str) -> Vec<(&'static str, String, Value)> {
        let filled = |text: &str| {
            text.replace("ID", user).replace("PRODUCT", product).replace("NOTIFICATION", &self.notification)
        };
        let body = |body: &str| serde_json::from_str(&filled(body)).unwrap_or_default();
        ROUTES.iter().map(|(method, path, sent)| (*method, filled(path), body(sent))).collect()
    }

    /// A request with both tokens in its path.
    pub(crate) fn call(&self, method: &str, path: &str) -> Call<'_> {
        let (path, query) =
            path.split_once('?').map_or((path, String::new()), |(path, query)| (path, format!("?{query}")));
        self.world.muster.call(method, &format!("/platform{path}/{}/{}{query}", self.dev, self.plat))
    }

    /// The same with both in headers.
    pub(crate) fn by_headers(&self, method: &str, path: &str) -> Call<'_> {
        let call = self.world.muster.call(method, &format!("/platform{path}"));
        call.header("x-developer-token", &self.dev).header("x-platform-token", &self.plat)
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.call("GET", path).send().await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Value) -> Reply {
        self.call(method, path).json(body).send().await
    }

    /// A student with a value of each kind that it is looked up by, and a subscription.
    pub(crate) async fn student(&self) -> (String, String) {
        let user = self.world.user(json!({
            "email": "ana@example.com", "reference_id": "crm-1", "name": "Ana", "last_name": "López", "gender": "FEMALE",
            "birthdate": "1990-02-28", "phone": "+5511987654321",
            "identification": { "type": "DOCUMENT", "value": "12.345.678" }
        }));
        let (user, product) = (user.await, self.world.product().await);
        (user, product)
    }
}

/// The token of a new developer.
pub(crate) async fn token(muster: &Muster, by: &str) -> String {
    let made = muster.post("/v1/developers", DeveloperFields::example()).token(by).send().await;
    let given = muster.post("/platform/generate-token", json!({ "user_id": id(&made.body) })).token(by).send().await;
    given.body["token"].as_str().unwrap().to_owned()
}

/// The id and a token of a developer who has registered itself.
pub(crate) async fn open_developer(muster: &Muster) -> (String, String) {
    let registered = muster.post("/platform/register", DeveloperFields::example()).send().await;
    assert_eq!(registered.status, 200, "{registered:?}");
    let developer = id(&registered.body[0]);
    let given = muster.post("/platform/generate-token", json!({ "user_id": developer })).send().await;
    (developer, given.body["token"].as_str().unwrap().to_owned())
}

/// A failure: status, and the field and code of the first error.
pub(crate) fn failed(reply: &Reply) -> (u16, String, String) {
    assert!(reply.body["message"].is_string() && reply.body["errors"].is_array(), "{reply:?}");
    let first = &reply.body["errors"][0];
    let text = |name: &str| first[name].as_str().unwrap_or_default().to_owned();
    (reply.status.as_u16(), text("field"), text("code"))
}

/// As [`failed`] answers it.
pub(crate) fn as_failed(status: u16, field: &str, code: &str) -> (u16, String, String) {
    (status, field.to_owned(), code.to_owned())
}
