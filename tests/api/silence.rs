//! Who asks about somebody else learns nothing, not even from how much is done before the answer.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use store::PendingKind;

use crate::faults::{Phase, Plan, Verdict, functions_behind};
use crate::system::{Muster, PASSWORD};

/// The functions, and what they ask of DynamoDB and Cognito.
struct Watched {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Watched {
    async fn new(muster: &Muster) -> Self {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let told = asked.clone();
        let plan: Plan = Arc::new(move |operation, _, phase| {
            if phase == Phase::Before {
                told.lock().unwrap().push(operation.to_owned());
            }
            Verdict::Pass
        });
        let watched = Self { url: functions_behind(muster, plan).await, asked };
        // The first of a minute finds no keys and no connections.
        watched.post("/v1/auth/recovery", json!({ "email": "first@example.com" })).await;
        watched
    }

    /// The status, and what was asked for it.
    async fn post(&self, path: &str, body: Value) -> (u16, Vec<String>) {
        self.asked.lock().unwrap().clear();
        let call = reqwest::Client::new().post(format!("{}{path}", self.url));
        let call = call.header("content-type", "application/json").body(body.to_string());
        let status = call.send().await.unwrap().status().as_u16();
        let mut asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.sort();
        (status, asked)
    }
}

/// A verified user, one who is blocked, one who is not verified, and nobody: their e-mails.
async fn people(muster: &Muster) -> [String; 4] {
    let (known, blocked) = (muster.ana().await, muster.ana().await);
    muster.set_status(&blocked.id, "BLOCKED").await;
    muster.sign_up("unverified@example.com").await;
    [known.email, blocked.email, "unverified@example.com".to_owned(), "nobody@example.com".to_owned()]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_is_done_for_whoever_is_there_and_whoever_is_not() {
    let muster = Muster::start().await;
    let watched = Watched::new(&muster).await;
    let people = people(&muster).await;
    for (path, more, status) in [
        ("/v1/auth/login", json!({ "password": "wrong password" }), 401),
        ("/v1/auth/recovery", json!({}), 202),
        ("/v1/auth/recovery/confirm", json!({ "code": "wrong", "new_password": "staple battery horse" }), 400),
    ] {
        let mut done = Vec::new();
        for email in &people {
            let mut body = more.clone();
            body["email"] = email.as_str().into();
            let (answered, asked) = watched.post(path, body).await;
            assert_eq!(answered, status, "{path} {email}");
            done.push(asked);
        }
        assert!(done[0].len() >= 5, "{path}: {done:?}");
        assert!(done.windows(2).all(|pair| pair[0] == pair[1]), "{path}: {done:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_judged_alike_even_while_another_change_is_under_way() {
    let muster = Muster::start().await;
    let watched = Watched::new(&muster).await;
    let ana = muster.ana().await;
    let record = muster.functions.app.store.user(ana.id.parse().unwrap()).await.unwrap().unwrap();
    muster.functions.app.store.begin(&record, PendingKind::Password).await.unwrap();
    let body = json!({ "email": ana.email, "code": "wrong", "new_password": "staple battery horse" });
    let (status, asked) = watched.post("/v1/auth/recovery/confirm", body).await;
    assert_eq!(status, 400);
    let body = json!({ "email": "nobody@example.com", "code": "wrong", "new_password": "staple battery horse" });
    let (_, of_nobody) = watched.post("/v1/auth/recovery/confirm", body).await;
    assert_eq!(asked, of_nobody, "who sends two at once would tell from the second which accounts there are");
    assert_eq!(muster.login(&ana.email, PASSWORD).await.status, 200);
}
