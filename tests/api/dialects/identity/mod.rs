//! `/identity`.

pub(crate) mod costs;
mod countries;
mod events;
mod lists;
mod oauth;
mod transcript;
mod users;

use serde_json::{Value, json};

use crate::system::{Call, Reply};
use crate::world::World;

/// A segment of card users, and a key to ask with.
pub(crate) struct Cards {
    pub(crate) world: World,
    pub(crate) key: String,
}

/// Where users are.
pub(crate) const USERS: &str = "/identity/users/v1/";

impl Cards {
    pub(crate) async fn start() -> Self {
        let world = World::start().await;
        let key = world.key(&["read", "write", "admin"]).await.1;
        Self { world, key }
    }

    pub(crate) fn call(&self, method: &str, path: &str) -> Call<'_> {
        self.world.muster.call(method, path).token(&self.key)
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.call("GET", path).send().await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, data: Value) -> Reply {
        self.call(method, path).json(json!({ "data": data })).send().await
    }

    /// A new user, as it is answered.
    pub(crate) async fn made(&self, data: Value) -> Value {
        let made = self.send("POST", USERS, data).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.body["data"].clone()
    }
}

/// A failure: status, and the place and the code of each error.
pub(crate) fn failed(reply: &Reply) -> (u16, Vec<(String, String)>) {
    let one = |error: &Value| {
        assert!(error["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{reply:?}");
        let source = &error["source"];
        let place = source["pointer"].as_str().or(source["parameter"].as_str()).unwrap_or_default();
        (place.to_owned(), error["code"].as_str().unwrap().to_owned())
    };
    let errors = reply.body["errors"].as_array().unwrap_or_else(|| panic!("{reply:?}")).iter().map(one);
    (reply.status.as_u16(), errors.collect())
}

/// As [`failed`] answers it.
pub(crate) fn as_failed(status: u16, errors: &[(&str, &str)]) -> (u16, Vec<(String, String)>) {
    (status, errors.iter().map(|(place, code)| ((*place).to_owned(), (*code).to_owned())).collect())
}
