//! Usernames by PRECIS (RFC 8265): look-alikes are one user; rows from before the rule stay found.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::system::{Muster, PASSWORD};
use crate::world::{World, id, refused};

#[tokio::test(flavor = "multi_thread")]
async fn look_alikes_in_case_width_and_composition_are_one() {
    let world = World::start().await;
    let users = format!("/v1/segments/{}/users", world.segment);
    let user = |username: &str| {
        let email = format!("{}@example.com", domain::UserId::fresh());
        json!({ "email": email, "username": username, "password": PASSWORD })
    };
    let made = world.muster.made(&world.ana, &users, user("José")).await;
    assert_eq!(made["username"], "José", "the case is shown as it was written");
    for look_alike in ["josé", "JOSÉ", "jose\u{301}", "ＪＯＳÉ", "ｊｏｓｅ\u{301}"] {
        let taken = world.send("POST", &users, user(look_alike)).await;
        assert_eq!(refused(&taken), (409, "/username".to_owned(), "taken".to_owned()), "{look_alike}");
        let login = json!({ "username": look_alike, "password": PASSWORD, "segment_id": world.segment });
        let login = world.muster.post("/v1/auth/login", login).send().await;
        assert_eq!((login.status.as_u16(), &login.body["user_id"]), (200, &made["id"]), "{look_alike}");
        let asked = format!("/v1/users/exists?segment_id={}&username={look_alike}", world.segment);
        assert_eq!(world.read(&asked).await, json!({ "exists": true }), "{look_alike}");
    }
    world.muster.made(&world.ana, &users, user("ΣΊΣΥΦΟΣ")).await;
    assert_eq!(refused(&world.send("POST", &users, user("σίσυφος")).await).2, "taken", "the two small sigmas are one");
    let other = world.muster.made(&world.ana, &users, user("Ａｎａ")).await;
    assert_eq!(other["username"], "Ana", "full width is mapped");
    for wrong in ["ana\u{200b}", "a na", "ana☺", "\u{202e}ana"] {
        let reply = world.send("POST", &users, user(wrong)).await;
        let (status, pointer, code) = refused(&reply);
        assert_eq!((status, pointer.as_str()), (400, "/username"), "{wrong:?}");
        assert!(matches!(code.as_str(), "invalid_username" | "invisible_character"), "{wrong:?} {code}");
    }
    // Sign-up and change follow the same rule.
    let (eve, bob) = (world.muster.ana().await, world.muster.ana().await);
    let name = async |by, username: &str| {
        world.muster.patch("/v1/users/me", json!({ "username": username })).by(by).send().await
    };
    assert_eq!(name(&eve, "Eve").await.status, 200);
    assert_eq!(refused(&name(&bob, "ＥＶＥ").await).2, "taken");
}

/// Gives a user a username and a claim as they were written before the rule.
async fn with_former_username(muster: &Muster, (segment, user): (&str, &str), text: &str) {
    muster.set_attribute((&format!("U#{user}"), "U"), "username", text).await;
    let key = AttributeValue::S(former_claim(segment, &text.to_lowercase()));
    let put = muster.dynamodb().put_item().table_name(&muster.wiring.table).item("PK", key);
    let put = put.item("SK", AttributeValue::S("C".to_owned()));
    put.item("user_id", AttributeValue::S(user.to_owned())).send().await.unwrap();
}

/// The partition key of a claim, spelled out: `C#{scope}#{field}#{sha256 in base64url}`.
fn former_claim(segment: &str, value: &str) -> String {
    use base64::Engine as _;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, value.as_bytes());
    let hash = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest);
    format!("C#S#{segment}#username#{hash}")
}

#[tokio::test(flavor = "multi_thread")]
async fn row_from_before_the_rule_is_found_kept_and_released() {
    let world = World::start().await;
    let users = format!("/v1/segments/{}/users", world.segment);
    for former in ["Ａna", "jose\u{301}", "ana☺"] {
        let email = format!("{}@example.com", domain::UserId::fresh());
        let user = json!({ "email": email, "password": PASSWORD });
        let user = id(&world.muster.made(&world.ana, &users, user).await);
        with_former_username(&world.muster, (&world.segment, &user), former).await;
        let login = json!({ "username": former, "password": PASSWORD, "segment_id": world.segment });
        let login = world.muster.post("/v1/auth/login", login).send().await;
        assert_eq!(login.status, 200, "{former} {login:?}");
        let path = format!("/v1/users/{user}");
        let renamed = world.send("PATCH", &path, json!({ "name": "Ana" })).await;
        assert_eq!((renamed.status.as_u16(), &renamed.body["username"]), (200, &json!(former)), "{renamed:?}");
        let new = json!({ "email": format!("{}@example.com", domain::UserId::fresh()), "username": former });
        let again = world.send("POST", &users, new).await;
        assert!(matches!(again.status.as_u16(), 400 | 409), "{former} {again:?}");
        let own = world.send("PATCH", &path, json!({ "username": "Renamed" })).await;
        assert_eq!(own.status, 200, "{former} {own:?}");
        let claims = world.muster.items(&former_claim(&world.segment, &former.to_lowercase())).await;
        assert_eq!(claims, Vec::<String>::new(), "{former}");
        assert_eq!(world.call("DELETE", &format!("{path}?purge=true")).send().await.status, 204);
    }
    assert_eq!(world.read(&users).await["data"], Value::Array(Vec::new()));
}
