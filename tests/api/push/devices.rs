//! Devices of users.

use serde_json::{Value, json};

use super::still;
use crate::world::{World, as_refused, column, id, refused};

/// A user of the segment who can log in: its id and its token.
async fn eve(world: &World) -> (String, String) {
    let user = world.user(json!({ "email": "eve@example.com", "password": crate::system::PASSWORD })).await;
    let login = json!({ "email": "eve@example.com", "password": crate::system::PASSWORD, "segment_id": world.segment });
    let tokens = world.muster.post("/v1/auth/login", login).send().await;
    (user, tokens.body["access_token"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_the_same_however_often_its_app_registers_it() {
    let world = still().await;
    let (eve, token) = eve(&world).await;
    let register = async |more: Value| {
        let mut body = json!({ "platform": "apns", "token": "0123456789abcdef-secret", "name": "Eve's phone" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.muster.post("/v1/users/me/devices", body).token(&token).send().await
    };
    let first = register(json!({})).await;
    assert_eq!(first.status, 201, "{first:?}");
    assert_eq!(first.body["token"], "…cret");
    assert!(!first.text.contains("0123456789abcdef"), "{first:?}");
    let path = format!("/v1/users/{eve}/devices/{}", id(&first.body));
    assert_eq!(first.header("location"), path);
    let same = register(json!({})).await;
    assert_eq!((same.status.as_u16(), &same.body), (201, &first.body));
    let newer = register(json!({ "app_version": "2.1", "platform": "apns_sandbox" })).await;
    assert_eq!((&newer.body["id"], &newer.body["version"]), (&first.body["id"], &json!(2)));
    let read = world.read(&path).await;
    assert_eq!((&read["platform"], &read["app_version"]), (&json!("apns_sandbox"), &json!("2.1")));
    register(json!({ "token": "another-token" })).await;
    let list = world.get(&format!("/v1/users/{eve}/devices?filter[platform]=apns")).await;
    assert_eq!((column(&list, "token"), &list.body["page"]["total_items"]), (vec![json!("…oken")], &json!(1)));
    assert!(!list.text.contains("another-token"));
    let stale = world.call("DELETE", &path).header("if-match", "\"1\"").send().await;
    assert_eq!(stale.status, 412);
    assert_eq!(world.call("DELETE", &path).send().await.status, 204);
    assert_eq!(world.get(&path).await.status, 404);
    assert_eq!(world.call("DELETE", &path).send().await.status, 404);
    let again = register(json!({})).await;
    assert_ne!(again.body["id"], first.body["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_leaves_the_user_who_had_it_but_not_another_segments() {
    let world = still().await;
    let (first, second) = (world.user(json!({})).await, world.user(json!({})).await);
    let other = world.muster.made(&world.ana, "/v1/segments", json!({ "name": "Other" })).await;
    let users = format!("/v1/segments/{}/users", id(&other));
    let stranger = id(&world.muster.made(&world.ana, &users, json!({ "email": "s@example.com" })).await);
    for user in [&first, &stranger, &world.ana.id] {
        world.device(user, "shared-phone").await;
    }
    let taken = world.device(&second, "shared-phone").await;
    let devices = async |user: &str| column(&world.get(&format!("/v1/users/{user}/devices")).await, "id");
    assert_eq!((devices(&first).await, devices(&second).await), (vec![], vec![json!(taken)]));
    assert_eq!((devices(&stranger).await.len(), devices(&world.ana.id).await.len()), (1, 1));
    assert_eq!(world.muster.items("DV#").await.len(), 2, "one listed for each segment");
    // Back again, at once and by both: one of them has it.
    let (one, two) = tokio::join!(world.device(&first, "shared-phone"), world.device(&second, "shared-phone"));
    let left = [devices(&first).await, devices(&second).await].concat();
    assert!(left == [json!(one)] || left == [json!(two)], "{left:?} {one} {two}");
    assert_eq!(world.muster.items("DV#").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_has_twenty_devices_at_most_even_where_all_come_at_once() {
    let world = still().await;
    let user = world.user(json!({})).await;
    let path = format!("/v1/users/{user}/devices");
    let tokens: Vec<_> = (0..30).map(|nth| format!("phone-number-{nth}")).collect();
    let replies = futures_util::future::join_all(
        tokens.iter().map(|token| world.send("POST", &path, json!({ "platform": "fcm", "token": token }))),
    )
    .await;
    let made = replies.iter().filter(|reply| reply.status == 201).count();
    for reply in replies.iter().filter(|reply| reply.status != 201) {
        assert_eq!(reply.status, 409, "{reply:?}");
    }
    let there = world.read(&format!("{path}?page[size]=100")).await["page"]["total_items"].as_u64().unwrap();
    assert!(made <= 20 && there == made as u64, "{made} {there}");
    for nth in made..20 {
        world.device(&user, &format!("another-phone-{nth}")).await;
    }
    let full = world.send("POST", &path, json!({ "platform": "fcm", "token": "one-too-many" })).await;
    assert_eq!(refused(&full), as_refused((409, "", "too_many")));
    let first = id(&world.read(&path).await["data"][0]);
    assert_eq!(world.call("DELETE", &format!("{path}/{first}")).send().await.status, 204);
    world.device(&user, "one-that-fits").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_device_is_told_by_name_and_its_token_is_not_repeated() {
    let world = still().await;
    let user = world.user(json!({})).await;
    let path = format!("/v1/users/{user}/devices");
    for (body, pointer, code) in [
        (json!({ "token": "01234567" }), "/platform", "required"),
        (json!({ "platform": "fcm" }), "/token", "required"),
        (json!({ "platform": "sms", "token": "01234567" }), "/platform", "invalid_choice"),
        (json!({ "platform": "fcm", "token": "0123456" }), "/token", "too_short"),
        (json!({ "platform": "fcm", "token": "x".repeat(2049) }), "/token", "too_long"),
        (json!({ "platform": "fcm", "token": "with a space" }), "/token", "invalid_token"),
        (json!({ "platform": "fcm", "token": 123_456_789 }), "/token", "invalid_type"),
        (json!({ "platform": "fcm", "token": "01234567", "endpoint": "x" }), "/endpoint", "unknown"),
    ] {
        let reply = world.send("POST", &path, body.clone()).await;
        assert_eq!(refused(&reply), as_refused((400, pointer, code)), "{body}");
        assert!(!reply.text.contains("with a space"), "{reply:?}");
    }
    assert_eq!(world.call("DELETE", &format!("/v1/users/{user}")).send().await.status, 204);
    let deleted = world.send("POST", &path, json!({ "platform": "fcm", "token": "01234567" })).await;
    assert_eq!(deleted.status, 404, "{deleted:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_go_with_their_user_and_with_their_segment() {
    let world = still().await;
    let (purged, kept) = (world.user(json!({})).await, world.user(json!({})).await);
    for (user, token) in [(&purged, "purged-phone"), (&purged, "purged-tablet"), (&kept, "kept-phone-1")] {
        world.device(user, token).await;
    }
    let claims = async || {
        let items = world.muster.items("C#").await;
        items.iter().filter(|key| key.contains("#device#")).count()
    };
    assert_eq!((claims().await, world.muster.items("DV#").await.len()), (3, 3));
    assert_eq!(world.call("DELETE", &format!("/v1/users/{purged}?purge=true")).send().await.status, 204);
    assert_eq!((claims().await, world.muster.items("DV#").await.len()), (1, 1));
    world.notify(json!({ "user_ids": [kept] })).await;
    assert_eq!(world.call("DELETE", &format!("/v1/segments/{}", world.segment)).send().await.status, 204);
    world.muster.functions.notifications(super::Sent::default().sender()).run(super::soon()).await.unwrap();
    let begun = domain::Time::now().minus(std::time::Duration::from_secs(60)).to_string();
    for _ in 0..3 {
        let begun = aws_sdk_dynamodb::types::AttributeValue::S(begun.clone());
        world.muster.age("begun_at", begun).await;
        world.muster.work().await;
    }
    assert_eq!((claims().await, world.muster.items("DV#").await.len()), (0, 0));
    let mut left = world.muster.lasting().await;
    // What has happened is told for a while, and what the segment was.
    left.retain(|item| !["Y#", "K#", "AU#", "AS#"].iter().any(|prefix| item.contains(&format!("PK: S(\"{prefix}"))));
    assert!(!left.iter().any(|item| item.contains(&world.segment)), "{left:#?}");
}
