//! `login`: a token that logs in once.

use serde_json::{Value, json};

use super::{Calls, refused};
use crate::races::all;
use crate::system::Reply;

impl Calls {
    async fn token(&self, person: u64) -> String {
        let login = self.done(json!({ "action": "login", "clogin_id": person, "doc": {} })).await;
        login["user_token"].as_str().unwrap().to_owned()
    }

    async fn redeem(&self, token: &str) -> Reply {
        self.world.muster.post("/v1/auth/magic-link", json!({ "token": token })).send().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_logs_its_user_in_once_whether_or_not_it_ever_had_a_password() {
    let calls = Calls::start().await;
    let person = calls.person("ana@example.com").await;
    let user = calls.user("ana@example.com").await["id"].clone();
    for _ in 0..2 {
        let token = calls.token(person).await;
        assert!(!calls.world.muster.whole_table().await.contains(&token), "only its hash is kept");
        let tokens = calls.redeem(&token).await;
        assert_eq!((tokens.status.as_u16(), &tokens.body["user_id"]), (200, &user), "{tokens:?}");
        let access = tokens.body["access_token"].as_str().unwrap();
        let me = calls.world.muster.get("/v1/users/me").token(access).send().await;
        assert_eq!((me.status.as_u16(), &me.body["id"]), (200, &user));
        assert_eq!(calls.redeem(&token).await.status, 401, "it is used up");
    }
    let history = calls.world.read(&format!("/v1/users/{}/history", user.as_str().unwrap())).await;
    let entries: Vec<_> =
        history["data"].as_array().unwrap().iter().map(|entry| (&entry["action"], &entry["actor"]["type"])).collect();
    let expected = [(&json!("login_created"), &json!("system")), (&json!("created"), &json!("key"))];
    assert_eq!(entries, expected, "nobody changed a password");
    for wrong in ["", "ml_", "nonsense", &format!("ml_{}", "A".repeat(47)), &format!("ml_{}", "é".repeat(40))] {
        assert!(matches!(calls.redeem(wrong).await.status.as_u16(), 400 | 401), "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_who_redeem_a_token_at_once_one_is_logged_in() {
    let calls = Calls::start().await;
    let person = calls.person("ana@example.com").await;
    let token = calls.token(person).await;
    let replies = all((0..20).map(|_| calls.redeem(&token))).await;
    let won = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!((won, replies.iter().filter(|reply| reply.status == 401).count()), (1, 19));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_shut_out_gets_no_token_and_uses_none() {
    let calls = Calls::start().await;
    let world = &calls.world;
    let person = calls.person("ana@example.com").await;
    let path = format!("/v1/users/{}", calls.user("ana@example.com").await["id"].as_str().unwrap());
    let token = calls.token(person).await;
    assert_eq!(world.send("PATCH", &path, json!({ "status": "BLOCKED" })).await.status, 200);
    let login = json!({ "action": "login", "clogin_id": person });
    let expected = (
        409,
        "The user is not in use, its status shuts it out, or its validity has ended; change that first.".to_owned(),
    );
    assert_eq!(refused(&calls.send(login.clone()).await), expected);
    assert_eq!(calls.redeem(&token).await.status, 401);
    assert_eq!(world.send("PATCH", &path, json!({ "status": "ACTIVE" })).await.status, 200);
    let status = json!({ "name": "Out", "is_excluded": true });
    let status = world.muster.made(&world.ana, &format!("/v1/segments/{}/statuses", world.segment), status).await;
    let token = calls.token(person).await;
    assert_eq!(world.send("PATCH", &path, json!({ "status_id": status["id"] })).await.status, 200);
    assert_eq!(refused(&calls.send(login).await), expected);
    assert_eq!(calls.redeem(&token).await.status, 401);
    let own = world.muster.post("/v1/users/me/magic-link", Value::Null).by(&world.ana).send().await;
    assert_eq!(own.status, 403, "{own:?}");
}
