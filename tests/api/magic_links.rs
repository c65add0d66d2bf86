//! Magic links: each signs its user in once, within a day, whoever has it.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::races::all;
use crate::system::{PASSWORD, Reply};
use crate::world::{World, as_refused, refused};

/// A link for a user of the segment: its token.
async fn link(world: &World, user: &str) -> String {
    let made = world.call("POST", &format!("/v1/users/{user}/magic-link")).send().await;
    assert_eq!(made.status, 200, "{made:?}");
    made.body["url"].as_str().unwrap().split_once("token=").unwrap().1.to_owned()
}

async fn redeem(world: &World, token: &str) -> Reply {
    world.muster.post("/v1/auth/magic-link", json!({ "token": token })).send().await
}

/// Who the tokens say that they are.
async fn is_signed_in(world: &World, reply: &Reply, user: &str) {
    assert_eq!((reply.status.as_u16(), &reply.body["user_id"]), (200, &json!(user)), "{reply:?}");
    let me = world.muster.get("/v1/users/me").token(reply.body["access_token"].as_str().unwrap()).send().await;
    assert_eq!((me.status.as_u16(), &me.body["id"]), (200, &json!(user)), "{me:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_signs_its_user_in_once() {
    let world = World::start().await;
    for fields in [json!({}), json!({ "password": PASSWORD }), json!({ "email": "eva@example.com" })] {
        let user = world.user(fields).await;
        let token = link(&world, &user).await;
        assert!(!world.muster.whole_table().await.contains(&token[3..]), "the table has the token");
        let signed_in = redeem(&world, &token).await;
        is_signed_in(&world, &signed_in, &user).await;
        let again = redeem(&world, &token).await;
        assert_eq!((again.status.as_u16(), &again.body["code"]), (401, &json!("unauthenticated")), "{again:?}");
        let refreshed = json!({ "refresh_token": signed_in.body["refresh_token"] });
        assert_eq!(world.muster.post("/v1/auth/refresh", refreshed).send().await.status, 200);
        let second = link(&world, &user).await;
        is_signed_in(&world, &redeem(&world, &second).await, &user).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_who_redeem_a_link_at_once_one_gets_in() {
    let world = World::start().await;
    for fields in [json!({ "password": PASSWORD }), json!({})] {
        let user = world.user(fields).await;
        let token = link(&world, &user).await;
        let tries = all((0..50).map(|_| redeem(&world, &token))).await;
        let mut statuses: Vec<_> = tries.iter().map(|reply| reply.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [vec![200], vec![401; 49]].concat());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_in_use_gets_no_link_and_redeems_none() {
    let world = World::start().await;
    let excluded = json!({ "name": "Out", "is_excluded": true });
    let status = world.muster.made(&world.ana, &format!("/v1/segments/{}/statuses", world.segment), excluded).await;
    for change in [json!({ "status": "BLOCKED" }), json!({ "status_id": status["id"] }), Value::Null] {
        let user = world.user(json!({})).await;
        let path = format!("/v1/users/{user}");
        let token = link(&world, &user).await;
        let changed = match change.is_null() {
            true => world.call("DELETE", &path).send().await,
            false => world.send("PATCH", &path, change.clone()).await,
        };
        assert!(changed.status.is_success(), "{changed:?}");
        assert_eq!(redeem(&world, &token).await.status, 401, "{change}");
        let made = world.call("POST", &format!("{path}/magic-link")).send().await;
        assert_eq!(refused(&made), as_refused((409, "", "not_active")), "{change}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_over_made_up_or_another_users_opens_nothing() {
    let world = World::start().await;
    let (user, other) = (world.user(json!({})).await, world.user(json!({})).await);
    let token = link(&world, &user).await;
    let foreign = edge::LinkToken::fresh(other.parse().unwrap()).unwrap();
    for wrong in [foreign.reveal(), "ml_", "nonsense", &token[..token.len() - 1]] {
        assert_eq!(redeem(&world, wrong).await.status, 401, "{wrong}");
    }
    let an_hour_ago = domain::Time::now().minus(Duration::from_secs(3600)).seconds();
    world.muster.age("expires_at", AttributeValue::N(an_hour_ago.to_string())).await;
    assert_eq!(redeem(&world, &token).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_leads_to_the_segments_page_or_to_ours_where_looking_spends_nothing() {
    let world = World::start().await;
    let user = world.user(json!({})).await;
    let path = format!("/v1/users/{user}/magic-link");
    let ours = world.call("POST", &path).send().await;
    let url = ours.body["url"].as_str().unwrap();
    let (at, token) = url.strip_prefix(&world.muster.url).unwrap().split_once("token=").unwrap();
    assert_eq!(at, "/v1/auth/magic-link?");
    for _ in 0..3 {
        let page = world.muster.get(&format!("{at}token={token}")).send().await;
        assert!(page.status == 200 && page.text.contains("method=\"post\"") && page.text.contains(token), "{page:?}");
        assert_eq!(
            (page.header("referrer-policy"), page.header("cache-control")),
            ("no-referrer", "private, no-store")
        );
    }
    for query in ["", "?token=%3Cscript%3E", "?token=x&other=1"] {
        assert_eq!(world.muster.get(&format!("/v1/auth/magic-link{query}")).send().await.status, 400, "{query}");
    }
    // As the page's form sends it.
    let form = format!("token={token}");
    let sent = world.muster.call("POST", "/v1/auth/magic-link").raw("application/x-www-form-urlencoded", form);
    is_signed_in(&world, &sent.send().await, &user).await;

    let settings = json!({ "settings": { "magic_link_url": "https://example.com/in?a=1" } });
    assert_eq!(world.send("PATCH", &format!("/v1/segments/{}", world.segment), settings).await.status, 200);
    let theirs = world.call("POST", &path).send().await;
    assert!(theirs.body["url"].as_str().unwrap().starts_with("https://example.com/in?a=1&token=ml_"), "{theirs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_the_segment_makes_links_and_nobody_else() {
    let world = World::start().await;
    let user = world.user(json!({ "email": "eva@example.com", "password": PASSWORD })).await;
    let path = format!("/v1/users/{user}/magic-link");
    let (eve, admin) = (world.muster.ana().await, world.key(&["admin"]).await.1);
    let others = world.key(&["read", "write"]).await.1;
    let login = json!({ "email": "eva@example.com", "password": PASSWORD, "segment_id": world.segment });
    let own = world.muster.post("/v1/auth/login", login).send().await.body["access_token"].as_str().unwrap().to_owned();
    for (token, expected) in [(&admin, 200), (&others, 403), (&eve.access, 404), (&own, 403)] {
        assert_eq!(world.muster.call("POST", &path).token(token).send().await.status, expected);
    }
    assert_eq!(world.call("POST", "/v1/users/me/magic-link").send().await.status, 403);
}
