//! Students looked up, and destroyed, by four keys.

use serde_json::{Value, json};

use super::{Platform, as_failed, failed};
use crate::system::PASSWORD;
use crate::uploads::club::{get, put};
use crate::uploads::samples::PNG;
use crate::uploads::sent::upload;
use crate::world::id;

/// A time as `/v1` shows it, in these clients' writing.
fn short(time: &Value) -> Value {
    json!(time.as_str().unwrap()[..19].replace('T', " "))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_student_is_shown_by_any_of_four_keys_with_its_latest_subscription() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let (user, product) = platform.student().await;
    let keys = ["show-id/ID", "show-document/12.345-678", "show-email/ANA@example.com", "show-reference/crm-1"];
    let whole = world.read(&format!("/v1/users/{user}")).await;
    let mut expected = json!({
        "id": user, "name": "Ana", "last_name": "López", "email": "ana@example.com", "photo_url": null,
        "document": "12.345.678", "genre": "FEMALE", "birth": "1990-02-28", "phone": "+5511987654321", "status": 1,
        "created_at": short(&whole["created_at"]), "updated_at": short(&whole["updated_at"])
    });
    expected["user"] = expected.clone();
    expected["subscription"] = Value::Null;
    for key in keys {
        let shown = platform.get(&format!("/users/{}", key.replace("ID", &user))).await;
        assert_eq!((shown.status.as_u16(), &shown.body), (200, &expected), "{key}");
    }
    let path = format!("/v1/segments/{}/subscriptions", world.segment);
    let body = json!({ "user_id": user, "product_id": product, "status": "INACTIVE" });
    let made = world.muster.made(&world.ana, &path, body).await;
    expected["subscription"] = json!({
        "id": made["id"], "tenant_id": world.segment, "active": 0, "user_id": user, "package_id": product,
        "created_at": short(&made["created_at"]), "updated_at": short(&made["updated_at"])
    });
    let blocked = world.send("PATCH", &format!("/v1/users/{user}"), json!({ "status": "BLOCKED" })).await;
    for fields in ["", "/user"] {
        let shown = expected.pointer_mut(fields).unwrap();
        shown["status"] = json!(0);
        shown["updated_at"] = short(&blocked.body["updated_at"]);
    }
    for key in keys {
        assert_eq!(platform.get(&format!("/users/{}", key.replace("ID", &user))).await.body, expected, "{key}");
    }
    assert_eq!(world.call("DELETE", &format!("/v1/users/{user}")).send().await.status, 204);
    for key in keys {
        let reply = platform.get(&format!("/users/{}", key.replace("ID", &user))).await;
        assert_eq!(failed(&reply), as_failed(404, "", ""), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_student_does_not_have_is_null() {
    let platform = Platform::start().await;
    let user = platform.world.user(json!({})).await;
    let shown = platform.get(&format!("/users/show-id/{user}")).await;
    for field in ["name", "last_name", "photo_url", "document", "genre", "birth", "phone", "subscription"] {
        assert_eq!(shown.body[field], Value::Null, "{field}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_is_shown_by_an_address_that_anybody_can_fetch_it_at_for_a_while() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let body =
        json!({ "segment_id": world.segment, "filename": "a.png", "content_type": "image/png", "size": PNG.len() });
    let begun = world.muster.made(&world.ana, "/v1/uploads", body).await;
    assert_eq!(put(&begun, PNG, &[]).await.status, 200);
    world.until(&format!("/v1/uploads/{}", id(&begun)), |reply| reply.body["status"] == "AVAILABLE").await;
    let user = world.user(json!({ "photo_upload_id": begun["id"] })).await;
    let shown = platform.get(&format!("/users/show-id/{user}")).await;
    let photo = get(shown.body["photo_url"].as_str().unwrap()).await;
    assert_eq!((photo.status, photo.bytes.as_slice()), (200, PNG));
}

#[tokio::test(flavor = "multi_thread")]
async fn photo_of_a_wrong_row_is_not_shown() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let muster = &world.muster;
    let eve = muster.ana().await;
    let segment = id(&muster.made(&eve, "/v1/segments", json!({ "name": "Hers" })).await);
    let theirs = json!({ "segment_id": segment, "purpose": "photo", "content_type": "image/png" });
    let theirs = upload((muster, &eve), theirs, PNG).await;
    let member = world.member(json!({ "name": "Ana" })).await;
    let of_member = json!({ "member_id": member.rsplit('/').next(), "content_type": "image/png" });
    let of_member = world.upload(of_member, PNG).await;
    let other = world.user(json!({})).await;
    let of_other = json!({ "user_id": other, "content_type": "image/png" });
    let of_other = world.upload(of_other, PNG).await;
    let user = world.user(json!({})).await;
    for file in [theirs, of_member, of_other] {
        muster.set_attribute((&format!("U#{user}"), "U"), "photo_upload_id", &file).await;
        let shown = platform.get(&format!("/users/show-id/{user}")).await;
        assert_eq!((shown.status.as_u16(), &shown.body["photo_url"]), (200, &Value::Null), "{shown:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_looked_up_under_any_type_and_must_be_one_students_alone() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let document =
        |kind: &str| json!({ "operation_country": "ARG", "identification": { "type": kind, "value": "20.123.456" } });
    let first = world.user(document("PASSPORT")).await;
    let shown = platform.get("/users/show-document/20123456").await;
    assert_eq!((shown.status.as_u16(), &shown.body["id"]), (200, &json!(first)));
    let second = world.user(document("DOCUMENT")).await;
    for method in ["GET", "DELETE"] {
        let path = if method == "GET" { "show" } else { "destroy" };
        let reply = platform.call(method, &format!("/users/{path}-document/20-123-456")).send().await;
        assert_eq!(failed(&reply), as_failed(409, "document", "ambiguous"));
    }
    // Who is shut out by its status is found all the same.
    let status = json!({ "name": "Out", "is_excluded": true });
    let status = world.muster.made(&world.ana, &format!("/v1/segments/{}/statuses", world.segment), status).await;
    for user in [&first, &second] {
        let changed = world.send("PATCH", &format!("/v1/users/{user}"), json!({ "status_id": status["id"] })).await;
        assert_eq!(changed.status, 200, "{changed:?}");
    }
    assert_eq!(platform.get("/users/show-document/20123456").await.status, 409);
    assert_eq!(platform.call("DELETE", &format!("/users/destroy-user-id/{first}")).send().await.status, 200);
    assert_eq!(platform.get("/users/show-document/20123456").await.body["id"], json!(second));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destroyed_student_is_gone_for_good() {
    let platform = Platform::start().await;
    let world = &platform.world;
    for key in ["user-id/ID", "document/12.345.678", "email/ana@EXAMPLE.com", "reference-id/crm-1"] {
        let (user, product) = platform.student().await;
        let subscribed = json!({ "product_id": product, "user_id": user });
        let subscribed = platform.send("POST", "/users/create/user-subscription", subscribed).await;
        let member = format!("/v1/members/{}", id(&subscribed.body["subscription"]));
        assert_eq!(world.get(&member).await.status, 200);
        let address = world.send("POST", &format!("/v1/users/{user}/addresses"), json!({ "alias": "Home" })).await;
        assert_eq!(address.status, 201);
        let password = json!({ "new_password": PASSWORD });
        assert_eq!(world.send("POST", &format!("/v1/users/{user}/password"), password).await.status, 204);
        let login = json!({ "email": "ana@example.com", "password": PASSWORD, "segment_id": world.segment });
        let tokens = world.muster.post("/v1/auth/login", login.clone()).send().await;
        let token = tokens.body["access_token"].as_str().unwrap();
        let path = format!("/users/destroy-{}", key.replace("ID", &user));
        let gone = platform.call("DELETE", &path).send().await;
        assert_eq!((gone.status.as_u16(), &gone.body), (200, &json!({ "message": "The user is gone." })), "{key}");
        assert_eq!(failed(&platform.call("DELETE", &path).send().await), as_failed(404, "", ""), "{key}");
        assert_eq!(world.get(&format!("/v1/users/{user}")).await.status, 404);
        assert_eq!(world.get(&member).await.status, 404);
        assert_eq!(world.muster.post("/v1/auth/login", login).send().await.status, 401);
        assert_eq!(world.muster.get("/v1/users/me").token(token).send().await.status, 401);
        assert_eq!(world.muster.items(&format!("U#{user}")).await, [] as [String; 0], "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_soft_deleted_student_can_be_destroyed_by_its_id_and_one_with_children_cannot() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let (user, _) = platform.student().await;
    let child = json!({ "parent_id": user });
    let child = id(&world.muster.made(&world.ana, &format!("/v1/segments/{}/users", world.segment), child).await);
    let path = format!("/users/destroy-user-id/{user}");
    assert_eq!(failed(&platform.call("DELETE", &path).send().await), as_failed(409, "", "has_children"));
    assert_eq!(platform.call("DELETE", &format!("/users/destroy-user-id/{child}")).send().await.status, 200);
    assert_eq!(world.call("DELETE", &format!("/v1/users/{user}")).send().await.status, 204);
    assert_eq!(platform.call("DELETE", &path).send().await.status, 200);
}
