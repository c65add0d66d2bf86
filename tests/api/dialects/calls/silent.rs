//! `submit_forms: false` keeps back events and webhooks, and nothing else; `disable_email_sending` every e-mail.

use serde_json::{Value, json};

use super::{Calls, clogin};
use crate::world::{column, id};

impl Calls {
    /// The types of the segment's events, oldest first.
    async fn told(&self) -> Vec<Value> {
        let path = format!("/v1/segments/{}/events?page[size]=100&sort=id", self.world.segment);
        column(&self.world.get(&path).await, "type")
    }

    /// A call of one of the two paths, which must be done.
    async fn quietly(&self, path: &str, silent: bool, mut body: Value) -> Value {
        let fields = json!({ "submit_forms": !silent, "disable_email_sending": true });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let reply = self.call(path, body.clone()).send().await;
        assert_eq!((reply.status.as_u16(), &reply.body["success"]), (200, &json!(true)), "{body} {reply:?}");
        reply.body
    }

    /// Each action, in an order in which each can be done, with what it tells unless it is silent.
    async fn each_action(&self, nth: usize) -> Vec<(&'static str, Value, Vec<&'static str>)> {
        let world = &self.world;
        let products = format!("/v1/segments/{}/products", world.segment);
        let product = id(&world.muster.made(&world.ana, &products, json!({ "title": format!("P{nth}") })).await);
        let doc = json!({ "main_email": format!("p{nth}@example.com"), "password": "correct horse battery" });
        let made = self.done(json!({ "action": "create", "doc": doc })).await;
        let person = clogin(&made);
        let user = self.user(&format!("p{nth}@example.com")).await;
        let kid = json!({ "email": format!("kid{nth}@example.com"), "parent_id": user["id"] });
        world.user(kid).await;
        let (users, statuses) = ("/calls/users", "/calls/statuses");
        let of = |action: &str, doc: Value| json!({ "action": action, "clogin_id": person, "doc": doc });
        let email = |name: &str| json!({ "main_email": format!("{name}{nth}@example.com"), "password": "correct horse battery" });
        let updated = vec!["muster.user.updated"];
        // A user is made before its password is set.
        let made = vec!["muster.user.created", "muster.user.updated"];
        vec![
            (users, json!({ "action": "create", "doc": email("new") }), made),
            (
                users,
                json!({ "action": "create_child", "connected_to": person, "doc": {} }),
                vec!["muster.user.created"],
            ),
            (users, of("login", json!({})), vec![]),
            (users, of("update", json!({ "main_email": format!("q{nth}@example.com") })), updated.clone()),
            (
                users,
                of("add_product", json!({ "product_list": [{ "p_id": product }] })),
                vec!["muster.member.created", "muster.subscription.created"],
            ),
            (users, of("add_email", json!({ "email_list": [{ "to": "b@example.com" }] })), updated.clone()),
            (
                statuses,
                json!({ "action": "create", "doc": { "status_name": format!("S{nth}"), "is_excluded": 1 } }),
                vec!["muster.status.created"],
            ),
            (users, of("set_status", json!({ "status_id": nth + 1 })), updated.clone()),
            (users, of("set_status", json!({ "status_id": 0 })), updated.clone()),
            // The child has no number yet.
            (users, of("get_info", json!({ "_family": 1 })), updated),
        ]
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_form_submitted_is_no_event_told_and_nothing_else_left_out() {
    let calls = Calls::start().await;
    for (nth, silent) in [false, true].into_iter().enumerate() {
        for (path, body, expected) in calls.each_action(nth).await {
            let before = calls.told().await;
            calls.quietly(path, silent, body.clone()).await;
            let told = calls.told().await.split_off(before.len());
            let expected = if silent { Vec::new() } else { expected };
            assert_eq!(told, expected, "{body}");
        }
    }
    let entries = async |email: &str| {
        let user = calls.user(email).await;
        let history = calls.world.get(&format!("/v1/users/{}/history", user["id"].as_str().unwrap())).await;
        column(&history, "action")
    };
    assert_eq!(entries("q0@example.com").await, entries("q1@example.com").await, "the history tells all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_e_mail_goes_out_because_of_any_action() {
    let calls = Calls::start().await;
    let actions = calls.each_action(0).await;
    // What has changed is told to the bus, which is no e-mail.
    let sent = || calls.world.muster.outbox(None).into_iter().filter(|sent| sent.kind != "event").count();
    let before = sent();
    for (path, body, _) in actions {
        calls.quietly(path, false, body).await;
    }
    assert_eq!(sent(), before);
}
