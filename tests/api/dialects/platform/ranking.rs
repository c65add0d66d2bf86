//! The ranking.

use serde_json::{Value, json};

use super::{Platform, as_failed, failed};
use crate::world::id;

#[tokio::test(flavor = "multi_thread")]
async fn students_are_ranked_by_points_in_the_oldest_membership_or_the_one_that_is_named() {
    let platform = Platform::start().await;
    let world = &platform.world;
    world.level(1, 0, 99).await;
    world.level(2, 100, 1000).await;
    let mut users = Vec::new();
    for (name, points) in [("Ana", 120), ("Eva", 30), ("Noé", 30), ("Leo", 5)] {
        let user = world.user(json!({ "name": name, "last_name": "López" })).await;
        let named = if name == "Ana" { json!({ "user_id": user }) } else { json!({ "user_id": user, "name": name }) };
        let member = world.member(named).await;
        world.award(&member, points).await;
        users.push(user);
    }
    let other = json!({ "name": "Other" });
    let other = world.muster.made(&world.ana, &format!("/v1/segments/{}/memberships", world.segment), other).await;
    let page = platform.get("/ranking?per_page=3").await;
    assert_eq!(page.status, 200, "{page:?}");
    let first = json!({ "position": 1, "user_id": users[0], "name": "Ana López", "points": 120, "level": "Level 2" });
    assert_eq!(page.body["data"][0], first);
    let column = |page: &Value, name: &str| {
        page["data"].as_array().unwrap().iter().map(|row| row[name].clone()).collect::<Vec<_>>()
    };
    assert_eq!(column(&page.body, "position"), [1, 2, 2]);
    assert_eq!(
        (&page.body["meta"]["total"], &page.body["meta"]["membership_id"]),
        (&json!(4), &json!(world.membership))
    );
    let next = page.body["links"]["next"].as_str().unwrap();
    let last = platform.get(&format!("/ranking{next}")).await;
    assert_eq!((column(&last.body, "position"), column(&last.body, "name")), (vec![json!(4)], vec![json!("Leo")]));
    assert_eq!(platform.get(&format!("/ranking/{}", users[0])).await.body, first);
    assert_eq!(platform.get(&format!("/ranking/{}", users[2])).await.body["position"], 2);

    let named = format!("membership_id={}", id(&other));
    assert_eq!(platform.get(&format!("/ranking?{named}")).await.body["data"], json!([]));
    assert_eq!(failed(&platform.get(&format!("/ranking/{}?{named}", users[0])).await), as_failed(404, "", ""));
    for (query, field) in [("membership_id=x", "membership_id"), ("per_page=0", "per_page")] {
        assert_eq!(failed(&platform.get(&format!("/ranking?{query}")).await).1, field);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_without_memberships_has_no_ranking() {
    let platform = Platform::start().await;
    let world = &platform.world;
    assert_eq!(world.call("DELETE", &world.path("")).send().await.status, 204);
    assert_eq!(failed(&platform.get("/ranking").await), as_failed(404, "", ""));
}
