//! Who is refused, in the shape that these clients read.

use serde_json::{Value, json};

use super::memberships::membership;
use super::{made, with};
use crate::system::Muster;

/// Each route that wants a credential, with ids of these things.
fn private(ids: &[(&str, &str)]) -> Vec<(&'static str, String)> {
    let routes = [
        ("GET", "/flows/user/{user}"),
        ("PUT", "/flows/user/{user}"),
        ("DELETE", "/flows/user/{user}"),
        ("POST", "/flows/user/change-password/{user}"),
        ("POST", "/flows/address"),
        ("GET", "/flows/address/{address}"),
        ("PUT", "/flows/address/{address}"),
        ("DELETE", "/flows/address/{address}"),
        ("GET", "/flows/address/list/{user}"),
        ("POST", "/flows/segment"),
        ("GET", "/flows/segment/{segment}"),
        ("PUT", "/flows/segment/{segment}"),
        ("DELETE", "/flows/segment/{segment}"),
        ("GET", "/flows/segment/list/{user}"),
        ("POST", "/flows/membership"),
        ("DELETE", "/flows/membership/{membership}"),
        ("GET", "/flows/membership/list/{segment}"),
        ("POST", "/flows/membership-level"),
        ("DELETE", "/flows/membership-level/{level}"),
        ("GET", "/flows/membership-level/list/{membership}"),
        ("POST", "/flows/membership-custom-field"),
        ("GET", "/flows/membership-custom-field/{field}"),
        ("PUT", "/flows/membership-custom-field/{field}"),
        ("DELETE", "/flows/membership-custom-field/{field}"),
        ("GET", "/flows/membership-custom-field/list/{membership}"),
        ("POST", "/flows/membership-user"),
        ("GET", "/flows/membership-user/{member}"),
        ("GET", "/flows/membership-user/list/{membership}"),
        ("POST", "/flows/membership-custom-field-answer/stack"),
        ("GET", "/flows/membership-custom-field-answer/list/{member}"),
        ("POST", "/flows/upload/{segment}"),
    ];
    let fitted =
        |path: &str| ids.iter().fold(path.to_owned(), |path, (name, id)| path.replace(&format!("{{{name}}}"), id));
    routes.into_iter().map(|(method, path)| (method, fitted(path))).collect()
}

/// A body that every route with one reads, naming these things.
fn body(method: &str, path: &str, ids: &[(&str, &str)]) -> Value {
    let id = |name: &str| ids.iter().find(|(other, _)| *other == name).unwrap().1;
    match (method, path) {
        ("GET" | "DELETE", _) => Value::Null,
        _ => json!({
            "owner_id": id("user"), "segment_id": id("segment"), "membership_id": id("membership"), "name": "Other",
            "membership_user_id": id("member"), "custom_fields": [], "type": "string", "number_level": 7, "from_point": 700,
            "to_point": 800, "mime": "pdf", "file": "JVBERi0xLjcKJeLjz9MK", "new_password": "staple battery horse",
        }),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_route_refuses_who_it_should() {
    let muster = Muster::start().await;
    let (ana, eva, gone) = (muster.ana().await, muster.ana().await, muster.ana().await);
    let (segment, membership) = membership(&muster, &ana).await;
    let address = made(&muster, &ana, "/flows/address", json!({ "owner_id": ana.id })).await;
    let level = json!({ "membership_id": membership, "name": "L", "number_level": 1, "from_point": 0, "to_point": 9 });
    let level = made(&muster, &ana, "/flows/membership-level", level).await;
    let field = json!({ "membership_id": membership, "name": "F", "type": "string" });
    let field = made(&muster, &ana, "/flows/membership-custom-field", field).await;
    let member =
        made(&muster, &ana, "/flows/membership-user", json!({ "membership_id": membership, "name": "M" })).await;
    let closed = muster
        .patch(&format!("/v1/memberships/{membership}"), json!({ "self_enrolment": false }))
        .by(&ana)
        .send()
        .await;
    assert_eq!(closed.status, 200);
    let logout = muster.post("/v1/auth/logout", json!({ "refresh_token": gone.refresh })).by(&gone).send().await;
    assert_eq!(logout.status, 204);
    let ids = [
        ("user", ana.id.as_str()),
        ("address", &address),
        ("segment", &segment),
        ("membership", &membership),
        ("level", &level),
        ("field", &field),
        ("member", &member),
    ];
    let unauthenticated = "The credentials are missing, wrong or no longer valid; log in again.";
    let absent = "There is nothing here that you can reach.";
    let routes = private(&ids);
    for (method, path) in &routes {
        let body = body(method, path, &ids);
        let call = || with(muster.call(method, path), body.clone());
        for (token, status, message) in [
            (None, 401, unauthenticated),
            (Some("nonsense"), 401, unauthenticated),
            (Some("mk_nonsense"), 401, unauthenticated),
            (Some(gone.access.as_str()), 401, unauthenticated),
            (Some(ana.refresh.as_str()), 401, unauthenticated),
            (Some(eva.access.as_str()), 404, absent),
        ] {
            let call = token.map_or_else(call, |token| call().token(token));
            let reply = call.send().await;
            assert_eq!(reply.status, status, "{method} {path} {token:?}: {reply:?}");
            assert_eq!(reply.body, json!({ "message": message }), "{method} {path}");
        }
    }
    let strangers = routes.len();
    let document = muster.get("/openapi/flows.json").send().await.body;
    let operations = document["paths"].as_object().unwrap().values();
    let operations: Vec<_> = operations.flat_map(|item| item.as_object().unwrap().values()).collect();
    let public = operations.iter().filter(|operation| operation["security"] == json!([]));
    assert_eq!((public.count(), operations.len()), (7, strangers + 7));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_told_in_the_same_shape() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    for (method, path, status) in [
        ("GET", "/flows/nothing", 404),
        ("GET", "/flows/segment/not-an-id", 404),
        ("GET", "/flows/address/0199d2a4-5c00-7000-8000-00000000a001", 404),
        ("PATCH", "/flows/user", 405),
        ("GET", "/flows/membership", 405),
    ] {
        let reply = muster.call(method, path).by(&ana).send().await;
        assert_eq!(reply.status, status, "{method} {path}: {reply:?}");
        assert_eq!(reply.body.as_object().unwrap().keys().collect::<Vec<_>>(), ["message"], "{reply:?}");
    }
    let text = muster.call("POST", "/flows/segment").by(&ana).raw("text/plain", "name=S").send().await;
    assert_eq!((text.status.as_u16(), text.body.as_object().unwrap().len()), (400, 1));
    let broken = muster.call("POST", "/flows/segment").by(&ana).raw("application/json", "{").send().await;
    assert_eq!(
        (broken.status.as_u16(), &broken.body),
        (400, &json!({ "message": "The body is not valid JSON: it ends too early." }))
    );
}
