//! What every route has in common: ids, entity tags, pages, problems.

use serde_json::json;

use crate::isolation::{Isolated, Route, unchanged};
use crate::system::Muster;

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_a_request_id_and_is_kept_by_no_cache() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let address = muster.address(&ana, "Home").await;
    let one = format!("/v1/users/me/addresses/{address}");
    for (call, status) in [
        (muster.get("/v1/users/me").by(&ana), 200),
        (muster.get("/v1/users/me/addresses").by(&ana), 200),
        (muster.get(&one).by(&ana), 200),
        (muster.patch(&one, json!({ "alias": "x" })).by(&ana), 200),
        (muster.delete(&one).by(&ana), 204),
        (muster.post("/v1/auth/recovery", json!({ "email": ana.email })), 202),
    ] {
        let reply = call.send().await;
        assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (status, "private, no-store"), "{reply:?}");
        assert_eq!(reply.header("x-request-id").len(), 36);
    }
    let lost = muster.get("/v1/nowhere").send().await;
    assert_eq!((lost.status.as_u16(), &lost.body["code"]), (404, &json!("not_found")));
    assert!(lost.header("x-request-id").len() == 36);
}

#[tokio::test(flavor = "multi_thread")]
async fn etags_guard_reading_and_writing() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let address = muster.address(&ana, "Home").await;
    let one = format!("/v1/users/me/addresses/{address}");
    for (path, tag) in [("/v1/users/me", "\"2\""), (one.as_str(), "\"1\"")] {
        let read = muster.get(path).by(&ana).send().await;
        assert_eq!(read.header("etag"), tag);
        for known in [tag, "*", &format!("W/{tag}"), &format!("\"99\", {tag}")] {
            let same = muster.get(path).by(&ana).header("if-none-match", known).send().await;
            assert_eq!((same.status.as_u16(), same.text.as_str(), same.header("etag")), (304, "", tag), "{known}");
        }
        let other = muster.get(path).by(&ana).header("if-none-match", "\"99\"").send().await;
        assert_eq!(other.status, 200);
        let patch = if path == one { json!({ "alias": "x" }) } else { json!({ "name": "x" }) };
        for stale in ["\"99\"", "99", "W/\"1\"", "nonsense"] {
            let refused = muster.patch(path, patch.clone()).by(&ana).header("if-match", stale).send().await;
            assert_eq!(
                (refused.status.as_u16(), &refused.body["code"]),
                (412, &json!("precondition_failed")),
                "{stale}"
            );
            assert_eq!(muster.delete(path).by(&ana).header("if-match", stale).send().await.status, 412, "{stale}");
        }
        let changed = muster.patch(path, patch).by(&ana).header("if-match", tag).send().await;
        assert_eq!(changed.status, 200);
        assert_ne!(changed.header("etag"), tag);
        assert_eq!(muster.delete(path).by(&ana).header("if-match", tag).send().await.status, 412);
    }
    let gone = muster.delete(&one).by(&ana).header("if-match", "\"2\"").send().await;
    assert_eq!(gone.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_and_deletion_honours_if_match() {
    let isolated = Isolated::start().await;
    let (muster, ana) = (&isolated.world.muster, &isolated.world.ana);
    let before = muster.lasting().await;
    let is_change = |route: &&Route| ["PATCH", "PUT", "DELETE"].contains(&route.method.as_str());
    for route in isolated.routes.iter().filter(is_change) {
        // What is wrong with a change is told first, and the example answers fields that nobody is asked.
        let call = match route.name.as_str() {
            "PUT /v1/members/{member}/answers" => muster.call("PUT", &route.path).json(json!({})),
            _ => route.call(muster),
        };
        let reply = call.by(ana).header("if-match", "\"999999\"").send().await;
        assert_eq!(
            (reply.status.as_u16(), &reply.body["code"]),
            (412, &json!("precondition_failed")),
            "{}",
            route.name
        );
    }
    unchanged(&before, &muster.lasting().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_that_changes_nothing_makes_no_version() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let same = muster.patch("/v1/users/me", json!({ "name": "Ana" })).by(&ana).send().await;
    assert_eq!((same.status.as_u16(), &same.body["version"]), (200, &json!(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_things_are_not_there() {
    let muster = Muster::start().await;
    let (ana, eve) = (muster.ana().await, muster.ana().await);
    let address = muster.address(&ana, "Home").await;
    let user = format!("/v1/users/{}", ana.id);
    let before = muster.get(&user).by(&ana).send().await;
    for (method, path) in [
        ("GET", user.clone()),
        ("PATCH", user.clone()),
        ("DELETE", user.clone()),
        ("DELETE", format!("{user}?purge=true")),
        ("POST", format!("{user}/password")),
        ("GET", format!("{user}/history")),
        ("GET", format!("{user}/addresses")),
        ("POST", format!("{user}/addresses")),
        ("GET", format!("{user}/addresses/{address}")),
        ("PATCH", format!("{user}/addresses/{address}")),
        ("DELETE", format!("{user}/addresses/{address}")),
        ("GET", format!("/v1/users/me/addresses/{address}")),
        ("PATCH", format!("/v1/users/me/addresses/{address}")),
        ("DELETE", format!("/v1/users/me/addresses/{address}")),
    ] {
        let mut call = muster.call(method, &path).by(&eve);
        if path.ends_with("password") {
            call = call.json(json!({ "old_password": "x", "new_password": "staple battery horse" }));
        } else if matches!(method, "POST" | "PATCH") {
            call = call.json(json!({}));
        }
        let reply = call.send().await;
        assert_eq!((reply.status.as_u16(), &reply.body["code"]), (404, &json!("not_found")), "{method} {path}");
    }
    assert_eq!(muster.get(&user).by(&ana).send().await.text, before.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_methods_and_media_types_have_the_same_shape() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let method = muster.call("PUT", "/v1/users/me").by(&ana).send().await;
    assert_eq!((method.status.as_u16(), &method.body["code"]), (405, &json!("method_not_allowed")));
    assert!(method.header("allow").contains("PATCH"));
    for kind in ["text/plain", "application/xml", "application/json; charset=latin1", ""] {
        let reply = muster.call("POST", "/v1/users/me/addresses").raw(kind, "{}").by(&ana).send().await;
        assert_eq!((reply.status.as_u16(), &reply.body["code"]), (415, &json!("unsupported_media_type")), "{kind}");
    }
    let merge =
        muster.call("PATCH", "/v1/users/me").raw("application/merge-patch+json; charset=UTF-8", r#"{"name":"x"}"#);
    assert_eq!(merge.by(&ana).send().await.status, 200);
    let padded = format!("{{\"alias\":\"x\"{}}}", " ".repeat(300 * 1024));
    let large = muster.call("POST", "/v1/users/me/addresses").raw("application/json", padded).by(&ana).send().await;
    assert_eq!((large.status.as_u16(), &large.body["code"]), (413, &json!("payload_too_large")));
}
