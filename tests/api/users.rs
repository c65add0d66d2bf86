//! Master users: reading, changing, deleting, restoring, erasing, history.

use std::time::Duration;

use edge::SignUpMode;
use local::Options;
use serde_json::json;

use crate::system::{Ana, Muster, PASSWORD};

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_created_with_all_that_was_sent() {
    let muster = Muster::start().await;
    let body = json!({
        "email": "Ana@example.com", "name": "Ana", "last_name": "López", "password": PASSWORD,
        "phone": "+5215512345678", "gender": "FEMALE", "birthdate": "1990-02-28", "language": "es-MX",
        "country": { "code": 484, "name": "México" }, "metadata": { "points": 1.50 }, "nationality": "MEX",
        "reference_id": 10042, "legal_address": { "street_name": "Reforma", "zip_code": "06600", "country": "MEX" }
    });
    let made = muster.post("/v1/users", body).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.body["id"].as_str().unwrap();
    assert_eq!(made.header("location"), format!("/v1/users/{id}"));
    assert_eq!((made.header("etag"), &made.body["status"]), ("\"1\"", &json!("UNVERIFIED")));
    assert_eq!(made.body["reference_id"], "10042", "a number's digits are kept as text");
    assert_eq!(made.body["country"], json!({ "code": "484", "name": "México" }));
    assert!(made.text.contains(r#""metadata":{"points":1.5}"#), "{}", made.text);
    assert!(!made.text.contains(PASSWORD));
    assert!(!muster.whole_table().await.contains(PASSWORD));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_value_is_refused_by_name_and_nothing_is_left_behind() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let patch =
        json!({ "username": "ana", "reference_id": "r-1", "identification": { "type": "DNI", "value": "20.123.456" } });
    assert_eq!(muster.patch("/v1/users/me", patch.clone()).by(&ana).send().await.status, 200);
    let before = muster.items("").await;
    let mut body = json!({ "email": ana.email.to_uppercase(), "name": "Eve", "password": PASSWORD });
    body["username"] = "ANA".into();
    body["reference_id"] = "r-1".into();
    body["identification"] = json!({ "type": "DNI", "value": "20123456" });
    let taken = muster.post("/v1/users", body).send().await;
    assert_eq!(taken.status, 409);
    let fields = ["/email", "/username", "/reference_id", "/identification"];
    assert_eq!(taken.errors(), fields.map(|field| (field.to_owned(), "taken".to_owned())));
    let mut after = muster.items("").await;
    after.retain(|key| !key.starts_with("R#"));
    let mut expected = before;
    expected.retain(|key| !key.starts_with("R#"));
    assert_eq!(after, expected);
    let eve = muster.ana().await;
    assert_eq!(muster.patch("/v1/users/me", patch).by(&eve).send().await.errors().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn exists_finds_each_unique_value() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let patch =
        json!({ "username": "Ana", "reference_id": "r-1", "identification": { "type": "DNI", "value": "20.123.456" } });
    assert_eq!(muster.patch("/v1/users/me", patch).by(&ana).send().await.status, 200);
    for (query, exists) in [
        (format!("email={}", ana.email.to_uppercase()), true),
        ("email=nobody@example.com".to_owned(), false),
        ("username=aNA".to_owned(), true),
        ("reference_id=r-1".to_owned(), true),
        ("reference_id=R-1".to_owned(), false),
        ("identification_type=DNI&identification_value=20-123-456".to_owned(), true),
        ("identification_type=PASSPORT&identification_value=20-123-456".to_owned(), false),
    ] {
        let reply = muster.get(&format!("/v1/users/exists?{query}")).by(&ana).send().await;
        assert_eq!((reply.status.as_u16(), &reply.body), (200, &json!({ "exists": exists })), "{query}");
    }
    for query in ["", "?email=a@b.example&username=x", "?identification_type=DNI", "?email=x", "?mail=a@b.example"] {
        assert_eq!(muster.get(&format!("/v1/users/exists{query}")).by(&ana).send().await.status, 400, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_email_frees_the_old_one_and_gets_the_codes() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let moved = muster.email_moves(&ana, "new@example.com").await;
    assert_eq!((moved.status.as_u16(), &moved.body["email"]), (200, &json!("new@example.com")));
    assert_eq!(muster.login(&ana.email, PASSWORD).await.status, 401);
    assert_eq!(muster.login("new@example.com", PASSWORD).await.status, 200);
    muster.sign_up(&ana.email).await;
    muster.post("/v1/auth/recovery", json!({ "email": "new@example.com" })).send().await;
    assert_eq!(muster.outbox(Some("new@example.com")).last().unwrap().kind, "recovery");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_password_ends_the_other_sessions_and_keeps_this_one() {
    let muster = Muster::start().await;
    let here = muster.ana().await;
    let there = Ana::of(here.email.clone(), &muster.login(&here.email, PASSWORD).await);
    let change = |old: &str| json!({ "old_password": old, "new_password": "staple battery horse" });
    let wrong = muster.post("/v1/users/me/password", change("wrong password")).by(&here).send().await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.errors()),
        (400, vec![("/old_password".to_owned(), "incorrect".to_owned())])
    );
    assert_eq!(muster.get("/v1/users/me").by(&there).send().await.status, 200, "a refused change ends nothing");
    assert_eq!(muster.post("/v1/users/me/password", change(PASSWORD)).by(&here).send().await.status, 204);
    assert_eq!(muster.get("/v1/users/me").by(&here).send().await.status, 200);
    assert_eq!(muster.get("/v1/users/me").by(&there).send().await.status, 401);
    assert_eq!(muster.post("/v1/auth/refresh", json!({ "refresh_token": there.refresh })).send().await.status, 401);
    assert_eq!(muster.post("/v1/auth/refresh", json!({ "refresh_token": here.refresh })).send().await.status, 200);
    assert_eq!(muster.login(&here.email, PASSWORD).await.status, 401);
    assert_eq!(muster.login(&here.email, "staple battery horse").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_began_in_the_very_second_of_a_password_change_ends_and_one_that_follows_it_holds() {
    let muster = Muster::start().await;
    for _ in 0..5 {
        let here = muster.ana().await;
        let second = domain::Time::now().millis().rem_euclid(1000).unsigned_abs();
        tokio::time::sleep(Duration::from_millis(1005 - second)).await;
        let began = domain::Time::now().seconds();
        let there = Ana::of(here.email.clone(), &muster.login(&here.email, PASSWORD).await);
        let change = json!({ "old_password": PASSWORD, "new_password": "staple battery horse" });
        assert_eq!(muster.post("/v1/users/me/password", change).by(&here).send().await.status, 204);
        let within = domain::Time::now().seconds() == began;
        assert_eq!(muster.get("/v1/users/me").by(&there).send().await.status, 401);
        let refresh = |ana: &Ana| muster.post("/v1/auth/refresh", json!({ "refresh_token": ana.refresh }));
        assert_eq!(refresh(&there).send().await.status, 401);
        assert_eq!(muster.get("/v1/users/me").by(&here).send().await.status, 200, "the one that changed it goes on");
        let next = Ana::of(here.email.clone(), &muster.login(&here.email, "staple battery horse").await);
        assert_eq!(muster.get("/v1/users/me").by(&next).send().await.status, 200);
        assert_eq!(refresh(&next).send().await.status, 200);
        if within {
            return;
        }
    }
    panic!("five times a login and a change of password took more than a second");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_user_is_gone_at_once_and_comes_back_by_its_password() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    muster.address(&ana, "Home").await;
    assert_eq!(muster.delete("/v1/users/me").by(&ana).send().await.status, 204);
    assert_eq!(muster.get("/v1/users/me").by(&ana).send().await.status, 401);
    assert_eq!(muster.login(&ana.email, PASSWORD).await.status, 401);
    assert_eq!(muster.post("/v1/auth/refresh", json!({ "refresh_token": ana.refresh })).send().await.status, 401);
    assert!(muster.items("C#").await.is_empty(), "its values are free at once");
    let path = format!("/v1/users/{}/restoration", ana.id);
    assert_eq!(muster.post(&path, json!({ "password": "wrong password" })).send().await.status, 401);
    let back = muster.post(&path, json!({ "password": PASSWORD })).send().await;
    assert_eq!((back.status.as_u16(), &back.body["status"]), (200, &json!("ACTIVE")));
    assert_eq!(muster.post(&path, json!({ "password": PASSWORD })).send().await.status, 409);
    let login = muster.login(&ana.email, PASSWORD).await;
    let ana = Ana::of(ana.email, &login);
    assert_eq!(muster.get("/v1/users/me/addresses").by(&ana).send().await.body["page"]["total_items"], 1);
    let history = muster.get("/v1/users/me/history?sort=id").by(&ana).send().await;
    let actions: Vec<_> =
        history.body["data"].as_array().unwrap().iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions, ["created", "verified", "deleted", "restored"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn restoring_names_what_somebody_else_has_taken_since() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    assert_eq!(muster.delete("/v1/users/me").by(&ana).send().await.status, 204);
    muster.sign_up(&ana.email).await;
    let path = format!("/v1/users/{}/restoration", ana.id);
    let refused = muster.post(&path, json!({ "password": PASSWORD })).send().await;
    assert_eq!((refused.status.as_u16(), refused.errors()), (409, vec![("/email".to_owned(), "taken".to_owned())]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_leaves_nothing() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let patch =
        json!({ "last_name": "Unmistakable", "phone": "+5215512345678", "metadata": { "note": "Unmistakable" } });
    muster.patch("/v1/users/me", patch).by(&ana).send().await;
    for nth in 0..30 {
        muster.address(&ana, &format!("Unmistakable {nth}")).await;
    }
    assert!(muster.whole_table().await.contains("Unmistakable"));
    let key = muster
        .post("/v1/users/me/addresses", json!({ "alias": "Unmistakable" }))
        .by(&ana)
        .header("idempotency-key", "k1");
    assert_eq!(key.send().await.status, 201);
    assert_eq!(muster.delete("/v1/users/me?purge=true").by(&ana).send().await.status, 204);
    let table = muster.whole_table().await;
    for trace in ["Unmistakable", "5512345678", ana.email.as_str()] {
        assert!(!table.contains(trace), "{trace} is still in the table");
    }
    assert!(muster.items("U#").await.is_empty() && muster.items("C#").await.is_empty());
    assert!(muster.identities().await.is_empty());
    assert_eq!(muster.get("/v1/users/me").by(&ana).send().await.status, 401);
    muster.sign_up(&ana.email).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_tells_who_changed_what_and_masks_what_is_personal() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let changed =
        muster.patch("/v1/users/me", json!({ "name": "Anna", "phone": "+5215512345678" })).by(&ana).send().await;
    let history = muster.get("/v1/users/me/history?page[size]=1").by(&ana).send().await;
    let entry = &history.body["data"][0];
    assert_eq!((&entry["action"], &entry["actor"]), (&json!("updated"), &json!({ "type": "user", "id": ana.id })));
    assert_eq!(entry["request_id"], changed.header("x-request-id"));
    let expected = json!([
        { "field": "name", "old": "Ana", "new": "Anna" },
        { "field": "phone", "old": null, "new": "+•••8" },
    ]);
    assert_eq!(entry["changes"], expected);
    assert_eq!(history.body["page"]["total_items"], 3);
    assert!(!history.text.contains("5512345678"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_first_may_sign_up_where_the_deployment_says_so() {
    let muster = Muster::with(Options { sign_up: SignUpMode::First, ..Options::default() }).await;
    let bodies: Vec<_> = (0..20)
        .map(|nth| json!({ "email": format!("a{nth}@example.com"), "name": "A", "password": PASSWORD }))
        .collect();
    let mut made = 0;
    let sent = bodies.into_iter().map(|body| muster.post("/v1/users", body).send());
    for reply in crate::races::all(sent).await {
        match reply.status.as_u16() {
            201 => made += 1,
            status => assert_eq!((status, &reply.body["code"]), (403, &json!("forbidden"))),
        }
    }
    assert_eq!(made, 1);
    let closed = Muster::with(Options { sign_up: SignUpMode::Closed, ..Options::default() }).await;
    let body = json!({ "email": "a@example.com", "name": "A", "password": PASSWORD });
    assert_eq!(closed.post("/v1/users", body).send().await.status, 403);
}
