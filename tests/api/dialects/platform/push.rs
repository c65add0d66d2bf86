//! Push notifications.

use serde_json::json;

use super::{Platform, as_failed, failed};

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_is_sent_to_students_and_its_counts_are_told() {
    let platform = Platform::start().await;
    let world = &platform.world;
    let (user, other) = (world.user(json!({})).await, world.user(json!({})).await);
    for (user, token) in [(&user, "phone-of-one"), (&user, "dead-phone-of-one"), (&other, "phone-of-other")] {
        let device = json!({ "platform": "fcm", "token": token });
        world.muster.made(&world.ana, &format!("/v1/users/{user}/devices"), device).await;
    }
    let of_v1 = format!("/v1/segments/{}/notifications", world.segment);
    let message = |more: serde_json::Value| {
        let mut body = json!({ "title": "Hello", "body": "A new lesson is there.", "sound": "unknown" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (more, counts) in [
        (json!({ "user_ids": [user, user] }), (1, 1)),
        (json!({ "user_ids": [], "schedule": "" }), (2, 0)),
        (json!({ "user_ids": user, "title": 5 }), (1, 0)),
        (json!({ "user_ids": ["", null] }), (2, 0)),
        (json!({ "user_ids": ["", format!(" {user} "), user] }), (1, 0)),
        (json!({ "user_ids": { "0": other } }), (1, 0)),
    ] {
        let begun = platform.send("POST", "/push", message(more)).await;
        assert_eq!(begun.status, 202, "{begun:?}");
        assert_eq!(begun.body.as_object().unwrap().len(), 1, "{begun:?}");
        let id = begun.body["id"].as_str().unwrap();
        let over = world.until(&format!("{of_v1}/{id}"), |reply| reply.body["status"] == "SENT").await;
        let told = platform.by_headers("GET", &format!("/push/{id}")).send().await;
        assert_eq!(
            (told.status.as_u16(), &told.body["sent"], &told.body["failed"]),
            (200, &json!(counts.0), &json!(counts.1))
        );
        assert_eq!((&over.body["sent"], &over.body["failed"]), (&told.body["sent"], &told.body["failed"]));
    }
    let form = format!("title=Hello&body=A&user_ids[]=&user_ids[]={user}");
    let form = platform.call("POST", "/push").raw("application/x-www-form-urlencoded", form).send().await;
    assert_eq!(form.status, 202, "{form:?}");
    let later = domain::Time::now().plus(std::time::Duration::from_secs(48 * 3600)).to_string();
    let short = later[..19].replace('T', " ");
    for at in [&later, &short, &later[..10]] {
        let begun = platform.by_headers("POST", "/push").json(message(json!({ "schedule": at }))).send().await;
        let id = begun.body["id"].as_str().unwrap_or_else(|| panic!("{at} {begun:?}"));
        assert_eq!(platform.get(&format!("/push/{id}")).await.body["status"], "SCHEDULED");
        let schedule = world.read(&format!("{of_v1}/{id}")).await["schedule"].clone();
        assert!(schedule.as_str().unwrap().starts_with(&at[..10]), "{schedule}");
    }
    for (body, expected) in [
        (json!({ "body": "b" }), as_failed(400, "title", "required")),
        (message(json!({ "user_ids": ["x"] })), as_failed(400, "user_ids.0", "invalid_id")),
        (message(json!({ "schedule": "2020-01-01T00:00:00Z" })), as_failed(400, "schedule", "out_of_range")),
        (message(json!({ "schedule": "soon" })), as_failed(400, "schedule", "invalid_time")),
        (json!([]), as_failed(400, "title", "required")),
    ] {
        assert_eq!(failed(&platform.send("POST", "/push", body).await), expected);
    }
    assert_eq!(
        failed(&platform.get(&format!("/push/{}", domain::NotificationId::fresh())).await),
        as_failed(404, "", "")
    );
}
