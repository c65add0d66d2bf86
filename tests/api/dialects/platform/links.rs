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
    let shown = json!({ "id": user, "name": "Ana", "last_name": "López", "email": "ana@example.com" });
    assert_eq!(made.body["user"], shown);
    let url = made.body["url"].as_str().unwrap();
    let token = url.strip_prefix(&format!("{}/platform/login-magico/", world.muster.url)).unwrap();
    let page = world.muster.get(&format!("/platform/login-magico/{token}")).send().await;
    assert!(page.status == 200 && page.text.contains("action=\"/v1/auth/magic-link\""), "{page:?}");
    for expected in [200, 401] {
        let redeemed = world.muster.post("/v1/auth/magic-link", json!({ "token": token })).send().await;
        assert_eq!(redeemed.status, expected, "{redeemed:?}");
        if expected == 200 {
            assert_eq!(redeemed.body["user_id"], json!(user));
        }
    }
    assert_eq!(failed(&world.muster.get("/platform/login-magico/x").send().await), as_failed(404, "", ""));
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

#[tokio::test(flavor = "multi_thread")]
async fn link_leads_on_to_the_page_of_its_segment() {
    let platform = Platform::start().await;
    let world = &platform.world;
    platform.student().await;
    let settings = json!({ "settings": { "magic_link_url": "https://example.com/in?a=1" } });
    assert_eq!(world.send("PATCH", &format!("/v1/segments/{}", world.segment), settings).await.status, 200);
    let made = platform.send("POST", "/partners/magic-link", json!({ "email": "ana@example.com" })).await;
    let path = made.body["url"].as_str().unwrap().strip_prefix(&world.muster.url).unwrap().to_owned();
    let token = path.strip_prefix("/platform/login-magico/").unwrap();
    let opened = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let opened = async |path: &str| opened.get(format!("{}{path}", world.muster.url)).send().await.unwrap();
    let led = opened(&path).await;
    assert_eq!(led.status(), 302);
    assert_eq!(led.headers()["location"], format!("https://example.com/in?a=1&token={token}"));
    assert_eq!(world.muster.post("/v1/auth/magic-link", json!({ "token": token })).send().await.status, 200);
    // A link that is used up tells nothing of its segment.
    assert_eq!(opened(&path).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_may_be_parameters() {
    let platform = Platform::start().await;
    platform.student().await;
    let muster = &platform.world.muster;
    let both = format!("developer_token={}&platform_token={}", platform.dev, platform.plat);
    let path = format!("/platform/partners/magic-link?{both}");
    let made = muster.post(&path, json!({ "email": "ana@example.com" })).send().await;
    assert_eq!(made.status, 200, "{made:?}");
    let one = format!("/platform/partners/magic-link?platform_token={}", platform.plat);
    assert_eq!(failed(&muster.post(&one, json!({ "email": "ana@example.com" })).send().await), as_failed(401, "", ""));
    let path = format!("/platform/products/all-products?per_page=1&{both}");
    let listed = muster.get(&path).send().await;
    assert_eq!(listed.status, 200, "{listed:?}");
    // Blank parameters are none.
    let blank = platform.by_headers("GET", "/products/all-products?developer_token=&platform_token=%20").send().await;
    assert_eq!(blank.status, 200, "{blank:?}");
    let unknown = muster.get(&format!("{path}&per_page=red")).send().await;
    assert_eq!(failed(&unknown), as_failed(400, "per_page", "repeated"));
    assert!(!unknown.text.contains(&platform.plat) && !unknown.text.contains(&platform.dev));
}
