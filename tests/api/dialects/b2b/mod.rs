//! `/b2b`.

pub(crate) mod costs;
mod errors;
mod login;
mod partners;
mod reading;
mod transcript;
mod writing;

use serde_json::{Value, json};

use crate::system::{Call, Reply};
use crate::world::World;

/// A world, and a key of its segment.
pub(super) struct B2b {
    pub(super) world: World,
    pub(super) key: String,
}

impl B2b {
    /// A segment with a business partner, whose remote id is `home`.
    async fn start() -> Self {
        let b2b = Self::empty().await;
        let home = json!({ "idRemote": "home", "commercialName": "Home" });
        assert_eq!(b2b.send("POST", "/BusinessPartner/create", home).await.status, 201);
        b2b
    }

    /// A segment without a business partner.
    async fn empty() -> Self {
        let world = World::start().await;
        let (_, key) = world.key(&["read", "write", "admin"]).await;
        Self { world, key }
    }

    fn call(&self, method: &str, path: &str) -> Call<'_> {
        self.world.muster.call(method, &format!("/b2b{path}")).token(&self.key)
    }

    async fn get(&self, path: &str) -> Value {
        let reply = self.call("GET", path).send().await;
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        reply.body
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Reply {
        self.call(method, path).json(body).send().await
    }

    /// A user with this remote id: its local id.
    async fn user(&self, remote: &str) -> String {
        let reply = self.send("POST", "/User/create", json!([user(remote)])).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.body[0]["id"].as_str().unwrap().to_owned()
    }
}

/// A new user with this remote id, of the business partner `home`, who speaks Spanish.
fn user(remote: &str) -> Value {
    json!({ "idRemote": remote, "username": format!("user.{remote}"), "name": "Ana", "languageId": "14284",
        "email": format!("{remote}@example.com"), "businessPartnerId": "home" })
}

/// The status, and the body of an error.
fn told(reply: &Reply) -> (u16, Value) {
    (reply.status.as_u16(), reply.body.clone())
}

fn error(code: u16, words: &str) -> (u16, Value) {
    (code, json!({ "code": code, "error": words }))
}
