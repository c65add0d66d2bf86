//! Access tokens of this dialect, which are those of `/v1/oauth`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Cards, USERS};

const TOKEN: &str = "/identity/oauth/token";
const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test(flavor = "multi_thread")]
async fn client_gets_a_token_by_json_form_or_basic() {
    let cards = Cards::start().await;
    let (id, secret) = cards.world.key(&["read", "write"]).await;
    let muster = &cards.world.muster;
    let body = json!({ "client_id": id, "client_secret": secret, "audience": "https://cards.example.com",
        "grant_type": "client_credentials" });
    let form = format!("client_id={id}&client_secret={secret}&audience=x&grant_type=client_credentials");
    let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
    for call in [
        muster.post(TOKEN, body.clone()),
        // A client that renews its token may send the old one.
        muster.post(TOKEN, body.clone()).token("old"),
        // As under every dialect, the media type of JSON may be missing or another one, and blank text is unset.
        muster.call("POST", TOKEN).untyped(body.to_string()),
        muster.call("POST", TOKEN).raw("text/plain", body.to_string()),
        muster.call("POST", TOKEN).raw(FORM, format!("{form}&scope=+")),
        muster.call("POST", TOKEN).untyped(form.clone()),
        muster.call("POST", TOKEN).raw(FORM, form.clone()),
        muster.call("POST", TOKEN).raw(FORM, "grant_type=client_credentials").header("authorization", &basic),
    ] {
        let reply = call.send().await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let token = reply.body["access_token"].as_str().unwrap();
        let expected =
            json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": "read write" });
        assert_eq!(reply.body, expected);
        assert!(reply.header("cache-control").contains("no-store"), "{reply:?}");
        assert_eq!(muster.get(USERS).token(token).send().await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn token_is_revoked_by_who_has_it() {
    let cards = Cards::start().await;
    let (id, secret) = cards.world.key(&["read"]).await;
    let muster = &cards.world.muster;
    let issue = async || {
        let body = json!({ "client_id": id, "client_secret": secret, "grant_type": "client_credentials" });
        muster.post(TOKEN, body).send().await.body["access_token"].as_str().unwrap().to_owned()
    };
    let status = async |token: &str| muster.get(USERS).token(token).send().await.status.as_u16();
    for path in ["/identity/oauth/token/revoke", "/v1/oauth/revoke"] {
        let (first, second) = (issue().await, issue().await);
        for body in [json!({ "token": "nonsense" }), json!({ "token": first }), json!({ "token": first })] {
            let reply = muster.post(path, body).token(&first).send().await;
            assert_eq!((reply.status.as_u16(), &reply.body), (200, &json!({})), "{path}");
        }
        assert_eq!((status(&first).await, status(&second).await), (401, 200), "{path}");
    }
    let audit = format!("/v1/segments/{}/audit?action=token.revoked&actor={id}", cards.world.segment);
    assert_eq!(cards.world.read(&audit).await["data"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_told_in_both_ways() {
    let cards = Cards::start().await;
    let (id, secret) = cards.world.key(&["read"]).await;
    for (body, status, error) in [
        (json!({ "client_id": id, "client_secret": "x", "grant_type": "client_credentials" }), 401, "invalid_client"),
        (json!({ "client_id": id, "client_secret": secret, "grant_type": "password" }), 400, "unsupported_grant_type"),
        (json!({ "grant_type": "client_credentials" }), 401, "invalid_client"),
        (json!({ "client_id": id, "client_secret": secret }), 400, "invalid_request"),
    ] {
        let reply = cards.world.muster.post(TOKEN, body.clone()).send().await;
        assert_eq!((reply.status.as_u16(), &reply.body["error"]), (status, &json!(error)), "{body}");
        let detail = reply.body["errors"][0]["detail"].as_str();
        assert!(detail.is_some() && reply.body["error_description"] != Value::Null, "{reply:?}");
    }
}
