//! What ends links and keys that were given out before: a change of password or e-mail, recovery, blocking.

use serde_json::{Value, json};

use crate::system::{Ana, PASSWORD, Reply};
use crate::world::{World, as_refused, column, refused};

const NEW_PASSWORD: &str = "staple battery horse";

impl World {
    async fn new_link(&self, user: &str) -> String {
        let made = self.call("POST", &format!("/v1/users/{user}/magic-link")).send().await;
        assert_eq!(made.status, 200, "{made:?}");
        made.body["token"].as_str().unwrap().to_owned()
    }

    async fn redeemed(&self, token: &str) -> u16 {
        let reply = self.muster.post("/v1/auth/magic-link", json!({ "token": token })).send().await;
        if reply.status == 401 {
            assert_eq!(reply.body["code"], "unauthenticated", "{reply:?}");
        }
        reply.status.as_u16()
    }

    async fn done(&self, sent: impl Future<Output = Reply>) {
        let reply = sent.await;
        assert!(reply.status.is_success(), "{reply:?}");
    }
}

const CHANGES: [&str; 6] = ["set password", "own password", "recovery", "e-mail", "blocking", "deletion"];

/// Makes a change of a user that ends its links.
async fn change(world: &World, what: &str, user: &str, email: &str) {
    let path = format!("/v1/users/{user}");
    let password = format!("{path}/password");
    match what {
        "set password" => world.done(world.send("POST", &password, json!({ "new_password": NEW_PASSWORD }))).await,
        "own password" => {
            let login = json!({ "email": email, "password": PASSWORD, "segment_id": world.segment });
            let own = Ana::of(email.to_owned(), &world.muster.post("/v1/auth/login", login).send().await);
            let body = json!({ "old_password": PASSWORD, "new_password": NEW_PASSWORD });
            world.done(world.muster.post("/v1/users/me/password", body).by(&own).send()).await;
        }
        "recovery" => {
            let body = json!({ "email": email, "segment_id": world.segment });
            world.done(world.muster.post("/v1/auth/recovery", body.clone()).send()).await;
            let mut body = body;
            body["code"] = world.muster.recovery_code(email).into();
            body["new_password"] = NEW_PASSWORD.into();
            world.done(world.muster.post("/v1/auth/recovery/confirm", body).send()).await;
        }
        "e-mail" => world.done(world.send("PATCH", &path, json!({ "email": format!("new.{email}") }))).await,
        "blocking" => {
            world.done(world.send("PATCH", &path, json!({ "status": "BLOCKED" }))).await;
            world.done(world.send("PATCH", &path, json!({ "status": "ACTIVE" }))).await;
        }
        _ => {
            world.done(world.call("DELETE", &path).send()).await;
            world.done(world.call("POST", &format!("{path}/restoration")).send()).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn magic_links_end_with_what_they_stand_for() {
    let world = World::start().await;
    for what in CHANGES {
        let email = format!("{}@example.com", domain::UserId::fresh());
        let user = world.user(json!({ "email": email, "password": PASSWORD })).await;
        let (before, harmless) = (world.new_link(&user).await, world.new_link(&user).await);
        world.done(world.send("PATCH", &format!("/v1/users/{user}"), json!({ "name": "Eva" }))).await;
        assert_eq!(world.redeemed(&harmless).await, 200, "another change ends no link");
        world.muster.seconds_pass().await;
        change(&world, what, &user, &email).await;
        assert_eq!(world.redeemed(&before).await, 401, "{what}");
        world.muster.seconds_pass().await;
        let after = world.new_link(&user).await;
        assert_eq!(world.redeemed(&after).await, 200, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_sign_in_by_a_link_ends_no_other_link() {
    let world = World::start().await;
    let user = world.user(json!({})).await;
    let links = [world.new_link(&user).await, world.new_link(&user).await, world.new_link(&user).await];
    for link in links {
        assert_eq!(world.redeemed(&link).await, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn links_lead_to_https_or_to_the_own_machine() {
    let world = World::start().await;
    let path = format!("/v1/segments/{}", world.segment);
    let page = |url: &str| json!({ "settings": { "magic_link_url": url } });
    for good in ["https://example.com/in", "http://localhost:3000/in", "http://127.0.0.1/in", "http://[::1]:80/in"] {
        world.done(world.send("PATCH", &path, page(good))).await;
    }
    for bad in ["http://example.com/in", "http://10.0.0.1/in", "http://localhost.example.com/in", "ftp://localhost/in"]
    {
        let reply = world.send("PATCH", &path, page(bad)).await;
        assert_eq!(refused(&reply), as_refused((400, "/settings/magic_link_url", "invalid_url")), "{bad}");
    }
}

/// An account's key and a key of its segment.
async fn two_keys(world: &World) -> [String; 2] {
    let account = world.muster.key(&world.ana, "/v1/keys", &["read", "write", "admin"]).await.1;
    [account, world.key(&["read", "write", "admin"]).await.1]
}

async fn own_password(world: &World, query: &str, old: &str, new: &str) -> Reply {
    let body = json!({ "old_password": old, "new_password": new });
    world.send("POST", &format!("/v1/users/me/password{query}"), body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_older_than_the_password_are_listed_for_review() {
    let world = World::start().await;
    let old = two_keys(&world).await;
    let lists = ["/v1/keys".to_owned(), format!("/v1/segments/{}/keys", world.segment)];
    for list in &lists {
        assert_eq!(column(&world.get(list).await, "review"), [false]);
    }
    assert_eq!(own_password(&world, "", PASSWORD, NEW_PASSWORD).await.status, 204);
    let _new = two_keys(&world).await;
    for (list, key) in lists.iter().zip(&old) {
        assert_eq!(column(&world.get(list).await, "review"), [true, false]);
        let by_key = world.muster.get(list).token(key).send().await;
        assert_eq!(column(&by_key, "review"), [true, false], "the key goes on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_revokes_all_keys_where_it_is_told_to() {
    let world = World::start().await;
    let old = two_keys(&world).await;
    let other = world.muster.ana().await;
    let foreign = world.muster.key(&other, "/v1/keys", &["read"]).await.1;
    for query in ["?keys=all", "?keys=", "?keys=revoke&keys=revoke", "?revoke=keys"] {
        assert_eq!(own_password(&world, query, PASSWORD, NEW_PASSWORD).await.status, 400, "{query}");
    }
    let wrong = own_password(&world, "?keys=revoke", "a wrong password", NEW_PASSWORD).await;
    assert_eq!(refused(&wrong), as_refused((400, "/old_password", "incorrect")));
    for key in &old {
        assert_ne!(world.muster.get("/v1/segments").token(key).send().await.status, 401);
    }
    assert_eq!(own_password(&world, "?keys=revoke", PASSWORD, NEW_PASSWORD).await.status, 204);
    let lists = ["/v1/keys".to_owned(), format!("/v1/segments/{}/keys", world.segment)];
    for (list, key) in lists.iter().zip(&old) {
        let by_key = world.muster.get(list).token(key).send().await;
        assert_eq!((by_key.status.as_u16(), &by_key.body["code"]), (401, &json!("unauthenticated")), "{by_key:?}");
        assert_eq!(column(&world.get(list).await, "id"), Vec::<Value>::new());
    }
    assert_eq!(world.muster.get("/v1/keys").token(&foreign).send().await.status, 403, "another account's goes on");
    for (list, key) in lists.iter().zip(two_keys(&world).await) {
        let by_key = world.muster.get(list).token(&key).send().await;
        assert_eq!(column(&by_key, "review"), [false], "a new key opens what it names");
    }
    let user = world.user(json!({ "password": PASSWORD })).await;
    let of_other = format!("/v1/users/{user}/password?keys=revoke");
    let refusal = world.send("POST", &of_other, json!({ "new_password": NEW_PASSWORD })).await;
    assert_eq!(refused(&refusal), as_refused((400, "/keys", "not_applicable")));
}
