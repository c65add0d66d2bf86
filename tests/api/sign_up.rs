//! Signing up over somebody who has signed up and never verified its e-mail.

use edge::SignUpMode;
use local::Options;
use serde_json::{Value, json};

use crate::system::{Muster, PASSWORD, Reply};

const NEW_PASSWORD: &str = "staple battery horse";

fn body(email: &str) -> Value {
    json!({ "email": email, "name": "Ana", "password": NEW_PASSWORD })
}

impl Muster {
    async fn signs_up(&self, body: Value) -> Reply {
        self.post("/v1/users", body).send().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_not_verified_its_email_in_a_day_gives_way() {
    let muster = Muster::start().await;
    let old = muster.sign_up("ana@example.com").await;
    let early = muster.signs_up(body("ANA@example.com")).await;
    assert_eq!((early.status.as_u16(), early.errors()), (409, vec![("/email".to_owned(), "taken".to_owned())]));
    assert_eq!(muster.login("ana@example.com", PASSWORD).await.status, 403, "a day is one's own");
    muster.a_day_passes().await;
    let made = muster.signs_up(body("ANA@example.com")).await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.body["id"].as_str().unwrap();
    assert_eq!(muster.identities().await, [id]);
    assert!(!muster.whole_table().await.contains(&old), "nothing is left of the old one");
    assert_eq!(muster.login("ana@example.com", NEW_PASSWORD).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_first_email_does_not_close_the_deployment() {
    let muster = Muster::with(Options { sign_up: SignUpMode::First, ..Options::default() }).await;
    muster.sign_up("ana@exmaple.com").await;
    assert_eq!(muster.signs_up(body("ana@example.com")).await.status, 403);
    muster.a_day_passes().await;
    let made = muster.signs_up(body("ana@example.com")).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(muster.identities().await.len(), 1);
    assert_eq!(muster.signs_up(body("eve@example.com")).await.status, 403, "it has a first user");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_verified_gives_way_to_nobody_even_before_the_table_has_heard_of_it() {
    for (sign_up, refused) in [(SignUpMode::Open, 409), (SignUpMode::First, 403)] {
        let muster = Muster::with(Options { sign_up, ..Options::default() }).await;
        let ana = muster.ana().await;
        muster.a_day_passes().await;
        assert_eq!(muster.signs_up(body(&ana.email)).await.status, refused);
        // As a verification leaves it that was cut off in the middle.
        muster.set_status(&ana.id, "UNVERIFIED").await;
        assert_eq!(muster.signs_up(body(&ana.email)).await.status, refused);
        assert_eq!(muster.login(&ana.email, PASSWORD).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_erased_for_a_sign_up_that_another_stands_against() {
    let muster = Muster::start().await;
    let ana = muster.ana().await;
    assert_eq!(muster.patch("/v1/users/me", json!({ "username": "ana" })).by(&ana).send().await.status, 200);
    let late = muster.sign_up("late@example.com").await;
    muster.a_day_passes().await;
    let mut both = body("late@example.com");
    both["username"] = "ana".into();
    let refused = muster.signs_up(both).await;
    assert_eq!(refused.status, 409);
    assert!(muster.identities().await.contains(&late));
    // Two who are late both give way to one.
    let mut named = body("named@example.com");
    named["username"] = "late".into();
    assert_eq!(muster.signs_up(named).await.status, 201);
    muster.a_day_passes().await;
    let mut both = body("late@example.com");
    both["username"] = "late".into();
    assert_eq!(muster.signs_up(both).await.status, 201);
    assert_eq!(muster.identities().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_sign_up_over_one_never_verified_one_wins() {
    for sign_up in [SignUpMode::Open, SignUpMode::First] {
        let options = Options { sign_up, ..Options::default() };
        let muster = Muster::with(options).await;
        muster.sign_up("ana@example.com").await;
        muster.a_day_passes().await;
        let calls = (0..30).map(|_| muster.signs_up(body("ana@example.com")));
        let replies = crate::races::all(calls).await;
        let won: Vec<_> = replies.iter().filter(|reply| reply.status == 201).collect();
        assert_eq!(won.len(), 1, "{replies:?}");
        assert!(replies.iter().all(|reply| matches!(reply.status.as_u16(), 201 | 403 | 409)), "{replies:?}");
        assert_eq!(muster.identities().await, [won[0].body["id"].as_str().unwrap()]);
        assert_eq!((muster.items("U#").await.len(), muster.items("C#").await.len()), (2, 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_says_when_a_value_is_free_again() {
    let muster = Muster::start().await;
    let document = muster.get("/openapi.json").send().await.body;
    let conflict = &document["paths"]["/v1/users"]["post"]["responses"]["409"];
    assert!(conflict["description"].as_str().unwrap().contains("24 hours"), "{conflict}");
    assert!(conflict["content"]["application/problem+json"].is_object(), "{conflict}");
}
