//! `/flows`: each row of its table, the same things under `/v1`, who is refused, and what it costs.

mod addresses;
pub(crate) mod costs;
mod files;
mod lenient;
mod members;
mod memberships;
mod onboarding;
mod refused;
mod segments;
pub(crate) mod transcript;
mod users;

use serde_json::{Map, Value, json};

use crate::system::{Ana, Call, Muster, Reply};

/// Sends a request of this user, which must be answered so.
pub(crate) async fn call(muster: &Muster, by: &Ana, call: (&str, &str), body: Value, status: u16) -> Reply {
    let (method, path) = call;
    let reply = with(muster.call(method, path).by(by), body).send().await;
    assert_eq!(reply.status, status, "{method} {path}: {reply:?}");
    reply
}

/// Makes something, which is answered by its id alone.
pub(crate) async fn made(muster: &Muster, by: &Ana, path: &str, body: Value) -> String {
    let reply = call(muster, by, ("POST", path), body, 201).await;
    let id = reply.body["id"].as_str().unwrap().to_owned();
    let code = reply.body["sms_code"].as_str();
    assert!(reply.body == json!({ "id": id }) || code.is_some_and(|code| code.len() == 4), "{reply:?}");
    id
}

/// Reads something.
pub(crate) async fn read(muster: &Muster, by: &Ana, path: &str) -> Value {
    call(muster, by, ("GET", path), Value::Null, 200).await.body
}

/// Changes or deletes something, which is answered by nothing.
pub(crate) async fn done(muster: &Muster, by: &Ana, what: (&str, &str), body: Value) {
    assert_eq!(call(muster, by, what, body, 200).await.body, json!({}));
}

/// A request with a body, if there is one.
pub(crate) fn with(call: Call<'_>, body: Value) -> Call<'_> {
    if body.is_null() { call } else { call.json(body) }
}

/// The fields of `shown` but for those that are never the same.
pub(crate) fn without_times(shown: &Value) -> Value {
    let mut shown: Map<_, _> = shown.as_object().unwrap().clone();
    for name in ["created_at", "updated_at"] {
        let time = shown.shift_remove(name).unwrap();
        assert!(time.as_str().is_some_and(|time| time.ends_with('Z')), "{name}: {time}");
    }
    Value::Object(shown)
}

/// The totals that a list has in its headers.
pub(crate) fn totals(reply: &Reply) -> (&str, &str) {
    (reply.header("x-total-pages"), reply.header("x-total-results"))
}
