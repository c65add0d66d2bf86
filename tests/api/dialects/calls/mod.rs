//! `/calls`.

mod actions;
pub(crate) mod costs;
mod errors;
mod families;
mod forms;
mod login;
mod silent;
mod transcript;

use serde_json::{Value, json};

use crate::system::{Call, Reply};
use crate::world::World;

/// A world, a key of its account, and the number of its segment.
pub(super) struct Calls {
    pub(super) world: World,
    pub(super) id: String,
    pub(super) token: String,
    pub(super) group: u64,
}

impl Calls {
    pub(super) async fn start() -> Self {
        Self::on(World::start().await).await
    }

    pub(super) async fn on(world: World) -> Self {
        let (id, token) = world.muster.key(&world.ana, "/v1/keys", &["read", "write", "admin"]).await;
        let segment = world.read(&format!("/v1/segments/{}", world.segment)).await;
        let group = segment["number"].as_u64().unwrap();
        Self { world, id, token, group }
    }

    /// A call whose `group_id` is the segment's, unless it says otherwise.
    pub(super) fn call(&self, path: &str, mut body: Value) -> Call<'_> {
        if let Some(body) = body.as_object_mut() {
            body.entry("group_id").or_insert(json!(self.group));
        }
        let call = self.world.muster.call("POST", path).header("api-id", &self.id);
        call.header("api-token", &self.token).header("api-user", "Íñigo Ruiz").json(body)
    }

    pub(super) async fn send(&self, body: Value) -> Reply {
        self.call("/calls/users", body).send().await
    }

    /// Sends what must be done; the answer has what every answer has, all values of both infos strings but a missing name.
    pub(super) async fn done(&self, body: Value) -> Value {
        let reply = self.send(body).await;
        assert_eq!((reply.status.as_u16(), &reply.body["success"]), (200, &json!(true)), "{reply:?}");
        assert!(reply.body["msg"].as_str().is_some_and(|msg| !msg.is_empty()), "{reply:?}");
        let names = |info: &str| -> Vec<String> {
            let info = reply.body[info].as_object().unwrap();
            let is_text =
                |(name, value): (&String, &Value)| value.is_string() || name == "status_name" && value.is_null();
            assert!(info.iter().all(is_text), "{reply:?}");
            info.keys().cloned().collect()
        };
        assert_eq!(names("user_info"), ["clogin_id", "group_id", "connected_to"]);
        let expected = [
            "u_name",
            "total_forms",
            "completed_forms",
            "total_user_forms",
            "total_completed_user_forms",
            "total_user_mandatory_forms",
            "total_completed_user_mandatory_forms",
            "total_order",
            "total_paid",
            "total_balance",
            "status_id",
            "status_name",
        ];
        assert_eq!(names("meta_info"), expected);
        reply.body
    }

    /// The `clogin_id` of a new person with this e-mail.
    pub(super) async fn person(&self, email: &str) -> u64 {
        let made = self.done(json!({ "action": "create", "doc": { "main_email": email, "first_name": "Ana" } })).await;
        clogin(&made)
    }

    /// The user of `/v1` with this e-mail.
    pub(super) async fn user(&self, email: &str) -> Value {
        let path = format!("/v1/segments/{}/users?filter[email]={email}", self.world.segment);
        self.world.read(&path).await["data"][0].clone()
    }
}

/// Whom an answer is about.
pub(super) fn clogin(answer: &Value) -> u64 {
    answer["user_info"]["clogin_id"].as_str().unwrap().parse().unwrap()
}

/// The status and the message of what is refused.
pub(super) fn refused(reply: &Reply) -> (u16, String) {
    assert_eq!(reply.body["success"], false, "{reply:?}");
    assert_eq!((&reply.body["meta_info"], &reply.body["user_info"]), (&json!({}), &json!({})));
    (reply.status.as_u16(), reply.body["msg"].as_str().unwrap().to_owned())
}
