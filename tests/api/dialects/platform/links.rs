//! Magic links.

use serde_json::json;

use super::{Platform, as_failed, failed};

#[tokio::test(flavor = "multi_thread")]
async fn a_magic_link_signs_its_student_in_once() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let (user, _) = platform.student().await;
    let made = platform.send("POST", "/partners/magic-link", json!({ "email": "ANA@example.com" })).await;
    assert_eq!((made.status.as_u16(), &made.body["status"]), (200, &json!("success")), "{made:?}");
    let url = made.body["url"].as_str().unwrap();
    let token = url.strip_prefix(&format!("{}/v1/auth/magic-link?token=", world.muster.url)).unwrap();
    for expected in [200, 401] {
        let redeemed = world.muster.post("/v1/auth/magic-link", json!({ "token": token })).send().await;
        assert_eq!(redeemed.status, expected, "{redeemed:?}");
        if expected == 200 {
            assert_eq!(redeemed.body["user_id"], json!(user));
        }
    }
    assert_eq!(world.send("PATCH", &format!("/v1/users/{user}"), json!({ "status": "BLOCKED" })).await.status, 200);
    for (body, expected) in [
        (json!({}), as_failed(400, "email", "required")),
        (json!({ "email": "ana" }), as_failed(400, "email", "invalid_email")),
        (json!({ "email": "nobody@example.com" }), as_failed(404, "", "")),
        (json!({ "email": "ana@example.com" }), as_failed(409, "", "not_active")),
    ] {
        assert_eq!(failed(&platform.send("POST", "/partners/magic-link", body).await), expected);
    }
}
