//! A segment with a membership, made over HTTP by its owner, for the tests of what is in it.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::system::{Ana, Call, Muster, PASSWORD, Reply};

/// A membership, its segment and who owns both.
pub(crate) struct World {
    pub(crate) muster: Muster,
    pub(crate) ana: Ana,
    pub(crate) segment: String,
    pub(crate) membership: String,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(json!({ "name": "Club" })).await
    }

    /// A world whose membership users may join by themselves.
    pub(crate) async fn open() -> Self {
        Self::with(json!({ "name": "Club", "self_enrolment": true })).await
    }

    async fn with(membership: Value) -> Self {
        Self::on(Muster::start().await, membership).await
    }

    /// A world on a system with options of its own.
    pub(crate) async fn on(muster: Muster, membership: Value) -> Self {
        let ana = muster.ana().await;
        let segment = muster.made(&ana, "/v1/segments", json!({ "name": "Card users" })).await;
        let segment = id(&segment);
        let membership = muster.made(&ana, &format!("/v1/segments/{segment}/memberships"), membership).await;
        Self { muster, ana, segment, membership: id(&membership) }
    }

    /// The path of something of the membership.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/v1/memberships/{}{rest}", self.membership)
    }

    /// A request of the owner.
    pub(crate) fn call(&self, method: &str, path: &str) -> Call<'_> {
        self.muster.call(method, path).by(&self.ana)
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.call("GET", path).send().await
    }

    /// What is at `path`, which must be there.
    pub(crate) async fn read(&self, path: &str) -> Value {
        let reply = self.get(path).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body
    }

    pub(crate) fn send<'a>(&'a self, method: &str, path: &str, body: Value) -> impl Future<Output = Reply> + use<'a> {
        self.call(method, path).json(body).send()
    }

    /// Makes something of the membership, which must be taken.
    pub(crate) async fn made(&self, rest: &str, body: Value) -> Value {
        self.muster.made(&self.ana, &self.path(rest), body).await
    }

    /// The id of a new level.
    pub(crate) async fn level(&self, number: u32, from: i64, to: i64) -> String {
        let level = json!({ "name": format!("Level {number}"), "number": number, "from_point": from, "to_point": to });
        id(&self.made("/levels", level).await)
    }

    /// The path of a new custom field; `more` goes over what is usual.
    pub(crate) async fn field(&self, key: &str, kind: &str, more: Value) -> String {
        let mut field = json!({ "key": key, "name": key, "type": kind });
        field.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.path(&format!("/fields/{}", id(&self.made("/fields", field).await)))
    }

    /// The path of a new member.
    pub(crate) async fn member(&self, body: Value) -> String {
        format!("/v1/members/{}", id(&self.made("/members", body).await))
    }

    /// A user of the segment: its id.
    pub(crate) async fn user(&self, fields: Value) -> String {
        let mut user = json!({ "email": format!("{}@example.com", domain::UserId::fresh()) });
        user.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        id(&self.muster.made(&self.ana, &format!("/v1/segments/{}/users", self.segment), user).await)
    }

    /// A user of the segment who has signed in.
    pub(crate) async fn segment_user(&self) -> Ana {
        self.muster.segment_user(&self.ana, &self.segment).await
    }

    /// A product whose subscribers join the membership: its id.
    pub(crate) async fn product(&self) -> String {
        let product = json!({ "title": "Product", "membership_id": self.membership });
        id(&self.muster.made(&self.ana, &format!("/v1/segments/{}/products", self.segment), product).await)
    }

    /// Gives a member points.
    pub(crate) async fn award(&self, member: &str, delta: i64) -> Value {
        self.muster.made(&self.ana, &format!("{member}/points"), json!({ "delta": delta, "reason": "Test" })).await
    }

    /// A key of the segment: its id and its secret.
    pub(crate) async fn key(&self, scopes: &[&str]) -> (String, String) {
        self.muster.key(&self.ana, &format!("/v1/segments/{}/keys", self.segment), scopes).await
    }

    /// Waits until what is at `path` is as it should be.
    pub(crate) async fn until(&self, path: &str, done: impl Fn(&Reply) -> bool) -> Reply {
        for _ in 0..300 {
            let reply = self.get(path).await;
            if done(&reply) {
                return reply;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{path} stays as it is: {:?}", self.get(path).await);
    }
}

impl Muster {
    /// Makes something that must be taken.
    pub(crate) async fn made(&self, by: &Ana, path: &str, body: Value) -> Value {
        let reply = self.post(path, body).by(by).send().await;
        assert_eq!(reply.status, 201, "{path}: {reply:?}");
        reply.body
    }

    /// A user of somebody's segment who has signed in.
    pub(crate) async fn segment_user(&self, owner: &Ana, segment: &str) -> Ana {
        let email = format!("{}@example.com", domain::UserId::fresh());
        let user = json!({ "email": email, "password": PASSWORD });
        self.made(owner, &format!("/v1/segments/{segment}/users"), user).await;
        let login = json!({ "email": email, "password": PASSWORD, "segment_id": segment });
        let tokens = self.post("/v1/auth/login", login).send().await;
        assert_eq!(tokens.status, 200, "{tokens:?}");
        Ana::of(email, &tokens)
    }

    /// Sets an attribute of an item, as a row that was written wrong.
    pub(crate) async fn set_attribute(&self, (pk, sk): (&str, &str), name: &str, value: &str) {
        let update = self.dynamodb().update_item().table_name(&self.wiring.table);
        let update = update.key("PK", AttributeValue::S(pk.to_owned())).key("SK", AttributeValue::S(sk.to_owned()));
        let update = update.update_expression("SET #name = :value").expression_attribute_names("#name", name);
        update.expression_attribute_values(":value", AttributeValue::S(value.to_owned())).send().await.unwrap();
    }

    /// Sets an attribute of an item to a number.
    pub(crate) async fn set_number(&self, (pk, sk): (&str, &str), name: &str, value: i64) {
        let update = self.dynamodb().update_item().table_name(&self.wiring.table);
        let update = update.key("PK", AttributeValue::S(pk.to_owned())).key("SK", AttributeValue::S(sk.to_owned()));
        let update = update.update_expression("SET #name = :value").expression_attribute_names("#name", name);
        update.expression_attribute_values(":value", AttributeValue::N(value.to_string())).send().await.unwrap();
    }

    /// A key made at `path`: its id and its secret.
    pub(crate) async fn key(&self, by: &Ana, path: &str, scopes: &[&str]) -> (String, String) {
        let key = self.made(by, path, json!({ "name": "A key", "scopes": scopes })).await;
        (id(&key), key["secret"].as_str().unwrap().to_owned())
    }

    /// The attributes of an item.
    pub(crate) async fn item(&self, pk: &str, sk: &str) -> std::collections::HashMap<String, AttributeValue> {
        let get = self.dynamodb().get_item().table_name(&self.wiring.table).consistent_read(true);
        let get = get.key("PK", AttributeValue::S(pk.to_owned())).key("SK", AttributeValue::S(sk.to_owned()));
        get.send().await.unwrap().item.unwrap()
    }

    /// Every item that stays: all but rate limits and kept answers, as text in the order of their keys.
    pub(crate) async fn lasting(&self) -> Vec<String> {
        let mut all = Vec::new();
        let mut start = None;
        loop {
            let scan = self.dynamodb().scan().table_name(&self.wiring.table).consistent_read(true);
            let read = scan.set_exclusive_start_key(start).send().await.unwrap();
            for item in read.items() {
                let passes = item["PK"].as_s().is_ok_and(|pk| pk.starts_with("R#") || pk.starts_with("I#"));
                if !passes {
                    all.push(told(&AttributeValue::M(item.clone())));
                }
            }
            start = read.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        all.sort();
        all
    }
}

/// A value as text, the same for the same value.
fn told(value: &AttributeValue) -> String {
    if let AttributeValue::M(map) = value {
        let mut entries: Vec<_> = map.iter().map(|(name, value)| format!("{name}: {}", told(value))).collect();
        entries.sort();
        return format!("{{{}}}", entries.join(", "));
    }
    if let AttributeValue::L(list) = value {
        return format!("[{}]", list.iter().map(told).collect::<Vec<_>>().join(", "));
    }
    format!("{value:?}")
}

/// The id of what was made.
pub(crate) fn id(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}

/// One field of each row of a list.
pub(crate) fn column(reply: &Reply, field: &str) -> Vec<Value> {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.body["data"].as_array().unwrap().iter().map(|row| row[field].clone()).collect()
}

/// The status and the first error's pointer and code, if there are any.
pub(crate) fn refused(reply: &Reply) -> (u16, String, String) {
    let first = reply.status.is_client_error().then(|| reply.errors().into_iter().next());
    let (pointer, code) = first.flatten().unwrap_or_default();
    (reply.status.as_u16(), pointer, code)
}

/// As [`refused`] answers it.
pub(crate) fn as_refused((status, pointer, code): (u16, &str, &str)) -> (u16, String, String) {
    (status, pointer.to_owned(), code.to_owned())
}
