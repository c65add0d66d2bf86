//! Signing up, verifying, logging in, reading, changing, deleting.

use serde_json::{Value, json};

use super::{call, done, read, with, without_times};
use crate::system::{Ana, Muster, PASSWORD};

fn tokens(body: &Value, whose: Option<&str>) {
    let mut names: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    let expected = ["access_token", "expires_in", "id", "refresh_token"];
    assert_eq!(names, expected.into_iter().filter(|name| whose.is_some() || *name != "id").collect::<Vec<_>>());
    assert_eq!(body["expires_in"], 3600);
    assert!(whose.is_none_or(|id| body["id"] == id), "{body}");
}

async fn available(muster: &Muster, email: &str) -> u16 {
    muster.get(&format!("/flows/user/available?key={email}")).send().await.status.as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_up_verifies_and_is_what_it_wrote() {
    let muster = Muster::start().await;
    assert_eq!(available(&muster, "Carla@example.com").await, 404);
    let country = json!({ "id": 142, "code": "MEX", "name": "México" });
    let new = json!({
        "email": "carla@example.com", "name": "Carla", "lastname": "Gómez", "lastname2": "Núñez", "password": PASSWORD,
        "mobile": 5_512_345_678_u64, "gender": "female", "birthdate": "1990-02-28T00:00:00.000Z", "lang": "es",
        "profit_center": "online", "country": country, "state": { "id": null, "code": 9, "name": "" }, "city": null,
        "player_id": "unknown here", "terms_accepted": true,
    });
    let reply = muster.post("/flows/user", new).send().await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let id = reply.body["id"].as_str().unwrap().to_owned();
    assert_eq!(reply.body, json!({ "id": id }));
    assert_eq!(available(&muster, "Carla@example.com").await, 200);

    let code = json!({ "verification_code": muster.code("carla@example.com"), "user_id": id, "phone": "5512345678" });
    let wrong = json!({ "verification_code": "00000000", "user_id": id });
    let reply = muster.post("/flows/user/validate-code", wrong).send().await;
    let message = "verification_code is wrong, used or expired; ask for a new one";
    assert_eq!((reply.status.as_u16(), &reply.body), (400, &json!({ "message": message })));
    let verified = muster.post("/flows/user/validate-code", code).send().await;
    assert_eq!(verified.status, 200, "{verified:?}");
    tokens(&verified.body, Some(&id));
    let text = |name: &str| verified.body[name].as_str().unwrap().to_owned();
    let carla = Ana {
        id: id.clone(),
        email: "carla@example.com".to_owned(),
        access: text("access_token"),
        refresh: text("refresh_token"),
    };

    let path = format!("/flows/user/{id}");
    let nowhere = json!({ "id": null, "code": null, "name": null });
    let expected = json!({
        "id": id, "email": "carla@example.com", "name": "Carla", "lastname": "Gómez", "lastname2": "Núñez",
        "mobile": "5512345678", "gender": "female", "birthdate": "1990-02-28T00:00:00.000Z", "lang": "es",
        "profit_center": "online", "country": country, "state": { "id": null, "code": "9", "name": null }, "city": nowhere,
        "active": true, "removed": false, "player_id": "unknown here", "stripe_id": null, "guest": null, "no_guest": null,
    });
    assert_eq!(without_times(&read(&muster, &carla, &path).await), expected);
    let own = read(&muster, &carla, "/v1/users/me").await;
    assert_eq!(own["second_last_name"], "Núñez");
    assert_eq!((&own["birthdate"], &own["phone"]), (&json!("1990-02-28"), &json!("+525512345678")));

    let change = json!({ "lastname2": "", "mobile": "+5215512345678", "country": nowhere, "profit_center": "stores", "id": "x" });
    done(&muster, &carla, ("PUT", &path), change).await;
    let after = read(&muster, &carla, &path).await;
    assert_eq!((&after["lastname2"], &after["lastname"]), (&Value::Null, &json!("Gómez")));
    assert_eq!((&after["country"], &after["profit_center"]), (&nowhere, &json!("stores")));
    done(&muster, &carla, ("PUT", &path), json!({})).await;
    assert_eq!(read(&muster, &carla, &path).await, after);
    let patched = muster.patch("/v1/users/me", json!({ "last_name": "López" })).by(&carla).send().await;
    assert_eq!(patched.status, 200);
    assert_eq!(read(&muster, &carla, &path).await["lastname"], "López");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_logs_in_refreshes_and_changes_its_password() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let login =
        |password: &str| muster.post("/flows/login", json!({ "email": ana.email, "password": password })).send();
    let reply = login(PASSWORD).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    tokens(&reply.body, Some(&ana.id));
    let reply = login("something else").await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.body.as_object().unwrap().keys().collect::<Vec<_>>(), ["message"]);

    let refresh = json!({ "refresh_token": ana.refresh, "access_token": "expired", "user_id": ana.id });
    let reply = muster.post("/flows/login/refresh", refresh).send().await;
    assert_eq!(reply.status, 200, "{reply:?}");
    tokens(&reply.body, None);
    assert_ne!(reply.body["refresh_token"], ana.refresh, "it rotates");
    let other = muster.ana().await;
    let swapped = json!({ "refresh_token": ana.refresh, "access_token": ana.access, "user_id": other.id });
    assert_eq!(muster.post("/flows/login/refresh", swapped).send().await.status, 401);

    let path = format!("/flows/user/change-password/{}", ana.id);
    let wrong = json!({ "old_password": "something else", "new_password": "staple battery horse" });
    let reply = call(&muster, &ana, ("POST", &path), wrong, 400).await;
    assert_eq!(reply.body, json!({ "message": "old_password is not the present password" }));
    let change = json!({ "old_password": PASSWORD, "new_password": "staple battery horse" });
    done(&muster, &ana, ("POST", &path), change).await;
    assert_eq!(login(PASSWORD).await.status, 401);
    assert_eq!(login("staple battery horse").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_deleted_is_out_and_its_email_free_and_a_segments_user_is_shown_as_removed() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let segment = muster.post("/v1/segments", json!({ "name": "S" })).by(&ana).send().await;
    let users = format!("/v1/segments/{}/users", segment.body["id"].as_str().unwrap());
    let user = muster.post(&users, json!({ "email": "u@example.com" })).by(&ana).send().await;
    let path = format!("/flows/user/{}", user.body["id"].as_str().unwrap());
    assert_eq!(read(&muster, &ana, &path).await["removed"], false);
    for (active, status) in
        [(json!(false), "BLOCKED"), (json!(0), "BLOCKED"), (json!("true"), "ACTIVE"), (Value::Null, "ACTIVE")]
    {
        done(&muster, &ana, ("PUT", &path), json!({ "active": active })).await;
        let own = read(&muster, &ana, &path.replace("/flows/user", "/v1/users")).await;
        assert_eq!(own["status"], status, "{active}");
        assert_eq!(read(&muster, &ana, &path).await["active"], status == "ACTIVE");
    }
    let itself = format!("/flows/user/{}", ana.id);
    call(&muster, &ana, ("PUT", &itself), json!({ "active": false }), 403).await;
    let reply = call(&muster, &ana, ("PUT", &path), json!({ "active": "maybe" }), 400).await;
    assert_eq!(reply.body, json!({ "message": "active must be true or false" }));
    done(&muster, &ana, ("DELETE", &path), Value::Null).await;
    let removed = read(&muster, &ana, &path).await;
    assert_eq!((&removed["removed"], &removed["active"]), (&json!(true), &json!(false)));

    assert_eq!(available(&muster, &ana.email).await, 200);
    done(&muster, &ana, ("DELETE", &format!("/flows/user/{}", ana.id)), Value::Null).await;
    assert_eq!(available(&muster, &ana.email).await, 404);
    call(&muster, &ana, ("GET", &path), Value::Null, 401).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_by_the_names_that_it_was_sent_by() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    let mut different = Vec::new();
    let itself = format!("/flows/user/{}", ana.id);
    let taken = json!({ "email": ana.email, "name": "A", "password": PASSWORD });
    let bad =
        json!({ "mobile": [12], "lastname": "", "birthdate": "soon", "password": "x", "country": { "code": ["MEX"] } });
    for (method, path, body, status, message) in [
        ("POST", "/flows/user", taken, 409, "email is taken by another user; choose another one"),
        ("POST", "/flows/user", json!([]), 400, "must be a JSON object"),
        ("PUT", &itself, json!({ "mobile": [12] }), 400, "mobile must be a string"),
        ("PUT", &itself, json!({ "name": null }), 400, "name cannot be cleared"),
        ("PUT", &itself, json!({ "gender": "unknown" }), 400, "gender must be one of male, female, other"),
        (
            "PUT",
            &itself,
            json!({ "player_id": "x".repeat(9000) }),
            400,
            "The values that are only kept must be at most 8 KiB of JSON: profit_center, player_id",
        ),
        ("POST", "/flows/login", json!({}), 400, "email is required; password is required"),
        ("POST", "/flows/login", json!({ "email": " ", "password": PASSWORD }), 400, "email is required"),
        (
            "POST",
            "/flows/login",
            json!({ "email": "x" }),
            400,
            "email must be an e-mail address such as ana@example.com; password is required",
        ),
        (
            "POST",
            "/flows/user/validate-code",
            json!({ "verification_code": "1", "user_id": 7 }),
            400,
            "user_id must be an id, as it was given",
        ),
        ("POST", "/flows/user/validate-code", json!({ "user_id": ana.id }), 400, "verification_code is required"),
        (
            "GET",
            "/flows/user/available?key=x",
            Value::Null,
            400,
            "key must be an e-mail address such as ana@example.com",
        ),
        ("GET", "/flows/user/available", Value::Null, 400, "key must have at least 1 visible character"),
    ] {
        let reply = with(muster.call(method, path).by(&ana), body).send().await;
        assert_eq!(reply.body.as_object().unwrap().len(), 1, "{reply:?}");
        let found = (reply.status.as_u16(), reply.body["message"].as_str().unwrap());
        if found != (status, message) {
            different.push(format!("{method} {path}: {found:?}"));
        }
    }
    assert!(different.is_empty(), "{different:#?}");
    let reply = muster.post("/flows/user", bad).send().await;
    let message = reply.body["message"].as_str().unwrap();
    for name in ["password ", "email ", "name ", "mobile ", "birthdate ", "country.code "] {
        assert!(message.contains(name), "{name}: {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_email_is_confirmed_by_its_code_and_the_users_own_token() {
    let muster = Muster::start().await;
    let (ana, eva) = (muster.ana().await, muster.ana().await);
    let path = format!("/flows/user/{}", ana.id);
    done(&muster, &ana, ("PUT", &path), json!({ "email": "new@example.com" })).await;
    assert_eq!(read(&muster, &ana, &path).await["email"], json!(ana.email), "it is not proved yet");
    let code = |code: &str| json!({ "verification_code": code, "user_id": ana.id });
    let validate = "/flows/user/validate-code";
    let right = code(&muster.code("new@example.com"));
    for (by, body) in [(Some(&eva), &right), (None, &right), (Some(&ana), &code("00000000"))] {
        let call = muster.post(validate, body.clone());
        let reply = by.into_iter().fold(call, |call, by| call.by(by)).send().await;
        let message = "verification_code is wrong, used or expired; ask for a new one";
        assert_eq!((reply.status.as_u16(), &reply.body), (400, &json!({ "message": message })));
    }
    let reply = call(&muster, &ana, ("POST", validate), right.clone(), 200).await;
    tokens(&reply.body, Some(&ana.id));
    let access = reply.body["access_token"].as_str().unwrap();
    let shown = muster.get(&path).token(access).send().await;
    assert_eq!((shown.status.as_u16(), &shown.body["email"]), (200, &json!("new@example.com")));
    let refresh = json!({ "refresh_token": reply.body["refresh_token"], "user_id": ana.id });
    assert_eq!(muster.post("/flows/login/refresh", refresh).send().await.status, 200);
    assert_eq!(muster.login("new@example.com", PASSWORD).await.status, 200);
    muster.undo_link(&ana.email);
    call(&muster, &ana, ("POST", validate), right, 409).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_session_changes_the_email_by_the_present_password() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    muster.sign_ins_age();
    let refresh = json!({ "refresh_token": ana.refresh, "user_id": ana.id });
    let refreshed = muster.post("/v1/auth/refresh", refresh).send().await;
    let old = Ana::of(ana.email.clone(), &refreshed);
    let path = format!("/flows/user/{}", ana.id);
    let change = |password: &str| json!({ "email": "new@example.com", "old_password": password });
    let reply = call(&muster, &old, ("PUT", &path), json!({ "email": "new@example.com" }), 400).await;
    assert!(reply.body["message"].as_str().unwrap().starts_with("old_password is required"), "{reply:?}");
    let reply = call(&muster, &old, ("PUT", &path), change("a wrong password"), 400).await;
    assert_eq!(reply.body, json!({ "message": "old_password is not the present password" }));
    done(&muster, &old, ("PUT", &path), change(PASSWORD)).await;
    muster.code("new@example.com");
}
