//! Which passwords are taken, in every way in which one is set.

use serde_json::{Value, json};

use crate::system::{Ana, Muster, PASSWORD, Reply};
use crate::world::World;

/// A user of a segment whose values stand in passwords that it must not have.
fn user(email: &str) -> Value {
    json!({ "email": email, "username": "solecito", "name": "Ana", "last_name": "Quintanilla" })
}

/// Weak passwords of that user, and the code and a word of the reason that each is refused for.
const WEAK: [(&str, &str, &str); 9] = [
    ("short", "too_short", "8"),
    ("seven77", "too_short", "8"),
    ("password1", "weak_password", "common"),
    ("P@ssw0rd!", "weak_password", "common"),
    ("1234567890", "weak_password", "common"),
    ("xx marisolpaz xx", "weak_password", "e-mail"),
    ("the solecito is up", "weak_password", "username"),
    ("horse QUINTANILLA battery", "weak_password", "name"),
    ("correct muster battery", "weak_password", "product"),
];

fn told(reply: &Reply, at: &str, (text, code, reason): (&str, &str, &str)) {
    assert_eq!(reply.status, 400, "{text}: {reply:?}");
    let errors = reply.body["errors"].as_array().unwrap();
    let error = errors.iter().find(|error| error["pointer"] == at).unwrap_or_else(|| panic!("{text}: {reply:?}"));
    assert_eq!(error["code"], code, "{text}: {error}");
    assert!(error["message"].as_str().unwrap().contains(reason), "{text}: {error}");
    assert!(code != "weak_password" || !reply.text.contains(text), "{text} is not repeated");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weak_password_is_told_beside_what_else_is_wrong() {
    let world = World::start().await;
    let body = json!({ "email": "q@example.com", "name": "Q", "phone": "zz", "password": "password" });
    for reply in [
        world.muster.post("/v1/users", body.clone()).send().await,
        world.send("POST", &format!("/v1/segments/{}/users", world.segment), body).await,
    ] {
        let mut codes: Vec<_> = reply.errors().into_iter().map(|(pointer, code, ..)| (pointer, code)).collect();
        codes.sort();
        assert_eq!(codes.len(), 2, "{reply:?}");
        assert_eq!(codes[0], ("/password".to_owned(), "weak_password".to_owned()));
        assert_eq!(codes[1].0, "/phone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn weak_passwords_are_refused_wherever_one_is_set() {
    let world = World::start().await;
    let muster = &world.muster;
    let email = "marisolpaz@example.com";
    let users = format!("/v1/segments/{}/users", world.segment);
    let (made, mut with) = (world.user(user(email)).await, user("marisolpaz@other.example.com"));
    with["username"] = "solecito.paz".into();
    let set = format!("/v1/users/{made}/password");
    let first = json!({ "new_password": PASSWORD });
    assert_eq!(world.send("POST", &set, first).await.status, 204);
    let login = json!({ "email": email, "password": PASSWORD, "segment_id": world.segment });
    let itself = Ana::of(email.to_owned(), &muster.post("/v1/auth/login", login.clone()).send().await);
    for weak in WEAK {
        let (text, code, reason) = weak;
        let mut sign_up = user(email);
        sign_up["password"] = text.into();
        told(&muster.post("/v1/users", sign_up).send().await, "/password", weak);
        // There is no such username in it.
        let mut new = with.clone();
        new["username"] = "solecito".into();
        new["password"] = text.into();
        told(&world.send("POST", &users, new.clone()).await, "/password", weak);
        let batch = world.send("POST", &format!("{users}/batch"), json!({ "users": [new.clone()] })).await;
        assert_eq!(batch.body["results"][0]["status"], 400, "{batch:?}");
        assert_eq!(batch.body["results"][0]["error"]["errors"][0]["code"], code, "{batch:?}");
        let atomic = json!({ "users": [new], "atomic": true });
        told(&world.send("POST", &format!("{users}/batch"), atomic).await, "/users/0/password", weak);
        told(&world.send("POST", &set, json!({ "new_password": text })).await, "/new_password", weak);
        let change = json!({ "old_password": PASSWORD, "new_password": text });
        told(&muster.post("/v1/users/me/password", change).by(&itself).send().await, "/new_password", weak);
        let ask = json!({ "email": email, "segment_id": world.segment });
        assert_eq!(muster.post("/v1/auth/recovery", ask).send().await.status, 202);
        let code = muster.recovery_code(email);
        let confirm = json!({ "email": email, "segment_id": world.segment, "code": code, "new_password": text });
        told(&muster.post("/v1/auth/recovery/confirm", confirm).send().await, "/new_password", weak);
        if reason != "username" {
            let new = json!({ "email": email, "name": "Ana", "lastname": "Quintanilla", "password": text });
            let flows = muster.post("/flows/user", new).send().await;
            assert!(flows.status == 400 && flows.text.contains(reason), "{text}: {flows:?}");
        }
    }
    assert_eq!(muster.post("/v1/auth/login", login).send().await.status, 200, "it is still the same one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_says_how_long_its_passwords_are() {
    let world = World::start().await;
    let segment = format!("/v1/segments/{}", world.segment);
    let users = format!("{segment}/users");
    for (least, taken, refused) in [(6, "vq7Kx2", "vq7Kx"), (20, "vq7Kx2 vq7Kx2 tulips", "vq7Kx2 vq7Kx2 tulip")] {
        let patch = json!({ "settings": { "password_min_length": least } });
        assert_eq!(world.send("PATCH", &segment, patch).await.status, 200);
        let email = format!("user{least}@example.com");
        let short = world.send("POST", &users, json!({ "email": email, "password": refused })).await;
        assert_eq!(short.errors(), [("/password".to_owned(), "too_short".to_owned())]);
        let made = world.send("POST", &users, json!({ "email": email, "password": taken })).await;
        assert_eq!(made.status, 201, "{made:?}");
        let login = json!({ "email": email, "password": taken, "segment_id": world.segment });
        assert_eq!(world.muster.post("/v1/auth/login", login).send().await.status, 200);
    }
    for wrong in [json!(5), json!(65), json!("8"), json!(7.5)] {
        let patch = json!({ "settings": { "password_min_length": wrong } });
        assert_eq!(world.send("PATCH", &segment, patch).await.status, 400, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_the_same_however_its_accents_are_typed() {
    let muster = Muster::start().await;
    let (composed, decomposed) = ("árbol verde ñandú", "a\u{301}rbol verde n\u{303}andu\u{301}");
    let body = json!({ "email": "a@example.com", "name": "Eva", "password": decomposed });
    let id = muster.post("/v1/users", body).send().await.body["id"].as_str().unwrap().to_owned();
    let code = json!({ "code": muster.code("a@example.com") });
    assert_eq!(muster.post(&format!("/v1/users/{id}/verification"), code).send().await.status, 200);
    for typed in [composed, decomposed] {
        assert_eq!(muster.login("a@example.com", typed).await.status, 200, "{typed}");
    }
    // As it was set before passwords were composed.
    let set = muster.cognito().admin_set_user_password().user_pool_id(&muster.wiring.pool_id).username(&id);
    set.password(decomposed).permanent(true).send().await.unwrap();
    let login = muster.login("a@example.com", decomposed).await;
    assert_eq!(login.status, 200);
    let change = json!({ "old_password": decomposed, "new_password": composed });
    let ana = Ana::of("a@example.com".to_owned(), &login);
    assert_eq!(muster.post("/v1/users/me/password", change).by(&ana).send().await.status, 204);
    assert_eq!(muster.login("a@example.com", composed).await.status, 200);
    // 126 characters once they are composed, and 129.
    let longest = "e\u{301}x\u{304}".repeat(42);
    for (password, status) in [(longest.clone(), 204), (format!("{longest}abc"), 400)] {
        let change = json!({ "old_password": composed, "new_password": password });
        assert_eq!(muster.post("/v1/users/me/password", change).by(&ana).send().await.status, status);
    }
}
