//! Logging in: by a key, or by a master user's e-mail and password.

use serde_json::{Value, json};

use super::{B2b, error, told};
use crate::limits::within_a_minute;
use crate::system::{Muster, PASSWORD, Reply};
use crate::world::{World, id};

impl B2b {
    async fn log_in(&self, username: &str, password: &str, segment: Option<&str>) -> Reply {
        let body = json!({ "_username": username, "_password": password });
        let call = self.world.muster.post("/b2b/login", body);
        match segment {
            Some(segment) => call.header("x-segment-id", segment).send().await,
            None => call.send().await,
        }
    }
}

/// The status of a list that is asked for by a token.
async fn listed(world: &World, token: &str, segment: Option<&str>) -> u16 {
    let call = world.muster.get("/b2b/User/getUser").token(token);
    let call = if let Some(segment) = segment { call.header("x-segment-id", segment) } else { call };
    call.send().await.status.as_u16()
}

fn token(reply: &Reply) -> String {
    assert_eq!((reply.status.as_u16(), reply.body.as_object().unwrap().len()), (200, 1), "{reply:?}");
    reply.body["token"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn key_logs_in_by_its_id_and_secret() {
    let b2b = B2b::start().await;
    let (id, secret) = b2b.world.key(&["read"]).await;
    let reply = b2b.log_in(&id, &secret, None).await;
    let token = token(&reply);
    assert!(token.starts_with("mt_") && reply.header("cache-control").contains("no-store"), "{reply:?}");
    assert_eq!(listed(&b2b.world, &token, None).await, 200);
    let written = b2b.world.muster.delete("/b2b/User/delete/x").token(&token).send().await;
    assert_eq!(written.status, 403, "the scopes are the key's: {written:?}");
    let audit = format!("/v1/segments/{}/audit?action=token.issued&actor={id}", b2b.world.segment);
    assert_eq!(b2b.world.read(&audit).await["data"].as_array().unwrap().len(), 1);
    let (other, _) = b2b.world.key(&["read"]).await;
    for (id, secret) in [(&*id, "nonsense"), (&*other, &*secret), (&*id, &*id)] {
        assert_eq!(told(&b2b.log_in(id, secret, None).await), error(401, "Unauthorized."), "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn master_user_logs_in_to_its_only_segment_or_the_named_one() {
    let b2b = B2b::start().await;
    let (world, ana) = (&b2b.world, &b2b.world.ana);
    let (email, own) = (ana.email.as_str(), Some(world.segment.as_str()));
    let login = async |segment: Option<&str>| b2b.log_in(email, PASSWORD, segment).await;
    let only = token(&login(None).await);
    assert_eq!((listed(world, &only, None).await, listed(world, &only, own).await), (200, 200));
    let new = json!({ "idRemote": "erp-1", "username": "u", "name": "U", "languageId": "14284", "email": "u@example.com",
        "businessPartnerId": "home" });
    let created = world.muster.post("/b2b/User/create", json!([new])).token(&only).send().await;
    assert_eq!(created.status, 201, "{created:?}");
    let eve = world.muster.ana().await;
    let foreign = id(&world.muster.made(&eve, "/v1/segments", json!({ "name": "Hers" })).await);
    let nobody = domain::SegmentId::fresh().to_string();
    for (username, password, segment) in [
        (email, "wrong password", None),
        ("nobody@example.com", PASSWORD, None),
        ("no e-mail", PASSWORD, None),
        (email, PASSWORD, Some(foreign.as_str())),
        (email, PASSWORD, Some(&nobody)),
        (email, PASSWORD, Some("nonsense")),
    ] {
        let reply = b2b.log_in(username, password, segment).await;
        assert_eq!(told(&reply), error(401, "Unauthorized."), "{username} {segment:?}");
    }
    let failed = world.read("/v1/audit?action=login.failed").await;
    assert!(failed["data"].as_array().unwrap().len() >= 3, "{failed}");
    // Of two segments one must be named.
    world.muster.made(ana, "/v1/segments", json!({ "name": "Another" })).await;
    assert_eq!(told(&login(None).await), error(401, "Unauthorized."));
    let named = token(&login(own).await);
    assert_eq!((listed(world, &named, None).await, listed(world, &named, own).await), (400, 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn login_names_what_is_missing_and_answers_in_xml_too() {
    let b2b = B2b::start().await;
    let post = |body: Value| b2b.world.muster.post("/b2b/login", body);
    for (body, name) in [
        (json!({}), "_username"),
        (json!({ "_username": "ana@example.com", "_password": "" }), "_password"),
        (json!({ "_username": null, "_password": "x" }), "_username"),
        (json!([]), "_username"),
    ] {
        let expected = error(400, &format!("Parameter {name} is required"));
        assert_eq!(told(&post(body.clone()).send().await), expected, "{body}");
    }
    let (id, secret) = b2b.world.key(&["read"]).await;
    let body = json!({ "_username": id, "_password": secret });
    let reply = post(body).header("accept", "application/xml").send().await;
    let (start, end) = ("<export><token>mt_", "</token></export>");
    assert!(reply.text.contains(start) && reply.text.ends_with(end), "{reply:?}");
    let form = format!("_username={id}&_password={secret}");
    let call = b2b.world.muster.call("POST", "/b2b/login").raw("application/x-www-form-urlencoded", form);
    token(&call.send().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_are_limited_as_those_of_v1_are() {
    let muster = Muster::with(local::Options { rate_limit_factor: 1, ..local::Options::default() }).await;
    within_a_minute().await;
    let world = World::on(muster, json!({ "name": "Club" })).await;
    let b2b = B2b { key: String::new(), world };
    let email = b2b.world.ana.email.clone();
    let mut last = b2b.log_in(&email, "wrong password", None).await;
    for _ in 0..10 {
        last = b2b.log_in(&email, "wrong password", None).await;
    }
    assert_eq!(told(&last), error(429, "Too Many Requests"));
    let v1 = b2b.world.muster.login(&email, PASSWORD).await;
    assert_eq!(v1.status, 429, "both count to the same account: {v1:?}");
}
