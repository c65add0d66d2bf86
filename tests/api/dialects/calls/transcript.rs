//! The worked process of this system: its documented calls in their order, with their documented bodies and paths, and the
//! whole answers.

use serde_json::{Value, json};

use super::Calls;
use crate::system::Reply;

/// The path of every documented call on users.
const USERS: &str = "/calls/users/";

impl Calls {
    /// Sends a documented body to a documented path: the whole answer.
    async fn answer(&self, path: &str, mut body: Value) -> Value {
        for (name, value) in [("submit_forms", true), ("disable_email_sending", false)] {
            body[name] = value.into();
        }
        let Reply { status, body, text, .. } = self.call(path, body).send().await;
        assert_eq!(status, 200, "{text}");
        body
    }
}

/// The `meta_info` of somebody who has joined `forms`, and subscribes to what costs `order`.
fn meta(name: &str, forms: &str, order: &str) -> Value {
    json!({
        "u_name": name, "total_forms": forms, "completed_forms": "0", "total_user_forms": forms,
        "total_completed_user_forms": "0", "total_user_mandatory_forms": forms,
        "total_completed_user_mandatory_forms": "0", "total_order": order, "total_paid": "0.00", "total_balance": order,
        "status_id": "0", "status_name": null
    })
}

/// A number as text, as ids are answered.
fn id(answer: &Value) -> String {
    let id = answer["user_info"]["clogin_id"].as_str().unwrap();
    assert!(id.parse::<u32>().is_ok_and(|id| id > 0), "{answer}");
    id.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn documented_process_gets_the_documented_answers() {
    let calls = Calls::start().await;
    let group = calls.group;
    let status = json!({ "action": "create", "group_id": group,
        "doc": { "status_name": "On hold", "color": "#800000", "is_excluded": 0 } });
    let answer = calls.answer("/calls/statuses/", status).await;
    let expected = json!({ "success": true, "msg": "The status is made.", "meta_info": {}, "user_info": {},
        "msg_type": "success", "status_id": 1 });
    assert_eq!(answer, expected);

    let doc = json!({ "username": "", "password": "Tr0ub4dor-and-3", "main_email": "rosa.diaz@example.com",
        "org_name": "Taller Norte", "first_name": "Rosa", "last_name": "Díaz", "application_date": "2026-11-21" });
    let create =
        json!({ "action": "create", "group_id": group, "clogin_id": false, "connected_to": false, "doc": doc });
    let answer = calls.answer(USERS, create).await;
    let rosa = id(&answer);
    let of_rosa = json!({ "clogin_id": rosa, "group_id": group.to_string(), "connected_to": rosa });
    let person = meta("Rosa Díaz", "0", "0.00");
    let expected = json!({ "success": true, "msg": "The user is made.", "meta_info": person, "user_info": of_rosa });
    assert_eq!(answer, expected);

    let child =
        json!({ "action": "create_child", "group_id": group, "clogin_id": false, "connected_to": rosa, "doc": [] });
    let answer = calls.answer(USERS, child).await;
    let child = id(&answer);
    let of_child = json!({ "clogin_id": child, "group_id": group.to_string(), "connected_to": rosa });
    // A child without a name or an e-mail has a generated username.
    let generated = answer["meta_info"]["u_name"].as_str().unwrap().to_owned();
    let expected = json!({ "success": true, "msg": "The child is made.", "meta_info": meta(&generated, "0", "0.00"),
        "user_info": of_child });
    assert_eq!(answer, expected);
    Process { calls: &calls, rosa: rosa.parse().unwrap(), of_rosa, child, of_child }.go_on(&generated).await;
}

/// The process once there are a parent and a child.
struct Process<'a> {
    calls: &'a Calls,
    rosa: u64,
    of_rosa: Value,
    child: String,
    of_child: Value,
}

impl Process<'_> {
    /// Does an action on the parent: the answer without what every answer has, and that.
    async fn act(&self, action: &str, doc: Value) -> Value {
        let group = self.calls.group;
        let body = json!({ "action": action, "group_id": group, "clogin_id": self.rosa, "doc": doc });
        self.calls.answer(USERS, body).await
    }

    /// The whole answer about the parent.
    fn about_rosa(&self, msg: &str, meta: &Value, more: &Value) -> Value {
        let mut answer = json!({ "success": true, "msg": msg, "meta_info": meta, "user_info": self.of_rosa });
        answer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        answer
    }

    async fn go_on(&self, child_name: &str) {
        let none = meta("Rosa Díaz", "0", "0.00");
        let answer = self.act("login", json!([])).await;
        let token = answer["user_token"].as_str().unwrap().to_owned();
        assert!(token.starts_with("ml_"), "{token}");
        let expected = self.about_rosa("The token logs in once.", &none, &json!({ "user_token": token }));
        assert_eq!(answer, expected);
        let muster = &self.calls.world.muster;
        let redeemed = muster.post("/v1/auth/magic-link", json!({ "token": token })).send().await;
        assert_eq!(redeemed.status, 200, "{redeemed:?}");

        let fields = json!({ "org_name": "Taller Sur", "shoe_size": 38, "languages": ["es", "en"] });
        let answer = self.act("update", fields).await;
        assert_eq!(answer, self.about_rosa("The user is updated.", &none, &json!({})));

        let list = json!({ "product_list": { "name": "Conference ticket", "q": "2", "price": "60.50" } });
        let answer = self.act("add_product", list).await;
        let ordered = meta("Rosa Díaz", "1", "121.00");
        assert_eq!(answer, self.about_rosa("The products are added.", &ordered, &json!({})));

        let email = json!({ "email_list": { "from": "office@example.com", "to": "rosa.diaz@example.com", "subject": "Welcome",
            "body": "Hello, Rosa.", "cc": "", "bcc": "" } });
        let answer = self.act("add_email", email).await;
        assert_eq!(answer, self.about_rosa("The e-mails are recorded; nothing is sent.", &ordered, &json!({})));
        self.read(&ordered, child_name).await;
        self.set_status(&ordered).await;
    }

    async fn read(&self, ordered: &Value, child_name: &str) {
        let flags = json!({ "_allfields": 1, "_family": 1, "_userproducts": 1, "_userforms": 1, "_usercart": 1,
            "_userpayments": 1 });
        let answer = self.act("get_info", flags).await;
        let doc = &answer["doc"];
        let mut child = json!({ "clogin_id": self.child });
        let of_child = meta(child_name, "0", "0.00");
        child.as_object_mut().unwrap().extend(of_child.as_object().unwrap().clone());
        let product = json!({ "p_id": doc["_userproducts"][0]["p_id"], "name": "Conference ticket", "q": "2",
            "value": "60.50", "status": "ACTIVE" });
        let form = json!({ "form_id": doc["_userforms"][0]["form_id"], "user_form_id": doc["_userforms"][0]["user_form_id"],
            "status": "ACTIVE", "approval": doc["_userforms"][0]["approval"] });
        for id in [&product["p_id"], &form["form_id"], &form["user_form_id"]] {
            assert_eq!(id.as_str().unwrap().len(), 36, "{doc}");
        }
        let expected = json!({
            "main_email": "rosa.diaz@example.com", "username": "rosa.diaz@example.com", "first_name": "Rosa",
            "last_name": "Díaz", "org_name": "Taller Sur", "application_date": "2026-11-21", "shoe_size": 38,
            "languages": ["es", "en"], "_family": { "parent": null, "children": [child] }, "_userproducts": [product],
            "_userforms": [form], "_usercart": [], "_userpayments": []
        });
        assert_eq!(answer, self.about_rosa("The user is found.", ordered, &json!({ "doc": expected })));

        let list =
            json!({ "action": "get_user_list", "group_id": self.calls.group, "doc": { "page": 1, "limit": 100 } });
        let answer = self.calls.answer(USERS, list).await;
        let users = json!([{ "user_info": self.of_rosa, "meta_info": ordered }, { "user_info": self.of_child, "meta_info": of_child }]);
        let expected = json!({ "success": true, "msg": "The users are listed.", "meta_info": {}, "user_info": {},
            "users": users, "total": 2 });
        assert_eq!(answer, expected);
    }

    async fn set_status(&self, ordered: &Value) {
        let done = json!({ "msg_type": "success", "effected_users": 1, "users": [self.rosa.to_string()] });
        for (status, id, name) in [(json!(1), "1", json!("On hold")), (json!("0"), "0", Value::Null)] {
            let body = json!({ "action": "set_status", "group_id": self.calls.group, "clogin_id": self.rosa, "status_id": status, "doc": [] });
            let answer = self.calls.answer(USERS, body).await;
            let mut meta = ordered.clone();
            (meta["status_id"], meta["status_name"]) = (json!(id), name);
            assert_eq!(answer, self.about_rosa("The status is set.", &meta, &done));
        }
    }
}
