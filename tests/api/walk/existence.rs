//! Public operations do not tell whether an account exists, nor in which state it is.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Operation, list_operations};
use crate::system::{Muster, PASSWORD, Reply};
use crate::world::id;

/// Public operations that tell whether an e-mail has an account (docs/decisions/0038-sign-up-tells-who-exists.md).
const TELLING: [&str; 3] = ["POST /v1/users", "POST /flows/user", "GET /flows/user/available"];

/// An account that a stranger asks about.
struct Target {
    state: &'static str,
    id: String,
    email: String,
}

/// One master user in each state, and one that nobody has ever created.
async fn targets(muster: &Muster) -> Vec<Target> {
    let active = muster.ana().await;
    let blocked = muster.ana().await;
    muster.set_status(&blocked.id, "BLOCKED").await;
    let deleted = muster.ana().await;
    assert_eq!(muster.delete("/v1/users/me").by(&deleted).send().await.status, 204);
    let unverified = muster.sign_up("unverified@example.com").await;
    let target = |state, id: &str, email: &str| Target { state, id: id.to_owned(), email: email.to_owned() };
    vec![
        target("unknown", &domain::UserId::fresh().to_string(), "nobody@example.com"),
        target("active", &active.id, &active.email),
        target("blocked", &blocked.id, &blocked.email),
        target("deleted", &deleted.id, &deleted.email),
        target("unverified", &unverified, "unverified@example.com"),
    ]
}

/// Users of a segment, with a password and without, and one that does not exist.
async fn targets_of_segment(muster: &Muster) -> (String, Vec<Target>) {
    let ana = muster.ana().await;
    let segment = id(&muster.made(&ana, "/v1/segments", json!({ "name": "S" })).await);
    let mut targets = Vec::new();
    for (state, password) in [("with a password", json!(PASSWORD)), ("without a password", Value::Null)] {
        let email = format!("user{}@example.com", targets.len());
        let mut user = json!({ "email": email, "name": "Eva" });
        if password.is_string() {
            user["password"] = password;
        }
        let user = muster.made(&ana, &format!("/v1/segments/{segment}/users"), user).await;
        targets.push(Target { state, id: id(&user), email });
    }
    let (id, email) = (domain::UserId::fresh().to_string(), "nobody@example.com".to_owned());
    targets.push(Target { state: "unknown", id, email });
    (segment, targets)
}

/// Puts the target wherever the operation names an account, with a wrong password; other secrets of examples are wrong.
fn aim(operation: &Operation, target: &Target, segment: Option<&str>) -> (String, Option<Value>) {
    let path = operation.path.replace("{user}", &target.id).replace("{id}", &target.id);
    let body = operation.body.clone().map(|mut body| {
        for (name, value) in [
            ("email", target.email.as_str()),
            ("user_id", &target.id),
            ("password", "wrong password"),
            ("_username", target.email.as_str()),
            ("_password", "wrong password"),
        ] {
            if body.get(name).is_some() {
                body[name] = json!(value);
            }
        }
        if let (Some(segment), true) = (segment, body.get("email").is_some()) {
            body["segment_id"] = json!(segment);
        }
        body
    });
    (path, body)
}

/// The parts of an answer that may not differ: all but ids and numbers of requests.
fn visible_parts(reply: &Reply, target: &Target) -> (u16, Vec<String>, String) {
    let mut headers: Vec<_> = reply
        .headers
        .iter()
        // The length follows from the body, which may repeat the e-mail that was sent.
        .filter(|(name, _)| !["date", "x-request-id", "content-length"].contains(&name.as_str()))
        .map(|(name, value)| {
            let value = value.to_str().unwrap();
            let digits = name.as_str().starts_with("ratelimit") || name == "retry-after";
            let value: String = value.chars().filter(|one| !digits || !one.is_ascii_digit()).collect();
            format!("{name}: {value}")
        })
        .collect();
    headers.sort();
    let request = reply.header("x-request-id");
    let body = reply.text.replace(request, "REQUEST").replace(&target.id, "ID").replace(&target.email, "EMAIL");
    // Whoever registers gets the id of a new developer.
    let body = reply.body[0]["id"].as_str().map_or(body.clone(), |new| body.replace(new, "ID"));
    (reply.status.as_u16(), headers, body)
}

async fn assert_alike(muster: &Muster, targets: &[Target], segment: Option<&str>) {
    let (mut asked, mut wrong) = (0, Vec::new());
    for operation in list_operations(muster).await {
        let name = format!("{} {}", operation.method, operation.path);
        let names_nobody = operation.body.is_none() && !operation.path.contains('{');
        if !operation.public || TELLING.contains(&name.as_str()) || names_nobody {
            continue;
        }
        asked += usize::from(operation.method == Method::POST);
        let mut seen = Vec::new();
        for target in targets {
            let (path, body) = aim(&operation, target, segment);
            let call = muster.call(operation.method.as_str(), &path);
            let reply = match body {
                Some(body) => call.json(body).send().await,
                None => call.send().await,
            };
            seen.push((target.state, visible_parts(&reply, target)));
        }
        if !seen.windows(2).all(|pair| pair[0].1 == pair[1].1) {
            wrong.push(format!("{name} tells: {seen:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked >= 8, "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn public_operations_do_not_tell_which_masters_exist() {
    let muster = Muster::start().await;
    let targets = targets(&muster).await;
    assert_alike(&muster, &targets, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn public_operations_do_not_tell_which_segment_users_exist() {
    let muster = Muster::start().await;
    let (segment, targets) = targets_of_segment(&muster).await;
    assert_alike(&muster, &targets, Some(&segment)).await;
}
